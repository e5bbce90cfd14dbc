#include "sources/postgres/streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/text.h"

namespace leat::sources {
namespace {

/// Views, materialised and foreign tables come only by their exact name.
bool ComesByGlob(const CatalogTable& table) { return table.kind == 'r' || table.kind == 'p'; }

bool IsNamed(const config::Source& source, const CatalogTable& table) {
  return std::any_of(source.streams.begin(), source.streams.end(), [&](const config::StreamRule& rule) {
    return rule.exact() ? rule.pattern.value == table.name
                        : ComesByGlob(table) && MatchesGlob(rule.pattern.value, table.name);
  });
}

void RefuseRulesWithoutTable(const config::Source& source, const std::vector<CatalogTable>& tables) {
  std::vector<std::string> names;
  for (const CatalogTable& table : tables) names.push_back(table.name);
  for (const config::StreamRule& rule : source.streams) {
    const std::string& pattern = rule.pattern.value;
    const bool matched = std::any_of(tables.begin(), tables.end(), [&](const CatalogTable& table) {
      return rule.exact() ? pattern == table.name : ComesByGlob(table) && MatchesGlob(pattern, table.name);
    });
    // A stream that is skipped need not be there: its last rows stay in the lake.
    if (matched || rule.skip || pattern == "*") continue;
    Diagnostic fault{.code = "LEAT0404",
                     .message = fmt::format("stream {} matches no table of schema {}", pattern, source.schema),
                     .place = rule.pattern.place};
    SuggestNearest(fault, pattern, names);
    fault.help.push_back("names of streams are those of the tables in the database, as spelled there");
    throw Error(kConfig, std::move(fault));
  }
}

/// The columns a stream carries, in the table's order, with clean names of their own.
std::vector<StreamColumn> ChooseColumns(const config::StreamRule& rule, const CatalogTable& table) {
  const auto in = [](const std::vector<config::Located<std::string>>& globs, const std::string& name) {
    return std::any_of(globs.begin(), globs.end(), [&](const auto& glob) { return MatchesGlob(glob.value, name); });
  };
  std::vector<StreamColumn> chosen;
  std::map<std::string, std::string> taken;
  for (const CatalogColumn& column : table.columns) {
    if (!rule.columns.include.empty() && !in(rule.columns.include, column.name)) continue;
    if (in(rule.columns.exclude, column.name)) continue;
    const auto renamed = rule.rename.find(column.name);
    const std::string name = renamed != rule.rename.end() ? renamed->second.value : CleanName(column.name);
    if (engine::IsOwnColumn(name))
      throw Error(kConfig, "LEAT0413", rule.pattern.place,
                  fmt::format("column \"{}\" of {} has a reserved name; expected one that does not begin with _leat_",
                              column.name, table.name))
          .Hint(fmt::format("add  rename: {{\"{}\": another_name}}  to the stream", column.name));
    const auto [other, is_new] = taken.emplace(name, column.name);
    if (!is_new)
      throw Error(kConfig, "LEAT0406", rule.pattern.place,
                  fmt::format("columns \"{}\" and \"{}\" of {} would both be called {}", other->second, column.name,
                              table.name, name))
          .Hint(fmt::format("add  rename: {{\"{}\": another_name}}  to the stream", column.name));
    chosen.push_back({column, name});
  }
  return chosen;
}

void RefuseUnreadable(const config::Source& source, const CatalogTable& table, const std::vector<StreamColumn>& columns,
                      const std::string& role) {
  std::vector<std::string> hidden;
  for (const StreamColumn& column : columns)
    if (!column.origin.readable) hidden.push_back(column.origin.name);
  if (hidden.empty()) return;
  const std::string relation = QuoteIdentifier(source.schema) + "." + QuoteIdentifier(table.name);
  if (hidden.size() == columns.size())
    throw Error(kConfig, "LEAT0403", source.connection.place,
                fmt::format("the role may not read {}.{}", source.schema, table.name))
        .Hint(fmt::format("run as its owner:  GRANT SELECT ON {} TO {}", relation, QuoteIdentifier(role)))
        .Hint(fmt::format("or leave the stream out by  {}: {{skip: true}}", table.name));
  throw Error(kConfig, "LEAT0403", source.connection.place,
              fmt::format("the role may not read column {} of {}.{}", Join(hidden, ", "), source.schema, table.name))
      .Hint(fmt::format("run as its owner:  GRANT SELECT ({}) ON {} TO {}", QuoteList(hidden), relation,
                        QuoteIdentifier(role)))
      .Hint(fmt::format("or leave it out by  columns: {{exclude: [{}]}}", Join(hidden, ", ")));
}

/// The key in leat's names: what the project says, else the primary key, else none.
std::vector<std::string> ChooseKey(const config::StreamRule& rule, const CatalogTable& table,
                                   const std::vector<StreamColumn>& columns) {
  std::vector<config::Located<std::string>> wanted = rule.key;
  if (wanted.empty())
    for (const std::string& column : table.primary_key) wanted.push_back({column, rule.pattern.place});
  std::vector<std::string> key;
  for (const auto& part : wanted) {
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const StreamColumn& c) {
      return c.origin.name == part.value || c.name == part.value;
    });
    if (found == columns.end()) {
      std::vector<std::string> names;
      for (const StreamColumn& column : columns) names.push_back(column.name);
      Diagnostic fault{
          .code = "LEAT0407",
          .message = fmt::format("key column {} of {} is not among the columns read", part.value, table.name),
          .place = part.place};
      SuggestNearest(fault, part.value, names);
      fault.help.push_back("a key needs all its columns: take it out of `columns: {exclude: …}`, or set `key:`");
      throw Error(kConfig, std::move(fault));
    }
    key.push_back(found->name);
  }
  return key;
}

