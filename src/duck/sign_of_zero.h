#pragma once

#include <string>
#include <string_view>

namespace leat::duck {

/// What tells two values of a type apart that `=` and IS DISTINCT FROM take for one: the sign of a zero. An expression
/// that is equal for them only if their zeros have the same signs, to be compared beside the values; empty for a type
/// that holds no floating point. `type` as DuckDB writes it, `DOUBLE[]`.
std::string SignsOf(std::string_view value, std::string_view type);

/// Whether `left` and `right` are different values of `type`, NULL and the signs of zeros included.
std::string IsDistinct(std::string_view left, std::string_view right, std::string_view type);

}  // namespace leat::duck
