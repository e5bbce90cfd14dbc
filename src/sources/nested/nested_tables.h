#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lake/table.h"
#include "sources/nested/nested_reader.h"
#include "sources/nested/shape.h"
#include "sources/nested/value_type.h"

namespace leat::sources {

/// Names of fields on the way from a record to a value; lists in between add nothing.
using FieldPath = std::vector<std::string>;

/// As people write it: `billing_address.city`.
std::string FormatPath(const FieldPath& path);

struct NestedColumn {
  FieldPath path;
  std::string name;
  ValueType type;
};

/// Where the fields of an object go.
struct Route {
  enum class Use {
    kSkip,
    kColumn,  ///< into the column `index` of the object's table
    kFields,  ///< the object's own fields have routes
    kRows     ///< each entry of the list is a row of the child `index`
  };
  std::string name;
  Use use = Use::kSkip;
  size_t index = 0;
  std::vector<Route> fields;
};

/// A table that records become: the stream's own, or that of a list in it.
struct NestedTable {
  std::string name;                     ///< `billing.subscriptions__addons`
  FieldPath list;                       ///< of a child: where its list stands in a record
  std::vector<std::string> parent_key;  ///< of a child: its names for the columns of the stream's key
  std::vector<std::string> positions;   ///< of a child: the place in each list on the way, its own last
  std::vector<NestedColumn> columns;    ///< those of the lake first, in its order
  std::vector<std::string> missing;     ///< columns of the lake that no record had
  std::vector<Route> fields;            ///< of its objects
  std::vector<NestedTable> children;

  const NestedColumn* Find(const std::string& column) const;
};

/// The tables of a stream that are published. An unpublished stream has none.
struct PublishedTables {
  std::optional<lake::Table> stream;
  std::vector<lake::Table> children;

  /// The child whose rows come from that list; null: there is none.
  const lake::Table* Child(const FieldPath& list) const;
};

/// Decide which tables and columns the records become: what the lake has stays, what is new gets a name and a type that
/// holds all its values. \param rebuild  all records are there, so types are found anew; names stay all the same
/// Throws: Error(kConfig): LEAT0443 for a type of `columns.types` that no column can have, or another than the lake has
/// by now; LEAT0414 and LEAT0415 where the project stops at new or missing columns; Error(kData, LEAT0444) for more
/// columns than a table may have.
NestedTable PlanTables(const NestedStream& stream, const Shape& shape, const PublishedTables& published,
                       duck::Connection& connection, bool rebuild);

/// The schema of the table from now on; its ids follow `published`.
lake::Schema SchemaOfTable(const NestedStream& stream, const NestedTable& stream_table, const NestedTable& table,
                           const std::optional<lake::Table>& published, bool rebuild);

}  // namespace leat::sources
