#include "clients/http/unpack.h"

#include <gtest/gtest.h>

#include "clients/http/packed_fixture.h"
#include "core/error.h"

namespace leat::http {
namespace {

constexpr int64_t kPlenty = 1'000'000;

/// The body after feeding `bytes` in pieces of `piece`, or the code of the error.
std::string Unpacked(std::string_view encoding, const std::string& bytes, size_t piece = 7,
                     int64_t bytes_max = kPlenty) {
  try {
    Unpacker unpacker(encoding, bytes_max, "http://a.example/");
    for (size_t i = 0; i < bytes.size(); i += piece) unpacker.Feed(std::string_view(bytes).substr(i, piece));
    unpacker.Finish();
    return unpacker.body();
  } catch (const Error& error) {
    return error.code() + " " + error.message();
  }
}

const std::string kText = R"({"list":[{"id":1},{"id":2},{"id":3}]})";
// brotli's own command made it.
const std::string kBrotliHello("\x0b\x02\x80hello\x03", 9);

TEST(UnpackTest, UnpacksEachEncoding) {
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{100'000}}) {
    EXPECT_EQ(Unpacked("gzip", Packed(kText, kGzipBits), piece), kText);
    EXPECT_EQ(Unpacked("X-GZIP", Packed(kText, kGzipBits), piece), kText);
    EXPECT_EQ(Unpacked("deflate", Packed(kText, kZlibBits), piece), kText);
    EXPECT_EQ(Unpacked("deflate", Packed(kText, kRawBits), piece), kText);
    EXPECT_EQ(Unpacked("br", kBrotliHello, piece), "hello");
    EXPECT_EQ(Unpacked("", kText, piece), kText);
    EXPECT_EQ(Unpacked("identity", kText, piece), kText);
  }
}

TEST(UnpackTest, UnpacksMoreThanOnePieceHolds) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i);
  EXPECT_EQ(Unpacked("gzip", Packed(text, kGzipBits), 1 << 20), text);
  EXPECT_EQ(Unpacked("deflate", Packed(text, kRawBits), 1000), text);
}

TEST(UnpackTest, JoinsMembersOfGzip) {
  for (const size_t piece : {size_t{1}, size_t{1000}})
    EXPECT_EQ(Unpacked("gzip", Packed("one,", kGzipBits) + Packed("two", kGzipBits), piece), "one,two");
}

TEST(UnpackTest, KeepsGzipAsReceived) {
  const std::string packed = Packed(kText, kGzipBits);
  Unpacker unpacker("gzip", kPlenty, "");
  unpacker.Feed(packed);
  EXPECT_EQ(unpacker.gzip(), packed);
  Unpacker other("deflate", kPlenty, "");
  other.Feed(Packed(kText, kZlibBits));
  EXPECT_EQ(other.gzip(), "");
}

TEST(UnpackTest, RefusesEveryTruncation) {
  const std::string gzip = Packed(kText, kGzipBits), zlib = Packed(kText, kZlibBits), raw = Packed(kText, kRawBits);
  for (size_t bytes = 1; bytes < gzip.size(); ++bytes)
    EXPECT_EQ(Unpacked("gzip", gzip.substr(0, bytes)),
              "LEAT0325 http://a.example/: the answer ends in the middle of its gzip data");
  for (size_t bytes = 1; bytes < zlib.size(); ++bytes)
    EXPECT_TRUE(Unpacked("deflate", zlib.substr(0, bytes)).starts_with("LEAT0325")) << bytes;
  for (size_t bytes = 1; bytes < raw.size(); ++bytes)
    EXPECT_TRUE(Unpacked("deflate", raw.substr(0, bytes)).starts_with("LEAT0325")) << bytes;
  for (size_t bytes = 1; bytes < kBrotliHello.size(); ++bytes)
    EXPECT_TRUE(Unpacked("br", kBrotliHello.substr(0, bytes)).starts_with("LEAT0325")) << bytes;
}

TEST(UnpackTest, RefusesDamage) {
  std::string gzip = Packed(kText, kGzipBits);
  gzip[gzip.size() - 6] ^= 1;  // of the checksum
  EXPECT_EQ(Unpacked("gzip", gzip), "LEAT0325 http://a.example/: the answer is said to be gzip and is not");
  EXPECT_TRUE(Unpacked("gzip", kText).starts_with("LEAT0325"));
  EXPECT_TRUE(Unpacked("gzip", Packed(kText, kGzipBits) + "garbage").starts_with("LEAT0325"));
  EXPECT_TRUE(Unpacked("deflate", Packed(kText, kZlibBits) + "garbage").starts_with("LEAT0325"));
  EXPECT_TRUE(Unpacked("deflate", Packed(kText, kZlibBits) + Packed(kText, kZlibBits)).starts_with("LEAT0325"));
  EXPECT_TRUE(Unpacked("br", kBrotliHello + "garbage").starts_with("LEAT0325"));
  EXPECT_TRUE(Unpacked("br", kText).starts_with("LEAT0325"));
}

TEST(UnpackTest, RefusesEncodingsThatItDidNotAskFor) {
  EXPECT_EQ(Unpacked("zstd", "x"),
            "LEAT0325 http://a.example/: the answer is packed as 'zstd'; expected one of gzip, deflate, br");
  EXPECT_TRUE(Unpacked("gzip, gzip", "x").starts_with("LEAT0325"));
}

TEST(UnpackTest, TakesAnEmptyBodyForEmpty) {
  for (const char* encoding : {"", "gzip", "deflate", "br"}) EXPECT_EQ(Unpacked(encoding, ""), "") << encoding;
}

TEST(UnpackTest, StopsAtTheLimit) {
  const std::string bomb = Packed(std::string(5'000'000, '0'), kGzipBits);
  ASSERT_LT(bomb.size(), 10'000u);
  EXPECT_EQ(Unpacked("gzip", bomb, 10'000), "LEAT0324 http://a.example/: the answer is larger than 1.0 MB");
  std::string nothing;  // a body that never ends and never becomes anything
  for (int i = 0; i < 100; ++i) nothing += Packed("");
  EXPECT_TRUE(Unpacked("gzip", nothing, 7, 1000).starts_with("LEAT0324"));
  EXPECT_EQ(Unpacked("", "12345", 7, 5), "12345");
  EXPECT_TRUE(Unpacked("", "123456", 7, 5).starts_with("LEAT0324"));
  EXPECT_TRUE(Unpacked("deflate", Packed(std::string(100, '0'), kZlibBits), 7, 99).starts_with("LEAT0324"));
}

}  // namespace
}  // namespace leat::http
