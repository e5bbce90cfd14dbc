#pragma once

#include <string>
#include <string_view>

#include "warehouse/warehouse.h"

namespace leat::warehouse {

/// What a column is in PostgreSQL, and as what its values leave DuckDB.
struct ColumnType {
  /// How a value becomes one of `duck`.
  enum class Via { kCast, kJson, kArrayLiteral };

  std::string postgres;  ///< as format_type() writes it: `numeric(10,2)`, `character varying`
  std::string duck;      ///< the DuckDB type that the SELECT brings; VARCHAR also where the server parses the text
  Via via = Via::kCast;

  bool operator==(const ColumnType&) const = default;
};

/// The type of a column: the project's, else the one at its source, else the default for its DuckDB type; an integer
/// record id is `integer`. A type of a source is restored if it is one of PostgreSQL's own; `text` stands for those
/// that the warehouse may lack (enums, composites, types of extensions and users), and for names of its objects
/// (regclass). Where the lake's type is none that leat reads the source's as, the project has set it, and the source's
/// is void. Throws: Error(kConfig, LEAT0601) with the column's place, for a text that is no type and for a DuckDB type
/// without default.
ColumnType ResolveType(const ColumnSpec& column, bool is_record_id);

/// Write a PostgreSQL type as format_type() does: `varchar(3)` is `character varying(3)`, `INT []` is `integer[]`.
/// Unknown names stay as they are, in lower case unless quoted.
std::string CanonicalType(std::string_view type);

/// Whether every value of `from` is one of `to` and the same text; both canonical.
bool IsWidening(std::string_view from, std::string_view to);

/// SELECT expression that brings `value`, an expression of the lake's type, to `to.duck`.
std::string ConvertExpression(std::string_view value, const ColumnType& to);

/// Whether rows are to be compared by the type's text: PostgreSQL has no `=` for it, or one that takes different texts
/// for equal (`1 day` and `24:00:00`, boxes of one area).
bool ComparesAsText(std::string_view type);

}  // namespace leat::warehouse
