#include "warehouse/postgres/postgres_warehouse.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/fail_point.h"
#include "warehouse/postgres/commit.h"
#include "warehouse/postgres/loader.h"
#include "warehouse/postgres/planned_change.h"
#include "warehouse/postgres/table_fault.h"

namespace leat::warehouse {
namespace {

using Kind = LoadOutcome::Kind;

constexpr int kVersionMin = 120000;

class PostgresWarehouse : public Warehouse {
 public:
  PostgresWarehouse(const postgres::Options& options, const CancelFlag* cancel, TargetGuard guard)
      : options_(options), cancel_(cancel), guard_(std::move(guard)) {}

  void Probe() override;
  Identity Identify(const std::string& schema) override { return IdentityOf(Server(), schema); }
  std::vector<PlannedChange> PlanChanges(const std::string& project, const std::vector<TableLoad>& tables) override;
  std::vector<LoadOutcome> Load(duck::Connection& lake, const std::string& project,
                                const std::vector<TableLoad>& tables) override;

 private:
  postgres::Connection& Server();
  void MarkPending(const std::string& project, std::deque<Job>& jobs);
  void CheckTarget(const std::deque<Job>& jobs);
  void GuardSchemas(const std::set<std::string>& schemas);
  void LoadPending(duck::Connection& lake, const std::string& project, std::deque<Job>& jobs);
  void Commit(Loader& loader);
  void ResolveLostCommit(const Loader& loader, const std::string& transaction_id, const Error& lost);

