#pragma once

#include <cstdint>
#include <string>

namespace leat::postgres {

/// The binary form of `numeric`: int16 each of digit count, weight of the first digit, sign and display scale, then
/// digits in base 10000, all big-endian. Source: PostgreSQL src/backend/utils/adt/numeric.c, numeric_send().

using Int128 = __int128;

/// Why a numeric does not go into DECIMAL(width, scale).
enum class NumericFault {
  kNone,
  kMalformed,        ///< bytes that numeric_send() does not make
  kNotFinite,        ///< NaN, Infinity, -Infinity
  kTooManyDigits,    ///< before the point
  kTooManyDecimals,  ///< after the point
};

/// Read a numeric as the unscaled value of DECIMAL(width, scale). `value` is set if nothing is wrong.
/// \param width  1..18
NumericFault ReadNumeric(const uint8_t* bytes, int32_t size, int width, int scale, int64_t& value);
/// \param width  1..38
NumericFault ReadNumeric(const uint8_t* bytes, int32_t size, int width, int scale, Int128& value);

/// Format a numeric as PostgreSQL prints it: `-12.50`, `NaN`.
std::string FormatNumeric(const uint8_t* bytes, int32_t size);

/// The most bytes that WriteNumeric writes: header and 11 digits.
inline constexpr int kNumericBytesMax = 8 + 2 * 11;

/// Write the unscaled value of a DECIMAL as numeric; returns the bytes written.
int WriteNumeric(uint8_t* to, int64_t value, int scale);
int WriteNumeric(uint8_t* to, Int128 value, int scale);

}  // namespace leat::postgres
