#include "cli/man_page.h"

#include <fmt/format.h>

#include <array>

#include "cli/command_line.h"
#include "cli/exit_code.h"
#include "config/environment.h"
#include "config/fields.h"
#include "core/text.h"

namespace leat::cli {
namespace {

struct Entry {
  const char* name;
  const char* text;
};

constexpr std::array kVariables = {
    Entry{"LEAT_TARGET", "The target to use where --target names none."},
    Entry{"PGHOST, PGPORT, PGUSER, PGPASSWORD, PGSSLMODE, PGSERVICEFILE, PGPASSFILE ...",
          "What libpq reads; they count where leat.yaml says nothing."},
    Entry{"CREDENTIALS_DIRECTORY", "Folder of the files NAME.password, as systemd gives it to a service."},
    Entry{"NO_COLOR", "Set to anything: no colour, and nothing is redrawn."},
    Entry{"TERM", "Without it, or where it is dumb: the same."},
    Entry{"COLUMNS", "Width to write for, instead of the terminal's."},
    Entry{"LC_ALL, LC_CTYPE, LANG", "Where they name no UTF-8, signs and boxes are ASCII."},
    Entry{"PAGER", "Program that shows long answers on a terminal."},
    Entry{"XDG_STATE_HOME", "Where notes about internal errors go: leat/ in it, or in ~/.local/state."},
};

constexpr std::array kFiles = {
    Entry{"leat.yaml", "The project: its name, its connections, its warehouse. leat looks for it here and above."},
    Entry{"sources/NAME.yaml", "A source: which tables of a connection are read, and how."},
    Entry{"models/FOLDER/NAME.sql", "A model: one SELECT, which becomes the table FOLDER.NAME."},
    Entry{"seeds/NAME.csv", "A small table that is kept with the project."},
    Entry{"macros/*.sql", "CREATE MACRO statements that models may use."},
    Entry{"checks/NAME.sql", "A query that must return no rows."},
    Entry{"lake/", "The tables, in Apache Iceberg's format."},
    Entry{".leat/state.db", "What leat knows of them: runs, positions, the lake's catalog. An SQLite database."},
    Entry{".leat/logs/run-N.jsonl", "The log of run N."},
    Entry{"~/.pgpass", "Passwords, one line a server: host:port:database:user:password, mode 0600."},
};

/// A text as roff reads it: nothing in it is a request.
std::string Escaped(std::string_view text) {
  std::string escaped;
  bool at_start = true;
  for (const char c : text) {
    if (at_start && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '\\')
      escaped += "\\e";
    else if (c == '-')
      escaped += "\\-";
    else
      escaped += c;
    at_start = c == '\n';
  }
  return escaped;
}

std::string ManSection(std::string_view title) { return fmt::format(".SH {}\n", title); }

std::string Tagged(const std::string& tag, const std::string& text) {
  return fmt::format(".TP\n\\fB{}\\fR\n{}\n", Escaped(tag), Escaped(text));
}

/// Lines that stay as they are.
std::string Literal(const std::string& lines) { return fmt::format(".PP\n.nf\n.RS\n{}.RE\n.fi\n", Escaped(lines)); }

/// Lines that are filled anew; an empty one parts paragraphs.
std::string Paragraphs(const std::string& lines) {
  std::string text = ".PP\n";
  for (const std::string& line : Split(lines, '\n')) {
    const std::string_view words = Trim(line);
    text += words.empty() ? (text.ends_with(".PP\n") ? "" : ".PP\n") : Escaped(words) + "\n";
  }
  if (text.ends_with(".PP\n")) text.resize(text.size() - 4);
  return text;
}

std::string WithoutIndent(const std::string& lines) {
  std::string text;
  for (const std::string& line : Split(lines, '\n'))
    if (!line.empty()) text += line.substr(std::min(line.find_first_not_of(' '), size_t{2})) + "\n";
  return text;
}

std::string FlagEntry(const FlagInfo& flag) {
  return Tagged(Join(flag.names, ", ") + (flag.value.empty() ? "" : " " + flag.value), flag.text);
}

std::string CommandSection(const CommandInfo& command) {
  std::string text = fmt::format(".SS \"leat {} {}\"\n", command.name, Escaped(command.arguments));
  text += Escaped(command.summary) + "\n" + Literal(WithoutIndent(command.examples));
  if (!command.details.empty()) text += Paragraphs(command.details);
  for (const FlagInfo& flag : command.flags) text += FlagEntry(flag);
  return text;
}

/// The variables that win over values of leat.yaml, from the declarations of its keys.
std::string FieldVariables(const config::Section& section, const std::string& path) {
  std::string text;
  for (const config::Field* field : section.AllFields()) {
    const std::string name = path + std::string(field->name);
    const bool is_map = field->shape == config::FieldShape::kMap;
    const bool is_section = field->type == config::FieldType::kSection;
    if (is_section && field->section->overlay) continue;  // the environment wins over every target
    if (is_section)
      text += FieldVariables(*field->section, name + (is_map ? ".<NAME>." : "."));
    else if (!is_map && field->shape != config::FieldShape::kMapOfLists)
      text += Tagged(config::VariableName(name), std::string(field->text));
  }
  return text;
}

template <size_t N>
std::string EntriesText(const std::array<Entry, N>& entries) {
  std::string text;
  for (const Entry& entry : entries) text += Tagged(entry.name, entry.text);
  return text;
}

}  // namespace

std::string FormatManPage() {
  std::string page = fmt::format(".TH LEAT 1 \"\" \"leat {}\" \"leat\"\n", LEAT_VERSION);
  page += ManSection("NAME") + "leat \\- carry data from PostgreSQL through a lake and SQL models to a warehouse\n";
  page +=
      ManSection("SYNOPSIS") + ".B leat\n.I COMMAND\n[arguments] [flags]\n.br\n.B leat\n.I COMMAND\n.B \\-\\-help\n";
  page +=
      ManSection("DESCRIPTION") +
      "A project is a folder of text files. Sources say which tables of which databases are read, models are SELECT\n"
      "statements over what was read, checks are rules about rows. A run reads what changed, builds what depends on\n"
      "it, checks the rows, and loads them into the warehouse.\n";
  page += ManSection("COMMANDS");
  for (const CommandInfo& command : CommandInfos()) page += CommandSection(command);
  page += ManSection("\"FLAGS OF EVERY COMMAND\"") + "They may stand anywhere in the line.\n";
  for (const FlagInfo& flag : GlobalFlags()) page += FlagEntry(flag);
  page += ManSection("\"EXIT STATUS\"");
  for (const ExitCodeMeaning& code : ExitCodeMeanings()) page += Tagged(std::to_string(code.code), code.meaning);
  page += ManSection("ENVIRONMENT") + FieldVariables(config::kProjectSection, "") + EntriesText(kVariables);
  page += ManSection("FILES") + EntriesText(kFiles);
  page +=
      ManSection("\"SEE ALSO\"") + "Each message has a code;\n.B leat explain\n.I CODE\ntells more.\n.BR psql (1)\n";
  return page;
}

}  // namespace leat::cli
