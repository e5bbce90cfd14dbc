#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <memory>

#include "cli/exit_code.h"
#include "config/fields.h"
#include "config/scalars.h"
#include "core/error.h"
#include "core/text.h"

namespace leat::cli {
namespace {

constexpr int kThreadsMax = 256;
constexpr int kHelpWidth = 80;
constexpr int kFlagColumn = 28;

/// A command as its help shows it; its flags are declared in `Parser`.
struct Command {
  const char* name;
  const char* arguments;
  const char* summary;
  const char* examples;  ///< whole lines
  const char* details;   ///< paragraphs after the examples; may be empty
};

constexpr std::array kCommands = {
    Command{"init", "[DIR] --template NAME [--source URL] [--warehouse URL]", "start a new project",
            "  leat init --template empty crm\n"
            "  leat init --template shop demo --source postgresql://reader@db/totesys \\\n"
            "       --warehouse postgresql://loader@db/warehouse\n",
            "  DIR (default: here) must be empty or absent. Passwords do not belong into a\n"
            "  URL: they are looked for in ~/.pgpass, PGPASSWORD and elsewhere.\n"},
    Command{"connections", "[list|test|discover] [NAME]",
            "where settings come from, whether servers answer, what is in them",
            "  leat connections\n"
            "  leat connections test crm\n"
            "  leat connections discover crm\n",
            "  test without NAME tries all of them at the same time; exit code 3 if one does\n"
            "  not answer, 1 if one answers but what uses it lacks rights.\n"},
    Command{"validate", "[--fast]", "check every file, reading no row",
            "  leat validate\n"
            "  leat validate --fast    connect to nothing\n",
            ""},
    Command{"plan", "[SELECT...] [--exit-code] [-o FILE]", "what a run would change, writing nothing",
            "  leat plan\n"
            "  leat plan +mart.fact_payment --exit-code    4 where changes are pending\n"
            "  leat plan -o plan.json                      for  leat run --apply plan.json\n",
            "  SELECT as for run. Rows that wait at a source are no change: after a run the\n"
            "  plan is empty. Definitions are compared: those of the project, of the sources'\n"
            "  tables, and of the tables in the warehouse.\n"},
    Command{"run", "[SELECT...] [--full-refresh] [--apply FILE]", "read what changed, build, check, load",
            "  leat run                            everything\n"
            "  leat run +mart.fact_payment         one table and what it needs\n"
            "  leat run source:crm+ --exclude tag:monthly\n"
            "  leat run --apply plan.json          what  leat plan -o plan.json  has shown\n"
            "  leat run mart.dim_staff --full-refresh\n",
            "  SELECT is a table (mart.dim_staff, mart.*) or one of source:NAME, tag:NAME,\n"
            "  kind:NAME, path:FOLDER. +x adds what x needs, x+ what needs x, 2+x two levels.\n"
            "  Blank means or, comma means and.\n"},
    Command{"retry", "[RUN]", "only what failed or was skipped, in the last run or in RUN",
            "  leat retry\n"
            "  leat retry 41\n"
            "  leat retry --wait 5m    let a run that is at work end first\n",
            "  Of a run that crashed or was stopped also what it never got to. What is read\n"
            "  is read at a new moment: its rows may be newer than those of the first run.\n"},
    Command{"check", "[SELECT...]", "judge the rows as published, reading no source",
            "  leat check\n"
            "  leat check mart.dim_staff\n"
            "  leat check tag:monthly --json\n",
            "  SELECT as for run. Nothing is built or published; exit code 1 if a check with\n"
            "  severity error fails or data is older than its error_after.\n"},
    Command{"status", "[--all] [--exit-code]", "the state of every table",
            "  leat status\n"
            "  leat status --all        healthy tables too\n"
            "  leat status --exit-code  for scripts: 1 if a table needs attention\n",
            ""},
    Command{"lineage", "TABLE[.COLUMN] [--dot]", "where a table or a column comes from, and what uses it",
            "  leat lineage mart.fact_payment\n"
            "  leat lineage mart.fact_payment.payment_amount\n"
            "  leat lineage mart.fact_payment --dot | dot -Tsvg > lineage.svg\n",
            "  A dashed branch only decides which rows or values there are: a join, a\n"
            "  condition, a group, an order. Connects to nothing; columns of a stream are\n"
            "  known after its first run.\n"},
    Command{"runs", "[list|show|logs] [RUN] [-n 20] [--table TABLE]", "what ran: a list, the steps of a run, its log",
            "  leat runs                                 the last 20\n"
            "  leat runs 42                              its steps, as  leat runs show 42\n"
            "  leat runs logs 42 --table mart.dim_staff\n"
            "  leat runs logs --json                     the last run's log, as it is kept\n",
            "  Without RUN, show and logs are about the last one.\n"},
    Command{"state", "show [TABLE] | reset TABLE [--confirm TABLE]", "how far streams were read, and forgetting it",
            "  leat state show\n"
            "  leat state show crm.customer --json\n"
            "  leat state reset crm.customer    the next run compares all of it\n"
            "  leat state reset mart.dim_staff  the next run builds it anew\n",
            "  No row and no version is lost by a reset. It asks for the table's name; off a\n"
            "  terminal  --confirm TABLE  gives it.\n"},
    Command{"preview", "TABLE|FILE.sql [-n 20] [--format F] [-o FILE]", "the first rows of a table or a query's file",
            "  leat preview mart.dim_staff\n"
            "  leat preview models/mart/dim_staff.sql -n 5\n"
            "  leat preview mart.dim_staff -n 100000 -o staff.csv\n",
            ""},
    Command{"query", "SQL|- [--format F] [-o FILE]", "the rows of one SELECT over the lake, read-only",
            "  leat query \"SELECT count(*) FROM mart.fact_payment\"\n"
            "  leat query - --format csv < question.sql\n"
            "  leat query \"FROM mart.dim_date\" -o dates.json\n",
            ""},
    Command{"config", "[--origin]", "the effective settings, and which place gave each",
            "  leat config\n"
            "  leat config --origin --target prod\n",
            "  Values come from flags, then the environment (LEAT_LAKE, ...), then the target,\n"
            "  then leat.yaml, then defaults. Of secrets only the place is shown.\n"},
    Command{"schema", "[KIND] [--write]", "JSON Schema of the project's files, for editors",
            "  leat schema --write    all kinds, into .leat/schema\n"
            "  leat schema source     that of sources/*.yaml\n",
            "  KIND is project (the default), source, sql_model, model, check, seed\n"
            "  or schema_yml.\n"},
    Command{"doctor", "", "what of this machine and project would make a run fail", "  leat doctor\n", ""},
    Command{"completion", "bash|zsh|fish", "completion of commands, flags and tables for a shell",
            "  source <(leat completion bash)\n", ""},
    Command{"man", "", "the manual as a man page", "  leat man | man -l -\n", ""},
    Command{"explain", "CODE", "what an error means and how to mend it",
            "  leat explain LEAT0203\n"
            "  leat explain 203\n",
            ""},
};

constexpr std::string_view kMainExamples =
    "  leat init --template shop demo --source postgresql://reader@db/totesys\n"
    "  leat run                       read what changed, build, check, load\n"
    "  leat run +mart.fact_payment    only one table and what it needs\n"
    "  leat retry                     only what failed the last time\n"
    "  leat status                    the state of every table\n"
    "  leat query \"SELECT ...\"        any question to the lake\n";

constexpr const char* kGlobalGroup = "Flags of every command, anywhere in the line";
constexpr const char* kGlobalHint = "Flags of every command, as -C DIR, --json, -q and -v:  leat --help\n";
constexpr const char* kOwnGroup = "Flags";

const Command* FindCommand(const std::string& name) {
  for (const Command& command : kCommands)
    if (command.name == name) return &command;
  return nullptr;
}

Error UsageError(const std::string& message, const std::string& command) {
  return Error(kConfig, "LEAT0190", message)
      .Hint(command.empty() ? "leat --help lists the commands"
                            : fmt::format("leat {} --help lists what it takes", command));
}

/// "; did you mean x?", or nothing.
std::string DidYouMean(const std::string& word, const std::vector<std::string>& known) {
  const std::vector<std::string> near = NearestNames(word, known);
  return near.empty() ? "" : fmt::format("; did you mean {}?", near.front());
}

/// The words that a flag takes as its value, or an argument; none: it takes any.
std::vector<std::string> ChoicesOf(const std::string& flag) {
  if (flag == "--format") return {"table", "csv", "json"};
  if (flag == "--log-format") return {"text", "json"};
  if (flag == "--template") return {"shop", "billing", "empty"};
  if (flag == "SHELL") return {"bash", "zsh", "fish"};
  if (flag == "KIND") {
    std::vector<std::string> kinds;
    for (const config::FileKind& kind : config::FileKinds()) kinds.emplace_back(kind.name);
    return kinds;
  }
  return {};
}

std::vector<std::string> CommandNames() {
  std::vector<std::string> names;
  names.reserve(kCommands.size());
  for (const Command& command : kCommands) names.emplace_back(command.name);
  return names;
}

/// The one declaration of every flag: CLI11 reads by it, the help is printed from it.
class Parser {
 public:
  Parser() : app_("", "leat") {
    app_.set_help_flag();
    app_.require_subcommand(0, 1);
    app_.allow_extras();
    AddGlobalFlags();
    for (const Command& command : kCommands) {
      CLI::App* sub = app_.add_subcommand(command.name);
      sub->set_help_flag();
      sub->fallthrough();
      AddOwnFlags(*sub);
    }
  }

