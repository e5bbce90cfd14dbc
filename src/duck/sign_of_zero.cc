#include "duck/sign_of_zero.h"

#include <fmt/format.h>

namespace leat::duck {

std::string SignsOf(std::string_view value, std::string_view type) {
  if (type == "FLOAT" || type == "DOUBLE") return fmt::format("signbit({})", value);
  const bool holds_floats =
      type.find("FLOAT") != std::string_view::npos || type.find("DOUBLE") != std::string_view::npos;
  return holds_floats ? fmt::format("CAST({} AS VARCHAR)", value) : "";
}

std::string IsDistinct(std::string_view left, std::string_view right, std::string_view type) {
  const std::string values = fmt::format("{} IS DISTINCT FROM {}", left, right);
  const std::string signs = SignsOf(left, type);
  return signs.empty() ? values : fmt::format("{} OR {} IS DISTINCT FROM {}", values, signs, SignsOf(right, type));
}

}  // namespace leat::duck
