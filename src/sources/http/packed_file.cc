#include "sources/http/packed_file.h"

#include <fmt/format.h>
#include <zlib.h>

#include <string_view>

#include "clients/http/unpack.h"
#include "core/error.h"

namespace leat::sources {
namespace {

// Of a zip archive (APPNOTE.TXT 6.3.10, 4.3): signatures, sizes of the fixed parts, and ways of packing.
constexpr std::string_view kZipEntry = "PK\3\4";
constexpr std::string_view kZipDirectoryEntry = "PK\1\2";
constexpr std::string_view kZipEnd = "PK\5\6";
constexpr size_t kZipEntryBytes = 30;
constexpr size_t kZipDirectoryEntryBytes = 46;
constexpr size_t kZipEndBytes = 22;
constexpr uint64_t kZipStored = 0;
constexpr uint64_t kZipDeflated = 8;
constexpr std::string_view kGzipFile = "\x1f\x8b";

class ZipReader {
 public:
  ZipReader(std::string_view bytes, std::string where) : bytes_(bytes), where_(std::move(where)) {}

  /// What the only file of the archive holds.
  std::string ReadOnlyFile(int64_t bytes_max) const {
    const size_t end = bytes_.rfind(kZipEnd);
    if (end == std::string_view::npos || bytes_.size() - end < kZipEndBytes) throw Damaged();
    const uint64_t files = Number(end + 10, 2);
    if (files != 1)
      throw Error(kData, "LEAT0440", fmt::format("{}: the zip archive holds {} files; expected one", where_, files))
          .Hint("name the address of the one file that is meant");
    const size_t entry = Number(end + 16, 4);
    if (!Has(entry, kZipDirectoryEntry, kZipDirectoryEntryBytes)) throw Damaged();
    const size_t size = Number(entry + 20, 4), start = Number(entry + 42, 4);
    if (!Has(start, kZipEntry, kZipEntryBytes)) throw Damaged();
    const size_t data = start + kZipEntryBytes + Number(start + 26, 2) + Number(start + 28, 2);
    if (data > bytes_.size() || size > bytes_.size() - data) throw Damaged();
    std::string file = Unpacked(bytes_.substr(data, size), Number(entry + 10, 2), bytes_max);
    if (crc32_z(0, reinterpret_cast<const Bytef*>(file.data()), file.size()) != Number(entry + 16, 4)) throw Damaged();
    return file;
  }

 private:
  std::string Unpacked(std::string_view packed, uint64_t way, int64_t bytes_max) const {
    if (way != kZipStored && way != kZipDeflated) throw Damaged();
    http::Unpacker unpacker(way == kZipDeflated ? "deflate" : "", bytes_max, where_);
    unpacker.Feed(packed);
    unpacker.Finish();
    return std::move(unpacker.body());
  }

  bool Has(size_t at, std::string_view signature, size_t bytes) const {
    return at <= bytes_.size() && bytes_.size() - at >= bytes && bytes_.substr(at, signature.size()) == signature;
  }

  /// A number of `count` bytes, the lowest first.
  uint64_t Number(size_t at, size_t count) const {
    uint64_t number = 0;
    for (size_t i = count; i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes_[at + i]);
    return number;
  }

  Error Damaged() const {
    return Error(kData, "LEAT0440", fmt::format("{}: the zip archive is damaged", where_))
        .Hint("run again; if it stays so, tell who publishes the file");
  }

  std::string_view bytes_;
  std::string where_;
};

}  // namespace

void UnpackFile(http::Response& response, int64_t bytes_max) {
  const std::string where = response.url.ForMessages();
  if (response.body.starts_with(kZipEntry)) {
    response.body = ZipReader(response.body, where).ReadOnlyFile(bytes_max);
  } else if (response.body.starts_with(kGzipFile)) {
    http::Unpacker unpacker("gzip", bytes_max, where);
    unpacker.Feed(response.body);
    unpacker.Finish();
    response.body = std::move(unpacker.body());
  } else {
    return;
  }
  response.gzip.clear();  // it packed the file that is unpacked now
}

}  // namespace leat::sources
