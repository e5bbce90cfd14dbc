#include "sources/http/http_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <thread>

#include "core/text.h"
#include "sources/http/http_stream_read.h"
#include "sources/http/landing.h"

namespace leat::sources {
namespace {

/// Requests mostly wait; more threads than this would only wait for each other.
constexpr size_t kThreadsMax = 32;

/// Run jobs in some threads, each with connections of its own. Throws: what the first job threw that could not go on.
void RunJobs(const std::vector<HttpStreamRead::Job>& jobs, size_t threads) {
  std::atomic<size_t> next{0};
  std::mutex mutex;
  std::exception_ptr fault;
  const auto work = [&] {
    http::Client client;
    for (size_t i = next++; i < jobs.size(); i = next++) {
      try {
        jobs[i](client);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!fault) fault = std::current_exception();
        next = jobs.size();
      }
    }
  };
  {
    std::vector<std::jthread> workers;
    for (size_t i = 1; i < std::min(threads, jobs.size()); ++i) workers.emplace_back(work);
    work();
  }
  if (fault) std::rethrow_exception(fault);
}

/// Rows of `published` that a table made anew from landing would not have: not under any version, or, without a key,
/// if the read that brought them was not landed.
int64_t CountLost(const ReadContext& context, const lake::Table& published, const std::vector<Landed>& landed,
                  const lake::PendingTable& made) {
  const engine::Relation before = engine::Relation::Of(published);
  duck::Connection connection(context.engine.database());
  if (before.kind != engine::Relation::Kind::kKeyedStream) {
    std::string numbers = "NULL";
    for (const Landed& read : landed) numbers += fmt::format(", {}", read.read.commit_number);
    return connection.QueryInt64(fmt::format("SELECT count(*) FROM {} WHERE (_leat_seq >> 24 IN ({})) IS NOT TRUE",
                                             context.engine.AllRowsSql(before), numbers));
  }
  std::vector<std::string> same;
  for (const std::string& column : before.key) {
    if (made.change.schema.Find(column) == nullptr) return 0;  // another key now: its rows cannot be told apart
    same.push_back(fmt::format("b.{0}::VARCHAR = m.{0}::VARCHAR", QuoteIdentifier(column)));
  }
  return connection.QueryInt64(fmt::format(
      "SELECT count(*) FROM {} b ANTI JOIN {} m ON {}", context.engine.CurrentRowsSql(before),
      lake::ReadFilesSql(context.engine.storage(), made.change.schema, made.change.added), Join(same, " AND ")));
}

/// What was read while nothing landed, or whose folders are gone, must not vanish without a word.
void RefuseLoss(const HttpStream& stream, const ReadContext& context, const std::vector<Landed>& landed,
                const StreamOutcome& outcome) {
  const auto published = context.Published(stream.nested.info);
  if (!published || !outcome.pending) return;
  const int64_t lost = CountLost(context, *published, landed, *outcome.pending);
  // Records that are refused now are found in the table of rejects.
  if (lost <= outcome.rows_rejected) return;
  throw Error(kConfig, "LEAT0436", stream.nested.rule.pattern.place,
              fmt::format("{} current row{} of {} came with no read that was landed: its table stays as it is", lost,
                          lost == 1 ? "" : "s", stream.name()))
      .Hint("put its folders back into landing from a backup, or read it anew by  leat run --full-refresh");
}

class HttpSource : public Source {
 public:
  HttpSource(const config::Source& source, const CancelFlag& cancel) : source_(source), cancel_(cancel) {
    for (const config::HttpPartition& partition : source.http.partitions)
      apis_.push_back(std::make_unique<HttpApi>(HttpPeer{source.http, partition}, budget_, cancel));
  }

  std::vector<StreamInfo> Discover() override {
    streams_ = MatchHttpStreams(source_);
    std::vector<StreamInfo> infos;
    for (const HttpStream& stream : streams_) infos.push_back(stream.nested.info);
    return infos;
  }

  std::vector<ReadForecast> Foresee(const std::vector<StreamInfo>& streams, const ReadContext& context) override {
    std::vector<ReadForecast> forecasts;
    for (const HttpStream* stream : Chosen(streams)) forecasts.push_back(ForeseeStream(*stream, context));
    return forecasts;
  }

