#include "cli/lineage_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "cli/text_table.h"

namespace leat::cli {
namespace {

using pipeline::LineageEdge;
using pipeline::LineageGraph;
using pipeline::LineageHow;
using pipeline::LineageName;
using pipeline::LineageNode;

constexpr size_t kColumnsListed = 3;  // more columns of one table that are used alike stand in one line

/// How a tree is drawn.
struct Branches {
  const char *next, *last, *next_dashed, *last_dashed, *through;
};
constexpr Branches kUnicodeBranches = {"├─ ", "└─ ", "├┄ ", "└┄ ", "│  "};
constexpr Branches kAsciiBranches = {"|- ", "`- ", "|. ", "`. ", "|  "};

bool IsDashed(LineageHow how) { return how == LineageHow::kDecides || how == LineageHow::kReferences; }

/// Whether a column is no more than one of the same name, whose expression says nothing new.
bool IsCopy(const LineageNode& node) {
  const std::string& column = node.name.column;
  return node.expression.empty() || node.expression == column || node.expression.ends_with("." + column);
}

/// One line of a tree: a table, a column, or several columns of one table.
struct Twig {
  LineageHow how = LineageHow::kReads;
  std::vector<LineageName> names;
};

/// One of the two trees.
class Tree {
 public:
  enum class Direction { kBefore, kBehind };

  Tree(const LineageGraph& lineage, Direction direction, const Terminal& terminal)
      : lineage_(lineage),
        direction_(direction),
        branches_(terminal.unicode ? kUnicodeBranches : kAsciiBranches),
        terminal_(terminal),
        table_({{.title = direction == Direction::kBefore ? "COMES FROM" : "USED BY"},
                {.title = "HOW"},
                {.title = "WHERE", .leaves = 1}}) {}

  std::string Format() {
    const std::vector<Twig> twigs = TwigsOf({lineage_.subject});
    if (twigs.empty()) AddNothing();
    AddTwigs(twigs, "");
    return table_.Format(terminal_);
  }

 private:
  void AddNothing() {
    const LineageNode& subject = *lineage_.Find(lineage_.subject);
    table_.Add({{SignsOf(terminal_).dash}, {}, {}},
               direction_ == Direction::kBehind ? "nothing in this project" : NothingBefore(subject));
  }

  static std::string NothingBefore(const LineageNode& node) {
    if (node.kind == "stream") return "read from its source";
    if (node.kind == "seed") return "a file of the project";
    return node.note.empty() ? "no column of another table" : node.note;
  }

  void AddTwigs(const std::vector<Twig>& twigs, const std::string& indent) {
    for (size_t i = 0; i < twigs.size(); ++i) AddTwig(twigs[i], indent, i + 1 == twigs.size());
  }

  void AddTwig(const Twig& twig, const std::string& indent, bool is_last) {
    const bool is_dashed = IsDashed(twig.how);
    const char* branch = is_dashed ? (is_last ? branches_.last_dashed : branches_.next_dashed)
                                   : (is_last ? branches_.last : branches_.next);
    const std::vector<Twig> behind = twig.how == LineageHow::kReferences ? std::vector<Twig>() : TwigsOf(twig.names);
    const bool is_repeated = !behind.empty() && !shown_.insert(twig.names).second;
    const LineageNode* node = twig.names.size() == 1 ? lineage_.Find(twig.names[0]) : nullptr;
    const bool is_unknown = node != nullptr && node->unknown;
    table_.Add({{indent + branch + Label(twig), is_unknown  ? Tint::kAmber
                                                : is_dashed ? Tint::kDim
                                                            : Tint::kNone},
                {HowName(twig.how)},
                {Where(*lineage_.Find(twig.names[0]), twig.names.size())}},
               is_repeated       ? "see above"
               : node == nullptr ? ""
                                 : NoteOf(*node));
    if (!is_repeated) AddTwigs(behind, indent + (is_last ? "   " : branches_.through));
  }

  static std::string Label(const Twig& twig) {
    if (twig.names.size() == 1) return twig.names[0].ToString();
    return fmt::format("{} ({} columns)", twig.names[0].table, twig.names.size());
  }

  /// A check is called like its file.
  static std::string Where(const LineageNode& node, size_t columns) {
    if (node.place.file == node.name.table) return "";
    if (node.place.line == 0 || columns > 1) return node.place.file;
    return fmt::format("{}:{}", node.place.file, node.place.line);
  }

  static std::string NoteOf(const LineageNode& node) {
    const std::string expression = IsCopy(node) ? "" : "= " + node.expression;
    if (node.note.empty() || expression.empty()) return expression + node.note;
    return expression + "; " + node.note;
  }

