#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

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

/// Looks into the answers of one stream, with DuckDB's JSON reader: an answer is parsed once or twice and nothing of it
/// is copied. Used by one thread at a time.
class PageLook {
 public:
  PageLook(duck::Database& database, const HttpStream& stream);
  ~PageLook();

  /// Throws: Error(kData): LEAT0433 for an answer of another format, LEAT0434 for JSON without the records or with a
  /// next page that is no text, number or null.
  PageFacts Look(const http::Response& response);

 private:
  class Statement;

  void LookIntoJson(const http::Response& response, PageFacts& facts);
  int64_t CountOddRecords(const http::Response& response);

  const HttpStream& stream_;
  duck::Connection connection_;
  std::unique_ptr<Statement> look_;
  std::unique_ptr<Statement> kind_;
};

/// The header and what comes first of an answer, for messages: `text/html: <!DOCTYPE html>…`.
std::string DescribeBody(const http::Response& response);

}  // namespace leat::sources
