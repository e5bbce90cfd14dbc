#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "clients/http/message.h"
#include "lake/storage.h"
#include "sources/http/http_request.h"
#include "sources/http/http_streams.h"

namespace leat::sources {

/// One read of one partition of a stream, as its landing tells it.
struct LandedRead {
  std::string stream;
  std::string partition;  ///< empty: there are no partitions
  int64_t run = 0;
  int64_t commit_number = 0;
  Timestamp now;  ///< when its run began
  std::optional<HttpSpan> span;
  std::vector<std::vector<std::string>> in_full;  ///< AskedInFull::given
};

/// The folder of one read: `landing/billing/subscriptions/acme-eu/000000000007-5c1f9a20`. Answers come into it as
/// received; `pages.jsonl`, written last, makes it count. Threads: safe.
class LandingFolder {
 public:
  /// Nothing is written before the first page.
  LandingFolder(const lake::Storage& storage, const HttpStream& stream, const LandedRead& read);

  /// Keep an answer; once this returns, it survives a power cut. \param secrets  not to be seen in its address
  LandedPage Keep(const http::Request& request, const http::Response& response, const std::vector<Secret>& secrets,
                  int64_t records, int64_t ordinal, const std::vector<std::string>& given);
  /// Write `pages.jsonl`: the read counts. Nothing is written for a read that says nothing: that has no page and asked
  /// for nothing in full.
  void Close(const LandedRead& read);
  /// Take all of it away again.
  void Remove() noexcept;

 private:
  const lake::Storage& storage_;
  const HttpStream& stream_;
  const LandedRead read_;
  const std::string folder_;
  mutable std::mutex mutex_;
  int64_t pages_ = 0;
  std::map<int64_t, std::pair<std::string, std::string>> lines_;  ///< number -> file, its line of pages.jsonl
};

/// Strike out reads of a source whose commits were never made: those of number `next_commit`, which is to be made next,
/// and above. Their pages stay; their `pages.jsonl` becomes `unpublished.jsonl`. To be called before anything lands
/// under that number, by whoever has the source's lease.
void StrikeUnpublished(const lake::Storage& storage, const std::string& source, int64_t next_commit);

/// What was landed of a stream: reads that count, in the order of their commits, with their pages.
struct Landed {
  LandedRead read;
  std::vector<LandedPage> pages;
};

/// Read back what was landed of a stream before commit `before`. A commit is made once: of several reads for one
/// number the last counts. Every page is unpacked to see that it is whole.
/// Throws: Error(kInternal, LEAT0427) for a file that is damaged or missing, naming it; Error(kConfig, LEAT0428) for
/// pages that were landed without a value that a column takes now.
std::vector<Landed> ReadLanding(const lake::Storage& storage, const HttpStream& stream, int64_t before);

}  // namespace leat::sources
