#include "sources/postgres/stream_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/file_system.h"
#include "core/text.h"
#include "duck/row_hash.h"

namespace leat::sources {

void RemoveFiles(const lake::Storage& storage, const std::vector<lake::DataFile>& files) {
  for (const lake::DataFile& file : files) storage.RemoveQuietly(storage.NameOf(file.path));
}

namespace {

constexpr int64_t kSeqPerCommit = int64_t{1} << 24;

bool IsVersionColumn(const std::string& name) { return name.starts_with("_leat_"); }

/// The stream's columns, then those the lake still has from before (NULL from now on), then ours.
lake::Schema WantedSchema(const PostgresStream& stream, const std::optional<lake::Table>& published) {
  std::vector<duck::Column> columns = stream.info.columns;
  if (published)
    for (const lake::Field& field : published->schema().fields) {
      const bool known =
          std::any_of(columns.begin(), columns.end(), [&](const auto& column) { return column.name == field.name; });
      if (!known && !IsVersionColumn(field.name)) columns.push_back({field.name, lake::DuckType(field.type)});
    }
  columns.insert(columns.end(), VersionColumns().begin(), VersionColumns().end());
  lake::Schema schema = lake::SchemaOf(columns);
  for (size_t i = 0; i < stream.columns.size(); ++i)
    schema.fields[i].source_type = stream.columns[i].origin.type.formatted;
  return schema;
}

lake::Schema SchemaFromNowOn(const PostgresStream& stream, const std::optional<lake::Table>& published) {
  const lake::Schema wanted = WantedSchema(stream, published);
  if (!published) return wanted;
  try {
    return lake::Evolve(published->schema(), wanted, published->last_column_id()).schema;
  } catch (const Error& error) {
    throw Error(kConfig, "LEAT0410", fmt::format("{}: {}", stream.info.name, error.message()))
        .Hint(
            "leave the column out by  columns: {exclude: [name]}, or give it a new name by  rename: {column: "
            "new_name}");
  }
}

/// `r.a IS DISTINCT FROM c.a OR …`
std::string AnyDistinct(const std::vector<std::string>& columns) {
  std::string condition;
  for (const std::string& column : columns) {
    const std::string name = QuoteIdentifier(column);
    condition += fmt::format("{}r.{} IS DISTINCT FROM c.{}", condition.empty() ? "" : " OR ", name, name);
  }
  return condition.empty() ? "false" : condition;
}

std::string SummaryText(const lake::Table& table, const std::string& key) {
  if (!table.snapshot()) return "";
  const auto found = table.snapshot()->summary.find(key);
  return found == table.snapshot()->summary.end() ? "" : found->second;
}

int64_t SummaryNumber(const lake::Table& table, const std::string& key) {
  const std::string text = SummaryText(table, key);
  return text.empty() ? 0 : std::stoll(text);
}

postgres::ScanTable ScanOf(const PostgresStream& stream, int64_t blocks, int threads) {
  postgres::ScanTable scan{.schema = stream.schema,
                           .table = stream.table.name,
                           .blocks = blocks,
                           .only = stream.table.kind == 'r',
                           .rows_estimate = std::max<int64_t>(0, stream.table.rows_estimate),
                           .connections_max = threads};
  for (const StreamColumn& column : stream.columns)
    scan.columns.push_back({column.origin.name, postgres::MapType(column.origin.type), column.name});
  return scan;
}

int64_t CountRows(const std::vector<lake::DataFile>& files) {
  int64_t rows = 0;
  for (const lake::DataFile& file : files) rows += file.record_count;
  return rows;
}

}  // namespace

StreamReader::StreamReader(postgres::SnapshotPool& pool, const PostgresStream& stream, const ReadContext& context,
                           Timestamp as_of)
    : pool_(pool),
      stream_(stream),
      context_(context),
      as_of_(as_of),
      published_(context.Published(stream.info)),
      seq_(context.commit_number * kSeqPerCommit),
      connection_(context.engine.database()) {}

StreamOutcome StreamReader::Read() {
  StreamOutcome outcome{.stream = stream_.info.name, .as_of = as_of_, .started = SystemClock().Now()};
  try {
    ReadInto(outcome);
  } catch (const Error& error) {
    if (outcome.pending) RemoveFiles(context_.engine.storage(), outcome.pending->change.added);
    if (error.code() == "LEAT0303") throw;  // the connection is lost; any other fault is the stream's own
    outcome = {.stream = stream_.info.name, .as_of = as_of_, .started = outcome.started};
    outcome.diagnostic = error.diagnostic();
  }
  outcome.ended = SystemClock().Now();
  return outcome;
}

void StreamReader::ReadInto(StreamOutcome& outcome) {
  schema_ = SchemaFromNowOn(stream_, published_);
  for (const std::string& name : schema_.Names())
    if (!IsVersionColumn(name)) columns_.push_back(name);

  scan_.emplace(pool_, ScanOf(stream_, CountBlocks(), context_.threads));
  context_.observer.Started(stream_.info, [this] { return scan_->rows(); });
  try {
    std::string rows = RowsSql();
    if (!stream_.info.key.empty() && !stream_.key_is_enforced) rows = MaterialiseAndCheckKey(rows);
    if (stream_.info.key.empty())
      Replace(outcome, rows);
    else if (published_ && HasSameKey())
      AppendChanges(outcome, rows);
    else
      LoadBase(outcome, rows);
    RefuseRewritten();
  } catch (const duck::QueryError&) {
    try {
      scan_->ThrowIfFailed();
    } catch (const Error& error) {
      if (error.code() == "LEAT0401") throw WithKey(error);
      throw;
    }
    throw;
  }
  outcome.rows_read = scan_->rows();
  outcome.position = nlohmann::json{{"read", "full"}, {"as_of", FormatTimestamp(as_of_)}}.dump();
  if (outcome.pending) outcome.pending->change.summary["leat.position"] = outcome.position;
}

std::string StreamReader::NullColumn(const std::string& name) const {
  return fmt::format("CAST(NULL AS {}) AS {}", lake::DuckType(schema_.Find(name)->type), QuoteIdentifier(name));
}

/// The rows of the scan under leat's names; a column that the source no longer has is NULL.
std::string StreamReader::RowsSql() const {
  std::string list;
  for (const std::string& name : columns_) {
    const bool is_read =
        std::any_of(stream_.columns.begin(), stream_.columns.end(), [&](const auto& c) { return c.name == name; });
    list += list.empty() ? "" : ", ";
    list += is_read ? QuoteIdentifier(name) : NullColumn(name);
  }
  return fmt::format("(SELECT {} FROM {})", list, scan_->sql());
}

std::string StreamReader::VersionSql(const std::string& from, const std::string& op) const {
  return fmt::format(
      "SELECT {}, {} AS _leat_op, {}::BIGINT AS _leat_seq, make_timestamptz({}) AS _leat_time, {}::BIGINT AS _leat_run "
      "FROM {}",
      QuoteList(columns_), op, seq_, context_.now.time_since_epoch().count(), context_.run, from);
}

lake::TableChange StreamReader::NewChange(int64_t rows_total) const {
  lake::TableChange change{.schema = schema_};
  change.properties["leat.kind"] = stream_.info.key.empty() ? "keyless" : "stream";
  change.properties["leat.key"] = nlohmann::json(stream_.info.key).dump();
  change.summary["leat.rows"] = std::to_string(rows_total);
  return change;
}

/// With another key, versions of before belong to other rows: the current ones begin anew, and the old ones stay as
/// history.
bool StreamReader::HasSameKey() const {
  return published_->Property("leat.kind") == "stream" &&
         published_->Property("leat.key") == nlohmann::json(stream_.info.key).dump();
}

/// Pages on disk, asked for here and not for all tables at once, since it waits for whoever has locked the table.
int64_t StreamReader::CountBlocks() {
  if (stream_.table.kind != 'r' && stream_.table.kind != 'm') return 0;
  return pool_.Borrow()
      ->Query("SELECT pg_relation_size($1::oid) / current_setting('block_size')::int",
              {std::to_string(stream_.table.oid)})
      .Int64(0, 0);
}

/// TRUNCATE, a rewriting ALTER TABLE and a swap of names work on what a snapshot still shows: a COPY after them reads
/// other rows than those of its moment, or none.
void StreamReader::RefuseRewritten() {
  constexpr const char* kSameFiles = R"(
SELECT coalesce(bool_and(c.relfilenode = pg_relation_filenode(c.oid)), false) AND to_regclass($2) = $1::oid
  FROM pg_class c
 WHERE c.relkind IN ('r', 'm') AND c.oid IN (SELECT $1::oid UNION SELECT relid FROM pg_partition_tree($1::oid)))";
  if (stream_.table.kind == 'v' || stream_.table.kind == 'f') return;
  const std::string name = QuoteIdentifier(stream_.schema) + "." + QuoteIdentifier(stream_.table.name);
  const auto connection = pool_.Borrow();
  const postgres::Rows same = connection->Query(kSameFiles, {std::to_string(stream_.table.oid), name});
  if (same.At(0, 0) == "t") return;
  throw Error(kConflict, "LEAT0411",
              fmt::format("{} was truncated, rewritten or replaced while it was read", stream_.info.origin))
      .Hint("run again: what it holds now is read then, and until then the rows of before stay");
}

