#include "warehouse/duckdb/attachment.h"

#include <fmt/format.h>

#include <filesystem>
#include <thread>

#include "core/clock.h"
#include "core/file_system.h"
#include "core/text.h"

namespace leat::warehouse::duckdb {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr auto kAttachAgain = 100ms;

/// `python3.11 (process 4711)` of `Conflicting lock is held in /usr/bin/python3.11 (PID 4711) by user bi. …`; a process
/// that we may not look at has no name, and one behind another kernel's file server nothing at all.
std::string HolderOf(std::string_view reason) {
  constexpr std::string_view kHeldIn = "lock is held in ";
  constexpr std::string_view kPid = "PID ";
  std::string_view name;
  if (const size_t at = reason.find(kHeldIn); at != std::string_view::npos) {
    name = reason.substr(at + kHeldIn.size());
    name = Trim(name.substr(0, name.find('(')));
    name = name.substr(name.find_last_of('/') + 1);
  }
  const size_t at = reason.find(kPid);
  if (at == std::string_view::npos) return "another process";
  std::string_view pid = reason.substr(at + kPid.size());
  pid = pid.substr(0, pid.find_first_not_of("0123456789"));
  return name.empty() || name.starts_with(kPid) ? fmt::format("process {}", pid)
                                                : fmt::format("{} (process {})", name, pid);
}

/// The system's own words at the end of `Cannot open file "/x": Permission denied`.
std::string_view LastReason(std::string_view reason) {
  const std::string_view line = reason.substr(0, reason.find('\n'));
  const size_t at = line.rfind("\": ");
  return at == std::string_view::npos ? line : line.substr(at + 3);
}

Error HeldFault(const File& file, const std::string& reason) {
  Error held(kConflict, "LEAT0614", file.place,
             fmt::format("warehouse file {} is open in {}", file.path, HolderOf(reason)));
  if (file.wait.count() > 0)
    return std::move(held)
        .Note(fmt::format("waited for {}", FormatDuration(file.wait)))
        .Hint("close it there, then run again");
  return std::move(held).Hint("close it there, or wait for it:  --wait 5m");
}

}  // namespace

std::vector<std::string> FilesBeside(const std::string& path) {
  std::vector<std::string> names = {path};
  std::error_code unresolved;
  const std::string target = std::filesystem::weakly_canonical(path, unresolved).string();
  if (!unresolved && target != path) names.push_back(target);
  std::vector<std::string> files;
  for (const std::string& name : names)
    for (const char* suffix : {"", ".wal", ".wal.checkpoint", ".wal.recovery"}) files.push_back(name + suffix);
  return files;
}

bool IsHeld(std::string_view reason) { return reason.find("Could not set lock on file") != std::string_view::npos; }

Error OpenFault(const File& file, const std::string& reason) {
  const auto says = [&](std::string_view text) { return reason.find(text) != std::string::npos; };
  if (IsHeld(reason)) return HeldFault(file, reason);
  if (says("not a valid DuckDB database file"))
    return Error(kConfig, "LEAT0615", file.place, fmt::format("warehouse file {} is no DuckDB database", file.path))
        .Hint("name another file in `path`, or move this one away");
  if (says("version number"))
    return Error(kConfig, "LEAT0615", file.place,
                 fmt::format("warehouse file {} was written by another version of DuckDB", file.path))
        .Note(reason.substr(0, reason.find('\n')))
        .Hint("write it again in the storage version of DuckDB 1.0, or name another file in `path`");
  if (says("replaying WAL") && says("Bad file descriptor"))
    return Error(kConfig, "LEAT0616", file.place,
                 fmt::format("warehouse file {} has a log that only a writer can take over", file.path))
        .Note("a process that was killed has left it")
        .Hint("leat run");
  if (says("Corrupt") || says("replaying WAL"))
    return Error(kConfig, "LEAT0615", file.place, fmt::format("warehouse file {} is damaged", file.path))
        .Note(reason.substr(0, reason.find('\n')))
        .Hint("restore it from a backup, or remove it: the next run makes it anew from the lake");
  return Error(kConfig, "LEAT0616", file.place,
               fmt::format("warehouse file {} cannot be opened: {}", file.path, LastReason(reason)))
      .Hint("check the path, and who may read and write it");
}

Attachment::Attachment(duck::Connection& connection, const File& file, Access access)
    : connection_(connection), file_(file), access_(access) {
  if (!IsDirectory(ParentPath(file.path)))
    throw Error(kConfig, "LEAT0616", file.place,
                fmt::format("the folder of warehouse file {} does not exist", file.path))
        .Hint(fmt::format("mkdir -p {}", ParentPath(file.path)));
  const auto deadline = Steady::now() + file.wait;
  while (true) {
    try {
      Attach();
      return;
    } catch (const duck::QueryError& error) {
      if (!IsHeld(error.fault().message) || Steady::now() >= deadline) throw OpenFault(file, error.fault().message);
    }
    if (file.cancel != nullptr) file.cancel->Check();
    std::this_thread::sleep_for(kAttachAgain);
  }
}

void Attachment::Attach() {
  // The type is named, lest a file of another database make DuckDB look for the extension that reads it.
  connection_.Execute(fmt::format("ATTACH {} AS {} (TYPE duckdb{})", QuoteLiteral(file_.path), kCatalog,
                                  access_ == Access::kRead ? ", READ_ONLY" : ""));
}

Attachment::~Attachment() {
  try {
    if (access_ == Access::kWrite) connection_.Execute(fmt::format("CHECKPOINT {}", kCatalog));
  } catch (...) {
    // What was committed is in the log beside the file, from which the next to open it takes it.
  }
  try {
    // A load that broke may have left a schema of the file as the default, which cannot be detached.
    connection_.Execute("USE memory");
    connection_.Execute(fmt::format("DETACH {}", kCatalog));
  } catch (...) {
    // It ends with the database.
  }
}

}  // namespace leat::warehouse::duckdb
