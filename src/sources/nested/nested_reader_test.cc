#include "sources/nested/nested_reader.h"

#include <random>

#include "sources/nested/nested_fixture.h"

namespace leat::sources {
namespace {

using Kind = StreamOutcome::Kind;

TEST_F(NestedTest, ObjectsBecomeColumnsAndListsBecomeTables) {
  const StreamOutcome outcome = Read(
      R"([{"id": "s1", "plan": {"name": "Gold", "price": {"amount": 5}}, "tags": ["a", "b"], "addons": [
            {"id": "x", "quantity": 2, "tiers": [{"up_to": 10}, {"up_to": 20}]}, {"id": "y"}]},
          {"id": "s2", "addons": []}])");
  EXPECT_EQ(Message(outcome), "no diagnostic");
  EXPECT_EQ(Columns("billing.subs"), "id VARCHAR, plan_name VARCHAR, plan_price_amount BIGINT, tags VARCHAR[]");
  EXPECT_EQ(Rows("billing.subs"), "s1|Gold|5|[a, b]\ns2|NULL|NULL|NULL\n");
  EXPECT_EQ(Columns("billing.subs__addons"), "subs_id VARCHAR, position BIGINT, id VARCHAR, quantity BIGINT");
  EXPECT_EQ(Rows("billing.subs__addons"), "s1|1|x|2\ns1|2|y|NULL\n");
  EXPECT_EQ(Rows("billing.subs__addons__tiers"), "s1|1|1|10\ns1|1|2|20\n");
  EXPECT_EQ(Columns("billing.subs__addons__tiers"),
            "subs_id VARCHAR, addons_position BIGINT, position BIGINT, up_to BIGINT");
  EXPECT_EQ(engine::ProducerOf("billing.subs__addons__tiers__history"), "billing.subs");
  EXPECT_EQ(tables_.at({"billing", "subs__history"}).Property("leat.path.3"), R"(["plan","price","amount"])");
}

TEST_F(NestedTest, RecordsStandWhereThePathLeads) {
  rule().http.records.value = "$.list[*].sub";
  EXPECT_EQ(Read(R"({"list": [{"sub": {"id": 1}, "customer": {"id": 7}}, {"sub": {"id": 2}}], "next": "x"})").rows_read,
            2);
  EXPECT_EQ(Rows("billing.subs"), "1\n2\n");
  EXPECT_EQ(Read(R"({"list": []})").kind, Kind::kUnchanged);
  EXPECT_EQ(Read(R"({"next": null})").kind, Kind::kUnchanged);
}

TEST_F(NestedTest, ObjectsDeeperThanFlattenStayJson) {
  rule().http.flatten = 1;
  Read(R"([{"id": 1, "a": {"b": {"c": 1.10}, "d": 2}, "l": [{"x": {"y": {"z": 3}}}]}])");
  EXPECT_EQ(Rows("billing.subs", "a_b, a_d"), "{\"c\": 1.10}|2\n");
  EXPECT_EQ(Rows("billing.subs__l", "x_y"), "{\"z\": 3}\n");
}

TEST_F(NestedTest, NumbersKeepEveryDigit) {
  const StreamOutcome outcome = Read(
      R"([{"id": 1, "whole": 1.0, "rate": 1.0, "fraction": 123456789012345678901234567.123456789, "big": 9223372036854775808,
           "wide": 0.1, "exponent": 1.5e3},
          {"id": 2, "whole": 7,   "rate": 2.0, "fraction": 0.1, "big": -12345678901234567890123456789012345678,
           "wide": 0.12345678901, "exponent": 2}])");
  EXPECT_EQ(Message(outcome), "no diagnostic");
  EXPECT_EQ(
      Columns("billing.subs"),
      "id BIGINT, whole BIGINT, rate DECIMAL(38,9), fraction DECIMAL(38,9), big DECIMAL(38,0), wide DOUBLE, exponent "
      "BIGINT");
  EXPECT_EQ(Rows("billing.subs"),
            "1|1|1.000000000|123456789012345678901234567.123456789|9223372036854775808|0.1|1500\n"
            "2|7|2.000000000|0.100000000|-12345678901234567890123456789012345678|0.12345678901|2\n");
}

TEST_F(NestedTest, ADoubleThatWouldLoseADigitIsRefused) {
  Read(R"([{"id": 1, "x": 0.30000000000000004}, {"id": 2, "x": 0.1234567890123456789}, {"id": 3, "x": 1e400}])");
  EXPECT_EQ(Rows("billing.subs"), "1|0.30000000000000004\n");
  EXPECT_EQ(
      Rows("billing.subs__rejects", "reason, \"value\""),
      "a DOUBLE does not hold all its digits|0.1234567890123456789\na DOUBLE does not hold all its digits|1e400\n");
}