/// Name the rows that hold the value which does not fit; the decoder knows column and value, the server finds the keys.
Error StreamReader::WithKey(const Error& error) {
  std::string key;
  for (const StreamColumn& column : stream_.columns)
    if (std::find(stream_.info.key.begin(), stream_.info.key.end(), column.name) != stream_.info.key.end())
      key += (key.empty() ? "" : ", ") + QuoteIdentifier(column.origin.name);
  for (const StreamColumn& column : stream_.columns) {
    const std::string start = fmt::format("{}.{} holds ", stream_.info.origin, column.origin.name);
    if (key.empty() || !error.message().starts_with(start)) continue;
    const std::string value = error.message().substr(start.size(), error.message().find(';') - start.size());
    const postgres::Rows rows = pool_.Borrow()->Query(
        fmt::format(
            "SELECT string_agg(k::text, ', ') FROM (SELECT ROW({}) AS k FROM ONLY {}.{} WHERE {}::text = $1 LIMIT 3) s",
            key, QuoteIdentifier(stream_.schema), QuoteIdentifier(stream_.table.name),
            QuoteIdentifier(column.origin.name)),
        {value});
    if (rows.IsNull(0, 0)) return error;
    return Error(error).Note(
        fmt::format("in the rows with key ({}) = {}", Join(stream_.info.key, ", "), rows.At(0, 0)));
  }
  return error;
}

