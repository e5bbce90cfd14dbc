#pragma once

#include <cstdint>
#include <string>

namespace leat::pipeline {

/// What a run was asked to do, as the state database keeps it and as people read it: the words behind `leat run`, or
/// `retry of run 41`. Empty: everything.
struct Scope {
  std::string select;
  std::string exclude;
  bool full_refresh = false;
  bool from_landing = false;
  int64_t retry_of = 0;  ///< a run; then nothing else counts

  bool operator==(const Scope&) const = default;
};

/// `source:crm+ --exclude tag:monthly --full-refresh`.
std::string FormatScope(const Scope& scope);
/// Parse what FormatScope wrote.
Scope ParseScope(const std::string& text);

}  // namespace leat::pipeline
