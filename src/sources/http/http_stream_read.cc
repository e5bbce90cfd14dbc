#include "sources/http/http_stream_read.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <utility>

#include "core/text.h"
#include "sources/http/packed_file.h"
#include "sources/http/paging.h"

namespace leat::sources {
namespace {

/// So much may wait until the batch before is kept and parsed.
constexpr int64_t kBatchBytes = 8'000'000;

HttpStreamPosition StoredPosition(const HttpStream& stream, const ReadContext& context) {
  const auto stored = context.positions.find(stream.name());
  return stored == context.positions.end() ? HttpStreamPosition() : ParseHttpPosition(stored->second);
}

/// The name in the path whose value would lead elsewhere: encoding changes neither nothing nor dots.
std::optional<std::string> FindNoPathPart(const HttpStream& stream, const std::map<std::string, std::string>& values) {
  for (const std::string& name : config::PlaceholdersIn(stream.http().path.value)) {
    const auto value = values.find(name);
    if (value == values.end()) continue;
    if (value->second.empty() || value->second == "." || value->second == "..") return name;
  }
  return std::nullopt;
}

/// How many records a page has if there are more; 0: nothing tells.
int64_t FullPage(const HttpStream& stream) {
  if (stream.http().paginate.size > 0) return stream.http().paginate.size;
  for (const char* name : {"limit", "per_page", "page_size", "pageSize"})
    if (const auto param = stream.http().params.find(name); param != stream.http().params.end() && param->second)
      return std::strtoll(param->second->value.c_str(), nullptr, 10);
  return 0;
}

std::string PositionName(const HttpPeer& peer) {
  return peer.partition.name.value.empty() ? "_" : peer.partition.name.value;
}

}  // namespace

/// One partition as it is read for this commit.
struct HttpStreamRead::Partition {
  HttpApi& api;
  PartitionProgress& progress;
  std::string mark;  ///< RequestMark
  std::optional<PartitionPosition> from;
  LandedRead landed;
  LandingFolder landing;
  bool is_asked = false;    ///< there is something to do for this commit
  bool is_skipped = false;  ///< the API does not have it
  std::optional<Timestamp> newest;
  std::vector<std::map<std::string, std::string>> parents;  ///< to be asked for: values by name
  std::atomic<size_t> next_parent{0};
  int64_t parent_seq = 0;
  std::vector<LandedPage> pages;  ///< that the reader has taken in

  const std::string& name() const { return api.peer().partition.name.value; }
  /// The values of the given columns.
  std::vector<std::string> Given(const HttpStream& stream, const std::map<std::string, std::string>& parent) const {
    std::vector<std::string> given;
    if (!api.peer().source.partition_name.empty()) given.push_back(name());
    for (const std::string& value : stream.given_names)
      if (const auto found = parent.find(value); found != parent.end()) given.push_back(found->second);
    return given;
  }
};

/// Reads series of pages, one after the other, as one job does.
class HttpStreamRead::Series {
 public:
  Series(HttpStreamRead& read, Partition& partition, http::Client& client)
      : read_(read), partition_(partition), client_(client), look_(read.context_.engine.database(), read.stream_) {}

  /// Read all pages of what is asked for. Returns how many records came; nullopt: the API does not have it.
  std::optional<int64_t> Read(const std::optional<HttpSpan>& span, const std::map<std::string, std::string>& parent) {
    Paging paging(read_.stream_, MakeRequest(partition_.api.peer(), read_.stream_, span, parent));
    const std::vector<std::string> given = partition_.Given(read_.stream_, parent);
    int64_t records = 0;
    for (bool has_next = true; has_next;) {
      read_.context_.cancel.Check();
      http::Answer answer = partition_.api.Ask(client_, paging.request());
      http::Response& response = answer.response;
      if (IsToSkip(response)) {
        read_.Skip(partition_, answer);
        return std::nullopt;
      }
      if (!response.ok()) throw partition_.api.FaultOf(paging.request(), answer);
      UnpackFile(response, paging.request().bytes_max);
      const PageFacts facts = look_.Look(response, partition_.api.secrets());
      records += facts.records;
      if (!facts.next.empty()) read_.has_seen_next_ = true;
      if (const int64_t full = FullPage(read_.stream_); full > 0 && facts.records >= full)
        read_.has_seen_full_page_ = true;
      const http::Request request = paging.request();
      has_next = paging.Advance(response, facts);
      Keep(request, std::move(response), facts, given);
    }
    return records;
  }

