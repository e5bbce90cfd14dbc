#include "sources/nested/json_number.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace leat::sources {
namespace {

constexpr int kDigitsMax = 38;
constexpr int kExponentMax = 100'000;

unsigned __int128 PowerOfTen(int exponent) {
  unsigned __int128 power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

int ParseExponent(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int exponent = 0;
  for (const char c : text) exponent = std::min(exponent * 10 + (c - '0'), kExponentMax);
  return negative ? -exponent : exponent;
}

/// Digits of a double in scientific notation: `3.0000000000000004e-01` without point and exponent.
std::string DigitsOf(double value, int count) {
  std::string text = fmt::format("{:.{}e}", value < 0 ? -value : value, count - 1);
  text.resize(text.find('e'));
  std::erase(text, '.');
  return text;
}

std::string Decimal(unsigned __int128 value) {
  std::string text;
  for (; value > 0; value /= 10) text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
  return text;
}

}  // namespace

std::optional<__int128> JsonNumber::Scaled(int precision, int scale) const {
  if (digits == 0) return 0;
  const int zeros = exponent + scale;
  if (zeros < 0 || digit_count > kDigitsMax || digit_count + zeros > precision) return std::nullopt;
  const auto value = static_cast<__int128>(digits * PowerOfTen(zeros));
  return negative ? -value : value;
}

std::optional<int64_t> JsonNumber::Int64() const {
  const auto value = Scaled(19, 0);
  if (!value || *value > INT64_MAX || *value < INT64_MIN) return std::nullopt;
  return static_cast<int64_t>(*value);
}

JsonNumber ParseNumber(std::string_view token) {
  JsonNumber number;
  int zeros = 0, decimals = 0;
  for (size_t i = 0; i < token.size(); ++i) {
    const char c = token[i];
    if (c == '-') {
      number.negative = true;
    } else if (c == '.') {
      number.has_point = true;
    } else if (c == 'e' || c == 'E') {
      number.has_point = true;
      number.exponent = ParseExponent(token.substr(i + 1));
      break;
    } else {
      decimals += number.has_point ? 1 : 0;
      if (c == '0') {
        zeros += number.digits == 0 ? 0 : 1;
        continue;
      }
      number.digit_count += zeros + 1;
      if (number.digit_count <= kDigitsMax)
        number.digits = number.digits * PowerOfTen(zeros + 1) + static_cast<unsigned>(c - '0');
      zeros = 0;
    }
  }
  number.exponent = number.digits == 0 ? 0 : number.exponent + zeros - decimals;
  return number;
}

std::optional<int64_t> ParseShortInteger(std::string_view token) {
  constexpr size_t kDigitsOfEveryInt64 = 18;
  const bool negative = token.starts_with('-');
  if (negative) token.remove_prefix(1);
  int64_t value = 0;
  if (token.size() > kDigitsOfEveryInt64) return std::nullopt;
  for (const char c : token) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return negative ? -value : value;
}

std::optional<double> ExactDouble(std::string_view token, const JsonNumber& number) {
  constexpr int kAlwaysHeld = 15, kNeverHeld = 18;
  double value = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (error != std::errc() || end != token.data() + token.size() || number.digit_count >= kNeverHeld)
    return std::nullopt;
  if (number.digit_count > kAlwaysHeld && DigitsOf(value, number.digit_count) != Decimal(number.digits))
    return std::nullopt;
  return value;
}

bool LooksLikeNumber(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const auto are_digits = [](std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (!are_digits(whole) || (whole.size() > 1 && whole[0] == '0')) return false;
  return point == std::string_view::npos || are_digits(text.substr(point + 1));
}

}  // namespace leat::sources
