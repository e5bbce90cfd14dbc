#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace leat::duck {

/// 128 bits; as text the halves' hexadecimal digits, the high one first.
struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const Hash128&) const = default;
};

/// Canonical bytes of one row: equal rows give equal bytes, whatever the width of their types. Values of different
/// classes, field ids or order never give the same bytes. One object serves many rows; it grows to the longest. Source:
/// docs/formats/row-hash.md, whose version is `kVersion`. What is written here is promised for ever.
class RowBytes {
 public:
  static constexpr uint8_t kVersion = 1;

  RowBytes() : bytes_(4096) {}

  /// Begin the next row.
  void Clear();
  /// Announce the value of a column that is not NULL; exactly one value follows.
  void Field(int32_t id) { Store(Reserve(4), id); }

  /// NULL inside a list, array or map. A NULL column and a NULL field of a struct are left out.
  void Null() { *Reserve(1) = kNull; }
  void Boolean(bool value);
  /// `unscaled` × 10^-`scale`. \param scale  0..38
  void Number(int64_t unscaled, int scale = 0);
  void Number(__int128 unscaled, int scale = 0);
  void Float(double value);
  /// Days since 1970-01-01.
  void Date(int32_t days);
  /// Microseconds since midnight.
  void Time(int64_t micros) { PutTagged(kTime, micros); }
  /// Microseconds since 1970-01-01 00:00, of a clock without a zone.
  void TimestampLocal(int64_t micros) { PutTagged(kTimestamp, micros); }
  /// Microseconds since 1970-01-01 00:00 UTC.
  void TimestampUtc(int64_t micros) { PutTagged(kTimestampUtc, micros); }
  void Text(std::string_view utf8) { PutSized(kText, utf8); }
  void Blob(std::string_view bytes) { PutSized(kBlob, bytes); }
  /// The number that the text form shows, from its first digit to its last.
  void Uuid(uint64_t high, uint64_t low);

  /// Begin a list; `count` values follow. Arrays of fixed size are lists.
  void List(uint32_t count) { PutTagged(kList, count); }
  /// Begin a struct; for each of its `count` fields that are not NULL, Name and then its value follow.
  void Struct(uint32_t count) { PutTagged(kStruct, count); }
  void Name(std::string_view name);
  /// Begin a map; `count` keys with a value after each follow, sorted by the bytes of the keys.
  void Map(uint32_t count) { PutTagged(kMap, count); }

  std::span<const uint8_t> bytes() const { return {bytes_.data(), size_}; }
  /// Cut `[from, end)` off and return it: a part that must be put in order first.
  std::vector<uint8_t> TakeFrom(size_t from);
  void Append(std::span<const uint8_t> bytes);

  /// XXH3_128bits of bytes(), seed 0.
  Hash128 Hash() const;

 private:
  /// The first byte of a value.
  enum Tag : uint8_t {
    kNull = 0,
    kBoolean = 1,
    kNumber = 2,
    kWideNumber = 3,
    kFloat = 4,
    kDate = 5,
    kTime = 6,
    kTimestamp = 7,
    kTimestampUtc = 8,
    kText = 9,
    kBlob = 10,
    kUuid = 11,
    kList = 12,
    kStruct = 13,
    kMap = 14,
  };

  // x86 and ARM are little-endian, as the bytes are.
  template <typename T>
  static void Store(uint8_t* to, T value) {
    std::memcpy(to, &value, sizeof(T));
  }
  uint8_t* Reserve(size_t count) {
    if (size_ + count > bytes_.size()) Grow(count);
    uint8_t* at = bytes_.data() + size_;
    size_ += count;
    return at;
  }
  template <typename T>
  void PutTagged(Tag tag, T value) {
    uint8_t* at = Reserve(1 + sizeof(T));
    *at = tag;
    Store(at + 1, value);
  }
  void PutSized(Tag tag, std::string_view text);
  void Grow(size_t count);

  std::vector<uint8_t> bytes_;
  size_t size_ = 0;
};

inline void RowBytes::Clear() {
  size_ = 0;
  *Reserve(1) = kVersion;
}

inline void RowBytes::Boolean(bool value) { PutTagged(kBoolean, static_cast<uint8_t>(value)); }

inline void RowBytes::Number(int64_t unscaled, int scale) {
  while (scale > 0 && unscaled % 10 == 0) {
    unscaled /= 10;
    --scale;
  }
  uint8_t* at = Reserve(10);
  at[0] = kNumber;
  at[1] = static_cast<uint8_t>(scale);
  Store(at + 2, unscaled);
}

inline void RowBytes::Date(int32_t days) { PutTagged(kDate, days); }

inline void RowBytes::PutSized(Tag tag, std::string_view text) {
  uint8_t* at = Reserve(5 + text.size());
  *at = tag;
  Store(at + 1, static_cast<uint32_t>(text.size()));
  if (!text.empty()) std::memcpy(at + 5, text.data(), text.size());
}

}  // namespace leat::duck