  postgres::Options options_;
  const CancelFlag* cancel_;
  TargetGuard guard_;
  std::unique_ptr<postgres::Connection> server_;
};

/// Jobs in dependency order. A spec that cannot be a table has failed at once.
std::deque<Job> MakeJobs(const std::vector<TableLoad>& tables) {
  std::vector<const TableSpec*> specs;
  for (const TableLoad& table : tables) specs.push_back(&table.spec);
  std::deque<Job> jobs;
  for (const size_t index : DependencyOrder(specs)) {
    Job& job = jobs.emplace_back();
    job.load = &tables[index];
    job.outcome.model = tables[index].spec.model;
    try {
      job.definition.emplace(tables[index].spec);
      job.fingerprint = job.definition->Fingerprint();
    } catch (const Error& error) {
      job.outcome.kind = Kind::kFailed;
      job.outcome.diagnostic = error.diagnostic();
    }
  }
  return jobs;
}

/// Whether a foreign key of `spec` names one of `others`: DROP … CASCADE has taken it along, and it is to be made
/// again.
bool ReferencesAny(const TableSpec& spec, const std::vector<const TableSpec*>& others) {
  return std::ranges::any_of(spec.foreign_keys, [&](const ForeignKey& key) {
    return std::ranges::any_of(others, [&](const TableSpec* other) { return References(spec, key, *other); });
  });
}

/// Outcomes in the order of `tables`.
std::vector<LoadOutcome> Outcomes(const std::vector<TableLoad>& tables, std::deque<Job>& jobs) {
  std::vector<LoadOutcome> outcomes;
  for (const TableLoad& table : tables) {
    const auto job = std::ranges::find(jobs, &table, &Job::load);
    outcomes.push_back(std::move(job->outcome));
  }
  return outcomes;
}

void PostgresWarehouse::Probe() {
  postgres::Connection& server = Server();
  const auto answer = server.Query(
      "SELECT current_setting('server_version'), pg_is_in_recovery() OR "
      "current_setting('transaction_read_only')::bool, "
      "has_database_privilege(current_database(), 'TEMPORARY'), quote_ident(current_database()), "
      "quote_ident(current_user)");
  if (server.server_version() < kVersionMin) {
    throw Error(kConfig, "LEAT0610", options_.place,
                fmt::format("connection \"{}\" is PostgreSQL {}; a warehouse needs 12 or later", options_.name,
                            answer.At(0, 0)));
  }
  if (answer.At(0, 1) == "t") {
    throw Error(kConfig, "LEAT0610", options_.place,
                fmt::format("connection \"{}\" is read-only; a warehouse is written to", options_.name));
  }
  if (answer.At(0, 2) != "t") {
    throw Error(kConfig, "LEAT0603", options_.place,
                fmt::format("role {} may not make temporary tables in the warehouse", answer.At(0, 4)))
        .Hint(fmt::format("GRANT TEMPORARY ON DATABASE {} TO {};", answer.At(0, 3), answer.At(0, 4)));
  }
}

std::vector<PlannedChange> PostgresWarehouse::PlanChanges(const std::string& project,
                                                          const std::vector<TableLoad>& tables) {
  try {
    std::set<std::string> schemas;
    for (const TableLoad& table : tables) schemas.insert(table.spec.schema);
    GuardSchemas(schemas);
    return PlanChangesIn(Server(), project, tables);
  } catch (...) {
    server_.reset();
    throw;
  }
}

std::vector<LoadOutcome> PostgresWarehouse::Load(duck::Connection& lake, const std::string& project,
                                                 const std::vector<TableLoad>& tables) {
  std::deque<Job> jobs = MakeJobs(tables);
  try {
    MarkPending(project, jobs);
    if (std::ranges::any_of(jobs, &Job::is_pending)) CheckTarget(jobs);
    LoadPending(lake, project, jobs);
  } catch (...) {
    // Whatever state the session is in, closing it makes the server roll back.
    server_.reset();
    throw;
  }
  return Outcomes(tables, jobs);
}

postgres::Connection& PostgresWarehouse::Server() {
  if (server_ != nullptr && PQstatus(server_->handle()) != CONNECTION_OK) server_.reset();
  if (server_ == nullptr) server_ = std::make_unique<postgres::Connection>(options_, cancel_);
  return *server_;
}

void PostgresWarehouse::MarkPending(const std::string& project, std::deque<Job>& jobs) {
  std::map<std::string, std::vector<std::string>> tables;
  for (const Job& job : jobs) {
    if (job.definition) tables[job.load->spec.schema].push_back(job.load->spec.table);
  }
  std::map<std::string, std::optional<std::map<std::string, LedgerRow>>> ledgers;
  for (const auto& [schema, names] : tables) {
    try {
      ledgers[schema] = Ledger(Server(), schema, project).Read(names);
    } catch (const postgres::ServerError& error) {
      throw SchemaFault(Server(), schema, error);
    }
  }
  std::vector<const TableSpec*> dropped;
  for (Job& job : jobs) {
    if (!job.definition) continue;
    const auto& ledger = ledgers[job.load->spec.schema];
    const auto row = ledger ? ledger->find(job.load->spec.table) : std::map<std::string, LedgerRow>::const_iterator();
    const bool is_known = ledger && row != ledger->end();
    job.is_pending = job.load->is_full || !is_known || !row->second.is_there || IsForeign(row->second, *job.load) ||
                     row->second.snapshot_id != job.load->snapshot_id || row->second.definition != job.fingerprint;
    if (is_known && !row->second.is_there) dropped.push_back(&job.load->spec);
  }
  for (Job& job : jobs) {
    if (job.definition && ReferencesAny(job.load->spec, dropped)) job.is_pending = true;
  }
}

void PostgresWarehouse::CheckTarget(const std::deque<Job>& jobs) {
  Probe();
  std::set<std::string> schemas;
  for (const Job& job : jobs) {
    if (job.is_pending) schemas.insert(job.load->spec.schema);
  }
  GuardSchemas(schemas);
}

void PostgresWarehouse::GuardSchemas(const std::set<std::string>& schemas) {
  if (!guard_) return;
  for (const std::string& schema : schemas) guard_(Identify(schema));
}

void PostgresWarehouse::LoadPending(duck::Connection& lake, const std::string& project, std::deque<Job>& jobs) {
  while (std::ranges::any_of(jobs, &Job::is_pending)) {
    Loader loader(Server(), lake, project, jobs);
    if (!loader.Prepare()) continue;
    if (std::ranges::none_of(jobs, &Job::is_pending)) {
      Server().Execute("ROLLBACK");
      return;
    }
    return Commit(loader);
  }
}

void PostgresWarehouse::Commit(Loader& loader) {
  const std::string transaction_id = CurrentTransactionId(*server_);
  FailPoint("warehouse.load.before_commit");
  try {
    server_->Execute("COMMIT");
  } catch (const postgres::ServerError&) {
    throw;
  } catch (const Error& error) {
    if (error.kind() != kConnection) throw;
    ResolveLostCommit(loader, transaction_id, error);
  }
  FailPoint("warehouse.load.after_commit");
}

void PostgresWarehouse::ResolveLostCommit(const Loader& loader, const std::string& transaction_id, const Error& lost) {
  server_.reset();
  const CommitFate fate = AwaitFate(Server(), transaction_id);
  if (fate == CommitFate::kCommitted) return;
  if (fate == CommitFate::kForgotten && loader.IsInLedger(Server())) return;
  Diagnostic told = lost.diagnostic();
  told.notes.push_back("the warehouse rolled this load back: it holds what it held before");
  throw Error(kConnection, std::move(told));
}

}  // namespace

std::unique_ptr<Warehouse> OpenPostgres(const postgres::Options& options, const CancelFlag* cancel, TargetGuard guard) {
  return std::make_unique<PostgresWarehouse>(options, cancel, std::move(guard));
}

}  // namespace leat::warehouse
