#include "cli/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/project_fixture.h"
#include "core/text.h"
#include "pipeline/run.h"

namespace leat::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// A command in a project's folder, and what it writes to standard error.
class SessionTest : public config::ProjectTest {
 protected:
  SessionTest() : folder_before_(std::filesystem::current_path()) { std::filesystem::current_path(folder); }
  ~SessionTest() override { std::filesystem::current_path(folder_before_); }

  /// Open the project, which has faults, and tell them.
  std::string ToldFaults(const CommandLine& line) {
    testing::internal::CaptureStderr();
    Session session(line, cancel_);
    try {
      session.OpenProject();
      ADD_FAILURE() << "the project is valid";
    } catch (const pipeline::InvalidProject& invalid) {
      session.PrintDiagnostics(invalid.diagnostics);
    }
    return testing::internal::GetCapturedStderr();
  }

  /// The lines of a log in JSON, without their times.
  static std::vector<std::string> Events(const std::string& log) {
    std::vector<std::string> events;
    for (const std::string& line : Split(Trim(log), '\n')) {
      Json event = Json::parse(line);
      EXPECT_EQ(event.begin().key(), "time");
      event.erase("time");
      events.push_back(DumpLine(event));
    }
    return events;
  }

  const CancelFlag cancel_;

 private:
  const std::filesystem::path folder_before_;
};

constexpr const char* kWrittenPassword = R"(=== leat.yaml
name: shop
connections:
  totesys:
    type: postgres
    host: postgresql://reader:pa55@db/totesys
    password: hunter2secret
    prot: 5432
)";

TEST_F(SessionTest, ShowsNoPasswordThatAFileHolds) {
  Write(kWrittenPassword);
  const std::string told = ToldFaults({});
  EXPECT_THAT(told, HasSubstr("error[LEAT0108]"));
  EXPECT_THAT(told, HasSubstr("    password: *************\n"));
  EXPECT_THAT(told, HasSubstr("//reader:****@db/totesys"));
  EXPECT_THAT(told, Not(HasSubstr("hunter2secret")));
  EXPECT_THAT(told, Not(HasSubstr("pa55")));
}

TEST_F(SessionTest, TellsFaultsAsEventsWhereTheLogIsJson) {
  Write(kWrittenPassword);
  CommandLine line;
  line.log_format = LogFormat::kJson;
  EXPECT_THAT(
      Events(ToldFaults(line)),
      ElementsAre(
          R"({"event":"error","code":"LEAT0105","at":"leat.yaml:5:11","msg":"connections.totesys.host is a URL; expected a name or an address"})",
          R"({"event":"error","code":"LEAT0108","at":"leat.yaml:6:15","msg":"connections.totesys.password stands in the file; expected ${NAME} or ${file:/path}"})",
          R"({"event":"error","code":"LEAT0102","at":"leat.yaml:7:5","msg":"unknown key 'prot'; did you mean port?"})"));
}

TEST_F(SessionTest, TellsNoFaultTwiceInALog) {
  CommandLine line;
  line.log_format = LogFormat::kJson;
  testing::internal::CaptureStderr();
  Session session(line, cancel_);
  const Diagnostic of_a_table{.code = "LEAT0203", .message = "column x does not exist"};
  session.logged().push_back(of_a_table);
  session.PrintDiagnostics({of_a_table, {.severity = Severity::kWarning, .code = "LEAT0119", .message = "old"}});
  EXPECT_THAT(Events(testing::internal::GetCapturedStderr()),
              ElementsAre(R"({"event":"warning","code":"LEAT0119","msg":"old"})"));
}

}  // namespace
}  // namespace leat::cli