TEST_F(NestedTest, WhatIsMixedInOneBatchFindsATypeForAll) {
  Read(
      R"([{"id": 1, "text": "007", "json": {"a": 1}, "list": [1, "a"], "deep": [[1, 2], []], "flag": true, "none": null, "odd": [1, {"a": 2}]},
           {"id": 2, "text": 1.50, "json": [2], "list": [], "deep": [], "flag": false, "empty": {}, "odd": "x"}])");
  EXPECT_EQ(Columns("billing.subs"),
            "id BIGINT, text VARCHAR, json VARCHAR, list VARCHAR, deep BIGINT[][], flag BOOLEAN, odd VARCHAR");
  EXPECT_EQ(Rows("billing.subs"),
            "1|007|{\"a\": 1}|[1, \"a\"]|[[1, 2], []]|true|[1, {\"a\": 2}]\n2|1.50|[2]|[]|[]|false|\"x\"\n");
}

TEST_F(NestedTest, TextIsWhatItsEscapesSay) {
  Read(R"([{"id": 1, "t": "a\u00e9\ud83d\ude00\n\"", "j": "{\"a\": 1}", "k\u0065y": 3}, {"id": 2, "t": "\ud83d"}])");
  EXPECT_EQ(Rows("billing.subs", "id, t, j, key"), "1|aé😀\n\"|{\"a\": 1}|3\n");
  EXPECT_EQ(Rows("billing.subs__rejects", "reason, field"), "half a surrogate pair is no character|t\n");
}

TEST_F(NestedTest, TimesAreInUtc) {
  rule().http.timestamps = {Name("*_at"), Name("date")};
  Read(R"([{"id": 1, "created_at": 1700000000, "date": 1700000000.5, "note_at": "soon", "l": [{"seen_at": 1.0}]}])");
  EXPECT_EQ(Columns("billing.subs"),
            "id BIGINT, created_at TIMESTAMP WITH TIME ZONE, date TIMESTAMP WITH TIME ZONE, note_at VARCHAR");
  EXPECT_EQ(Rows("billing.subs", "epoch_us(created_at), epoch_us(date), note_at"),
            "1700000000000000|1700000000500000|soon\n");
  EXPECT_EQ(Rows("billing.subs__l", "epoch_us(seen_at)"), "1000000\n");
  rule().http.timestamps_unit = config::TimeUnit::kIso;
  stream_.info.name = "billing.iso";
  Read(
      R"([{"id": 1, "a_at": "2024-02-29T14:00:00.25+01:00"}, {"id": 2, "a_at": "2024-02-29"}, {"id": 3, "a_at": "2023-02-29"}])");
  EXPECT_EQ(Rows("billing.iso", "a_at::VARCHAR"), "2024-02-29 00:00:00+00\n2024-02-29 13:00:00.25+00\n");
  EXPECT_EQ(Rows("billing.iso__rejects", "\"value\""), "2023-02-29\n");
}

TEST_F(NestedTest, NamesAreClearAndStay) {
  const std::string deep(70, 'q');
  Read(fmt::format(
      R"([{{"id": 1, "a": {{"b": 1}}, "a_b": 2, "Id": 3, "_leat_seq": 4, "{0}x": 5, "{0}y": 6, "l": [{{"position": 9, "subs_id": 8}}]}}])",
      deep));
  EXPECT_EQ(Rows("billing.subs", "id, a_b, a_b_2, id_2, x_leat_seq"), "3|2|1|1|4\n");
  const std::string columns = Columns("billing.subs");
  EXPECT_NE(columns.find(std::string(54, 'q') + "_"), std::string::npos);
  EXPECT_EQ(Columns("billing.subs__l"), "subs_id BIGINT, position_2 BIGINT, position BIGINT, subs_id_2 BIGINT");
  // The first to come keeps its name, even where a shorter path wants it later.
  stream_.info.name = "billing.later";
  Read(R"([{"id": 1, "a": {"b": 1}}])");
  Read(R"([{"id": 2, "a": {"b": 1}, "a_b": 2}])");
  EXPECT_EQ(Rows("billing.later", "id, a_b, a_b_2"), "1|1|NULL\n2|1|2\n");
}

