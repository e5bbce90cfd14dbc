#include "sources/postgres/stream_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "core/text.h"
#include "engine/compaction.h"
#include "sources/versions.h"

namespace leat::sources {

namespace {

constexpr int64_t kXidMask = 4294967295;
constexpr int64_t kFirstNormalXid = 3;  // 0 to 2 have meanings of their own and are left out when ids start over

bool ReadsChanges(const PostgresStream& stream) {
  return stream.rule.read == config::ReadMode::kChanges && stream.table.has_row_ids && stream.key_is_enforced;
}

/// Whether the server is gone, be it that a session broke off or that no further one could begin.
bool IsLost(const Error& error) {
  return error.code() == "LEAT0303" || error.code() == "LEAT0301" || error.code() == "LEAT0302";
}

Diagnostic BehindLastRead(const PostgresStream& stream) {
  return {
      .severity = Severity::kWarning,
      .code = "LEAT0417",
      .message = fmt::format("{}: the standby is behind what was read before, so nothing was read", stream.info.name),
      .place = stream.rule.pattern.place,
      .help = {"nothing is lost; run again when it has caught up, or read from the primary"}};
}

}  // namespace

StreamReader::StreamReader(postgres::SnapshotPool& pool, const PostgresStream& stream, const ReadContext& context,
                           const Moment& moment, Timestamp as_of)
    : pool_(pool),
      stream_(stream),
      context_(context),
      moment_(moment),
      as_of_(as_of),
      seq_(SeqOf(context.commit_number)),
      reads_changes_(ReadsChanges(stream)),
      published_(context.Published(stream.info)),
      connection_(context.engine.database()) {}

StreamOutcome StreamReader::Read() {
  StreamOutcome outcome{.stream = stream_.info.name, .as_of = as_of_, .started = SystemClock().Now()};
  try {
    ReadInto(outcome);
  } catch (const Error& error) {
    position_.reset();
    if (outcome.pending) lake::RemoveFiles(context_.engine.storage(), outcome.pending->change.added);
    if (IsLost(error)) throw;  // any other fault is the stream's own
    outcome = {.stream = stream_.info.name, .as_of = as_of_, .started = outcome.started};
    outcome.diagnostic = error.diagnostic();
    if (error.code() == "LEAT0305") outcome.diagnostic->notes.push_back("while reading " + stream_.info.origin);
  }
  outcome.ended = SystemClock().Now();
  return outcome;
}

ReadForecast StreamReader::Foresee() {
  using How = ReadForecast::How;
  ReadForecast forecast{.stream = stream_.info.name};
  try {
    if (Decide()) {
      forecast.diagnostic = BehindLastRead(stream_);
      return forecast;
    }
    forecast.how = !published_ ? How::kFirst : plan_.how == ReadPlan::How::kFull ? How::kFull : How::kChanges;
    if (forecast.how == How::kFull) forecast.because = WhyFull();
    forecast.has_new_shape = plan_.shape_changed || (published_ && !HasSameKey());
    if (plan_.shape_changed && !now_.missing.empty()) forecast.diagnostic = MissingColumns(stream_, now_.missing);
    forecast.schema = now_.schema;
  } catch (const Error& error) {
    forecast.diagnostic = error.diagnostic();
  }
  return forecast;
}

std::string StreamReader::WhyFull() const {
  if (stream_.rule.read == config::ReadMode::kFull) return "read: full";
  if (stream_.info.key.empty()) return "it has no key";
  if (!stream_.table.has_row_ids) return "its rows do not tell which transaction wrote them";
  if (!stream_.key_is_enforced) return "no unique index at the source keeps its key";
  if (context_.full_refresh) return "--full-refresh";
  if (!relation_) return "it has another key now";
  return plan_.because.empty() ? "its rows were never counted" : plan_.because;
}

std::optional<StreamPosition> StreamReader::Decide() {
  if (published_ && !stream_.info.key.empty() && HasSameKey()) relation_ = engine::Relation::Of(*published_);
  const auto stored = context_.positions.find(stream_.info.name);
  if (published_ && stored != context_.positions.end()) before_ = ParsePosition(stored->second);
  const StreamIdentity identity = Identity();
  if (auto last = LastRead(); last && IsBehind(*last, moment_, identity)) return last;
  const bool is_counted = published_ && !published_->SummaryText("leat.rows").empty();
  plan_ = PlanRead(before_, moment_, identity, !reads_changes_ || context_.full_refresh || !relation_ || !is_counted);
  RefuseLostKey();
  now_ = BringTogether(stream_, published_);
  return std::nullopt;
}

void StreamReader::ReadInto(StreamOutcome& outcome) {
  if (const auto last = Decide()) return SkipOldMoment(outcome, *last);
  sql_.emplace(stream_, now_, context_.engine, relation_ ? &*relation_ : nullptr);
  if (plan_.shape_changed && !now_.missing.empty()) outcome.diagnostic = MissingColumns(stream_, now_.missing);
  try {
    ReadPlanned(outcome);
  } catch (const duck::QueryError&) {
    try {
      scans_.back().ThrowIfFailed();
    } catch (const postgres::Misfit& misfit) {
      throw WithKey(misfit);
    }
    throw;
  }
  MovePosition();
}

void StreamReader::ReadPlanned(StreamOutcome& outcome) {
  postgres::ScanTable table = ScanOf();
  if (plan_.how == ReadPlan::How::kChanges) table.where = Window();
  const postgres::Scan& scan = scans_.emplace_back(pool_, std::move(table));
  context_.observer.Started(stream_.info, [&scan] { return scan.rows(); });
  if (plan_.how == ReadPlan::How::kChanges)
    ReadChanges(outcome);
  else
    ReadEverything(outcome);
  RefuseRewritten();
}

/// Everything that must be as it was for the ids of before to say what has changed since.
StreamIdentity StreamReader::Identity() const {
  std::string shape = fmt::format("{}\n{}\n{}", stream_.table.shape, nlohmann::json(stream_.info.key).dump(),
                                  static_cast<int>(stream_.rule.columns.on_new));
  for (const StreamColumn& column : stream_.columns)
    shape += fmt::format("\n{} {} {}", QuoteIdentifier(column.origin.name), QuoteIdentifier(column.name),
                         column.type.duck_type);
  return {.system = moment_.system,
          .timeline = moment_.timeline,
          .database = moment_.database,
          .relation = std::to_string(stream_.table.oid),
          .shape = HashOfText(shape),
          .leaves = stream_.table.leaves};
}

/// With another key, versions of before belong to other rows: the current ones begin anew, and the old ones stay as
/// history.
bool StreamReader::HasSameKey() const {
  return published_->Property("leat.key") == nlohmann::json(stream_.info.key).dump();
}

postgres::ScanTable StreamReader::ScanOf() {
  postgres::ScanTable scan{.schema = stream_.schema,
                           .table = stream_.table.name,
                           .blocks = CountBlocks(),
                           .leaves = CountLeaves(),
                           .only = stream_.table.kind == 'r',
                           .rows_estimate = std::max<int64_t>(0, stream_.table.rows_estimate),
                           .connections_max = context_.threads};
  for (const StreamColumn& column : now_.columns)
    scan.columns.push_back({column.origin.name, column.type, column.name});
  return scan;
}

/// Rows written by transactions from the plan's horizon on. A row tells the lower 32 bits of its transaction's id, and
/// `age` counts modulo 2^32 back from the next id, with a sign: all that is new is taken in, and of what is old at most
/// some that alias, as repeats. (An id taken as text and number would double the time of the whole scan.)
std::string StreamReader::Window() const {
  const int64_t from = std::max(plan_.from & kXidMask, kFirstNormalXid);
  return fmt::format("age(xmin) <= age('{}'::xid) AND age(xmin) >= 0", from);
}

/// Pages on disk, asked for here and not for all tables at once, since it waits for whoever has locked the table.
int64_t StreamReader::CountBlocks() {
  if ((stream_.table.kind != 'r' && stream_.table.kind != 'm') || !stream_.table.may_read_places) return 0;
  return pool_.Borrow()
      ->Query("SELECT pg_relation_size($1::oid) / current_setting('block_size')::int",
              {std::to_string(stream_.table.oid)})
      .Int64(0, 0);
}

/// The partitions as of the snapshot: one that is detached meanwhile is still read, by its own name.
std::vector<postgres::ScanLeaf> StreamReader::CountLeaves() {
  constexpr const char* kBlocks = R"(
SELECT coalesce(pg_relation_size(oid::oid), 0) / current_setting('block_size')::int
  FROM json_array_elements_text($1::json) WITH ORDINALITY AS leaf (oid, place) ORDER BY place)";
  nlohmann::json oids = nlohmann::json::array();
  for (const CatalogLeaf& leaf : stream_.table.partitions) oids.push_back(std::to_string(leaf.oid));
  std::vector<postgres::ScanLeaf> leaves;
  if (oids.empty()) return leaves;
  const auto connection = pool_.Borrow();
  const postgres::Rows blocks = connection->Query(kBlocks, {oids.dump()});
  for (const CatalogLeaf& leaf : stream_.table.partitions)
    leaves.push_back(
        {.schema = leaf.schema, .table = leaf.name, .blocks = blocks.Int64(static_cast<int>(leaves.size()), 0)});
  return leaves;
}

