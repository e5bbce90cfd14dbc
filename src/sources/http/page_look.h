#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/http/message.h"
#include "duck/database.h"
#include "sources/http/http_streams.h"

namespace leat::sources {

/// What the reading of further pages needs to know of one.
struct PageFacts {
  int64_t records = 0;
  std::string next;                 ///< what stands at `paginate.read`, as text; empty: nothing
  std::string next_json;            ///< the same as JSON: `"abc"`, `17`
  std::optional<Timestamp> newest;  ///< the greatest `position.from`, looked for only without `{until}`
};

/// Looks into the answers of one stream: each is walked through once, and nothing of it is copied. Used by one thread
/// at a time.
class PageLook {
 public:
  PageLook(duck::Database& database, const HttpStream& stream);

  /// Throws: Error(kData): LEAT0433 for an answer of another format, LEAT0434 for JSON without the records or with a
  /// next page that is no text, number or null.
  /// \param secrets  not to be seen in a message
  PageFacts Look(const http::Response& response, const std::vector<Secret>& secrets = {});

 private:
  class Walk;
  using Path = std::optional<std::vector<config::JsonStep>>;

  void RefuseOtherFormat(const http::Response& response) const;
  void LookIntoJson(const http::Response& response, PageFacts& facts);
  void LookIntoLines(const http::Response& response, PageFacts& facts);
  void TakeNext(const std::string& json, const http::Response& response, PageFacts& facts) const;
  std::optional<Timestamp> NewestOf(const std::vector<std::string>& times);
  Error BadPage(std::string_view code, const http::Response& response, std::string_view expected) const;

  const HttpStream& stream_;
  duck::Database& database_;
  Path outer_, inner_;           ///< of the outermost list, which must be there, and the innermost, which is counted
  Path next_;                    ///< of the next page's token
  Path from_;                    ///< of the records' times
  std::vector<Secret> secrets_;  ///< of the page that is looked into
};

/// The header and what comes first of an answer, for messages: `text/html: <!DOCTYPE html>…`.
std::string DescribeBody(const http::Response& response, const std::vector<Secret>& secrets);

}  // namespace leat::sources
