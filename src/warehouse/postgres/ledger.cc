#include "warehouse/postgres/ledger.h"

#include <fmt/format.h>

#include "core/text.h"

namespace leat::warehouse {
namespace {

/// A PostgreSQL array literal of texts.
std::string ArrayLiteral(const std::vector<std::string>& texts) {
  std::string literal = "{";
  for (const std::string& text : texts) {
    if (literal.size() > 1) literal += ',';
    literal += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') literal += '\\';
      literal += c;
    }
    literal += '"';
  }
  return literal + "}";
}

constexpr char kColumns[] =
    "load_id uuid NOT NULL,\n  project text NOT NULL,\n  table_name text NOT NULL,\n  commit_number bigint NOT NULL,\n"
    "  epoch bigint NOT NULL,\n  snapshot_id bigint NOT NULL,\n  rows bigint NOT NULL,\n  hash_sum text NOT NULL,\n"
    "  definition text NOT NULL,\n  lake_table text NOT NULL DEFAULT '',\n  loaded_at timestamp with time zone NOT "
    "NULL DEFAULT "
    "clock_timestamp(),\n"
    "  PRIMARY KEY (load_id, table_name)";

constexpr char kRowColumns[] = "commit_number, epoch, snapshot_id, definition, lake_table";

constexpr char kUndefinedTable[] = "42P01";
constexpr char kUndefinedColumn[] = "42703";

}  // namespace

Ledger::Ledger(postgres::Connection& connection, std::string schema, std::string project)
    : connection_(connection),
      schema_(std::move(schema)),
      project_(std::move(project)),
      name_(QuoteIdentifier(schema_) + ".\"_leat_loads\"") {}

std::string Ledger::NewestRowsSql(const char* columns, const char* lock) const {
  // One index descent per table, however long the ledger has grown.
  return fmt::format(
      "SELECT asked.name, to_regclass(format('%I.%I', $3::text, asked.name)) IS NOT NULL, newest.* "
      "FROM unnest($2::text[]) AS asked(name) CROSS JOIN LATERAL ("
      "SELECT {} FROM {} AS load WHERE load.project = $1 AND load.table_name = asked.name "
      "ORDER BY load.commit_number DESC, load.loaded_at DESC LIMIT 1 {}) AS newest",
      columns, name_, lock);
}

std::vector<std::optional<std::string>> Ledger::Parameters(const std::vector<std::string>& tables) const {
  return {project_, ArrayLiteral(tables), schema_};
}

std::map<std::string, LedgerRow> Ledger::Take(const postgres::Rows& rows) const {
  std::map<std::string, LedgerRow> newest;
  for (int i = 0; i < rows.size(); ++i) {
    newest[rows.Text(i, 0)] = {.commit_number = rows.Int64(i, 2),
                               .epoch = rows.Int64(i, 3),
                               .snapshot_id = rows.Int64(i, 4),
                               .definition = rows.Text(i, 5),
                               .lake_table = rows.Text(i, 6),
                               .is_there = rows.At(i, 1) == "t"};
  }
  return newest;
}

std::optional<std::map<std::string, LedgerRow>> Ledger::Read(const std::vector<std::string>& tables) {
  try {
    return Take(connection_.Query(NewestRowsSql(kRowColumns, ""), Parameters(tables)));
  } catch (const postgres::ServerError& error) {
    // A ledger of leat 0.1.0 lacks a column, which Create() adds.
    if (error.sqlstate() == kUndefinedTable || error.sqlstate() == kUndefinedColumn) return std::nullopt;
    throw;
  }
}

void Ledger::Create() {
  const auto exists = [&](const char* question, const std::string& name) {
    return connection_.Query(question, {name}).At(0, 0) == "t";
  };
  // Asked first: IF NOT EXISTS checks the right to create before it looks.
  if (!exists("SELECT to_regnamespace($1) IS NOT NULL", QuoteIdentifier(schema_))) {
    connection_.Execute("CREATE SCHEMA " + QuoteIdentifier(schema_));
  }
  if (exists("SELECT to_regclass($1) IS NOT NULL", name_)) return AddColumns();
  // Two projects may meet here for the first time; IF NOT EXISTS would let one of them fail.
  connection_.Query("SELECT pg_advisory_xact_lock(hashtext('_leat_loads'), hashtext($1))", {schema_});
  if (exists("SELECT to_regclass($1) IS NOT NULL", name_)) return;
  connection_.Execute(fmt::format("CREATE TABLE {} (\n  {}\n)", name_, kColumns));
  connection_.Execute(
      fmt::format("CREATE INDEX ON {} (project, table_name, commit_number DESC, loaded_at DESC)", name_));
}

void Ledger::AddColumns() {
  const auto found = connection_.Query(
      "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = 'lake_table' AND NOT attisdropped",
      {name_});
  if (found.size() == 0)
    connection_.Execute(
        fmt::format("ALTER TABLE {} ADD COLUMN IF NOT EXISTS lake_table text NOT NULL DEFAULT ''", name_));
}

std::map<std::string, LedgerRow> Ledger::Lock(const std::vector<std::string>& tables) {
  connection_.Query(NewestRowsSql("load_id", "FOR UPDATE"), Parameters(tables));
  // Read again: who was waited for has added newer rows.
  return Take(connection_.Query(NewestRowsSql(kRowColumns, ""), Parameters(tables)));
}

void Ledger::Add(const std::string& load_id, const TableLoad& load, const std::string& definition) {
  // The time of this statement, under the lock, tells which of two loads of one commit was the later; that of BEGIN,
  // the default in older ledgers, would not.
  connection_.Query(
      fmt::format("INSERT INTO {} (load_id, project, table_name, commit_number, epoch, snapshot_id, rows, "
                  "hash_sum, definition, lake_table, loaded_at) "
                  "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, clock_timestamp())",
                  name_),
      {load_id, project_, load.spec.table, std::to_string(load.commit_number), std::to_string(load.epoch),
       std::to_string(load.snapshot_id), std::to_string(load.rows), load.hash_sum, definition, load.lake_table});
}

void Ledger::Forget(const std::string& table) {
  connection_.Query(fmt::format("DELETE FROM {} WHERE project = $1 AND table_name = $2", name_), {project_, table});
}

bool Ledger::Holds(const std::string& load_id) {
  return connection_.Query(fmt::format("SELECT 1 FROM {} WHERE load_id = $1 LIMIT 1", name_), {load_id}).size() == 1;
}

}  // namespace leat::warehouse
