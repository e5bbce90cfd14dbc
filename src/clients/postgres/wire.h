#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace leat::postgres {

/// PostgreSQL's numbers travel big-endian; nothing is aligned.
static_assert(std::endian::native == std::endian::little);

inline int16_t LoadInt16(const uint8_t* bytes) {
  uint16_t raw;
  std::memcpy(&raw, bytes, sizeof raw);
  return static_cast<int16_t>(__builtin_bswap16(raw));
}

inline int32_t LoadInt32(const uint8_t* bytes) {
  uint32_t raw;
  std::memcpy(&raw, bytes, sizeof raw);
  return static_cast<int32_t>(__builtin_bswap32(raw));
}

inline int64_t LoadInt64(const uint8_t* bytes) {
  uint64_t raw;
  std::memcpy(&raw, bytes, sizeof raw);
  return static_cast<int64_t>(__builtin_bswap64(raw));
}

inline void StoreInt16(uint8_t* bytes, int16_t value) {
  const uint16_t raw = __builtin_bswap16(static_cast<uint16_t>(value));
  std::memcpy(bytes, &raw, sizeof raw);
}

inline void StoreInt32(uint8_t* bytes, int32_t value) {
  const uint32_t raw = __builtin_bswap32(static_cast<uint32_t>(value));
  std::memcpy(bytes, &raw, sizeof raw);
}

inline void StoreInt64(uint8_t* bytes, int64_t value) {
  const uint64_t raw = __builtin_bswap64(static_cast<uint64_t>(value));
  std::memcpy(bytes, &raw, sizeof raw);
}

/// PostgreSQL counts days and microseconds from 2000-01-01, DuckDB from 1970-01-01.
inline constexpr int32_t kEpochDays = 10957;
inline constexpr int64_t kEpochMicroseconds = int64_t{kEpochDays} * 86'400'000'000;

/// PostgreSQL's base types by their fixed oid. Source: src/include/catalog/pg_type.dat.
namespace oid {
inline constexpr uint32_t kBool = 16;
inline constexpr uint32_t kBytea = 17;
inline constexpr uint32_t kChar = 18;  // "char", of one byte
inline constexpr uint32_t kName = 19;
inline constexpr uint32_t kInt8 = 20;
inline constexpr uint32_t kInt2 = 21;
inline constexpr uint32_t kInt4 = 23;
inline constexpr uint32_t kText = 25;
inline constexpr uint32_t kJson = 114;
inline constexpr uint32_t kFloat4 = 700;
inline constexpr uint32_t kFloat8 = 701;
inline constexpr uint32_t kBpchar = 1042;
inline constexpr uint32_t kVarchar = 1043;
inline constexpr uint32_t kDate = 1082;
inline constexpr uint32_t kTime = 1083;
inline constexpr uint32_t kTimestamp = 1114;
inline constexpr uint32_t kTimestamptz = 1184;
inline constexpr uint32_t kNumeric = 1700;
inline constexpr uint32_t kUuid = 2950;
inline constexpr uint32_t kJsonb = 3802;
}  // namespace oid

}  // namespace leat::postgres
