#pragma once

#include <duckdb.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace leat::postgres {

/// A column's type as the catalogs tell it. For a domain: oid and typmod of its base type, `formatted` of either.
struct CatalogType {
  uint32_t oid = 0;       ///< pg_type.oid
  int32_t typmod = -1;    ///< pg_attribute.atttypmod
  char typtype = 'b';     ///< pg_type.typtype: b base, e enum, d domain, c composite, r range, …
  std::string formatted;  ///< format_type(oid, typmod)
};

/// The cells of one column in a chunk under construction.
struct CellTarget {
  uint8_t* data = nullptr;  ///< of the vector
  duckdb_vector vector = nullptr;
  int width = 0;  ///< of a DECIMAL
  int scale = 0;
  std::string_view table;  ///< `public.staff`, for messages
  std::string_view column;
};

/// Turn one value's binary payload into cell `row`.
/// Throws: Error(kData, LEAT0401) for a value that the cell's type cannot hold; Error(kInternal, LEAT9906) for a
/// payload of another type, as after an ALTER TABLE between look-up and read.
using DecodeCell = void (*)(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);

/// How the values of one PostgreSQL type become values of DuckDB.
struct TypeMapping {
  enum class Select {
    kColumn,  ///< binary form of the type itself
    kText,    ///< the exact text, by `::text`
  };

  std::string source_type;  ///< as format_type() says: `numeric(10,2)`
  std::string duck_type;    ///< as DuckDB's SQL says: `DECIMAL(10,2)`
  Select select = Select::kText;
  duckdb_type id = DUCKDB_TYPE_VARCHAR;
  int width = 0;  ///< of a DECIMAL
  int scale = 0;
  DecodeCell decode = nullptr;

  /// What stands in the select list for a column.
  std::string SelectExpression(std::string_view column) const;
  /// A new logical type; the caller destroys it.
  duckdb_logical_type LogicalType() const;
};

/// Choose the mapping of a type: its row in the table of types.cc; DECIMAL for numeric (bare: 38,9); VARCHAR for enums;
/// every other type as its exact text.
TypeMapping MapType(const CatalogType& type);

}  // namespace leat::postgres
