#include "clients/postgres/decode.h"

#include <fmt/format.h>

#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "clients/postgres/numeric.h"
#include "clients/postgres/wire.h"
#include "core/text.h"

namespace leat::postgres {
namespace {

// DuckDB keeps strings of up to 12 bytes inside the cell, the rest of it zero.
constexpr int32_t kInlineBytes = 12;
constexpr int64_t kDayMicroseconds = 86'400'000'000;

template <typename T>
void Put(const CellTarget& target, idx_t row, T value) {
  std::memcpy(target.data + row * sizeof(T), &value, sizeof(T));
}

/// Values of that many characters are cut in a message.
constexpr int kShownMax = 80;

std::string IsText(std::string_view value) { return "::text = " + QuoteLiteral(value); }

[[noreturn, gnu::cold]] void ThrowSize(const CellTarget& target, int32_t size, int32_t expected) {
  throw Error(kInternal, "LEAT9906",
              fmt::format("{}.{} came as {} bytes, expected {}; its type was changed during the read", target.table,
                          target.column, size, expected));
}

inline void CheckSize(const CellTarget& target, int32_t size, int32_t expected) {
  if (size != expected) [[unlikely]]
    ThrowSize(target, size, expected);
}

/// A day of the proleptic Gregorian calendar, as PostgreSQL prints it, for any year. Source: Howard Hinnant,
/// chrono-Compatible Low-Level Date Algorithms, civil_from_days.
std::string FormatDay(int64_t days_since_1970) {
  const int64_t z = days_since_1970 + 719468;
  const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const int64_t day_of_era = z - era * 146097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_index = (5 * day_of_year + 2) / 153;
  const int64_t day = day_of_year - (153 * month_index + 2) / 5 + 1;
  const int64_t month = month_index < 10 ? month_index + 3 : month_index - 9;
  const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  return fmt::format("{:04}-{:02}-{:02}", year, month, day);
}

/// What is no day or moment at all.
[[noreturn, gnu::cold]] void ThrowInfinity(const CellTarget& target, bool is_negative, const std::string& expected) {
  const std::string value = is_negative ? "-infinity" : "infinity";
  throw Misfit(target, value, expected, IsText(value));
}

[[noreturn, gnu::cold]] void ThrowTimestamp(const CellTarget& target, int64_t wire) {
  constexpr const char* kLast = "294247-01-10 04:00:54.775806";
  const bool is_negative = wire == std::numeric_limits<int64_t>::min();
  if (is_negative || wire == std::numeric_limits<int64_t>::max()) ThrowInfinity(target, is_negative, "a finite moment");
  throw Misfit(target, "a moment of " + FormatDay(wire / kDayMicroseconds + kEpochDays),
               fmt::format("one up to {}", kLast), fmt::format(" > '{}'::timestamp", kLast));
}

[[noreturn, gnu::cold]] void ThrowNumeric(const CellTarget& target, const uint8_t* bytes, int32_t size,
                                          NumericFault fault) {
  const std::string value = FormatNumeric(bytes, size);
  const TypeMapping& type = *target.type;
  switch (fault) {
    case NumericFault::kNotFinite:
      throw Misfit(target, value, "a number", IsText(value));
    case NumericFault::kTooManyDigits:
      throw Misfit(target, value, fmt::format("at most {} digits before the point", type.width - type.scale),
                   IsText(value));
    case NumericFault::kTooManyDecimals:
      throw Misfit(target, value, fmt::format("at most {} digits after the point", type.scale), IsText(value));
    case NumericFault::kMalformed:
    case NumericFault::kNone:
      break;
  }
  throw Error(kInternal, "LEAT9906",
              fmt::format("{}.{} came as {} bytes that are no numeric; its type was changed during the read",
                          target.table, target.column, size));
}

[[noreturn, gnu::cold]] void ThrowNoArray(const CellTarget& target) {
  throw Error(kInternal, "LEAT9906",
              fmt::format("{}.{} came as bytes that are no array; its type was changed during the read", target.table,
                          target.column));
}

/// The bytes of an array that are not read yet.
class ArrayBytes {
 public:
  ArrayBytes(const CellTarget& target, const uint8_t* at, int32_t size) : target_(target), at_(at), end_(at + size) {}