  /// Wait until all pages are in landing and with the reader.
  void Flush() {
    HandOver();
    if (keeping_.valid()) keeping_.get();
  }

 private:
  /// An answer on its way into landing.
  struct Arrival {
    http::Request request;
    http::Response response;
    int64_t records = 0;
    int64_t ordinal = 0;
    std::vector<std::string> given;
  };

  bool IsToSkip(const http::Response& response) const {
    const auto& rule = read_.stream_.http().skip_when;
    return rule && response.status == rule->status &&
           ToLower(response.body).find(ToLower(rule->text)) != std::string::npos;
  }

  void Keep(const http::Request& request, http::Response response, const PageFacts& facts,
            const std::vector<std::string>& given) {
    if (response.body.empty()) return;  // 204: there is nothing, and nothing to keep
    batch_bytes_ += static_cast<int64_t>(response.body.size());
    batch_.push_back({request, std::move(response), facts.records, read_.arrivals_++, given});
    read_.progress_.records += facts.records;
    if (facts.newest) {
      const std::lock_guard lock(read_.mutex_);
      partition_.newest = std::max(partition_.newest.value_or(Timestamp()), *facts.newest);
    }
    // The first page goes at once, then as many as are worth a round of their own.
    const int64_t due_bytes = !keeping_.valid() && is_first_ ? 0 : IsKeeping() ? kBatchBytes : kBatchBytes / 2;
    if (batch_bytes_ >= due_bytes) HandOver();
  }

  bool IsKeeping() const {
    return keeping_.valid() && keeping_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
  }

  /// Pages are kept and parsed while others are on their way; of each series one batch at a time, which bounds memory.
  void HandOver() {
    if (keeping_.valid()) keeping_.get();
    if (batch_.empty()) return;
    is_first_ = false;
    keeping_ = std::async(std::launch::async, [this, batch = std::exchange(batch_, {})] {
      std::vector<LandedPage> pages;
      for (const Arrival& arrival : batch)
        pages.push_back(partition_.landing.Keep(arrival.request, arrival.response, partition_.api.secrets(),
                                                arrival.records, arrival.ordinal, arrival.given));
      read_.AddPages(partition_, pages);
    });
    batch_bytes_ = 0;
  }

