#include "sources/postgres/postgres_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "config/postgres_options.h"
#include "core/fail_point.h"
#include "sources/postgres/horizon.h"
#include "sources/postgres/stream_reader.h"

namespace leat::sources {
namespace {

/// More streams at once would only add memory: each write holds a row group per thread.
constexpr int kStreamsAtOnceMax = 2;

class PostgresSource : public Source {
 public:
  PostgresSource(postgres::Options options, const config::Source& source, const CancelFlag& cancel)
      : options_(std::move(options)), source_(source), cancel_(cancel) {}

  std::vector<StreamInfo> Discover() override {
    if (!pool_) pool_ = std::make_unique<postgres::SnapshotPool>(options_, &cancel_);
    postgres::SnapshotPool::Lease connection = pool_->Borrow();
    moment_ = ReadMoment(*connection);
    FailPoint("sources.snapshot.after_begin");
    matched_ = MatchStreams(source_, ReadCatalog(*connection, source_.schema, source_.schema_place), pool_->user());
    as_of_ = Timestamp(std::chrono::microseconds(
        connection->Query("SELECT (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint").Int64(0, 0)));
    std::vector<StreamInfo> infos;
    for (const PostgresStream& stream : matched_.streams) infos.push_back(stream.info);
    return infos;
  }

  std::vector<ReadForecast> Foresee(const std::vector<StreamInfo>& streams, const ReadContext& context) override {
    std::vector<ReadForecast> forecasts;
    for (const Job& job : JobsFor(streams))
      forecasts.push_back(StreamReader(*pool_, *job.stream, context, moment_, as_of_).Foresee());
    return forecasts;
  }

  ReadResult Read(const std::vector<StreamInfo>& streams, const ReadContext& context) override {
    std::vector<Job> jobs = JobsFor(streams);
    std::exception_ptr lost = ReadAll(jobs, context);
    try {
      if (!lost) return Finish(jobs);
    } catch (...) {
      lost = std::current_exception();
    }
    for (const Job& job : jobs)
      if (job.outcome.pending) lake::RemoveFiles(context.engine.storage(), job.outcome.pending->change.added);
    std::rethrow_exception(lost);
  }

 private:
  /// The read of one stream.
  struct Job {
    const PostgresStream* stream;
    StreamOutcome outcome;
    std::optional<StreamPosition> position;
    bool needs_flush = false;
  };

  /// Big tables first, so that a small one fills the gap at the end.
  std::vector<Job> JobsFor(const std::vector<StreamInfo>& streams) const {
    std::vector<Job> jobs;
    for (const PostgresStream& stream : matched_.streams)
      if (std::any_of(streams.begin(), streams.end(),
                      [&](const StreamInfo& info) { return info.name == stream.info.name; }))
        jobs.push_back({.stream = &stream, .outcome = {}, .position = {}});
    std::stable_sort(jobs.begin(), jobs.end(), [](const Job& a, const Job& b) {
      return a.stream->table.pages_estimate > b.stream->table.pages_estimate;
    });
    return jobs;
  }

  /// Read some streams at once. Returns what ended the read of all of them, or null.
  std::exception_ptr ReadAll(std::vector<Job>& jobs, const ReadContext& context) {
    std::atomic<size_t> next{0};
    std::mutex mutex;
    std::exception_ptr lost;
    const auto work = [&] {
      for (size_t i = next++; i < jobs.size(); i = next++) {
        Job& job = jobs[i];
        std::optional<StreamReader> reader;  // outlives the observer's look at its counter
        try {
          cancel_.Check();
          job.outcome = reader.emplace(*pool_, *job.stream, context, moment_, as_of_).Read();
          FailPoint("sources.stream.after_read");
          job.position = std::move(reader->position());
          job.needs_flush = reader->needs_flush();
          if (job.position) job.position->is_flushed = reader->rests_on_earlier();
          context.observer.Finished(job.outcome);
        } catch (...) {
          context.observer.Aborted(job.stream->info);
          const std::lock_guard lock(mutex);
          if (!lost) lost = std::current_exception();
          next = jobs.size();
        }
      }
    };
    std::vector<std::jthread> workers;
    for (int i = 1; i < std::min({context.threads, kStreamsAtOnceMax, static_cast<int>(jobs.size())}); ++i)
      workers.emplace_back(work);
    work();
    workers.clear();
    return lost;
  }

  /// Give every outcome its position, and look after the horizon that all of them rest on.
  ReadResult Finish(std::vector<Job>& jobs) {
    postgres::SnapshotPool::Lease connection = pool_->Borrow();
    const bool must_wait =
        std::any_of(jobs.begin(), jobs.end(), [](const Job& job) { return job.position && job.needs_flush; });
    const bool is_flushed = must_wait && AwaitFlush(*connection, moment_);
    Timestamp horizon_since = moment_.time;
    for (const Job& job : jobs)
      if (job.position) horizon_since = std::min(horizon_since, job.position->horizon_since);
    ReadResult result{.outcomes = {}, .warnings = matched_.warnings};
    if (auto warning = StuckHorizon(*connection, moment_, horizon_since)) result.warnings.push_back(*warning);
    for (Job& job : jobs) {
      if (job.position) {
        if (job.needs_flush) job.position->is_flushed = is_flushed;
        job.outcome.position = FormatPosition(*job.position);
        if (job.outcome.pending) job.outcome.pending->change.summary["leat.position"] = job.outcome.position;
      }
      result.outcomes.push_back(std::move(job.outcome));
    }
    return result;
  }

  postgres::Options options_;
  const config::Source& source_;
  const CancelFlag& cancel_;
  std::unique_ptr<postgres::SnapshotPool> pool_;
  MatchedStreams matched_;
  Moment moment_;
  Timestamp as_of_;
};

}  // namespace

std::unique_ptr<Source> OpenPostgresSource(const config::Project& project, const config::Source& source,
                                           const CancelFlag& cancel) {
  return std::make_unique<PostgresSource>(config::PostgresOptions(project.connections.at(source.connection.value)),
                                          source, cancel);
}

}  // namespace leat::sources
