#pragma once

#include <string>
#include <string_view>

namespace leat {

/// Stand for a text by 32 hex digits: XXH3 in 128 bits, which stays the same in every version.
std::string HashOfText(std::string_view text);

}  // namespace leat
