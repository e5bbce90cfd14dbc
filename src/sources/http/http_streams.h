#pragma once

#include <string>
#include <vector>

#include "config/project.h"
#include "sources/nested/nested_reader.h"

namespace leat::sources {

/// A stream of an HTTP source: the requests that bring its records, and the table they go to.
struct HttpStream {
  NestedStream nested;
  std::string parent;                       ///< `for_each`: the stream whose rows it is asked for; empty: none
  std::vector<std::string> parent_columns;  ///< of it, the values that a request takes, by `given_names`
  std::vector<std::string> given_names;     ///< of these values in braces, in the order of the given columns
  int level = 0;                            ///< above its parent's; 0: no parent
  bool asks_since = false;                  ///< `{since}` stands in its requests
  bool asks_until = false;

  const std::string& name() const { return nested.info.name; }
  const config::HttpRules& http() const { return nested.rule.http; }
  /// Whether a read brings all there is, so that what is absent is gone.
  bool IsReadInFull() const { return !http().position && parent.empty(); }
  /// Whether a long span is asked for in parts.
  bool HasWindows() const { return http().position && asks_since && asks_until; }
};

/// The streams that a source names, sorted by name. Throws: Error(kConfig): LEAT0406 for two streams of one name,
/// LEAT0413 for a reserved one, LEAT0425 for a `for_each` that leads nowhere or in a circle, LEAT0426 for a position
/// that the answers do not tell.
std::vector<HttpStream> MatchHttpStreams(const config::Source& source);

}  // namespace leat::sources