  HttpStreamRead& read_;
  Partition& partition_;
  http::Client& client_;
  PageLook look_;
  std::vector<Arrival> batch_;
  int64_t batch_bytes_ = 0;
  bool is_first_ = true;
  std::future<void> keeping_;  ///< the batch before; waited for when it goes
};

HttpStreamRead::HttpStreamRead(const HttpStream& stream, HttpStreamProgress& progress, const ReadContext& context,
                               const std::vector<std::unique_ptr<HttpApi>>& apis, const StreamOutcome* parent)
    : stream_(stream),
      progress_(progress),
      context_(context),
      parent_(parent),
      before_(StoredPosition(stream, context)),
      reader_(std::make_unique<NestedReader>(stream.nested, context)) {
  for (const auto& api : apis) {
    const HttpPeer& peer = api->peer();
    const LandedRead landed{.stream = stream.name(),
                            .partition = peer.partition.name.value,
                            .run = context.run,
                            .commit_number = context.commit_number,
                            .now = context.now,
                            .span = {},
                            .in_full = {}};
    auto partition = std::unique_ptr<Partition>(new Partition{
        .api = *api,
        .progress = progress.partitions[peer.partition.name.value],
        .mark = RequestMark(peer, stream),
        .landed = landed,
        .landing = LandingFolder(context.engine.storage(), stream, landed),
    });
    const auto from = before_.find(PositionName(peer));
    if (from != before_.end() && from->second.request == partition->mark) partition->from = from->second;
    partitions_.push_back(std::move(partition));
  }
}

HttpStreamRead::~HttpStreamRead() {
  if (stream_.nested.rule.lands) return;
  for (const auto& partition : partitions_) partition->landing.Remove();
}

std::vector<HttpStreamRead::Job> HttpStreamRead::Jobs() {
  if (!progress_.is_started) {
    progress_.is_started = true;
    progress_.so_far.started = SystemClock().Now();
    context_.observer.Started(stream_.nested.info, [&progress = progress_] { return progress.records.load(); });
  }
  std::vector<Job> jobs;
  for (const auto& partition : partitions_) {
    if (partition->progress.fault || (partition->progress.is_done && stream_.parent.empty())) continue;
    partition->is_asked = true;
    if (stream_.parent.empty())
      AddWindowJobs(*partition, jobs);
    else
      AddParentJobs(*partition, jobs);
  }
  return jobs;
}

void HttpStreamRead::AddWindowJobs(Partition& partition, std::vector<Job>& jobs) {
  const auto& rules = stream_.http().position;
  if (rules && !partition.progress.windows) {
    std::optional<Timestamp> from;
    if (partition.from && !context_.full_refresh) from = partition.from->until;
    partition.progress.windows.emplace(*rules, stream_.HasWindows(), from, context_.now);
  }
  jobs.push_back([this, &partition](http::Client& client) {
    Run(partition, [&] {
      Series series(*this, partition, client);
      ReadSpans(partition, series);
      series.Flush();
    });
  });
}

/// One span with records makes a commit; those without are passed over on the way.
void HttpStreamRead::ReadSpans(Partition& partition, Series& series) {
  std::optional<Windows>& windows = partition.progress.windows;
  if (!windows) {
    if (!series.Read(std::nullopt, {})) return;
    partition.landed.in_full.push_back(partition.Given(stream_, {}));
    partition.progress.is_done = true;
    return;
  }
  while (!windows->done()) {
    const HttpSpan span = windows->Next();
    partition.landed.span = {partition.landed.span ? partition.landed.span->since : span.since, span.until};
    const std::optional<int64_t> records = series.Read(span, {});
    if (!records) return;
    windows->Advance(*records > 0);
    if (*records > 0) break;
  }
  partition.progress.is_done = windows->done();
}

void HttpStreamRead::AddParentJobs(Partition& partition, std::vector<Job>& jobs) {
  Run(partition, [&] { partition.parents = ParentsToAsk(partition); });
  const size_t at_once = std::min<size_t>(partition.parents.size(), partition.api.peer().source.rate_limit.concurrent);
  for (size_t i = 0; i < at_once; ++i)
    jobs.push_back([this, &partition](http::Client& client) {
      Run(partition, [&] {
        Series series(*this, partition, client);
        ReadParents(partition, series);
        series.Flush();
      });
    });
}

void HttpStreamRead::ReadParents(Partition& partition, Series& series) {
  for (size_t i = partition.next_parent++; i < partition.parents.size(); i = partition.next_parent++) {
    {
      const std::lock_guard lock(mutex_);
      if (partition.progress.fault) return;
    }
    if (!series.Read(std::nullopt, partition.parents[i])) continue;
    const std::lock_guard lock(mutex_);
    partition.landed.in_full.push_back(partition.Given(stream_, partition.parents[i]));
  }
}

/// The current rows of the parent that are newer than those that were asked for.
std::vector<std::map<std::string, std::string>> HttpStreamRead::ParentsToAsk(Partition& partition) {
  const engine::Relation* published =
      context_.engine.Find(engine::ParseName(stream_.parent + std::string(engine::kHistorySuffix)));
  std::optional<engine::Relation> relation;
  if (published != nullptr) relation = *published;
  if (parent_ != nullptr && parent_->pending) relation = engine::Relation::Of(*parent_->pending);
  const bool from_start = context_.full_refresh && !partition.progress.is_done;
  partition.parent_seq = partition.from && !from_start ? partition.from->parent_seq.value_or(0) : 0;
  partition.progress.is_done = true;
  if (!relation) return {};

  std::vector<std::string> columns;
  for (const std::string& column : stream_.parent_columns) {
    if (relation->schema.Find(column) == nullptr)
      throw Error(kConfig, "LEAT0425", stream_.http().for_each->values.begin()->second.place,
                  fmt::format("for_each of {} takes column {} of {}, which has none of that name", stream_.name(),
                              column, stream_.parent))
          .Hint("name a column as  leat query \"DESCRIBE " + stream_.parent + "\"  shows it");
    columns.push_back(fmt::format("{}::VARCHAR", QuoteIdentifier(column)));
  }
  std::string condition = fmt::format("_leat_seq > {}", partition.parent_seq);
  for (const std::string& column : columns) condition += fmt::format(" AND {} IS NOT NULL", column);
  const std::string rows = relation->kind == engine::Relation::Kind::kKeyedStream
                               ? context_.engine.CurrentRowsSql(*relation)
                               : context_.engine.AllRowsSql(*relation);
  const std::string& partition_column = partition.api.peer().source.partition_name;
  if (!partition_column.empty())
    condition += fmt::format(" AND {} = {}", QuoteIdentifier(partition_column), QuoteLiteral(partition.name()));
  duck::Connection connection(context_.engine.database());
  std::vector<std::map<std::string, std::string>> parents;
  for (const auto& row :
       connection.QueryRows(fmt::format("SELECT max(_leat_seq), {0} FROM {1} WHERE {2} GROUP BY ALL ORDER BY ALL",
                                        Join(columns, ", "), rows, condition))) {
    partition.parent_seq = std::max<int64_t>(partition.parent_seq, std::stoll(row[0]));
    std::map<std::string, std::string> values;
    for (size_t i = 0; i < stream_.given_names.size(); ++i) values[stream_.given_names[i]] = row[i + 1];
    if (const auto bad = FindNoPathPart(stream_, values))
      PassOver(*bad, values);
    else
      parents.push_back(std::move(values));
  }
  for (std::vector<std::string>& gone : GoneParents(partition, rows, columns))
    partition.landed.in_full.push_back(std::move(gone));
  return parents;
}

/// Values that rows of the lake were asked for with and that no row of the parent has any more: nothing is left of
/// them.
std::vector<std::vector<std::string>> HttpStreamRead::GoneParents(
    const Partition& partition, const std::string& parents, const std::vector<std::string>& parent_columns) const {
  const auto published = context_.Published(stream_.nested.info);
  if (!published) return {};
  const engine::Relation relation = engine::Relation::Of(*published);
  std::vector<std::string> given, same;
  for (const std::string& column : stream_.nested.given_columns) {
    if (relation.schema.Find(column) == nullptr) return {};
    given.push_back("c." + QuoteIdentifier(column));
  }
  const std::string& partition_column = partition.api.peer().source.partition_name;
  const size_t first = partition_column.empty() ? 0 : 1;
  if (first == 1) same.push_back(fmt::format("p.{} = {}", QuoteIdentifier(partition_column), given[0]));
  for (size_t i = 0; i < parent_columns.size(); ++i)
    same.push_back(fmt::format("p.{} = {}", parent_columns[i], given[first + i]));
  duck::Connection connection(context_.engine.database());
  return connection.QueryRows(
      fmt::format("SELECT DISTINCT {} FROM {} c ANTI JOIN {} p ON {} WHERE {} ORDER BY ALL", Join(given, ", "),
                  context_.engine.CurrentRowsSql(relation), parents, Join(same, " AND "),
                  first == 1 ? fmt::format("{} = {}", given[0], QuoteLiteral(partition.name())) : std::string("true")));
}

/// The first one is told.
void HttpStreamRead::PassOver(const std::string& name, const std::map<std::string, std::string>& values) {
  if (std::exchange(has_passed_over_, true)) return;
  warnings_.push_back(
      {.severity = Severity::kWarning,
       .code = "LEAT0437",
       .message = fmt::format("{} is not asked for a row of {}: {{{}}} would be '{}', which is no part of a path",
                              stream_.name(), stream_.parent, name, values.at(name)),
       .place = stream_.http().for_each->values.at(name).place,
       .help = {"take another column of " + stream_.parent + ", or correct the row at the source"}});
}

void HttpStreamRead::Run(Partition& partition, const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    const std::lock_guard lock(mutex_);
    if (!partition.progress.fault) partition.progress.fault = error;
  }
}

