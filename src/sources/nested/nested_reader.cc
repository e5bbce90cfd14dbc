#include "sources/nested/nested_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "engine/compaction.h"
#include "sources/nested/nested_sql.h"
#include "sources/nested/record_intake.h"
#include "sources/nested/shred.h"
#include "sources/versions.h"

namespace leat::sources {
namespace {

PublishedTables PublishedOf(const NestedStream& stream, const ReadContext& context) {
  PublishedTables published{.stream = context.Published(stream.info), .children = {}};
  for (const auto& [name, table] : context.tables)
    if (table.Property("leat.parent") == stream.info.name) published.children.push_back(table);
  return published;
}

std::string LocationOf(const std::string& table) {
  const auto [source, name] = engine::ParseName(table);
  return "raw/" + source + "/" + name;
}

state::TableName VersionsOf(const std::string& table) {
  return engine::ParseName(table + std::string(engine::kHistorySuffix));
}

}  // namespace

class NestedReader::Impl {
 public:
  Impl(const NestedStream& stream, const ReadContext& context, bool from_landing)
      : stream_(stream),
        context_(context),
        from_landing_(from_landing),
        published_(PublishedOf(stream, context)),
        intake_(stream, context),
        connection_(context.engine.database()) {
    started_ = SystemClock().Now();
  }

  ~Impl() {
    if (!sql_) return;
    try {
      for (const std::string& table :
           {sql_->Shredded(), sql_->Pages(), sql_->Asked(), sql_->Candidates(), sql_->Versions(), Compared()})
        connection_.Execute("DROP TABLE IF EXISTS " + table);
    } catch (...) {
      // The database ends with the run.
    }
  }

  void Add(const std::vector<LandedPage>& pages) { intake_.Add(pages); }
  void Add(const AskedInFull& asked) {
    const std::lock_guard lock(asked_mutex_);
    asked_.push_back(asked);
  }
  int64_t records() const { return intake_.records(); }

  StreamOutcome Finish() {
    StreamOutcome outcome{.stream = stream_.info.name, .as_of = context_.now, .started = started_};
    try {
      FinishInto(outcome);
    } catch (const Error& error) {
      lake::RemoveFiles(context_.engine.storage(), written_);
      if (outcome.pending) lake::RemoveFiles(context_.engine.storage(), outcome.pending->change.added);
      for (const lake::PendingTable& other : outcome.others)
        lake::RemoveFiles(context_.engine.storage(), other.change.added);
      outcome = {.stream = stream_.info.name, .as_of = context_.now, .started = started_};
      outcome.diagnostic = error.diagnostic();
    }
    outcome.ended = SystemClock().Now();
    return outcome;
  }

 private:
  void FinishInto(StreamOutcome& outcome) {
    Shape shape = intake_.Finish();
    sql_.emplace(stream_, table_, intake_.table());
    StorePages();
    DropEchoes(shape);
    table_ = PlanTables(stream_, shape, published_, connection_, from_landing_);
    outcome.rows_read = intake_.records();
    RefuseUncounted();
    // A table has the columns of its records, so it comes with the first of them.
    if (outcome.rows_read == 0 && !published_.stream) return SetUnchanged(outcome);
    if (outcome.rows_read > 0) RefuseKey();
    if (outcome.rows_read > 0) RefuseMissing();
    StoreAsked();
    Shred();
    outcome.rows_rejected = connection_.QueryInt64(
        fmt::format("SELECT count(*) FROM {} WHERE _leat_record.misfit.reason IS NOT NULL", sql_->Shredded()));
    RefuseRejects(outcome);
    if (outcome.rows_rejected == 0) intake_.Forget();
    if (stream_.info.key.empty())
      Replace(outcome);
    else
      AddVersions(outcome);
    AddRejects(outcome);
  }

  /// Entries of the list that are no records would look like rows that are gone.
  void RefuseUncounted() const {
    if (stream_.rule.http.format != config::RecordFormat::kJson) return;
    int64_t entries = 0;
    for (const LandedPage& page : intake_.pages()) {
      if (page.records < 0) return;
      entries += page.records;
    }
    if (entries == intake_.records()) return;
    const config::Located<std::string>& path = stream_.rule.http.records;
    throw Error(kData, "LEAT0446", path.place.known() ? path.place : stream_.rule.pattern.place,
                fmt::format("{}: the answers list {} entries, and only {} of them have what `records: {}` names",
                            stream_.info.name, GroupDigits(entries), GroupDigits(intake_.records()), path.value))
        .Hint("correct the path; look at an answer in the lake's folder landing/");
  }

