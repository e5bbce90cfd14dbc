#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "clients/postgres/connection.h"
#include "clients/postgres/types.h"

namespace leat::sources {

/// A column as PostgreSQL's catalog describes it; a domain stands as its base type.
struct CatalogColumn {
  std::string name;
  postgres::CatalogType type;
  bool readable = false;  ///< SELECT is granted on the column or its table
};

/// A partition that holds rows itself, at whatever depth.
struct CatalogLeaf {
  uint32_t oid = 0;
  std::string schema;
  std::string name;
};

/// A table as PostgreSQL's catalog describes it.
struct CatalogTable {
  uint32_t oid = 0;
  std::string name;
  char kind = 'r';             ///< pg_class.relkind: r table, p partitioned, v view, m materialised view, f foreign
  int64_t pages_estimate = 0;  ///< of the last VACUUM or ANALYZE
  int64_t rows_estimate = -1;  ///< of the last ANALYZE; -1: never analysed
  std::vector<CatalogColumn> columns;    ///< in physical order, without dropped ones
  std::vector<std::string> primary_key;  ///< in the key's order; empty: none
  /// Digest of all that may change what rows show without a transaction writing them: columns with their types and the
  /// values that ADD COLUMN … DEFAULT keeps aside, labels of enums, row-level security.
  std::string shape;
  std::string leaves;  ///< digest of a partitioned table's partitions; empty: not partitioned
  /// The partitions that hold its rows, big ones first. Empty where the role may not read each of them, or policies of
  /// rows count: it is read as a whole then.
  std::vector<CatalogLeaf> partitions;
  std::vector<std::set<std::string>> unique_keys;  ///< sets of columns that are never NULL and name one row each
  bool may_read_places = false;  ///< the role may ask where a row is, as is needed to read a table in ranges
  bool has_row_ids = false;  ///< each row tells which transaction wrote it: heap tables, and partitions of them alone

  const CatalogColumn* Find(const std::string& column) const;
};

/// Read all tables and views of a schema, sorted by name; partitions are left to their parents.
/// Throws: Error(kConfig, LEAT0405) if the schema does not exist, with the nearest.
std::vector<CatalogTable> ReadCatalog(postgres::Connection& connection, const std::string& schema,
                                      const Place& schema_place);

}  // namespace leat::sources
