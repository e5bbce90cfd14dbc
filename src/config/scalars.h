#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leat::config {

/// Parse `-5`, `12`; nullopt for anything else and what does not fit.
std::optional<int64_t> ParseInteger(std::string_view text);

/// Parse `512B`, `64kB`, `64MB` (10⁶ bytes), `64MiB`, up to TB and TiB; nullopt for anything else and what does not
/// fit.
std::optional<int64_t> ParseSize(std::string_view text);

/// Parse `500ms`, `30s`, `5m`, `2h`, `7d`; nullopt for anything else and what does not fit.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

/// What ParseSize and ParseDuration take, as a regular expression that every editor knows.
std::string SizePattern();
std::string DurationPattern();

/// Whether `text` is a day of the calendar as yyyy-mm-dd.
bool IsDate(std::string_view text);

/// Whether `text` can be the name of an SQL type and nothing more: it goes into statements as it is.
bool IsSqlType(std::string_view text);

}  // namespace leat::config
