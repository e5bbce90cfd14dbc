#pragma once

#include <duckdb.h>

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace leat::postgres {

/// Bytes on their way into a COPY.
class WireBuffer {
 public:
  explicit WireBuffer(size_t capacity) : bytes_(capacity) {}

  /// Room for `size` bytes at the end, to be written at once.
  uint8_t* Extend(size_t size) {
    if (used_ + size > bytes_.size()) bytes_.resize((used_ + size) * 2);
    uint8_t* at = bytes_.data() + used_;
    used_ += size;
    return at;
  }
  void Append(std::string_view text) { std::memcpy(Extend(text.size()), text.data(), text.size()); }
  /// Take back the last `size` bytes.
  void Shrink(size_t size) { used_ -= size; }

  const char* data() const { return reinterpret_cast<const char*>(bytes_.data()); }
  size_t size() const { return used_; }
  void Clear() { used_ = 0; }

 private:
  std::vector<uint8_t> bytes_;
  size_t used_ = 0;
};

/// The cells of one column in a chunk.
struct CellSource {
  const uint8_t* data = nullptr;
  const uint64_t* validity = nullptr;  ///< null: no NULLs
  int scale = 0;                       ///< of a DECIMAL
  std::string_view column;             ///< for messages

  bool IsNull(idx_t row) const { return validity != nullptr && ((validity[row / 64] >> (row % 64)) & 1) == 0; }
};

/// Append cell `row`, which is not NULL, with its length word as a field of binary COPY.
/// Throws: Error(kData, LEAT0402) for a moment that PostgreSQL has no number for.
using EncodeCell = void (*)(const CellSource& source, idx_t row, WireBuffer& buffer);

void EncodeBool(const CellSource& source, idx_t row, WireBuffer& buffer);
void EncodeInt2(const CellSource& source, idx_t row, WireBuffer& buffer);
/// Also FLOAT.
void EncodeInt4(const CellSource& source, idx_t row, WireBuffer& buffer);
/// Also DOUBLE and TIME.
void EncodeInt8(const CellSource& source, idx_t row, WireBuffer& buffer);
void EncodeBytes(const CellSource& source, idx_t row, WireBuffer& buffer);
void EncodeJsonb(const CellSource& source, idx_t row, WireBuffer& buffer);
void EncodeUuid(const CellSource& source, idx_t row, WireBuffer& buffer);
void EncodeDate(const CellSource& source, idx_t row, WireBuffer& buffer);
void EncodeTimestamp(const CellSource& source, idx_t row, WireBuffer& buffer);

/// The encoder of a DECIMAL of `width` digits as numeric.
EncodeCell DecimalEncoder(int width);

/// Append a text as a field of COPY's text format, escaped, without the separator.
void AppendTextField(std::string_view text, WireBuffer& buffer);

}  // namespace leat::postgres
