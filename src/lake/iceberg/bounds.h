#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lake/schema.h"

namespace leat::lake::iceberg {

enum class Side { kLower, kUpper };

/// Turn a minimum or maximum, as COPY … RETURN_STATS writes it, into Iceberg's single-value binary form.
///
/// Nothing means "no bound", which is always safe: for infinity in time, for text that is no value of the type, for
/// nested types. Text and binary are cut to 16 characters or bytes, an upper bound being raised so that it stays one.
/// Source: Iceberg specification, appendix D "Binary single-value serialization".
std::optional<std::string> EncodeBound(const Type& type, std::string_view text, Side side);

/// The number behind a bound of int (4 bytes) or long (8 bytes). Nothing: it has another length.
std::optional<int64_t> DecodeInteger(std::string_view bound);

}  // namespace leat::lake::iceberg
