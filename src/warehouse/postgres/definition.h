#pragma once

#include <span>
#include <string>
#include <vector>

#include "warehouse/postgres/column_type.h"
#include "warehouse/warehouse.h"

namespace leat::warehouse {

/// A table as PostgreSQL is to have it: the spec with every type resolved. Lives as long as its spec.
class Definition {
 public:
  /// Throws: Error(kConfig, LEAT0601) for a type that is none.
  explicit Definition(const TableSpec& spec);

  const TableSpec& spec() const { return *spec_; }
  const ColumnType& type(size_t column) const { return types_[column]; }
  size_t column_count() const { return types_.size(); }
  const ColumnSpec& column(size_t index) const { return spec_->columns[index]; }
  bool IsKey(const std::string& column) const;
  bool has_key() const { return !spec_->primary_key.empty(); }
  /// Whether a column must hold a value: so declared, or part of the key.
  bool IsNotNull(size_t column) const;

  std::string QuotedName() const;  ///< `"public"."dim_staff"`
  std::string Name() const { return spec_->schema + "." + spec_->table; }
  std::vector<std::string> ColumnNames() const;
  /// 32 hexadecimal digits that change when columns, their origin, types or keys do; the ledger keeps them.
  std::string Fingerprint() const;

 private:
  const TableSpec* spec_;
  std::vector<ColumnType> types_;
};

/// Schema and quoted name of the table that `key` of `spec` points to.
std::string QuotedReference(const TableSpec& spec, const ForeignKey& key);
/// Whether `key` of `spec` points to `other`.
bool References(const TableSpec& spec, const ForeignKey& key, const TableSpec& other);

/// Indices of `specs` with every referenced table before those that reference it, otherwise as given. A table may
/// reference itself; a cycle of several, which projects are refused for, is cut somewhere.
std::vector<size_t> DependencyOrder(std::span<const TableSpec* const> specs);

}  // namespace leat::warehouse
