#pragma once

#include <optional>
#include <string>
#include <vector>

#include "duck/database.h"
#include "models/macros.h"

namespace leat::models {

/// A table that SQL names, with the byte of the statement where it does.
struct TableReference {
  std::string schema;  ///< lower case, as is `table`
  std::string table;
  std::optional<size_t> position;  ///< nothing: named by a macro that the statement calls
  std::string Name() const { return schema + "." + table; }
};

/// All that one SELECT needs before it can run.
struct SelectReads {
  std::vector<TableReference> tables;   ///< each once, in the order in which they are named
  std::vector<std::string> macros;      ///< in an order in which they can be made
  std::vector<std::string> parameters;  ///< names without `$`, lower case
  bool varies = false;                  ///< calls now() or the like, or samples: the same inputs may give other rows
  std::string normalised;               ///< its syntax tree without places, for fingerprints

  std::vector<std::string> TableNames() const;
};

/// Find what the SELECT in a file reads: base tables minus CTE names in scope, and what the macros it calls read.
/// `known` are names for suggestions.
/// Throws: Error(kConfig) with place: LEAT0201 syntax error, LEAT0202 not exactly one SELECT or one that cannot be
/// serialized (the PIVOT statement), LEAT0205 a name that is not `schema.table`, LEAT0207 query(), query_table() and
/// functions or names that read files, LEAT0208 macros that call each other in a circle, LEAT0209 an unknown parameter.
SelectReads ReadsOf(duck::Connection& connection, const Macros& macros, const std::string& file,
                    const std::string& text, const std::vector<std::string>& known = {});

/// The tables alone.
std::vector<TableReference> TablesRead(duck::Connection& connection, const Macros& macros, const std::string& file,
                                       const std::string& text);

}  // namespace leat::models