/// TRUNCATE, a rewriting ALTER TABLE, a swap of names and, where a partitioned table is read as a whole, DETACH work on
/// what a snapshot still shows: a COPY after them reads other rows than those of its moment, or none.
void StreamReader::RefuseRewritten() {
  if (stream_.table.kind == 'v' || stream_.table.kind == 'f') return;
  // What was read by its name still is what that name stands for, and in the same file.
  constexpr const char* kSameFiles = R"(
SELECT coalesce(bool_and(coalesce(to_regclass(r.value ->> 1) = c.oid, false) AND
                         coalesce(c.relkind NOT IN ('r', 'm') OR c.relfilenode = pg_relation_filenode(c.oid), false)), false)
  FROM json_array_elements($1::json) r LEFT JOIN pg_class c ON c.oid = (r.value ->> 0)::oid)";
  // Asked of pg_inherits, since pg_partition_tree() would lock every partition. The ancestors are those of now.
  constexpr const char* kSameTree = R"(
WITH RECURSIVE tree (relid) AS (
  SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = $1::oid
     AND NOT coalesce((to_jsonb(i) ->> 'inhdetachpending')::boolean, false)
   UNION ALL SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.relid
     AND NOT coalesce((to_jsonb(i) ->> 'inhdetachpending')::boolean, false))
