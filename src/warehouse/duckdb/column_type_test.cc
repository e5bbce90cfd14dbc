#include "warehouse/duckdb/column_type.h"

#include <gtest/gtest.h>

namespace leat::warehouse::duckdb {
namespace {

class FileColumnTypeTest : public testing::Test {
 protected:
  std::string Resolve(const std::string& duck_type, const std::string& type = "") {
    return ResolveType(connection_, {.name = "price",
                                     .source = "price",
                                     .duck_type = duck_type,
                                     .type = type,
                                     .place = {.file = "models/mart/sales.sql", .line = 3}});
  }

  duck::Database database_;
  duck::Connection connection_{database_};
};

TEST_F(FileColumnTypeTest, TheLakesTypeIsTheDefaultAndTheProjectsIsWrittenAsDuckdbDoes) {
  EXPECT_EQ(Resolve("DECIMAL(10,2)"), "DECIMAL(10,2)");
  EXPECT_EQ(Resolve("VARCHAR", "text"), "VARCHAR");
  EXPECT_EQ(Resolve("INTEGER", "numeric(12, 3)"), "DECIMAL(12,3)");
  EXPECT_EQ(Resolve("STRUCT(\"a\" INTEGER, \"B c\" VARCHAR)[]"), "STRUCT(a INTEGER, \"B c\" VARCHAR)[]");
}

TEST_F(FileColumnTypeTest, ATextThatIsNoTypeIsRefusedAtItsPlace) {
  for (const char* type : {"nonsense", "numeric(10", "INTEGER) , (1", "INTEGER NOT NULL"}) {
    try {
      Resolve("INTEGER", type);
      ADD_FAILURE() << type << " is taken for a type";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "LEAT0601");
      EXPECT_EQ(error.place().line, 3);
      EXPECT_EQ(error.message(), "\"" + std::string(type) +
                                     "\" of column \"price\" is no DuckDB type; expected a name such as DECIMAL(10,2)");
    }
  }
}

TEST(FileWideningTest, EveryValueMustFitAndKeepItsText) {
  EXPECT_TRUE(IsWidening("INTEGER", "BIGINT"));
  EXPECT_TRUE(IsWidening("UINTEGER", "BIGINT"));
  EXPECT_FALSE(IsWidening("UBIGINT", "BIGINT"));
  EXPECT_FALSE(IsWidening("TINYINT", "UBIGINT"));
  EXPECT_FALSE(IsWidening("BIGINT", "INTEGER"));
  EXPECT_TRUE(IsWidening("INTEGER", "DECIMAL(12,2)"));
  EXPECT_FALSE(IsWidening("INTEGER", "DECIMAL(11,2)"));
  EXPECT_TRUE(IsWidening("DECIMAL(10,2)", "DECIMAL(12,3)"));
  EXPECT_FALSE(IsWidening("DECIMAL(10,2)", "DECIMAL(10,3)"));
  EXPECT_FALSE(IsWidening("DECIMAL(10,2)", "DOUBLE"));
  EXPECT_TRUE(IsWidening("FLOAT", "DOUBLE"));
  EXPECT_FALSE(IsWidening("INTEGER", "VARCHAR"));
  EXPECT_TRUE(IsWidening("ENUM('a', 'b')", "VARCHAR"));
  EXPECT_TRUE(IsWidening("DATE", "DATE"));
}

}  // namespace
}  // namespace leat::warehouse::duckdb