/// The first one of a partition is told.
void HttpStreamRead::Skip(Partition& partition, const http::Answer& answer) {
  const std::lock_guard lock(mutex_);
  if (partition.is_skipped) return;
  partition.is_skipped = true;
  if (stream_.parent.empty()) partition.progress.is_done = true;
  const std::string of = partition.name().empty() ? "" : " of " + partition.name();
  const std::string what = stream_.parent.empty() ? "" : " for some rows of " + stream_.parent;
  warnings_.push_back({.severity = Severity::kWarning,
                       .code = "LEAT0435",
                       .message = fmt::format("{}{} is skipped{}: the API answered {}, as `skip_when` says",
                                              stream_.name(), of, what, answer.response.status),
                       .place = stream_.nested.rule.pattern.place,
                       .help = {"what the lake has of it stays; if it is never there, write  skip: true"},
                       .notes = {DescribeBody(answer.response, partition.api.secrets())}});
}

void HttpStreamRead::AddPages(Partition& partition, const std::vector<LandedPage>& pages) {
  try {
    reader_->Add(pages);
  } catch (const Error& error) {
    const std::lock_guard lock(mutex_);
    if (!fault_) fault_ = error;
    throw;
  }
  const std::lock_guard lock(mutex_);
  partition.pages.insert(partition.pages.end(), pages.begin(), pages.end());
}

