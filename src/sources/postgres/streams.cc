#include "sources/postgres/streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <map>
#include <set>

#include "core/text.h"
#include "lake/schema.h"
#include "sources/postgres/column_names.h"

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

/// Names at the top of the file are those of tables.
void RefuseUnknownRenames(const config::Source& source, const std::vector<CatalogTable>& tables) {
  for (const auto& [table, name] : source.rename) {
    std::vector<std::string> names;
    for (const CatalogTable& known : tables) names.push_back(known.name);
    if (std::find(names.begin(), names.end(), table) != names.end()) continue;
    // A stream that is skipped need not be there.
    if (const auto rule = source.RuleFor(table); rule && rule->skip) continue;
    Diagnostic fault{
        .code = "LEAT0404",
        .message = fmt::format("rename names table {}, which schema {} does not have", table, source.schema),
        .place = name.place};
    SuggestNearest(fault, table, names);
    fault.help.push_back("names are those of the tables in the database, as spelled there");
    throw Error(kConfig, std::move(fault));
  }
}

/// `name`, or one with a number that nobody has.
std::string FreeName(const std::string& name, const std::set<std::string>& taken) {
  constexpr size_t kStemMax = 57;  // so that the whole is a name of at most 63 characters
  std::string stem = name.substr(0, kStemMax);
  while (stem.ends_with('_')) stem.pop_back();
  std::string free = name;
  for (int number = 2; taken.contains(free); ++number) free = fmt::format("{}_{}", stem, number);
  return free;
}

/// Types that values of a column may be taken as.
std::string TypesFor(const postgres::CatalogType& type) {
  std::vector<std::string> types;
  for (const char* brackets : {"", "[]"})
    for (const char* name : {"INTEGER", "BIGINT", "DECIMAL(38,0)", "DOUBLE", "VARCHAR"}) {
      const std::string wanted = std::string(name) + brackets;
      if (postgres::MapTypeAs(type, wanted)) types.push_back(wanted);
    }
  return Join(types, ", ");
}

/// The mapping that `columns: {types}` asks for.
postgres::TypeMapping WantedType(const CatalogTable& table, const CatalogColumn& column,
                                 const config::Located<std::string>& wanted) {
  std::string upper = wanted.value;
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
  try {
    const std::string spelled = lake::DuckType(lake::SchemaOf({{column.name, upper}}).fields[0].type);
    if (auto mapping = postgres::MapTypeAs(column.type, spelled)) return *std::move(mapping);
  } catch (const Error&) {
    // No type of the lake.
  }
  throw Error(kConfig, "LEAT0422", wanted.place,
              fmt::format("column {} of {} is {} and cannot be taken as {}; expected one of {}", column.name,
                          table.name, column.type.formatted, wanted.value, TypesFor(column.type)))
      .Hint(fmt::format("take its exact text by  columns: {{types: {{{}: VARCHAR}}}}  and cast it in a model",
                        YamlName(column.name)));
}

bool IsChosen(const config::ColumnRules& rules, const std::string& column) {
  const auto in = [&](const std::vector<config::Located<std::string>>& globs) {
    return std::any_of(globs.begin(), globs.end(), [&](const auto& glob) { return MatchesGlob(glob.value, column); });
  };
  return (rules.include.empty() || in(rules.include)) && !in(rules.exclude);
}

/// Each column has a name of its own, and none of leat's.
void RefuseNames(const config::StreamRule& rule, const CatalogTable& table, const std::vector<StreamColumn>& columns) {
  std::set<std::string> names;
  for (const StreamColumn& column : columns) names.insert(column.name);
  std::map<std::string, std::string> taken;
  for (const StreamColumn& column : columns) {
    const std::string& origin = column.origin.name;
    if (engine::IsOwnColumn(column.name))
      throw Error(kConfig, "LEAT0413", rule.pattern.place,
                  fmt::format("column \"{}\" of {} has a reserved name; expected one that does not begin with _leat_",
                              origin, table.name))
          .Hint(fmt::format("add  rename: {{{}: {}}}  to the stream", YamlName(origin),
                            FreeName(column.name.substr(1), names)));
    const auto [other, is_new] = taken.emplace(column.name, origin);
    if (!is_new)
      throw Error(kConfig, "LEAT0406", rule.pattern.place,
                  fmt::format("columns \"{}\" and \"{}\" of {} would both be called {}", other->second, origin,
                              table.name, column.name))
          .Hint(fmt::format("add  rename: {{{}: {}}}  to the stream", YamlName(origin), FreeName(column.name, names)));
  }
}

/// The columns a stream carries, in the table's order, with clean names of their own.
std::vector<StreamColumn> ChooseColumns(const config::StreamRule& rule, const CatalogTable& table) {
  std::vector<StreamColumn> chosen;
  for (const CatalogColumn& column : table.columns) {
    if (!IsChosen(rule.columns, column.name)) continue;
    const auto renamed = rule.rename.find(column.name);
    const auto wanted = rule.columns.types.find(column.name);
    chosen.push_back({.origin = column,
                      .name = renamed != rule.rename.end() ? renamed->second.value : CleanName(column.name),
                      .type = wanted != rule.columns.types.end() ? WantedType(table, column, wanted->second)
                                                                 : postgres::MapType(column.type)});
  }
  RefuseNames(rule, table, chosen);
  return chosen;
}

/// LEAT0423: there is nothing to keep in a table of the lake.
Diagnostic WithoutColumns(const PostgresStream& stream) {
  Diagnostic fault{
      .code = "LEAT0423",
      .message = fmt::format("{} has no column to read; a table of the lake has at least one", stream.info.origin),
      .place = stream.rule.pattern.place,
      .help = {fmt::format("leave it out by  {}: {{skip: true}}", YamlName(stream.table.name))}};
  if (!stream.table.columns.empty()) fault.help.push_back("or take a column in by `columns: {include, exclude}`");
  return fault;
}

