#include <signal.h>
#include <sys/resource.h>

#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/file_system.h"
#include "lake/lake_test_support.h"

namespace leat::lake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class WriteRowsTest : public LakeTest {
 protected:
  DataFile WriteOne(const std::string& select) {
    schema_ = SchemaOf(connection_.Describe(select));
    const auto files = Write(select, schema_);
    EXPECT_THAT(files, SizeIs(1));
    return files.at(0);
  }
  /// Statistics of the column `c`.
  ColumnStatistics Column(const std::string& select) { return WriteOne(select).columns.at(schema_.Find("c")->id); }

  template <typename T>
  static T As(const std::optional<std::string>& bound) {
    T value{};
    EXPECT_EQ(bound.value().size(), sizeof value);
    std::memcpy(&value, bound->data(), sizeof value);
    return value;
  }

  Schema schema_;
};

TEST_F(WriteRowsTest, DescribesTheFile) {
  const DataFile file = WriteOne("SELECT range::BIGINT AS c, nullif(range % 3, 0)::INTEGER AS n FROM range(1000)");
  EXPECT_EQ(file.record_count, 1000);
  EXPECT_EQ(file.size_bytes, FileSize(storage_->DuckPath(storage_->NameOf(file.path))));
  EXPECT_THAT(file.split_offsets, ElementsAre(4));
  EXPECT_EQ(file.Int64Bounds(1), std::pair(int64_t{0}, int64_t{999}));
  EXPECT_EQ(file.columns.at(2).null_count, 334);
  EXPECT_EQ(file.columns.at(2).value_count, 1000);
  EXPECT_GT(file.columns.at(2).size_bytes, 0);
  EXPECT_EQ(file.Int64Bounds(9), std::nullopt);
}

TEST_F(WriteRowsTest, WritesNoFileForNoRows) {
  EXPECT_THAT(Write("SELECT 1 AS id WHERE false", SchemaOf({{"id", "INTEGER"}})), IsEmpty());
  EXPECT_THAT(storage_->List(""), IsEmpty());
}

TEST_F(WriteRowsTest, CastsToTheSchemaInItsOrder) {
  const Schema schema = SchemaOf({{"b", "BIGINT"}, {"a", "VARCHAR"}});
  EXPECT_THAT(Rows(schema, Write("SELECT 'x'::ENUM('x', 'y') AS a, 1::TINYINT AS b, 'unused' AS z -- end", schema)),
              ElementsAre("{'b': 1, 'a': x}"));
}