TEST_F(NestedTest, TheProjectChoosesColumnsTypesAndNames) {
  rule().columns.exclude = {Name("secret*"), Name("card"), Name("l.b")};
  rule().columns.types = {
      {"amount", Name("DECIMAL(10,2)")}, {"n", Name("VARCHAR")}, {"day", Name("DATE")}, {"j", Name("JSON")}};
  rule().rename = {{"a.b", Name("ab")}};
  Read(
      R"([{"id": 1, "amount": "12.50", "n": 1.0, "day": "2024-02-29", "j": 5, "a": {"b": 1}, "secret_x": 1, "card": {"no": 4}, "l": [{"a": 1, "b": 2}]},
           {"id": 2, "amount": 1.234}, {"id": 3, "day": "soon"}])");
  EXPECT_EQ(Columns("billing.subs"), "id BIGINT, amount DECIMAL(10,2), n VARCHAR, day DATE, j VARCHAR, ab BIGINT");
  EXPECT_EQ(Rows("billing.subs"), "1|12.50|1.0|2024-02-29|5|1\n");
  EXPECT_EQ(Columns("billing.subs__l"), "subs_id BIGINT, position BIGINT, a BIGINT");
  EXPECT_EQ(Rows("billing.subs__rejects", "reason, field, \"value\""),
            "expected DECIMAL(10,2)|amount|1.234\nexpected a time as ISO 8601 writes it|day|soon\n");
  rule().columns.types["amount"] = Name("BLOB");
  EXPECT_EQ(Message(Read("[]")).substr(0, 80),
            "LEAT0443 billing.subs: column amount cannot have the type BLOB; expected BOOLEAN");
  rule().columns.types["amount"] = Name("BIGINT");
  EXPECT_EQ(Message(Read(R"([{"id": 1, "amount": 1}])")),
            "LEAT0443 billing.subs: column \"amount\" has type DECIMAL(10,2) in the lake, its new rows have BIGINT");
}

TEST_F(NestedTest, NewAndMissingFieldsFollowTheRules) {
  Read(R"([{"id": 1, "a": 1}])");
  rule().columns.on_new = config::ColumnRules::New::kStop;
  EXPECT_EQ(Message(Read(R"([{"id": 2, "a": 1, "b": {"c": 1}}])")),
            "LEAT0414 billing.subs: column b.c is new at the source, and the project stops at new ones");
  rule().columns.on_new = config::ColumnRules::New::kIgnore;
  Read(R"([{"id": 2, "b": 1, "l": [{"x": 1}]}])");
  EXPECT_EQ(Rows("billing.subs"), "1|1\n2|NULL\n");
  rule().columns.on_missing = config::ColumnRules::Missing::kStop;
  EXPECT_EQ(Message(Read(R"([{"id": 3}])")),
            "LEAT0415 billing.subs: column a is gone from the source, and the project stops at missing ones");
  EXPECT_EQ(Rows("billing.subs", "id"), "1\n2\n");
}

TEST_F(NestedTest, AVersionIsWrittenForWhatChanged) {
  rule().version = Name("v");
  Read(R"([{"id": 1, "v": 1, "n": "a", "l": [{"x": 1}, {"x": 2}]}, {"id": 2, "v": 1, "l": [{"x": 1}]}])");
  const StreamOutcome outcome =
      Read(R"([{"id": 1, "v": 1, "n": "a", "l": [{"x": 1}, {"x": 2}]}, {"id": 2, "v": 2, "l": [{"x": 7}, {"x": 8}]}])");
  EXPECT_EQ(Message(outcome), "no diagnostic");
  EXPECT_EQ(outcome.rows_written, 1);
  EXPECT_EQ(outcome.rows_repeated, 1);
  EXPECT_EQ(Rows("billing.subs", "id, v"), "1|1\n2|2\n");
  EXPECT_EQ(Rows("billing.subs__l", "subs_id, position, x"), "1|1|1\n1|2|2\n2|1|7\n2|2|8\n");
  EXPECT_EQ(Rows("billing.subs__history", "id, v, _leat_seq >> 24, _leat_run"), "1|1|1|101\n2|1|1|101\n2|2|2|102\n");
}

TEST_F(NestedTest, AListAloneMakesAVersion) {
  Read(R"([{"id": 1, "l": [{"x": 1}]}, {"id": 2, "l": [{"x": 1}, {"x": 2}]}, {"id": 3}, {"id": 4, "l": [{"x": 1}]}])");
  const StreamOutcome outcome =
      Read(R"([{"id": 1, "l": [{"x": 1}]}, {"id": 2, "l": [{"x": 1}]}, {"id": 3, "l": [{}]}, {"id": 4}])");
  EXPECT_EQ(outcome.rows_written, 3);
  EXPECT_EQ(Rows("billing.subs__l"), "1|1|1\n2|1|1\n3|1|NULL\n");
  EXPECT_EQ(Read(R"([{"id": 4}, {"id": 2, "l": [{"x": 1}]}])").kind, Kind::kUnchanged);
  // A list that no record had before, in a list that was there.
  EXPECT_EQ(Read(R"([{"id": 1, "l": [{"x": 1, "t": [{"y": 1}]}]}])").rows_written, 1);
  EXPECT_EQ(Rows("billing.subs__l__t"), "1|1|1|1\n");
  EXPECT_EQ(Rows("billing.subs__l", "subs_id, x"), "1|1\n2|1\n3|NULL\n");
}

