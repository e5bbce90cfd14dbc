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

/// The type of a column: the project's, else the default for its DuckDB type; an integer record id is `integer`.
/// Throws: Error(kConfig, LEAT0601) with the column's place, for a text that is no type and for a DuckDB type without
/// default.
ColumnType ResolveType(const ColumnSpec& column, bool is_record_id);

/// Write a PostgreSQL type as format_type() does: `varchar(3)` is `character varying(3)`, `INT []` is `integer[]`.
/// Unknown names stay as they are, in lower case unless quoted.
std::string CanonicalType(std::string_view type);

/// Whether every value of `from` is one of `to` and the same text; both canonical.
bool IsWidening(std::string_view from, std::string_view to);

/// SELECT expression that brings the lake's column `name` to `to.duck`.
std::string CastExpression(std::string_view name, const ColumnType& to);

/// Whether PostgreSQL has no `=` for the type, so that rows are compared by its text.
bool ComparesAsText(std::string_view type);

}  // namespace leat::warehouse
