#include "cli/complete_line.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "cli/command_line.h"
#include "core/text.h"

namespace leat::cli {
namespace {

/// One place in a line of usage: `[list|show|logs]`, `TABLE|FILE.sql`, `[SELECT...]`.
struct Argument {
  std::vector<std::string> words;  ///< to be typed as they are
  std::vector<std::string> nouns;
  bool optional = false;
  bool repeats = false;

  bool Takes(const std::string& word) const {
    return !nouns.empty() || std::find(words.begin(), words.end(), word) != words.end();
  }
};

bool IsWord(std::string_view text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string_view::npos;
}

Argument ParseArgument(std::string_view text) {
  Argument argument;
  if (text.starts_with('[') && text.ends_with(']')) {
    argument.optional = true;
    text = text.substr(1, text.size() - 2);
  }
  if (text.ends_with("...")) {
    argument.repeats = true;
    text.remove_suffix(3);
  }
  for (const std::string& part : Split(text, '|'))
    if (IsWord(part))
      argument.words.push_back(part);
    else if (part != "-")
      argument.nouns.push_back(part.substr(0, part.find('[')));  // TABLE[.COLUMN]
  return argument;
}

using Usage = std::vector<Argument>;

/// The ways of writing a command's arguments, parted by ` | `; its flags are left out.
std::vector<Usage> ParseUsages(const CommandInfo& command) {
  const auto takes_value = [&](std::string_view name) {
    return std::any_of(command.flags.begin(), command.flags.end(), [&](const FlagInfo& flag) {
      return !flag.value.empty() && std::find(flag.names.begin(), flag.names.end(), name) != flag.names.end();
    });
  };
  std::vector<Usage> usages(1);
  bool is_value = false;
  for (const std::string& word : Split(command.arguments, ' ')) {
    const std::string_view bare = std::string_view(word).substr(word.starts_with('[') ? 1 : 0);
    if (word == "|") {
      usages.emplace_back();
    } else if (bare.starts_with('-')) {
      is_value = takes_value(bare.substr(0, bare.find(']')));
    } else if (!word.empty() && !std::exchange(is_value, false)) {
      usages.back().push_back(ParseArgument(word));
    }
  }
  return usages;
}

/// Arguments of `usage`, from `at` on, that may come after the words `typed`.
void FindNext(const Usage& usage, size_t at, std::vector<std::string> typed, std::vector<Argument>& next) {
  if (at == usage.size()) return;
  const Argument& argument = usage[at];
  if (typed.empty()) {
    next.push_back(argument);
    if (argument.optional) FindNext(usage, at + 1, {}, next);
  } else if (argument.Takes(typed.front())) {
    typed.erase(typed.begin());
    FindNext(usage, argument.repeats ? at : at + 1, typed, next);
  } else if (argument.optional) {
    FindNext(usage, at + 1, typed, next);
  }
}

class Completer {
 public:
  explicit Completer(const NamesOf& names_of) : names_of_(names_of), commands_(CommandInfos()) {}

  Completions Complete(const std::vector<std::string>& words) {
    current_ = words.back();
    for (size_t i = 1; i + 1 < words.size(); ++i) Take(words[i]);
    if (open_flag_)
      AddValues(*open_flag_, "");
    else if (const size_t equals = current_.find('='); current_.starts_with("--") && equals != std::string::npos)
      AddValueAfterEquals(equals);
    else if (current_.starts_with('-'))
      AddFlags();
    else
      AddArguments();
    return std::move(found_);
  }

 private:
  /// Take note of a word before the cursor.
  void Take(const std::string& word) {
    if (open_flag_) {
      if (open_flag_->names.front() == "-C") folder_ = word;
      open_flag_.reset();
    } else if (word.starts_with('-') && word != "-") {
      const std::optional<FlagInfo> flag = FindFlag(word);
      if (flag && !flag->value.empty()) open_flag_ = flag;
    } else if (command_ == nullptr) {
      for (const CommandInfo& command : commands_)
        if (command.name == word) command_ = &command;
      lost_ = lost_ || (command_ == nullptr && word != "help");
    } else {
      typed_.push_back(word);
    }
  }