TEST_F(NestedTest, OfSeveralVersionsTheGreatestCounts) {
  rule().version = Name("v");
  const StreamOutcome first = ReadAll({R"([{"id": 1, "v": 2, "n": "late"}, {"id": 2, "v": 1, "n": "a"}])",
                                       R"([{"id": 1, "v": 1, "n": "early"}, {"id": 2, "v": 1, "n": "b"}])"});
  EXPECT_EQ(first.rows_repeated, 2);
  EXPECT_EQ(Rows("billing.subs", "id, n"), "1|late\n2|b\n");
  EXPECT_EQ(Read(R"([{"id": 1, "v": 1, "n": "older"}])").rows_repeated, 1);
  EXPECT_EQ(Read(R"([{"id": 1, "v": 2, "n": "same version"}])").rows_written, 1);
  EXPECT_EQ(Rows("billing.subs", "id, n"), "1|same version\n2|b\n");
}

TEST_F(NestedTest, ADeletedRecordIsGoneUntilAGreaterVersion) {
  rule().version = Name("v");
  rule().http.deleted = {{Name("gone"), "true"}};
  Read(R"([{"id": 1, "v": 1, "l": [{"x": 1}]}, {"id": 2, "v": 1}, {"id": 3, "v": 9, "gone": true}])");
  EXPECT_EQ(Rows("billing.subs", "id"), "1\n2\n");
  const StreamOutcome outcome = Read(R"([{"id": 1, "v": 2, "gone": true, "l": [{"x": 1}]}])");
  EXPECT_EQ(outcome.rows_deleted, 1);
  EXPECT_EQ(outcome.rows_total, 1);
  EXPECT_EQ(Rows("billing.subs", "id"), "2\n");
  EXPECT_EQ(Rows("billing.subs__l"), "");
  // The deletes lie in superseded files by now, where only the guard looks.
  EXPECT_EQ(Read(R"([{"id": 1, "v": 1}, {"id": 3, "v": 8}])").kind, Kind::kUnchanged);
  EXPECT_EQ(Read(R"([{"id": 1, "v": 3, "l": [{"x": 5}]}, {"id": 3, "v": 9, "gone": true}])").rows_total, 2);
  EXPECT_EQ(Rows("billing.subs", "id, v"), "1|3\n2|1\n");
  EXPECT_EQ(Rows("billing.subs__l"), "1|1|5\n");
}

TEST_F(NestedTest, WhatDoesNotFitIsSetAside) {
  Read(R"([{"id": 1, "n": 5, "o": {"a": 1}, "l": [{"x": 1}]}])");
  const StreamOutcome outcome =
      ReadAll({R"([{"id": 1, "n": 6}])",
               R"([{"id": 2, "n": 1.5}, {"n": 1}, 7, {"id": 3, "n": 9}, {"id": 4, "n": 1, "n": 2}, {"id": 5, "o": 3}])",
               R"([{"id": 6, "l": [{"x": 1}, {"x": "no"}]}])"});
  EXPECT_EQ(Message(outcome),
            "LEAT0445 billing.subs: 6 of 8 records cannot be rows and were set aside; the first: n is 1.5: expected "
            "BIGINT, in landing/billing/subs/_/000000000002-1/000003.gz");
  EXPECT_EQ(Rows("billing.subs", "id, n"), "1|6\n3|9\n");
  EXPECT_EQ(Rows("billing.subs__l"), "");
  EXPECT_EQ(Rows("billing.subs__rejects", "landed_in[-4], ordinal, reason, field, \"value\", record"),
            "3|1|expected BIGINT|n|1.5|{\"id\": 2, \"n\": 1.5}\n"
            "3|2|the key has no value|id|NULL|{\"n\": 1}\n"
            "3|3|expected an object||7|7\n"
            "3|5|the field stands there twice|n|2|{\"id\": 4, \"n\": 1, \"n\": 2}\n"
            "3|6|expected an object|o|3|{\"id\": 5, \"o\": 3}\n"
            "4|1|expected BIGINT|l.x|no|{\"id\": 6, \"l\": [{\"x\": 1}, {\"x\": \"no\"}]}\n");
}

