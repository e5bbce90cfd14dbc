#include "models/query_fault.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "engine/seed_fault.h"
#include "models/sql_tokens.h"
#include "models/syntax_tree.h"

namespace leat::models {
namespace {

/// DuckDB lists every overload of a function behind the first sentence; a person needs the sentence.
std::string FirstLine(const std::string& message) { return message.substr(0, message.find('\n')); }

/// The `index`-th text between double quotes.
std::string Quoted(const std::string& message, int index) {
  size_t begin = message.find('"');
  for (int i = 0; i < index * 2 && begin != std::string::npos; ++i) begin = message.find('"', begin + 1);
  if (begin == std::string::npos) return {};
  return message.substr(begin + 1, message.find('"', begin + 1) - begin - 1);
}

bool IsData(const std::string& type) {
  return type == "Conversion" || type == "Out of Range" || type == "Invalid Input" || type == "Mismatch Type";
}

bool IsMachine(const std::string& type) {
  return type == "Out of Memory" || type == "IO" || type == "INTERNAL" || type == "FATAL" || type == "Interrupt";
}

/// A column that a statement names and that is not there.
struct MissingColumn {
  std::string name;
  std::string alias;  ///< of the table it was looked for in; empty: in all of the FROM
};

std::optional<MissingColumn> FindMissingColumn(const duck::Fault& fault) {
  if (fault.subtype == "COLUMN_NOT_FOUND" && !fault.name.empty()) return MissingColumn{fault.name, {}};
  const std::string& text = fault.message;
  // `Table "d" does not …`, `Values list "d" does not …` for a view without rows
  if (text.find("\" does not have a column named") != std::string::npos)
    return MissingColumn{Quoted(text, 1), ToLower(Quoted(text, 0))};
  if (text.starts_with("Column \"") && (text.find("does not exist on") != std::string::npos ||
                                        text.find("not found in FROM clause") != std::string::npos))
    return MissingColumn{Quoted(text, 0), {}};
  return std::nullopt;
}

/// Where the word `name` first stands in the SQL; nothing if it does not.
std::optional<size_t> FindWord(const std::string& text, const std::string& name) {
  for (const Token& token : Tokens(text))
    if (token.kind <= Token::Kind::kQuotedName && token.Name(text) == ToLower(name)) return token.begin;
  return std::nullopt;
}

/// The whole of a dotted name, as written.
std::string NameAt(const std::string& text, size_t position) {
  const size_t last = LastPartOfName(text, position);
  const std::vector<Token> rest = Tokens(std::string_view(text).substr(last));
  return rest.empty() ? std::string() : text.substr(position, last + rest.front().end - position);
}

class Explainer {
 public:
  Explainer(engine::Engine& engine, const duck::Fault& fault, const SqlSource& source)
      : engine_(engine), fault_(fault), source_(source) {}

  Error Column(const MissingColumn& missing) {
    const std::vector<FromEntry> tables = TablesAround(missing.alias);
    std::vector<std::string> names, columns;
    for (const FromEntry& entry : tables) {
      names.push_back(entry.table);
      for (const duck::Column& column : ColumnsOf(entry.table)) columns.push_back(column.name);
    }
    Diagnostic diagnostic{.code = "LEAT0203"};
    const std::string where =
        names.empty() ? (missing.alias.empty() ? "the tables of FROM" : missing.alias) : Join(names, " or ");
    diagnostic.message = fmt::format("column \"{}\" does not exist in {}", missing.name, where);
    diagnostic.label = "not in " + where;
    diagnostic.place = PlaceOfColumn(missing.name);
    SuggestNearest(diagnostic, missing.name, columns.empty() ? CandidatesFromMessage() : columns);
    if (names.size() == 1) {
      if (diagnostic.help.empty())
        diagnostic.help.push_back(fmt::format("its columns: {}", Shorten(Join(columns, ", "), 200)));
      diagnostic.notes.push_back(
          fmt::format("{} has {} columns:  leat preview {}", names[0], columns.size(),
                      names[0].ends_with(engine::kAtSuffix) ? engine::CurrentName(names[0]) : names[0]));
    }
    if (diagnostic.help.empty())
      diagnostic.help.push_back("a column must come from a table or subquery of the same FROM");
    return Error(kConfig, std::move(diagnostic));
  }

  Error Table(const std::string& table) {
    Diagnostic diagnostic{.code = "LEAT0204", .message = fmt::format("table {} does not exist", table)};
    if (fault_.position) diagnostic.place = PlaceOfToken(source_.file, source_.text, *fault_.position);
    SuggestNearest(diagnostic, table, engine_.Names());
    if (diagnostic.help.empty()) diagnostic.help.push_back("`leat status --all` lists the tables of this project");
    return Error(kConfig, std::move(diagnostic));
  }