void RefuseUnreadable(const config::Source& source, const CatalogTable& table, const std::vector<StreamColumn>& columns,
                      const std::string& role) {
  std::vector<std::string> hidden, written;
  for (const StreamColumn& column : columns) {
    if (column.origin.readable) continue;
    hidden.push_back(column.origin.name);
    written.push_back(YamlName(column.origin.name));
  }
  if (hidden.empty()) return;
  const std::string relation = QuoteIdentifier(source.schema) + "." + QuoteIdentifier(table.name);
  if (hidden.size() == columns.size())
    throw Error(kConfig, "LEAT0403", source.connection.place,
                fmt::format("the role may not read {}.{}", source.schema, table.name))
        .Hint(fmt::format("run as its owner:  GRANT SELECT ON {} TO {}", relation, QuoteIdentifier(role)))
        .Hint(fmt::format("or leave the stream out by  {}: {{skip: true}}", YamlName(table.name)));
  throw Error(kConfig, "LEAT0403", source.connection.place,
              fmt::format("the role may not read column {} of {}.{}", Join(hidden, ", "), source.schema, table.name))
      .Hint(fmt::format("run as its owner:  GRANT SELECT ({}) ON {} TO {}", QuoteList(hidden), relation,
                        QuoteIdentifier(role)))
      .Hint(fmt::format("or leave it out by  columns: {{exclude: [{}]}}", Join(written, ", ")));
}

void RefuseMergedKey(const config::StreamRule& rule, const CatalogTable& table, const StreamColumn& column) {
  if (postgres::KeepsApart(column.origin.type, column.type)) return;
  throw Error(kConfig, "LEAT0422", rule.columns.types.at(column.origin.name).place,
              fmt::format("key column {} of {} is {}; as {} two of its values may become one", column.origin.name,
                          table.name, column.origin.type.formatted, column.type.duck_type))
      .Hint("choose DECIMAL(38,0) or VARCHAR, or leave out its type");
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
    RefuseMergedKey(rule, table, *found);
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

void RefuseReservedName(const PostgresStream& stream, const std::string& name) {
  if (!name.starts_with("_leat")) return;
  throw Error(
      kConfig, "LEAT0413", stream.rule.pattern.place,
      fmt::format("table \"{}\" has a reserved name; expected one that does not begin with _leat", stream.table.name))
      .Hint(
          fmt::format("add  rename: {{{}: {}}}  at the top of the file", YamlName(stream.table.name), name.substr(1)));
}

void Fill(PostgresStream& stream, const config::Source& source, const std::string& role) {
  RefuseReservedName(stream, stream.info.name.substr(source.name.size() + 1));
  stream.columns = ChooseColumns(stream.rule, stream.table);
  if (stream.columns.empty()) throw Error(kConfig, WithoutColumns(stream));
  RefuseUnreadable(source, stream.table, stream.columns, role);
  stream.info.key = ChooseKey(stream.rule, stream.table, stream.columns);
  stream.key_is_enforced = IsEnforced(stream);
  for (const StreamColumn& column : stream.columns) stream.info.columns.push_back({column.name, column.type.duck_type});
}

PostgresStream Describe(const config::Source& source, const CatalogTable& table, config::StreamRule rule) {
  PostgresStream stream{.schema = source.schema, .table = table, .rule = std::move(rule)};
  stream.info.name = source.name + "." + (stream.rule.rename_to ? stream.rule.rename_to->value : CleanName(table.name));
  stream.info.origin = source.schema + "." + table.name;
  stream.info.rows_estimate = table.rows_estimate;
  return stream;
}

/// The names that the tables would have without any `rename`.
std::set<std::string> CleanNames(const std::vector<CatalogTable>& tables) {
  std::set<std::string> names;
  for (const CatalogTable& table : tables) names.insert(CleanName(table.name));
  return names;
}

}  // namespace

MatchedStreams MatchStreams(const config::Source& source, const std::vector<CatalogTable>& tables,
                            const std::string& role) {
  RefuseRulesWithoutTable(source, tables);
  RefuseUnknownRenames(source, tables);
  MatchedStreams matched;
  std::map<std::string, std::string> taken;
  for (const CatalogTable& table : tables) {
    std::optional<config::StreamRule> rule = source.RuleFor(table.name);
    if (!rule || rule->skip || !IsNamed(source, table)) continue;
    PostgresStream stream = Describe(source, table, *std::move(rule));
    if (table.columns.empty() && !stream.rule.exact()) {
      matched.warnings.push_back(WithoutColumns(stream));
      matched.warnings.back().severity = Severity::kWarning;
      continue;
    }
    const auto [other, is_new] = taken.emplace(stream.info.name, table.name);
    if (!is_new)
      throw Error(kConfig, "LEAT0406", stream.rule.pattern.place,
                  fmt::format("tables \"{}\" and \"{}\" would both be the stream {}", other->second, table.name,
                              stream.info.name))
          .Hint(fmt::format("add  rename: {{{}: {}}}  at the top of the file", YamlName(table.name),
                            FreeName(CleanName(table.name), CleanNames(tables))));
    try {
      Fill(stream, source, role);
    } catch (const Error& error) {
      stream.info.fault = error.diagnostic();
    }
    matched.streams.push_back(std::move(stream));
  }
  std::vector<Diagnostic> odd = CheckColumnNames(source, matched.streams);
  std::move(odd.begin(), odd.end(), std::back_inserter(matched.warnings));
  std::sort(matched.streams.begin(), matched.streams.end(),
            [](const auto& a, const auto& b) { return a.info.name < b.info.name; });
  return matched;
}

}  // namespace leat::sources