TEST_F(NestedTest, TooManyRejectsStopTheStream) {
  rule().rejects_max = 1;
  Read(R"([{"id": 1}])");
  const StreamOutcome outcome = Read(R"([{"id": 2}, {"no": 1}, {"no": 2}])");
  EXPECT_EQ(outcome.kind, Kind::kFailed);
  EXPECT_EQ(Message(outcome),
            "LEAT0441 billing.subs: 2 of 3 records cannot be rows, and more than 1 stop the stream; the first: id: the "
            "key has no value, in landing/billing/subs/_/000000000002-1/000002.gz");
  EXPECT_EQ(Rows("billing.subs"), "1\n");
}

TEST_F(NestedTest, AKeyThatNoRecordHasIsAFaultOfTheProject) {
  EXPECT_EQ(Message(Read(R"([{"ident": 2}])")), "LEAT0442 billing.subs: none of the 1 records has the key id");
  EXPECT_EQ(Message(Read(R"([{"id": [2]}])")),
            "LEAT0442 billing.subs: the key id is a list in some records; expected one plain value");
}

TEST_F(NestedTest, APageThatIsNotWhatItsFormatSaysStopsTheRead) {
  const auto fault = [&](const std::string& text) -> std::string {
    try {
      Read(text);
    } catch (const Error& error) {
      return error.message();
    }
    return "no error";
  };
  const std::string page = "billing.subs: landing/billing/subs/_/00000000000";
  EXPECT_EQ(fault("<html>"),
            page + "1-1/000001.gz is not the JSON expected: at byte 1 stands '<html>', expected a value");
  EXPECT_EQ(fault(R"([{"id": 1}, {"id)"),
            page + "2-1/000002.gz is not the JSON expected: at byte 17 stands '', expected the end of a string");
  EXPECT_EQ(fault("[1] [2]"),
            page + "3-1/000003.gz is not the JSON expected: at byte 5 stands '[2]', expected the end");
  EXPECT_EQ(fault("[\"\xff\"]"), page + "4-1/000004.gz is not in UTF-8, as JSON has to be");
  storage_->Write("landing/x.gz", Gzip("[{\"id\": 1}]").substr(0, 20));
  EXPECT_THROW(ReadPages({{.name = "landing/x.gz", .bytes = 11, .ordinal = 1}}), Error);
}

TEST_F(NestedTest, ATableWithoutKeyIsReplaced) {
  stream_.info.key.clear();
  EXPECT_EQ(Read(R"([{"a": 1, "l": [{"x": 1}]}, {"a": 1, "l": [{"x": 1}]}])").rows_total, 2);
  EXPECT_EQ(Rows("billing.subs"), "1|[{\"x\": 1}]\n1|[{\"x\": 1}]\n");
  EXPECT_EQ(Read(R"([{"a": 1, "l": [{"x": 1}]}, {"a": 1, "l": [{"x": 1}]}])").kind, Kind::kUnchanged);
  Read(R"([{"a": 2}])");
  EXPECT_EQ(Rows("billing.subs", "a"), "2\n");
}

TEST_F(NestedTest, GivenColumnsComeFirstAndAreOfTheKey) {
  stream_.given_columns = {"site"};
  stream_.info.key = {"site", "id"};
  const auto page = [&](const char* text, const char* site) { return Land(text, {site}); };
  ReadPages({page(R"([{"id": 1, "site": "own", "l": [{"x": 1}]}])", "eu"), page(R"([{"id": 1}])", "us")});
  EXPECT_EQ(Rows("billing.subs", "site, id, site_2"), "eu|1|own\nus|1|NULL\n");
  EXPECT_EQ(Rows("billing.subs__l"), "eu|1|1|1\n");
}

TEST_F(NestedTest, WhatAnAskedParentNoLongerHasIsDeleted) {
  stream_.given_columns = {"invoice_id"};
  stream_.info.key = {"invoice_id", "id"};
  rule().http.for_each.emplace();
  const auto page = [&](const char* text, const char* invoice) { return Land(text, {invoice}); };
  Publish(RunAsked(
      {page(R"([{"id": 1, "n": 1}, {"id": 2}])", "a"), page(R"([{"id": 1}])", "b"), page(R"([{"id": 9}])", "c")}));
  const StreamOutcome outcome = Publish(RunAsked({page(R"([{"id": 2}, {"id": 3}])", "a"), page("[]", "b")}));
  EXPECT_EQ(outcome.rows_deleted, 2);
  EXPECT_EQ(outcome.rows_total, 3);
  EXPECT_EQ(Rows("billing.subs", "invoice_id, id"), "a|2\na|3\nc|9\n");
  Publish(RunAsked({page(R"([{"id": 1, "n": 1}, {"id": 2}])", "a"), page(R"([{"id": 9, "n": "no number"}])", "c")}));
  EXPECT_EQ(Rows("billing.subs", "invoice_id, id"), "a|1\na|2\nc|9\n");
  const std::string versions = "invoice_id, id, n, _leat_op, _leat_seq, _leat_run, epoch_us(_leat_time)";
  const std::string before = Rows("billing.subs__history", versions);
  rule().columns.types = {{"n", Name("BIGINT")}};
  Rebuild();
  EXPECT_EQ(Rows("billing.subs__history", versions), before);
}