  ReadResult Read(const std::vector<StreamInfo>& streams, const ReadContext& context) override {
    ReadResult result;
    if (!is_landing_clean_) StrikeUnpublished(context.engine.storage(), source_.name, context.commit_number);
    is_landing_clean_ = true;
    try {
      if (context.from_landing)
        for (const HttpStream* stream : Chosen(streams)) result.outcomes.push_back(ReadLanded(*stream, context));
      else
        ReadLevels(Chosen(streams), context, result);
    } catch (...) {
      for (const StreamOutcome& outcome : result.outcomes)
        for (const lake::PendingTable* table : outcome.Tables())
          lake::RemoveFiles(context.engine.storage(), table->change.added);
      for (const HttpStream* stream : Chosen(streams)) context.observer.Aborted(stream->nested.info);
      throw;
    }
    return result;
  }

 private:
  /// Streams before those that are asked for their rows.
  std::vector<const HttpStream*> Chosen(const std::vector<StreamInfo>& streams) const {
    std::vector<const HttpStream*> chosen;
    for (const HttpStream& stream : streams_)
      if (std::any_of(streams.begin(), streams.end(), [&](const auto& info) { return info.name == stream.name(); }))
        chosen.push_back(&stream);
    std::stable_sort(chosen.begin(), chosen.end(), [](const auto* a, const auto* b) { return a->level < b->level; });
    return chosen;
  }

  /// Throws: the fault of the first stream, if nobody answered for any of them.
  void ReadLevels(const std::vector<const HttpStream*>& streams, const ReadContext& context, ReadResult& result) {
    result.outcomes.reserve(streams.size());  // children point to what their parents came to
    std::map<std::string, Error> lost;
    for (auto begin = streams.begin(); begin != streams.end();) {
      const auto end = std::find_if(begin, streams.end(), [&](const auto* s) { return s->level != (*begin)->level; });
      for (const auto& read : ReadLevel({begin, end}, context, result))
        if (const auto fault = read->Lost()) lost.emplace(read->stream().name(), *fault);
      begin = end;
    }
    const bool all_lost = std::all_of(streams.begin(), streams.end(),
                                      [&](const auto* s) { return s->level > 0 || lost.contains(s->name()); });
    if (all_lost && !lost.empty()) throw Error(lost.begin()->second);
    for (const StreamOutcome& outcome : result.outcomes)
      if (lost.contains(outcome.stream) && !outcome.has_more) context.observer.Finished(outcome);
  }

  /// Read streams that do not wait for each other. A stream ends with its last page, while others still read.
  std::vector<std::unique_ptr<HttpStreamRead>> ReadLevel(const std::vector<const HttpStream*>& streams,
                                                         const ReadContext& context, ReadResult& result) {
    std::vector<std::unique_ptr<HttpStreamRead>> reads;
    std::vector<StreamOutcome> outcomes(streams.size());
    std::vector<std::atomic<size_t>> left(streams.size());
    std::vector<HttpStreamRead::Job> jobs;
    for (size_t i = 0; i < streams.size(); ++i) {
      HttpStreamRead& read = *reads.emplace_back(std::make_unique<HttpStreamRead>(
          *streams[i], progress_[streams[i]->name()], context, apis_, ParentOf(*streams[i], result)));
      const std::vector<HttpStreamRead::Job> own = read.Jobs();
      left[i] = own.size();
      if (own.empty()) outcomes[i] = read.End();
      for (const HttpStreamRead::Job& job : own)
        jobs.push_back([&, i, job](http::Client& client) {
          job(client);
          if (--left[i] == 0) outcomes[i] = reads[i]->End();
        });
    }
    const auto keep = [&] {
      for (size_t i = 0; i < streams.size(); ++i) {
        if (outcomes[i].stream.empty()) continue;
        result.outcomes.push_back(std::move(outcomes[i]));
        const auto& warnings = reads[i]->warnings();
        result.warnings.insert(result.warnings.end(), warnings.begin(), warnings.end());
      }
    };
    try {
      RunJobs(jobs, std::min(kThreadsMax, apis_.size() * static_cast<size_t>(source_.http.rate_limit.concurrent)));
    } catch (...) {
      keep();
      throw;
    }
    keep();
    return reads;
  }

  static const StreamOutcome* ParentOf(const HttpStream& stream, const ReadResult& result) {
    const auto found = std::find_if(result.outcomes.begin(), result.outcomes.end(),
                                    [&](const StreamOutcome& outcome) { return outcome.stream == stream.parent; });
    return found == result.outcomes.end() ? nullptr : &*found;
  }

