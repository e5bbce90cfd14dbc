#include <fmt/format.h>

#include "core/text.h"
#include "lake/table.h"

namespace leat::lake {
namespace {

/// DuckDB takes `*`, `?` and `[` of a path for a pattern; as a set of one character they stand for themselves.
std::string EscapePattern(const std::string& path) {
  std::string escaped;
  for (const char c : path) escaped += c == '*' || c == '?' || c == '[' ? fmt::format("[{}]", c) : std::string(1, c);
  return escaped;
}

std::string EmptyTableSql(const Schema& schema) {
  std::vector<std::string> columns;
  for (const Field& field : schema.fields)
    columns.push_back(fmt::format("CAST(NULL AS {}) AS {}", DuckType(field.type), QuoteIdentifier(field.name)));
  return fmt::format("(SELECT {} WHERE false)", Join(columns, ", "));
}

}  // namespace

std::string ReadFilesSql(const Storage& storage, const Schema& schema, const std::vector<DataFile>& files) {
  if (files.empty()) return EmptyTableSql(schema);
  std::vector<std::string> paths, columns;
  int64_t rows = 0;
  for (const DataFile& file : files) {
    paths.push_back(QuoteLiteral(EscapePattern(storage.DuckPath(storage.NameOf(file.path)))));
    rows += file.record_count;
  }
  for (const Field& field : schema.fields)
    columns.push_back(fmt::format("{}: {{name: {}, type: {}, default_value: NULL}}", field.id, QuoteLiteral(field.name),
                                  QuoteLiteral(DuckType(field.type))));
  // A folder above the lake may be called `a=b`, which is no column of ours.
  // Under `schema` DuckDB takes a file for 1,000 rows, and would build the hash table of a join on the large side.
  return fmt::format("read_parquet([{}], schema = map {{{}}}, hive_partitioning = false, explicit_cardinality = {})",
                     Join(paths, ", "), Join(columns, ", "), rows);
}

}  // namespace leat::lake