TEST_F(NestedTest, ANewKeyBeginsANewBase) {
  Read(R"([{"id": 1, "k": "a", "l": [{"x": 1}]}, {"id": 2, "k": "b"}])");
  stream_.info.key = {"k"};
  Read(R"([{"id": 5, "k": "a", "l": [{"x": 2}]}])");
  EXPECT_EQ(Rows("billing.subs", "id, k"), "5|a\n");
  EXPECT_EQ(Rows("billing.subs__l", "subs_k, x"), "a|2\n");
  EXPECT_EQ(Rows("billing.subs__history", "id"), "1\n2\n5\n");
}

TEST_F(NestedTest, JsonLinesAreRecords) {
  rule().http.format = config::RecordFormat::kJsonLines;
  Read("{\"id\": 1, \"a\": \"x\"}\r\n\n{\"id\": 2}\n");
  EXPECT_EQ(Rows("billing.subs"), "1|x\n2|NULL\n");
}

TEST_F(NestedTest, CsvIsTypedAsFarAsEveryValueAllows) {
  rule().http.format = config::RecordFormat::kCsv;
  rule().http.csv.nulls = {"N/A"};
  stream_.info.key = {"date"};
  Read("Date,USD,Code,Name,Old,\n2024-01-02,1.0956,007,\"a, \"\"b\"\"\",N/A,\n2024-01-03,1,12,,N/A,\n");
  EXPECT_EQ(Columns("billing.subs"), "date DATE, usd DECIMAL(38,9), code VARCHAR, name VARCHAR, old VARCHAR");
  EXPECT_EQ(Rows("billing.subs"), "2024-01-02|1.095600000|007|a, \"b\"|NULL\n2024-01-03|1.000000000|12|NULL|NULL\n");
}

/// Random records, changes and deletes over many commits; what is current and what all versions were is kept beside it.
TEST_F(NestedTest, ManyCommitsAndTheirRebuildAgreeWithABook) {
  rule().version = Name("v");
  rule().http.deleted = {{Name("gone"), "true"}};
  std::mt19937 random(7);
  std::map<int, std::pair<int, std::vector<int>>> current;
  int64_t versions = 0, children = 0;
  for (int commit = 1; commit <= 30; ++commit) {
    std::string text;
    std::set<int> used;
    for (int i = 0; i < 12; ++i) {
      const int id = static_cast<int>(random() % 40);
      if (!used.insert(id).second) continue;
      const bool gone = random() % 6 == 0;
      std::vector<int> list;
      for (unsigned n = random() % 4; n > 0; --n) list.push_back(static_cast<int>(random() % 100));
      std::string items;
      for (const int x : list) items += fmt::format("{}{{\"x\": {}}}", items.empty() ? "" : ", ", x);
      text += fmt::format("{}{{\"id\": {}, \"v\": {}, \"gone\": {}, \"l\": [{}]}}", text.empty() ? "" : ", ", id,
                          commit, gone, items);
      ++versions;
      if (gone) {
        current.erase(id);
      } else {
        current[id] = {commit, list};
        children += static_cast<int64_t>(list.size());
      }
    }
    const StreamOutcome outcome = Read("[" + text + "]");
    ASSERT_EQ(Message(outcome), "no diagnostic");
    EXPECT_EQ(outcome.rows_total, static_cast<int64_t>(current.size()));
  }
  std::string rows, items;
  std::vector<std::string> lines, child_lines;
  for (const auto& [id, row] : current) {
    lines.push_back(fmt::format("{}|{}\n", id, row.first));
    for (size_t i = 0; i < row.second.size(); ++i)
      child_lines.push_back(fmt::format("{}|{}|{}\n", id, i + 1, row.second[i]));
  }
  const auto expect_book = [&] {
    EXPECT_EQ(Rows("billing.subs", "id, v"), Join(lines, ""));
    EXPECT_EQ(Rows("billing.subs__l"), Join(child_lines, ""));
    EXPECT_EQ(tables_.at({"billing", "subs__history"}).record_count(), versions);
    EXPECT_EQ(tables_.at({"billing", "subs__l__history"}).record_count(), children);
  };
  expect_book();
  // The base moved, and the children's superseded rows left the files that current reads open.
  EXPECT_GT(std::stoll(tables_.at({"billing", "subs__history"}).Property("leat.base_seq").value()) >> 24, 20);
  int64_t live = 0;
  for (const lake::DataFile& file : engine_.Find({"billing", "subs__l__history"})->LiveFiles())
    live += file.record_count;
  EXPECT_LT(live, children / 3);
  const std::string history = "id, v, gone, _leat_op, _leat_seq, _leat_run, epoch_us(_leat_time)";
  const std::string before = Rows("billing.subs__history", history), lists = Rows("billing.subs__l__history");
  const StreamOutcome rebuilt = Rebuild();
  EXPECT_EQ(Message(rebuilt), "no diagnostic");
  expect_book();
  EXPECT_EQ(Rows("billing.subs__history", history), before);
  EXPECT_EQ(Rows("billing.subs__l__history"), lists);
}