SELECT coalesce(bool_and(coalesce(c.relkind <> 'r' OR c.relfilenode = pg_relation_filenode(c.oid), false) AND
                         EXISTS (SELECT FROM pg_partition_ancestors(c.oid) a WHERE a.relid = $1::oid)), true)
  FROM pg_class c JOIN tree ON tree.relid = c.oid)";
  const CatalogTable& table = stream_.table;
  nlohmann::json read = nlohmann::json::array();
  for (const CatalogLeaf& leaf : table.partitions)
    read.push_back({leaf.oid, QuoteIdentifier(leaf.schema) + "." + QuoteIdentifier(leaf.name)});
  if (read.empty()) read.push_back({table.oid, QuoteIdentifier(stream_.schema) + "." + QuoteIdentifier(table.name)});
  const auto connection = pool_.Borrow();
  bool is_same = connection->Query(kSameFiles, {read.dump()}).At(0, 0) == "t";
  if (is_same && table.kind == 'p' && table.partitions.empty())
    is_same = connection->Query(kSameTree, {std::to_string(table.oid)}).At(0, 0) == "t";
  if (is_same) return;
  throw Error(kConflict, "LEAT0411",
              fmt::format("{} was truncated, rewritten or replaced while it was read", stream_.info.origin))
      .Hint("run again: what it holds now is read then, and until then the rows of before stay");
}

/// Name the rows that hold the value which does not fit; the decoder knows how to find them, the server their keys.
Error StreamReader::WithKey(const postgres::Misfit& misfit) {
  std::vector<std::string> key;
  for (const StreamColumn& column : stream_.columns)
    if (std::find(stream_.info.key.begin(), stream_.info.key.end(), column.name) != stream_.info.key.end())
      key.push_back(column.origin.name);
  if (key.empty()) return misfit;
  try {
    const postgres::Rows rows = pool_.Borrow()->Query(
        fmt::format("SELECT string_agg(k::text, ', ') FROM (SELECT ROW({}) AS k FROM {} WHERE {} LIMIT 3) s",
                    QuoteList(key), From(), misfit.condition()));
    if (rows.IsNull(0, 0)) return misfit;
    return Error(misfit).Note(fmt::format("in the rows with key ({}) = {}", Join(key, ", "), rows.At(0, 0)));
  } catch (const Error&) {
    return misfit;  // the search of a large table took too long
  }
}

