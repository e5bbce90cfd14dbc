#pragma once

#include <compare>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace leat::models {

/// A column of a table that a statement reads; both names in lower case.
struct OriginColumn {
  std::string table;  ///< `totesys.staff`, as the statement names it
  std::string column;

  auto operator<=>(const OriginColumn&) const = default;
};

/// The columns that something comes from.
struct Origins {
  std::set<OriginColumn> columns;
  bool complete = true;  ///< false: there are, or may be, others that could not be found out

  void Add(const Origins& other);
  bool operator==(const Origins&) const = default;
};

/// What makes a value what it is.
struct Flow {
  Origins values;   ///< columns whose values flow into it
  Origins decides;  ///< columns that choose among values or rows: conditions, groups, orders

  static Flow Unknown();
  static Flow Of(const OriginColumn& column) { return {.values = {.columns = {column}}}; }
  /// Everything of `other` flows in.
  void Add(const Flow& other);
  /// Everything of `other` only decides.
  void DecideBy(const Flow& other);
  bool operator==(const Flow&) const = default;
};

/// A column of a table, subquery or join.
struct NamedFlow {
  std::string name;
  Flow flow;
  bool behind_rest = false;    ///< a column of unknown name stands before it, which may bear the same name
  bool hidden = false;         ///< the right side of USING: not in `*`, found only by `table.column`
  std::optional<Flow> joined;  ///< the left side of USING: what the name alone means
};

/// Columns of a relation beyond those whose names are known.
struct Rest {
  enum class Kind {
    kNone,
    kTable,   ///< those of `table`, whatever they are called there
    kFlow,    ///< all have `flow`
    kUnknown  ///< they can be anything
  };
  Kind kind = Kind::kNone;
  std::string table;
  Flow flow;
  std::set<std::string> without;  ///< names that are not among them

  bool MayHold(const std::string& name) const;
  Flow FlowOf(const std::string& name) const;
  /// Two relations in one: what is behind both can only be told where one of them has nothing.
  void Add(const Rest& other);
};

/// What a table or a query gives.
struct Relation {
  std::vector<NamedFlow> columns;  ///< in their order, as far as it is known
  Rest rest;
  Flow rows;  ///< `decides`: columns that decide which rows there are

  bool complete() const { return rest.kind == Rest::Kind::kNone; }
  /// Rename the first columns, as `t(a, b)` does, and number equal names, as DuckDB does.
  void Rename(const std::vector<std::string>& names);
  /// All columns in one.
  Flow Row() const;
};

/// An entry of a FROM, by the names under which columns refer to it.
struct FromTable {
  std::string schema;  ///< empty for subqueries, functions and aliases
  std::string alias;
  Relation relation;
};

/// The tables of a FROM from left to right.
struct FromTables {
  std::vector<FromTable> tables;
  Flow rows;  ///< `decides`: columns of join conditions and of what decides inside the tables
};

/// Names that are visible at one level of a statement. A value of its own stack frame; nothing is owned.
struct Scope {
  const Scope* outer = nullptr;
  const FromTables* from = nullptr;
  const std::map<std::string, Flow>* aliases = nullptr;     ///< of the select list, as far as it has been read
  const std::map<std::string, Flow>* first = nullptr;       ///< names that go before those of `from`
  const std::map<std::string, Flow>* parameters = nullptr;  ///< of a macro or a lambda: before any column
  const Flow* star = nullptr;                               ///< the column that `COLUMNS(…)` stands for at the moment

  /// The flow of a column reference, `a`, `t.a`, `s.t.a` or any of them with fields of a struct behind; in lower case.
  /// What more than one table may hold is unknown; nothing: no level holds it.
  std::optional<Flow> Find(const std::vector<std::string>& names) const;
  std::optional<Flow> FindParameter(const std::string& name) const;
};

/// `current_date` and the like: without a column of that name they are functions written without parentheses.
bool IsValueFunction(const std::string& name);

/// Entries that `alias` names; with a schema also `schema.table`.
std::vector<const FromTable*> TablesNamed(const FromTables& from, const std::string& schema, const std::string& alias);

}  // namespace leat::models