  CommandLine Parse(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());  // as CLI11 wants them
    try {
      app_.parse(std::move(words));
    } catch (const CLI::ArgumentMismatch& error) {
      const std::string text = error.what();
      throw UsageError(fmt::format("{} needs a value", text.substr(0, text.find(':'))), CommandName());
    } catch (const CLI::ParseError& error) {
      throw UsageError(error.what(), CommandName());
    }
    line_.command = CommandName();
    if (line_.help && line_.command.empty()) RefuseUnknownCommand();
    if (!line_.help && !line_.version) Check();
    return std::move(line_);
  }

  const CLI::App* FindApp(const std::string& command) const {
    return command.empty() ? &app_ : app_.get_subcommand(command);
  }

 private:
  static CLI::Option* Describe(CLI::Option* option, const char* group, const char* value = "") {
    if (option->get_expected_max() > 0) option->type_name(value)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    return option->group(group);
  }

  void AddGlobalFlags() {
    Describe(app_.add_option("-C", line_.folder, "work as if started in DIR"), kGlobalGroup, "DIR");
    Describe(
        app_.add_option("-t,--target", line_.target, "the entry of targets to use (default: LEAT_TARGET, else none)"),
        kGlobalGroup, "TARGET");
    Describe(app_.add_option("-j,--threads", threads_, "threads (default: the project's limits, else all cores)"),
             kGlobalGroup, "N");
    Describe(app_.add_option("--wait", wait_, "how long to wait for a run that holds what is needed: 30s 5m 2h"),
             kGlobalGroup, "TIME");
    Describe(app_.add_flag("--json", line_.json, "the answer as one JSON document"), kGlobalGroup);
    Describe(app_.add_flag("--all", line_.all, "leave nothing out: healthy tables, every diagnostic"), kGlobalGroup);
    Describe(app_.add_flag("-q,--quiet", quiet_, "no progress, only the answer and what is wrong"), kGlobalGroup);
    Describe(app_.add_flag("-v,--verbose", verbose_, "show every step, unchanged ones too"), kGlobalGroup);
    Describe(app_.add_flag("--no-color", no_colour_, "no colour, nothing redrawn (so does NO_COLOR)"), kGlobalGroup);
    Describe(app_.add_option("--log-format", log_format_, "progress lines off a terminal: text (default) or json"),
             kGlobalGroup, "F");
    Describe(app_.add_flag("-h,--help", line_.help, "this help; after a command, its own"), kGlobalGroup);
    Describe(app_.add_flag("--version", line_.version, "versions of leat and of DuckDB"), kGlobalGroup);
    // One value each time, so that a selection does not swallow the words after it.
    app_.add_option("-s,--select", select_, "tables to plan, run or check, as the arguments of run")
        ->group(kGlobalGroup)
        ->type_name("SELECT")
        ->allow_extra_args(false);
    app_.add_option("--exclude", exclude_, "tables that plan, run or check leaves out")
        ->group(kGlobalGroup)
        ->type_name("SELECT")
        ->allow_extra_args(false);
  }

