#include "warehouse/duckdb/table_fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "core/text.h"
#include "duck/database.h"
#include "warehouse/advice.h"

namespace leat::warehouse::duckdb {
namespace {

/// Types of faults that DuckDB finds in rows, and those that it finds in a statement about a table.
constexpr std::string_view kRowFaults[] = {"Constraint", "Conversion", "Out of Range", "Invalid Input"};
constexpr std::string_view kTableFaults[] = {"Binder", "Catalog", "Dependency", "Not implemented"};

template <size_t n>
bool IsOneOf(const std::string_view (&types)[n], const std::string& type) {
  return std::ranges::find(types, type) != std::end(types);
}

/// The column that DuckDB names (`dim_staff.pay`, `"pay: 5"`); nullptr: none.
const ColumnSpec* NamedColumn(const Definition& table, const std::string& message) {
  const auto& columns = table.spec().columns;
  const auto found = std::ranges::find_if(columns, [&](const ColumnSpec& column) {
    return message.find(fmt::format("{}.{}", table.spec().table, column.name)) != std::string::npos ||
           message.find(fmt::format("\"{}: ", column.name)) != std::string::npos;
  });
  return found == columns.end() ? nullptr : &*found;
}

}  // namespace

bool ConcernsOneTable(const Error& error) {
  if (const auto* query = dynamic_cast<const duck::QueryError*>(&error))
    return IsOneOf(kRowFaults, query->fault().type) || IsOneOf(kTableFaults, query->fault().type);
  return error.kind() == kData || error.code() == "LEAT0602" || error.code() == "LEAT0607";
}

Diagnostic DescribeFault(const Definition& table, const Error& error) {
  Diagnostic told = error.diagnostic();
  if (const auto* query = dynamic_cast<const duck::QueryError*>(&error)) {
    const bool is_of_rows = IsOneOf(kRowFaults, query->fault().type);
    told.code = is_of_rows ? "LEAT0605" : "LEAT0607";
    told.message =
        fmt::format("warehouse table {}{}: {}", table.Name(), is_of_rows ? " refused its rows" : "", error.message());
    const ColumnSpec* column = NamedColumn(table, error.message());
    if (column != nullptr) told.place = column->place;
    if (is_of_rows && query->fault().type != "Constraint") told.help = {AdviceOnValues(table.spec(), column)};
  }
  if (!told.place.known()) told.place = table.spec().place;
  return told;
}

Error ForeignTable(const Definition& table, const ExistingTable& existing) {
  return MadeByOthers(table.spec(), existing.is_table,
                      existing.is_table ? Differences(table, existing) : std::vector<std::string>(),
                      fmt::format("ALTER {} {} RENAME TO {};", existing.is_table ? "TABLE" : "VIEW", table.QuotedName(),
                                  QuoteIdentifier(table.spec().table + "_old")));
}

Error NotAlterable(const Definition& table, const std::vector<std::string>& refusals) {
  return warehouse::NotAlterable(table.spec(), table.QuotedName(), refusals);
}

}  // namespace leat::warehouse::duckdb
