#pragma once

#include <string>
#include <vector>

#include "duck/database.h"

namespace leat::lake {

struct Field;

/// An Iceberg v2 type.
struct Type {
  enum class Kind {
    kBoolean,
    kInt,
    kLong,
    kFloat,
    kDouble,
    kDecimal,
    kDate,
    kTime,
    kTimestamp,
    kTimestampTz,
    kString,
    kUuid,
    kBinary,
    kStruct,
    kList,
    kMap
  };
  Kind kind = Kind::kString;
  int precision = 0;  ///< of a decimal, 1..38
  int scale = 0;
  std::vector<Field> fields;  ///< struct: its fields; list: one, `element`; map: two, `key` and `value`
  bool operator==(const Type&) const;
};

/// A column of a table, or a part of a nested one.
struct Field {
  int id = 0;  ///< never reused within a table
  std::string name;
  Type type;
  bool required = false;
  std::string
      source_type;  ///< the type in the source, such as `numeric(10,2)`; kept as table property `leat.source_type.<id>`
  std::string
      path;  ///< where its values stand in the source's records, as a JSON list of names; kept as `leat.path.<id>`
  bool operator==(const Field&) const = default;
};

struct Schema {
  int id = 0;
  std::vector<Field> fields;

  const Field* Find(const std::string& name) const;
  std::vector<std::string> Names() const;
  int LastColumnId() const;
  bool operator==(const Schema&) const = default;
};

/// The type of SQL that a column of an Iceberg type has in DuckDB: `DECIMAL(10,2)`, `TIMESTAMP WITH TIME ZONE`,
/// `INTEGER[]`.
std::string DuckType(const Type& type);

/// Map columns of a SELECT to Iceberg fields with ids from 1. HUGEINT becomes decimal(38,0), UBIGINT decimal(20,0),
/// UINTEGER long, smaller integers int, ENUM and JSON string, TIMESTAMP_S and _MS timestamp. Arrays of fixed length
/// become lists. Throws: Error(kConfig, LEAT0210) for INTERVAL, TIME WITH TIME ZONE, TIMESTAMP_NS, BIT, UNION, naming
/// the column and the cast to write; and for two columns of one name.
Schema SchemaOf(const std::vector<duck::Column>& columns);

/// Give `wanted` the ids of `current`'s fields of the same name and new ids to new ones. Fields that vanished are
/// dropped. `widened` lists fields whose type grew as Iceberg allows (int -> long, float -> double, more decimal
/// digits). Throws: Error(kConfig, LEAT0211) for any other change of a type.
struct Evolution {
  Schema schema;
  bool changed = false;
  std::vector<std::string> added, dropped, widened;
};
Evolution Evolve(const Schema& current, const Schema& wanted, int last_column_id);

}  // namespace leat::lake
