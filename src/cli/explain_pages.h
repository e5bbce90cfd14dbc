#pragma once

#include <string>
#include <string_view>

namespace leat::cli {

/// A page about one code.
struct ExplainPage {
  std::string code;   ///< `LEAT0203`
  std::string title;  ///< the page's first heading, without the code
  std::string_view text;
};

/// Find the page of a code, written `LEAT0203`, `leat0203`, `0203` or `203`.
/// Throws: Error(kConfig, LEAT0196) naming the nearest codes.
ExplainPage FindExplainPage(const std::string& code);

}  // namespace leat::cli