TEST_F(WriteRowsTest, GivesEveryColumnItsFieldId) {
  const DataFile file =
      WriteOne(R"(SELECT 1 AS "we.ird ""name""", [1] AS l, {'x': 1, 'y': [{'z': 2}]} AS st, MAP {'k': {'v': 1}} AS m)");
  const auto missing =
      connection_.QueryTexts("SELECT name FROM parquet_schema('" + storage_->DuckPath(storage_->NameOf(file.path)) +
                             "') WHERE field_id IS NULL AND name NOT IN ('duckdb_schema', 'list', 'key_value')");
  EXPECT_THAT(missing, IsEmpty());
  EXPECT_THAT(Rows(schema_, {file}), ElementsAre(HasSubstr("{'x': 1, 'y': [{'z': 2}]}")));
}

TEST_F(WriteRowsTest, KeepsBoundsOfStructsButNotOfLists) {
  const DataFile file = WriteOne("SELECT {'x': 5} AS st, [7, 8, 9] AS l");
  const int x = schema_.Find("st")->type.fields[0].id, element = schema_.Find("l")->type.fields[0].id;
  EXPECT_EQ(file.Int64Bounds(x), std::pair(int64_t{5}, int64_t{5}));
  EXPECT_EQ(file.Int64Bounds(element), std::nullopt);
  EXPECT_EQ(file.columns.at(element).value_count, 3);
}

TEST_F(WriteRowsTest, GivesNoBoundForInfinity) {
  const ColumnStatistics c = Column("SELECT unnest(['2024-01-01'::TIMESTAMP, 'infinity'::TIMESTAMP]) AS c");
  EXPECT_EQ(As<int64_t>(c.lower), 1704067200000000);
  EXPECT_FALSE(c.upper.has_value());
}

TEST_F(WriteRowsTest, KnowsMomentsBeforeChrist) {
  const ColumnStatistics c =
      Column("SELECT unnest(['0044-03-15 (BC) 00:00:00'::TIMESTAMPTZ, '290000-01-01 12:00:00.5'::TIMESTAMPTZ]) AS c");
  EXPECT_EQ(As<int64_t>(c.lower), connection_.QueryInt64("SELECT epoch_us('0044-03-15 (BC) 00:00:00'::TIMESTAMP)"));
  EXPECT_EQ(As<int64_t>(c.upper), connection_.QueryInt64("SELECT epoch_us('290000-01-01 12:00:00.5'::TIMESTAMP)"));
}

TEST_F(WriteRowsTest, CountsNanAndSpreadsZero) {
  const ColumnStatistics c = Column("SELECT unnest(['nan', '-0.0', '0.0', 'nan', NULL])::DOUBLE AS c");
  EXPECT_EQ(c.nan_count, 2);
  EXPECT_EQ(c.null_count, 1);
  EXPECT_TRUE(std::signbit(As<double>(c.lower)));
  EXPECT_FALSE(std::signbit(As<double>(c.upper)));
  EXPECT_EQ(Column("SELECT 1.5::FLOAT AS c").nan_count, 0);
  EXPECT_FALSE(Column("SELECT 'nan'::FLOAT AS c").lower.has_value());
}

TEST_F(WriteRowsTest, KeepsRealsExactly) {
  for (const char* value : {"0.1", "1e308", "5e-324", "123456.7890123", "-9.87654321e-200"}) {
    const ColumnStatistics c = Column("SELECT '" + std::string(value) + "'::DOUBLE AS c");
    EXPECT_EQ(As<double>(c.lower), std::stod(std::string(value) == "5e-324" ? "0x1p-1074" : value)) << value;
  }
  EXPECT_EQ(As<float>(Column("SELECT '16777217.1'::FLOAT AS c").upper), 16777217.1f);
  EXPECT_EQ(As<float>(Column("SELECT '0.3'::FLOAT AS c").upper), 0.3f);
}

TEST_F(WriteRowsTest, BoundsTextSafely) {
  EXPECT_EQ(Column("SELECT repeat('z', 300) AS c").upper, "zzzzzzzzzzzzzzz{");
  EXPECT_EQ(Column("SELECT repeat('z', 300) AS c").lower, "zzzzzzzzzzzzzzzz");
  EXPECT_FALSE(Column("SELECT repeat('é', 300) AS c").upper.has_value());
  EXPECT_EQ(Column("SELECT 'a''b\"c\\' AS c").lower, "a'b\"c\\");
  EXPECT_EQ(Column("SELECT 'a' || chr(0) || 'b' AS c").lower, std::string("a\0b", 3));
  EXPECT_EQ(Column("SELECT '' AS c").lower, "");
  EXPECT_FALSE(Column("SELECT NULL::VARCHAR AS c").lower.has_value());
}

TEST_F(WriteRowsTest, BoundsBinaryAndUuid) {
  EXPECT_EQ(Column("SELECT '\\xAA\\x00'::BLOB AS c").upper, std::string("\xAA\0", 2));
  EXPECT_EQ(Column("SELECT '00000000-0000-0000-0000-0000000000ff'::UUID AS c").lower, std::string(15, '\0') + "\xff");
  EXPECT_EQ(Column("SELECT -3.50::DECIMAL(9,2) AS c").lower, "\xfe\xa2");
  EXPECT_EQ(Column("SELECT '24:00:00'::TIME AS c").upper, std::string("\x00\x60\xd7\x1d\x14\0\0\0", 8));
}

TEST_F(WriteRowsTest, PassesFaultsOfTheSelectOn) {
  const Schema schema = SchemaOf({{"id", "INTEGER"}});
  try {
    Write("SELECT nope FROM (SELECT 1 AS id)", schema);
    FAIL();
  } catch (const duck::QueryError& error) {
    EXPECT_EQ(error.fault().subtype, "COLUMN_NOT_FOUND");
    EXPECT_EQ(error.fault().position, 7u);
  }
  try {
    Write("SELECT error('boom') AS id", schema);
    FAIL();
  } catch (const duck::QueryError& error) {
    EXPECT_EQ(error.fault().message, "boom");
  }
  try {
    Write("SELECT CAST(x AS INTEGER) AS id FROM (SELECT 'abc' AS x)", schema);
    FAIL();
  } catch (const duck::QueryError& error) {
    EXPECT_EQ(error.fault().type, "Conversion");
    EXPECT_EQ(error.fault().position, 7u);
  }
  EXPECT_THAT(storage_->List(""), IsEmpty());
}

TEST_F(WriteRowsTest, SaysThatAValueDoesNotFit) {
  const std::string select = "SELECT 170141183460469231731687303715884105727::HUGEINT AS c FROM range(2)";
  try {
    Write(select, SchemaOf(connection_.Describe(select)));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "LEAT0521");
    EXPECT_EQ(error.kind(), kData);
    EXPECT_THAT(error.message(), HasSubstr("170141183460469231731687303715884105727"));
  }
  EXPECT_THAT(storage_->List(""), IsEmpty());
}

TEST_F(WriteRowsTest, WritesRowGroupsInParallel) {
  const DataFile file = WriteOne("SELECT range AS c, hash(range) AS h FROM range(600000)");
  EXPECT_GT(file.split_offsets.size(), 3u);
  EXPECT_EQ(file.split_offsets[0], 4);
  EXPECT_EQ(file.Int64Bounds(1), std::pair(int64_t{0}, int64_t{599999}));
}

TEST_F(WriteRowsTest, BindsParameters) {
  const Schema schema = SchemaOf({{"at", "TIMESTAMP"}});
  const auto files = writer().WriteRows(connection_, kLocation, schema, "SELECT $run_time AS at",
                                        {{"run_time", Timestamp(std::chrono::seconds(1))}});
  EXPECT_THAT(Rows(schema, files), ElementsAre("{'at': '1970-01-01 00:00:01'}"));
}

/// Lets no file grow beyond a size, as a full disk would.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, SIG_DFL);
  }

 private:
  rlimit before_;
};

TEST_F(WriteRowsTest, LeavesNoHalfFileOnAFullDisk) {
  const Schema schema = SchemaOf({{"id", "UBIGINT"}});
  try {
    const SmallDisk disk(64 * 1024);
    Write("SELECT hash(range) AS id FROM range(1000000)", schema);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "LEAT0502") << error.message();
  }
  EXPECT_THAT(storage_->List(""), IsEmpty());
}

}  // namespace
}  // namespace leat::lake
