#pragma once

#include <duckdb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::postgres {

/// A column's type as the catalogs tell it, a domain as its base type.
struct CatalogType {
  uint32_t oid = 0;                       ///< pg_type.oid
  int32_t typmod = -1;                    ///< pg_attribute.atttypmod
  char typtype = 'b';                     ///< pg_type.typtype: b base, e enum, c composite, r range, …
  std::string formatted;                  ///< format_type(oid, typmod)
  std::vector<CatalogType> element = {};  ///< of an array: one, a domain as its base type
};

struct TypeMapping;

/// The cells of one column in a chunk under construction.
struct CellTarget {
  uint8_t* data = nullptr;  ///< of the vector
  duckdb_vector vector = nullptr;
  const TypeMapping* type = nullptr;
  std::string_view table;  ///< `public.staff`, for messages
  std::string_view column;
  bool in_array = false;  ///< the cells are elements of the column's arrays
};

/// Turn one value's binary payload into cell `row`.
/// Throws: Misfit (LEAT0401) for a value that the cell's type cannot hold; Error(kInternal, LEAT9906) for a payload of
/// another type, as after an ALTER TABLE between look-up and read.
using DecodeCell = void (*)(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);

/// How the values of one PostgreSQL type become values of DuckDB.
struct TypeMapping {
  std::string source_type;  ///< as format_type() says: `numeric(10,2)`
  std::string duck_type;    ///< as DuckDB's SQL says: `DECIMAL(10,2)`
  std::string cast;         ///< type to select the column as: `text`; empty: in its own binary form
  duckdb_type id = DUCKDB_TYPE_VARCHAR;
  int width = 0;  ///< of a DECIMAL
  int scale = 0;
  DecodeCell decode = nullptr;
  std::vector<TypeMapping> element = {};  ///< of a LIST: one

  /// What stands in the select list for a column.
  std::string SelectExpression(std::string_view column) const;
  /// A new logical type; the caller destroys it.
  duckdb_logical_type LogicalType() const;
};

/// Choose the mapping of a type: its row in the table of types.cc; DECIMAL for numeric (bare: 38,9); VARCHAR for enums;
/// LIST for arrays; every other type as its exact text.
TypeMapping MapType(const CatalogType& type);

/// Choose the mapping of a type whose values the project wants as `duck_type`, spelled as DuckDB does: exact text for
/// VARCHAR, greater integers and decimals, DOUBLE for any number (the nearest one; NaN and infinities as they are), and
/// the same for elements of arrays. nullopt: values of this type do not become that one.
std::optional<TypeMapping> MapTypeAs(const CatalogType& type, std::string_view duck_type);

/// Whether different values of this type stay different in `mapping`: as DOUBLE numbers of more than 15 digits may not.
bool KeepsApart(const CatalogType& type, const TypeMapping& mapping);

}  // namespace leat::postgres
