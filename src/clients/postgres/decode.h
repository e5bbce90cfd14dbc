#pragma once

#include <string>

#include "clients/postgres/types.h"
#include "core/error.h"

namespace leat::postgres {

/// LEAT0401: a value that the type of its cell cannot hold.
class Misfit : public Error {
 public:
  /// \param value  as a person reads it; \param test  what follows the value in SQL: `::text = 'NaN'`
  Misfit(const CellTarget& target, const std::string& value, const std::string& expected, const std::string& test);

  /// SQL that is true in the rows that hold such a value.
  const std::string& condition() const { return condition_; }

 private:
  std::string condition_;
};

/// One decoder per binary form; the contract is that of DecodeCell.

void DecodeBool(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);
void DecodeInt2(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);
/// Also float4: the same bits.
void DecodeInt4(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);
/// Also float8.
void DecodeInt8(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);
/// Text of any kind and bytea: the bytes as they are.
void DecodeBytes(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);
/// Text behind a version byte of 1.
void DecodeJsonb(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);
/// "char": a byte as the server prints it, none for 0, `\377` from 128 on.
void DecodeChar(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);
void DecodeUuid(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);
/// Refuses ±infinity.
void DecodeDate(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);
/// Refuses 24:00:00, which is no time of day elsewhere.
void DecodeTime(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);
/// timestamp and timestamptz. Refuses ±infinity and moments after 294247-01-10 04:00:54.775806, DuckDB's last.
void DecodeTimestamp(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);

/// An array, its elements by the decoder of their type. Refuses more than one dimension, and indexes that do not begin
/// at 1. Source: PostgreSQL src/backend/utils/adt/arrayfuncs.c, array_send().
void DecodeArray(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);

/// The decoder of numeric into a DECIMAL of `width` digits, as wide in memory as DuckDB keeps it; width and scale stand
/// in the target's type. Refuses NaN, ±Infinity and what has more digits.
DecodeCell DecimalDecoder(int width);

}  // namespace leat::postgres
