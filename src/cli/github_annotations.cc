#include "cli/github_annotations.h"

#include <fmt/format.h>

#include <string_view>

#include "core/file_system.h"
#include "core/text.h"

namespace leat::cli {
namespace {

/// Escape as GitHub's runner reads it: `%` and line ends everywhere, in a property `:` and `,` too. Other control
/// characters have no business in a log.
std::string EscapeCommand(std::string_view text, std::string_view also) {
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '%' || c == '\r' || c == '\n' || also.find(c) != std::string_view::npos)
      escaped += fmt::format("%{:02X}", byte);
    else
      escaped += (byte < 0x20 && c != '\t') || byte == 0x7F ? '?' : c;
  }
  return escaped;
}

std::string Property(std::string_view value) { return EscapeCommand(value, ":,"); }

std::string PlaceProperties(const Place& place, const std::string& folder) {
  if (!place.known()) return "";
  std::string text = fmt::format("file={},", Property(folder.empty() ? place.file : JoinPath(folder, place.file)));
  if (place.line > 0) text += fmt::format("line={},", place.line);
  if (place.column > 0) text += fmt::format("col={},", place.column);
  if (place.end_column > 0) text += fmt::format("endColumn={},", place.end_column);
  return text;
}

}  // namespace

std::string FormatAnnotations(const std::vector<Diagnostic>& diagnostics, const std::string& folder) {
  std::string lines;
  for (const Diagnostic& diagnostic : diagnostics) {
    std::string message = diagnostic.message;
    for (const std::string& help : diagnostic.help) message += "\nhelp: " + help;
    lines +=
        fmt::format("::{} {}title={}::{}\n", diagnostic.severity == Severity::kError ? "error" : "warning",
                    PlaceProperties(diagnostic.place, folder), Property(diagnostic.code), EscapeCommand(message, ""));
  }
  return lines;
}

std::string FolderInWorkspace(const std::string& project, const std::string& workspace) {
  if (project.empty() || workspace.empty()) return "";
  const std::string root = AbsolutePath(workspace) + "/";
  return project.starts_with(root) ? project.substr(root.size()) : "";
}

}  // namespace leat::cli
