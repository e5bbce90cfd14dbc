#pragma once

#include <string>
#include <vector>

#include "config/project.h"
#include "sources/postgres/catalog.h"
#include "sources/source.h"

namespace leat::sources {

/// A column that a stream carries over, with its name in leat.
struct StreamColumn {
  CatalogColumn origin;
  std::string name;
  postgres::TypeMapping type;  ///< as the project wants it, else as PostgreSQL's own
};

/// A table of the database that the project asks for.
struct PostgresStream {
  StreamInfo info;
  std::string schema;  ///< of the database
  CatalogTable table;
  std::vector<StreamColumn> columns;
  config::StreamRule rule;       ///< what the project says of it
  bool key_is_enforced = false;  ///< the server keeps the key unique and without NULL
};

/// What the project asks for, sorted by name, and what is odd about it.
struct MatchedStreams {
  std::vector<PostgresStream> streams;
  std::vector<Diagnostic> warnings;
};

/// Match the rules of a source against its tables: globs first, exact names last. `"*"` means ordinary and partitioned
/// tables; views, materialised and foreign tables come by their exact name. A table without columns is left out with a
/// warning where a glob matches it.
/// A stream that cannot be read carries its fault in `info`.
/// Throws: Error(kConfig): LEAT0404 for a rule that matches no table, LEAT0406 for two streams of one name, LEAT0420
/// for a column that none of many tables has.
/// \param role  who is logged in, for the GRANT to paste
MatchedStreams MatchStreams(const config::Source& source, const std::vector<CatalogTable>& tables,
                            const std::string& role);

}  // namespace leat::sources
