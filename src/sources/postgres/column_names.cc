#include "sources/postgres/column_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace leat::sources {
namespace {

/// A column that an entry of the project names, or a glob over columns.
struct NamedColumn {
  const char* key;  ///< `columns.exclude`
  std::string name;
  Place place;

  bool is_glob() const { return name.find_first_of("*?") != std::string::npos; }
};

std::vector<NamedColumn> ColumnsNamedBy(const config::StreamRule& entry) {
  std::vector<NamedColumn> named;
  for (const auto& glob : entry.columns.include) named.push_back({"columns.include", glob.value, glob.place});
  for (const auto& glob : entry.columns.exclude) named.push_back({"columns.exclude", glob.value, glob.place});
  for (const auto& [column, type] : entry.columns.types) named.push_back({"columns.types", column, type.place});
  for (const auto& [column, name] : entry.rename) named.push_back({"rename", column, name.place});
  return named;
}

bool HasColumn(const PostgresStream& stream, const NamedColumn& named) {
  const bool is_list =
      named.key == std::string_view("columns.include") || named.key == std::string_view("columns.exclude");
  return std::any_of(stream.table.columns.begin(), stream.table.columns.end(), [&](const CatalogColumn& column) {
    return is_list ? MatchesGlob(named.name, column.name) : named.name == column.name;
  });
}

Diagnostic NoSuchColumn(const NamedColumn& named, const std::string& of, const std::vector<PostgresStream*>& streams) {
  std::vector<std::string> known;
  for (const PostgresStream* stream : streams)
    for (const CatalogColumn& column : stream->table.columns) known.push_back(column.name);
  Diagnostic fault{.code = "LEAT0420",
                   .message = fmt::format("{} names column {}, which {} does not have", named.key, named.name, of),
                   .place = named.place};
  SuggestNearest(fault, named.name, known);
  fault.help.push_back("columns are named as the database spells them; take out one that is gone");
  return fault;
}

Diagnostic NothingMatched(const NamedColumn& named, const std::string& of) {
  return {.severity = Severity::kWarning,
          .code = "LEAT0421",
          .message = fmt::format("{} has the pattern {}, which matches no column of {}", named.key, named.name, of),
          .place = named.place,
          .help = {"mend the pattern or take it out"}};
}

class ColumnNameCheck {
 public:
  explicit ColumnNameCheck(std::vector<PostgresStream>& streams) : streams_(streams) {}

  void Check(const config::StreamRule& entry) {
    std::vector<PostgresStream*> about;
    for (PostgresStream& stream : streams_)
      if (MatchesGlob(entry.pattern.value, stream.table.name)) about.push_back(&stream);
    if (about.empty()) return;
    const std::string of =
        entry.exact() ? entry.pattern.value : fmt::format("any table that \"{}\" stands for", entry.pattern.value);
    for (const NamedColumn& named : ColumnsNamedBy(entry)) {
      if (std::any_of(about.begin(), about.end(), [&](const auto* stream) { return HasColumn(*stream, named); }))
        continue;
      if (named.is_glob())
        warnings.push_back(NothingMatched(named, of));
      else
        Refuse(entry, about, NoSuchColumn(named, of, about));
    }
  }

  std::vector<Diagnostic> warnings;

 private:
  static void Refuse(const config::StreamRule& entry, const std::vector<PostgresStream*>& about, Diagnostic fault) {
    if (!entry.exact()) throw Error(kConfig, std::move(fault));
    std::optional<Diagnostic>& first = about.front()->info.fault;
    // Another fault, of two columns of one name perhaps, may follow from the misspelt name.
    if (!first || first->code != fault.code) first = std::move(fault);
  }

  std::vector<PostgresStream>& streams_;
};

}  // namespace

std::vector<Diagnostic> CheckColumnNames(const config::Source& source, std::vector<PostgresStream>& streams) {
  ColumnNameCheck check(streams);
  check.Check(source.defaults);
  for (const config::StreamRule& entry : source.streams) check.Check(entry);
  return std::move(check.warnings);
}

}  // namespace leat::sources