  void AddOwnFlags(CLI::App& sub) {
    const std::string name = sub.get_name();
    if (name == "init") AddInitFlags(sub);
    if (name == "validate") Describe(sub.add_flag("--fast", line_.fast, "connect to nothing"), kOwnGroup);
    if (name == "explain" || name == "preview" || name == "query" || name == "completion")
      sub.add_option("subject", line_.subject)->group("");
    if (name == "lineage") AddLineageFlags(sub);
    if (name == "preview") Describe(sub.add_option("-n,--rows", rows_, "how many rows (default: 20)"), kOwnGroup, "N");
    if (name == "preview" || name == "query") AddRowFlags(sub);
    if (name == "retry" || name == "runs" || name == "state" || name == "connections" || name == "schema")
      sub.add_option("words", words_)->group("");
    if (name == "config") Describe(sub.add_flag("--origin", line_.origin, "name the place of each value"), kOwnGroup);
    if (name == "schema")
      Describe(sub.add_flag("--write", line_.write, "write the schemas of all kinds into .leat/schema"), kOwnGroup);
    if (name == "runs") {
      Describe(sub.add_option("-n,--rows", rows_, "list: how many runs (default: 20)"), kOwnGroup, "N");
      Describe(sub.add_option("--table", line_.table, "logs: only lines about this table"), kOwnGroup, "TABLE");
    }
    if (name == "state")
      Describe(sub.add_option("--confirm", line_.confirm, "reset: the table's name, instead of the question"),
               kOwnGroup, "TABLE");
    if (name == "run" || name == "check" || name == "plan") sub.add_option("tables", tables_)->group("");
    if (name == "run" || name == "check")
      Describe(sub.add_option("--junit", line_.junit, "write the results as JUnit XML too, for CI"), kOwnGroup, "FILE");
    if (name == "status")
      Describe(sub.add_flag("--exit-code", line_.exit_code, "1 if a table is failing, late or unknown"), kOwnGroup);
    if (name == "run" || name == "plan") {
      Describe(sub.add_flag("--full-refresh", line_.full_refresh,
                            "read sources from the start and rebuild models; no version of a row is lost"),
               kOwnGroup);
    }
    if (name == "run") AddRunFlags(sub);
    if (name == "plan") AddPlanFlags(sub);
  }

