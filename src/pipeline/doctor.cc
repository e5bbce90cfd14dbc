#include "pipeline/doctor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "core/file_system.h"
#include "core/ids.h"
#include "core/text.h"
#include "lake/table.h"
#include "pipeline/history.h"
#include "pipeline/validate.h"
#include "pipeline/workspace.h"
#include "state/state_file.h"

namespace leat::pipeline {
namespace {

constexpr int64_t kFreeBytesMin = 100'000'000;
constexpr int64_t kFreeBytesWanted = 2'000'000'000;
constexpr std::chrono::milliseconds kSyncSlow{100};
constexpr std::chrono::seconds kClockDifferenceMax{2};
constexpr size_t kLostTablesShown = 5;

/// The folder itself, or the nearest above it that is there.
std::string NearestFolder(std::string path) {
  while (!IsDirectory(path) && path != "/") path = ParentPath(path);
  return path;
}

struct Disk {
  int64_t free_bytes = 0;
  int64_t bytes = 0;
};

Disk DiskOf(const std::string& folder) {
  struct statvfs info {};
  if (statvfs(folder.c_str(), &info) != 0) return {};
  const auto block = static_cast<int64_t>(info.f_frsize);
  return {static_cast<int64_t>(info.f_bavail) * block, static_cast<int64_t>(info.f_blocks) * block};
}

/// Writing one small file and making it durable.
struct Trial {
  std::chrono::microseconds sync{0};
  std::chrono::microseconds clock_difference{0};  ///< between the file's stamp and this machine's clock
};

Trial TryWriting(const std::string& folder) {
  const std::string path = JoinPath(folder, fmt::format(".leat-doctor-{}", NewUuid()));
  const auto begin = std::chrono::steady_clock::now();
  try {
    WriteNewFile(path, std::string(4096, 'x'));
  } catch (const Error&) {
    RemoveFileQuietly(path);
    throw;
  }
  Trial trial;
  trial.sync = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  struct stat info {};
  if (stat(path.c_str(), &info) == 0) {
    const Timestamp stamp(std::chrono::seconds(info.st_mtim.tv_sec) +
                          std::chrono::microseconds(info.st_mtim.tv_nsec / 1000));
    trial.clock_difference = std::chrono::abs(SystemClock().Now() - stamp);
  }
  RemoveFileQuietly(path);
  return trial;
}

Finding ExamineWriting(const std::string& subject, const std::string& folder, const std::string& space) {
  try {
    const Trial trial = TryWriting(folder);
    const std::string text = fmt::format("{}, a file is durable in {:.1f} ms", space,
                                         std::chrono::duration<double, std::milli>(trial.sync).count());
    if (trial.clock_difference > kClockDifferenceMax)
      return Warning(
          subject,
          fmt::format("{}; its clock differs from this machine's by {}", text, FormatDuration(trial.clock_difference)),
          "let the file server and this machine keep the same time (NTP)");
    if (trial.sync > kSyncSlow)
      return Warning(subject, text, "each commit waits for several of them: a local disk is quicker");
    return Good(subject, text);
  } catch (const Error& error) {
    return Fault(subject, error.message(), "let the user that runs leat write there, and free space");
  }
}

/// Space and speed of the disk behind a folder that runs write to. One that is not there yet is not made for this.
Finding ExamineFolder(const std::string& subject, const std::string& folder) {
  const std::string found = NearestFolder(folder);
  const Disk disk = DiskOf(found);
  const std::string space =
      fmt::format("{}: {} free of {}", folder, FormatBytes(disk.free_bytes), FormatBytes(disk.bytes));
  if (disk.free_bytes < kFreeBytesMin) return Fault(subject, space, "free space, or move it to another disk");
  if (disk.free_bytes < kFreeBytesWanted) return Warning(subject, space, "free space before it runs out");
  if (found == folder) return ExamineWriting(subject, folder, space);
  if (access(found.c_str(), W_OK | X_OK) == 0) return Good(subject, space + ", made by the first run");
  return Fault(subject, fmt::format("{} is absent, and nothing can be made in {}", folder, found),
               "let the user that runs leat write there");
}

/// SQLite's write-ahead log needs memory that all its users share: over a network there is none.
std::optional<Finding> ExamineStateDisk(const std::string& folder) {
  static constexpr std::pair<uint32_t, const char*> kNetworks[] = {
      {0x6969, "NFS"}, {0x517B, "SMB"}, {0xFF534D42, "CIFS"}, {0xFE534D42, "SMB"}, {0x01021997, "9p"}};
  struct statfs info {};
  if (statfs(NearestFolder(folder).c_str(), &info) != 0) return std::nullopt;
  for (const auto& [number, name] : kNetworks)
    if (static_cast<uint32_t>(info.f_type) == number)
      return Warning("state", fmt::format("{} is on a network file system ({})", folder, name),
                     "keep the state database on a local disk:  state: /var/lib/leat/state.db  in leat.yaml");
  return std::nullopt;
}

Finding VersionFinding(const std::string& path, const state::StateFile& file) {
  const std::string text = fmt::format("{}: schema version {}", path, file.version);
  if (!file.damage.empty())
    return Fault("state", fmt::format("{}; damaged: {}", text, file.damage), "leat explain LEAT0514");
  if (file.version > file.version_known)
    return Fault("state", fmt::format("{}; this leat knows versions up to {}", text, file.version_known),
                 "use the leat that made it, or a newer one");
  if (file.version < file.version_known)
    return Good("state", fmt::format("{}; the next run brings it to {}", text, file.version_known));
  return Good("state", text + ", sound");
}

/// Leases by the run that holds them.
void AddLeases(const std::vector<state::StateFile::Held>& held, std::vector<Finding>& findings) {
  std::map<int64_t, std::vector<std::string>> names;
  for (const auto& entry : held) names[entry.lease.run].push_back(entry.lease.name);
  for (const auto& [run, leases] : names) {
    const auto& first = *std::find_if(held.begin(), held.end(), [&](const auto& h) { return h.lease.run == run; });
    const std::string what = Shorten(Join(leases, ", "), 80);
    if (first.alive == false)
      findings.push_back(Warning("leases",
                                 fmt::format("run {} died ({}) and still holds {}", run, first.lease.holder, what),
                                 "the next run takes them over; what is left of it:  leat retry"));
    else
      findings.push_back(
          Good("leases", fmt::format("run {} is at work ({}) and holds {}", run, first.lease.holder, what)));
  }
}

void ExamineState(const config::Project& project, std::vector<Finding>& findings) {
  const std::string& path = project.state.value;
  findings.push_back(ExamineFolder("state folder", ParentPath(path)));
  if (auto network = ExamineStateDisk(ParentPath(path))) findings.push_back(std::move(*network));
  if (!PathExists(path)) return findings.push_back(Good("state", path + " is absent: this project never ran"));
  try {
    const state::StateFile file = state::InspectSqlite(path);
    findings.push_back(VersionFinding(path, file));
    AddLeases(file.held, findings);
  } catch (const Error& error) {
    findings.push_back(Fault("state", error.message(), fmt::format("leat explain {}", error.code())));
  }
}

/// Whether the state database can be opened without changing it.
bool IsCurrent(const std::string& path) {
  if (!PathExists(path)) return false;
  const state::StateFile file = state::InspectSqlite(path);
  return file.damage.empty() && file.version == file.version_known;
}

void ExamineTables(const config::Project& project, std::vector<Finding>& findings) {
  try {
    if (!IsCurrent(project.state.value)) return;
    const auto storage = lake::OpenLocalStorage(project.lake.value);
    const auto pointers = OpenStateToRead(project)->Pointers();
    std::vector<Finding> lost;
    for (const auto& [name, location] : pointers) {
      try {
        lake::Table::Load(*storage, name, location);
      } catch (const Error& error) {
        const auto& help = error.diagnostic().help;
        lost.push_back(Fault("tables", fmt::format("{}.{}: {}", name.first, name.second, error.message()),
                             help.empty() ? fmt::format("leat explain {}", error.code()) : help.front()));
      }
    }
    const size_t shown = std::min(lost.size(), kLostTablesShown);
    if (lost.empty())
      findings.push_back(Good("tables", fmt::format("the metadata of all {} are there", pointers.size())));
    findings.insert(findings.end(), lost.begin(), lost.begin() + static_cast<ptrdiff_t>(shown));
    if (lost.size() > shown)
      findings.push_back(
          Fault("tables", fmt::format("and {} more of {}", lost.size() - shown, pointers.size()), "as above"));
  } catch (const Error& error) {
    findings.push_back(Fault("tables", error.message(), fmt::format("leat explain {}", error.code())));
  }
}

void ExamineSql(const config::Project& project, const CancelFlag& cancel, std::vector<Finding>& findings) {
  try {
    const Validation found = Validate(project, LookUp::kNever, cancel);
    const auto errors = std::count_if(found.diagnostics.begin(), found.diagnostics.end(),
                                      [](const Diagnostic& d) { return d.severity == Severity::kError; });
    if (errors == 0) return findings.push_back(Good("project", fmt::format("{} is valid", project.name)));
    findings.push_back(Fault("project", fmt::format("{} has {} error{}", project.name, errors, errors == 1 ? "" : "s"),
                             "leat validate"));
  } catch (const Error& error) {
    if (error.code().starts_with("LEAT05")) return;  // who looks at lake and state tells it
    findings.push_back(Fault("project", error.message(), fmt::format("leat explain {}", error.code())));
  }
}

/// A line of a .gitignore in `folder`.
class IgnorePattern {
 public:
  IgnorePattern(std::string folder, std::string_view line) : folder_(std::move(folder)), pattern_(Trim(line)) {
    if (pattern_.starts_with('#') || pattern_.starts_with('!')) pattern_.clear();
    while (pattern_.ends_with('/')) pattern_.pop_back();
    if (pattern_.starts_with("**/")) pattern_.erase(0, 3);
    is_anchored_ = pattern_.find('/') != std::string::npos;
    if (pattern_.starts_with('/')) pattern_.erase(0, 1);
  }