  int32_t Number() { return LoadInt32(Take(4)); }
  const uint8_t* Take(int32_t size) {
    if (size < 0 || size > end_ - at_) ThrowNoArray(target_);
    return std::exchange(at_, at_ + size);
  }
  int64_t left() const { return end_ - at_; }

 private:
  const CellTarget& target_;
  const uint8_t* at_;
  const uint8_t* end_;
};

/// Read what stands before an array's elements. Returns their number.
int32_t ReadArrayHead(const CellTarget& target, ArrayBytes& bytes) {
  const int32_t dimensions = bytes.Number();
  bytes.Take(4 + 4);  // whether any is NULL, and their type
  if (dimensions == 0) return 0;
  if (dimensions != 1)
    // A text that begins so is quoted.
    throw Misfit(target, fmt::format("an array of {} dimensions", dimensions), "one dimension", "::text ~ '^[^\"]*{{'");
  const int32_t count = bytes.Number();
  if (count < 0) ThrowNoArray(target);
  if (const int32_t first = bytes.Number(); first != 1)
    throw Misfit(target, fmt::format("an array whose first index is {}", first), "1", "::text LIKE '[%'");
  return count;
}

/// Stored is what the vector holds, Sum what the value is computed in.
template <typename Stored, typename Sum>
void DecodeDecimal(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size) {
  Sum value = 0;
  const NumericFault fault = ReadNumeric(bytes, size, target.type->width, target.type->scale, value);
  if (fault != NumericFault::kNone) [[unlikely]]
    ThrowNumeric(target, bytes, size, fault);
  Put(target, row, static_cast<Stored>(value));
}

/// Where the elements of an array's column go, once there is room for all of them.
CellTarget ElementsOf(const CellTarget& array) {
  const duckdb_vector elements = duckdb_list_vector_get_child(array.vector);
  return {.data = static_cast<uint8_t*>(duckdb_vector_get_data(elements)),
          .vector = elements,
          .type = &array.type->element[0],
          .table = array.table,
          .column = array.column,
          .in_array = true};
}

void SetNull(duckdb_vector vector, idx_t row) {
  duckdb_vector_ensure_validity_writable(vector);
  duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
}

std::string Find(const CellTarget& target, const std::string& test) {
  const std::string column = QuoteIdentifier(target.column);
  return target.in_array ? fmt::format("EXISTS (SELECT FROM unnest({}) e WHERE e{})", column, test) : column + test;
}

Diagnostic Describe(const CellTarget& target, const std::string& value, const std::string& expected) {
  const std::string column = YamlName(target.column);
  return {.code = "LEAT0401",
          .message = fmt::format("{}.{} holds {}{}; expected {}", target.table, target.column,
                                 Shorten(value, kShownMax), target.in_array ? " in an array" : "", expected),
          .help = {
              fmt::format("mend the value, or take the column as text by  columns: {{types: {{{}: VARCHAR}}}}", column),
              fmt::format("or leave the column out by  columns: {{exclude: [{}]}}", column)}};
}

}  // namespace

Misfit::Misfit(const CellTarget& target, const std::string& value, const std::string& expected, const std::string& test)
    : Error(kData, Describe(target, value, expected)), condition_(Find(target, test)) {}

void DecodeBool(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size) {
  CheckSize(target, size, 1);
  Put<uint8_t>(target, row, bytes[0] != 0 ? 1 : 0);
}

void DecodeInt2(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size) {
  CheckSize(target, size, 2);
  Put(target, row, LoadInt16(bytes));
}

void DecodeInt4(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size) {
  CheckSize(target, size, 4);
  Put(target, row, LoadInt32(bytes));
}

void DecodeInt8(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size) {
  CheckSize(target, size, 8);
  Put(target, row, LoadInt64(bytes));
}

void DecodeBytes(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size) {
  if (size > kInlineBytes) {
    // The server has verified that text is UTF-8: client_encoding says so, also for a database in SQL_ASCII.
    duckdb_unsafe_vector_assign_string_element_len(target.vector, row, reinterpret_cast<const char*>(bytes),
                                                   static_cast<idx_t>(size));
    return;
  }
  duckdb_string_t text{};
  text.value.inlined.length = static_cast<uint32_t>(size);
  std::memcpy(text.value.inlined.inlined, bytes, static_cast<size_t>(size));
  Put(target, row, text);
}

void DecodeJsonb(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size) {
  if (size < 1 || bytes[0] != 1)
    throw Error(kInternal, "LEAT9906",
                fmt::format("{}.{} came in a form of jsonb other than 1", target.table, target.column));
  DecodeBytes(target, row, bytes + 1, size - 1);
}

void DecodeChar(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size) {
  CheckSize(target, size, 1);
  if (bytes[0] < 0x80) return DecodeBytes(target, row, bytes, bytes[0] == 0 ? 0 : 1);
  const std::string escaped = fmt::format("\\{:03o}", bytes[0]);
  DecodeBytes(target, row, reinterpret_cast<const uint8_t*>(escaped.data()), static_cast<int32_t>(escaped.size()));
}

void DecodeUuid(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size) {
  CheckSize(target, size, 16);
  // DuckDB flips the top bit, so that its signed 128-bit order is that of the bytes.
  const duckdb_hugeint value{.lower = static_cast<uint64_t>(LoadInt64(bytes + 8)),
                             .upper = LoadInt64(bytes) ^ std::numeric_limits<int64_t>::min()};
  Put(target, row, value);
}

void DecodeDate(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size) {
  CheckSize(target, size, 4);
  const int32_t days = LoadInt32(bytes);
  const bool is_negative = days == std::numeric_limits<int32_t>::min();
  if (is_negative || days == std::numeric_limits<int32_t>::max()) [[unlikely]]
    ThrowInfinity(target, is_negative, "a finite day");
  // PostgreSQL's last day, 5874897-12-31, leaves room for the difference of the epochs.
  Put(target, row, static_cast<int32_t>(static_cast<uint32_t>(days) + kEpochDays));
}

void DecodeTime(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size) {
  CheckSize(target, size, 8);
  const int64_t microseconds = LoadInt64(bytes);
  if (microseconds == kDayMicroseconds) [[unlikely]]
    throw Misfit(target, "24:00:00", "a time before it", IsText("24:00:00"));
  Put(target, row, microseconds);
}

void DecodeTimestamp(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size) {
  CheckSize(target, size, 8);
  const int64_t wire = LoadInt64(bytes);
  // The greatest int64 is DuckDB's infinity.
  if (wire >= std::numeric_limits<int64_t>::max() - kEpochMicroseconds || wire == std::numeric_limits<int64_t>::min())
      [[unlikely]]
    ThrowTimestamp(target, wire);
  Put(target, row, wire + kEpochMicroseconds);
}

void DecodeArray(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size) {
  constexpr int32_t kNullSize = -1;
  ArrayBytes array(target, bytes, size);
  const auto count = static_cast<idx_t>(ReadArrayHead(target, array));
  // Room is made for as many elements as the bytes may hold, not for as many as their head claims.
  if (count > static_cast<idx_t>(array.left()) / sizeof(int32_t)) ThrowNoArray(target);
  const idx_t first = duckdb_list_vector_get_size(target.vector);
  duckdb_list_vector_reserve(target.vector, first + count);
  const CellTarget elements = ElementsOf(target);
  for (idx_t cell = first; cell < first + count; ++cell) {
    const int32_t element_size = array.Number();
    if (element_size == kNullSize)
      SetNull(elements.vector, cell);
    else
      elements.type->decode(elements, cell, array.Take(element_size), element_size);
  }
  if (array.left() > 0) ThrowNoArray(target);
  duckdb_list_vector_set_size(target.vector, first + count);
  Put(target, row, duckdb_list_entry{.offset = first, .length = count});
}

DecodeCell DecimalDecoder(int width) {
  if (width <= 4) return &DecodeDecimal<int16_t, int64_t>;
  if (width <= 9) return &DecodeDecimal<int32_t, int64_t>;
  if (width <= 18) return &DecodeDecimal<int64_t, int64_t>;
  return &DecodeDecimal<Int128, Int128>;
}

}  // namespace leat::postgres
