#include "config/secret_reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "config/project_fixture.h"
#include "config/redact.h"

namespace leat::config {
namespace {

class SecretReferenceTest : public ProjectTest {
 protected:
  SecretReference Reference(const std::string& written) {
    return {"totesys", written, {"leat.yaml", 3, 5, 0}, [this](const std::string& name) -> std::optional<std::string> {
              const auto found = variables.find(name);
              return found == variables.end() ? std::nullopt : std::optional(found->second);
            }};
  }
  std::string File(const std::string& name, const std::string& content, mode_t mode) {
    WriteFile(name, content);
    const std::string path = (folder / name).string();
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }
  std::string Fault(const SecretReference& reference) {
    try {
      reference.Resolve();
    } catch (const Error& error) {
      EXPECT_EQ(error.diagnostic().help.size(), 1u);
      return error.code() + " " + error.what();
    }
    return "";
  }
};

TEST_F(SecretReferenceTest, KnowsReferencesFromSecrets) {
  for (const char* right : {"${A}", "${A_b1}", "${file:/run/x}"})
    EXPECT_TRUE(SecretReference::IsReference(right)) << right;
  for (const char* wrong : {"", "${}", "${1A}", "$A", "x${A}", "${A}x", "${file:x}", "${other:x}", "${A-b}"})
    EXPECT_FALSE(SecretReference::IsReference(wrong)) << wrong;
}

TEST_F(SecretReferenceTest, PrefersTheVariableOfTheConnection) {
  variables = {{"LEAT_CONNECTIONS_TOTESYS_PASSWORD", "first"}, {"PW", "second"}};
  EXPECT_EQ(Reference("${PW}").Resolve().Reveal(), "first");
  variables.erase("LEAT_CONNECTIONS_TOTESYS_PASSWORD");
  EXPECT_EQ(Reference("${PW}").Resolve().Reveal(), "second");
  EXPECT_TRUE(Reference("").Resolve().empty());
  EXPECT_TRUE(SecretReference().Resolve().empty());
}

TEST_F(SecretReferenceTest, ReadsFilesThatOnlyTheirOwnerReads) {
  EXPECT_EQ(Reference("${file:" + File("pw", "s3cret\n", 0600) + "}").Resolve().Reveal(), "s3cret");
  const std::string open = File("open", "s3cret", 0644);
  EXPECT_EQ(Fault(Reference("${file:" + open + "}")),
            "LEAT0113 leat.yaml:3:5: others can read the secret file " + open + " (mode 0644); expected mode 0600");
}

TEST_F(SecretReferenceTest, ReadsSystemdCredentials) {
  File("totesys.password", "from systemd", 0440);
  variables = {{"CREDENTIALS_DIRECTORY", folder.string()}};
  EXPECT_EQ(Reference("").Resolve().Reveal(), "from systemd");
}

TEST_F(SecretReferenceTest, SaysWhatIsMissing) {
  EXPECT_EQ(Fault(Reference("${PW}")),
            "LEAT0109 leat.yaml:3:5: the environment variable PW is not set; connection 'totesys' takes its password "
            "from it");
  EXPECT_EQ(Fault(Reference("${file:/nowhere/pw}")),
            "LEAT0109 leat.yaml:3:5: the secret file /nowhere/pw does not exist");
  EXPECT_EQ(Fault(Reference("${file:" + folder.string() + "}")),
            "LEAT0113 leat.yaml:3:5: others can read the secret file " + folder.string() +
                " (mode 0755); expected mode 0600");
  EXPECT_EQ(Fault(Reference("${file:" + File("empty", "\n", 0600) + "}")),
            "LEAT0109 leat.yaml:3:5: the secret file " + (folder / "empty").string() + " is empty");
}

TEST_F(SecretReferenceTest, ListsWhereItLooks) {
  variables = {{"PW", "canary"}};
  EXPECT_THAT(Reference("${PW}").LookedIn(),
              testing::ElementsAre("LEAT_CONNECTIONS_TOTESYS_PASSWORD (not set)", "PW (set)"));
  EXPECT_THAT(Reference("").LookedIn(), testing::ElementsAre("LEAT_CONNECTIONS_TOTESYS_PASSWORD (not set)",
                                                             "$CREDENTIALS_DIRECTORY/totesys.password (absent)"));
}

TEST(RedactTest, HidesSecretsAndKeepsReferences) {
  EXPECT_EQ(RedactSecrets("a: {user: me, password: canary, x: 1}\n"), "a: {user: me, password: *************\n");
  EXPECT_EQ(RedactSecrets("a: {password: \"${PW}\", pasword: 'canary'}"),
            "a: {password: \"${PW}\", pasword: '********");
  EXPECT_EQ(RedactSecrets("password: |\n  canary\n  canary\nnext: 1"), "password: *\n  ******\n  ******\nnext: 1");
  EXPECT_EQ(RedactSecrets("  password:\n    canary\n  host: x\n"), "  password:\n    ******\n  host: x\n");
  EXPECT_EQ(RedactSecrets("{password canary}"), "{password *******");
  EXPECT_EQ(RedactSecrets("headers: {Authorization: Bearer canary}"), "headers: {Authorization: **************");
  EXPECT_EQ(RedactSecrets("auth: {type: basic, user: canary}"), "auth: {type: basic, user: *******");
  for (const char* open : {"paginate: {type: token, read: $.next}", "for_each: {stream: a, values: {i: id}}",
                           "text: the token of the user", "auth: {type: bearer, token: \"${T}\"}"})
    EXPECT_EQ(RedactSecrets(open), open);
  EXPECT_EQ(RedactSecrets("host: postgresql://me:canary@h/db # c"), "host: postgresql://me:******@h/db # c");
  EXPECT_EQ(RedactSecrets("pass\xC3\xA9: 1\n"), "pass\xC3\xA9: 1\n");
}

}  // namespace
}  // namespace leat::config
