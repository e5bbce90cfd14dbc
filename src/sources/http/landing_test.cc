#include "sources/http/landing.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/file_system.h"
#include "sources/http/http_fixture.h"

namespace leat::sources {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class LandingTest : public HttpSourceFixture {
 protected:
  LandingTest() : lake_(folder / "lake"), storage_(lake::OpenLocalStorage(lake_)) {
    Read("partitions: {site: [eu, us]}\nkey: id\nstreams: {invoices: {}}");
  }

  LandedRead ReadOf(int64_t commit, const std::string& now = "2024-05-01T00:00:00Z") const {
    return {.stream = "api.invoices",
            .partition = "eu",
            .run = commit + 10,
            .commit_number = commit,
            .now = ParseTimestamp(now),
            .span = {},
            .in_full = {{"eu"}}};
  }
  /// Land one read of these answers and give the names of its pages.
  std::vector<std::string> Land(const LandedRead& read, const std::vector<std::string>& bodies, bool close = true) {
    LandingFolder landing(*storage_, streams()[0], read);
    std::vector<std::string> names;
    for (const std::string& body : bodies) {
      http::Request request;
      request.url = http::Url::Parse("https://api.acme.example/v2/invoices?k=sesame&page=1");
      names.push_back(landing.Keep(request, Answered(body), {Secret("sesame")}, 1, ++arrivals_, {"eu"}).name);
    }
    if (close) landing.Close(read);
    return names;
  }
  std::string File(const std::string& name) const { return lake_ + "/" + name; }

  std::string lake_;
  std::unique_ptr<lake::Storage> storage_;
  int64_t arrivals_ = 0;
};

TEST_F(LandingTest, IsReadBackAsItWasWritten) {
  const auto names = Land(ReadOf(3), {"[1]", std::string(100'000, 'x')});
  const auto landed = ReadLanding(*storage_, streams()[0], 4);
  ASSERT_THAT(landed, SizeIs(1));
  EXPECT_EQ(landed[0].read.run, 13);
  EXPECT_EQ(landed[0].read.now, ParseTimestamp("2024-05-01T00:00:00Z"));
  EXPECT_THAT(landed[0].read.in_full, ElementsAre(ElementsAre("eu")));
  ASSERT_THAT(landed[0].pages, SizeIs(2));
  const LandedPage& page = landed[0].pages[1];
  EXPECT_EQ(page.name, names[1]);
  EXPECT_EQ(page.bytes, 100'000);
  EXPECT_EQ(page.commit_number, 3);
  EXPECT_EQ(page.ordinal, 2);
  EXPECT_THAT(page.given, ElementsAre("eu"));
  EXPECT_THAT(names[0], testing::MatchesRegex("landing/api/invoices/eu/000000000003-[0-9a-f]+/000001.json.gz"));
}

TEST_F(LandingTest, KeepsTheBytesThatTheServerPacked) {
  LandingFolder landing(*storage_, streams()[0], ReadOf(1));
  http::Response response = Answered("[]");
  response.gzip = "as packed there";
  const LandedPage page = landing.Keep({.url = response.url}, response, {}, 0, 1, {"eu"});
  EXPECT_EQ(ReadFile(File(page.name)), "as packed there");
}

TEST_F(LandingTest, TellsWhatWasAskedButNoSecret) {
  const auto names = Land(ReadOf(1), {"[]"});
  const std::string index = ReadFile(ParentPath(File(names[0])) + "/pages.jsonl");
  EXPECT_THAT(index, testing::Not(HasSubstr("sesame")));
  const auto line = nlohmann::json::parse(index.substr(index.find('\n') + 1));
  EXPECT_EQ(line.at("url"), "https://api.acme.example/v2/invoices?k=****&page=1");
  EXPECT_EQ(line.at("headers").at("content-type"), "application/json");
  EXPECT_EQ(line.at("records"), 1);
}

TEST_F(LandingTest, CountsOnlyReadsThatEndedAndWereCommitted) {
  Land(ReadOf(1), {"[1]"});
  Land(ReadOf(2), {"[2]"}, false);
  Land(ReadOf(3), {"[3]"});
  Land(ReadOf(3, "2024-05-02T00:00:00Z"), {"[33]", "[34]"});
  Land(ReadOf(4), {"[4]"});
  const auto landed = ReadLanding(*storage_, streams()[0], 4);
  ASSERT_THAT(landed, SizeIs(2));
  EXPECT_EQ(landed[0].read.commit_number, 1);
  EXPECT_THAT(landed[1].pages, SizeIs(2)) << "a commit is made once: the last read for it was the one";
}

TEST_F(LandingTest, NamesTheFileThatIsDamaged) {
  const auto names = Land(ReadOf(1), {"[1]", "[2]"});
  const auto fault = [&] { return ErrorOf([&] { ReadLanding(*storage_, streams()[0], 9); }); };
  const std::string good = ReadFile(File(names[1]));
  const auto put = [&](const std::string& bytes) { std::ofstream(File(names[1]), std::ios::binary) << bytes; };

  put(good.substr(0, good.size() - 3));
  EXPECT_THAT(fault(), HasSubstr(File(names[1]) + " is damaged; expected a whole gzip file"));
  std::string flipped = good;
  flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 1);
  put(flipped);
  EXPECT_THAT(fault(), HasSubstr(File(names[1]) + " is damaged"));
  put(ReadFile(File(Land(ReadOf(7), {"[22]"})[0])));
  EXPECT_THAT(fault(), HasSubstr("holds 4 bytes; expected 3"));
  std::filesystem::remove(File(names[1]));
  EXPECT_THAT(fault(), HasSubstr(File(names[1]) + " is missing"));
  put(good);
  EXPECT_EQ(fault(), "no error");
  std::ofstream(ParentPath(File(names[1])) + "/pages.jsonl", std::ios::app) << "{\"file\":";
  EXPECT_THAT(fault(), HasSubstr("pages.jsonl is damaged; expected one JSON object on each line"));
}

TEST_F(LandingTest, DoesNotCountReadsWhoseCommitWasNeverMade) {
  Land(ReadOf(1), {"[1]"});
  const auto lost = Land(ReadOf(2), {"[2]"});
  StrikeUnpublished(*storage_, "api", 2);
  EXPECT_THAT(ReadLanding(*storage_, streams()[0], 9), SizeIs(1)) << "another run has made a commit of that number";
  EXPECT_EQ(storage_->List(ParentPath(lost[0])).size(), 2u) << "its page and what it was asked with stay";
  Land(ReadOf(2, "2024-05-02T00:00:00Z"), {"[22]"});
  StrikeUnpublished(*storage_, "api", 3);
  EXPECT_THAT(ReadLanding(*storage_, streams()[0], 9), SizeIs(2));
}

TEST_F(LandingTest, WithoutPagesTellsWhatWasAskedInFull) {
  LandedRead read = ReadOf(1);
  read.in_full.clear();
  Land(read, {});
  EXPECT_THAT(storage_->List("landing"), IsEmpty());
  Land(ReadOf(2), {});
  const auto landed = ReadLanding(*storage_, streams()[0], 9);
  ASSERT_THAT(landed, SizeIs(1));
  EXPECT_THAT(landed[0].read.in_full, ElementsAre(ElementsAre("eu")));
  EXPECT_THAT(landed[0].pages, IsEmpty());
}

}  // namespace
}  // namespace leat::sources
