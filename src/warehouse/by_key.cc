#include "warehouse/by_key.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace leat::warehouse {

std::string Prefixed(std::string_view prefix, const std::vector<std::string>& columns) {
  std::vector<std::string> list;
  for (const std::string& column : columns) list.push_back(fmt::format("{}.{}", prefix, QuoteIdentifier(column)));
  return Join(list, ", ");
}

std::string EqualKeys(const std::vector<std::string>& key, std::string_view left, std::string_view right) {
  std::vector<std::string> terms;
  for (const std::string& column : key)
    terms.push_back(fmt::format("{0}.{2} = {1}.{2}", left, right, QuoteIdentifier(column)));
  return Join(terms, " AND ");
}

Difference CompareByKey(const TableSpec& spec, const std::string& temporary, const std::string& rows,
                        const std::string& kept) {
  const std::vector<std::string>& key = spec.primary_key;
  const std::string first = QuoteIdentifier(key.front());
  // Keys are never NULL, so that a NULL one says which side lacks the row. A vanished row keeps its key under the same
  // names.
  std::vector<std::string> names, columns;
  for (const ColumnSpec& column : spec.columns) {
    names.push_back(column.name);
    const std::string quoted = QuoteIdentifier(column.name);
    const bool is_key = std::ranges::find(key, column.name) != key.end();
    columns.push_back(is_key ? fmt::format("coalesce(lake.{0}, kept.{0}) AS {0}", quoted)
                             : fmt::format("lake.{0} AS {0}", quoted));
  }
  Difference difference;
  difference.create_sql = fmt::format(
      "CREATE OR REPLACE TEMPORARY TABLE {} AS\n"
      "SELECT lake.{} IS NULL AS \"_leat_gone\", {}\n"
      "FROM ({}) AS lake FULL JOIN {} AS kept ON {}\n"
      "WHERE lake.{} IS NULL OR kept.{} IS NULL OR ({}) IS DISTINCT FROM ({})",
      temporary, first, Join(columns, ", "), rows, kept, EqualKeys(key, "lake", "kept"), first, first,
      Prefixed("lake", names), Prefixed("kept", names));
  difference.delta.upserts = fmt::format("SELECT {} FROM {} WHERE NOT \"_leat_gone\"", QuoteList(names), temporary);
  difference.delta.deletes = fmt::format("SELECT {} FROM {} WHERE \"_leat_gone\"", QuoteList(key), temporary);
  difference.drop_sql = fmt::format("DROP TABLE IF EXISTS {}", temporary);
  return difference;
}

}  // namespace leat::warehouse
