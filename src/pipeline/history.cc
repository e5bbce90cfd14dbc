#include "pipeline/history.h"

#include <fmt/format.h>

#include <charconv>

#include "core/error.h"
#include "core/file_system.h"

namespace leat::pipeline {
namespace {

constexpr std::string_view kLogPrefix = "run-";
constexpr std::string_view kLogSuffix = ".jsonl";

std::string LogFolder(const config::Project& project) { return JoinPath(ParentPath(project.state.value), "logs"); }

/// The number in `run-41.jsonl`; nothing for other files.
std::optional<int64_t> RunOfLog(const std::string& file) {
  if (!file.starts_with(kLogPrefix) || !file.ends_with(kLogSuffix)) return std::nullopt;
  const char* begin = file.data() + kLogPrefix.size();
  const char* end = file.data() + file.size() - kLogSuffix.size();
  int64_t run = 0;
  const auto [parsed, error] = std::from_chars(begin, end, run);
  if (error != std::errc() || parsed != end) return std::nullopt;
  return run;
}

}  // namespace

std::unique_ptr<state::Store> OpenStateToRead(const config::Project& project) {
  return PathExists(project.state.value) ? state::OpenSqlite(project.state.value, project.name) : nullptr;
}

void ThrowUnknownRun(std::optional<int64_t> run, const std::optional<state::Run>& last) {
  if (!last) throw Error(kConfig, "LEAT0517", "this project never ran").Hint("leat run");
  throw Error(kConfig, "LEAT0517", fmt::format("there is no run {}; the last one is {}", *run, last->number))
      .Hint("leat runs list  shows them; old ones go by `retention: {runs: …}` of leat.yaml");
}

state::Run RequireRun(state::Store& store, int64_t run) {
  if (const auto found = store.FindRun(run)) return *found;
  ThrowUnknownRun(run, store.LastRun());
}

std::vector<RunRecord> ReadRuns(const config::Project& project, int64_t limit) {
  const auto store = OpenStateToRead(project);
  if (store == nullptr) return {};
  std::vector<RunRecord> records;
  for (const state::Run& run : store->Runs(limit)) records.push_back({run, store->StepsOf(run.number)});
  return records;
}

RunRecord ReadRun(const config::Project& project, std::optional<int64_t> run) {
  const auto store = OpenStateToRead(project);
  const auto last = store != nullptr ? store->LastRun() : std::nullopt;
  if (!last) ThrowUnknownRun(run, last);
  const state::Run found = run ? RequireRun(*store, *run) : *last;
  return {found, store->StepsOf(found.number)};
}

std::string RunLogPath(const config::Project& project, int64_t run) {
  return JoinPath(LogFolder(project), fmt::format("{}{}{}", kLogPrefix, run, kLogSuffix));
}

void TrimHistory(const config::Project& project, state::Store& store, Timestamp now) noexcept {
  try {
    const auto trimmed = store.Trim(now - project.retention.runs);
    if (!trimmed) return;
    for (const std::string& file : ListDirectory(LogFolder(project)))
      if (const auto run = RunOfLog(file); run && *run <= *trimmed)
        RemoveFileQuietly(JoinPath(LogFolder(project), file));
  } catch (const std::exception&) {
    return;  // tomorrow is another day
  }
}

}  // namespace leat::pipeline