TEST_F(NestedTest, ARebuildFindsTypesAnew) {
  Read(R"([{"id": 1, "n": 5, "a": {"b": 1}}])");
  Read(R"([{"id": 2, "n": 1.5, "a_b": 2}])");
  EXPECT_EQ(Rows("billing.subs", "id"), "1\n");
  const StreamOutcome outcome = Rebuild();
  EXPECT_EQ(outcome.rows_rejected, 0);
  EXPECT_EQ(Rows("billing.subs", "id, n, a_b, a_b_2"), "1|5.000000000|1|NULL\n2|1.500000000|NULL|2\n");
  EXPECT_EQ(Rows("billing.subs__rejects"), "");
  EXPECT_EQ(Read(R"([{"id": 2, "n": 1.5, "a_b": 2}])").kind, Kind::kUnchanged);
}

TEST_F(NestedTest, AChildsVersionFollowsItsParents) {
  Read(R"([{"id": 1, "n": 1, "l": [{"x": 1}]}, {"id": 2, "l": [{"x": 2}]}])");
  EXPECT_EQ(Rows("billing.subs__l", "x"), "1\n2\n");
  const std::string before = engine_.VersionOf("billing.subs__l");
  Read(R"([{"id": 1, "n": 2}])");
  EXPECT_NE(engine_.VersionOf("billing.subs__l"), before);
  EXPECT_EQ(Rows("billing.subs__l", "x"), "2\n");
}

/// Names that leat's own columns have, or had once, on the way of a record.
class NamesInsideTest : public NestedTest, public testing::WithParamInterface<const char*> {};

TEST_P(NamesInsideTest, AFieldMayBeCalledLikeAKey) {
  stream_.info.key = {GetParam()};
  const std::string name = GetParam();
  const auto record = [&](int id, int x) {
    return fmt::format(R"({{"{0}": {1}, "other": {2}, "items": [{{"{0}": {2}}}]}})", name, id, x);
  };
  const StreamOutcome outcome = Read(fmt::format("[{}, {}, {}]", record(1, 1), record(2, 2), record(3, 3)));
  EXPECT_EQ(Message(outcome), "no diagnostic");
  EXPECT_EQ(outcome.rows_written, 3);
  EXPECT_EQ(Message(Read(fmt::format("[{}, {}, {}]", record(1, 1), record(2, 7), record(3, 3)))), "no diagnostic");
  const std::string rows = Rows("billing.subs", QuoteIdentifier(name) + ", * EXCLUDE (" + QuoteIdentifier(name) + ")");
  EXPECT_EQ(rows, "1|1\n2|7\n3|3\n");
  EXPECT_EQ(Message(Rebuild()), "no diagnostic");
  EXPECT_EQ(Rows("billing.subs"), rows);
  EXPECT_EQ(Rows("billing.subs__items"), "1|1|1\n2|1|7\n3|1|3\n");
}

TEST_P(NamesInsideTest, AGivenColumnMayBeCalledLikeThat) {
  const std::string name = GetParam();
  stream_.given_columns = {name};
  stream_.info.key = {name, "id"};
  const auto ask = [&](const std::string& text) {
    const StreamOutcome outcome =
        Publish(RunAsked({Land(text, {"eu"}), Land("[{\"id\": 1, \"items\": [{\"y\": 1}]}]", {"us"})}));
    EXPECT_EQ(Message(outcome), "no diagnostic");
  };
  ask("[{\"id\": 1}, {\"id\": 2, \"items\": [{\"y\": 5}]}]");
  ask("[{\"id\": 2, \"items\": [{\"y\": 6}]}]");
  const std::string columns = QuoteIdentifier(name) + ", id";
  EXPECT_EQ(Rows("billing.subs", columns), "eu|2\nus|1\n");
  EXPECT_EQ(Rows("billing.subs__items", QuoteIdentifier(name) + ", subs_id, y"), "eu|2|6\nus|1|1\n");
}

