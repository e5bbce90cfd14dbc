#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sources/http/http_api.h"
#include "sources/http/http_position.h"
#include "sources/http/http_streams.h"
#include "sources/http/landing.h"
#include "sources/source.h"

namespace leat::sources {

/// What is remembered of one partition of a stream from one commit of a run to the next.
struct PartitionProgress {
  std::optional<Windows> windows;
  bool is_done = false;
  std::optional<Error> fault;  ///< it is asked no more in this run
};

/// The same of a stream.
struct HttpStreamProgress {
  std::map<std::string, PartitionProgress> partitions;
  std::atomic<int64_t> records{0};
  bool is_started = false;
  StreamOutcome so_far;  ///< counts of the commits before
};

/// The read of one stream for one commit: pages come in through jobs that run in several threads, and End makes tables
/// of them.
class HttpStreamRead {
 public:
  using Job = std::function<void(http::Client&)>;

  /// What is passed must outlive it. \param parent  what this commit makes of the stream that `for_each` names, if it
  /// is read
  HttpStreamRead(const HttpStream& stream, HttpStreamProgress& progress, const ReadContext& context,
                 const std::vector<std::unique_ptr<HttpApi>>& apis, const StreamOutcome* parent);
  ~HttpStreamRead();

  const HttpStream& stream() const { return stream_; }
  /// What is to be done, in any order and by any threads. A fault of one partition stays with it; anything else than
  /// an Error is thrown. Call once.
  std::vector<Job> Jobs();
  /// After all jobs.
  StreamOutcome End();

  /// What was skipped, since the API does not have it for some partition.
  const std::vector<Diagnostic>& warnings() const { return warnings_; }
  /// Why every partition came to nothing, if nobody answered, or nobody could be asked: that is no fault of the stream.
  /// Then it is not told to the observer how it ended.
  std::optional<Error> Lost() const;

 private:
  struct Partition;
  class Series;

  std::vector<std::map<std::string, std::string>> ParentsToAsk(Partition& partition);
  std::vector<std::vector<std::string>> GoneParents(const Partition& partition, const std::string& parents,
                                                    const std::vector<std::string>& parent_columns) const;
  void PassOver(const std::string& name, const std::map<std::string, std::string>& values);
  void AddWindowJobs(Partition& partition, std::vector<Job>& jobs);
  void AddParentJobs(Partition& partition, std::vector<Job>& jobs);
  void Run(Partition& partition, const std::function<void()>& work);
  void ReadSpans(Partition& partition, Series& series);
  void ReadParents(Partition& partition, Series& series);
  void Skip(Partition& partition, const http::Answer& answer);
  void AddPages(Partition& partition, const std::vector<LandedPage>& pages);

  void ForgetFaulty();
  bool LosesSkipped() const;
  void Finish(StreamOutcome& outcome);
  std::string Position() const;
  void NoteFaults(StreamOutcome& outcome) const;
  void WarnOfNoNext();
  void AddUp(StreamOutcome& outcome);
  bool HasMore() const;
  const Partition* FirstFaulty() const;

  const HttpStream& stream_;
  HttpStreamProgress& progress_;
  const ReadContext& context_;
  const StreamOutcome* parent_;
  const HttpStreamPosition before_;
  std::unique_ptr<NestedReader> reader_;
  std::vector<std::unique_ptr<Partition>> partitions_;
  std::atomic<int64_t> arrivals_{0};
  std::atomic<bool> has_seen_next_{false};  ///< an answer named the page after it
  std::atomic<bool> has_seen_full_page_{false};
  bool has_passed_over_ = false;  ///< a row of the parent that cannot be asked for
  std::mutex mutex_;              ///< of what follows, and of the partitions' state
  std::optional<Error> fault_;    ///< of the stream: its pages could not be read
  std::vector<Diagnostic> warnings_;
};

}  // namespace leat::sources
