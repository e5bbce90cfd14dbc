#include "sources/postgres/postgres_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>

#include "config/postgres_options.h"
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
    streams_ = MatchStreams(source_, ReadCatalog(*connection, source_.schema, source_.schema_place), pool_->user());
    as_of_ = Timestamp(std::chrono::microseconds(
        connection->Query("SELECT (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint").Int64(0, 0)));
    std::vector<StreamInfo> infos;
    for (const PostgresStream& stream : streams_) infos.push_back(stream.info);
    return infos;
  }

  std::vector<StreamOutcome> Read(const std::vector<StreamInfo>& streams, const ReadContext& context) override {
    std::vector<const PostgresStream*> wanted = Wanted(streams);
    std::vector<StreamOutcome> outcomes(wanted.size());
    std::atomic<size_t> next{0};
    std::mutex mutex;
    std::exception_ptr lost;
    const auto work = [&] {
      for (size_t i = next++; i < wanted.size(); i = next++) {
        std::optional<StreamReader> reader;  // outlives the observer's look at its counter
        try {
          cancel_.Check();
          outcomes[i] = reader.emplace(*pool_, *wanted[i], context, as_of_).Read();
          context.observer.Finished(outcomes[i]);
        } catch (...) {
          context.observer.Aborted(wanted[i]->info);
          const std::lock_guard lock(mutex);
          if (!lost) lost = std::current_exception();
          next = wanted.size();
        }
      }
    };
    {
      std::vector<std::jthread> workers;
      for (int i = 1; i < std::min({context.threads, kStreamsAtOnceMax, static_cast<int>(wanted.size())}); ++i)
        workers.emplace_back(work);
      work();
    }
    if (!lost) return outcomes;
    for (const StreamOutcome& outcome : outcomes)
      if (outcome.pending) RemoveFiles(context.engine.storage(), outcome.pending->change.added);
    std::rethrow_exception(lost);
  }

 private:
  /// Big tables first, so that a small one fills the gap at the end.
  std::vector<const PostgresStream*> Wanted(const std::vector<StreamInfo>& streams) const {
    std::vector<const PostgresStream*> wanted;
    for (const PostgresStream& stream : streams_)
      if (std::any_of(streams.begin(), streams.end(),
                      [&](const StreamInfo& info) { return info.name == stream.info.name; }))
        wanted.push_back(&stream);
    std::stable_sort(wanted.begin(), wanted.end(),
                     [](const auto* a, const auto* b) { return a->table.pages_estimate > b->table.pages_estimate; });
    return wanted;
  }

  postgres::Options options_;
  const config::Source& source_;
  const CancelFlag& cancel_;
  std::unique_ptr<postgres::SnapshotPool> pool_;
  std::vector<PostgresStream> streams_;
  Timestamp as_of_;
};

}  // namespace

std::unique_ptr<Source> OpenPostgresSource(const config::Project& project, const config::Source& source,
                                           const CancelFlag& cancel) {
  return std::make_unique<PostgresSource>(config::PostgresOptions(project.connections.at(source.connection.value)),
                                          source, cancel);
}

}  // namespace leat::sources
