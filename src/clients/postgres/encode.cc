#include "clients/postgres/encode.h"

#include <fmt/format.h>

#include <limits>

#include "clients/postgres/numeric.h"
#include "clients/postgres/wire.h"
#include "core/error.h"

namespace leat::postgres {
namespace {

constexpr size_t kLengthBytes = 4;

template <typename T>
T Get(const CellSource& source, idx_t row) {
  T value;
  std::memcpy(&value, source.data + row * sizeof(T), sizeof(T));
  return value;
}

/// Write the length word of a field and return where its bytes go.
uint8_t* Field(WireBuffer& buffer, size_t size) {
  uint8_t* at = buffer.Extend(kLengthBytes + size);
  StoreInt32(at, static_cast<int32_t>(size));
  return at + kLengthBytes;
}

std::string_view TextAt(const CellSource& source, idx_t row) {
  const auto* text = reinterpret_cast<const duckdb_string_t*>(source.data) + row;
  auto* readable = const_cast<duckdb_string_t*>(text);
  return {duckdb_string_t_data(readable), duckdb_string_t_length(*text)};
}

template <typename Stored, typename Value>
void EncodeDecimal(const CellSource& source, idx_t row, WireBuffer& buffer) {
  uint8_t* at = buffer.Extend(kLengthBytes + kNumericBytesMax);
  const int size = WriteNumeric(at + kLengthBytes, static_cast<Value>(Get<Stored>(source, row)), source.scale);
  StoreInt32(at, size);
  buffer.Shrink(static_cast<size_t>(kNumericBytesMax - size));
}

}  // namespace

void EncodeBool(const CellSource& source, idx_t row, WireBuffer& buffer) {
  *Field(buffer, 1) = Get<uint8_t>(source, row);
}

void EncodeInt2(const CellSource& source, idx_t row, WireBuffer& buffer) {
  StoreInt16(Field(buffer, 2), Get<int16_t>(source, row));
}

void EncodeInt4(const CellSource& source, idx_t row, WireBuffer& buffer) {
  StoreInt32(Field(buffer, 4), Get<int32_t>(source, row));
}

void EncodeInt8(const CellSource& source, idx_t row, WireBuffer& buffer) {
  StoreInt64(Field(buffer, 8), Get<int64_t>(source, row));
}

void EncodeBytes(const CellSource& source, idx_t row, WireBuffer& buffer) {
  const std::string_view text = TextAt(source, row);
  std::memcpy(Field(buffer, text.size()), text.data(), text.size());
}

void EncodeJsonb(const CellSource& source, idx_t row, WireBuffer& buffer) {
  const std::string_view text = TextAt(source, row);
  uint8_t* at = Field(buffer, text.size() + 1);
  *at = 1;  // the version of the form
  std::memcpy(at + 1, text.data(), text.size());
}

void EncodeUuid(const CellSource& source, idx_t row, WireBuffer& buffer) {
  const auto value = Get<duckdb_hugeint>(source, row);
  uint8_t* at = Field(buffer, 16);
  StoreInt64(at, value.upper ^ std::numeric_limits<int64_t>::min());
  StoreInt64(at + 8, static_cast<int64_t>(value.lower));
}

void EncodeDate(const CellSource& source, idx_t row, WireBuffer& buffer) {
  constexpr int32_t kInfinity = std::numeric_limits<int32_t>::max();
  const auto days = Get<int32_t>(source, row);
  int32_t wire = 0;
  if (days == kInfinity) {
    wire = kInfinity;
  } else if (days == -kInfinity) {
    wire = std::numeric_limits<int32_t>::min();
  } else if (days < std::numeric_limits<int32_t>::min() + kEpochDays) {
    throw Error(kData, "LEAT0402",
                fmt::format("{} holds a day {} days before 1970; expected one from 4713 BC on", source.column,
                            -static_cast<int64_t>(days)));
  } else {
    wire = days - kEpochDays;
  }
  StoreInt32(Field(buffer, 4), wire);
}

void EncodeTimestamp(const CellSource& source, idx_t row, WireBuffer& buffer) {
  constexpr int64_t kInfinity = std::numeric_limits<int64_t>::max();
  const auto moment = Get<int64_t>(source, row);
  int64_t wire = 0;
  if (moment == kInfinity) {
    wire = kInfinity;
  } else if (moment == -kInfinity) {
    wire = std::numeric_limits<int64_t>::min();
  } else if (moment < std::numeric_limits<int64_t>::min() + kEpochMicroseconds) {
    throw Error(kData, "LEAT0402",
                fmt::format("{} holds a moment {} µs from 1970; expected one from 4713 BC on", source.column, moment));
  } else {
    wire = moment - kEpochMicroseconds;
  }
  StoreInt64(Field(buffer, 8), wire);
}

EncodeCell DecimalEncoder(int width) {
  if (width <= 4) return &EncodeDecimal<int16_t, int64_t>;
  if (width <= 9) return &EncodeDecimal<int32_t, int64_t>;
  if (width <= 18) return &EncodeDecimal<int64_t, int64_t>;
  return &EncodeDecimal<Int128, Int128>;
}

void AppendTextField(std::string_view text, WireBuffer& buffer) {
  for (const char c : text) {
    switch (c) {
      case '\\':
        buffer.Append("\\\\");
        break;
      case '\n':
        buffer.Append("\\n");
        break;
      case '\r':
        buffer.Append("\\r");
        break;
      case '\t':
        buffer.Append("\\t");
        break;
      default:
        *buffer.Extend(1) = static_cast<uint8_t>(c);
    }
  }
}

}  // namespace leat::postgres
