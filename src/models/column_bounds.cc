#include "models/column_bounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/text.h"

namespace leat::models {
namespace {

using Kind = lake::Type::Kind;

/// SQL for a key's value as its bounds are compared; nothing for types whose bounds are not looked at.
std::optional<std::string> ComparedValue(const lake::Field& field) {
  const std::string column = "k." + QuoteIdentifier(field.name);
  switch (field.type.kind) {
    case Kind::kInt:
    case Kind::kLong:
    case Kind::kString:
      return column;
    case Kind::kDate:
      return fmt::format("({} - DATE '1970-01-01')", column);
    case Kind::kTimestamp:
    case Kind::kTimestampTz:
      return fmt::format("epoch_us({})", column);
    default:
      return std::nullopt;
  }
}

std::string TextBound(const std::optional<std::string>& bound) { return bound ? QuoteLiteral(*bound) : "NULL"; }

/// `1, 20` or `'a', 'm'`; NULL where there is no bound.
std::string BoundsSql(const lake::DataFile& file, const lake::Field& field) {
  if (field.type.kind == Kind::kString) {
    const auto column = file.columns.find(field.id);
    if (column == file.columns.end()) return "NULL, NULL";
    return TextBound(column->second.lower) + ", " + TextBound(column->second.upper);
  }
  const auto bounds = file.Int64Bounds(field.id);
  return bounds ? fmt::format("{}, {}", bounds->first, bounds->second) : "NULL, NULL";
}

}  // namespace

int64_t Greatest(duck::Connection& connection, const std::string& rows, const std::string& expression,
                 const lake::Field* column, const std::vector<lake::DataFile>& files) {
  const auto read = [&] {
    return connection.QueryInt64(fmt::format("SELECT coalesce(max({}), 0) FROM {}", expression, rows));
  };
  if (column == nullptr) return read();
  int64_t greatest = 0;
  for (const lake::DataFile& file : files) {
    const auto bounds = file.Int64Bounds(column->id);
    if (!bounds) return read();  // a file of another writer may have none
    greatest = std::max(greatest, bounds->second);
  }
  return greatest;
}

std::vector<std::string> PartingValues(duck::Connection& connection, const std::string& rows, const lake::Field& column,
                                       int64_t parts) {
  if (!ComparedValue(column)) return {};
  std::vector<std::string> shares;
  for (int64_t i = 1; i < parts; ++i)
    shares.push_back(fmt::format("{}", static_cast<double>(i) / static_cast<double>(parts)));
  return connection.QueryTexts(
      fmt::format("SELECT DISTINCT unnest(quantile_disc({}, [{}])) AS value FROM {} ORDER BY value",
                  QuoteIdentifier(column.name), Join(shares, ", "), rows));
}

std::vector<lake::DataFile> FilesThatMayHold(duck::Connection& connection, const lake::Schema& schema,
                                             const std::vector<lake::DataFile>& files,
                                             const std::vector<std::string>& key, const std::string& keys) {
  std::vector<const lake::Field*> compared;
  std::vector<std::string> names = {"_leat_file"}, conditions;
  for (const std::string& column : key) {
    const lake::Field* field = schema.Find(column);
    const auto value = ComparedValue(*field);
    if (!value) continue;
    names.push_back(fmt::format("_leat_low{}", compared.size()));
    conditions.push_back(fmt::format("({0} IS NULL OR {1} >= {0})", names.back(), *value));
    names.push_back(fmt::format("_leat_high{}", compared.size()));
    conditions.push_back(fmt::format("({0} IS NULL OR {1} <= {0})", names.back(), *value));
    compared.push_back(field);
  }
  if (compared.empty() || files.empty()) return files;
  std::vector<std::string> rows;
  for (size_t i = 0; i < files.size(); ++i) {
    std::string row = std::to_string(i);
    for (const lake::Field* field : compared) row += ", " + BoundsSql(files[i], *field);
    rows.push_back("(" + row + ")");
  }
  std::vector<lake::DataFile> found;
  for (const std::string& index : connection.QueryTexts(
           fmt::format("SELECT _leat_file FROM (VALUES {}) AS b({}) SEMI JOIN {} k ON {} ORDER BY _leat_file",
                       Join(rows, ", "), Join(names, ", "), keys, Join(conditions, " AND "))))
    found.push_back(files[std::stoul(index)]);
  return found;
}

}  // namespace leat::models
