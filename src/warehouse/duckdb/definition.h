#pragma once

#include <string>
#include <vector>

#include "duck/database.h"
#include "warehouse/warehouse.h"

namespace leat::warehouse::duckdb {

/// A table as the file is to have it: the spec with every type resolved. Lives as long as its spec.
class Definition {
 public:
  /// Throws: Error(kConfig, LEAT0601) for a type that is none.
  Definition(duck::Connection& connection, const TableSpec& spec);

  const TableSpec& spec() const { return *spec_; }
  size_t column_count() const { return types_.size(); }
  const ColumnSpec& column(size_t index) const { return spec_->columns[index]; }
  const std::string& type(size_t column) const { return types_[column]; }
  bool has_key() const { return !spec_->primary_key.empty(); }
  bool IsKey(const std::string& column) const;
  /// Whether a column must hold a value: so declared, or part of the key.
  bool IsNotNull(size_t column) const;

  std::string Name() const { return spec_->schema + "." + spec_->table; }
  std::string QuotedName() const;     ///< `"main"."dim_staff"`
  std::string QualifiedName() const;  ///< the same inside the attached file
  std::vector<std::string> ColumnNames() const;
  /// The columns that hold values beside the key.
  std::vector<std::string> ValueNames() const;
  /// 32 hexadecimal digits that change when columns, their origin, types or keys do; the ledger keeps them. Foreign
  /// keys do not count, since the file has none.
  std::string Fingerprint() const;

 private:
  const TableSpec* spec_;
  std::vector<std::string> types_;
};

}  // namespace leat::warehouse::duckdb
