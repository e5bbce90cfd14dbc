#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "clients/http/message.h"
#include "sources/http/page_look.h"

namespace leat::sources {

/// The way from the first page of a series of requests to its last.
class Paging {
 public:
  /// \param first  the request as made for the first page; the paging adds its own parameters
  Paging(const HttpStream& stream, http::Request first);

  /// The request of the page that is due.
  const http::Request& request() const { return request_; }
  /// Take in the answer to `request()`. Returns whether there is a next page. A series ends where no token or link
  /// follows, by numbers with the first empty page: some servers give fewer rows than they are asked for.
  /// Throws: Error(kData): LEAT0430 for a page that came before, LEAT0431 for too many pages, LEAT0432 for a link to
  /// another origin.
  bool Advance(const http::Response& response, const PageFacts& facts);

 private:
  bool AdvanceByNumber(const http::Response& response, const PageFacts& facts);
  bool AdvanceByToken(const http::Response& response, const std::string& token);
  bool AdvanceByLink(const http::Response& response, const std::string& link);
  bool AdvanceByCursor(const http::Response& response, const PageFacts& facts);
  void RefuseRepeated(const http::Response& response, const std::string& next, const std::string& shown);
  void SetParameter(const std::string& name, const std::string& value);

  const HttpStream& stream_;
  const config::HttpPaging& rules_;
  http::Request request_;
  int64_t pages_ = 0;
  int64_t number_ = 0;          ///< of the page, or of its first row
  std::set<std::string> seen_;  ///< marks of the tokens or links so far
  std::string last_body_;       ///< its mark, where pages are numbered
};

/// The address that the header Link calls `rel="next"` (RFC 8288); empty if there is none.
std::string NextLink(const http::Headers& headers);

}  // namespace leat::sources
