#include "warehouse/postgres/table_fault.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "warehouse/advice.h"
#include "warehouse/postgres/catalog.h"

namespace leat::warehouse {
namespace {

constexpr std::string_view kInsufficientPrivilege = "42501";
constexpr std::string_view kLockNotAvailable = "55P03";

/// The server's own words, without the name of the connection in front.
std::string ServerText(postgres::Connection& connection, const Error& error) {
  const std::string prefix = fmt::format("connection \"{}\": ", connection.options().name);
  const std::string& text = error.message();
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

/// Whether `text` speaks of a column: `column "a"`, `column a: …`, `Key (a)=(1)`.
bool Names(std::string_view text, const std::string& column) {
  for (const std::string& form : {fmt::format("\"{}\"", column), fmt::format("({})=", column)}) {
    if (text.find(form) != std::string_view::npos) return true;
  }
  const std::string bare = fmt::format("column {}", column);
  const size_t at = text.find(bare);
  if (at == std::string_view::npos) return false;
  const char next = at + bare.size() < text.size() ? text[at + bare.size()] : '\0';
  return std::string_view("\0 ,:.;\n", 7).find(next) != std::string_view::npos;
}

/// The column that the server speaks of; nullptr: none.
const ColumnSpec* ColumnOf(const Definition& table, const Diagnostic& told) {
  std::string text = told.message;
  for (const std::string& note : told.notes) text += "\n" + note;
  const auto& columns = table.spec().columns;
  const auto found = std::ranges::find_if(columns, [&](const ColumnSpec& column) { return Names(text, column.name); });
  return found == columns.end() ? nullptr : &*found;
}

/// The setting of that column, else the table's place.
Place PlaceOf(const Definition& table, const Diagnostic& told) {
  const ColumnSpec* column = ColumnOf(table, told);
  return column != nullptr && column->place.known() ? column->place : table.spec().place;
}

bool IsAbout(std::string_view sqlstate, std::initializer_list<std::string_view> prefixes) {
  return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return sqlstate.starts_with(prefix); });
}

Diagnostic DescribeRefusal(postgres::Connection& connection, const Definition& table,
                           const postgres::ServerError& error) {
  Diagnostic told = error.diagnostic();
  const std::string text = ServerText(connection, error);
  if (error.sqlstate() == kInsufficientPrivilege) {
    told.code = "LEAT0603";
    told.message = fmt::format("warehouse table {}: {}", table.Name(), text);
    const auto grants = MissingGrants(connection, table.spec().schema, table.spec().table);
    if (!grants.empty()) told.help = grants;
  } else if (IsAbout(error.sqlstate(), {"22", "23"})) {
    told.code = "LEAT0605";
    told.message = fmt::format("warehouse table {} refused its rows: {}", table.Name(), text);
    // Class 23 are constraints, which no type mends.
    if (error.sqlstate().starts_with("22")) told.help = {AdviceOnValues(table.spec(), ColumnOf(table, told))};
  } else if (error.sqlstate() == kLockNotAvailable) {
    told.code = "LEAT0607";
    told.message = fmt::format("warehouse table {} is locked by another session: {}", table.Name(), text);
  } else {
    told.code = "LEAT0607";
    told.message = fmt::format("warehouse table {}: {}", table.Name(), text);
  }
  told.place = PlaceOf(table, told);
  return told;
}

}  // namespace

bool ConcernsOneTable(const Error& error) {
  if (const auto* server = dynamic_cast<const postgres::ServerError*>(&error)) {
    // A full disk, a shutdown, a deadlock or a read-only server would meet every table.
    return server->sqlstate() != "25006" && !IsAbout(server->sqlstate(), {"08", "25", "40", "53", "57", "58", "XX"});
  }
  if (const auto* query = dynamic_cast<const duck::QueryError*>(&error)) {
    const std::string& type = query->fault().type;
    return type == "Conversion" || type == "Out of Range" || type == "Invalid Input";
  }
  return error.kind() == kData || error.code().starts_with("LEAT06");
}

Diagnostic DescribeFault(postgres::Connection& connection, const Definition& table, const Error& error) {
  if (const auto* server = dynamic_cast<const postgres::ServerError*>(&error)) {
    return DescribeRefusal(connection, table, *server);
  }
  Diagnostic told = error.diagnostic();
  if (!told.code.starts_with("LEAT06")) {
    told.code = "LEAT0605";
    told.message =
        fmt::format("rows of {} do not fit warehouse table {}: {}", table.spec().model, table.Name(), error.message());
    if (told.help.empty()) told.help = {AdviceOnValues(table.spec(), ColumnOf(table, told))};
  }
  if (!told.place.known()) told.place = PlaceOf(table, told);
  return told;
}

Error SchemaFault(postgres::Connection& connection, const std::string& schema, const postgres::ServerError& error) {
  Diagnostic told = error.diagnostic();
  told.place = connection.options().place;
  if (error.sqlstate() == kLockNotAvailable) {
    told.code = "LEAT0606";
    told.message = fmt::format("another load into warehouse schema {} is under way", schema);
    told.help = {"run again when it has ended"};
    return Error(kConflict, std::move(told));
  }
  if (error.sqlstate() != kInsufficientPrivilege) return error;
  told.code = "LEAT0603";
  told.message = fmt::format("warehouse schema {}: {}", schema, ServerText(connection, error));
  told.help = MissingGrants(connection, schema, "_leat_loads");
  return Error(kConfig, std::move(told));
}

Error ForeignTable(const Definition& table, const ExistingTable& existing) {
  return MadeByOthers(table.spec(), existing.is_table,
                      existing.is_table ? Differences(table, existing) : std::vector<std::string>(),
                      fmt::format("ALTER TABLE {} RENAME TO {};  (or DROP TABLE)", table.QuotedName(),
                                  QuoteIdentifier(table.spec().table + "_old")));
}

Error NotAlterable(const Definition& table, const std::vector<std::string>& refusals) {
  return warehouse::NotAlterable(table.spec(), table.QuotedName(), refusals);
}

Diagnostic Blocked(const TableSpec& table, const std::vector<std::string>& failed) {
  Diagnostic told;
  told.code = "LEAT0608";
  told.place = table.place;
  told.message = fmt::format("not loaded: references {}", Join(failed, ", "));
  told.notes = {"a table is loaded only with those that its foreign keys name"};
  return told;
}

}  // namespace leat::warehouse
