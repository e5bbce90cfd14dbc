#include "warehouse/duckdb/loader.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/ids.h"
#include "core/text.h"
#include "warehouse/duckdb/catalog.h"
#include "warehouse/duckdb/statements.h"
#include "warehouse/duckdb/table_fault.h"

namespace leat::warehouse::duckdb {
namespace {

using Kind = LoadOutcome::Kind;

/// Rolls back unless it was committed.
class Transaction {
 public:
  explicit Transaction(duck::Connection& connection) : connection_(connection) { connection_.Execute("BEGIN"); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() {
    if (is_over_) return;
    try {
      connection_.Execute("ROLLBACK");
    } catch (...) {
      // A COMMIT that broke has ended it, and else the end of the connection does.
    }
  }
  void Commit() {
    is_over_ = true;
    connection_.Execute("COMMIT");
  }

 private:
  duck::Connection& connection_;
  bool is_over_ = false;
};

/// The schema in which names without one are looked up, until the end of its life.
class DefaultSchema {
 public:
  DefaultSchema(duck::Connection& connection, const std::string& qualified) : connection_(connection) {
    before_ = connection_.QueryRows("SELECT current_database(), current_schema()").front();
    connection_.Execute("USE " + qualified);
  }
  DefaultSchema(const DefaultSchema&) = delete;
  DefaultSchema& operator=(const DefaultSchema&) = delete;
  ~DefaultSchema() {
    try {
      connection_.Execute(fmt::format("USE {}.{}", QuoteIdentifier(before_[0]), QuoteIdentifier(before_[1])));
    } catch (...) {
      // The transaction is broken, and so is the load: its connection is used for nothing else.
    }
  }

