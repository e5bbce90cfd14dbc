#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "clients/postgres/connection.h"

namespace leat::sources {

/// A table or view that somebody may want to read, whether or not the project does.
struct DiscoveredTable {
  std::string schema;
  std::string name;
  std::string kind;            ///< table, partitioned table, view, materialized view, foreign table
  int64_t rows_estimate = -1;  ///< of the last ANALYZE; -1: unknown
  int64_t size_bytes = -1;     ///< with indexes; -1: it has no storage of its own
  struct Column {
    std::string name;
    std::string type;
    bool readable = false;
  };
  std::vector<Column> columns;
  std::vector<std::string> key;  ///< its primary key
  bool readable = false;         ///< USAGE of the schema and SELECT on every column are granted
};

/// List what a database holds outside the server's own schemas, sorted by schema and name; partitions are left to their
/// parents.
std::vector<DiscoveredTable> DiscoverTables(postgres::Connection& connection);

/// Whether the role may look into a schema at all. One that does not exist counts as usable: whoever reads it says so.
bool MayUseSchema(postgres::Connection& connection, const std::string& schema);

}  // namespace leat::sources
