#include "config/scalars.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>

namespace leat::config {
namespace {

struct SizeUnit {
  std::string_view name;
  int64_t bytes;
};

constexpr SizeUnit kSizeUnits[] = {
    {"B", 1},
    {"kB", 1'000},
    {"KB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"TB", 1'000'000'000'000},
    {"KiB", int64_t{1} << 10},
    {"MiB", int64_t{1} << 20},
    {"GiB", int64_t{1} << 30},
    {"TiB", int64_t{1} << 40},
};

struct DurationUnit {
  std::string_view name;
  int64_t milliseconds;
};

constexpr DurationUnit kDurationUnits[] = {
    {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000},
};

template <typename Units>
std::string UnitPattern(const Units& units) {
  std::string names;
  for (const auto& unit : units) names += (names.empty() ? "" : "|") + std::string(unit.name);
  return "(" + names + ")";
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

std::optional<int64_t> ParseInteger(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  const auto digits = static_cast<size_t>(std::find_if_not(text.begin(), text.end(), IsDigit) - text.begin());
  const auto number = ParseInteger(text.substr(0, digits));
  const auto unit = std::find_if(std::begin(kDurationUnits), std::end(kDurationUnits),
                                 [&](const DurationUnit& candidate) { return candidate.name == text.substr(digits); });
  int64_t milliseconds = 0;
  if (!number || unit == std::end(kDurationUnits) || __builtin_mul_overflow(*number, unit->milliseconds, &milliseconds))
    return std::nullopt;
  return std::chrono::milliseconds(milliseconds);
}

std::optional<int64_t> ParseSize(std::string_view text) {
  const auto digits_end = std::find_if_not(text.begin(), text.end(), IsDigit);
  const auto digits = static_cast<size_t>(digits_end - text.begin());
  const auto number = ParseInteger(text.substr(0, digits));
  std::string_view name = text.substr(digits);
  while (name.starts_with(' ')) name.remove_prefix(1);
  const auto unit = std::find_if(std::begin(kSizeUnits), std::end(kSizeUnits),
                                 [&](const SizeUnit& candidate) { return candidate.name == name; });
  int64_t bytes = 0;
  if (!number || unit == std::end(kSizeUnits) || __builtin_mul_overflow(*number, unit->bytes, &bytes))
    return std::nullopt;
  return bytes;
}

std::string SizePattern() { return "[0-9]+ *" + UnitPattern(kSizeUnits); }

std::string DurationPattern() { return "[0-9]+" + UnitPattern(kDurationUnits); }

bool IsDate(std::string_view text) {
  const bool shaped = text.size() == 10 && text[4] == '-' && text[7] == '-';
  if (!shaped) return false;
  const auto digits = [](std::string_view part) { return std::all_of(part.begin(), part.end(), IsDigit); };
  if (!digits(text.substr(0, 4)) || !digits(text.substr(5, 2)) || !digits(text.substr(8, 2))) return false;
  const auto year = static_cast<int>(*ParseInteger(text.substr(0, 4)));
  const auto month = static_cast<unsigned>(*ParseInteger(text.substr(5, 2)));
  const auto day = static_cast<unsigned>(*ParseInteger(text.substr(8, 2)));
  return year > 0 &&
         std::chrono::year_month_day(std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)).ok();
}

bool IsSqlType(std::string_view text) {
  if (text.empty() || text.size() > 200 || !(IsLetter(text[0]) || text[0] == '_')) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return IsLetter(c) || IsDigit(c) || std::string_view("_ .,()[]").find(c) != std::string_view::npos;
  });
}

}  // namespace leat::config