  void AddRunFlags(CLI::App& sub) {
    Describe(sub.add_flag("--from-landing", line_.from_landing,
                          "make streams of APIs anew from all that they ever answered, asking no server"),
             kOwnGroup);
    Describe(sub.add_flag("--dry-run", line_.dry_run, "show what  leat plan  shows, and do nothing"), kOwnGroup);
    Describe(sub.add_option("--apply", line_.apply, "run what a saved plan shows, if it is still true"), kOwnGroup,
             "FILE");
  }

  void AddPlanFlags(CLI::App& sub) {
    Describe(sub.add_flag("--exit-code", line_.exit_code, "exit code 4 where changes are pending"), kOwnGroup);
    Describe(sub.add_option("-o,--output", line_.output, "save the plan as JSON; - is standard output"), kOwnGroup,
             "FILE");
  }

  void AddInitFlags(CLI::App& sub) {
    sub.add_option("directory", line_.directory)->group("");
    Describe(sub.add_option("--template", line_.template_name,
                            "shop: sales, purchases and payments as star schemas; billing: subscriptions and invoices "
                            "of an API, now and "
                            "month by month in EUR; empty: a leat.yaml to begin with, over any database"),
             kOwnGroup, "NAME");
    Describe(sub.add_option("--source", line_.source_url,
                            "database to read: postgresql://user@host:port/name; of billing, an API that "
                            "stands for the real ones: http://host:port"),
             kOwnGroup, "URL");
    Describe(sub.add_option("--warehouse", line_.warehouse_url,
                            "database to load the finished tables into (default: the lake is the warehouse)"),
             kOwnGroup, "URL");
  }

  void AddLineageFlags(CLI::App& sub) {
    sub.add_option("subject", line_.subject)->group("");
    Describe(sub.add_flag("--dot", line_.dot, "as a graph for Graphviz"), kOwnGroup);
  }

  void AddRowFlags(CLI::App& sub) {
    Describe(sub.add_option(
                 "--format", line_.format,
                 "table, csv or json (default: by the ending of FILE; else a table on a terminal, csv in a pipe)"),
             kOwnGroup, "F");
    Describe(sub.add_option("-o,--output", line_.output, "write to a file; - is standard output"), kOwnGroup, "FILE");
  }

