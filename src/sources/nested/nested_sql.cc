#include "sources/nested/nested_sql.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "duck/sign_of_zero.h"

namespace leat::sources {
namespace {

/// Of a version: `_leat_from_us` and the like belong to the commit that brought its record.
constexpr const char* kOwnColumns =
    "_leat_from_seq AS _leat_seq, make_timestamptz(_leat_from_us) AS _leat_time, _leat_from_run AS _leat_run, {} AS "
    "_leat_superseded";

void CollectChildren(const NestedTable& table, std::vector<const NestedTable*>& children) {
  for (const NestedTable& child : table.children) {
    children.push_back(&child);
    CollectChildren(child, children);
  }
}

/// The tables on the way from the stream's own to `child`, by their places among the children.
bool FindWay(const NestedTable& table, const NestedTable& child, std::vector<size_t>& way) {
  for (size_t i = 0; i < table.children.size(); ++i) {
    way.push_back(i);
    if (&table.children[i] == &child || FindWay(table.children[i], child, way)) return true;
    way.pop_back();
  }
  return false;
}

/// In rows of lists a part of the stream's key could be called like a position.
std::string KeyOfEntry(size_t part) { return fmt::format("_leat_key_{}", part); }

std::string InBrackets(const std::string& select) { return "(" + select + ")"; }

std::string JoinAsked(const std::string& asked, const std::vector<std::string>& columns) {
  return columns.empty() ? fmt::format("CROSS JOIN {} a", asked)
                         : fmt::format("JOIN {} a USING ({})", asked, QuoteList(columns));
}

}  // namespace

NestedSql::NestedSql(const NestedStream& stream, const NestedTable& table, std::string prefix)
    : stream_(stream), table_(table), prefix_(std::move(prefix)) {}

std::vector<const NestedTable*> NestedSql::Children() const {
  std::vector<const NestedTable*> children;
  CollectChildren(table_, children);
  return children;
}

std::string NestedSql::Key(const char* alias) const {
  std::vector<std::string> key;
  for (const std::string& column : stream_.info.key) key.push_back(alias + QuoteIdentifier(column));
  return Join(key, ", ");
}

std::string NestedSql::OwnColumns() const {
  std::vector<std::string> columns;
  for (const std::string& given : stream_.given_columns) columns.push_back("p." + QuoteIdentifier(given));
  for (const NestedColumn& column : table_.columns)
    columns.push_back(fmt::format("x._leat_record.\"row\".{0} AS {0}", QuoteIdentifier(column.name)));
  return Join(columns, ", ");
}

std::string NestedSql::Operation() const {
  const auto& deleted = stream_.rule.http.deleted;
  if (!deleted) return "'u'";
  for (const NestedColumn& column : table_.columns)
    if (FormatPath(column.path) == deleted->first.value || column.name == deleted->first.value)
      return fmt::format("CASE WHEN CAST(x._leat_record.\"row\".{} AS VARCHAR) = {} THEN 'd' ELSE 'u' END",
                         QuoteIdentifier(column.name), QuoteLiteral(deleted->second));
  return "'u'";
}

const NestedColumn* NestedSql::VersionColumn() const {
  if (stream_.rule.version)
    for (const NestedColumn& column : table_.columns)
      if (FormatPath(column.path) == stream_.rule.version->value || column.name == stream_.rule.version->value)
        return &column;
  return nullptr;
}

std::string NestedSql::VersionIn(const std::string& row) const {
  const NestedColumn* column = VersionColumn();
  if (column == nullptr) return "NULL::BIGINT";
  const std::string value = row + "." + QuoteIdentifier(column->name);
  return version_type_.empty() ? value : fmt::format("TRY_CAST({} AS {})", value, version_type_);
}

std::string NestedSql::ChooseCandidates() const {
  std::vector<std::string> key;
  for (const std::string& column : stream_.info.key) {
    const bool is_given =
        std::find(stream_.given_columns.begin(), stream_.given_columns.end(), column) != stream_.given_columns.end();
    key.push_back(is_given ? "p." + QuoteIdentifier(column)
                           : fmt::format("x._leat_record.\"row\".{0} AS {0}", QuoteIdentifier(column)));
  }
  return fmt::format(
      "SELECT * EXCLUDE (_leat_place) FROM (SELECT x._leat_page, x._leat_ordinal, p._leat_place, p._leat_from_seq, "
      "p._leat_from_run, p._leat_from_us, {}, {} AS "
      "_leat_version, {} AS _leat_op, false AS _leat_is_departed FROM {} x JOIN {} p USING (_leat_page) WHERE "
      "x._leat_record.misfit.reason IS "
      "NULL) "
      "QUALIFY row_number() OVER (PARTITION BY {}, _leat_from_seq ORDER BY _leat_version DESC NULLS LAST, _leat_place "
      "DESC, _leat_ordinal "
      "DESC) = 1",
      Join(key, ", "), VersionIn("x._leat_record.\"row\""), Operation(), Shredded(), Pages(), Key());
}

std::string NestedSql::CompareWith(const engine::Relation& lake, const std::string& newest) const {
  std::vector<std::string> distinct;
  for (const NestedColumn& column : table_.columns) {
    const std::string now = "x._leat_record.\"row\"." + QuoteIdentifier(column.name);
    const bool is_known = lake.schema.Find(column.name) != nullptr;
    distinct.push_back(is_known ? duck::IsDistinct(now, "n." + QuoteIdentifier(column.name), column.type.DuckType())
                                : now + " IS NOT NULL");
  }
  distinct.push_back("n._leat_op IS DISTINCT FROM c._leat_op");
  const NestedColumn* version = VersionColumn();
  const bool is_guarded = version != nullptr && lake.schema.Find(version->name) != nullptr;
  return fmt::format(
      "SELECT c.*, n._leat_seq AS _leat_newest_seq, n._leat_op AS _leat_newest_op, n._leat_seq IS NULL OR {} AS "
      "_leat_differs FROM {} c "
      "JOIN {} x USING (_leat_page, _leat_ordinal) LEFT JOIN {} n USING ({}) WHERE {}",
      Join(distinct, " OR "), Candidates(), Shredded(), newest, Key(),
      is_guarded
          ? fmt::format("n._leat_seq IS NULL OR {0} IS NULL OR coalesce(c._leat_version >= {0}, false)", VersionIn("n"))
          : "true");
}

std::string NestedSql::CompareWithNothing() const {
  return fmt::format(
      "SELECT *, NULL::BIGINT AS _leat_newest_seq, NULL::VARCHAR AS _leat_newest_op, true AS _leat_differs FROM {}",
      Candidates());
}

std::string NestedSql::CompareInOrder() const {
  const std::string window = fmt::format("(PARTITION BY {} ORDER BY _leat_from_seq)", Key());
  const bool has_children = !table_.children.empty();
  return fmt::format(
      "SELECT * EXCLUDE (_leat_differs), _leat_from_seq = max(_leat_from_seq) OVER (PARTITION BY {key}) AND _leat_op = "
      "'u' AS _leat_is_current FROM ("
      "SELECT * EXCLUDE (_leat_record), lag(_leat_from_seq) OVER w IS NULL OR _leat_op != lag(_leat_op) OVER w OR "
      "_leat_record.\"row\" IS DISTINCT FROM "
      "lag(_leat_record.\"row\") OVER w{children} AS _leat_differs FROM ("
      "SELECT * FROM (SELECT c.*, x._leat_record, max(_leat_version) OVER (PARTITION BY {key} ORDER BY _leat_from_seq "
      "ROWS BETWEEN UNBOUNDED "
      "PRECEDING AND 1 PRECEDING) AS _leat_before FROM {candidates} c JOIN {shredded} x USING (_leat_page, "
      "_leat_ordinal)) "
      "WHERE _leat_before IS NULL OR coalesce(_leat_version >= _leat_before, false)) WINDOW w AS {window}) WHERE "
      "_leat_differs",
      fmt::arg("key", Key()), fmt::arg("window", window), fmt::arg("candidates", Candidates()),
      fmt::arg("shredded", Shredded()),
      fmt::arg("children",
               has_children
                   ? " OR (_leat_op = 'u' AND _leat_record.children IS DISTINCT FROM lag(_leat_record.children) OVER w)"
                   : ""));
}

/// A record that was refused may be any of those asked for with it: none of them is known to be gone.
std::string NestedSql::AskedWithoutRejects(const std::vector<std::string>& asked_columns) const {
  std::vector<std::string> match = asked_columns;
  match.emplace_back("_leat_from_seq");
  return fmt::format(
      "(SELECT * FROM {} ANTI JOIN (SELECT p.* FROM {} x JOIN {} p USING (_leat_page) WHERE "
      "x._leat_record.misfit.reason IS NOT NULL) "
      "USING ({}))",
      Asked(), Shredded(), Pages(), QuoteList(match));
}

std::string NestedSql::Departed(const std::vector<std::string>& asked_columns) const {
  return fmt::format(
      "SELECT _leat_page, _leat_ordinal, _leat_from_seq, _leat_from_run, _leat_from_us, {key}, _leat_version, 'd', "
      "true FROM (SELECT {key}, _leat_from_seq, a._leat_from_run, "
      "a._leat_from_us, last_value(c._leat_page IGNORE NULLS) OVER w AS _leat_page, last_value(c._leat_ordinal IGNORE "
      "NULLS) OVER w AS "
      "_leat_ordinal, "
      "last_value(c._leat_version IGNORE NULLS) OVER w AS _leat_version, c._leat_page IS NULL AS _leat_is_gone FROM "
      "(SELECT "
      "DISTINCT "
      "{key} FROM {candidates}) {join} LEFT JOIN {candidates} c USING ({key}, _leat_from_seq) WINDOW w AS "
      "(PARTITION BY {key} ORDER BY _leat_from_seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) WHERE "
      "_leat_is_gone AND _leat_page IS "
      "NOT "
      "NULL",
      fmt::arg("key", Key()), fmt::arg("candidates", Candidates()),
      fmt::arg("join", JoinAsked(AskedWithoutRejects(asked_columns), asked_columns)));
}

std::string NestedSql::NotReturned(const engine::Relation& lake, const std::string& current,
                                   const std::vector<std::string>& asked_columns) const {
  std::vector<std::string> columns;
  for (const std::string& given : stream_.given_columns) columns.push_back("l." + QuoteIdentifier(given));
  for (const NestedColumn& column : table_.columns) {
    const std::string name = QuoteIdentifier(column.name);
    columns.push_back(lake.schema.Find(column.name) != nullptr
                          ? "l." + name
                          : fmt::format("CAST(NULL AS {}) AS {}", column.type.DuckType(), name));
  }
  return fmt::format(
      "SELECT {}, 'd' AS _leat_op, a._leat_from_seq AS _leat_seq, make_timestamptz(a._leat_from_us) AS _leat_time, "
      "a._leat_from_run AS _leat_run, "
      "false AS _leat_superseded FROM {} l {} ANTI JOIN {} USING ({})",
      Join(columns, ", "), current, JoinAsked(AskedWithoutRejects(asked_columns), asked_columns), Candidates(), Key());
}

/// One row per entry of a list: the key in `from` and what is `further` asked of it, positions, and the entry.
std::string NestedSql::Entries(const NestedTable& child, const std::string& from, const std::string& further) const {
  std::vector<size_t> way;
  FindWay(table_, child, way);
  std::string columns = "_leat_page, _leat_ordinal";
  std::string first = columns;
  for (size_t i = 0; i < stream_.info.key.size(); ++i) {
    columns += fmt::format(", {}", KeyOfEntry(i));
    first += fmt::format(", c.{} AS {}", QuoteIdentifier(stream_.info.key[i]), KeyOfEntry(i));
  }
  columns += further;
  first += further;
  std::string list = fmt::format("x._leat_record.children.c{}", way[0]);
  std::string rows = fmt::format("{} c JOIN {} x USING (_leat_page, _leat_ordinal)", from, Shredded());
  for (size_t level = 0; level < way.size(); ++level) {
    if (level > 0) list = fmt::format("_leat_entry.children.c{}", way[level]);
    const std::string position = QuoteIdentifier(child.positions[level]);
    rows = InBrackets(
        fmt::format("SELECT {0}, unnest({1}) AS _leat_entry, generate_subscripts({1}, 1)::BIGINT AS {2} FROM {3}",
                    level == 0 ? first : columns, list, position, rows));
    columns += ", " + position;
  }
  return rows;
}

std::string NestedSql::ChildChanged(const NestedTable& child, const std::string& compared,
                                    const std::string& lake) const {
  std::vector<std::string> now, before, join, distinct;
  for (size_t i = 0; i < stream_.info.key.size(); ++i) {
    now.push_back(KeyOfEntry(i) + " AS " + QuoteIdentifier(child.parent_key[i]));
    join.push_back(QuoteIdentifier(child.parent_key[i]));
  }
  for (const std::string& position : child.positions) {
    now.push_back(QuoteIdentifier(position));
    join.push_back(QuoteIdentifier(position));
  }
  for (const NestedColumn& column : child.columns) {
    const std::string name = QuoteIdentifier(column.name);
    now.push_back(fmt::format("_leat_entry.\"row\".{0} AS {0}", name));
    distinct.push_back(duck::IsDistinct("b." + name, "l." + name, column.type.DuckType()));
  }
  distinct.push_back("b._leat_is IS NULL");
  distinct.push_back("l._leat_is IS NULL");
  const std::string batch =
      InBrackets(fmt::format("SELECT {}, true AS _leat_is FROM {}", Join(now, ", "), Entries(child, compared, "")));
  std::vector<std::string> key;
  for (size_t i = 0; i < stream_.info.key.size(); ++i)
    key.push_back(fmt::format("{} AS {}", QuoteIdentifier(child.parent_key[i]), QuoteIdentifier(stream_.info.key[i])));
  if (lake.empty()) return fmt::format("SELECT DISTINCT {} FROM {}", Join(key, ", "), batch);
  return fmt::format(
      "SELECT DISTINCT {} FROM {} b FULL JOIN (SELECT *, true AS _leat_is FROM {}) l USING ({}) WHERE {}",
      Join(key, ", "), batch, lake, Join(join, ", "), Join(distinct, " OR "));
}

std::string NestedSql::Rows(const std::string& from, bool superseded) const {
  return fmt::format(
      "SELECT {}, c._leat_op, {} FROM {} c JOIN {} x USING (_leat_page, _leat_ordinal) JOIN (SELECT * EXCLUDE "
      "(_leat_from_seq, "
      "_leat_from_run, _leat_from_us) FROM {}) p USING (_leat_page)",
      OwnColumns(), fmt::format(fmt::runtime(kOwnColumns), superseded), from, Shredded(), Pages());
}

std::string NestedSql::ChildRows(const NestedTable& child, const std::string& from, bool superseded) const {
  std::vector<std::string> columns;
  for (size_t i = 0; i < stream_.info.key.size(); ++i)
    columns.push_back(KeyOfEntry(i) + " AS " + QuoteIdentifier(child.parent_key[i]));
  for (const std::string& position : child.positions) columns.push_back(QuoteIdentifier(position));
  for (const NestedColumn& column : child.columns)
    columns.push_back(fmt::format("_leat_entry.\"row\".{0} AS {0}", QuoteIdentifier(column.name)));
  return fmt::format("SELECT {}, 'u' AS _leat_op, {} FROM {}", Join(columns, ", "),
                     fmt::format(fmt::runtime(kOwnColumns), superseded),
                     Entries(child, from, ", _leat_from_seq, _leat_from_run, _leat_from_us"));
}

std::string NestedSql::KeylessRows() const {
  return fmt::format(
      "SELECT {}, 'u' AS _leat_op, _leat_from_seq AS _leat_seq, make_timestamptz(_leat_from_us) AS _leat_time, "
      "_leat_from_run AS _leat_run FROM {} "
      "x JOIN {} p USING (_leat_page) WHERE x._leat_record.misfit.reason IS NULL",
      OwnColumns(), Shredded(), Pages());
}

std::string NestedSql::Rejects(const std::string& records) const {
  return fmt::format(
      "SELECT x._leat_record.misfit.reason AS reason, x._leat_record.misfit.field AS field, "
      "x._leat_record.misfit.\"value\" AS \"value\", "
      "decode(r.record) AS record, "
      "p._leat_file AS landed_in, x._leat_ordinal AS ordinal, p._leat_from_seq AS _leat_seq, "
      "make_timestamptz(p._leat_from_us) AS _leat_time, p._leat_from_run AS "
      "_leat_run FROM {} x JOIN {} r USING (_leat_page, _leat_ordinal) JOIN {} p USING (_leat_page) WHERE "
      "x._leat_record.misfit.reason IS NOT NULL",
      Shredded(), records, Pages());
}

}  // namespace leat::sources
