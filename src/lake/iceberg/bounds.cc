#include "lake/iceberg/bounds.h"

#include <bit>
#include <charconv>
#include <cstring>
#include <limits>

#include "core/text.h"

namespace leat::lake::iceberg {
namespace {

static_assert(std::endian::native == std::endian::little, "Iceberg's numbers are little-endian");

constexpr int kCharactersMax = 16;
constexpr int64_t kSecondsPerDay = 86400;
constexpr int64_t kMicrosPerSecond = 1000000;

template <typename T>
std::string Bytes(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <typename T>
std::optional<std::string> EncodeNumber(std::string_view text) {
  const std::optional<T> value = ParseNumber<T>(text);
  return value ? std::optional(Bytes(*value)) : std::nullopt;
}

/// DuckDB does not tell -0.0 from 0.0 in its statistics, Iceberg orders them: the bound must hold for both.
template <typename T>
std::optional<std::string> EncodeReal(std::string_view text, Side side) {
  std::optional<T> value = ParseNumber<T>(text);
  if (!value || *value != *value) return std::nullopt;
  if (*value == T{0}) value = side == Side::kLower ? -T{0} : T{0};
  return Bytes(*value);
}

/// The unscaled value, big-endian two's complement in as few bytes as it needs.
std::string EncodeUnscaled(__int128 value) {
  std::string bytes;
  for (;;) {
    const auto low = static_cast<signed char>(value & 0xFF);
    bytes.insert(bytes.begin(), static_cast<char>(low));
    value >>= 8;
    if ((value == 0 && low >= 0) || (value == -1 && low < 0)) return bytes;
  }
}

std::optional<std::string> EncodeDecimal(std::string_view text, int scale) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  __int128 value = 0;
  int digits = 0, fraction = -1;
  for (const char c : text) {
    if (c == '.' && fraction < 0) {
      fraction = 0;
      continue;
    }
    if (c < '0' || c > '9' || ++digits > 39) return std::nullopt;
    value = value * 10 + (c - '0');
    if (fraction >= 0) ++fraction;
  }
  if (digits == 0 || (fraction < 0 ? 0 : fraction) != scale) return std::nullopt;
  return EncodeUnscaled(negative ? -value : value);
}

/// Days from 1970-01-01 of a day of the proleptic Gregorian calendar, with a year 0 before 1.
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil; in 64 bits, since DuckDB's
/// years leave those of std::chrono.
int64_t DaysFromCivil(int64_t year, int64_t month, int64_t day) {
  if (month <= 2) --year;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

/// Reads the parts of a date or time from the front of a text; fails for good at the first that does not fit.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  bool Skip(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  void Expect(std::string_view word) { failed_ = !Skip(word) || failed_; }

  int64_t Digits() {
    const size_t count = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    const std::optional<int64_t> number = ParseNumber<int64_t>(rest_.substr(0, count));
    failed_ = failed_ || !number;
    rest_.remove_prefix(count);
    return number.value_or(0);
  }

  /// `2024-01-01` or `0044-03-15 (BC)`: the year 1 BC is the year 0 of the calendar.
  int64_t Days() {
    const int64_t year = Digits();
    Expect("-");
    const int64_t month = Digits();
    Expect("-");
    const int64_t day = Digits();
    return DaysFromCivil(Skip(" (BC)") ? 1 - year : year, month, day);
  }

  /// `10:20:30` with up to six digits of a fraction.
  int64_t Micros() {
    const int64_t hours = Digits();
    Expect(":");
    const int64_t minutes = Digits();
    Expect(":");
    const int64_t seconds = Digits();
    int64_t micros = ((hours * 60 + minutes) * 60 + seconds) * kMicrosPerSecond;
    if (!Skip(".")) return micros;
    int64_t unit = kMicrosPerSecond / 10;
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; unit /= 10, rest_.remove_prefix(1))
      micros += (rest_[0] - '0') * unit;
    return micros;
  }