std::string StreamReader::From() const {
  return fmt::format("{}{}.{}", stream_.table.kind == 'r' ? "ONLY " : "", QuoteIdentifier(stream_.schema),
                     QuoteIdentifier(stream_.table.name));
}

/// The last read that counted; the table knows it even if the position was forgotten.
std::optional<StreamPosition> StreamReader::LastRead() const {
  if (before_ || !published_) return before_;
  return ParsePosition(published_->SummaryText("leat.position"));
}

void StreamReader::SkipOldMoment(StreamOutcome& outcome, const StreamPosition& last) {
  context_.observer.Started(stream_.info, [] { return int64_t{0}; });
  outcome.kind = StreamOutcome::Kind::kUnchanged;
  outcome.as_of = last.as_of;
  outcome.rows_total = SummaryNumber(*published_, "leat.rows");
  outcome.diagnostic = BehindLastRead(stream_);
}

/// Without a key a table is replaced as a whole, which would take all versions with it that were kept by the key.
void StreamReader::RefuseLostKey() {
  if (!stream_.info.key.empty() || !published_ || published_->Property("leat.kind") != "stream") return;
  throw Error(kConfig, "LEAT0418", stream_.rule.pattern.place,
              fmt::format("{} has no key any more, and its versions in the lake are kept by one", stream_.info.name))
      .Hint("name the columns that identify a row by  key: [column]")
      .Hint(fmt::format("or begin anew beside it, at the top of the file:  rename: {{{}: another_name}}",
                        YamlName(stream_.table.name)));
}

void StreamReader::ReadEverything(StreamOutcome& outcome) {
  std::string rows = sql_->Rows(scans_.back().sql());
  if (!stream_.info.key.empty() && !stream_.key_is_enforced) {
    rows = Materialise(rows);
    CheckKey(rows);
  }
  if (stream_.info.key.empty())
    Replace(outcome, rows);
  else if (relation_)
    CompareAll(outcome, rows);
  else
    LoadBase(outcome, rows);
  outcome.rows_read = scans_.back().rows();
}

void StreamReader::ReadChanges(StreamOutcome& outcome) {
  const std::string rows = Materialise(sql_->Rows(scans_.back().sql()));
  outcome.rows_read = scans_.back().rows();
  // A read that returned nothing opens no file of the lake.
  connection_.Execute("CREATE OR REPLACE TEMP TABLE leat_difference AS " +
                      (outcome.rows_read > 0 ? sql_->AgainstSome(rows) : sql_->NoDifference(rows)));
  outcome.rows_written = connection_.QueryInt64("SELECT count(*) FROM leat_difference");
  outcome.rows_repeated = outcome.rows_read - outcome.rows_written;
  const int64_t rows_before = SummaryNumber(*published_, "leat.rows");
  const int64_t inserts = connection_.QueryInt64("SELECT count(*) FROM leat_difference WHERE _leat_is_new");
  if (plan_.may_delete && IsDeleteDue(stream_.rule.deletes, *before_, moment_.time)) {
    if (!FindDeleted(rows_before + inserts)) {
      plan_.how = ReadPlan::How::kFull;
      plan_.is_fresh = true;
      return ReadPlanned(outcome);
    }
    outcome.rows_deleted = connection_.QueryInt64("SELECT count(*) FROM leat_difference WHERE _leat_op = 'd'");
  }
  outcome.rows_total = rows_before + inserts - outcome.rows_deleted;
  AppendDifference(outcome);
}

