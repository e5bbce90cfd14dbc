#include "warehouse/postgres/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

#include "clients/postgres/copy_writer.h"
#include "core/ids.h"
#include "core/text.h"
#include "warehouse/postgres/catalog.h"
#include "warehouse/postgres/compare.h"
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
  for (Job& job : jobs_) {
    if (job.is_pending && !BlockByFailed(job)) Try(job, [&] { LoadTable(job); });
  }
  for (Job& job : jobs_ | std::views::reverse) {
    if (job.is_pending && !job.staged_keys.empty() && !Try(job, [&] { DeleteRows(job); })) return GiveUp();
  }
  for (Job& job : jobs_) {
    if (job.is_pending && !job.after.empty() && !Try(job, [&] { ExecuteAll(server_, job.after); })) return GiveUp();
  }
  for (const Job& job : jobs_) {
    if (job.is_pending) ledgers_.at(job.load->spec.schema).Add(load_id_, *job.load, job.fingerprint);
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
    job.staged_keys.clear();
    job.after.clear();
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

void Loader::LoadTable(Job& job) {
  job.outcome = {.model = job.load->spec.model, .kind = Kind::kLoaded};
  const Definition& table = *job.definition;
  const auto existing = Inspect(server_, table.spec().schema, table.spec().table);
  if (!existing) return CreateTable(job);
  if (!job.ledger || !existing->is_table) throw ForeignTable(table, *existing);
  const bool is_replaced = job.load->replaces(job.ledger->snapshot_id) || !table.has_key();
  const Alteration alteration = PlanAlteration(table, *existing, is_replaced ? OldRows::kReplaced : OldRows::kKept);
  if (!alteration.refusals.empty()) throw NotAlterable(table, alteration.refusals);
  job.after = alteration.after;
  if (is_replaced) return ReplaceRows(job, alteration);
  if (!IsEmpty(server_, table)) return MergeRows(job, *existing, alteration);
  ExecuteAll(server_, alteration.before);
  FillTable(job);
}

void Loader::CreateTable(Job& job) {
  const Definition& table = *job.definition;
  server_.Execute(CreateTableSql(table));
  FillTable(job);
  // An index built over all rows at once is cheaper than one kept up row by row; so is a foreign key checked by one
  // join.
  if (table.has_key()) server_.Execute(AddKeySql(table));
  for (const ForeignKey& key : table.spec().foreign_keys) server_.Execute(AddReferenceSql(table, key));
}

void Loader::ReplaceRows(Job& job, const Alteration& alteration) {
  // Not TRUNCATE: that would show readers with an older snapshot an empty table.
  job.outcome.rows_deleted = server_.Query("DELETE FROM " + job.definition->QuotedName()).affected();
  ExecuteAll(server_, alteration.before);
  FillTable(job);
}

void Loader::MergeRows(Job& job, const ExistingTable& existing, const Alteration& alteration) {
  const Definition& table = *job.definition;
  // A column that is new, or read from another one now, may differ in rows that no snapshot changed.
  const bool same_definition = job.ledger->definition == job.fingerprint;
  const auto delta = same_definition ? job.load->since(job.ledger->snapshot_id) : std::nullopt;
  if (!delta) {
    // Before the DDL, whose locks would keep the comparison's own connections out.
    const Comparison comparison(lake_, server_, table, existing, job.load->all_rows);
    ExecuteAll(server_, alteration.before);
    return SendDelta(job, comparison.delta().upserts, comparison.delta().deletes);
  }
  ExecuteAll(server_, alteration.before);
  if (table.spec().append_only) return AppendRows(job);
  SendDelta(job, RowsSql(table, delta->upserts), delta->deletes.empty() ? "" : KeysSql(table, delta->deletes));
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
  job.staged_keys = keys.name;
  job.staged_rows = rows.name;
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
  job.outcome.rows_deleted = server_.Query(DeleteKeysSql(*job.definition, job.staged_keys, job.staged_rows)).affected();
}

size_t Loader::OrdinalOf(const Job& job) const {
  return static_cast<size_t>(std::ranges::find(jobs_, &job, [](const Job& other) { return &other; }) - jobs_.begin());
}

}  // namespace leat::warehouse
