#include "warehouse/duckdb/duckdb_warehouse.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "core/file_system.h"
#include "core/text.h"
#include "warehouse/duckdb/catalog.h"
#include "warehouse/duckdb/loader.h"
#include "warehouse/duckdb/table_fault.h"

namespace leat::warehouse::duckdb {
namespace {

class DuckdbWarehouse : public Warehouse {
 public:
  explicit DuckdbWarehouse(File file) : file_(std::move(file)) {}

  void Probe() override;
  Identity Identify(const std::string& schema) override {
    return {.address = file_.path, .database = file_.path, .schema = schema};
  }
  std::vector<PlannedChange> PlanChanges(const std::string& project, const std::vector<TableLoad>& tables) override;
  std::vector<LoadOutcome> Load(duck::Connection& lake, const std::string& project,
                                const std::vector<TableLoad>& tables) override;

 private:
  void MarkLoaded(duck::Connection& lake, const std::string& project, std::deque<Job>& jobs);
  void LoadPending(duck::Connection& lake, const std::string& project, std::deque<Job>& jobs);
  void RequireAccess(const std::string& path, int mode) const;
  Error WriteFault(const duck::QueryError& error) const;

  File file_;
};

/// A DuckDB that only looks at the file.
duck::Settings LookSettings(const File& file) { return {.threads = 1, .cancel = file.cancel}; }

/// A spec that cannot be a table has failed at once.
std::deque<Job> MakeFileJobs(duck::Connection& lake, const std::vector<TableLoad>& tables) {
  std::deque<Job> jobs;
  for (const TableLoad& table : tables) {
    Job& job = jobs.emplace_back();
    job.load = &table;
    job.outcome.model = table.spec.model;
    try {
      job.definition.emplace(lake, table.spec);
      job.fingerprint = job.definition->Fingerprint();
      job.is_pending = true;
    } catch (const Error& error) {
      job.outcome.kind = LoadOutcome::Kind::kFailed;
      job.outcome.diagnostic = error.diagnostic();
    }
  }
  return jobs;
}

bool HasPending(const std::deque<Job>& jobs) { return std::ranges::any_of(jobs, &Job::is_pending); }

/// Whether the table needs nothing.
bool IsLoaded(const Job& job, const std::map<std::string, LedgerRow>& ledger) {
  const auto row = ledger.find(job.load->spec.table);
  return !job.load->is_full && row != ledger.end() && row->second.is_there && !IsForeign(row->second, *job.load) &&
         row->second.snapshot_id == job.load->snapshot_id && row->second.definition == job.fingerprint;
}

/// A schema that is not there yet is made with the first table that goes into it.
void AddFileSchemas(duck::Connection& connection, const std::vector<TableLoad>& tables, bool has_file,
                    std::vector<PlannedChange>& changes) {
  std::set<std::string> seen;
  for (PlannedChange& change : changes) {
    if (change.statements.empty()) continue;
    const std::string& schema =
        std::ranges::find(tables, change.model, [](const TableLoad& load) { return load.spec.model; })->spec.schema;
    const bool has_schema = has_file ? HasSchema(connection, schema) : schema == "main";
    if (has_schema || !seen.insert(ToLower(schema)).second) continue;
    change.statements.insert(change.statements.begin(), "CREATE SCHEMA IF NOT EXISTS " + QuoteIdentifier(schema));
  }
}

/// What the load of one table would do to its definition; `connection` has the file attached if there is one.
PlannedChange PlanTable(duck::Connection& connection, const std::string& project, const TableLoad& load,
                        const Definition& table, bool has_file) {
  PlannedChange change{.model = load.spec.model, .statements = {}, .diagnostic = {}};
  std::optional<ExistingTable> existing;
  if (has_file) existing = Inspect(connection, load.spec.schema, load.spec.table);
  if (!existing) {
    change.is_new = true;
    change.statements.push_back(CreateTableSql(table, nullptr, table.QuotedName()));
    return change;
  }
  const auto ledger = Ledger(connection, load.spec.schema, project).Read();
  const auto row = ledger.find(load.spec.table);
  if (row == ledger.end() || !existing->is_table) throw ForeignTable(table, *existing);
  CheckNotAhead(row->second, load);
  change.is_behind = IsBehind(row->second, load);
  change.is_pending = change.is_behind || row->second.definition != table.Fingerprint();
  const bool is_replaced = !table.has_key() || load.replaces(row->second.snapshot_id);
  const Alteration alteration = PlanAlteration(table, *existing, is_replaced ? OldRows::kReplaced : OldRows::kKept);
  if (!alteration.refusals.empty()) throw NotAlterable(table, alteration.refusals);
  if (alteration.is_needed) change.statements.push_back(CreateTableSql(table, &*existing, table.QuotedName()));
  return change;
}

void DuckdbWarehouse::Probe() {
  const std::string folder = ParentPath(file_.path);
  if (PathExists(file_.path)) {
    duck::Database database(LookSettings(file_));
    duck::Connection connection(database);
    const Attachment look(connection, file_, Attachment::Access::kRead);
    RequireAccess(file_.path, W_OK);
  }
  RequireAccess(folder, W_OK | X_OK);
}

/// Beside the file its log is written.
void DuckdbWarehouse::RequireAccess(const std::string& path, int mode) const {
  if (access(path.c_str(), mode) == 0) return;
  throw Error(kConfig, "LEAT0616", file_.place,
              fmt::format("warehouse file {} cannot be written: no right to write {}", file_.path, path))
      .Hint("check the path, and who may write there");
}

std::vector<PlannedChange> DuckdbWarehouse::PlanChanges(const std::string& project,
                                                        const std::vector<TableLoad>& tables) {
  duck::Database database(LookSettings(file_));
  duck::Connection connection(database);
  std::optional<Attachment> look;
  if (PathExists(file_.path)) look.emplace(connection, file_, Attachment::Access::kRead);
  std::vector<PlannedChange> changes;
  for (const TableLoad& load : tables) {
    try {
      PlannedChange change = PlanTable(connection, project, load, Definition(connection, load.spec), look.has_value());
      if (!change.statements.empty() || change.is_behind) changes.push_back(std::move(change));
    } catch (const Error& error) {
      if (error.kind() == kConflict) throw;
      changes.push_back({.model = load.spec.model, .statements = {}, .diagnostic = error.diagnostic()});
    }
  }
  AddFileSchemas(connection, tables, look.has_value(), changes);
  return changes;
}

std::vector<LoadOutcome> DuckdbWarehouse::Load(duck::Connection& lake, const std::string& project,
                                               const std::vector<TableLoad>& tables) {
  std::deque<Job> jobs = MakeFileJobs(lake, tables);
  if (PathExists(file_.path)) MarkLoaded(lake, project, jobs);
  // No Probe() here: to open the file for writing tells all that it would.
  if (HasPending(jobs)) {
    const bool is_new = !PathExists(file_.path);
    LoadPending(lake, project, jobs);
    if (is_new) SyncDirectory(ParentPath(file_.path));
  }
  std::vector<LoadOutcome> outcomes;
  for (Job& job : jobs) outcomes.push_back(std::move(job.outcome));
  return outcomes;
}

/// Look first, beside all who read the file: a run that changed nothing keeps nobody out.
void DuckdbWarehouse::MarkLoaded(duck::Connection& lake, const std::string& project, std::deque<Job>& jobs) {
  try {
    const Attachment look(lake, file_, Attachment::Access::kRead);
    std::map<std::string, std::map<std::string, LedgerRow>> ledgers;
    for (Job& job : jobs) {
      const std::string& schema = job.load->spec.schema;
      if (!ledgers.contains(schema)) ledgers[schema] = Ledger(lake, schema, project).Read();
      if (job.is_pending && IsLoaded(job, ledgers[schema])) job.is_pending = false;
    }
  } catch (const Error& error) {
    // A log that a killed process left may ask for a writer.
    if (error.code() != "LEAT0616") throw;
  }
}

void DuckdbWarehouse::LoadPending(duck::Connection& lake, const std::string& project, std::deque<Job>& jobs) {
  const Attachment file(lake, file_, Attachment::Access::kWrite);
  try {
    while (HasPending(jobs) && !Loader(lake, project, jobs).Run()) {
    }
  } catch (const duck::QueryError& error) {
    if (error.message().find(file_.path) == std::string::npos) throw;
    throw WriteFault(error);
  }
}

Error DuckdbWarehouse::WriteFault(const duck::QueryError& error) const {
  return Error(kInternal, "LEAT0617", file_.place,
               fmt::format("warehouse file {} cannot be written: {}", file_.path, error.message()))
      .Note("nothing was loaded: the file holds what it held before")
      .Hint("check that its disk is healthy and has free space");
}

}  // namespace

std::unique_ptr<Warehouse> OpenDuckdb(const File& file) { return std::make_unique<DuckdbWarehouse>(file); }

}  // namespace leat::warehouse::duckdb