  std::string Compared() const { return intake_.table() + "_compared"; }

  /// Every part of the key is a column with one value.
  void RefuseKey() const {
    for (const std::string& key : stream_.info.key) {
      if (std::find(stream_.given_columns.begin(), stream_.given_columns.end(), key) != stream_.given_columns.end())
        continue;
      const NestedColumn* column = table_.Find(key);
      if (column != nullptr && column->type.lists == 0 && column->type.form != ValueType::Form::kJson) continue;
      const Place place = stream_.rule.key.empty() ? stream_.rule.pattern.place : stream_.rule.key.front().place;
      std::vector<std::string> names;
      for (const NestedColumn& known : table_.columns) names.push_back(known.name);
      Diagnostic fault{.code = "LEAT0442", .place = place};
      fault.message = column == nullptr ? fmt::format("{}: none of the {} records has the key {}", stream_.info.name,
                                                      GroupDigits(intake_.records()), key)
                                        : fmt::format("{}: the key {} is {} in some records; expected one plain value",
                                                      stream_.info.name, key,
                                                      column->type.lists > 0 ? "a list" : "an object or list");
      SuggestNearest(fault, key, names);
      fault.help.push_back("name the fields that identify a record by  key: [field]");
      throw Error(kConfig, std::move(fault));
    }
  }

  /// A field that only repeats what stands in a given column of its name is no column of its own.
  void DropEchoes(Shape& shape) {
    for (const std::string& given : stream_.given_columns)
      std::erase_if(shape.fields, [&](const std::unique_ptr<Shape>& field) {
        return CleanName(field->name) == given && (field->seen & ~(kSeenScalar | kSeenNull)) == 0 &&
               !IsPublished(field->name) && !DiffersFrom(given, field->name);
      });
  }

  bool IsPublished(const std::string& field) const {
    const std::string path = nlohmann::json({field}).dump();
    return published_.stream && std::ranges::any_of(published_.stream->schema().fields,
                                                    [&](const lake::Field& known) { return known.path == path; });
  }

  bool DiffersFrom(const std::string& given, std::string field) {
    ReplaceAll(field, "~", "~0");
    ReplaceAll(field, "/", "~1");
    const int64_t others = connection_.QueryInt64(fmt::format(
        "SELECT count(*) FROM (SELECT _leat_page, decode(record) AS record FROM {}) JOIN {} p USING (_leat_page) WHERE "
        "CASE WHEN json_valid(record) THEN json_extract_string(record, {}) END != {}",
        intake_.table(), sql_->Pages(), QuoteLiteral("/" + field), "p." + QuoteIdentifier(given)));
    return others > 0;
  }

  static void ReplaceAll(std::string& text, const std::string& from, const std::string& to) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
  }

  /// As text "9" is greater than "10".
  void ChooseVersionOrder() {
    const NestedColumn* version = sql_->VersionColumn();
    if (version == nullptr ||
        (version->type.form != ValueType::Form::kText && version->type.form != ValueType::Form::kJson))
      return;
    const std::string value = "_leat_record.\"row\"." + QuoteIdentifier(version->name);
    const bool is_plain = version->type.lists == 0 && version->type.form == ValueType::Form::kText;
    for (const char* type : {"DECIMAL(38,9)", "TIMESTAMPTZ"})
      if (is_plain && Count(sql_->Shredded(), fmt::format("_leat_record.misfit.reason IS NULL AND {0} != '' AND "
                                                          "TRY_CAST({0} AS {1}) IS NULL",
                                                          value, type)) == 0)
        return sql_->CompareVersionsAs(type);
    throw Error(kConfig, "LEAT0448", stream_.rule.version->place,
                fmt::format("{}: `version` names {}, which holds text; expected numbers or times, which have an order",
                            stream_.info.name, version->name))
        .Hint(fmt::format("give it a type by  columns: {{types: {{{}: BIGINT}}}}", YamlName(version->name)))
        .Hint("or leave `version` out: then the later arrival counts");
  }