/// Add the deleted rows to the difference. What was inserted is known, so a count tells how many rows are gone; keys
/// are listed only if any are. Returns false if the counts contradict each other: then all rows must be compared.
bool StreamReader::FindDeleted(int64_t rows_expected) {
  const auto begin = std::chrono::steady_clock::now();
  const int64_t gone = rows_expected - CountRows();
  if (gone > 0) {
    postgres::ScanTable table = ScanOf();
    std::erase_if(table.columns, [&](const auto& column) {
      return std::find(stream_.info.key.begin(), stream_.info.key.end(), column.alias) == stream_.info.key.end();
    });
    const postgres::Scan keys(pool_, std::move(table));
    try {
      connection_.Execute(
          fmt::format("CREATE OR REPLACE TEMP TABLE leat_keys AS SELECT {} FROM {}", sql_->Key(), keys.sql()));
    } catch (const duck::QueryError&) {
      keys.ThrowIfFailed();
      throw;
    }
    connection_.Execute("CREATE OR REPLACE TEMP TABLE leat_gone AS " + sql_->KeysGone("leat_keys"));
    if (connection_.QueryInt64("SELECT count(*) FROM leat_gone") != gone) return false;
    connection_.Execute("INSERT INTO leat_difference " + sql_->Deleted("leat_gone"));
  }
  deletes_took_ = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  return gone >= 0;
}

int64_t StreamReader::CountRows() {
  std::vector<std::string> tables;
  for (const CatalogLeaf& leaf : stream_.table.partitions)
    tables.push_back(fmt::format("ONLY {}.{}", QuoteIdentifier(leaf.schema), QuoteIdentifier(leaf.name)));
  if (tables.empty()) tables.push_back(From());
  postgres::SnapshotPool::Lease connection = pool_.Borrow();
  connection.LiftTimeLimit();
  int64_t rows = 0;
  for (const std::string& table : tables) rows += connection->Query("SELECT count(*) FROM " + table).Int64(0, 0);
  return rows;
}

lake::TableChange StreamReader::NewChange(int64_t rows_total) const {
  lake::TableChange change{.schema = now_.schema};
  change.partition_by_superseded = now_.schema.Find(lake::kSupersededColumn) != nullptr;
  change.properties["leat.kind"] = stream_.info.key.empty() ? "keyless" : "stream";
  change.properties["leat.key"] = nlohmann::json(stream_.info.key).dump();
  change.summary["leat.rows"] = std::to_string(rows_total);
  return change;
}

std::vector<lake::DataFile> StreamReader::WriteVersions(const std::string& from, const std::string& op) {
  return context_.writer.WriteRows(connection_, stream_.info.location(), now_.schema,
                                   sql_->Versions(from, op, seq_, context_.now, context_.run));
}

void StreamReader::LoadBase(StreamOutcome& outcome, const std::string& rows) {
  std::vector<lake::DataFile> files = WriteVersions(rows, "'u'");
  outcome.rows_written = outcome.rows_total = lake::CountRows(files);
  outcome.kind = StreamOutcome::Kind::kChanged;
  lake::TableChange change = NewChange(outcome.rows_total);
  change.properties["leat.base_seq"] = std::to_string(seq_);
  change.properties["leat.base_from_seq"] = std::to_string(seq_);
  change.added = std::move(files);
  outcome.pending = {stream_.info.table(), published_, stream_.info.location(), std::move(change)};
}

void StreamReader::CompareAll(StreamOutcome& outcome, const std::string& rows) {
  connection_.Execute("CREATE OR REPLACE TEMP TABLE leat_difference AS " + sql_->AgainstAll(rows));
  const int64_t upserts = connection_.QueryInt64("SELECT count(*) FROM leat_difference WHERE _leat_op = 'u'");
  const int64_t inserts = connection_.QueryInt64("SELECT count(*) FROM leat_difference WHERE _leat_is_new");
  const int64_t gone = connection_.QueryInt64("SELECT count(*) FROM leat_difference WHERE _leat_op = 'd'");
  const int64_t rows_before = connection_.QueryInt64("SELECT count(*) FROM " + sql_->Current());
  outcome.rows_written = upserts;
  outcome.rows_repeated = rows_before - gone - (upserts - inserts);
  if (plan_.may_delete && stream_.rule.deletes.when != config::DeleteRule::When::kNever) {
    outcome.rows_deleted = gone;
    deletes_took_ = before_ ? before_->deletes_took : std::chrono::microseconds(0);
  } else {
    connection_.Execute("DELETE FROM leat_difference WHERE _leat_op = 'd'");
  }
  outcome.rows_total = rows_before + inserts - outcome.rows_deleted;
  AppendDifference(outcome);
}

