#include "warehouse/postgres/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

#include "clients/postgres/copy_writer.h"
#include "core/fail_point.h"
#include "core/ids.h"
#include "core/text.h"
#include "warehouse/postgres/catalog.h"
#include "warehouse/postgres/table_fault.h"

namespace leat::warehouse {
namespace {

using Kind = LoadOutcome::Kind;

bool IsEmpty(postgres::Connection& server, const Definition& table) {
  return server.Query(fmt::format("SELECT 1 FROM {} LIMIT 1", table.QuotedName())).size() == 0;
}

/// The model behind a table that a foreign key names, for messages.
std::vector<std::string> FailedReferences(const Job& job, const std::deque<Job>& jobs) {
  std::vector<std::string> failed;
  for (const ForeignKey& key : job.load->spec.foreign_keys) {
    for (const Job& other : jobs) {
      if (&other == &job || other.outcome.kind != Kind::kFailed || !References(job.load->spec, key, other.load->spec))
        continue;
      if (std::ranges::find(failed, other.outcome.model) == failed.end()) failed.push_back(other.outcome.model);
    }
  }
  return failed;
}

void Fail(Job& job, Diagnostic diagnostic) {
  job.is_pending = false;
  job.outcome = {.model = job.load->spec.model, .kind = Kind::kFailed, .diagnostic = std::move(diagnostic)};
}

void ExecuteAll(postgres::Connection& server, const std::vector<std::string>& statements) {
  for (const std::string& statement : statements) server.Execute(statement);
}

}  // namespace

Loader::Loader(postgres::Connection& server, duck::Connection& lake, const std::string& project, std::deque<Job>& jobs)
    : server_(server), lake_(lake), project_(project), jobs_(jobs), load_id_(NewUuid()) {
  for (const Job& job : jobs) {
    const std::string& schema = job.load->spec.schema;
    if (job.is_pending) ledgers_.try_emplace(schema, server, schema, project);
  }
}

bool Loader::Prepare() {
  server_.Execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL statement_timeout = 0");
  for (auto& [schema, ledger] : ledgers_) PrepareLedger(schema, ledger);
  FailPoint("warehouse.ledger.after_lock");
  // All before the first DDL, whose locks would keep the connections out by which tables are compared.
  for (Job& job : jobs_) {
    if (job.is_pending && !BlockByFailed(job)) Try(job, [&] { Survey(job); });
  }
  for (Job& job : jobs_) {
    if (job.is_pending && !BlockByFailed(job)) Try(job, [&] { LoadTable(job); });
  }
  for (Job& job : jobs_ | std::views::reverse) {
    if (job.is_pending && !job.attempt.staged_keys.empty() && !Try(job, [&] { DeleteRows(job); })) return GiveUp();
  }
  for (Job& job : jobs_) {
    const auto statements = job.is_pending ? LastStatements(job) : std::vector<std::string>();
    if (!statements.empty() && !Try(job, [&] { ExecuteAll(server_, statements); })) return GiveUp();
  }
  FailPoint("warehouse.ledger.before_rows");
  for (const Job& job : jobs_) {
    if (!job.is_pending) continue;
    Ledger& ledger = ledgers_.at(job.load->spec.schema);
    if (job.ledger && IsForeign(*job.ledger, *job.load)) ledger.Forget(job.load->spec.table);
    ledger.Add(load_id_, *job.load, job.fingerprint);
  }
  return true;
}

bool Loader::IsInLedger(postgres::Connection& server) const {
  return !ledgers_.empty() && Ledger(server, ledgers_.begin()->first, project_).Holds(load_id_);
}

bool Loader::GiveUp() {
  server_.Execute("ROLLBACK");
  for (Job& job : jobs_) {
    if (job.is_pending) job.outcome = {.model = job.load->spec.model};
    job.attempt = {};
  }
  return false;
}

void Loader::PrepareLedger(const std::string& schema, Ledger& ledger) {
  std::vector<std::string> tables;
  for (const Job& job : jobs_) {
    if (job.is_pending && job.load->spec.schema == schema) tables.push_back(job.load->spec.table);
  }
  server_.Execute("SAVEPOINT leat_ledger");
  std::map<std::string, LedgerRow> newest;
  try {
    ledger.Create();
    newest = ledger.Lock(tables);
  } catch (const postgres::ServerError& error) {
    server_.Execute("ROLLBACK TO SAVEPOINT leat_ledger");
    throw SchemaFault(server_, schema, error);
  }
  for (Job& job : jobs_) {
    if (!job.is_pending || job.load->spec.schema != schema) continue;
    const auto row = newest.find(job.load->spec.table);
    job.ledger = row == newest.end() ? std::nullopt : std::optional(row->second);
    if (job.ledger) CheckNotAhead(*job.ledger, *job.load);
  }
}

bool Loader::BlockByFailed(Job& job) {
  const std::vector<std::string> failed = FailedReferences(job, jobs_);
  if (failed.empty()) return false;
  Fail(job, Blocked(job.load->spec, failed));
  return true;
}

template <typename Work>
bool Loader::Try(Job& job, Work work) {
  server_.Execute("SAVEPOINT leat_table");
  try {
    work();
  } catch (const Error& error) {
    // A lost server, a full disk and our own faults are not the table's.
    if (!ConcernsOneTable(error)) throw;
    server_.Execute("ROLLBACK TO SAVEPOINT leat_table");
    Fail(job, DescribeFault(server_, *job.definition, error));
    return false;
  }
  server_.Execute("RELEASE SAVEPOINT leat_table");
  return true;
}

void Loader::Survey(Job& job) {
  const Definition& table = *job.definition;
  Attempt& attempt = job.attempt;
  attempt.existing = Inspect(server_, table.spec().schema, table.spec().table);
  if (!attempt.existing) return;
  if (!job.ledger || !attempt.existing->is_table) throw ForeignTable(table, *attempt.existing);
  attempt.is_replaced = job.load->replaces(job.ledger->snapshot_id) || !table.has_key();
  attempt.alteration =
      PlanAlteration(table, *attempt.existing, attempt.is_replaced ? OldRows::kReplaced : OldRows::kKept);
  if (!attempt.alteration.refusals.empty()) throw NotAlterable(table, attempt.alteration.refusals);
  attempt.existing->is_empty = IsEmpty(server_, table);
  if (attempt.is_replaced || attempt.existing->is_empty) return;
  // A column that is new, or read from another one now, may differ in rows that no snapshot changed.
  const bool same_definition = job.ledger->definition == job.fingerprint;
  if (same_definition && !job.load->is_full) attempt.delta = job.load->since(job.ledger->snapshot_id);
  if (attempt.delta) return;
  attempt.comparison =
      std::make_unique<Comparison>(lake_, server_, table, OrdinalOf(job), *attempt.existing, job.load->all_rows);
}

void Loader::LoadTable(Job& job) {
  job.outcome = {.model = job.load->spec.model, .kind = Kind::kLoaded};
  if (!job.attempt.existing) return CreateTable(job);
  if (job.attempt.is_replaced) return ReplaceRows(job);
  ExecuteAll(server_, job.attempt.alteration.before);
  if (job.attempt.existing->is_empty) return FillTable(job);
  MergeRows(job);
}

void Loader::CreateTable(Job& job) {
  const Definition& table = *job.definition;
  server_.Execute(CreateTableSql(table));
  FillTable(job);
  // An index built over all rows at once is cheaper than one kept up row by row; so is a foreign key checked by one
  // join.
  if (table.has_key()) server_.Execute(AddKeySql(table));
  ExecuteAll(server_, AddReferencesSql(table));
}

void Loader::ReplaceRows(Job& job) {
  DropReferrers(job);
  // Not TRUNCATE: that would show readers with an older snapshot an empty table.
  job.outcome.rows_deleted = server_.Query("DELETE FROM " + job.definition->QuotedName()).affected();
  ExecuteAll(server_, job.attempt.alteration.before);
  FillTable(job);
}

void Loader::DropReferrers(Job& job) {
  // Between the DELETE and the new rows nothing has what it refers to, and a key that changes is held by them.
  const TableSpec& spec = job.load->spec;
  for (Referrer& key : Referrers(server_, spec.schema, spec.table)) {
    const auto ledger = ledgers_.find(key.schema);
    if (!IsOurReference(key.name) || ledger == ledgers_.end()) continue;
    const auto made_here = ledger->second.Read({key.table});
    if (!made_here || made_here->empty()) continue;
    server_.Execute(DropSql(key));
    job.attempt.referrers.push_back(std::move(key));
  }
}

bool Loader::IsWanted(const Referrer& key) const {
  for (const Job& job : jobs_) {
    const TableSpec& spec = job.load->spec;
    // One that failed keeps its rows and its old shape, keys included.
    const bool is_it = spec.schema == key.schema && spec.table == key.table;
    if (is_it && job.outcome.kind != Kind::kFailed) return Wants(spec, key);
  }
  return true;
}

std::vector<std::string> Loader::LastStatements(const Job& job) const {
  std::vector<std::string> statements = job.attempt.alteration.after;
  for (const Referrer& key : job.attempt.referrers) {
    if (IsWanted(key)) statements.push_back(RemakeSql(key));
  }
  return statements;
}

void Loader::MergeRows(Job& job) {
  const Definition& table = *job.definition;
  if (const auto comparison = std::move(job.attempt.comparison)) {
    return SendDelta(job, comparison->delta().upserts, comparison->delta().deletes);
  }
  if (table.spec().append_only) return AppendRows(job);
  const Delta& delta = *job.attempt.delta;
  SendDelta(job, RowsSql(table, delta.upserts), delta.deletes.empty() ? "" : KeysSql(table, delta.deletes));
}

void Loader::SendDelta(Job& job, const std::string& upserts, const std::string& deletes) {
  const Definition& table = *job.definition;
  const Staging rows = StageRows(table, OrdinalOf(job));
  server_.Execute(rows.create_sql);
  job.outcome.rows_sent = Copy(table, upserts, rows.name, table.ColumnNames());
  if (job.outcome.rows_sent > 0) server_.Execute(UpsertSql(table, rows.name));
  if (deletes.empty()) return;
  const Staging keys = StageKeys(table, OrdinalOf(job));
  server_.Execute(keys.create_sql);
  if (Copy(table, deletes, keys.name, table.spec().primary_key) == 0) return;
  job.attempt.staged_keys = keys.name;
  job.attempt.staged_rows = rows.name;
}

void Loader::AppendRows(Job& job) {
  const Definition& table = *job.definition;
  const std::string id = QuoteIdentifier(table.spec().primary_key.front());
  const auto loaded = server_.Query(fmt::format("SELECT max({}) FROM {}", id, table.QuotedName()));
  job.outcome.rows_sent = Copy(table, RowsSql(table, RowsAboveSql(table, job.load->all_rows, loaded.Text(0, 0))),
                               table.QuotedName(), table.ColumnNames());
}

void Loader::FillTable(Job& job) {
  const Definition& table = *job.definition;
  job.outcome.rows_sent = Copy(table, RowsSql(table, job.load->all_rows), table.QuotedName(), table.ColumnNames());
}

int64_t Loader::Copy(const Definition& table, const std::string& sql, const std::string& target,
                     const std::vector<std::string>& columns) {
  std::vector<duck::Column> source;
  for (size_t i = 0; i < table.column_count(); ++i) source.push_back({table.column(i).name, table.type(i).duck});
  std::vector<duck::Column> sent;
  for (const std::string& column : columns) sent.push_back(*std::ranges::find(source, column, &duck::Column::name));
  const postgres::CopyPlan plan(sent,
                                postgres::DescribeTarget(server_, table.spec().schema, table.spec().table, columns));
  const auto rows = lake_.Stream(fmt::format("SELECT {} FROM ({})", plan.select_list(), sql));
  return postgres::CopyRows(server_, target, plan, *rows);
}

void Loader::DeleteRows(Job& job) {
  const std::string sql = DeleteKeysSql(*job.definition, job.attempt.staged_keys, job.attempt.staged_rows);
  job.outcome.rows_deleted = server_.Query(sql).affected();
}

size_t Loader::OrdinalOf(const Job& job) const {
  return static_cast<size_t>(std::ranges::find(jobs_, &job, [](const Job& other) { return &other; }) - jobs_.begin());
}

}  // namespace leat::warehouse
