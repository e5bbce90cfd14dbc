#include "sources/nested/nested_sql.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "duck/sign_of_zero.h"

namespace leat::sources {
namespace {

/// Of a version: `time_us` and the like belong to the commit that brought its record.
constexpr const char* kOwnColumns =
    "seq AS _leat_seq, make_timestamptz(time_us) AS _leat_time, run AS _leat_run, {} AS _leat_superseded";

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
    columns.push_back(fmt::format("x.s.\"row\".{0} AS {0}", QuoteIdentifier(column.name)));
  return Join(columns, ", ");
}

std::string NestedSql::Operation() const {
  const auto& deleted = stream_.rule.http.deleted;
  if (!deleted) return "'u'";
  for (const NestedColumn& column : table_.columns)
    if (FormatPath(column.path) == deleted->first.value || column.name == deleted->first.value)
      return fmt::format("CASE WHEN CAST(x.s.\"row\".{} AS VARCHAR) = {} THEN 'd' ELSE 'u' END",
                         QuoteIdentifier(column.name), QuoteLiteral(deleted->second));
  return "'u'";
}

std::string NestedSql::Version() const {
  if (stream_.rule.version)
    for (const NestedColumn& column : table_.columns)
      if (FormatPath(column.path) == stream_.rule.version->value || column.name == stream_.rule.version->value)
        return column.name;
  return "";
}

std::string NestedSql::ChooseCandidates() const {
  const std::string version = Version();
  std::vector<std::string> key;
  for (const std::string& column : stream_.info.key) {
    const bool is_given =
        std::find(stream_.given_columns.begin(), stream_.given_columns.end(), column) != stream_.given_columns.end();
    key.push_back(is_given ? "p." + QuoteIdentifier(column)
                           : fmt::format("x.s.\"row\".{0} AS {0}", QuoteIdentifier(column)));
  }
  return fmt::format(
      "SELECT * EXCLUDE (place) FROM (SELECT x.page, x.ordinal, p.place, p.seq, p.run, p.time_us, {}, {} AS "
      "_leat_version, {} AS _leat_op, false AS is_departed FROM {} x JOIN {} p USING (page) WHERE x.s.misfit.reason IS "
      "NULL) "
      "QUALIFY row_number() OVER (PARTITION BY {}, seq ORDER BY _leat_version DESC NULLS LAST, place DESC, ordinal "
      "DESC) = 1",
      Join(key, ", "), version.empty() ? "NULL::BIGINT" : "x.s.\"row\"." + QuoteIdentifier(version), Operation(),
      Shredded(), Pages(), Key());
}

std::string NestedSql::CompareWith(const engine::Relation& lake, const std::string& newest) const {
  std::vector<std::string> distinct;
  for (const NestedColumn& column : table_.columns) {
    const std::string now = "x.s.\"row\"." + QuoteIdentifier(column.name);
    const bool is_known = lake.schema.Find(column.name) != nullptr;
    distinct.push_back(is_known ? duck::IsDistinct(now, "n." + QuoteIdentifier(column.name), column.type.DuckType())
                                : now + " IS NOT NULL");
  }
  distinct.push_back("n._leat_op IS DISTINCT FROM c._leat_op");
  const std::string version = Version();
  const bool is_guarded = !version.empty() && lake.schema.Find(version) != nullptr;
  return fmt::format(
      "SELECT c.*, n._leat_seq AS newest_seq, n._leat_op AS newest_op, n._leat_seq IS NULL OR {} AS differs FROM {} c "
      "JOIN {} x USING (page, ordinal) LEFT JOIN {} n USING ({}) WHERE {}",
      Join(distinct, " OR "), Candidates(), Shredded(), newest, Key(),
      is_guarded ? fmt::format("n._leat_seq IS NULL OR n.{0} IS NULL OR coalesce(c._leat_version >= n.{0}, false)",
                               QuoteIdentifier(version))
                 : "true");
}

std::string NestedSql::CompareWithNothing() const {
  return fmt::format("SELECT *, NULL::BIGINT AS newest_seq, NULL::VARCHAR AS newest_op, true AS differs FROM {}",
                     Candidates());
}

std::string NestedSql::CompareInOrder() const {
  const std::string window = fmt::format("(PARTITION BY {} ORDER BY seq)", Key());
  const bool has_children = !table_.children.empty();
  return fmt::format(
      "SELECT * EXCLUDE (differs), seq = max(seq) OVER (PARTITION BY {key}) AND _leat_op = 'u' AS is_current FROM ("
      "SELECT * EXCLUDE (s), lag(seq) OVER w IS NULL OR _leat_op != lag(_leat_op) OVER w OR s.\"row\" IS DISTINCT FROM "
      "lag(s.\"row\") OVER w{children} AS differs FROM ("
      "SELECT * FROM (SELECT c.*, x.s, max(_leat_version) OVER (PARTITION BY {key} ORDER BY seq ROWS BETWEEN UNBOUNDED "
      "PRECEDING AND 1 PRECEDING) AS before FROM {candidates} c JOIN {shredded} x USING (page, ordinal)) "
      "WHERE before IS NULL OR coalesce(_leat_version >= before, false)) WINDOW w AS {window}) WHERE differs",
      fmt::arg("key", Key()), fmt::arg("window", window), fmt::arg("candidates", Candidates()),
      fmt::arg("shredded", Shredded()),
      fmt::arg("children",
               has_children ? " OR (_leat_op = 'u' AND s.children IS DISTINCT FROM lag(s.children) OVER w)" : ""));
}

/// A record that was refused may be any of those asked for with it: none of them is known to be gone.
std::string NestedSql::AskedWithoutRejects(const std::vector<std::string>& asked_columns) const {
  std::vector<std::string> match = asked_columns;
  match.emplace_back("seq");
  return fmt::format(
      "(SELECT * FROM {} ANTI JOIN (SELECT p.* FROM {} x JOIN {} p USING (page) WHERE x.s.misfit.reason IS NOT NULL) "
      "USING ({}))",
      Asked(), Shredded(), Pages(), QuoteList(match));
}

std::string NestedSql::Departed(const std::vector<std::string>& asked_columns) const {
  return fmt::format(
      "SELECT page, ordinal, seq, run, time_us, {key}, _leat_version, 'd', true FROM (SELECT {key}, seq, a.run, "
      "a.time_us, last_value(c.page IGNORE NULLS) OVER w AS page, last_value(c.ordinal IGNORE NULLS) OVER w AS "
      "ordinal, "
      "last_value(c._leat_version IGNORE NULLS) OVER w AS _leat_version, c.page IS NULL AS is_gone FROM (SELECT "
      "DISTINCT "
      "{key} FROM {candidates}) {join} LEFT JOIN {candidates} c USING ({key}, seq) WINDOW w AS "
      "(PARTITION BY {key} ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) WHERE is_gone AND page IS "
      "NOT "
      "NULL",
      fmt::arg("key", Key()), fmt::arg("candidates", Candidates()),
      fmt::arg("join", JoinAsked(AskedWithoutRejects(asked_columns), asked_columns)));
}

std::string NestedSql::NotReturned(const engine::Relation& lake, const std::string& current,
                                   const std::vector<std::string>& asked_columns) const {
  std::vector<std::string> columns;
  for (const std::string& given : stream_.given_columns) columns.push_back(QuoteIdentifier(given));
  for (const NestedColumn& column : table_.columns) {
    const std::string name = QuoteIdentifier(column.name);
    columns.push_back(lake.schema.Find(column.name) != nullptr
                          ? name
                          : fmt::format("CAST(NULL AS {}) AS {}", column.type.DuckType(), name));
  }
  return fmt::format(
      "SELECT {}, 'd' AS _leat_op, a.seq AS _leat_seq, make_timestamptz(a.time_us) AS _leat_time, a.run AS _leat_run, "
      "false AS _leat_superseded FROM {} l {} ANTI JOIN {} USING ({})",
      Join(columns, ", "), current, JoinAsked(AskedWithoutRejects(asked_columns), asked_columns), Candidates(), Key());
}

/// One row per entry of a list: the columns of `from` but its lists, positions, and the entry `i`.
std::string NestedSql::Entries(const NestedTable& child, const std::string& from, const std::string& further) const {
  std::vector<size_t> way;
  FindWay(table_, child, way);
  std::string columns = "page, ordinal";
  for (const std::string& column : stream_.info.key) columns += ", " + QuoteIdentifier(column);
  columns += further;
  std::string list = fmt::format("x.s.children.c{}", way[0]);
  std::string rows = fmt::format("{} c JOIN {} x USING (page, ordinal)", from, Shredded());
  for (size_t level = 0; level < way.size(); ++level) {
    if (level > 0) list = fmt::format("i.children.c{}", way[level]);
    const std::string position = QuoteIdentifier(child.positions[level]);
    rows = InBrackets(fmt::format("SELECT {0}, unnest({1}) AS i, generate_subscripts({1}, 1)::BIGINT AS {2} FROM {3}",
                                  columns, list, position, rows));
    columns += ", " + position;
  }
  return rows;
}

std::string NestedSql::ChildChanged(const NestedTable& child, const std::string& compared,
                                    const std::string& lake) const {
  std::vector<std::string> now, before, join, distinct;
  for (size_t i = 0; i < stream_.info.key.size(); ++i) {
    now.push_back(QuoteIdentifier(stream_.info.key[i]) + " AS " + QuoteIdentifier(child.parent_key[i]));
    join.push_back(QuoteIdentifier(child.parent_key[i]));
  }
  for (const std::string& position : child.positions) {
    now.push_back(QuoteIdentifier(position));
    join.push_back(QuoteIdentifier(position));
  }
  for (const NestedColumn& column : child.columns) {
    const std::string name = QuoteIdentifier(column.name);
    now.push_back(fmt::format("i.\"row\".{0} AS {0}", name));
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
      "SELECT {}, c._leat_op, {} FROM {} c JOIN {} x USING (page, ordinal) JOIN (SELECT * EXCLUDE (seq, "
      "run, time_us) FROM {}) p USING (page)",
      OwnColumns(), fmt::format(fmt::runtime(kOwnColumns), superseded), from, Shredded(), Pages());
}

std::string NestedSql::ChildRows(const NestedTable& child, const std::string& from, bool superseded) const {
  std::vector<std::string> columns;
  for (size_t i = 0; i < stream_.info.key.size(); ++i)
    columns.push_back(QuoteIdentifier(stream_.info.key[i]) + " AS " + QuoteIdentifier(child.parent_key[i]));
  for (const std::string& position : child.positions) columns.push_back(QuoteIdentifier(position));
  for (const NestedColumn& column : child.columns)
    columns.push_back(fmt::format("i.\"row\".{0} AS {0}", QuoteIdentifier(column.name)));
  return fmt::format("SELECT {}, 'u' AS _leat_op, {} FROM {}", Join(columns, ", "),
                     fmt::format(fmt::runtime(kOwnColumns), superseded), Entries(child, from, ", seq, run, time_us"));
}

std::string NestedSql::KeylessRows() const {
  return fmt::format(
      "SELECT {}, 'u' AS _leat_op, seq AS _leat_seq, make_timestamptz(time_us) AS _leat_time, run AS _leat_run FROM {} "
      "x JOIN {} p USING (page) WHERE x.s.misfit.reason IS NULL",
      OwnColumns(), Shredded(), Pages());
}

std::string NestedSql::Rejects(const std::string& records) const {
  return fmt::format(
      "SELECT x.s.misfit.reason AS reason, x.s.misfit.field AS field, x.s.misfit.\"value\" AS \"value\", "
      "decode(r.record) AS record, "
      "p.name AS landed_in, x.ordinal, p.seq AS _leat_seq, make_timestamptz(p.time_us) AS _leat_time, p.run AS "
      "_leat_run FROM {} x JOIN {} r USING (page, ordinal) JOIN {} p USING (page) WHERE x.s.misfit.reason IS NOT NULL",
      Shredded(), records, Pages());
}

}  // namespace leat::sources
