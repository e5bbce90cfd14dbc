#include "pipeline/select.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include "core/error.h"
#include "core/text.h"

namespace leat::pipeline {
namespace {

using Names = std::set<std::string>;

constexpr int kAllLevels = std::numeric_limits<int>::max();

/// One term taken apart: `2+source:totesys+` is 2 levels up, all levels down.
struct Term {
  std::string text;
  std::string method;  ///< empty, source, tag, kind, path
  std::string value;
  int levels_up = 0;
  int levels_down = 0;
};

Term ParseTerm(const std::string& text) {
  Term term{.text = text};
  std::string rest = text;
  if (const size_t plus = rest.find('+'); plus != std::string::npos && rest.find_first_not_of("0123456789") == plus) {
    term.levels_up = plus == 0 ? kAllLevels : std::stoi(rest.substr(0, plus));
    rest = rest.substr(plus + 1);
  }
  if (const size_t plus = rest.rfind('+');
      plus != std::string::npos && rest.find_first_not_of("0123456789", plus + 1) == std::string::npos) {
    term.levels_down = plus + 1 == rest.size() ? kAllLevels : std::stoi(rest.substr(plus + 1));
    rest = rest.substr(0, plus);
  }
  const size_t colon = rest.find(':');
  if (colon != std::string::npos) term.method = rest.substr(0, colon);
  term.value = colon == std::string::npos ? rest : rest.substr(colon + 1);
  return term;
}

bool Matches(const Selectable& node, const Term& term) {
  if (term.method.empty()) return MatchesGlob(term.value, node.name);
  if (term.method == "source") return MatchesGlob(term.value, node.source) && !node.source.empty();
  if (term.method == "kind") return node.kind == term.value;
  if (term.method == "tag") return std::find(node.tags.begin(), node.tags.end(), term.value) != node.tags.end();
  return MatchesGlob(term.value, node.file) ||
         node.file.starts_with(term.value + (term.value.ends_with('/') ? "" : "/"));
}

/// Values a term's method could have named, for suggestions.
std::vector<std::string> KnownValues(const std::vector<Selectable>& nodes, const std::string& method,
                                     const std::vector<std::string>& sources) {
  Names values;
  if (method == "source") values.insert(sources.begin(), sources.end());
  for (const Selectable& node : nodes) {
    if (method.empty()) values.insert(node.name);
    if (method == "kind") values.insert(node.kind);
    if (method == "path" && !node.file.empty()) values.insert(node.file);
    if (method == "tag") values.insert(node.tags.begin(), node.tags.end());
  }
  return {values.begin(), values.end()};
}

[[noreturn]] void RefuseTerm(const std::vector<Selectable>& nodes, const Term& term,
                             const std::vector<std::string>& sources) {
  static const std::vector<std::string> kMethods = {"source", "tag", "kind", "path"};
  const bool known_method =
      term.method.empty() || std::find(kMethods.begin(), kMethods.end(), term.method) != kMethods.end();
  Diagnostic fault{.code = "LEAT0120"};
  if (!known_method) {
    fault.message = fmt::format("'{}:' is no way to select; expected source:, tag:, kind: or path:", term.method);
    SuggestNearest(fault, term.method, kMethods);
  } else {
    fault.message = fmt::format("selection '{}' matches no table", term.text);
    SuggestNearest(fault, term.value, KnownValues(nodes, term.method, sources));
  }
  if (fault.help.empty()) fault.help.push_back("`leat status --all` lists the tables of this project");
  throw Error(kConfig, std::move(fault));
}

class Graph {
 public:
  explicit Graph(const std::vector<Selectable>& nodes) {
    for (const Selectable& node : nodes) {
      for (const std::string& input : node.inputs) {
        above_[node.name].insert(input);
        below_[input].insert(node.name);
      }
      names_.insert(node.name);
    }
  }

  void Widen(Names& names, const Term& term) const {
    const Names start = names;
    Walk(start, above_, term.levels_up, names);
    Walk(start, below_, term.levels_down, names);
  }

 private:
  void Walk(Names front, const std::map<std::string, Names>& edges, int levels, Names& reached) const {
    for (int level = 0; level < levels && !front.empty(); ++level) {
      Names next;
      for (const std::string& name : front) {
        const auto found = edges.find(name);
        if (found == edges.end()) continue;
        for (const std::string& neighbour : found->second)
          if (names_.contains(neighbour) && !reached.contains(neighbour)) next.insert(neighbour);
      }
      reached.insert(next.begin(), next.end());
      front = std::move(next);
    }
  }

  Names names_;
  std::map<std::string, Names> above_, below_;
};

Names SelectTerm(const std::vector<Selectable>& nodes, const Graph& graph, const std::string& text,
                 const std::vector<std::string>& sources) {
  const Term term = ParseTerm(text);
  Names names;
  for (const Selectable& node : nodes)
    if (Matches(node, term)) names.insert(node.name);
  if (names.empty()) RefuseTerm(nodes, term, sources);
  graph.Widen(names, term);
  return names;
}

std::vector<std::string> Words(const std::string& selection) {
  std::vector<std::string> words;
  for (const std::string& word : Split(selection, ' '))
    if (!Trim(word).empty()) words.emplace_back(Trim(word));
  return words;
}

Names SelectUnion(const std::vector<Selectable>& nodes, const Graph& graph, const std::string& selection,
                  const std::vector<std::string>& sources) {
  Names all;
  for (const std::string& word : Words(selection)) {
    std::optional<Names> common;
    for (const std::string& part : Split(word, ',')) {
      const Names names = SelectTerm(nodes, graph, part, sources);
      if (common)
        std::erase_if(*common, [&](const std::string& name) { return !names.contains(name); });
      else
        common = names;
    }
    all.merge(*common);
  }
  return all;
}

}  // namespace

std::set<std::string> Select(const std::vector<Selectable>& nodes, const std::string& selection,
                             const std::string& exclude, const std::vector<std::string>& sources) {
  const Graph graph(nodes);
  Names selected;
  if (Words(selection).empty())
    for (const Selectable& node : nodes) selected.insert(node.name);
  else
    selected = SelectUnion(nodes, graph, selection, sources);
  for (const std::string& name : SelectUnion(nodes, graph, exclude, sources)) selected.erase(name);
  return selected;
}

std::set<std::string> SourcesNamed(const std::string& selection) {
  Names sources;
  for (const std::string& word : Words(selection))
    for (const std::string& part : Split(word, ','))
      if (const Term term = ParseTerm(part); term.method == "source") sources.insert(term.value);
  return sources;
}

}  // namespace leat::pipeline
