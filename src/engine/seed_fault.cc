#include "engine/seed_fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/file_system.h"
#include "core/text.h"

namespace leat::engine {
namespace {

constexpr int kShownCharactersMax = 80;

/// What stands in `text` between the first `before` and the next `after`; empty if it is not there.
std::string Between(const std::string& text, std::string_view before, std::string_view after) {
  const size_t start = text.find(before);
  if (start == std::string::npos) return {};
  const size_t begin = start + before.size();
  return text.substr(begin, text.find(after, begin) - begin);
}

/// `iso_4217` of `seeds.iso_4217`.
std::string OwnName(const config::Seed& seed) { return seed.name.substr(seed.name.find('.') + 1); }

int LineOf(const duck::Fault& fault) {
  const std::string number = Between(fault.message, "CSV Error on Line: ", "\n");
  int line = 0;
  std::from_chars(number.data(), number.data() + number.size(), line);
  return line;
}

Error Refusal(const config::Seed& seed, const Place& place, const std::string& what, std::string hint) {
  return Error(kConfig, "LEAT0212", place, fmt::format("seed {} cannot be read: {}", seed.name, what))
      .Hint(std::move(hint));
}

/// A column of the .yaml that the file has not, or a type that is none.
std::optional<Error> FaultOfTypes(duck::Connection& connection, const config::Seed& seed,
                                  const std::vector<std::string>& columns) {
  for (const auto& [column, type] : seed.types) {
    if (!columns.empty() && std::find(columns.begin(), columns.end(), column) == columns.end()) {
      Error error(kConfig, "LEAT0212", type.place,
                  fmt::format("seed {} has no column \"{}\", which is given a type", seed.name, column));
      return std::move(error).Candidates(NearestNames(column, columns)).Hint("its columns: " + Join(columns, ", "));
    }
    try {
      connection.Execute(fmt::format("SELECT NULL::{}", type.value));
    } catch (const duck::QueryError&) {
      return Error(kConfig, "LEAT0212", type.place, fmt::format("'{}' is not a type of DuckDB", type.value))
          .Hint("for example  amount: \"DECIMAL(9,2)\"");
    }
  }
  return std::nullopt;
}

Error FaultOnLine(const config::Seed& seed, const duck::Fault& fault) {
  const std::string& text = fault.message;
  const Place place{.file = seed.file, .line = LineOf(fault)};
  if (const std::string expected = Between(text, "Expected Number of Columns: ", " "); !expected.empty())
    return Refusal(
        seed, place,
        fmt::format("line {} has {} columns, the first line {}", place.line, Between(text, "Found: ", "\n"), expected),
        "a text that holds a comma stands in quotes: \"Paris, France\"");
  if (text.find("unterminated quote") != std::string::npos)
    return Refusal(seed, place, fmt::format("a quote that begins on line {} is not closed", place.line),
                   "close it; a quote inside of a text is doubled: \"12\"\" wide\"");
  if (text.find("not utf-8") != std::string::npos)
    return Refusal(seed, {.file = seed.file, .line = 1}, "it is not UTF-8", "save the file as UTF-8");
  const std::string column = Between(text, "Error when converting column \"", "\"");
  if (column.empty()) return Refusal(seed, place, Between(text, "\n", "\n  file ="), "mend the line");
  const auto type = seed.types.find(column);
  return Refusal(
      seed, place,
      fmt::format("column {} holds '{}' on line {}; expected {}", column,
                  Shorten(Between(text, "Could not convert string \"", "\" to"), kShownCharactersMax), place.line,
                  type == seed.types.end() ? Between(text, "\" to '", "'") : type->second.value),
      fmt::format("mend the value, or declare another type in seeds/{}.yaml:  columns: {{types: {{{}: VARCHAR}}}}",
                  OwnName(seed), column));
}

}  // namespace

const config::Seed* SeedOf(const config::Project& project, const duck::Fault& fault) {
  if (LineOf(fault) == 0) return nullptr;
  const std::string path = Between(fault.message, "  file = ", "\n");
  for (const config::Seed& seed : project.seeds)
    if (path == JoinPath(project.folder, seed.file)) return &seed;
  return nullptr;
}

Error SeedFault(duck::Database& database, const config::Project& project, const config::Seed& seed,
                const duck::Fault& fault) {
  if (LineOf(fault) > 0) return FaultOnLine(seed, fault);
  duck::Connection connection(database);  // the fault may have ended the transaction of another one
  const std::string dialect = fmt::format("read_csv({}, header = true, delim = ',', quote = '\"', escape = '\"'",
                                          QuoteLiteral(JoinPath(project.folder, seed.file)));
  std::vector<std::string> columns;
  try {
    for (const duck::Column& column :
         connection.Describe(fmt::format("SELECT * FROM {}, ignore_errors = true)", dialect)))
      columns.push_back(column.name);
    if (auto error = FaultOfTypes(connection, seed, columns)) return *error;
    std::string texts;
    for (const std::string& column : columns)
      texts += fmt::format("{}{}: 'VARCHAR'", texts.empty() ? "" : ", ", QuoteLiteral(column));
    // Told what to expect, DuckDB names the line; while it was finding out, it gave up on the file.
    connection.QueryInt64(
        fmt::format("SELECT count(*) FROM {}, auto_detect = false, columns = {{{}}})", dialect, texts));
  } catch (const duck::QueryError& closer) {
    if (LineOf(closer.fault()) > 0) return FaultOnLine(seed, closer.fault());
  }
  return Refusal(seed, {.file = seed.file, .line = 1},
                 Shorten(fault.message.substr(0, fault.message.find('\n')), kShownCharactersMax),
                 fmt::format("mend the file, or declare types in seeds/{}.yaml", OwnName(seed)));
}

}  // namespace leat::engine
