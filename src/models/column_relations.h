#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/column_scope.h"

namespace leat::models {

/// Add a column to those of a select list or a star.
void Append(Relation& result, NamedFlow column);

/// UNION and its kin: what the rows of both have in common, by position.
Relation Stacked(const Relation& top, const Relation& bottom);
/// The same by name: columns that only one side has are there too.
Relation StackedByName(const Relation& top, const Relation& bottom);

/// The columns of `*`.
Relation AllColumns(const Scope& scope);
/// `t.*`; if no table has the name, the fields of a struct, which are called anything.
Relation ColumnsOfTable(const Scope& scope, const std::string& name);
/// Give column `name` another name or flow; one that is not known is there all the same, since the star says so.
void Put(Relation& columns, const std::string& name, const std::string& new_name, const std::optional<Flow>& flow);

/// What NATURAL joins by. A table whose columns are unknown may share any name; what it may share is unknown then.
std::vector<std::string> CommonNames(FromTables& left, FromTables& right);
/// Make one column of the two that USING compares; `join_type` is DuckDB's word for LEFT, RIGHT, FULL.
void Share(const std::string& name, const std::string& join_type, FromTables& left, FromTables& right);

}  // namespace leat::models
