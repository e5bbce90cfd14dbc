#include "clients/postgres/numeric.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <type_traits>

#include "clients/postgres/wire.h"

namespace leat::postgres {
namespace {

constexpr int32_t kHeaderBytes = 8;
constexpr int kGroupDigits = 4;
constexpr int kGroup = 10000;
constexpr uint16_t kNegative = 0x4000;
constexpr uint16_t kNan = 0xC000;
constexpr uint16_t kPositiveInfinity = 0xD000;
constexpr uint16_t kNegativeInfinity = 0xF000;

struct Header {
  int digit_count;
  int weight;  ///< power of 10000 of the first digit
  uint16_t sign;
  int display_scale;
};

Header ReadHeader(const uint8_t* bytes) {
  return {LoadInt16(bytes), LoadInt16(bytes + 2), static_cast<uint16_t>(LoadInt16(bytes + 4)), LoadInt16(bytes + 6)};
}

template <typename Int>
constexpr int kDigitsMax = std::is_same_v<Int, int64_t> ? 18 : 38;

template <typename Int>
constexpr auto kPowers = [] {
  std::array<Int, static_cast<size_t>(kDigitsMax<Int>) + 1> powers{};
  Int power = 1;
  for (size_t i = 0; i < powers.size(); ++i) {
    powers[i] = power;
    if (i + 1 < powers.size()) power *= 10;
  }
  return powers;
}();

template <typename Int>
Int Power(int exponent) {
  return kPowers<Int>[static_cast<size_t>(exponent)];
}

/// Shift `value` left by `digits` decimal digits, unless the result would have more than Int surely holds.
template <typename Int>
bool ShiftLeft(Int& value, int digits) {
  if (value == 0) return true;
  if (digits > kDigitsMax<Int> || value >= Power<Int>(kDigitsMax<Int> - digits)) return false;
  value *= Power<Int>(digits);
  return true;
}

template <typename Int>
NumericFault Read(const uint8_t* bytes, int32_t size, int width, int scale, Int& value) {
  if (size < kHeaderBytes) return NumericFault::kMalformed;
  const Header header = ReadHeader(bytes);
  if (header.sign != 0 && header.sign != kNegative) return NumericFault::kNotFinite;
  if (header.digit_count < 0 || size != kHeaderBytes + 2 * header.digit_count) return NumericFault::kMalformed;
  Int sum = 0;
  // Where the last digit of a group stands: so many decimal places left of the last place that the DECIMAL keeps.
  int place = kGroupDigits * header.weight + scale;
  for (int i = 0; i < header.digit_count; ++i, place -= kGroupDigits) {
    const int group = LoadInt16(bytes + kHeaderBytes + 2 * i);
    if (group < 0 || group >= kGroup) return NumericFault::kMalformed;
    if (place >= 0) {
      if (!ShiftLeft<Int>(sum, kGroupDigits)) return NumericFault::kTooManyDigits;
      sum += group;
    } else if (place > -kGroupDigits) {
      const int cut = static_cast<int>(Power<int64_t>(-place));
      if (group % cut != 0) return NumericFault::kTooManyDecimals;
      if (!ShiftLeft<Int>(sum, kGroupDigits + place)) return NumericFault::kTooManyDigits;
      sum += group / cut;
    } else if (group != 0) {
      return NumericFault::kTooManyDecimals;
    }
  }
  const int missing = place + kGroupDigits;
  if (missing > 0 && !ShiftLeft<Int>(sum, missing)) return NumericFault::kTooManyDigits;
  if (sum >= Power<Int>(width)) return NumericFault::kTooManyDigits;
  value = header.sign == kNegative ? -sum : sum;
  return NumericFault::kNone;
}

/// Digits in base 10000, written from the last to the first.
class Groups {
 public:
  void Push(int group) {
    // Zeros at the end are not sent; the weight tells their place.
    if (group != 0 || count_ > 0) groups_[static_cast<size_t>(count_++)] = static_cast<int16_t>(group);
    ++pushed_;
  }
  int count() const { return count_; }
  int pushed() const { return pushed_; }
  int16_t FromFirst(int index) const { return groups_[static_cast<size_t>(count_ - 1 - index)]; }

 private:
  std::array<int16_t, 12> groups_{};
  int count_ = 0;
  int pushed_ = 0;
};

template <typename Int>
int Write(uint8_t* to, Int value, int scale) {
  const bool negative = value < 0;
  Int rest = negative ? -value : value;
  Groups groups;
  int decimals = scale;
  // Groups are counted from the point, so the last one may hold fewer decimals than four.
  if (const int odd = scale % kGroupDigits; odd != 0) {
    const int power = static_cast<int>(Power<int64_t>(odd));
    groups.Push(static_cast<int>(rest % power) * static_cast<int>(Power<int64_t>(kGroupDigits - odd)));
    rest /= power;
    decimals -= odd;
  }
  const int fraction_groups = groups.pushed() + decimals / kGroupDigits;
  while (rest != 0) {
    groups.Push(static_cast<int>(rest % kGroup));
    rest /= kGroup;
  }
  const int weight = groups.count() == 0 ? 0 : groups.pushed() - fraction_groups - 1;
  StoreInt16(to, static_cast<int16_t>(groups.count()));
  StoreInt16(to + 2, static_cast<int16_t>(weight));
  StoreInt16(to + 4, static_cast<int16_t>(negative ? kNegative : 0));
  StoreInt16(to + 6, static_cast<int16_t>(scale));
  for (int i = 0; i < groups.count(); ++i) StoreInt16(to + kHeaderBytes + 2 * i, groups.FromFirst(i));
  return kHeaderBytes + 2 * groups.count();
}

}  // namespace

NumericFault ReadNumeric(const uint8_t* bytes, int32_t size, int width, int scale, int64_t& value) {
  return Read<int64_t>(bytes, size, width, scale, value);
}

NumericFault ReadNumeric(const uint8_t* bytes, int32_t size, int width, int scale, Int128& value) {
  return Read<Int128>(bytes, size, width, scale, value);
}

std::string FormatNumeric(const uint8_t* bytes, int32_t size) {
  if (size < kHeaderBytes) return "?";
  const Header header = ReadHeader(bytes);
  if (header.sign == kNan) return "NaN";
  if (header.sign == kPositiveInfinity) return "Infinity";
  if (header.sign == kNegativeInfinity) return "-Infinity";
  if (size != kHeaderBytes + 2 * header.digit_count) return "?";
  const auto group = [&](int index) {
    return index < 0 || index >= header.digit_count ? 0 : static_cast<int>(LoadInt16(bytes + kHeaderBytes + 2 * index));
  };
  std::string text;
  for (int i = 0; i <= header.weight; ++i) text += fmt::format("{:04}", group(i));
  const size_t first = text.find_first_not_of('0');
  const std::string_view whole = first == std::string::npos ? "0" : std::string_view(text).substr(first);
  std::string decimals;
  for (int i = header.weight + 1; static_cast<int>(decimals.size()) < header.display_scale; ++i)
    decimals += fmt::format("{:04}", group(i));
  decimals.resize(static_cast<size_t>(header.display_scale));
  return fmt::format("{}{}{}{}", header.sign == kNegative ? "-" : "", whole, decimals.empty() ? "" : ".", decimals);
}

int WriteNumeric(uint8_t* to, int64_t value, int scale) { return Write<int64_t>(to, value, scale); }

int WriteNumeric(uint8_t* to, Int128 value, int scale) { return Write<Int128>(to, value, scale); }

}  // namespace leat::postgres