  std::string CommandName() const {
    const auto subcommands = app_.get_subcommands();
    return subcommands.empty() ? "" : subcommands.front()->get_name();
  }

  void Check() {
    RefuseExtras();
    if (line_.command.empty()) throw UsageError("no command was given", "");
    line_.threads = Number(threads_, "--threads", 1, kThreadsMax);
    line_.rows = Number(rows_, "--rows", 1, 1'000'000'000).value_or(line_.rows);
    line_.log_format = OneOf(log_format_, "--log-format") == "json" ? LogFormat::kJson : LogFormat::kText;
    OneOf(line_.format, "--format");
    OneOf(line_.template_name, "--template");
    line_.loudness = quiet_ ? Loudness::kQuiet : verbose_ ? Loudness::kVerbose : Loudness::kNormal;
    line_.colour = !no_colour_;
    tables_.insert(tables_.end(), select_.begin(), select_.end());
    line_.select = Join(tables_, " ");
    line_.exclude = Join(exclude_, " ");
    line_.wait = Duration(wait_, "--wait");
    if (line_.command == "retry") TakeRun(words_);
    if (line_.command == "runs") TakeWordsOfRuns();
    if (line_.command == "state") TakeWordsOfState();
    if (line_.command == "connections") TakeWordsOfConnections();
    if (line_.command == "schema") TakeKindOfFile();
    CheckMeaning();
  }

  /// Take the number of a run, the only word left.
  void TakeRun(const std::vector<std::string>& words) {
    if (words.empty()) return;
    if (words.size() > 1)
      throw UsageError(fmt::format("leat {} does not take '{}'", line_.command, words[1]), line_.command);
    line_.run = Number(words[0], "RUN", 1, std::numeric_limits<int>::max());
  }

  /// Take the first word as what to do, if it is one of `known`; the others stay.
  std::vector<std::string> TakeAction(const std::vector<std::string>& known) {
    if (words_.empty()) return {};
    const std::string& first = words_.front();
    if (std::find(known.begin(), known.end(), first) == known.end())
      throw UsageError(fmt::format("leat {} does not know '{}'; expected {}{}", line_.command, first,
                                   Join(known, " or "), DidYouMean(first, known)),
                       line_.command);
    line_.action = first;
    return {words_.begin() + 1, words_.end()};
  }

  void TakeWordsOfRuns() {
    const bool is_number = !words_.empty() && words_[0].find_first_not_of("0123456789") == std::string::npos;
    line_.action = is_number ? "show" : "list";
    TakeRun(is_number ? words_ : TakeAction({"list", "show", "logs"}));
    if (line_.action == "list" && line_.run) throw UsageError("leat runs list takes no run", "runs");
    if (line_.action != "logs" && !line_.table.empty())
      throw UsageError(fmt::format("leat runs {} takes no --table", line_.action), "runs");
  }

  void TakeWordsOfState() {
    const std::vector<std::string> tables = TakeAction({"show", "reset"});
    if (line_.action.empty()) throw UsageError("leat state needs show or reset", "state");
    if (tables.size() > 1)
      throw UsageError(fmt::format("leat state {} does not take '{}'", line_.action, tables[1]), "state");
    if (!tables.empty()) line_.subject = tables.front();
    if (line_.action == "reset" && tables.empty()) throw UsageError("leat state reset needs a table", "state");
  }

  void TakeWordsOfConnections() {
    const std::vector<std::string> names = TakeAction({"list", "test", "discover"});
    if (line_.action.empty()) line_.action = "list";
    if (names.size() > 1 || (line_.action == "list" && !names.empty()))
      throw UsageError(fmt::format("leat connections {} does not take '{}'", line_.action, names.back()),
                       "connections");
    if (!names.empty()) line_.subject = names.front();
    if (line_.action == "discover" && names.empty())
      throw UsageError("leat connections discover needs a connection", "connections");
  }

  void TakeKindOfFile() {
    if (words_.size() > 1 || (line_.write && !words_.empty()))
      throw UsageError(fmt::format("leat schema{} does not take '{}'", line_.write ? " --write" : "", words_.back()),
                       "schema");
    line_.subject = words_.empty() ? "project" : OneOf(words_.front(), "KIND");
  }

  void CheckMeaning() const {
    const std::string& command = line_.command;
    if (quiet_ && verbose_) throw UsageError("-q and -v exclude each other", command);
    if (command != "run" && command != "check" && command != "plan" && (!select_.empty() || !exclude_.empty()))
      throw UsageError(fmt::format("leat {} takes no selection", command), command);
    if (command == "init" && line_.template_name.empty())
      throw UsageError("leat init needs --template; expected shop, billing or empty", command);
    if (line_.dot && line_.json) throw UsageError("--dot and --json exclude each other", command);
    if (line_.from_landing && line_.full_refresh)
      throw UsageError("--from-landing and --full-refresh exclude each other", command);
    if (line_.from_landing && line_.dry_run) throw UsageError("--from-landing has no --dry-run", command);
    if (!line_.apply.empty() && (!tables_.empty() || !exclude_.empty() || line_.full_refresh || line_.from_landing))
      throw UsageError("--apply takes its selection from the plan", command);
    if (command == "completion") OneOf(line_.subject, "SHELL");
    if (!line_.subject.empty()) return;
    if (command == "completion") throw UsageError("leat completion needs a shell; expected bash, zsh or fish", command);
    if (command == "lineage") throw UsageError("leat lineage needs a table or a column of one", command);
    if (command == "preview") throw UsageError("leat preview needs a table or a file", command);
    if (command == "query") throw UsageError("leat query needs a SELECT, or - to read it from standard input", command);
    if (command == "explain") throw UsageError("leat explain needs a code, such as LEAT0203", command);
  }

  void RefuseExtras() const {
    const std::vector<std::string> extras = app_.remaining(/*recurse=*/true);
    if (extras.empty()) return;
    const std::string& word = extras.front();
    const std::string command = CommandName();
    if (word.size() > 1 && word[0] == '-') {
      const std::string flag = word.substr(0, word.find('='));
      const std::string of = command.empty() ? "" : fmt::format(" of leat {}", command);
      throw UsageError(fmt::format("unknown flag '{}'{}{}", flag, of, DidYouMean(flag, FlagsOf(command))), command);
    }
    if (command.empty()) RefuseUnknownCommand();
    throw UsageError(fmt::format("leat {} does not take '{}'", command, word), command);
  }

  /// A word that was typed where a command stands, and is none.
  void RefuseUnknownCommand() const {
    for (const std::string& word : app_.remaining(/*recurse=*/true))
      if (!word.starts_with('-'))
        throw UsageError(fmt::format("unknown command '{}'{}", word, DidYouMean(word, CommandNames())), "");
  }

  std::vector<std::string> FlagsOf(const std::string& command) const {
    std::vector<std::string> flags;
    for (const std::string& owner : {std::string(), command})
      for (const CLI::Option* option : FindApp(owner)->get_options())
        for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    return flags;
  }

  std::optional<int> Number(const std::string& text, const char* flag, int min, int max) const {
    if (text.empty()) return std::nullopt;
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < min || number > max)
      throw UsageError(fmt::format("{} is '{}'; expected a number from {} to {}", flag, text, min, max), line_.command);
    return number;
  }