 private:
  duck::Connection& connection_;
  std::vector<std::string> before_;
};

bool IsEmpty(duck::Connection& connection, const Definition& table) {
  return connection.QueryInt64(fmt::format("SELECT count(*) FROM (FROM {} LIMIT 1)", table.QualifiedName())) == 0;
}

int64_t RowsIn(duck::Connection& connection, const Definition& table) {
  return connection.QueryInt64("SELECT count(*) FROM " + table.QualifiedName());
}

}  // namespace

Loader::Loader(duck::Connection& connection, const std::string& project, std::deque<Job>& jobs)
    : connection_(connection), jobs_(jobs) {
  for (const Job& job : jobs) {
    const std::string& schema = job.load->spec.schema;
    if (job.is_pending) ledgers_.try_emplace(schema, connection, schema, project);
  }
}

bool Loader::Run() {
  Transaction transaction(connection_);
  PrepareLedgers();
  if (!TryAll()) {
    for (Job& job : jobs_) {
      if (job.is_pending) job.outcome = {.model = job.load->spec.model};
    }
    return false;
  }
  AddToLedgers();
  transaction.Commit();
  return true;
}

void Loader::PrepareLedgers() {
  for (auto& [schema, ledger] : ledgers_) {
    try {
      ledger.Create();
    } catch (const duck::QueryError& error) {
      if (!ConcernsOneTable(error)) throw;
      throw Error(kConfig, "LEAT0616", fmt::format("warehouse schema {} cannot be made: {}", schema, error.message()))
          .Hint("name another schema in `warehouse`");
    }
    const std::map<std::string, LedgerRow> newest = ledger.Read();
    for (Job& job : jobs_) {
      if (!job.is_pending || job.load->spec.schema != schema) continue;
      const auto row = newest.find(job.load->spec.table);
      job.ledger = row == newest.end() ? std::nullopt : std::optional(row->second);
      if (job.ledger) CheckNotAhead(*job.ledger, *job.load);
    }
  }
}

bool Loader::TryAll() {
  for (Job& job : jobs_) {
    if (!job.is_pending) continue;
    try {
      LoadTable(job);
    } catch (const Error& error) {
      // A full disk and our own faults are not the table's.
      if (!ConcernsOneTable(error)) throw;
      job.is_pending = false;
      job.outcome = {
          .model = job.load->spec.model, .kind = Kind::kFailed, .diagnostic = DescribeFault(*job.definition, error)};
      return false;
    }
  }
  return true;
}

Loader::Survey Loader::SurveyTable(const Job& job) {
  const Definition& table = *job.definition;
  Survey survey{.existing = Inspect(connection_, table.spec().schema, table.spec().table)};
  if (!survey.existing) return survey;
  if (!job.ledger || !survey.existing->is_table) throw ForeignTable(table, *survey.existing);
  survey.is_replaced = !table.has_key() || job.load->replaces(job.ledger->snapshot_id);
  const Alteration alteration =
      PlanAlteration(table, *survey.existing, survey.is_replaced ? OldRows::kReplaced : OldRows::kKept);
  if (!alteration.refusals.empty()) throw NotAlterable(table, alteration.refusals);
  // To delete and insert rows below an index takes several times as long as to make the table again.
  survey.is_made_anew = alteration.is_needed || survey.is_replaced || IsEmpty(connection_, table);
  // A column that is read from another one now may differ in rows that no snapshot changed.
  const bool same_definition = job.ledger->definition == job.fingerprint;
  if (!survey.is_made_anew && same_definition && !job.load->is_full)
    survey.delta = job.load->since(job.ledger->snapshot_id);
  return survey;
}

void Loader::LoadTable(Job& job) {
  const Survey survey = SurveyTable(job);
  const Definition& table = *job.definition;
  job.outcome = {.model = job.load->spec.model, .kind = Kind::kLoaded};
  if (!survey.existing || survey.is_made_anew) return MakeTable(job, survey);
  if (survey.delta && table.spec().append_only) {
    job.outcome.rows_sent = connection_.Change(AppendSql(table, job.load->all_rows));
    return;
  }
  if (survey.delta) return SendDelta(job, *survey.delta);
  const Difference difference = CompareSql(table, job.load->all_rows);
  connection_.Execute(difference.create_sql);
  SendDelta(job, difference.delta);
}

void Loader::MakeTable(Job& job, const Survey& survey) {
  const Definition& table = *job.definition;
  const ExistingTable* existing = survey.existing ? &*survey.existing : nullptr;
  std::vector<ExistingColumn> kept;
  if (existing != nullptr) {
    const bool same_rows = !survey.is_replaced && existing->primary_key == table.spec().primary_key;
    if (same_rows) kept = Leftover(table, *existing);
    if (!kept.empty()) connection_.Execute(KeepLeftoverSql(table, kept));
    job.outcome.rows_deleted =
        same_rows ? connection_.QueryInt64(CountVanishedSql(table, job.load->all_rows)) : RowsIn(connection_, table);
  }
  connection_.Execute(CreateTableSql(table, existing, table.QualifiedName()));
  // Before the rows: an index made over rows of the same transaction looks for doubles at COMMIT, too late for one
  // table.
  if (existing != nullptr) RemakeIndexes(table, *existing);
  job.outcome.rows_sent = connection_.Change(FillSql(table, job.load->all_rows, kept));
}

void Loader::RemakeIndexes(const Definition& table, const ExistingTable& existing) {
  if (existing.indexes.empty()) return;
  const DefaultSchema schema(connection_, InFile(QuoteIdentifier(table.spec().schema)));
  for (const std::string& index : existing.indexes) connection_.Execute(index);
}

void Loader::SendDelta(Job& job, const Delta& delta) {
  const Definition& table = *job.definition;
  connection_.Execute(StageSql(table, delta.upserts));
  job.outcome.rows_sent = connection_.QueryInt64(CountStagedSql());
  if (job.outcome.rows_sent > 0) connection_.Execute(UpsertSql(table));
  if (!delta.deletes.empty()) job.outcome.rows_deleted = connection_.Change(DeleteSql(table, delta.deletes));
}

void Loader::AddToLedgers() {
  const std::string load_id = NewUuid();
  for (const Job& job : jobs_) {
    if (!job.is_pending) continue;
    Ledger& ledger = ledgers_.at(job.load->spec.schema);
    if (job.ledger && IsForeign(*job.ledger, *job.load)) ledger.Forget(job.load->spec.table);
    ledger.Add(load_id, *job.load, job.fingerprint);
  }
}

}  // namespace leat::warehouse::duckdb
