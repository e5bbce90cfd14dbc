#include "cli/commands.h"
#include "cli/explain_pages.h"
#include "cli/pager.h"

namespace leat::cli {
namespace {

/// The page without its Markdown: the heading bold where that shows, the example indented.
std::string Render(std::string_view text, const Terminal& terminal) {
  std::string rendered;
  bool in_example = false;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line == "```") {
      in_example = !in_example;
      continue;
    }
    if (in_example && !line.empty()) rendered += "  ";
    rendered += line.starts_with("# ") ? Paint(terminal, Tint::kBold, line.substr(2)) : std::string(line);
    rendered += '\n';
  }
  return rendered;
}

}  // namespace

ExitCode Explain(Session& session) {
  const ExplainPage page = FindExplainPage(session.line().subject);
  Json data;
  data["code"] = page.code;
  data["title"] = page.title;
  data["text"] = page.text;
  const std::string text = Render(page.text, session.out_terminal());
  if (!session.line().json && ShowInPager(session.out_terminal(), text)) return kAllDone;
  session.Answer(text, data);
  return kAllDone;
}

}  // namespace leat::cli