  std::chrono::milliseconds Duration(const std::string& text, const char* flag) const {
    if (text.empty()) return {};
    if (const auto duration = config::ParseDuration(text)) return *duration;
    throw UsageError(fmt::format("{} is '{}'; expected a duration such as 30s, 5m or 2h", flag, text), line_.command);
  }

  std::string OneOf(const std::string& text, const char* flag) const {
    const std::vector<std::string> known = ChoicesOf(flag);
    if (text.empty() || std::find(known.begin(), known.end(), text) != known.end()) return text;
    throw UsageError(fmt::format("{} is '{}'; expected {}{}", flag, text, Join(known, " or "), DidYouMean(text, known)),
                     line_.command);
  }

  CLI::App app_;
  CommandLine line_;
  std::string threads_, rows_, log_format_, wait_;
  std::vector<std::string> words_, tables_, select_, exclude_;
  bool quiet_ = false, verbose_ = false, no_colour_ = false;
};

/// Words of `text` in lines that end before the margin, all but the first indented.
std::string Wrap(const std::string& text, int indent, int width) {
  std::string wrapped;
  int column = indent;
  for (const std::string& word : Split(text, ' ')) {
    const int length = CharacterCount(word);
    if (column > indent && column + 1 + length > width) {
      wrapped += "\n" + std::string(static_cast<size_t>(indent), ' ');
      column = indent;
    } else if (column > indent) {
      wrapped += ' ';
      ++column;
    }
    wrapped += word;
    column += length;
  }
  return wrapped;
}

FlagInfo InfoOf(const CLI::Option& option) {
  FlagInfo flag{.text = option.get_description()};
  for (const std::string& name : option.get_snames()) flag.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) flag.names.push_back("--" + name);
  if (option.get_expected_max() > 0) flag.value = option.get_type_name();
  flag.choices = ChoicesOf(flag.names.back());
  return flag;
}