// --- what it comes to ---

StreamOutcome HttpStreamRead::End() {
  StreamOutcome outcome{.stream = stream_.name()};
  const Partition* faulty = FirstFaulty();
  const bool all_faulty =
      std::all_of(partitions_.begin(), partitions_.end(), [](const auto& p) { return p->progress.fault.has_value(); });
  // What is replaced as a whole must be there as a whole.
  if (!fault_ && faulty != nullptr && (all_faulty || stream_.nested.info.key.empty())) fault_ = faulty->progress.fault;
  try {
    if (fault_) throw Error(*fault_);
    Finish(outcome);
  } catch (const Error& error) {
    for (const lake::PendingTable* table : outcome.Tables())
      lake::RemoveFiles(context_.engine.storage(), table->change.added);
    outcome = {.stream = stream_.name(), .kind = StreamOutcome::Kind::kFailed, .diagnostic = error.diagnostic()};
    for (const auto& partition : partitions_) partition->progress.is_done = true;
  }
  NoteFaults(outcome);
  WarnOfNoNext();
  outcome.as_of = context_.now;
  outcome.has_more = outcome.position.empty() ? false : HasMore();
  AddUp(outcome);
  if (!outcome.has_more && !Lost()) context_.observer.Finished(outcome);
  return outcome;
}

/// A partition that failed must change nothing: what came of it before is forgotten, and the pages of the others, which
/// lie in landing, are read once more.
void HttpStreamRead::ForgetFaulty() {
  const bool has_faulty = std::any_of(partitions_.begin(), partitions_.end(), [](const auto& partition) {
    return partition->progress.fault && !partition->pages.empty();
  });
  if (!has_faulty) return;
  reader_ = std::make_unique<NestedReader>(stream_.nested, context_);
  for (const auto& partition : partitions_)
    if (!partition->progress.fault) reader_->Add(partition->pages);
}

/// What is replaced as a whole would lose the rows of a partition that had some and is skipped now.
bool HttpStreamRead::LosesSkipped() const {
  if (!stream_.nested.info.key.empty()) return false;
  return std::any_of(partitions_.begin(), partitions_.end(), [this](const auto& partition) {
    return partition->is_skipped && before_.contains(PositionName(partition->api.peer()));
  });
}

void HttpStreamRead::Finish(StreamOutcome& outcome) {
  if (LosesSkipped()) {
    outcome.kind = StreamOutcome::Kind::kUnchanged;
    if (const auto published = context_.Published(stream_.nested.info)) outcome.rows_total = published->record_count();
    return;
  }
  ForgetFaulty();
  for (const auto& partition : partitions_) {
    if (partition->progress.fault) continue;
    for (const std::vector<std::string>& given : partition->landed.in_full)
      reader_->Add(AskedInFull{given, context_.commit_number, context_.run, context_.now});
  }
  outcome = reader_->Finish();
  if (outcome.kind == StreamOutcome::Kind::kFailed) return;
  if (stream_.nested.rule.lands)
    for (const auto& partition : partitions_)
      if (!partition->progress.fault) partition->landing.Close(partition->landed);
  outcome.position = Position();
  if (outcome.pending) outcome.pending->change.summary["leat.position"] = outcome.position;
}

/// How far each partition is read now; one that failed or was skipped stays where it was.
std::string HttpStreamRead::Position() const {
  HttpStreamPosition position = before_;
  for (const auto& partition : partitions_) {
    if (!partition->is_asked || partition->progress.fault) continue;
    if (partition->is_skipped && stream_.parent.empty()) continue;
    PartitionPosition now{.until = context_.now, .request = partition->mark, .parent_seq = {}};
    if (!stream_.parent.empty()) now.parent_seq = partition->parent_seq;
    if (partition->progress.windows) {
      now.until = partition->progress.windows->reached();
      if (!stream_.asks_until) {
        now.until = partition->newest.value_or(Timestamp());
        if (partition->from) now.until = std::max(now.until, partition->from->until);
        // A record dated into the future must not hide those that come until then.
        now.until = std::min(now.until, context_.now);
        if (now.until == Timestamp()) continue;  // nothing was ever seen: from the start again
      }
    }
    position[PositionName(partition->api.peer())] = std::move(now);
  }
  return FormatHttpPosition(position, !stream_.http().position);
}

