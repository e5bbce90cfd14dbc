#include "warehouse/duckdb/ledger.h"

#include <fmt/format.h>

#include <set>

#include "core/text.h"
#include "warehouse/duckdb/catalog.h"

namespace leat::warehouse::duckdb {
namespace {

constexpr char kLedgerTable[] = "_leat_loads";

constexpr char kLedgerColumns[] =
    "load_id UUID NOT NULL, project VARCHAR NOT NULL, table_name VARCHAR NOT NULL, commit_number BIGINT NOT NULL, "
    "epoch BIGINT NOT NULL, snapshot_id BIGINT NOT NULL, rows BIGINT NOT NULL, hash_sum VARCHAR NOT NULL, "
    "definition VARCHAR NOT NULL, lake_table VARCHAR NOT NULL, loaded_at TIMESTAMP WITH TIME ZONE NOT NULL, "
    "PRIMARY KEY (load_id, table_name)";

}  // namespace

Ledger::Ledger(duck::Connection& connection, std::string schema, std::string project)
    : connection_(connection),
      schema_(std::move(schema)),
      project_(std::move(project)),
      name_(InFile(QuoteIdentifier(schema_)) + "." + kLedgerTable) {}

std::map<std::string, LedgerRow> Ledger::Read() {
  const std::set<std::string> there = NamesIn(connection_, schema_);
  std::map<std::string, LedgerRow> newest;
  if (!there.contains(kLedgerTable)) return newest;
  // Rows are numbered as they come, which a clock that was set back is not.
  const auto rows = connection_.QueryRows(fmt::format(
      "SELECT table_name, commit_number, epoch, snapshot_id, definition, lake_table FROM {} WHERE project = {} "
      "QUALIFY row_number() OVER (PARTITION BY table_name ORDER BY commit_number DESC, rowid DESC) = 1",
      name_, QuoteLiteral(project_)));
  for (const auto& row : rows) {
    newest[row[0]] = {.commit_number = std::stoll(row[1]),
                      .epoch = std::stoll(row[2]),
                      .snapshot_id = std::stoll(row[3]),
                      .definition = row[4],
                      .lake_table = row[5],
                      .is_there = there.contains(ToLower(row[0]))};
  }
  return newest;
}

void Ledger::Create() {
  connection_.Execute("CREATE SCHEMA IF NOT EXISTS " + InFile(QuoteIdentifier(schema_)));
  connection_.Execute(fmt::format("CREATE TABLE IF NOT EXISTS {} ({})", name_, kLedgerColumns));
}

void Ledger::Forget(const std::string& table) {
  connection_.Execute(fmt::format("DELETE FROM {} WHERE project = {} AND table_name = {}", name_,
                                  QuoteLiteral(project_), QuoteLiteral(table)));
}

void Ledger::Add(const std::string& load_id, const TableLoad& load, const std::string& definition) {
  connection_.Execute(fmt::format(
      "INSERT INTO {} VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, now())", name_, QuoteLiteral(load_id),
      QuoteLiteral(project_), QuoteLiteral(load.spec.table), load.commit_number, load.epoch, load.snapshot_id,
      load.rows, QuoteLiteral(load.hash_sum), QuoteLiteral(definition), QuoteLiteral(load.lake_table)));
}

}  // namespace leat::warehouse::duckdb
