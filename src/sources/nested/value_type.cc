#include "sources/nested/value_type.h"

#include <fmt/format.h>

#include <chrono>

#include "sources/nested/shape.h"

namespace leat::sources {
namespace {

using Form = ValueType::Form;

constexpr int64_t kMicrosPerSecond = 1'000'000;

/// Takes digits off the front of a text.
class TimeText {
 public:
  explicit TimeText(std::string_view text) : rest_(text) {}

  std::optional<int> Digits(size_t count) {
    int value = 0;
    if (rest_.size() < count) return std::nullopt;
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  /// Two digits below `limit`.
  std::optional<int> Part(int limit) {
    const auto value = Digits(2);
    return value && *value < limit ? value : std::nullopt;
  }
  bool Skip(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// `.123456`; finer digits go, since a column keeps microseconds.
  std::optional<int64_t> Fraction() {
    int64_t micros = 0, unit = kMicrosPerSecond / 10;
    if (!Skip('.')) return 0;
    bool any = false;
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; rest_.remove_prefix(1), unit /= 10) {
      micros += unit * (rest_[0] - '0');
      any = true;
    }
    return any ? std::optional(micros) : std::nullopt;
  }
  /// Seconds east of UTC: `Z`, nothing, `+01`, `+0100`, `+01:00`.
  std::optional<int64_t> Zone() {
    if (rest_.empty() || Skip('Z') || Skip('z')) return 0;
    const int sign = Skip('-') ? -1 : Skip('+') ? 1 : 0;
    const auto hours = sign == 0 ? std::nullopt : Part(24);
    if (!hours) return std::nullopt;
    if (rest_.empty()) return sign * *hours * 3600;
    Skip(':');
    const auto minutes = Part(60);
    return minutes ? std::optional<int64_t>(sign * (*hours * 3600 + *minutes * 60)) : std::nullopt;
  }
  bool starts_with_digit() const { return !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace

std::string ValueType::DuckType() const {
  std::string type;
  switch (form) {
    case Form::kBoolean:
      type = "BOOLEAN";
      break;
    case Form::kInt:
      type = "INTEGER";
      break;
    case Form::kLong:
      type = "BIGINT";
      break;
    case Form::kDecimal:
      type = fmt::format("DECIMAL({},{})", precision, scale);
      break;
    case Form::kDouble:
      type = "DOUBLE";
      break;
    case Form::kText:
    case Form::kJson:
      type = "VARCHAR";
      break;
    case Form::kDate:
      type = "DATE";
      break;
    case Form::kTimestamp:
      type = "TIMESTAMP";
      break;
    case Form::kTimestampTz:
      type = "TIMESTAMP WITH TIME ZONE";
  }
  for (int i = 0; i < lists; ++i) type += "[]";
  return type;
}

std::optional<ValueType> ValueTypeOf(const lake::Type& type, const std::string& source_type) {
  using Kind = lake::Type::Kind;
  switch (type.kind) {
    case Kind::kBoolean:
      return ValueType{.form = Form::kBoolean};
    case Kind::kInt:
      return ValueType{.form = Form::kInt};
    case Kind::kLong:
      return ValueType{.form = Form::kLong};
    case Kind::kDecimal:
      return ValueType{.form = Form::kDecimal, .precision = type.precision, .scale = type.scale};
    case Kind::kDouble:
      return ValueType{.form = Form::kDouble};
    case Kind::kString:
      return ValueType{.form = source_type == "json" ? Form::kJson : Form::kText};
    case Kind::kDate:
      return ValueType{.form = Form::kDate};
    case Kind::kTimestamp:
      return ValueType{.form = Form::kTimestamp};
    case Kind::kTimestampTz:
      return ValueType{.form = Form::kTimestampTz};
    case Kind::kList: {
      auto element = ValueTypeOf(type.fields[0].type, "");
      if (element) ++element->lists;
      return element;
    }
    default:
      return std::nullopt;
  }
}

ValueType ScalarType(uint32_t seen) {
  seen &= kSeenScalar;
  if (seen == kSeenBoolean) return {.form = Form::kBoolean};
  if (seen == kSeenDate) return {.form = Form::kDate};
  if ((seen & ~kSeenNumber) != 0) return {.form = Form::kText};
  const bool has_fraction = (seen & (kSeenFraction | kSeenOddNumber)) != 0;
  if (has_fraction && (seen & (kSeenHuge | kSeenOddNumber)) != 0) return {.form = Form::kDouble};
  // What is always written with a point may have a fraction tomorrow.
  if (has_fraction || seen == kSeenWholeWithPoint) return {.form = Form::kDecimal, .precision = 38, .scale = 9};
  if ((seen & (kSeenBig | kSeenHuge)) != 0) return {.form = Form::kDecimal, .precision = 38, .scale = 0};
  return {.form = Form::kLong};
}

std::optional<int64_t> ParseIsoTime(std::string_view text) {
  // `20240131T…`, the basic form, is read like `2024-01-31T…`.
  const bool is_basic = text.size() > 8 && (text[8] == 'T' || text[8] == 't');
  const std::string day_text = is_basic
                                   ? fmt::format("{}-{}-{}", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2))
                                   : std::string(text.substr(0, 10));
  if (!IsDate(day_text)) return std::nullopt;
  TimeText rest(text);
  const int year = *rest.Digits(4);
  rest.Skip('-');
  const int month = *rest.Digits(2);
  rest.Skip('-');
  const int day = *rest.Digits(2);
  const std::chrono::sys_days date =
      std::chrono::year_month_day{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                  std::chrono::day{static_cast<unsigned>(day)}};
  int64_t seconds = int64_t{86'400} * date.time_since_epoch().count();
  if (rest.at_end()) return seconds * kMicrosPerSecond;
  if (!rest.Skip('T') && !rest.Skip('t') && !rest.Skip(' ')) return std::nullopt;
  const auto hour = rest.Part(24);
  const auto minute = rest.Skip(':') || is_basic ? rest.Part(60) : std::nullopt;
  if (!hour || !minute) return std::nullopt;
  const bool has_second = rest.Skip(':') || (is_basic && rest.starts_with_digit());
  const auto second = has_second ? rest.Part(60) : std::optional(0);
  const auto micros = second ? rest.Fraction() : std::nullopt;
  const auto zone = micros ? rest.Zone() : std::nullopt;
  if (!zone || !rest.at_end()) return std::nullopt;
  seconds += *hour * 3600 + *minute * 60 + *second - *zone;
  return seconds * kMicrosPerSecond + *micros;
}

}  // namespace leat::sources
