#include "cli/run_log_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "core/file_system.h"
#include "core/text.h"

namespace leat::cli {
namespace {

class RunLogFileTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/leat-log-XXXXXX";
    project_.folder = mkdtemp(name);
    project_.state.value = project_.folder + "/.leat/state.db";
  }
  void TearDown() override { std::filesystem::remove_all(project_.folder); }

  std::string Log() const { return ReadFile(project_.folder + "/.leat/logs/run-42.jsonl"); }

  config::Project project_;
  FakeClock clock_{ParseTimestamp("2024-11-21T14:05:02.250000Z")};
  CancelFlag cancel_;
  const state::Run run_{.number = 42, .status = "running", .started = clock_.Now()};
  const Diagnostic fault_{.code = "LEAT0203", .message = "no such column", .help = {"mend it"}};
  const Diagnostic other_{.severity = Severity::kWarning, .code = "LEAT0707", .message = "check x failed"};
  const state::Step failed_{.table = "mart.a", .step = "build", .status = "failed"};
};

TEST_F(RunLogFileTest, HoldsEveryEventInFull) {
  RunLogFile log(project_, cancel_, clock_);
  log.RunStarted(run_, 1, 2);
  log.StepStarted("mart.a", "build");
  log.StepFinished(failed_, fault_);
  pipeline::RunSummary summary{.run = run_, .steps = {failed_}, .diagnostics = {fault_, other_}, .tables = 1};
  summary.run.status = "failed";
  summary.run.ended = clock_.Now() + std::chrono::seconds(3);
  log.End(summary);
  std::vector<Json> lines;
  for (const std::string& line : Split(Trim(Log()), '\n')) lines.push_back(Json::parse(line));
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(
      DumpLine(lines[0]),
      R"({"time":"2024-11-21T14:05:02.250000Z","run":42,"event":"run_started","tables":1,"threads":2,"target":"default"})");
  EXPECT_EQ(lines[1]["event"], "table_started");
  EXPECT_EQ(lines[2]["event"], "table_failed");
  EXPECT_EQ(lines[2]["diagnostic"]["help"][0], "mend it");
  EXPECT_EQ(lines[3]["event"], "warning") << "what no step told";
  EXPECT_EQ(lines[3]["code"], "LEAT0707");
  EXPECT_EQ(lines[4]["event"], "run_ended");
  EXPECT_EQ(lines[4]["status"], "failed");
  EXPECT_EQ(lines[4]["tables"], 1);
  EXPECT_EQ(lines[4]["dur_s"], 3.0);
  EXPECT_FALSE(log.loss());
}

TEST_F(RunLogFileTest, SaysWhatBrokeTheRunOff) {
  RunLogFile log(project_, cancel_, clock_);
  log.RunStarted(run_, 1, 2);
  log.BreakOff(fault_);
  EXPECT_NE(Log().find(R"("event":"error","code":"LEAT0203")"), std::string::npos) << Log();
  EXPECT_TRUE(Log().ends_with("\"event\":\"run_ended\",\"status\":\"failed\"}\n")) << Log();
}

TEST_F(RunLogFileTest, WarnsOnceAndGoesOnWhereItCannotBeWritten) {
  WriteNewFile(project_.folder + "/.leat", "in the way");
  RunLogFile log(project_, cancel_, clock_);
  log.RunStarted(run_, 1, 2);
  log.StepFinished(failed_, fault_);
  log.End({.run = run_});
  ASSERT_TRUE(log.loss());
  EXPECT_EQ(log.loss()->severity, Severity::kWarning);
  EXPECT_EQ(log.loss()->code, "LEAT0519");
  EXPECT_NE(log.loss()->message.find("/.leat/logs/run-42.jsonl: "), std::string::npos) << log.loss()->message;
}

TEST_F(RunLogFileTest, AFullDiskLeavesWholeLines) {
  MakeDirectories(project_.folder + "/.leat/logs");
  std::filesystem::create_symlink("/dev/full", project_.folder + "/.leat/logs/run-42.jsonl");
  RunLogFile log(project_, cancel_, clock_);
  log.RunStarted(run_, 1, 2);
  log.StepFinished(failed_, fault_);
  ASSERT_TRUE(log.loss());
  EXPECT_NE(log.loss()->message.find("No space left on device"), std::string::npos) << log.loss()->message;
}

}  // namespace
}  // namespace leat::cli
