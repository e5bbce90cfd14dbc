#include <fmt/format.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "core/clock.h"
#include "core/file_system.h"
#include "core/machine.h"
#include "core/text.h"
#include "duck/database.h"
#include "pipeline/doctor.h"
#include "pipeline/workspace.h"

namespace leat::pipeline {
namespace {

constexpr int64_t kMemoryBytesMin = 256'000'000;
constexpr rlim_t kOpenFilesMin = 1024;
constexpr int64_t kBuiltInYear = 2024;  // a clock before leat was written stands wrong

Finding ExamineMemory(const config::Limits& limits) {
  const Memory memory = MachineMemory();
  const char* whose = memory.is_group_limit ? "its control group (container)" : "the machine";
  const int64_t used = MemoryBytes(limits);
  const std::string text =
      fmt::format("a run takes up to {}, {} has {}", FormatBytes(used), whose, FormatBytes(memory.bytes));
  if (used > memory.bytes)
    return Fault("memory", text, fmt::format("set  limits: {{memory: {}MB}}  in leat.yaml", memory.bytes / 2'000'000));
  if (used < kMemoryBytesMin)
    return Warning("memory", text, fmt::format("give it {} or more", FormatBytes(kMemoryBytesMin)));
  return Good("memory", text);
}

Finding ExamineOpenFiles() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur == RLIM_INFINITY) return Good("open files", "no limit");
  const std::string text = fmt::format("at most {}", limit.rlim_cur);
  if (limit.rlim_cur >= kOpenFilesMin) return Good("open files", text);
  return Warning("open files", text + fmt::format("; a query over many files may need {}", kOpenFilesMin),
                 fmt::format("ulimit -n {}", kOpenFilesMin));
}

Finding ExamineClock() {
  const Timestamp now = SystemClock().Now();
  const std::string text = FormatTimestamp(std::chrono::floor<std::chrono::seconds>(now));
  const auto date = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(now));
  if (static_cast<int>(date.year()) >= kBuiltInYear) return Good("clock", text);
  return Fault("clock", text + fmt::format(" is before {}", kBuiltInYear), "set the machine's clock:  timedatectl");
}

/// What DuckDB brings along must know of a zone with summer time.
Finding ExamineTimeZones() {
  try {
    duck::Database database({.threads = 1});
    duck::Connection connection(database);
    const std::string noon =
        connection.QueryText("SELECT (TIMESTAMPTZ '2024-07-01 12:00:00+00' AT TIME ZONE 'Europe/London')::VARCHAR");
    if (noon == "2024-07-01 13:00:00") return Good("time zones", "built in, with summer time");
    return Fault("time zones", fmt::format("noon of 1 July 2024 in UTC is {} in London; expected 13:00", noon),
                 "install leat anew: the zone data it brings are damaged");
  } catch (const Error& error) {
    return Fault("time zones", error.message(), "install leat anew");
  }
}

std::string PasswordFile() {
  if (const char* named = std::getenv("PGPASSFILE"); named != nullptr && *named != '\0') return named;
  const char* home = std::getenv("HOME");
  return home != nullptr && *home != '\0' ? JoinPath(home, ".pgpass") : "";
}

Finding ExaminePasswordFile() {
  const std::string path = PasswordFile();
  struct stat info {};
  if (path.empty() || stat(path.c_str(), &info) != 0)
    return Good("passwords", fmt::format("{} is absent", path.empty() ? "~/.pgpass" : path));
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) == 0) return Good("passwords", path + " is read by its owner alone");
  return Warning("passwords",
                 fmt::format("{} has mode {:04o}: others may read it, so libpq ignores it", path, info.st_mode & 07777),
                 fmt::format("chmod 600 {}", path));
}

}  // namespace

std::vector<Finding> ExamineMachine(const config::Limits& limits) {
  return {ExamineMemory(limits), ExamineOpenFiles(),
          ExamineClock(),        ExamineTimeZones(),
          ExaminePasswordFile(), Good("extensions", "none needed: all that a run uses is built in")};
}

}  // namespace leat::pipeline