  /// What is one step away from any of `names`. Forwards, many columns of a table become one line.
  std::vector<Twig> TwigsOf(const std::vector<LineageName>& names) const {
    std::vector<Twig> twigs;
    for (const LineageEdge& edge : lineage_.edges) {
      const bool is_before = direction_ == Direction::kBefore;
      const LineageName& here = is_before ? edge.to : edge.from;
      const bool starts_here = std::find(names.begin(), names.end(), here) != names.end();
      if (!starts_here || (is_before && edge.how == LineageHow::kReferences)) continue;
      Put(twigs, {.how = edge.how, .names = {is_before ? edge.from : edge.to}});
    }
    if (direction_ == Direction::kBehind) Bundle(twigs);
    std::stable_sort(twigs.begin(), twigs.end(),
                     [](const Twig& a, const Twig& b) { return IsDashed(a.how) < IsDashed(b.how); });
    return twigs;
  }

  /// What flows from one name of several also decides for others: the stronger tie is the one shown.
  static void Put(std::vector<Twig>& twigs, const Twig& twig) {
    const auto same = [&](const Twig& other) { return other.names == twig.names; };
    const auto found = std::find_if(twigs.begin(), twigs.end(), same);
    if (found == twigs.end())
      twigs.push_back(twig);
    else
      found->how = std::min(found->how, twig.how);
  }

  static void Bundle(std::vector<Twig>& twigs) {
    std::vector<Twig> bundled;
    for (const Twig& twig : twigs) {
      const auto is_alike = [&](const Twig& other) {
        return other.how == twig.how && !twig.names[0].column.empty() && other.names[0].table == twig.names[0].table;
      };
      const auto earlier = std::find_if(bundled.begin(), bundled.end(), is_alike);
      const bool is_many = std::count_if(twigs.begin(), twigs.end(), is_alike) > static_cast<ptrdiff_t>(kColumnsListed);
      if (is_many && earlier != bundled.end())
        earlier->names.push_back(twig.names[0]);
      else
        bundled.push_back(twig);
    }
    twigs = std::move(bundled);
  }

  const LineageGraph& lineage_;
  const Direction direction_;
  const Branches& branches_;
  const Terminal& terminal_;
  TextTable table_;
  std::set<std::vector<LineageName>> shown_;  ///< what has been drawn with all that hangs on it
};

std::string Title(const LineageGraph& lineage, const Terminal& terminal) {
  const LineageNode& node = *lineage.Find(lineage.subject);
  const std::string dot = fmt::format(" {} ", SignsOf(terminal).dot);
  std::string text = Paint(terminal, Tint::kBold, node.name.ToString()) + dot + node.kind;
  if (node.place.known()) text += dot + node.place.file;
  if (node.place.line > 0) text += fmt::format(":{}", node.place.line);
  text += "\n";
  const auto add = [&](const std::string& line) {
    text += (terminal.is_terminal() ? FitWidth(terminal, line, terminal.width) : line) + "\n";
  };
  if (!IsCopy(node)) add("  = " + node.expression);
  if (node.unknown) add("  ? " + node.note);
  return text;
}

/// A text of the DOT language.
std::string QuoteDot(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

Json OrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

std::string FormatLineage(const LineageGraph& lineage, const Terminal& terminal) {
  return Title(lineage, terminal) + Tree(lineage, Tree::Direction::kBefore, terminal).Format() +
         Tree(lineage, Tree::Direction::kBehind, terminal).Format();
}

std::string LineageDot(const LineageGraph& lineage) {
  std::string text = "digraph lineage {\n  rankdir=LR;\n  node [shape=box];\n";
  for (const LineageNode& node : lineage.nodes)
    text += fmt::format("  {} [tooltip={}{}{}];\n", QuoteDot(node.name.ToString()),
                        QuoteDot(node.expression.empty() ? node.kind : node.expression),
                        node.unknown ? ", style=dashed" : "", node.name == lineage.subject ? ", penwidth=2" : "");
  for (const LineageEdge& edge : lineage.edges)
    text += fmt::format("  {} -> {} [tooltip={}{}];\n", QuoteDot(edge.from.ToString()), QuoteDot(edge.to.ToString()),
                        HowName(edge.how), IsDashed(edge.how) ? ", style=dashed" : "");
  return text + "}\n";
}

Json LineageJson(const LineageGraph& lineage) {
  Json json;
  json["subject"] = lineage.subject.ToString();
  json["nodes"] = Json::array();
  for (const LineageNode& node : lineage.nodes) {
    Json entry;
    entry["id"] = node.name.ToString();
    entry["table"] = node.name.table;
    entry["column"] = OrNull(node.name.column);
    entry["kind"] = node.kind;
    entry["expression"] = OrNull(node.expression);
    entry["file"] = OrNull(node.place.file);
    entry["line"] = node.place.line > 0 ? Json(node.place.line) : Json(nullptr);
    entry["unknown"] = node.unknown;
    entry["note"] = OrNull(node.note);
    json["nodes"].push_back(entry);
  }
  json["edges"] = Json::array();
  for (const LineageEdge& edge : lineage.edges)
    json["edges"].push_back({{"from", edge.from.ToString()}, {"to", edge.to.ToString()}, {"how", HowName(edge.how)}});
  return json;
}

}  // namespace leat::cli
