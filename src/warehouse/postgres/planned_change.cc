#include "warehouse/postgres/planned_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "core/text.h"
#include "warehouse/postgres/catalog.h"
#include "warehouse/postgres/ddl.h"
#include "warehouse/postgres/ledger.h"
#include "warehouse/postgres/table_fault.h"

namespace leat::warehouse {
namespace {

/// One table and what is found out about it.
struct Forecast {
  const TableLoad* load = nullptr;
  std::optional<Definition> definition;  ///< nothing: a type of the spec is none; the change says so
  std::optional<LedgerRow> ledger;
  PlannedChange change;

  const TableSpec& spec() const { return load->spec; }
};

std::deque<Forecast> MakeForecasts(const std::vector<TableLoad>& tables) {
  std::vector<const TableSpec*> specs;
  for (const TableLoad& table : tables) specs.push_back(&table.spec);
  std::deque<Forecast> forecasts;
  for (const size_t index : DependencyOrder(specs)) {
    Forecast& forecast = forecasts.emplace_back();
    forecast.load = &tables[index];
    forecast.change.model = forecast.spec().model;
    try {
      forecast.definition.emplace(forecast.spec());
    } catch (const Error& error) {
      forecast.change.diagnostic = error.diagnostic();
    }
  }
  return forecasts;
}

/// Before the transaction: where there is no ledger yet, the question itself is an error, which would end it.
void ReadLedgers(postgres::Connection& server, const std::string& project, std::deque<Forecast>& forecasts) {
  std::map<std::string, std::vector<std::string>> tables;
  for (const Forecast& forecast : forecasts) tables[forecast.spec().schema].push_back(forecast.spec().table);
  for (const auto& [schema, names] : tables) {
    std::optional<std::map<std::string, LedgerRow>> rows;
    try {
      rows = Ledger(server, schema, project).Read(names);
    } catch (const postgres::ServerError& error) {
      throw SchemaFault(server, schema, error);
    }
    for (Forecast& forecast : forecasts) {
      if (!rows || forecast.spec().schema != schema) continue;
      const auto row = rows->find(forecast.spec().table);
      if (row != rows->end()) forecast.ledger = row->second;
    }
  }
}

std::vector<std::string> CreateSql(const Definition& table) {
  std::vector<std::string> statements = {CreateTableSql(table)};
  if (table.has_key()) statements.push_back(AddKeySql(table));
  const std::vector<std::string> references = AddReferencesSql(table);
  statements.insert(statements.end(), references.begin(), references.end());
  return statements;
}

std::vector<std::string> AlterSql(const Forecast& forecast, const ExistingTable& existing) {
  const Definition& table = *forecast.definition;
  const bool is_replaced = forecast.load->replaces(forecast.ledger->snapshot_id) || !table.has_key();
  Alteration alteration = PlanAlteration(table, existing, is_replaced ? OldRows::kReplaced : OldRows::kKept);
  if (!alteration.refusals.empty()) throw NotAlterable(table, alteration.refusals);
  std::vector<std::string> statements = std::move(alteration.before);
  statements.insert(statements.end(), alteration.after.begin(), alteration.after.end());
  return statements;
}

void RefuseWithoutRights(postgres::Connection& server, const Definition& table) {
  const std::vector<std::string> grants = MissingGrants(server, table.spec().schema, table.spec().table);
  if (grants.empty()) return;
  Diagnostic told{.code = "LEAT0603",
                  .message = fmt::format("warehouse table {}: the role {} lacks rights to load it", table.Name(),
                                         server.options().user),
                  .place = table.spec().place,
                  .help = grants};
  throw Error(kConfig, std::move(told));
}

void Foresee(postgres::Connection& server, Forecast& forecast) {
  const Definition& table = *forecast.definition;
  const auto existing = Inspect(server, table.spec().schema, table.spec().table);
  if (forecast.ledger) CheckNotAhead(*forecast.ledger, *forecast.load);
  forecast.change.is_new = !existing;
  forecast.change.is_behind = existing && forecast.ledger && IsBehind(*forecast.ledger, *forecast.load);
  forecast.change.is_pending = forecast.change.is_new || forecast.change.is_behind || !forecast.ledger ||
                               forecast.ledger->definition != table.Fingerprint();
  try {
    if (existing && (!forecast.ledger || !existing->is_table)) throw ForeignTable(table, *existing);
    forecast.change.statements = existing ? AlterSql(forecast, *existing) : CreateSql(table);
    if (!forecast.change.statements.empty()) RefuseWithoutRights(server, table);
  } catch (const Error& error) {
    if (!ConcernsOneTable(error)) throw;
    forecast.change.statements.clear();
    forecast.change.diagnostic = error.diagnostic();
  }
}

/// A schema that is not there yet is made with the first table that goes into it.
void AddSchemas(postgres::Connection& server, std::deque<Forecast>& forecasts) {
  std::set<std::string> seen;
  for (Forecast& forecast : forecasts) {
    const std::string& schema = forecast.spec().schema;
    if (forecast.change.statements.empty() || !seen.insert(schema).second) continue;
    const auto found = server.Query("SELECT to_regnamespace($1) IS NOT NULL", {QuoteIdentifier(schema)});
    if (found.At(0, 0) == "t") continue;
    auto& statements = forecast.change.statements;
    statements.insert(statements.begin(), "CREATE SCHEMA " + QuoteIdentifier(schema));
  }
}

void BlockReferrers(std::deque<Forecast>& forecasts) {
  for (Forecast& forecast : forecasts) {
    std::set<std::string> failed;
    for (const ForeignKey& key : forecast.spec().foreign_keys)
      for (const Forecast& other : forecasts)
        if (&other != &forecast && other.change.diagnostic && References(forecast.spec(), key, other.spec()))
          failed.insert(other.spec().model);
    if (failed.empty() || forecast.change.diagnostic) continue;
    forecast.change.statements.clear();
    forecast.change.diagnostic = Blocked(forecast.spec(), {failed.begin(), failed.end()});
  }
}

}  // namespace

std::vector<PlannedChange> PlanChangesIn(postgres::Connection& server, const std::string& project,
                                         const std::vector<TableLoad>& tables) {
  std::deque<Forecast> forecasts = MakeForecasts(tables);
  ReadLedgers(server, project, forecasts);
  server.Execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  for (Forecast& forecast : forecasts)
    if (forecast.definition) Foresee(server, forecast);
  AddSchemas(server, forecasts);
  server.Execute("ROLLBACK");
  BlockReferrers(forecasts);
  std::vector<PlannedChange> changes;
  for (Forecast& forecast : forecasts)
    if (!forecast.change.statements.empty() || forecast.change.is_behind || forecast.change.diagnostic)
      changes.push_back(std::move(forecast.change));
  return changes;
}

}  // namespace leat::warehouse
