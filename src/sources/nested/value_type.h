#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/http_source.h"
#include "lake/schema.h"

namespace leat::sources {

/// How values of JSON become values of a column, all their digits kept.
struct ValueType {
  enum class Form { kBoolean, kInt, kLong, kDecimal, kDouble, kText, kJson, kDate, kTimestamp, kTimestampTz };
  Form form = Form::kText;
  int precision = 0, scale = 0;                    ///< of kDecimal
  config::TimeUnit unit = config::TimeUnit::kIso;  ///< of numbers that are times
  bool reads_text = false;                         ///< a text that is written like a value is one
  int lists = 0;                                   ///< in so many lists, one in another

  /// As SQL writes it.
  std::string DuckType() const;
  /// What the lake keeps of it beside the column's own type.
  std::string SourceType() const { return form == Form::kJson ? "json" : ""; }
};

/// The same of a column of the lake; nothing for a type that no value of JSON becomes (BLOB, UUID, STRUCT …).
std::optional<ValueType> ValueTypeOf(const lake::Type& type, const std::string& source_type);

/// A set of Seen, all of them scalars, as the type that holds them all.
ValueType ScalarType(uint32_t seen);

/// Microseconds since 1970 of a time as ISO 8601 writes it: `2024-11-21T14:05:02.5+01:00`, a blank for the T, no zone
/// for UTC, a day alone, or the basic form `20241121T140502Z`. What is finer than a microsecond is left off. Nothing
/// for any other text.
std::optional<int64_t> ParseIsoTime(std::string_view text);

}  // namespace leat::sources
