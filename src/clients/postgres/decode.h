#pragma once

#include "clients/postgres/types.h"

namespace leat::postgres {

/// One decoder per binary form; the contract is that of DecodeCell.

void DecodeBool(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);
void DecodeInt2(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);
/// Also float4: the same bits.
void DecodeInt4(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);
/// Also float8 and time.
void DecodeInt8(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);
/// Text of any kind and bytea: the bytes as they are.
void DecodeBytes(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);
/// Text behind a version byte of 1.
void DecodeJsonb(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);
void DecodeUuid(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);
/// Refuses ±infinity.
void DecodeDate(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);
/// timestamp and timestamptz. Refuses ±infinity and moments after 294247-01-10 04:00:54.775806, DuckDB's last.
void DecodeTimestamp(const CellTarget& target, idx_t row, const uint8_t* bytes, int32_t size);

/// The decoder of numeric into a DECIMAL of `width` digits, as wide in memory as DuckDB keeps it; width and scale stand
/// in the target. Refuses NaN, ±Infinity and what has more digits.
DecodeCell DecimalDecoder(int width);

}  // namespace leat::postgres