  std::vector<FlagInfo> Flags() const {
    std::vector<FlagInfo> flags = command_ != nullptr ? command_->flags : std::vector<FlagInfo>();
    const std::vector<FlagInfo> global = GlobalFlags();
    flags.insert(flags.end(), global.begin(), global.end());
    return flags;
  }

  std::optional<FlagInfo> FindFlag(const std::string& name) const {
    for (FlagInfo& flag : Flags())
      if (std::find(flag.names.begin(), flag.names.end(), name) != flag.names.end()) return flag;
    return std::nullopt;
  }

  void Add(const std::string& word, const std::string& text) {
    if (word.starts_with(current_)) found_.candidates.push_back({word, text});
  }

  void AddFlags() {
    for (const FlagInfo& flag : Flags()) Add(flag.names.back(), flag.text);
  }

  void AddValues(const FlagInfo& flag, const std::string& before) {
    for (const std::string& choice : flag.choices) Add(before + choice, "");
    if (flag.choices.empty()) AddNames(flag.value, before);
  }

  void AddValueAfterEquals(size_t equals) {
    if (const auto flag = FindFlag(current_.substr(0, equals))) AddValues(*flag, current_.substr(0, equals + 1));
  }

  void AddArguments() {
    if (lost_) return;
    if (command_ == nullptr) {
      for (const CommandInfo& command : commands_) Add(command.name, command.summary);
      return;
    }
    std::vector<Argument> next;
    for (const Usage& usage : ParseUsages(*command_)) FindNext(usage, 0, typed_, next);
    for (const Argument& argument : next) {
      for (const std::string& word : argument.words) Add(word, "");
      for (const std::string& noun : argument.nouns) AddNames(noun, "");
    }
  }

  void AddNames(const std::string& noun, const std::string& before) {
    if (noun.starts_with("FILE") || noun == "DIR") {
      found_.paths = noun == "DIR" ? Completions::Paths::kFolders : Completions::Paths::kFiles;
      return;
    }
    const std::string start = before + (noun == "SELECT" ? StartOfSelection(current_.substr(before.size())) : "");
    for (const Candidate& name : names_of_(noun, folder_)) Add(start + name.word, name.text);
  }

  /// What stands before the last name of a selection: `tag:x,2+`.
  static std::string StartOfSelection(const std::string& selection) {
    const size_t comma = selection.rfind(',');
    size_t begin = comma == std::string::npos ? 0 : comma + 1;
    const size_t digits_end = selection.find_first_not_of("0123456789", begin);
    if (digits_end != std::string::npos && selection[digits_end] == '+') begin = digits_end + 1;
    return selection.substr(0, begin);
  }

  const NamesOf& names_of_;
  const std::vector<CommandInfo> commands_;
  const CommandInfo* command_ = nullptr;
  bool lost_ = false;                  ///< the line begins with what is no command
  std::string folder_;                 ///< of -C
  std::string current_;                ///< the word at the cursor, as far as it is typed
  std::vector<std::string> typed_;     ///< arguments before it
  std::optional<FlagInfo> open_flag_;  ///< a flag whose value comes next
  Completions found_;
};

}  // namespace

std::vector<std::string> ShellWords(std::string_view line) {
  std::vector<std::string> words(1);
  char quote = '\0';
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != '\0' && c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
      words.back() += line[++i];
    } else if (quote == '\0' && (c == ' ' || c == '\t' || c == '\n')) {
      if (!words.back().empty()) words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

Completions CompleteLine(std::string_view line, const NamesOf& names_of) {
  std::vector<std::string> words = ShellWords(line);
  if (words.size() < 2) return {};  // the program's own name
  return Completer(names_of).Complete(words);
}

}  // namespace leat::cli
