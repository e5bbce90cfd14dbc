#include "duck/row_hash.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/file_system.h"

namespace leat::duck {
namespace {

class RowHashTest : public testing::Test {
 protected:
  RowHashTest() { RegisterRowHash(database_); }

  std::string HashOf(const std::string& arguments, const std::string& from = "(SELECT 1)") {
    return connection_.QueryText(fmt::format("SELECT leat_hash({}) FROM {}", arguments, from));
  }
  std::string FaultOf(const std::string& arguments) {
    try {
      HashOf(arguments);
    } catch (const QueryError& error) {
      return error.fault().message;
    }
    return "no fault";
  }
  std::vector<std::string> TableHash(const std::string& columns, const std::string& from) {
    const std::string sql = TableHashSql({{1, columns}}, from);
    return connection_.QueryTexts(fmt::format("SELECT concat_ws(' ', row_count, hash_low, hash_high) FROM ({})", sql));
  }

  Database database_;
  Connection connection_{database_};
};

TEST_F(RowHashTest, AgreesWithThePublishedVectors) {
  const auto vectors = nlohmann::json::parse(ReadFile(LEAT_FORMATS "/row-hash-vectors.json"));
  ASSERT_GT(vectors.size(), 30u);
  for (const auto& vector : vectors) {
    // The column by itself too: a constant takes another way through DuckDB than a row of a table.
    for (const std::string sql : vector["sql"]) {
      EXPECT_EQ(HashOf(sql), vector["hash"].get<std::string>()) << vector["name"] << ": " << sql;
    }
  }
}

TEST_F(RowHashTest, DoesNotDependOnHowDuckDbHoldsTheValues) {
  connection_.Execute(
      "CREATE TABLE source AS SELECT i, i % 7 = 0 AS odd, 'text number ' || i % 10 AS t, (i % 100)::DECIMAL(10,2) / 4 "
      "AS d "
      "FROM range(10000) r(i)");
  const std::vector<HashedColumn> columns = {
      {1, "i"},
      {2, "[t, NULL, t || i]"},
      {3, "{'a': t, 'b': [d, i], 'c': if(odd, NULL, {'x': t})}"},
      {4, "MAP {t: i, 'fix': NULL}"},
      {5, "if(odd, NULL, [t, 'x', 'y', t][2:i % 5])"},
      {6, "'constant'"},
      {7, "['con', 'stant']"},
      {8, "{'one': 1, 'i': i}"},
      {9, "list_transform([i, i + 1], lambda x: {'n': x, 't': t})"},
      {10, "[t, t]::VARCHAR[2]"},
  };
  // Once from expressions over filtered rows (dictionaries, constants inside lists), once from a table that holds the
  // results.
  std::string select;
  std::vector<HashedColumn> stored;
  for (const auto& [id, expression] : columns) {
    select += fmt::format("{}{} AS c{}", select.empty() ? "" : ", ", expression, id);
    stored.emplace_back(id, fmt::format("c{}", id));
  }
  const std::string filtered = "(SELECT * FROM source WHERE i % 3 = 0)";
  connection_.Execute(fmt::format("CREATE TABLE held AS SELECT {} FROM {}", select, filtered));
  EXPECT_EQ(connection_.QueryTexts(fmt::format("SELECT {} AS h FROM {} ORDER BY h", RowHashSql(columns), filtered)),
            connection_.QueryTexts(fmt::format("SELECT {} AS h FROM held ORDER BY h", RowHashSql(stored))));
}

TEST_F(RowHashTest, TellsRowsApart) {
  const std::string base = HashOf("1, 'a', 2, NULL, 3, 'b'");
  EXPECT_NE(base, HashOf("1, 'a', 2, 'b', 3, NULL")) << "a value belongs to its field";
  EXPECT_NE(base, HashOf("3, 'b', 1, 'a'")) << "the order counts";
  EXPECT_NE(base, HashOf("1, 'a'::BLOB, 3, 'b'")) << "the class counts";
  EXPECT_NE(HashOf("1, 'ab', 2, 'c'"), HashOf("1, 'a', 2, 'bc'"));
  EXPECT_NE(HashOf("1, [[1], [2]]"), HashOf("1, [[1, 2], []]"));
  EXPECT_NE(HashOf("1, 1.5::DECIMAL(4,1)"), HashOf("1, 15"));
  EXPECT_EQ(base, HashOf("1, 'a', 3, 'b', 4, NULL")) << "a new column without values changes nothing";
}

TEST_F(RowHashTest, HalvesAreTheDigitsOfTheHash) {
  EXPECT_EQ(connection_.QueryText("SELECT printf('%x %x', leat_hash_high(u), leat_hash_low(u)) FROM "
                                  "(SELECT '01234567-89ab-cdef-fedc-ba9876543210'::UUID AS u)"),
            "123456789abcdef fedcba9876543210");
}

TEST_F(RowHashTest, SumsUpATableWhateverItsOrder) {
  connection_.Execute("CREATE TABLE t AS SELECT i FROM range(3000) r(i)");
  const auto all = TableHash("i", "t");
  EXPECT_EQ(all, TableHash("i", "(SELECT i FROM t ORDER BY i DESC)"));
  EXPECT_NE(all, TableHash("i", "(SELECT i FROM t UNION ALL SELECT 7)"));
  EXPECT_NE(TableHash("i", "(SELECT 1 AS i)"), TableHash("i", "(SELECT 1 AS i UNION ALL SELECT 1)"))
      << "equal rows count";
  EXPECT_THAT(TableHash("i", "(SELECT i FROM t WHERE false)"), testing::ElementsAre("0 0 0"));
}

TEST_F(RowHashTest, RefusesWhatItCannotHash) {
  EXPECT_THAT(FaultOf("1, INTERVAL 1 day"),
              testing::HasSubstr("leat_hash: argument 2 has type INTERVAL, which has no canonical bytes; cast it"));
  EXPECT_THAT(FaultOf("1, [TIMESTAMP_NS '2024-01-01']"), testing::HasSubstr("argument 2 has type TIMESTAMP_NS[]"));
  EXPECT_THAT(FaultOf("1, 2, 3"), testing::HasSubstr("leat_hash: expected pairs of field id and value"));
  EXPECT_THAT(FaultOf("0, 'a'"), testing::HasSubstr("leat_hash: argument 1 must be a constant field id above 0"));
  EXPECT_THAT(FaultOf("random()::INTEGER, 'a'"), testing::HasSubstr("argument 1 must be a constant field id"));
}

}  // namespace
}  // namespace leat::duck