 private:
  std::vector<FromEntry> TablesAround(const std::string& alias) {
    std::vector<FromEntry> tables;
    if (!fault_.position) return tables;
    const Json query = ParseSelect(engine_.connection(), source_);
    for (const FromEntry& entry : FromAround(query, *fault_.position))
      if ((alias.empty() || entry.alias == alias) && !ColumnsOf(entry.table).empty()) tables.push_back(entry);
    return tables;
  }

  /// None for subqueries and CTEs, and for what the statement names wrongly. A table may be bound without being loaded.
  std::vector<duck::Column> ColumnsOf(const std::string& table) {
    if (table.find('.') == std::string::npos) return {};
    const bool is_at_moment = table.ends_with(engine::kAtSuffix);
    const std::string name = is_at_moment ? table.substr(0, table.find('(')) : table;
    try {
      return engine_.connection().Describe(
          fmt::format("SELECT * FROM {}{}", engine::SqlName(engine::ParseName(name)), is_at_moment ? "(NULL)" : ""));
    } catch (const duck::QueryError&) {
      return {};
    }
  }

  Place PlaceOfColumn(const std::string& name) const {
    const std::optional<size_t> start = fault_.position ? fault_.position : FindWord(source_.text, name);
    if (!start) return Place{.file = source_.file};
    return PlaceOfToken(source_.file, source_.text, LastPartOfName(source_.text, *start));
  }

  std::vector<std::string> CandidatesFromMessage() const {
    if (!fault_.candidates.empty()) return fault_.candidates;
    std::vector<std::string> names;
    const size_t list = fault_.message.find("Candidate");
    if (list == std::string::npos) return names;
    const std::string tail = fault_.message.substr(list);
    for (int i = 0; !Quoted(tail, i).empty() && i < 20; ++i) names.push_back(Quoted(tail, i));
    return names;
  }

  engine::Engine& engine_;
  const duck::Fault& fault_;
  const SqlSource& source_;
};

std::string HelpFor(const duck::Fault& fault) {
  if (IsData(fault.type)) return "`try_cast` gives NULL instead; a check with `severity: reject` sets such rows aside";
  if (fault.message.starts_with("Ambiguous reference")) return "write the table's alias before the column";
  if (fault.message.starts_with("Referenced table")) return "use the alias that FROM gives the table";
  if (fault.message.starts_with("No function matches")) return "cast the values: value::INTEGER, value::DATE";
  if (fault.message.find("must appear in the GROUP BY") != std::string::npos)
    return "`GROUP BY ALL` groups by every column that is not aggregated";
  if (fault.name.empty() || fault.candidates.empty()) return "models are written in DuckDB's SQL";
  return fmt::format("did you mean {}?", fault.candidates.front());
}

}  // namespace

Error UnboundError(const duck::Fault& fault, const SqlSource& source, size_t begin) {
  if (IsMachine(fault.type)) {
    duck::QueryError error({.type = fault.type, .message = FirstLine(fault.message)});
    error.SetPlace(Place{.file = source.file});
    return error;
  }
  Diagnostic diagnostic{.code = "LEAT0213", .message = FirstLine(fault.message)};
  if (fault.type == "Parser") diagnostic.code = "LEAT0201";
  if (IsData(fault.type)) diagnostic.code = "LEAT0221";
  diagnostic.place.file = source.file;
  // DuckDB's parser counts characters, its binder bytes.
  const auto byte = [&](size_t position) {
    return fault.type == "Parser" ? ByteOfCharacter(std::string_view(source.text).substr(begin), position) : position;
  };
  if (fault.position) diagnostic.place = PlaceOfToken(source.file, source.text, begin + byte(*fault.position));
  diagnostic.help.push_back(HelpFor(fault));
  return Error(IsData(fault.type) ? kData : kConfig, std::move(diagnostic));
}

Error ExplainFault(engine::Engine& engine, const duck::QueryError& error, const std::string& file,
                   const std::string& text) {
  const duck::Fault& fault = error.fault();
  if (const config::Seed* seed = engine::SeedOf(engine.project(), fault))
    return engine::SeedFault(engine.database(), engine.project(), *seed, fault);
  const SqlSource source{file, text};
  Explainer explainer(engine, fault, source);
  if (const auto missing = FindMissingColumn(fault)) return explainer.Column(*missing);
  const bool is_table = fault.type == "Catalog" && fault.message.starts_with("Table with name");
  if (is_table) return explainer.Table(fault.position ? NameAt(text, *fault.position) : fault.name);
  return UnboundError(fault, source, 0);
}

}  // namespace leat::models