std::vector<FlagInfo> FlagsIn(const CLI::App& app, std::string_view group) {
  std::vector<FlagInfo> flags;
  for (const CLI::Option* option : app.get_options())
    if (option->get_group() == group) flags.push_back(InfoOf(*option));
  return flags;
}

std::string FlagsText(const CLI::App& app, const char* group) {
  std::string text;
  for (const FlagInfo& flag : FlagsIn(app, group)) {
    // Long names stand below each other, whether or not there is a short one.
    const bool is_long = flag.names.front().starts_with("--");
    const std::string value = flag.value.empty() ? "" : " " + flag.value;
    const std::string names =
        fmt::format("  {:<{}}", (is_long ? "    " : "") + Join(flag.names, ", ") + value, kFlagColumn - 2);
    text += names + (names.size() > kFlagColumn ? "\n" + std::string(kFlagColumn, ' ') : "") +
            Wrap(flag.text, kFlagColumn, kHelpWidth) + "\n";
  }
  return text.empty() ? "" : fmt::format("\n{}\n{}", group, text);
}

std::string OwnHelp(const Command& command, const Parser& parser) {
  const std::string usage = fmt::format("leat {} {}", command.name, command.arguments);
  return fmt::format("{}\n\nExamples\n{}\nUsage\n  {}\n{}{}", command.summary, command.examples,
                     Wrap(usage, 7, kHelpWidth), command.details[0] != '\0' ? fmt::format("\n{}", command.details) : "",
                     FlagsText(*parser.FindApp(command.name), kOwnGroup));
}

std::string CommandHelp(const Command& command, const Parser& parser) {
  return fmt::format("{}\n{}", OwnHelp(command, parser), kGlobalHint);
}

std::string ExitCodesText() {
  std::string text = "Exit codes\n";
  for (const ExitCodeMeaning& code : ExitCodeMeanings()) text += fmt::format("  {:>3}  {}\n", code.code, code.meaning);
  return text;
}

std::string MainHelp(const Parser& parser) {
  std::string commands;
  for (const Command& command : kCommands) commands += fmt::format("  {:<13}{}\n", command.name, command.summary);
  return fmt::format(
      "leat carries data from PostgreSQL through a lake and SQL models to a warehouse\n\n"
      "Examples\n{}\nUsage\n  leat COMMAND [arguments] [flags]\n  leat COMMAND --help\n\nCommands\n{}{}\n{}",
      kMainExamples, commands, FlagsText(*parser.FindApp(""), kGlobalGroup), ExitCodesText());
}

/// `leat help run` is what many try first.
std::vector<std::string> ReplaceHelpWord(std::vector<std::string> words) {
  if (words.empty() || words.front() != "help") return words;
  words.erase(words.begin());
  words.emplace_back("--help");
  return words;
}

}  // namespace

CommandLine ParseCommandLine(const std::vector<std::string>& words) { return Parser().Parse(ReplaceHelpWord(words)); }

std::string OwnHelpText(const std::string& command) { return OwnHelp(*FindCommand(command), Parser()); }

std::string HelpText(const std::string& command) {
  const Parser parser;
  const Command* found = FindCommand(command);
  return found != nullptr ? CommandHelp(*found, parser) : MainHelp(parser);
}

std::vector<CommandInfo> CommandInfos() {
  const Parser parser;
  std::vector<CommandInfo> commands;
  for (const Command& command : kCommands)
    commands.push_back({.name = command.name,
                        .arguments = command.arguments,
                        .summary = command.summary,
                        .examples = command.examples,
                        .details = command.details,
                        .flags = FlagsIn(*parser.FindApp(command.name), kOwnGroup)});
  return commands;
}

std::vector<FlagInfo> GlobalFlags() { return FlagsIn(*Parser().FindApp(""), kGlobalGroup); }

}  // namespace leat::cli