void StreamReader::AppendDifference(StreamOutcome& outcome) {
  if (outcome.rows_written + outcome.rows_deleted == 0 && now_.schema.fields == published_->schema().fields) {
    outcome.kind = StreamOutcome::Kind::kUnchanged;
    return;
  }
  outcome.kind = StreamOutcome::Kind::kChanged;
  lake::TableChange change = NewChange(outcome.rows_total);
  change.added = WriteVersions("leat_difference", "_leat_op");
  outcome.pending = {stream_.info.table(), published_, stream_.info.location(), std::move(change)};
  engine::Compact(context_.engine, connection_, context_.writer, *outcome.pending);
}

void StreamReader::Replace(StreamOutcome& outcome, const std::string& rows) {
  std::vector<lake::DataFile> files = WriteVersions(rows, "'u'");
  const std::string hash = ContentHash(connection_, context_.engine.storage(), now_.schema, files);
  outcome.rows_total = lake::CountRows(files);
  const bool same =
      published_ && published_->SummaryText("leat.hash") == hash && now_.schema.fields == published_->schema().fields;
  if (same) {
    lake::RemoveFiles(context_.engine.storage(), files);
    outcome.rows_repeated = outcome.rows_total;
    outcome.kind = StreamOutcome::Kind::kUnchanged;
    return;
  }
  outcome.kind = StreamOutcome::Kind::kChanged;
  outcome.rows_written = outcome.rows_total;
  lake::TableChange change = NewChange(outcome.rows_total);
  change.summary["leat.hash"] = hash;
  change.replace_all = true;
  change.added = std::move(files);
  outcome.pending = {stream_.info.table(), published_, stream_.info.location(), std::move(change)};
}

/// Read the rows once, into a table of DuckDB that may spill.
std::string StreamReader::Materialise(const std::string& rows) {
  connection_.Execute("CREATE OR REPLACE TEMP TABLE leat_read AS SELECT * FROM " + rows);
  return "leat_read";
}

/// A key that the project names is not kept by the server: refuse doubled keys and NULL in them.
void StreamReader::CheckKey(const std::string& table) {
  const Place& place = stream_.rule.key.front().place;
  std::vector<std::string> any_null;
  for (const std::string& part : stream_.info.key) any_null.push_back(QuoteIdentifier(part) + " IS NULL");
  const int64_t nulls =
      connection_.QueryInt64(fmt::format("SELECT count(*) FROM {} WHERE {}", table, Join(any_null, " OR ")));
  if (nulls > 0)
    throw Error(kData, "LEAT0409", place,
                fmt::format("{}: key ({}) is NULL in {} rows; expected a value in each", stream_.info.name,
                            Join(stream_.info.key, ", "), nulls))
        .Hint("choose a `key:` that is never NULL, or none: the table is then replaced as a whole");
  const std::vector<std::string> doubled = connection_.QueryTexts(
      fmt::format("SELECT ROW({}) FROM {} GROUP BY ALL HAVING count(*) > 1 ORDER BY 1 LIMIT 3", sql_->Key(), table));
  if (!doubled.empty())
    throw Error(kData, "LEAT0408", place,
                fmt::format("{}: key ({}) is not unique; doubled are {}", stream_.info.name,
                            Join(stream_.info.key, ", "), Join(doubled, ", ")))
        .Hint("choose a `key:` that names one row each, or none: the table is then replaced as a whole");
}

void StreamReader::MovePosition() {
  // Where nothing was running the horizon was the next id, whose transaction came later.
  const bool was_held = before_ && !plan_.is_fresh && before_->ring.back().horizon < before_->ring.back().next;
  const bool same_horizon = was_held && before_->ring.back().horizon == moment_.horizon;
  position_ = {.as_of = as_of_,
               .read = plan_.how == ReadPlan::How::kChanges ? config::ReadMode::kChanges : config::ReadMode::kFull,
               .identity = Identity(),
               .ring = Advance(before_ && !plan_.is_fresh ? before_->ring : std::vector<RingEntry>(), moment_),
               .is_flushed = true,
               .lost_next = plan_.lost_next,
               .deletes_as_of = before_ && !deletes_took_ ? before_->deletes_as_of : moment_.time,
               .deletes_took = deletes_took_.value_or(before_ ? before_->deletes_took : std::chrono::microseconds(0)),
               .horizon_since = same_horizon ? before_->horizon_since : moment_.time};
}

}  // namespace leat::sources
