#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace leat::sources {

/// A number as its digits say, never by way of a double: ± digits × 10^exponent, without trailing zeros in `digits`.
struct JsonNumber {
  bool negative = false;
  unsigned __int128 digits = 0;
  int exponent = 0;
  int digit_count = 0;     ///< of `digits`; above 38 they are not all there
  bool has_point = false;  ///< written with a point or an exponent

  bool is_whole() const { return exponent >= 0; }
  /// The number × 10^scale, if that is whole and has at most `precision` digits.
  std::optional<__int128> Scaled(int precision, int scale) const;
  std::optional<int64_t> Int64() const;
};

/// \param token  as JSON writes numbers
JsonNumber ParseNumber(std::string_view token);

/// The whole number that up to 18 digits and a minus are; nothing for any other token.
std::optional<int64_t> ParseShortInteger(std::string_view token);

/// The double of a number, if it holds all of the number's digits.
std::optional<double> ExactDouble(std::string_view token, const JsonNumber& number);

/// Whether `text` is written as JSON writes a number, without an exponent: `12`, `-0.5`, neither `007` nor `1e5`.
bool LooksLikeNumber(std::string_view text);

}  // namespace leat::sources