INSTANTIATE_TEST_SUITE_P(Names, NamesInsideTest,
                         testing::Values("page", "ordinal", "name", "place", "seq", "run", "time_us", "s", "i", "c",
                                         "x", "n", "l", "a", "p", "k", "t", "newest_seq", "newest_op", "differs",
                                         "is_departed", "is_current", "before", "is_gone", "record", "position",
                                         "newest", "row", "misfit", "children"));

TEST_F(NestedTest, AFieldThatRepeatsAGivenColumnIsNoColumn) {
  stream_.given_columns = {"site"};
  stream_.info.key = {"site", "id"};
  ReadPages({Land(R"([{"id": 1, "site": "eu"}, {"id": 2, "site": null}, {"id": 3, "t": "\ud83d"}])", {"eu"})});
  EXPECT_EQ(Columns("billing.subs"), "site VARCHAR, id BIGINT, t VARCHAR");
  ReadPages({Land(R"([{"id": 4, "site": "other"}])", {"eu"})});
  EXPECT_EQ(Rows("billing.subs", "site, id, site_2"), "eu|1|NULL\neu|2|NULL\neu|4|other\n");
}

TEST_F(NestedTest, VersionsInTextAreComparedAsWhatTheySay) {
  rule().version = Name("v");
  Read(R"([{"id": 1, "v": "9"}])");
  Read(R"([{"id": 1, "v": "10"}])");
  EXPECT_EQ(Rows("billing.subs", "v"), "10\n");
  EXPECT_EQ(Read(R"([{"id": 1, "v": "9"}])").rows_repeated, 1);
  stream_.info.name = "billing.times";
  Read(R"([{"id": 1, "v": "2024-01-01T10:00:00+02:00"}])");
  Read(R"([{"id": 1, "v": "2024-01-01T09:00:00Z"}])");
  EXPECT_EQ(Rows("billing.times", "v"), "2024-01-01T09:00:00Z\n");
  EXPECT_EQ(
      Message(Read(R"([{"id": 1, "v": "1.2.3"}])")),
      "LEAT0448 billing.times: `version` names v, which holds text; expected numbers or times, which have an order");
}

TEST_F(NestedTest, TimesInEveryFormOfIso8601) {
  rule().http.timestamps = {Name("at")};
  rule().http.timestamps_unit = config::TimeUnit::kIso;
  Read(R"([{"id": 1, "at": "2026-07-01T00:00:00.123456789Z"}, {"id": 2, "at": "20260701T000102Z"}, {"id": 3, "at": ""},
           {"id": 4, "at": "20260701T0203+0200"}])");
  EXPECT_EQ(Rows("billing.subs", "id, \"at\"::VARCHAR"),
            "1|2026-07-01 00:00:00.123456+00\n2|2026-07-01 00:01:02+00\n3|NULL\n4|2026-07-01 00:03:00+00\n");
}

TEST_F(NestedTest, AChildsNameEndsItsParentsName) {
  Read(R"([{"id": 1, "2024_items": [{"x": 1}], "_y": [{"x": 2}]}])");
  EXPECT_EQ(Rows("billing.subs__2024_items", "x"), "1\n");
  EXPECT_EQ(Rows("billing.subs__y", "x"), "2\n");
}

TEST_F(NestedTest, ARebuildRenamesOnce) {
  Read(R"([{"id": 1, "a": {"b": 5}}])");
  rule().rename = {{"a.b", Name("w")}};
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Message(Rebuild()), "no diagnostic");
    EXPECT_EQ(Columns("billing.subs"), "id BIGINT, w BIGINT");
    EXPECT_EQ(Message(Read(R"([{"id": 1, "a": {"b": 6}}])")), "no diagnostic");
    EXPECT_EQ(Rows("billing.subs"), "1|6\n");
  }
}

TEST_F(NestedTest, OneOddRecordDoesNotUndoAListInARebuild) {
  Read(R"([{"id": 1, "l": [{"x": 5}]}])");
  Read(R"([{"id": 2, "l": {"x": 6}}, {"id": 3, "l": [{"x": 7}]}])");
  EXPECT_EQ(Rebuild().rows_rejected, 1);
  EXPECT_EQ(Rows("billing.subs__l"), "1|1|5\n3|1|7\n");
}

}  // namespace
}  // namespace leat::sources