void StreamReader::LoadBase(StreamOutcome& outcome, const std::string& rows) {
  std::vector<lake::DataFile> files =
      context_.writer.WriteRows(connection_, stream_.info.location(), schema_, VersionSql(rows, "'u'"));
  outcome.rows_written = outcome.rows_total = CountRows(files);
  outcome.kind = StreamOutcome::Kind::kChanged;
  lake::TableChange change = NewChange(outcome.rows_total);
  change.properties["leat.base_seq"] = std::to_string(seq_);
  change.properties["leat.base_from_seq"] = std::to_string(seq_);
  change.added = std::move(files);
  outcome.pending = {stream_.info.table(), published_, stream_.info.location(), std::move(change)};
}

std::string StreamReader::CurrentSql() const {
  const engine::Relation relation = engine::Relation::Of(*published_);
  std::string list;
  for (const std::string& name : columns_) {
    const bool is_known = relation.schema.Find(name) != nullptr;
    list += list.empty() ? "" : ", ";
    list += is_known ? QuoteIdentifier(name) : NullColumn(name);
  }
  return fmt::format("(SELECT {} FROM {})", list, context_.engine.CurrentRowsSql(relation));
}

std::string StreamReader::DifferenceSql(const std::string& rows) const {
  std::string join, list;
  for (const std::string& part : stream_.info.key)
    join += fmt::format("{}r.{} = c.{}", join.empty() ? "" : " AND ", QuoteIdentifier(part), QuoteIdentifier(part));
  const std::string key = QuoteIdentifier(stream_.info.key.front());
  for (const std::string& column : columns_) {
    const std::string name = QuoteIdentifier(column);
    list += fmt::format("CASE WHEN r.{} IS NULL THEN c.{} ELSE r.{} END AS {}, ", key, name, name, name);
  }
  return fmt::format(
      "SELECT {} CASE WHEN r.{} IS NULL THEN 'd' ELSE 'u' END AS op, c.{} IS NULL AS is_new FROM {} r FULL JOIN {} c "
      "ON {} "
      "WHERE r.{} IS NULL OR c.{} IS NULL OR {}",
      list, key, key, rows, CurrentSql(), join, key, key, AnyDistinct(columns_));
}