  bool ok() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

std::optional<std::string> EncodeDate(std::string_view text) {
  TimeReader in(text);
  const int64_t days = in.Days();
  if (!in.ok() || days != static_cast<int32_t>(days)) return std::nullopt;
  return Bytes(static_cast<int32_t>(days));
}

std::optional<std::string> EncodeTime(std::string_view text) {
  TimeReader in(text);
  const int64_t micros = in.Micros();
  return in.ok() ? std::optional(Bytes(micros)) : std::nullopt;
}

std::optional<std::string> EncodeTimestamp(std::string_view text, bool with_zone) {
  TimeReader in(text);
  const int64_t days = in.Days();
  in.Expect(" ");
  const int64_t micros_of_day = in.Micros();
  if (with_zone) in.Expect("+00");
  int64_t micros = 0;
  if (!in.ok() || __builtin_mul_overflow(days, kSecondsPerDay * kMicrosPerSecond, &micros) ||
      __builtin_add_overflow(micros, micros_of_day, &micros))
    return std::nullopt;
  return Bytes(micros);
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> DecodeHex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = HexDigit(text[i]), low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

std::optional<std::string> EncodeUuid(std::string_view text) {
  std::string hex(text);
  std::erase(hex, '-');
  std::optional<std::string> bytes = DecodeHex(hex);
  return bytes && bytes->size() == 16 ? bytes : std::nullopt;
}

std::optional<std::string> EncodeBinary(std::string_view text, Side side) {
  std::optional<std::string> bytes = DecodeHex(text);
  if (!bytes || bytes->size() <= kCharactersMax) return bytes;
  bytes->resize(kCharactersMax);
  if (side == Side::kLower) return bytes;
  while (!bytes->empty() && bytes->back() == '\xFF') bytes->pop_back();
  if (bytes->empty()) return std::nullopt;
  bytes->back() = static_cast<char>(bytes->back() + 1);
  return bytes;
}

/// Where each of the first `count` characters of valid UTF-8 begins, and where the last of them ends.
std::vector<size_t> CharacterStarts(std::string_view text, int count) {
  std::vector<size_t> starts;
  for (size_t i = 0; i <= text.size() && starts.size() <= static_cast<size_t>(count); ++i)
    if (i == text.size() || (text[i] & 0xC0) != 0x80) starts.push_back(i);
  return starts;
}

char32_t DecodeCharacter(std::string_view bytes) {
  const auto first = static_cast<uint8_t>(bytes[0]);
  if (bytes.size() == 1) return first;
  char32_t code = first & (0x7Fu >> bytes.size());
  for (const char c : bytes.substr(1)) code = (code << 6) | (static_cast<uint8_t>(c) & 0x3Fu);
  return code;
}

std::string EncodeCharacter(char32_t code) {
  const auto tail = [code](int shift) { return static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xC0 | (code >> 6)), tail(0)};
  if (code < 0x10000) return {static_cast<char>(0xE0 | (code >> 12)), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | (code >> 18)), tail(12), tail(6), tail(0)};
}

/// The next character that UTF-8 can hold; nothing after the last.
std::optional<std::string> NextCharacter(char32_t code) {
  if (code >= 0x10FFFF) return std::nullopt;
  return EncodeCharacter(code + 1 == 0xD800 ? 0xE000 : code + 1);
}

std::optional<std::string> EncodeText(std::string_view text, Side side) {
  const std::vector<size_t> starts = CharacterStarts(text, kCharactersMax);
  const std::string_view kept = text.substr(0, starts.back());
  if (!IsValidUtf8(kept)) return std::nullopt;
  if (kept.size() == text.size() || side == Side::kLower) return std::string(kept);
  for (size_t i = starts.size() - 1; i > 0; --i) {
    const std::string_view last = text.substr(starts[i - 1], starts[i] - starts[i - 1]);
    if (const auto next = NextCharacter(DecodeCharacter(last)))
      return std::string(text.substr(0, starts[i - 1])) + *next;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> EncodeBound(const Type& type, std::string_view text, Side side) {
  switch (type.kind) {
    case Type::Kind::kBoolean:
      if (text != "0" && text != "1" && text != "false" && text != "true") return std::nullopt;
      return std::string(1, text == "1" || text == "true" ? '\1' : '\0');
    case Type::Kind::kInt:
      return EncodeNumber<int32_t>(text);
    case Type::Kind::kLong:
      return EncodeNumber<int64_t>(text);
    case Type::Kind::kFloat:
      return EncodeReal<float>(text, side);
    case Type::Kind::kDouble:
      return EncodeReal<double>(text, side);
    case Type::Kind::kDecimal:
      return EncodeDecimal(text, type.scale);
    case Type::Kind::kDate:
      return EncodeDate(text);
    case Type::Kind::kTime:
      return EncodeTime(text);
    case Type::Kind::kTimestamp:
      return EncodeTimestamp(text, false);
    case Type::Kind::kTimestampTz:
      return EncodeTimestamp(text, true);
    case Type::Kind::kString:
      return EncodeText(text, side);
    case Type::Kind::kUuid:
      return EncodeUuid(text);
    case Type::Kind::kBinary:
      return EncodeBinary(text, side);
    case Type::Kind::kStruct:
    case Type::Kind::kList:
    case Type::Kind::kMap:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<int64_t> DecodeInteger(std::string_view bound) {
  if (bound.size() == sizeof(int32_t)) {
    int32_t value;
    std::memcpy(&value, bound.data(), sizeof value);
    return value;
  }
  if (bound.size() != sizeof(int64_t)) return std::nullopt;
  int64_t value;
  std::memcpy(&value, bound.data(), sizeof value);
  return value;
}

}  // namespace leat::lake::iceberg
