#include "sources/versions.h"

#include <fmt/format.h>

#include "core/text.h"
#include "duck/row_hash.h"
#include "engine/engine.h"

namespace leat::sources {

std::string ContentHash(duck::Connection& connection, const lake::Storage& storage, const lake::Schema& schema,
                        const std::vector<lake::DataFile>& files) {
  std::vector<duck::HashedColumn> hashed;
  for (const lake::Field& field : schema.fields)
    if (!engine::IsOwnColumn(field.name)) hashed.emplace_back(field.id, QuoteIdentifier(field.name));
  return connection.QueryText(fmt::format("SELECT row_count || ':' || hash_low || ':' || hash_high FROM ({})",
                                          duck::TableHashSql(hashed, lake::ReadFilesSql(storage, schema, files))));
}

int64_t SummaryNumber(const lake::Table& table, const std::string& key) {
  const std::string text = table.SummaryText(key);
  return text.empty() ? 0 : std::stoll(text);
}

}  // namespace leat::sources