/// The primary key, or columns with a unique index of their own and without NULL.
bool IsEnforced(const PostgresStream& stream) {
  if (stream.info.key.empty()) return false;
  std::set<std::string> key;
  for (const StreamColumn& column : stream.columns)
    if (std::find(stream.info.key.begin(), stream.info.key.end(), column.name) != stream.info.key.end())
      key.insert(column.origin.name);
  const std::set<std::string> primary(stream.table.primary_key.begin(), stream.table.primary_key.end());
  const auto& unique = stream.table.unique_keys;
  return key == primary || std::find(unique.begin(), unique.end(), key) != unique.end();
}

void Fill(PostgresStream& stream, const config::Source& source, const config::StreamRule& rule,
          const std::string& role) {
  stream.columns = ChooseColumns(rule, stream.table);
  RefuseUnreadable(source, stream.table, stream.columns, role);
  stream.info.key = ChooseKey(rule, stream.table, stream.columns);
  stream.key_is_enforced = IsEnforced(stream);
  for (const StreamColumn& column : stream.columns)
    stream.info.columns.push_back({column.name, postgres::MapType(column.origin.type).duck_type});
}

}  // namespace

std::vector<PostgresStream> MatchStreams(const config::Source& source, const std::vector<CatalogTable>& tables,
                                         const std::string& role) {
  RefuseRulesWithoutTable(source, tables);
  std::vector<PostgresStream> streams;
  std::map<std::string, std::string> taken;
  for (const CatalogTable& table : tables) {
    const std::optional<config::StreamRule> rule = source.RuleFor(table.name);
    if (!rule || rule->skip || !IsNamed(source, table)) continue;
    PostgresStream stream{.schema = source.schema, .table = table, .rule = *rule};
    const std::string name = rule->rename_to ? rule->rename_to->value : CleanName(table.name);
    const auto [other, is_new] = taken.emplace(name, table.name);
    if (!is_new)
      throw Error(kConfig, "LEAT0406", rule->pattern.place,
                  fmt::format("tables \"{}\" and \"{}\" would both be the stream {}.{}", other->second, table.name,
                              source.name, name))
          .Hint("give one of them another name by `rename`");
    stream.info.name = source.name + "." + name;
    stream.info.origin = source.schema + "." + table.name;
    stream.info.rows_estimate = table.rows_estimate;
    try {
      Fill(stream, source, *rule, role);
    } catch (const Error& error) {
      stream.info.fault = error.diagnostic();
    }
    streams.push_back(std::move(stream));
  }
  std::sort(streams.begin(), streams.end(), [](const auto& a, const auto& b) { return a.info.name < b.info.name; });
  return streams;
}

}  // namespace leat::sources
