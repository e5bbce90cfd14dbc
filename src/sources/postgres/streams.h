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

/// Match the rules of a source against its tables: globs first, exact names last. `"*"` means ordinary and partitioned
/// tables; views, materialised and foreign tables come by their exact name.
/// A stream that cannot be read carries its fault in `info`.
/// Throws: Error(kConfig): LEAT0404 for a rule that matches no table, LEAT0406 for two streams of one name.
/// \param role  who is logged in, for the GRANT to paste
std::vector<PostgresStream> MatchStreams(const config::Source& source, const std::vector<CatalogTable>& tables,
                                         const std::string& role);

}  // namespace leat::sources