void StreamReader::AppendChanges(StreamOutcome& outcome, const std::string& rows) {
  connection_.Execute("CREATE OR REPLACE TEMP TABLE leat_difference AS " + DifferenceSql(rows));
  const int64_t upserts = connection_.QueryInt64("SELECT count(*) FROM leat_difference WHERE op = 'u'");
  const int64_t inserts = connection_.QueryInt64("SELECT count(*) FROM leat_difference WHERE is_new");
  const int64_t deletes = connection_.QueryInt64("SELECT count(*) FROM leat_difference WHERE op = 'd'");
  outcome.rows_written = upserts;
  outcome.rows_deleted = deletes;
  const int64_t rows_before = SummaryNumber(*published_, "leat.rows");
  outcome.rows_total = rows_before + inserts - deletes;
  outcome.rows_repeated = rows_before - deletes - (upserts - inserts);
  if (upserts + deletes == 0 && schema_.fields == published_->schema().fields) {
    outcome.kind = StreamOutcome::Kind::kUnchanged;
    return;
  }
  outcome.kind = StreamOutcome::Kind::kChanged;
  lake::TableChange change = NewChange(outcome.rows_total);
  change.added =
      context_.writer.WriteRows(connection_, stream_.info.location(), schema_, VersionSql("leat_difference", "op"));
  outcome.pending = {stream_.info.table(), published_, stream_.info.location(), std::move(change)};
}

void StreamReader::Replace(StreamOutcome& outcome, const std::string& rows) {
  std::vector<lake::DataFile> files =
      context_.writer.WriteRows(connection_, stream_.info.location(), schema_, VersionSql(rows, "'u'"));
  std::vector<std::pair<int, std::string>> hashed;
  for (const std::string& name : columns_) hashed.emplace_back(schema_.Find(name)->id, QuoteIdentifier(name));
  const std::string hash = connection_.QueryText(
      fmt::format("SELECT row_count || ':' || hash_low || ':' || hash_high FROM ({})",
                  duck::TableHashSql(hashed, lake::ReadFilesSql(context_.engine.storage(), schema_, files))));
  outcome.rows_total = CountRows(files);
  const bool same =
      published_ && SummaryText(*published_, "leat.hash") == hash && schema_.fields == published_->schema().fields;
  if (same) {
    RemoveFiles(context_.engine.storage(), files);
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

/// A key that the project names is not kept by the server: read the rows once, and refuse doubled keys and NULL in
/// them.
std::string StreamReader::MaterialiseAndCheckKey(const std::string& rows) {
  connection_.Execute("CREATE OR REPLACE TEMP TABLE leat_read AS SELECT * FROM " + rows);
  const std::string key = QuoteList(stream_.info.key);
  std::string any_null;
  for (const std::string& part : stream_.info.key)
    any_null += (any_null.empty() ? "" : " OR ") + QuoteIdentifier(part) + " IS NULL";
  const int64_t nulls = connection_.QueryInt64("SELECT count(*) FROM leat_read WHERE " + any_null);
  if (nulls > 0)
    throw Error(kData, "LEAT0409", stream_.key_place,
                fmt::format("{}: key ({}) is NULL in {} rows; expected a value in each", stream_.info.name,
                            Join(stream_.info.key, ", "), nulls))
        .Hint("choose a `key:` that is never NULL, or none: the table is then replaced as a whole");
  const std::vector<std::string> doubled = connection_.QueryTexts(
      fmt::format("SELECT ROW({}) FROM leat_read GROUP BY ALL HAVING count(*) > 1 ORDER BY 1 LIMIT 3", key));
  if (!doubled.empty())
    throw Error(kData, "LEAT0408", stream_.key_place,
                fmt::format("{}: key ({}) is not unique; doubled are {}", stream_.info.name,
                            Join(stream_.info.key, ", "), Join(doubled, ", ")))
        .Hint("choose a `key:` that names one row each, or none: the table is then replaced as a whole");
  return "leat_read";
}

}  // namespace leat::sources
