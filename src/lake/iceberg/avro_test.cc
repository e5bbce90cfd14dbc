#include "lake/iceberg/avro.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace leat::lake::avro {
namespace {

using namespace std::string_literals;

const std::string kSync = "0123456789abcdef";

std::string Encoded(int64_t value) {
  Encoder encoder;
  encoder.Long(value);
  return encoder.bytes();
}

std::string DamageOf(const std::string& file) {
  try {
    ReadContainer(file);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "LEAT0520");
    return error.message();
  }
  return "no error";
}

/// A file of one record {id: long, name: optional string, tags: array of string}.
std::string OneRecord(Codec codec) {
  ContainerWriter writer(R"({"type":"record","name":"r","fields":[
      {"name":"id","type":"long","field-id":7},
      {"name":"name","type":["null","string"],"field-id":8},
      {"name":"tags","type":{"type":"array","items":"string","element-id":10},"field-id":9}]})",
                         {{"content", "data"}}, codec, kSync);
  Encoder& record = writer.record();
  record.Long(-3);
  record.Long(1);
  record.Bytes("né");
  record.Long(2);
  record.Bytes("a");
  record.Bytes("b");
  record.Long(0);
  writer.EndRecord();
  return std::move(writer).Finish();
}

TEST(AvroTest, EncodesNumbersAsTheSpecificationShows) {
  EXPECT_EQ(Encoded(0), std::string("\x00", 1));
  EXPECT_EQ(Encoded(-1), "\x01");
  EXPECT_EQ(Encoded(1), "\x02");
  EXPECT_EQ(Encoded(-64), "\x7f");
  EXPECT_EQ(Encoded(64), std::string("\x80\x01"));
  EXPECT_EQ(Encoded(INT64_MAX), "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  EXPECT_EQ(Encoded(INT64_MIN), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST(AvroTest, PinsTheBytesOfAFile) {
  ContainerWriter writer(R"("long")", {{"k", "v"}}, Codec::kNull, kSync);
  writer.record().Long(5);
  writer.EndRecord();
  EXPECT_EQ(std::move(writer).Finish(),
            "Obj\x01\x06\x16"
            "avro.schema\x0c\"long\"\x14"
            "avro.codec\x08null"
            "\x02k\x02v\0"s +
                kSync + "\x02\x02\x0a" + kSync);
}

class CodecTest : public testing::TestWithParam<Codec> {};

TEST_P(CodecTest, ReadsWhatItWrote) {
  const Container container = ReadContainer(OneRecord(GetParam()));
  EXPECT_EQ(container.metadata.at("content"), "data");
  ASSERT_EQ(container.records.size(), 1u);
  const Value& record = container.records[0];
  EXPECT_EQ(record.Find(7)->number, -3);
  EXPECT_EQ(record.Find(8)->bytes, "né");
  ASSERT_EQ(record.Find(9)->items.size(), 2u);
  EXPECT_EQ(record.Find(9)->items[1].bytes, "b");
  EXPECT_EQ(record.Find(99), nullptr);
}

TEST_P(CodecTest, SaysWhereAFileIsCutOff) {
  const std::string file = OneRecord(GetParam());
  for (size_t size = 0; size + 1 < file.size(); ++size) {
    try {
      const Container container = ReadContainer(file.substr(0, size));
      EXPECT_TRUE(container.records.empty()) << size;  // cut between header and first block: an empty file is whole
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "LEAT0520");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Codecs, CodecTest, testing::Values(Codec::kNull, Codec::kDeflate));

TEST(AvroTest, WritesSeveralBlocks) {
  ContainerWriter writer(R"("string")", {}, Codec::kDeflate, kSync);
  for (int i = 0; i < 1000; ++i) {
    writer.record().Bytes(std::string(1000, 'x'));
    writer.EndRecord();
  }
  EXPECT_EQ(ReadContainer(std::move(writer).Finish()).records.size(), 1000u);
}

TEST(AvroTest, NamesWhatIsWrong) {
  EXPECT_EQ(DamageOf("PAR1"), "it is no Avro file");
  std::string file = OneRecord(Codec::kNull);
  EXPECT_EQ(DamageOf(file.substr(0, file.size() - 3)), "it ends in the middle of a value");
  file.back() = 'x';
  EXPECT_EQ(DamageOf(file), "a block does not end where it says");
  EXPECT_THAT(DamageOf(std::move(ContainerWriter("{", {}, Codec::kNull)).Finish()),
              testing::HasSubstr("its schema cannot be read"));
  EXPECT_EQ(DamageOf(std::move(ContainerWriter(R"("uint")", {}, Codec::kNull)).Finish()),
            "its schema has the unknown type 'uint'");
}

TEST(AvroTest, ResolvesNamedTypes) {
  ContainerWriter writer(R"({"type":"record","name":"pair","fields":[
      {"name":"a","type":{"type":"fixed","name":"two","size":2},"field-id":1},
      {"name":"b","type":"two","field-id":2},
      {"name":"m","type":{"type":"map","values":"double"},"field-id":3}]})",
                         {}, Codec::kNull);
  writer.record().Raw("abcd");
  writer.record().Long(-1);  // a block with its size in bytes before it
  writer.record().Long(10);
  writer.record().Bytes("k");
  writer.record().Raw(std::string("\0\0\0\0\0\0\xf0\x3f", 8));
  writer.record().Long(0);
  writer.EndRecord();
  const Container container = ReadContainer(std::move(writer).Finish());
  EXPECT_EQ(container.records[0].Find(2)->bytes, "cd");
  EXPECT_EQ(container.records[0].Find(3)->items[0].bytes, "k");
  EXPECT_EQ(container.records[0].Find(3)->items[1].real, 1.0);
}

}  // namespace
}  // namespace leat::lake::avro
