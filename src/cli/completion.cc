#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/complete_line.h"
#include "cli/project_names.h"

namespace leat::cli {
namespace {

// Each hands the line up to the cursor to `leat __complete` and turns its answer into what its shell expects; what may
// stand where is known to the program alone, so the scripts need no change when commands do.

constexpr const char* kBash = R"(# leat: completion for bash. In ~/.bashrc:  source <(leat completion bash)
_leat() {
  local line=${COMP_LINE:0:COMP_POINT} typed found before=
  COMPREPLY=()
  while IFS= read -r found; do
    case $found in
      :files) compopt -o filenames; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$2") ;;
      :folders) compopt -o filenames; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$2") ;;
      ?*) COMPREPLY+=("${found%%$'\t'*}") ;;
    esac
  done < <("${1/#\~/$HOME}" __complete "$line" 2>/dev/null)
  # Where bash parts words at : and = too, it wants only what comes after the last of them.
  typed=${line##*[[:space:]]}
  [[ $typed == *[:=]* ]] && before=${typed%"${typed##*[:=]}"}
  if [[ ($before == *: && $COMP_WORDBREAKS == *:*) || ($before == *= && $COMP_WORDBREAKS == *=*) ]]; then
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
  fi
}
complete -F _leat leat
)";

constexpr const char* kZsh = R"(#compdef leat
# leat: completion for zsh. In ~/.zshrc, after compinit:  source <(leat completion zsh)
_leat() {
  local -a found
  local entry
  for entry in "${(@f)$("${words[1]/#\~/$HOME}" __complete "${(j: :)words[1,CURRENT-1]} $PREFIX" 2>/dev/null)}"; do
    case $entry in
      :files) _files ;;
      :folders) _files -/ ;;
      *$'\t'*) found+=("${${entry%%$'\t'*}//:/\\:}:${entry#*$'\t'}") ;;
      ?*) found+=("${entry//:/\\:}") ;;
    esac
  done
  (( $#found )) && _describe -t leat leat found
}
if [[ ${funcstack[1]} == _leat ]]; then _leat "$@"; else compdef _leat leat; fi
)";

constexpr const char* kFish =
    R"(# leat: completion for fish. In ~/.config/fish/config.fish:  leat completion fish | source
function __leat_complete
    for entry in (leat __complete (commandline -cp) 2>/dev/null)
        switch $entry
            case ':files'
                __fish_complete_path (commandline -ct)
            case ':folders'
                __fish_complete_directories (commandline -ct)
            case '*'
                echo $entry
        end
    end
end
complete -c leat -f -a '(__leat_complete)'
)";

const char* ScriptFor(const std::string& shell) {
  if (shell == "bash") return kBash;
  return shell == "zsh" ? kZsh : kFish;
}

std::string AnswerText(const Completions& found) {
  std::string text;
  for (const Candidate& candidate : found.candidates)
    text += candidate.text.empty() ? candidate.word + "\n" : fmt::format("{}\t{}\n", candidate.word, candidate.text);
  if (found.paths == Completions::Paths::kFiles) text += ":files\n";
  if (found.paths == Completions::Paths::kFolders) text += ":folders\n";
  return text;
}

}  // namespace

ExitCode Completion(Session& session) {
  const char* script = ScriptFor(session.line().subject);
  session.Answer(script, {{"shell", session.line().subject}, {"script", script}});
  return kAllDone;
}

int AnswerShell(const std::string& line) noexcept {
  try {
    Stream(STDOUT_FILENO, Stream::Loss::kIgnore).Write(AnswerText(CompleteLine(line, ProjectNames)));
  } catch (...) {
    return kSomeFailed;  // a word about it would land in the middle of what is being typed
  }
  return kAllDone;
}

}  // namespace leat::cli
