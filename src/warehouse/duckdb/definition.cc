#include "warehouse/duckdb/definition.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/hash.h"
#include "core/text.h"
#include "warehouse/duckdb/catalog.h"
#include "warehouse/duckdb/column_type.h"

namespace leat::warehouse::duckdb {

Definition::Definition(duck::Connection& connection, const TableSpec& spec) : spec_(&spec) {
  for (const ColumnSpec& column : spec.columns) types_.push_back(ResolveType(connection, column));
}

bool Definition::IsKey(const std::string& column) const {
  return std::ranges::find(spec_->primary_key, column) != spec_->primary_key.end();
}

bool Definition::IsNotNull(size_t column) const {
  return spec_->columns[column].not_null || IsKey(spec_->columns[column].name);
}

std::string Definition::QuotedName() const {
  return QuoteIdentifier(spec_->schema) + "." + QuoteIdentifier(spec_->table);
}

std::string Definition::QualifiedName() const { return InFile(QuotedName()); }

std::vector<std::string> Definition::ColumnNames() const {
  std::vector<std::string> names;
  for (const ColumnSpec& column : spec_->columns) names.push_back(column.name);
  return names;
}

std::vector<std::string> Definition::ValueNames() const {
  std::vector<std::string> names = ColumnNames();
  std::erase_if(names, [&](const std::string& name) { return IsKey(name); });
  return names;
}

std::string Definition::Fingerprint() const {
  std::string text = fmt::format("{}\n{}\n", spec_->append_only, QuoteList(spec_->primary_key));
  for (size_t i = 0; i < types_.size(); ++i) {
    text += fmt::format("{} {} {} {} {}\n", QuoteIdentifier(column(i).name), QuoteIdentifier(column(i).source),
                        column(i).duck_type, types_[i], column(i).not_null);
  }
  return HashOfText(text);
}

}  // namespace leat::warehouse::duckdb
