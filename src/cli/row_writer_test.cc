#include "cli/row_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/terminal_fixture.h"
#include "core/error.h"

namespace leat::cli {
namespace {

class RowWriterTest : public testing::Test {
 protected:
  std::string Write(const std::string& sql, RowFormat format, const Terminal& terminal = kPipe,
                    const RowLimit& limit = {}) {
    std::string text;
    const auto result = connection_.Stream(sql);
    written_ = WriteRows(*result, format, limit, terminal, [&](std::string_view piece) { text += piece; });
    return text;
  }
  /// The JSON of the one value of a SELECT.
  std::string JsonOf(const std::string& expression) {
    const std::string text = Write("SELECT " + expression + " AS v", RowFormat::kJson);
    return text.substr(7, text.size() - 7 - 4);
  }
  std::string TextOf(const std::string& expression) {
    const std::string text = Write("SELECT " + expression + " AS v", RowFormat::kCsv);
    return text.substr(2, text.size() - 3);
  }

  duck::Database database_;
  duck::Connection connection_{database_};
  RowsWritten written_;
};

TEST_F(RowWriterTest, DrawsATable) {
  EXPECT_EQ(Write("SELECT 1 AS id, 'Zürich' AS city UNION ALL SELECT 23, NULL ORDER BY id", RowFormat::kTable),
            "┌────┬────────┐\n"
            "│ id │ city   │\n"
            "├────┼────────┤\n"
            "│  1 │ Zürich │\n"
            "│ 23 │ NULL   │\n"
            "└────┴────────┘\n");
  EXPECT_EQ(Write("SELECT 1 AS id, 'x' AS city", RowFormat::kTable, kAsciiPipe),
            "+----+------+\n"
            "| id | city |\n"
            "+----+------+\n"
            "|  1 | x    |\n"
            "+----+------+\n");
}

TEST_F(RowWriterTest, MarksNullAndHeaderOnATerminal) {
  const Terminal terminal{.width = 60, .escapes = true, .unicode = true};
  const std::string table = Write("SELECT NULL::INTEGER AS a", RowFormat::kTable, terminal);
  EXPECT_THAT(table, testing::HasSubstr("│ \x1b[1m   a\x1b[0m │"));
  EXPECT_THAT(table, testing::HasSubstr("│ \x1b[2mNULL\x1b[0m │"));
}

TEST_F(RowWriterTest, FitsTheTerminalAndNamesColumnsWithoutRoom) {
  const Terminal narrow{.width = 30, .unicode = true};
  EXPECT_EQ(Write("SELECT 'a rather long text for this' AS t, 7 AS n", RowFormat::kTable, narrow),
            "┌────────────────────────┬───┐\n"
            "│ t                      │ n │\n"
            "├────────────────────────┼───┤\n"
            "│ a rather long text fo… │ 7 │\n"
            "└────────────────────────┴───┘\n");
  EXPECT_THAT(
      Write("SELECT 'abcdefgh' AS a, 'abcdefgh' AS b, 'abcdefgh' AS c, 'abcdefgh' AS d", RowFormat::kTable, narrow),
      testing::EndsWith("… 2 more columns: c, d\n"));
  // Off a terminal nothing is cut.
  EXPECT_THAT(Write("SELECT repeat('x', 500) AS t", RowFormat::kTable), testing::HasSubstr(std::string(500, 'x')));
}

TEST_F(RowWriterTest, KeepsControlCharactersFromTheTerminal) {
  EXPECT_THAT(Write("SELECT 'a' || chr(27) || '[31m' || chr(10) || 'b' AS t", RowFormat::kTable),
              testing::HasSubstr("│ a\\x1b[31m\\nb │"));
}

TEST_F(RowWriterTest, WritesCsv) {
  EXPECT_EQ(Write("SELECT 'a,b' AS \"x,y\", '' AS e, NULL AS n, 'say \"hi\"' AS q, 1.50 AS d", RowFormat::kCsv),
            "\"x,y\",e,n,q,d\n"
            "\"a,b\",\"\",,\"say \"\"hi\"\"\",1.50\n");
  EXPECT_EQ(Write("SELECT 1 AS a WHERE false", RowFormat::kCsv), "a\n");
}

TEST_F(RowWriterTest, WritesJson) {
  EXPECT_EQ(Write("SELECT 1 AS a, 'x\"y' AS b UNION ALL SELECT NULL, 'z' ORDER BY a NULLS LAST", RowFormat::kJson),
            "[\n"
            "{\"a\":1,\"b\":\"x\\\"y\"},\n"
            "{\"a\":null,\"b\":\"z\"}\n"
            "]\n");
  EXPECT_EQ(Write("SELECT 1 AS a WHERE false", RowFormat::kJson), "[]\n");
  EXPECT_EQ(Write("SELECT 1 AS a, 2 AS a, 3 AS a_1", RowFormat::kJson), "[\n{\"a\":1,\"a_2\":2,\"a_1\":3}\n]\n");
}

TEST_F(RowWriterTest, WritesEveryTypeAsJson) {
  EXPECT_EQ(JsonOf("true"), "true");
  EXPECT_EQ(JsonOf("(-128)::TINYINT"), "-128");
  EXPECT_EQ(JsonOf("18446744073709551615::UBIGINT"), "18446744073709551615");
  EXPECT_EQ(JsonOf("(-170141183460469231731687303715884105728)::HUGEINT"), "-170141183460469231731687303715884105728");
  EXPECT_EQ(JsonOf("1.5::DOUBLE"), "1.5");
  EXPECT_EQ(JsonOf("'nan'::DOUBLE"), "\"nan\"");
  EXPECT_EQ(JsonOf("'-inf'::FLOAT"), "\"-inf\"");
  EXPECT_EQ(JsonOf("12.50::DECIMAL(4,2)"), "12.50");
  EXPECT_EQ(JsonOf("-0.05::DECIMAL(18,2)"), "-0.05");
  EXPECT_EQ(JsonOf("12345678901234567890.1234567890::DECIMAL(38,10)"), "12345678901234567890.1234567890");
  EXPECT_EQ(JsonOf("TIMESTAMP '2023-11-03 14:20:49.962'"), "\"2023-11-03T14:20:49.962\"");
  EXPECT_EQ(JsonOf("TIMESTAMPTZ '2023-11-03 14:20:49.962+01'"), "\"2023-11-03T13:20:49.962Z\"");
  EXPECT_EQ(JsonOf("TIMESTAMP_S '2023-11-03 14:20:49'"), "\"2023-11-03T14:20:49\"");
  EXPECT_EQ(JsonOf("TIMESTAMP_NS '2023-11-03 14:20:49.123456789'"), "\"2023-11-03T14:20:49.123456789\"");
  EXPECT_EQ(JsonOf("'infinity'::TIMESTAMP"), "\"infinity\"");
  EXPECT_EQ(JsonOf("DATE '2023-11-03'"), "\"2023-11-03\"");
  EXPECT_EQ(JsonOf("TIME '14:20:49.5'"), "\"14:20:49.5\"");
  EXPECT_EQ(JsonOf("INTERVAL 90 MINUTE"), "\"01:30:00\"");
  EXPECT_EQ(JsonOf("'8c2f0a8e-7d0b-4a3f-9b1d-1f2e3d4c5b6a'::UUID"), "\"8c2f0a8e-7d0b-4a3f-9b1d-1f2e3d4c5b6a\"");
  EXPECT_EQ(JsonOf("'\\x00\\xFFa'::BLOB"), "\"\\\\x00\\\\xFFa\"");
  EXPECT_EQ(JsonOf("'0101'::BIT"), "\"0101\"");
  EXPECT_EQ(JsonOf("'b'::ENUM('a','b')"), "\"b\"");
  EXPECT_EQ(JsonOf("[1, NULL, 3]"), "[1,null,3]");
  EXPECT_EQ(JsonOf("[1, 2]::INTEGER[2]"), "[1,2]");
  EXPECT_EQ(JsonOf("{'a': 1, 'b': ['x']}"), "{\"a\":1,\"b\":[\"x\"]}");
  EXPECT_EQ(JsonOf("MAP {'k': 1.5, 'l': NULL}"), "{\"k\":1.5,\"l\":null}");
  EXPECT_EQ(JsonOf("union_value(n := 5)"), "5");
  EXPECT_EQ(JsonOf("'{\"a\": [1]}'::JSON"), "{\"a\": [1]}");
  EXPECT_EQ(JsonOf("NULL"), "null");
}

TEST_F(RowWriterTest, WritesTextAsDuckDbCastsIt) {
  for (const char* expression :
       {"TIMESTAMPTZ '2023-11-03 14:20:49.962+01'", "DATE '0044-03-15'", "TIME '14:20:49.5'", "1e300::DOUBLE",
        "INTERVAL '1 month 2 days'", "'\\x00\\xFF\\x22\\x5Ca'::BLOB", "TIMETZ '10:00:00+02'", "1/3", "5::UHUGEINT"})
    EXPECT_EQ(TextOf(expression), TextOf(std::string("CAST((") + expression + ") AS VARCHAR)")) << expression;
}

TEST_F(RowWriterTest, CountsOrLooksForRowsOverTheLimit) {
  EXPECT_EQ(Write("FROM range(5000) t(n) ORDER BY n", RowFormat::kCsv, kPipe, {.rows_max = 2}), "n\n0\n1\n");
  EXPECT_EQ(written_.rows, 2);
  EXPECT_EQ(written_.omitted, 4998);
  Write("FROM range(5000) t(n)", RowFormat::kCsv, kPipe, {.rows_max = 2, .rest = RowLimit::Rest::kLookOnce});
  EXPECT_EQ(written_.omitted, 1);
  Write("FROM range(2) t(n)", RowFormat::kCsv, kPipe, {.rows_max = 2, .rest = RowLimit::Rest::kLookOnce});
  EXPECT_EQ(written_.omitted, 0);
}

TEST_F(RowWriterTest, NamesAColumnThatCannotBeShown) {
  try {
    Write("SELECT 123::BIGNUM AS big", RowFormat::kCsv);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "column 'big' has a type that cannot be shown");
    EXPECT_THAT(error.diagnostic().help, testing::ElementsAre("select \"big\"::VARCHAR"));
  }
}

}  // namespace
}  // namespace leat::cli
