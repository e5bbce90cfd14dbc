#include "clients/postgres/decode.h"

#include <fmt/format.h>

#include <cstring>
#include <limits>
#include <string>

#include "clients/postgres/numeric.h"
#include "clients/postgres/wire.h"
#include "core/error.h"

namespace leat::postgres {
namespace {

// DuckDB keeps strings of up to 12 bytes inside the cell, the rest of it zero.
constexpr int32_t kInlineBytes = 12;

template <typename T>
void Put(const CellTarget& target, idx_t row, T value) {
  std::memcpy(target.data + row * sizeof(T), &value, sizeof(T));
}

[[noreturn]] void ThrowMisfit(const CellTarget& target, const std::string& value, const std::string& expected) {
  throw Error(kData, "LEAT0401",
              fmt::format("{}.{} holds {}; expected {}", target.table, target.column, value, expected))
      .Hint(fmt::format("mend the value, or leave the column out:  columns: {{exclude: [{}]}}", target.column));
}

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

[[noreturn, gnu::cold]] void ThrowTimestamp(const CellTarget& target, int64_t wire) {
  constexpr int64_t kDay = 86'400'000'000;
  if (wire == std::numeric_limits<int64_t>::max()) ThrowMisfit(target, "infinity", "a finite moment");
  if (wire == std::numeric_limits<int64_t>::min()) ThrowMisfit(target, "-infinity", "a finite moment");
  ThrowMisfit(target, "a moment of " + FormatDay(wire / kDay + kEpochDays), "one up to 294247-01-10 04:00:54.775806");
}

[[noreturn, gnu::cold]] void ThrowNumeric(const CellTarget& target, const uint8_t* bytes, int32_t size,
                                          NumericFault fault) {
  const std::string value = FormatNumeric(bytes, size);
  switch (fault) {
    case NumericFault::kNotFinite:
      ThrowMisfit(target, value, "a number");
    case NumericFault::kTooManyDigits:
      ThrowMisfit(target, value, fmt::format("at most {} digits before the point", target.width - target.scale));
    case NumericFault::kTooManyDecimals:
      ThrowMisfit(target, value, fmt::format("at most {} digits after the point", target.scale));
    case NumericFault::kMalformed:
    case NumericFault::kNone:
      break;
  }
  throw Error(kInternal, "LEAT9906",
              fmt::format("{}.{} came as {} bytes that are no numeric; its type was changed during the read",
                          target.table, target.column, size));
}

/// Stored is what the vector holds, Sum what the value is computed in.
template <typename Stored, typename Sum>
void DecodeDecimal(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size) {
  Sum value = 0;
  const NumericFault fault = ReadNumeric(bytes, size, target.width, target.scale, value);
  if (fault != NumericFault::kNone) [[unlikely]]
    ThrowNumeric(target, bytes, size, fault);
  Put(target, row, static_cast<Stored>(value));
}

}  // namespace

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
  if (days == std::numeric_limits<int32_t>::max()) [[unlikely]]
    ThrowMisfit(target, "infinity", "a finite day");
  if (days == std::numeric_limits<int32_t>::min()) [[unlikely]]
    ThrowMisfit(target, "-infinity", "a finite day");
  // PostgreSQL's last day, 5874897-12-31, leaves room for the difference of the epochs.
  Put(target, row, static_cast<int32_t>(static_cast<uint32_t>(days) + kEpochDays));
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

DecodeCell DecimalDecoder(int width) {
  if (width <= 4) return &DecodeDecimal<int16_t, int64_t>;
  if (width <= 9) return &DecodeDecimal<int32_t, int64_t>;
  if (width <= 18) return &DecodeDecimal<int64_t, int64_t>;
  return &DecodeDecimal<Int128, Int128>;
}

}  // namespace leat::postgres