  /// Make a stream anew from all that was landed of it.
  static StreamOutcome ReadLanded(const HttpStream& stream, const ReadContext& context) {
    StreamOutcome outcome{.stream = stream.name(), .started = SystemClock().Now()};
    std::optional<NestedReader> reader;  // outlives the observer's look at its counter
    try {
      std::vector<Landed> landed = ReadLanding(context.engine.storage(), stream, context.commit_number);
      if (landed.empty())
        throw Error(kConfig, "LEAT0429", stream.nested.rule.pattern.place,
                    fmt::format("nothing of {} was landed: its table stays as it is", stream.name()))
            .Hint("streams with `landing: none` are read anew by  leat run --full-refresh");
      // Without a key every read replaced the one before.
      if (stream.nested.info.key.empty())
        std::erase_if(landed, [newest = landed.back().read.commit_number](const Landed& read) {
          return read.read.commit_number != newest;
        });
      reader.emplace(stream.nested, context, true);
      context.observer.Started(stream.nested.info, [&reader] { return reader->records(); });
      for (const Landed& read : landed) {
        context.cancel.Check();
        reader->Add(read.pages);
        for (const std::vector<std::string>& given : read.read.in_full)
          reader->Add(AskedInFull{given, read.read.commit_number, read.read.run, read.read.now});
      }
      const Timestamp started = outcome.started;
      outcome = reader->Finish();
      outcome.started = started;
      RefuseLoss(stream, context, landed, outcome);
      if (const auto stored = context.positions.find(stream.name());
          stored != context.positions.end() && outcome.kind != StreamOutcome::Kind::kFailed) {
        outcome.position = stored->second;
        if (outcome.pending) outcome.pending->change.summary["leat.position"] = outcome.position;
      }
    } catch (const Error& error) {
      for (const lake::PendingTable* table : outcome.Tables())
        lake::RemoveFiles(context.engine.storage(), table->change.added);
      outcome = {.stream = stream.name(), .started = outcome.started, .diagnostic = error.diagnostic()};
    }
    outcome.as_of = context.now;
    outcome.ended = SystemClock().Now();
    context.observer.Finished(outcome);
    return outcome;
  }

  ReadForecast ForeseeStream(const HttpStream& stream, const ReadContext& context) const {
    using How = ReadForecast::How;
    ReadForecast forecast{.stream = stream.name()};
    const auto published = context.Published(stream.nested.info);
    if (published) forecast.schema = published->schema();
    const auto stored = context.positions.find(stream.name());
    if (!published || stored == context.positions.end()) {
      forecast.how = How::kFirst;
      return forecast;
    }
    forecast.how = How::kFull;
    if (context.full_refresh)
      forecast.because = "--full-refresh";
    else if (!stream.parent.empty())
      forecast = {.stream = stream.name(),
                  .how = How::kChanges,
                  .because = "for new and changed rows of " + stream.parent,
                  .schema = forecast.schema};
    else if (!stream.http().position)
      forecast.because = "it has no position";
    else
      ForeseeChanges(stream, ParseHttpPosition(stored->second), forecast);
    return forecast;
  }

  void ForeseeChanges(const HttpStream& stream, const HttpStreamPosition& position, ReadForecast& forecast) const {
    const config::HttpPosition& rules = *stream.http().position;
    std::optional<Timestamp> since;
    for (const auto& api : apis_) {
      const std::string& name = api->peer().partition.name.value;
      const auto at = position.find(name.empty() ? "_" : name);
      if (at == position.end() || at->second.request != RequestMark(api->peer(), stream)) {
        forecast.because = at == position.end() ? fmt::format("{} was never read", name) : "its requests have changed";
        return;
      }
      since = std::min(since.value_or(at->second.until), at->second.until);
    }
    forecast.how = ReadForecast::How::kChanges;
    forecast.because =
        fmt::format("{} since {}", rules.from.value, FormatTimestamp(FloorTo(*since - rules.overlap, rules.unit)));
    if (!stream.asks_until) forecast.because += ", best effort: its requests have no {until}";
  }

  const config::Source& source_;
  const CancelFlag& cancel_;
  http::RetryBudget budget_;
  std::vector<std::unique_ptr<HttpApi>> apis_;
  std::vector<HttpStream> streams_;
  bool is_landing_clean_ = false;  ///< nothing of a run before lies under the numbers of this one's commits
  std::map<std::string, HttpStreamProgress> progress_;  ///< from one commit of the run to the next
};

}  // namespace

std::unique_ptr<Source> OpenHttpSource(const config::Project&, const config::Source& source, const CancelFlag& cancel) {
  return std::make_unique<HttpSource>(source, cancel);
}

}  // namespace leat::sources
