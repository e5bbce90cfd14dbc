#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace leat::cli {

enum class LogFormat { kText, kJson };
enum class Loudness { kQuiet, kNormal, kVerbose };

/// What was typed, checked as far as that needs no file and no database.
struct CommandLine {
  std::string command;  ///< `run`; empty with --help or --version alone
  bool help = false;
  bool version = false;

  // Flags of every command.
  std::string folder;  ///< -C; empty: here
  std::string select;  ///< all selections, parted by blanks
  std::string exclude;
  std::optional<int> threads;
  std::chrono::milliseconds wait{0};  ///< for a lease that another run holds
  bool json = false;
  bool all = false;  ///< leave nothing out: healthy tables, every diagnostic
  bool colour = true;
  Loudness loudness = Loudness::kNormal;
  LogFormat log_format = LogFormat::kText;

  // init
  std::string directory = ".";
  std::string template_name;
  std::optional<std::string> source_url;
  std::optional<std::string> warehouse_url;

  bool fast = false;           // validate
  bool full_refresh = false;   // plan, run
  bool from_landing = false;   // run
  bool dry_run = false;        ///< run: show the plan, and do nothing
  std::string apply;           ///< run: a saved plan
  std::string action;          ///< runs: list, show, logs; state: show, reset; connections: list, test, discover
  std::optional<int64_t> run;  ///< retry, runs: its number; nothing: the last
  std::string table;           ///< runs logs: only lines about this one
  std::string confirm;         ///< state reset: the table's name
  std::string subject;     ///< preview: table or file; query: the SQL or `-`; explain: the code; state: the table or
                           ///< empty; lineage: a table or column; connections: a name or empty; schema: a kind of file
  int rows = 20;           ///< preview: rows; runs list: runs
  bool origin = false;     ///< config: which place gave each value
  bool write = false;      ///< schema: into .leat/schema
  std::string target;      ///< -t: the named set of values; empty: LEAT_TARGET, else none
  bool exit_code = false;  ///< plan: 4 where changes are pending; status: 1 where a table is late or failing
  std::string junit;       ///< run, check: a file for the results, as JUnit XML
  bool dot = false;        ///< lineage: as a graph for Graphviz
  std::string format;      ///< preview, query: table, csv, json; empty: by the ending of `output`, else by the stream
  std::string output;      ///< preview, query, plan: a file; `-`: standard output
};

/// Read the words after the program's name.
/// Throws: Error(kConfig, LEAT0190) for an unknown command or flag, naming the nearest one, and for missing or bad
/// values.
CommandLine ParseCommandLine(const std::vector<std::string>& words);

/// The help of `command` without the flags that all commands have.
std::string OwnHelpText(const std::string& command);
/// A flag as it is declared: what help, completion and the manual say of it.
struct FlagInfo {
  std::vector<std::string> names;    ///< `-n`, `--rows`, the long one last
  std::string value;                 ///< the noun of its value, `N` or `FILE`; empty: it takes none
  std::string text;                  ///< one sentence
  std::vector<std::string> choices;  ///< the words its value may be; empty: any
};

/// A command as it is declared.
struct CommandInfo {
  std::string name;
  std::string arguments;  ///< as in a line of usage: words to type in lower case, nouns in capitals
  std::string summary;
  std::string examples;  ///< whole lines
  std::string details;   ///< paragraphs; may be empty
  std::vector<FlagInfo> flags;
};

/// Every command, in the order of the help.
std::vector<CommandInfo> CommandInfos();
/// The flags of every command.
std::vector<FlagInfo> GlobalFlags();

/// The help of `command`, or of the whole program if it is empty; at most 80 columns wide.
std::string HelpText(const std::string& command);

}  // namespace leat::cli
