#include "warehouse/postgres/definition.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/hash.h"
#include "core/text.h"

namespace leat::warehouse {
namespace {

/// Depth-first, so that a table follows all that it references.
void Visit(size_t index, std::span<const TableSpec* const> specs, std::vector<bool>& seen, std::vector<size_t>& order) {
  if (seen[index]) return;
  seen[index] = true;
  for (const ForeignKey& key : specs[index]->foreign_keys) {
    for (size_t other = 0; other < specs.size(); ++other) {
      if (References(*specs[index], key, *specs[other])) Visit(other, specs, seen, order);
    }
  }
  order.push_back(index);
}

const std::string& SchemaOf(const TableSpec& spec, const ForeignKey& key) {
  return key.referenced_schema.empty() ? spec.schema : key.referenced_schema;
}

}  // namespace

Definition::Definition(const TableSpec& spec) : spec_(&spec) {
  for (const ColumnSpec& column : spec.columns) {
    types_.push_back(ResolveType(column, spec.append_only && IsKey(column.name)));
  }
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

std::vector<std::string> Definition::ColumnNames() const {
  std::vector<std::string> names;
  for (const ColumnSpec& column : spec_->columns) names.push_back(column.name);
  return names;
}

std::string Definition::Fingerprint() const {
  std::string text = fmt::format("{}\n{}\n", spec_->append_only, QuoteList(spec_->primary_key));
  for (size_t i = 0; i < types_.size(); ++i) {
    text += fmt::format("{} {} {} {} {}\n", QuoteIdentifier(column(i).name), QuoteIdentifier(column(i).source),
                        column(i).duck_type, types_[i].postgres, column(i).not_null);
  }
  for (const ForeignKey& key : spec_->foreign_keys) {
    text += fmt::format("{} {} {}\n", QuoteIdentifier(key.column), QuotedReference(*spec_, key), key.referenced_column);
  }
  return HashOfText(text);
}

std::string QuotedReference(const TableSpec& spec, const ForeignKey& key) {
  return QuoteIdentifier(SchemaOf(spec, key)) + "." + QuoteIdentifier(key.referenced_table);
}

bool References(const TableSpec& spec, const ForeignKey& key, const TableSpec& other) {
  return key.referenced_table == other.table && SchemaOf(spec, key) == other.schema;
}

std::vector<size_t> DependencyOrder(std::span<const TableSpec* const> specs) {
  std::vector<bool> seen(specs.size(), false);
  std::vector<size_t> order;
  for (size_t index = 0; index < specs.size(); ++index) Visit(index, specs, seen, order);
  return order;
}

}  // namespace leat::warehouse
