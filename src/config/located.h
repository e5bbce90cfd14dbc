#pragma once

#include "core/error.h"

namespace leat::config {

/// A value that knows where it was written: relative to the project's folder; the name of an environment variable,
/// without a line, where one won over the file.
template <typename T>
struct Located {
  T value{};
  Place place;
};

}  // namespace leat::config