const HttpStreamRead::Partition* HttpStreamRead::FirstFaulty() const {
  const auto found =
      std::find_if(partitions_.begin(), partitions_.end(), [](const auto& p) { return p->progress.fault.has_value(); });
  return found == partitions_.end() ? nullptr : found->get();
}

std::optional<Error> HttpStreamRead::Lost() const {
  const auto is_lost = [](const auto& partition) {
    const std::optional<Error>& fault = partition->progress.fault;
    return fault && (fault->kind() == kConnection || fault->code() == "LEAT0109" || fault->code() == "LEAT0113");
  };
  const bool all = !partitions_.empty() && std::all_of(partitions_.begin(), partitions_.end(), is_lost);
  return all ? partitions_.front()->progress.fault : std::nullopt;
}

/// A wrong path reads as the last page; the first read is when somebody looks.
void HttpStreamRead::WarnOfNoNext() {
  const config::HttpPaging& paging = stream_.http().paginate;
  if (paging.read.value.empty() || !before_.empty() || has_seen_next_ || !has_seen_full_page_) return;
  warnings_.push_back({.severity = Severity::kWarning,
                       .code = "LEAT0439",
                       .message = fmt::format("no answer of {} names a next page at {}, though a page was full",
                                              stream_.name(), paging.read.value),
                       .place = paging.read.place,
                       .help = {"compare `paginate.read` with an answer, as it lies in the lake's folder landing"}});
}

/// A stream that lacks a partition has failed, though the rows of the others count.
void HttpStreamRead::NoteFaults(StreamOutcome& outcome) const {
  const Partition* faulty = FirstFaulty();
  if (faulty != nullptr && outcome.kind != StreamOutcome::Kind::kFailed) {
    outcome.kind = StreamOutcome::Kind::kFailed;
    outcome.diagnostic = faulty->progress.fault->diagnostic();
  }
  if (parent_ != nullptr && parent_->kind == StreamOutcome::Kind::kFailed &&
      outcome.kind != StreamOutcome::Kind::kFailed) {
    outcome.kind = StreamOutcome::Kind::kFailed;
    outcome.diagnostic =
        Diagnostic{.code = "LEAT0438",
                   .message = fmt::format("{} may lack rows: {}, for whose rows it is asked, was not read to its end",
                                          stream_.name(), stream_.parent),
                   .help = {fmt::format("leat retry  reads both once {} can be read", stream_.parent)}};
  }
  if (!outcome.diagnostic) return;
  if (!outcome.diagnostic->place.known()) outcome.diagnostic->place = stream_.nested.rule.pattern.place;
  if (faulty == nullptr || partitions_.size() == 1) return;
  const std::string& column = faulty->api.peer().source.partition_name;
  for (const auto& partition : partitions_)
    if (partition->progress.fault)
      outcome.diagnostic->notes.push_back(
          partition.get() == faulty
              ? fmt::format("{} {}", column, partition->name())
              : fmt::format("{} {}: {}", column, partition->name(), partition->progress.fault->message()));
}

/// Counts are those of all commits of the run.
void HttpStreamRead::AddUp(StreamOutcome& outcome) {
  StreamOutcome& so_far = progress_.so_far;
  outcome.started = so_far.started;
  outcome.ended = SystemClock().Now();
  for (const auto count : {&StreamOutcome::rows_read, &StreamOutcome::rows_written, &StreamOutcome::rows_repeated,
                           &StreamOutcome::rows_rejected, &StreamOutcome::rows_deleted}) {
    so_far.*count += outcome.*count;
    outcome.*count = so_far.*count;
  }
  const bool has_changed = outcome.kind == StreamOutcome::Kind::kChanged;
  if (outcome.kind == StreamOutcome::Kind::kUnchanged && so_far.kind == StreamOutcome::Kind::kChanged)
    outcome.kind = StreamOutcome::Kind::kChanged;
  if (has_changed) so_far.kind = StreamOutcome::Kind::kChanged;
}

bool HttpStreamRead::HasMore() const {
  if (!stream_.parent.empty()) return parent_ != nullptr && parent_->has_more;
  return std::any_of(partitions_.begin(), partitions_.end(),
                     [](const auto& p) { return !p->progress.is_done && !p->progress.fault; });
}

}  // namespace leat::sources
