#include "clients/postgres/copy_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/postgres/decode.h"
#include "clients/postgres/wire.h"
#include "duck/database.h"

namespace leat::postgres {
namespace {

using namespace std::literals;
using testing::ElementsAre;
using testing::HasSubstr;

using Payload = std::optional<std::string>;  ///< of one field; nullopt is NULL

std::string Int16(int16_t value) {
  std::string bytes(2, '\0');
  StoreInt16(reinterpret_cast<uint8_t*>(bytes.data()), value);
  return bytes;
}

std::string Int32(int32_t value) {
  std::string bytes(4, '\0');
  StoreInt32(reinterpret_cast<uint8_t*>(bytes.data()), value);
  return bytes;
}

std::string Int64(int64_t value) {
  std::string bytes(8, '\0');
  StoreInt64(reinterpret_cast<uint8_t*>(bytes.data()), value);
  return bytes;
}

std::string Tuple(const std::vector<Payload>& fields) {
  std::string bytes = Int16(static_cast<int16_t>(fields.size()));
  for (const Payload& field : fields) {
    bytes += Int32(field ? static_cast<int32_t>(field->size()) : -1);
    if (field) bytes += *field;
  }
  return bytes;
}

const uint8_t* Bytes(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

/// A chunk of one column of a PostgreSQL type.
class OneColumn {
 public:
  explicit OneColumn(const CatalogType& type)
      : mapping_(MapType(type)), builder_({{.table = "public.reading", .name = "at", .type = mapping_}}) {
    duckdb_logical_type logical = mapping_.LogicalType();
    chunk_ = duckdb_create_data_chunk(&logical, 1);
    duckdb_destroy_logical_type(&logical);
    builder_.Attach(chunk_);
  }
  OneColumn(const OneColumn&) = delete;
  ~OneColumn() { duckdb_destroy_data_chunk(&chunk_); }

  OneColumn& Add(const Payload& payload) {
    AddTuple(Tuple({payload}));
    return *this;
  }
  void AddTuple(const std::string& tuple) { builder_.Append(Bytes(tuple), Bytes(tuple) + tuple.size()); }

  template <typename T>
  T At(idx_t row) const {
    return static_cast<const T*>(duckdb_vector_get_data(vector()))[row];
  }
  std::string Text(idx_t row) const { return std::string(duck::ViewOf(At<duckdb_string_t>(row))); }
  bool IsNull(idx_t row) const {
    uint64_t* validity = duckdb_vector_get_validity(vector());
    return validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
  }
  template <typename T>
  T Element(idx_t place) const {
    return static_cast<const T*>(duckdb_vector_get_data(duckdb_list_vector_get_child(vector())))[place];
  }
  bool IsNullElement(idx_t place) const {
    uint64_t* validity = duckdb_vector_get_validity(duckdb_list_vector_get_child(vector()));
    return validity != nullptr && !duckdb_validity_row_is_valid(validity, place);
  }
  bool is_full() const { return builder_.is_full(); }
  bool HasValidity() const { return duckdb_vector_get_validity(vector()) != nullptr; }

 private:
  duckdb_vector vector() const { return duckdb_data_chunk_get_vector(chunk_, 0); }

  TypeMapping mapping_;
  ChunkBuilder builder_;
  duckdb_data_chunk chunk_;
};

CatalogType Type(uint32_t oid, int32_t typmod = -1) { return {.oid = oid, .typmod = typmod, .formatted = "a type"}; }

/// The message of the error that adding `payload` throws.
std::string Refused(OneColumn&& column, const std::string& payload) {
  try {
    column.Add(payload);
  } catch (const Error& error) {
    return error.code() + " " + error.message();
  }
  return "accepted";
}

TEST(DecodeTest, ReadsIntegersToTheirLimits) {
  EXPECT_EQ(OneColumn(Type(oid::kInt2)).Add("\x80\x00"s).At<int16_t>(0), -32768);
  EXPECT_EQ(OneColumn(Type(oid::kInt4)).Add("\x80\x00\x00\x00"s).At<int32_t>(0), std::numeric_limits<int32_t>::min());
  EXPECT_EQ(OneColumn(Type(oid::kInt4)).Add("\x00\x00\x13\xeb"s).At<int32_t>(0), 5099);
  EXPECT_EQ(OneColumn(Type(oid::kInt8)).Add("\x7f\xff\xff\xff\xff\xff\xff\xff"s).At<int64_t>(0),
            std::numeric_limits<int64_t>::max());
}

TEST(DecodeTest, ReadsBooleansAndFloats) {
  EXPECT_EQ(OneColumn(Type(oid::kBool)).Add("\x01"s).At<uint8_t>(0), 1);
  EXPECT_EQ(OneColumn(Type(oid::kBool)).Add("\x00"s).At<uint8_t>(0), 0);
  EXPECT_EQ(OneColumn(Type(oid::kFloat4)).Add("\xbf\xc0\x00\x00"s).At<float>(0), -1.5F);
  EXPECT_EQ(OneColumn(Type(oid::kFloat8)).Add("\x3f\xb9\x99\x99\x99\x99\x99\x9a"s).At<double>(0), 0.1);
}

TEST(DecodeTest, ReadsTextOnBothSidesOfTheInlineLimit) {
  OneColumn column(Type(oid::kText));
  column.Add("").Add("2023-11-06").Add("exactly 12 b").Add("thirteen byte").Add(std::string(100'000, 'x'));
  EXPECT_EQ(column.Text(0), "");
  EXPECT_EQ(column.Text(1), "2023-11-06");
  EXPECT_EQ(column.Text(2), "exactly 12 b");
  EXPECT_EQ(column.Text(3), "thirteen byte");
  EXPECT_EQ(column.Text(4).size(), 100'000U);
}

TEST(DecodeTest, ReadsJsonbWithoutItsVersion) {
  EXPECT_EQ(OneColumn(Type(oid::kJsonb)).Add("\x01{\"a\": 1}"s).Text(0), "{\"a\": 1}");
  EXPECT_THAT(Refused(OneColumn(Type(oid::kJsonb)), "\x02{}"), HasSubstr("LEAT9906"));
}

TEST(DecodeTest, ReadsUuidsInDuckDbsOrder) {
  const auto value = OneColumn(Type(oid::kUuid))
                         .Add("\x80\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02"s)
                         .At<duckdb_hugeint>(0);
  EXPECT_EQ(value.upper, 1);
  EXPECT_EQ(value.lower, 2U);
}

TEST(DecodeTest, CountsDaysAndMomentsFrom1970) {
  EXPECT_EQ(OneColumn(Type(oid::kDate)).Add(Int32(0)).At<int32_t>(0), 10957);
  EXPECT_EQ(OneColumn(Type(oid::kDate)).Add(Int32(-10958)).At<int32_t>(0), -1);
  EXPECT_EQ(OneColumn(Type(oid::kTimestamp)).Add(Int64(0)).At<int64_t>(0), 946'684'800'000'000);
  EXPECT_EQ(OneColumn(Type(oid::kTimestamp)).Add(Int64(-946'684'800'001'000)).At<int64_t>(0), -1'000);
  EXPECT_EQ(OneColumn(Type(oid::kTimestamptz)).Add(Int64(-1)).At<int64_t>(0), 946'684'799'999'999);
  EXPECT_EQ(OneColumn(Type(oid::kTime)).Add(Int64(86'399'999'999)).At<int64_t>(0), 86'399'999'999);
  // 4713-01-01 BC and 294247-01-10 04:00:54.775806
  EXPECT_EQ(OneColumn(Type(oid::kTimestamp)).Add(Int64(-211'810'204'800'000'000)).At<int64_t>(0),
            -210'863'520'000'000'000);
  EXPECT_EQ(OneColumn(Type(oid::kTimestamp)).Add(Int64(9'222'425'352'054'775'806)).At<int64_t>(0),
            std::numeric_limits<int64_t>::max() - 1);
}

TEST(DecodeTest, RefusesMomentsThatDuckDbCannotHold) {
  EXPECT_EQ(Refused(OneColumn(Type(oid::kTimestamp)), Int64(std::numeric_limits<int64_t>::max())),
            "LEAT0401 public.reading.at holds infinity; expected a finite moment");
  EXPECT_EQ(Refused(OneColumn(Type(oid::kTimestamptz)), Int64(std::numeric_limits<int64_t>::min())),
            "LEAT0401 public.reading.at holds -infinity; expected a finite moment");
  EXPECT_EQ(
      Refused(OneColumn(Type(oid::kTimestamp)), Int64(9'222'425'352'054'775'807)),
      "LEAT0401 public.reading.at holds a moment of 294247-01-10; expected one up to 294247-01-10 04:00:54.775806");
  EXPECT_EQ(Refused(OneColumn(Type(oid::kDate)), Int32(std::numeric_limits<int32_t>::max())),
            "LEAT0401 public.reading.at holds infinity; expected a finite day");
}

TEST(DecodeTest, RefusesTheTimeThatEndsADay) {
  EXPECT_EQ(Refused(OneColumn(Type(oid::kTime)), Int64(86'400'000'000)),
            "LEAT0401 public.reading.at holds 24:00:00; expected a time before it");
}

TEST(DecodeTest, ReadsBytesAsTheServerPrintsThem) {
  OneColumn column(Type(oid::kChar));
  column.Add("a").Add("\0"s).Add("\xff"s);
  EXPECT_EQ(column.Text(0), "a");
  EXPECT_EQ(column.Text(1), "");
  EXPECT_EQ(column.Text(2), "\\377");
}

CatalogType ArrayOf(const CatalogType& element) { return {.oid = 1, .formatted = "an array", .element = {element}}; }

/// What array_send() makes of one dimension.
std::string Array(const std::vector<Payload>& elements, int32_t first = 1) {
  std::string bytes = Int32(1) + Int32(0) + Int32(0) + Int32(static_cast<int32_t>(elements.size())) + Int32(first);
  for (const Payload& element : elements) {
    bytes += Int32(element ? static_cast<int32_t>(element->size()) : -1);
    if (element) bytes += *element;
  }
  return bytes;
}

TEST(DecodeTest, ReadsArraysOneBehindTheOther) {
  const std::string none = Int32(0) + Int32(0) + Int32(0);
  OneColumn column(ArrayOf(Type(oid::kInt4)));
  column.Add(Array({Int32(7), std::nullopt})).Add(std::nullopt).Add(none).Add(Array({Int32(9)}));
  const auto cell = [&](idx_t row) { return column.At<duckdb_list_entry>(row); };
  EXPECT_EQ(cell(0).length, 2U);
  EXPECT_TRUE(column.IsNull(1));
  EXPECT_EQ(cell(2).length, 0U);
  EXPECT_EQ(cell(3).offset, 2U);
  EXPECT_EQ(column.Element<int32_t>(0), 7);
  EXPECT_TRUE(column.IsNullElement(1));
  EXPECT_EQ(column.Element<int32_t>(2), 9);
}

TEST(DecodeTest, GrowsTheRoomForElements) {
  OneColumn column(ArrayOf(Type(oid::kText)));
  const std::vector<Payload> many(3'000, Payload("more than twelve bytes"));
  for (int row = 0; row < 10; ++row) column.Add(Array(many));
  EXPECT_EQ(column.At<duckdb_list_entry>(9).offset, 27'000U);
  EXPECT_EQ(duck::ViewOf(column.Element<duckdb_string_t>(29'999)), "more than twelve bytes");
  EXPECT_FALSE(column.IsNullElement(29'999));
}

TEST(DecodeTest, RefusesArraysThatAreNoList) {
  const CatalogType type = ArrayOf(Type(oid::kInt4));
  EXPECT_EQ(Refused(OneColumn(type), Array({Int32(7)}, 0)),
            "LEAT0401 public.reading.at holds an array whose first index is 0; expected 1");
  EXPECT_EQ(Refused(OneColumn(type), Int32(2) + Int32(0) + Int32(0)),
            "LEAT0401 public.reading.at holds an array of 2 dimensions; expected one dimension");
  const std::string whole = Array({Int32(7), Int32(8)});
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_THAT(Refused(OneColumn(type), whole.substr(0, size)), HasSubstr("LEAT9906"));
  EXPECT_THAT(Refused(OneColumn(type), whole + '\0'), HasSubstr("LEAT9906"));
  const std::string boastful = Int32(1) + Int32(0) + Int32(0) + Int32(std::numeric_limits<int32_t>::max()) + Int32(1);
  EXPECT_THAT(Refused(OneColumn(type), boastful + Int32(-1)), HasSubstr("LEAT9906"));
}

TEST(DecodeTest, RefusesAnElementAndTellsHowToFindIt) {
  OneColumn column(ArrayOf(Type(oid::kDate)));
  try {
    column.Add(Array({Int32(std::numeric_limits<int32_t>::max())}));
    FAIL();
  } catch (const Misfit& misfit) {
    EXPECT_EQ(misfit.message(), "public.reading.at holds infinity in an array; expected a finite day");
    EXPECT_EQ(misfit.condition(), "EXISTS (SELECT FROM unnest(\"at\") e WHERE e::text = 'infinity')");
  }
}

TEST(DecodeTest, KeepsDecimalsAsWideAsDuckDbDoes) {
  const std::string minus_twelve_and_a_half = Int16(2) + Int16(0) + Int16(0x4000) + Int16(1) + Int16(12) + Int16(5000);
  const auto typmod = [](int width, int scale) { return ((width << 16) | scale) + 4; };
  EXPECT_EQ(OneColumn(Type(oid::kNumeric, typmod(4, 1))).Add(minus_twelve_and_a_half).At<int16_t>(0), -125);
  EXPECT_EQ(OneColumn(Type(oid::kNumeric, typmod(9, 2))).Add(minus_twelve_and_a_half).At<int32_t>(0), -1250);
  EXPECT_EQ(OneColumn(Type(oid::kNumeric, typmod(18, 2))).Add(minus_twelve_and_a_half).At<int64_t>(0), -1250);
  const auto wide = OneColumn(Type(oid::kNumeric)).Add(minus_twelve_and_a_half).At<duckdb_hugeint>(0);
  EXPECT_EQ(wide.upper, -1);
  EXPECT_EQ(static_cast<int64_t>(wide.lower), -12'500'000'000);
}

TEST(DecodeTest, RefusesNumbersThatDoNotFit) {
  EXPECT_EQ(Refused(OneColumn(Type(oid::kNumeric)), Int16(0) + Int16(0) + Int16(-0x4000) + Int16(0)),
            "LEAT0401 public.reading.at holds NaN; expected a number");
  EXPECT_EQ(
      Refused(OneColumn(Type(oid::kNumeric)), Int16(1) + Int16(7) + Int16(0) + Int16(0) + Int16(10)),
      "LEAT0401 public.reading.at holds 100000000000000000000000000000; expected at most 29 digits before the point");
  EXPECT_EQ(Refused(OneColumn(Type(oid::kNumeric)), Int16(1) + Int16(-3) + Int16(0) + Int16(10) + Int16(100)),
            "LEAT0401 public.reading.at holds 0.0000000001; expected at most 9 digits after the point");
}

TEST(DecodeTest, TellsHowToGoOnWithoutTheColumn) {
  OneColumn column(Type(oid::kDate));
  try {
    column.Add(Int32(std::numeric_limits<int32_t>::min()));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kData);
    EXPECT_THAT(error.diagnostic().help,
                ElementsAre("mend the value, or take the column as text by  columns: {types: {at: VARCHAR}}",
                            "or leave the column out by  columns: {exclude: [at]}"));
  }
}

TEST(DecodeTest, RefusesAPayloadOfAnotherType) {
  EXPECT_EQ(Refused(OneColumn(Type(oid::kInt4)), Int64(1)),
            "LEAT9906 public.reading.at came as 8 bytes, expected 4; its type was changed during the read");
}

TEST(ChunkBuilderTest, MakesAValidityMaskAtTheFirstNull) {
  OneColumn column(Type(oid::kInt4));
  column.Add(Int32(1));
  EXPECT_FALSE(column.HasValidity());
  column.Add(std::nullopt).Add(Int32(3));
  EXPECT_FALSE(column.IsNull(0));
  EXPECT_TRUE(column.IsNull(1));
  EXPECT_FALSE(column.IsNull(2));
  EXPECT_EQ(column.At<int32_t>(2), 3);
}

TEST(ChunkBuilderTest, RefusesCutTuples) {
  const std::string tuple = Tuple({Int32(1)});
  for (size_t size = 0; size < tuple.size(); ++size) {
    OneColumn column(Type(oid::kInt4));
    EXPECT_THROW(column.AddTuple(tuple.substr(0, size)), Error) << size;
  }
  OneColumn column(Type(oid::kInt4));
  EXPECT_THROW(column.AddTuple(Tuple({Int32(1), Int32(2)})), Error);
}

TEST(ChunkBuilderTest, IsFullAtAVectorsRowsOrAt16MiB) {
  OneColumn numbers(Type(oid::kInt4));
  for (idx_t row = 0; row < duckdb_vector_size(); ++row) {
    EXPECT_FALSE(numbers.is_full());
    numbers.Add(Int32(7));
  }
  EXPECT_TRUE(numbers.is_full());
  OneColumn texts(Type(oid::kText));
  texts.Add(std::string(15 << 20, 'x'));
  EXPECT_FALSE(texts.is_full());
  texts.Add(std::string(1 << 20, 'x'));
  EXPECT_TRUE(texts.is_full());
}

TEST(ChunkBuilderTest, EndsAtTheTrailer) {
  ChunkBuilder builder({});
  const std::string trailer = Int16(-1);
  EXPECT_EQ(builder.Append(Bytes(trailer), Bytes(trailer) + trailer.size()), nullptr);
}

TEST(CopyHeaderTest, IsSkippedWithItsExtension) {
  const std::string header = "PGCOPY\n\377\r\n\0"s + Int32(0) + Int32(3) + "abc" + "row";
  EXPECT_EQ(SkipCopyHeader(Bytes(header), Bytes(header) + header.size()), Bytes(header) + 22);
  const std::string text = "1\tBronze\t/usr/local/share/design\n";
  EXPECT_THROW(SkipCopyHeader(Bytes(text), Bytes(text) + text.size()), Error);
  EXPECT_THROW(SkipCopyHeader(Bytes(header), Bytes(header) + 12), Error);
}

}  // namespace
}  // namespace leat::postgres