  /// \param path  below the folder
  bool Matches(const std::string& path) const {
    const std::string name = is_anchored_ ? path.substr(folder_.size() + 1) : path.substr(path.rfind('/') + 1);
    return fnmatch(pattern_.c_str(), name.c_str(), FNM_PATHNAME) == 0;
  }

 private:
  std::string folder_;
  std::string pattern_;
  bool is_anchored_ = false;
};

/// Whether a .gitignore of the repository at `root` names a path or a folder above it. What `!` takes back is not
/// asked.
bool IsIgnored(const std::string& root, const std::string& path) {
  for (std::string folder = ParentPath(path);; folder = ParentPath(folder)) {
    const std::string file = JoinPath(folder, ".gitignore");
    if (PathExists(file))
      for (const std::string& line : Split(ReadFile(file), '\n')) {
        const IgnorePattern pattern(folder, line);
        for (std::string part = path; part != folder; part = ParentPath(part))
          if (pattern.Matches(part)) return true;
      }
    if (folder == root || folder == "/") return false;
  }
}

/// Runs write into folders that nobody wants in a repository.
void ExamineGit(const config::Project& project, std::vector<Finding>& findings) {
  std::string root = project.folder;
  while (!PathExists(JoinPath(root, ".git")) && root != "/") root = ParentPath(root);
  if (!PathExists(JoinPath(root, ".git"))) return;
  std::vector<std::string> kept;
  for (const std::string& folder : {ParentPath(project.state.value), project.lake.value}) {
    if (!folder.starts_with(project.folder + "/")) continue;
    // `.leat/*` is enough: it is the files in there that matter.
    if (!IsIgnored(root, JoinPath(folder, "any"))) kept.push_back(folder.substr(project.folder.size() + 1) + "/");
  }
  if (kept.empty()) return findings.push_back(Good("git", "lake and state are no part of the repository"));
  findings.push_back(Warning("git", fmt::format("{} may end up in the repository", Join(kept, " and ")),
                             fmt::format("add to .gitignore:  {}", Join(kept, "  "))));
}

}  // namespace

std::vector<Finding> ExamineProject(const config::Project& project, const CancelFlag& cancel) {
  std::vector<Finding> findings;
  ExamineSql(project, cancel, findings);
  findings.push_back(ExamineFolder("lake folder", project.lake.value));
  ExamineState(project, findings);
  const std::string spill = SpillFolder(project);
  if (IsDirectory(spill)) findings.push_back(ExamineFolder("temp folder", spill));
  ExamineTables(project, findings);
  ExamineGit(project, findings);
  return findings;
}

}  // namespace leat::pipeline
