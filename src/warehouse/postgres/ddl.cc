#include "warehouse/postgres/ddl.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>

#include "core/text.h"
#include "warehouse/advice.h"

namespace leat::warehouse {
namespace {

/// `("a", "b")`, or `none`.
std::string KeyText(const std::vector<std::string>& key) {
  return key.empty() ? "none" : fmt::format("({})", QuoteList(key));
}

std::string Alter(const Definition& table, std::string_view what) {
  return fmt::format("ALTER TABLE {} {}", table.QuotedName(), what);
}

constexpr std::string_view kReferencePrefix = "leat_fkey_";

bool IsReference(const ExistingTable::Reference& reference, const TableSpec& spec, const ForeignKey& key) {
  return reference.columns == std::vector{key.column} && reference.referenced == QuotedReference(spec, key) &&
         reference.referenced_columns == std::vector{key.referenced_column};
}

bool HasReference(const ExistingTable& existing, const TableSpec& spec, const ForeignKey& key) {
  return std::ranges::any_of(existing.references,
                             [&](const auto& reference) { return IsReference(reference, spec, key); });
}

std::string AddReferenceSql(const Definition& table, const ForeignKey& key) {
  return fmt::format("ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({})", table.QuotedName(),
                     QuoteIdentifier(ReferenceName(table.spec(), key)), QuoteIdentifier(key.column),
                     QuotedReference(table.spec(), key), QuoteIdentifier(key.referenced_column));
}

void AddColumn(const Definition& table, size_t index, Alteration& plan) {
  const std::string name = QuoteIdentifier(table.column(index).name);
  plan.before.push_back(Alter(table, fmt::format("ADD COLUMN {} {}", name, table.type(index).postgres)));
  // Old rows have no value yet; they get theirs with this load.
  if (table.IsNotNull(index)) plan.after.push_back(Alter(table, fmt::format("ALTER COLUMN {} SET NOT NULL", name)));
}

void ChangeType(const Definition& table, size_t index, const ExistingColumn& existing, OldRows rows, Alteration& plan) {
  const std::string& type = table.type(index).postgres;
  const std::string name = QuoteIdentifier(existing.name);
  if (IsWidening(existing.type, type)) {
    plan.before.push_back(Alter(table, fmt::format("ALTER COLUMN {} TYPE {}", name, type)));
  } else if (rows == OldRows::kReplaced) {
    plan.before.push_back(Alter(table, fmt::format("ALTER COLUMN {} TYPE {} USING NULL", name, type)));
  } else {
    plan.refusals.push_back(
        fmt::format("column \"{}\" is {}; {} is no wider type", existing.name, existing.type, type));
  }
}

void ChangeNotNull(const Definition& table, size_t index, const ExistingColumn& existing, Alteration& plan) {
  const std::string name = QuoteIdentifier(existing.name);
  const bool wanted = table.IsNotNull(index);
  if (wanted && !existing.not_null) {
    plan.after.push_back(Alter(table, fmt::format("ALTER COLUMN {} SET NOT NULL", name)));
  } else if (!wanted && existing.not_null) {
    plan.before.push_back(Alter(table, fmt::format("ALTER COLUMN {} DROP NOT NULL", name)));
  }
}

void ChangeKey(const Definition& table, const ExistingTable& existing, OldRows rows, Alteration& plan) {
  if (existing.primary_key == table.spec().primary_key) return;
  if (!existing.primary_key.empty()) {
    if (rows == OldRows::kKept) {
      plan.refusals.push_back(fmt::format("the primary key is {}; the {}'s is {}", KeyText(existing.primary_key),
                                          Maker(table.spec()), KeyText(table.spec().primary_key)));
      return;
    }
    // First, since the columns of a key cannot drop NOT NULL.
    plan.before.insert(plan.before.begin(),
                       Alter(table, fmt::format("DROP CONSTRAINT {}", QuoteIdentifier(existing.key_name))));
  }
  // Before the rows: ON CONFLICT needs its index.
  if (table.has_key()) plan.before.push_back(AddKeySql(table));
}

void ChangeReferences(const Definition& table, const ExistingTable& existing, Alteration& plan) {
  const TableSpec& spec = table.spec();
  for (const ExistingTable::Reference& reference : existing.references) {
    const bool wanted = std::ranges::any_of(spec.foreign_keys,
                                            [&](const ForeignKey& key) { return IsReference(reference, spec, key); });
    if (wanted || !IsOurReference(reference.name)) continue;
    // Before the rows, which need not keep it any more; IF EXISTS, since replacing what it refers to drops it as well.
    plan.before.push_back(Alter(table, "DROP CONSTRAINT IF EXISTS " + QuoteIdentifier(reference.name)));
  }
  for (const ForeignKey& key : spec.foreign_keys) {
    if (HasReference(existing, spec, key)) continue;
    const std::string add = AddReferenceSql(table, key);
    if (std::ranges::find(plan.after, add) == plan.after.end()) plan.after.push_back(add);
  }
}

}  // namespace

const ExistingColumn* ExistingTable::Find(const std::string& name) const {
  const auto found = std::ranges::find(columns, name, &ExistingColumn::name);
  return found == columns.end() ? nullptr : &*found;
}

std::string CreateTableSql(const Definition& table) {
  std::vector<std::string> columns;
  for (size_t i = 0; i < table.column_count(); ++i) {
    columns.push_back(fmt::format("{} {}{}", QuoteIdentifier(table.column(i).name), table.type(i).postgres,
                                  table.IsNotNull(i) ? " NOT NULL" : ""));
  }
  return fmt::format("CREATE TABLE {} (\n  {}\n)", table.QuotedName(), Join(columns, ",\n  "));
}

std::string AddKeySql(const Definition& table) {
  if (!table.has_key()) return {};
  return Alter(table, fmt::format("ADD PRIMARY KEY ({})", QuoteList(table.spec().primary_key)));
}

std::vector<std::string> AddReferencesSql(const Definition& table) {
  Alteration plan;
  ChangeReferences(table, ExistingTable(), plan);
  return plan.after;
}

std::string ReferenceName(const TableSpec& spec, const ForeignKey& key) {
  // A hash, since PostgreSQL cuts names at 63 bytes. Its messages name table, column and value beside the constraint.
  const std::string text = fmt::format("{} {} {}", QuoteIdentifier(key.column), QuotedReference(spec, key),
                                       QuoteIdentifier(key.referenced_column));
  return fmt::format("{}{:016x}", kReferencePrefix, XXH3_64bits(text.data(), text.size()));
}

bool IsOurReference(std::string_view constraint) { return constraint.starts_with(kReferencePrefix); }

std::string DropSql(const Referrer& key) {
  return fmt::format("ALTER TABLE {}.{} DROP CONSTRAINT {}", QuoteIdentifier(key.schema), QuoteIdentifier(key.table),
                     QuoteIdentifier(key.name));
}

std::string RemakeSql(const Referrer& key) {
  return fmt::format("ALTER TABLE {}.{} ADD CONSTRAINT {} {}", QuoteIdentifier(key.schema), QuoteIdentifier(key.table),
                     QuoteIdentifier(key.name), key.definition);
}

bool Wants(const TableSpec& spec, const Referrer& key) {
  return std::ranges::any_of(spec.foreign_keys,
                             [&](const ForeignKey& wanted) { return ReferenceName(spec, wanted) == key.name; });
}

Alteration PlanAlteration(const Definition& wanted, const ExistingTable& existing, OldRows rows) {
  Alteration plan;
  for (size_t i = 0; i < wanted.column_count(); ++i) {
    const ExistingColumn* column = existing.Find(wanted.column(i).name);
    if (column == nullptr) {
      AddColumn(wanted, i, plan);
      continue;
    }
    if (CanonicalType(column->type) != wanted.type(i).postgres) ChangeType(wanted, i, *column, rows, plan);
    ChangeNotNull(wanted, i, *column, plan);
  }
  const std::vector<std::string> names = wanted.ColumnNames();
  for (const ExistingColumn& column : existing.columns) {
    const bool dropped = std::ranges::find(names, column.name) == names.end();
    if (dropped && column.not_null) {
      plan.before.push_back(Alter(wanted, fmt::format("ALTER COLUMN {} DROP NOT NULL", QuoteIdentifier(column.name))));
    }
  }
  ChangeKey(wanted, existing, rows, plan);
  ChangeReferences(wanted, existing, plan);
  return plan;
}

std::vector<std::string> Differences(const Definition& wanted, const ExistingTable& existing) {
  std::vector<std::string> lines;
  const char* maker = Maker(wanted.spec());
  for (size_t i = 0; i < wanted.column_count(); ++i) {
    const ExistingColumn* column = existing.Find(wanted.column(i).name);
    const std::string& type = wanted.type(i).postgres;
    if (column == nullptr) {
      lines.push_back(fmt::format("column \"{}\" {}: missing there", wanted.column(i).name, type));
    } else if (CanonicalType(column->type) != type) {
      lines.push_back(fmt::format("column \"{}\": {} there, {} in the {}", column->name, column->type, type, maker));
    } else if (column->not_null != wanted.IsNotNull(i)) {
      lines.push_back(fmt::format("column \"{}\": {} there, {} in the {}", column->name,
                                  column->not_null ? "NOT NULL" : "may be NULL",
                                  column->not_null ? "may be NULL" : "NOT NULL", maker));
    }
  }
  const std::vector<std::string> names = wanted.ColumnNames();
  for (const ExistingColumn& column : existing.columns) {
    if (std::ranges::find(names, column.name) != names.end()) continue;
    lines.push_back(fmt::format("column \"{}\" {}: not in the {}", column.name, column.type, maker));
  }
  if (existing.primary_key != wanted.spec().primary_key) {
    lines.push_back(fmt::format("primary key: {} there, {} in the {}", KeyText(existing.primary_key),
                                KeyText(wanted.spec().primary_key), maker));
  }
  return lines;
}

}  // namespace leat::warehouse