  void RefuseMissing() const {
    if (stream_.rule.columns.on_missing == config::ColumnRules::Missing::kNull || table_.missing.empty()) return;
    throw Error(kConfig, "LEAT0415", stream_.rule.pattern.place,
                fmt::format("{}: column {} is gone from the source, and the project stops at missing ones",
                            stream_.info.name, Join(table_.missing, ", ")))
        .Hint("let it be NULL from now on by  columns: {missing: null}");
  }

  void StorePages() {
    std::string columns =
        "_leat_page INTEGER, _leat_file VARCHAR, _leat_place BIGINT, _leat_from_seq BIGINT, _leat_from_run BIGINT, "
        "_leat_from_us BIGINT";
    for (const std::string& given : stream_.given_columns)
      columns += fmt::format(", {} VARCHAR", QuoteIdentifier(given));
    connection_.Execute(fmt::format("CREATE TABLE {} ({})", sql_->Pages(), columns));
    std::vector<std::string> rows;
    const std::vector<LandedPage>& pages = intake_.pages();
    for (size_t i = 0; i < pages.size(); ++i) {
      const LandedPage& page = pages[i];
      const Timestamp time = from_landing_ ? page.time : context_.now;
      std::string row = fmt::format("({}, {}, {}, {}, {}, {}", i, QuoteLiteral(page.name), page.ordinal,
                                    SeqOf(from_landing_ ? page.commit_number : context_.commit_number),
                                    from_landing_ ? page.run : context_.run, time.time_since_epoch().count());
      for (const std::string& value : page.given) row += ", " + QuoteLiteral(value);
      rows.push_back(row + ")");
    }
    Insert(sql_->Pages(), rows);
  }

  /// The given columns that tell what was asked for in full.
  std::vector<std::string> AskedColumns() const {
    const size_t count = asked_.empty() ? 0 : asked_.front().given.size();
    return {stream_.given_columns.begin(), stream_.given_columns.begin() + static_cast<std::ptrdiff_t>(count)};
  }

  void StoreAsked() {
    std::string columns;
    for (const std::string& given : AskedColumns()) columns += fmt::format("{} VARCHAR, ", QuoteIdentifier(given));
    connection_.Execute(
        fmt::format("CREATE TABLE {} ({}_leat_from_seq BIGINT, _leat_from_run BIGINT, _leat_from_us BIGINT)",
                    sql_->Asked(), columns));
    std::vector<std::string> rows;
    for (const AskedInFull& asked : asked_) {
      std::string row = "(";
      for (const std::string& value : asked.given) row += QuoteLiteral(value) + ", ";
      const Timestamp time = from_landing_ ? asked.time : context_.now;
      rows.push_back(row + fmt::format("{}, {}, {})",
                                       SeqOf(from_landing_ ? asked.commit_number : context_.commit_number),
                                       from_landing_ ? asked.run : context_.run, time.time_since_epoch().count()));
    }
    Insert(sql_->Asked(), rows);
  }

  void Insert(const std::string& table, const std::vector<std::string>& rows) {
    constexpr size_t kRowsPerInsert = 1000;
    for (size_t begin = 0; begin < rows.size(); begin += kRowsPerInsert) {
      const auto from = rows.begin() + static_cast<std::ptrdiff_t>(begin);
      const auto to = rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), begin + kRowsPerInsert));
      connection_.Execute(
          fmt::format("INSERT INTO {} VALUES {}", table, Join(std::vector<std::string>(from, to), ", ")));
    }
  }

  void Shred() {
    const std::string function = intake_.table() + "_shred";
    std::vector<std::string> key = stream_.info.key;
    RegisterShred(context_.engine.database(), function, table_, key);
    connection_.Execute(
        fmt::format("CREATE TABLE {} AS SELECT _leat_page, _leat_ordinal, {}(record) AS _leat_record FROM {}",
                    sql_->Shredded(), function, intake_.table()));
  }

  void RefuseRejects(const StreamOutcome& outcome) {
    if (outcome.rows_rejected <= stream_.rule.rejects_max) return;
    throw Error(kData, "LEAT0441", stream_.rule.pattern.place,
                fmt::format("{}: {} of {} records cannot be rows, and more than {} stop the stream; the first: {}",
                            stream_.info.name, GroupDigits(outcome.rows_rejected), GroupDigits(outcome.rows_read),
                            GroupDigits(stream_.rule.rejects_max), FirstReject()))
        .Hint("set a type that takes what comes by  columns: {types: {field: VARCHAR}}")
        .Hint("or let more records be set aside by  rejects_max");
  }

  /// `status is 7: expected VARCHAR, in landing/…`
  std::string FirstReject() {
    const auto first = connection_.QueryRows(fmt::format(
        "SELECT _leat_record.misfit.field, _leat_record.misfit.\"value\", _leat_record.misfit.reason, p._leat_file "
        "FROM {} JOIN {} p USING (_leat_page) WHERE "
        "_leat_record.misfit.reason IS NOT NULL ORDER BY p._leat_place, p._leat_page, _leat_ordinal LIMIT 1",
        sql_->Shredded(), sql_->Pages()));
    const std::vector<std::string>& reject = first.at(0);
    const std::string what = reject[0].empty() ? "a record" : reject[0];
    return fmt::format("{}{}: {}, in {}", what, reject[1].empty() ? "" : " is " + Shorten(reject[1], 60), reject[2],
                       reject[3]);
  }

  // --- keyed streams

  bool HasSameKey() const {
    return published_.stream && published_.stream->Property("leat.key") == nlohmann::json(stream_.info.key).dump();
  }

  void AddVersions(StreamOutcome& outcome) {
    schema_ = SchemaOfTable(stream_, table_, table_, published_.stream, from_landing_);
    ChooseVersionOrder();
    connection_.Execute(fmt::format("CREATE TABLE {} AS {}", sql_->Candidates(), sql_->ChooseCandidates()));
    if (from_landing_) return Rebuild(outcome);
    if (HasSameKey())
      AppendVersions(outcome);
    else
      LoadBase(outcome);
  }

  int64_t Count(const std::string& table, const std::string& condition) {
    return connection_.QueryInt64(fmt::format("SELECT count(*) FROM {} WHERE {}", table, condition));
  }

  std::string Chosen(const char* condition) const {
    return fmt::format("(SELECT * FROM {} WHERE {})", sql_->Versions(), condition);
  }

  std::vector<lake::DataFile> Write(const std::string& table, const lake::Schema& schema, const std::string& select) {
    std::vector<lake::DataFile> files = context_.writer.WriteRows(connection_, LocationOf(table), schema, select);
    written_.insert(written_.end(), files.begin(), files.end());
    return files;
  }

  void AddFiles(lake::TableChange& change, std::vector<lake::DataFile> files) {
    change.added.insert(change.added.end(), files.begin(), files.end());
  }

  /// The first rows, or the first under this key.
  void LoadBase(StreamOutcome& outcome) {
    connection_.Execute(fmt::format("CREATE TABLE {} AS {}", sql_->Versions(), sql_->CompareWithNothing()));
    outcome.rows_written = Count(sql_->Versions(), "true");
    outcome.rows_deleted = Count(sql_->Versions(), "_leat_op = 'd'");
    outcome.rows_repeated = outcome.rows_read - outcome.rows_rejected - outcome.rows_written;
    outcome.rows_total = outcome.rows_written - outcome.rows_deleted;
    if (outcome.rows_written == 0 && published_.stream) return SetUnchanged(outcome);
    const int64_t seq = SeqOf(context_.commit_number);
    WriteAnew(outcome, "_leat_op = 'u'", "_leat_op = 'd'", seq, seq);
  }

  /// All versions of all landed pages, in one commit.
  void Rebuild(StreamOutcome& outcome) {
    if (!asked_.empty())
      connection_.Execute(fmt::format("INSERT INTO {} {}", sql_->Candidates(), sql_->Departed(AskedColumns())));
    connection_.Execute(fmt::format("CREATE TABLE {} AS {}", sql_->Versions(), sql_->CompareInOrder()));
    outcome.rows_written = Count(sql_->Versions(), "NOT _leat_is_departed");
    outcome.rows_deleted = Count(sql_->Versions(), "_leat_op = 'd'");
    outcome.rows_repeated = outcome.rows_read - outcome.rows_rejected - outcome.rows_written;
    outcome.rows_total = Count(sql_->Versions(), "_leat_is_current");
    const int64_t newest =
        connection_.QueryInt64(fmt::format("SELECT coalesce(max(_leat_from_seq), 0) FROM {}", sql_->Versions()));
    WriteAnew(outcome, "_leat_is_current", "NOT _leat_is_current", newest, 0);
  }

  /// Versions in two parts: those that are current and form the base, and those that are history alone.
  void WriteAnew(StreamOutcome& outcome, const char* current, const char* superseded, int64_t base_seq,
                 int64_t base_from_seq) {
    lake::TableChange change = NewChange(outcome.rows_total);
    change.properties["leat.base_seq"] = std::to_string(base_seq);
    change.properties["leat.base_from_seq"] = std::to_string(base_from_seq);
    change.replace_all = from_landing_;
    if (from_landing_) change.properties["leat.rebuilt"] = std::to_string(context_.commit_number);
    AddFiles(change, Write(stream_.info.name, schema_, sql_->Rows(Chosen(current), false)));
    AddFiles(change, Write(stream_.info.name, schema_, sql_->Rows(Chosen(superseded), true)));
    outcome.kind = StreamOutcome::Kind::kChanged;
    outcome.pending = {stream_.info.table(), published_.stream, stream_.info.location(), std::move(change)};
    for (const NestedTable* child : sql_->Children()) {
      lake::PendingTable pending = NewChild(*child);
      pending.change.replace_all = from_landing_;
      const auto rows = [&](const char* which, bool is_superseded) {
        const std::string from = Chosen(fmt::format("({}) AND _leat_op = 'u'", which).c_str());
        AddFiles(pending.change,
                 Write(child->name, pending.change.schema, sql_->ChildRows(*child, from, is_superseded)));
      };
      rows(current, false);
      rows(superseded, true);
      outcome.others.push_back(std::move(pending));
    }
  }

  void AppendVersions(StreamOutcome& outcome) {
    const engine::Relation relation = engine::Relation::Of(*published_.stream);
    if (Count(sql_->Candidates(), "true") > 0)
      connection_.Execute(
          fmt::format("CREATE TABLE {} AS {}", Compared(),
                      sql_->CompareWith(relation, context_.engine.NewestVersionsOfSql(relation, sql_->Candidates()))));
    else
      connection_.Execute(fmt::format("CREATE TABLE {} AS {}", Compared(), sql_->CompareWithNothing()));
    MarkChangedChildren(relation);
    connection_.Execute(
        fmt::format("CREATE TABLE {} AS SELECT * FROM {} WHERE _leat_differs", sql_->Versions(), Compared()));
    const int64_t inserts =
        Count(sql_->Versions(), "_leat_op = 'u' AND (_leat_newest_op IS NULL OR _leat_newest_op = 'd')");
    const int64_t gone = Count(sql_->Versions(), "_leat_op = 'd' AND _leat_newest_op = 'u'");
    outcome.rows_written = Count(sql_->Versions(), "true");
    outcome.rows_deleted = Count(sql_->Versions(), "_leat_op = 'd'");
    outcome.rows_repeated = outcome.rows_read - outcome.rows_rejected - outcome.rows_written;
    outcome.rows_total = SummaryNumber(*published_.stream, "leat.rows") + inserts - gone;
    std::vector<lake::DataFile> not_returned;
    if (!asked_.empty())
      not_returned = Write(stream_.info.name, schema_,
                           sql_->NotReturned(relation, context_.engine.CurrentRowsSql(relation), AskedColumns()));
    outcome.rows_deleted += lake::CountRows(not_returned);
    outcome.rows_total -= lake::CountRows(not_returned);
    const bool is_wider = schema_.fields != published_.stream->schema().fields;
    if (outcome.rows_written == 0 && not_returned.empty() && !is_wider) return SetUnchanged(outcome);
    outcome.kind = StreamOutcome::Kind::kChanged;
    lake::TableChange change = NewChange(outcome.rows_total);
    AddFiles(change, std::move(not_returned));
    AddFiles(change, Write(stream_.info.name, schema_, sql_->Rows(sql_->Versions(), false)));
    outcome.pending = {stream_.info.table(), published_.stream, stream_.info.location(), std::move(change)};
    engine::Compact(context_.engine, connection_, context_.writer, *outcome.pending);
    for (const NestedTable* child : sql_->Children()) AppendChild(outcome, *child);
  }

  /// A version whose own columns are as before is a new one if any list in it is not.
  void MarkChangedChildren(const engine::Relation& parent) {
    const std::string alike = fmt::format(
        "(SELECT *, _leat_newest_seq AS _leat_seq FROM {} WHERE NOT _leat_differs AND _leat_op = 'u')", Compared());
    for (const NestedTable* child : sql_->Children()) {
      if (Count(Compared(), "NOT _leat_differs AND _leat_op = 'u'") == 0) return;
      const lake::Table* published = published_.Child(child->list);
      std::string before;
      if (published != nullptr)
        before = WithAllColumns(*child, context_.engine.ChildrenOfSql(engine::Relation::Of(*published), parent, alike),
                                *published);
      std::vector<std::string> same_key;
      for (const std::string& key : stream_.info.key)
        same_key.push_back(fmt::format("t.{0} = k.{0}", QuoteIdentifier(key)));
      connection_.Execute(fmt::format("UPDATE {} t SET _leat_differs = true FROM ({}) k WHERE {}", Compared(),
                                      sql_->ChildChanged(*child, alike, before), Join(same_key, " AND ")));
    }
  }

  /// Rows of the lake with columns of from now on.
  static std::string WithAllColumns(const NestedTable& child, const std::string& rows, const lake::Table& published) {
    std::vector<std::string> list = {"*"};
    for (const NestedColumn& column : child.columns)
      if (published.schema().Find(column.name) == nullptr)
        list.push_back(fmt::format("CAST(NULL AS {}) AS {}", column.type.DuckType(), QuoteIdentifier(column.name)));
    return fmt::format("(SELECT {} FROM {})", Join(list, ", "), rows);
  }

  void AppendChild(StreamOutcome& outcome, const NestedTable& child) {
    lake::PendingTable pending = NewChild(child);
    AddFiles(pending.change,
             Write(child.name, pending.change.schema, sql_->ChildRows(child, Chosen("_leat_op = 'u'"), false)));
    engine::CompactChild(context_.engine, connection_, context_.writer, *outcome.pending, pending);
    const bool is_wider = !pending.base || pending.change.schema.fields != pending.base->schema().fields;
    if (!pending.change.added.empty() || !pending.change.removed.empty() || is_wider)
      outcome.others.push_back(std::move(pending));
  }

  lake::PendingTable NewChild(const NestedTable& child) const {
    lake::PendingTable pending{.name = VersionsOf(child.name), .location = LocationOf(child.name)};
    if (const lake::Table* published = published_.Child(child.list)) pending.base = *published;
    pending.change.schema = SchemaOfTable(stream_, table_, child, pending.base, from_landing_);
    pending.change.partition_by_superseded = true;
    std::vector<std::string> key = child.parent_key;
    key.insert(key.end(), child.positions.begin(), child.positions.end());
    pending.change.properties = {{"leat.kind", "child"},
                                 {"leat.key", nlohmann::json(key).dump()},
                                 {"leat.parent", stream_.info.name},
                                 {"leat.parent_key", nlohmann::json(child.parent_key).dump()},
                                 {"leat.list", nlohmann::json(child.list).dump()},
                                 {"leat.position", child.positions.back()}};
    return pending;
  }

  lake::TableChange NewChange(int64_t rows_total) const {
    lake::TableChange change{.schema = schema_};
    change.partition_by_superseded = schema_.Find(lake::kSupersededColumn) != nullptr;
    change.properties["leat.kind"] = stream_.info.key.empty() ? "keyless" : "stream";
    change.properties["leat.key"] = nlohmann::json(stream_.info.key).dump();
    change.summary["leat.rows"] = std::to_string(rows_total);
    return change;
  }

  void SetUnchanged(StreamOutcome& outcome) { outcome.kind = StreamOutcome::Kind::kUnchanged; }

  // --- streams without key

  void Replace(StreamOutcome& outcome) {
    schema_ = SchemaOfTable(stream_, table_, table_, published_.stream, from_landing_);
    std::vector<lake::DataFile> files = Write(stream_.info.name, schema_, sql_->KeylessRows());
    const std::string hash = ContentHash(connection_, context_.engine.storage(), schema_, files);
    outcome.rows_total = lake::CountRows(files);
    const bool same = published_.stream && published_.stream->SummaryText("leat.hash") == hash &&
                      schema_.fields == published_.stream->schema().fields;
    if (same) {
      lake::RemoveFiles(context_.engine.storage(), files);
      outcome.rows_repeated = outcome.rows_total;
      return SetUnchanged(outcome);
    }
    outcome.kind = StreamOutcome::Kind::kChanged;
    outcome.rows_written = outcome.rows_total;
    lake::TableChange change = NewChange(outcome.rows_total);
    change.summary["leat.hash"] = hash;
    change.replace_all = true;
    change.added = std::move(files);
    outcome.pending = {stream_.info.table(), published_.stream, stream_.info.location(), std::move(change)};
  }

  // --- rejects

  void AddRejects(StreamOutcome& outcome) {
    const std::string name = stream_.info.name + std::string(engine::kRejectsSuffix);
    const auto found = context_.tables.find(engine::ParseName(name));
    lake::PendingTable pending{.name = engine::ParseName(name), .location = LocationOf(name)};
    if (found != context_.tables.end()) pending.base = found->second;
    pending.change.replace_all = from_landing_ || stream_.info.key.empty();
    const bool has_stale = pending.change.replace_all && pending.base && pending.base->record_count() > 0;
    if (outcome.rows_rejected == 0 && !has_stale) return;
    if (outcome.rows_rejected == 0) return ClearRejects(outcome, std::move(pending));
    pending.change.properties = {{"leat.kind", "rejects"}};
    const std::string select = sql_->Rejects(intake_.table());
    const lake::Schema wanted = lake::SchemaOf(connection_.Describe(select));
    pending.change.schema =
        pending.base ? lake::Evolve(pending.base->schema(), wanted, pending.base->last_column_id()).schema : wanted;
    pending.change.added = Write(name, pending.change.schema, select);
    pending.change.summary["leat.run"] = std::to_string(context_.run);
    outcome.others.push_back(std::move(pending));
    outcome.kind = StreamOutcome::Kind::kChanged;
    if (outcome.rows_rejected == 0) return;
    outcome.diagnostic = {
        .severity = Severity::kWarning,
        .code = "LEAT0445",
        .message =
            fmt::format("{}: {} of {} records cannot be rows and were set aside; the first: {}", stream_.info.name,
                        GroupDigits(outcome.rows_rejected), GroupDigits(outcome.rows_read), FirstReject()),
        .place = stream_.rule.pattern.place,
        .help = {"leat preview " + name}};
  }

  static void ClearRejects(StreamOutcome& outcome, lake::PendingTable pending) {
    pending.change.properties = {{"leat.kind", "rejects"}};
    outcome.others.push_back(std::move(pending));
    outcome.kind = StreamOutcome::Kind::kChanged;
  }

  const NestedStream& stream_;
  const ReadContext& context_;
  const bool from_landing_;
  PublishedTables published_;
  RecordIntake intake_;
  std::mutex asked_mutex_;
  std::vector<AskedInFull> asked_;
  duck::Connection connection_;
  Timestamp started_;
  NestedTable table_;
  std::optional<NestedSql> sql_;
  lake::Schema schema_;
  std::vector<lake::DataFile> written_;
};

NestedReader::NestedReader(const NestedStream& stream, const ReadContext& context, bool from_landing)
    : impl_(std::make_unique<Impl>(stream, context, from_landing)) {}
NestedReader::~NestedReader() = default;
void NestedReader::Add(const std::vector<LandedPage>& pages) { impl_->Add(pages); }
void NestedReader::Add(const AskedInFull& asked) { impl_->Add(asked); }
int64_t NestedReader::records() const { return impl_->records(); }
StreamOutcome NestedReader::Finish() { return impl_->Finish(); }

}  // namespace leat::sources
