#include "config/targets.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/check_fields.h"
#include "config/fields.h"
#include "core/file_system.h"
#include "core/text.h"

namespace leat::config {
namespace {

constexpr std::string_view kKey = "targets";
constexpr const char* kVariable = "LEAT_TARGET";

/// A copy in which everything is of the target.
YamlPointer OfTarget(const YamlPointer& node) {
  if (node == nullptr) return nullptr;
  auto copy = std::make_shared<YamlNode>(*node);
  copy->origin = Origin::kTarget;
  for (YamlPointer& item : copy->items) item = OfTarget(item);
  for (YamlEntry& entry : copy->entries) entry.value = OfTarget(entry.value);
  return copy;
}

/// Whether a map is to be of another `type`, to which the fields of the old one do not belong.
bool ChangesType(const YamlNode& base, const YamlNode& over) {
  const YamlEntry* was = base.Find("type");
  const YamlEntry* is = over.Find("type");
  const auto is_word = [](const YamlEntry* type) {
    return type != nullptr && type->value->kind == YamlNode::Kind::kScalar;
  };
  return is_word(was) && is_word(is) && was->value->text != is->value->text;
}

/// Lay `over` over `base`, which may be absent.
YamlPointer Merge(const YamlPointer& base, const YamlPointer& over) {
  if (over->kind != YamlNode::Kind::kMap) return OfTarget(over);
  const bool is_base = base != nullptr && base->kind == YamlNode::Kind::kMap && !ChangesType(*base, *over);
  auto merged = std::make_shared<YamlNode>(is_base ? *base : YamlNode{.kind = YamlNode::Kind::kMap});
  merged->place = over->place;
  for (const YamlEntry& entry : over->entries) {
    const auto found = std::find_if(merged->entries.begin(), merged->entries.end(),
                                    [&](const YamlEntry& other) { return other.key == entry.key; });
    const bool removes = entry.value->kind == YamlNode::Kind::kNull;
    if (found == merged->entries.end()) {
      if (!removes) merged->entries.push_back({entry.key, entry.key_place, Merge(nullptr, entry.value)});
    } else if (removes) {
      merged->entries.erase(found);
    } else {
      *found = {entry.key, entry.key_place, Merge(found->value, entry.value)};
    }
  }
  return merged;
}

/// Where a target keeps its tables.
struct Home {
  std::string target;
  Located<std::string> lake, state;
  Place lake_place, state_place;  ///< of each, or of the other where only that is the target's
};

Home HomeOf(const std::string& target, const Values& values, const std::string& folder) {
  Home home{target,
            AbsoluteFrom(folder, values.LocatedText("lake")),
            AbsoluteFrom(folder, values.LocatedText("state")),
            {},
            {}};
  const auto is_targets = [&](const char* key) {
    return values.Has(key) && values.Find(key)->origin == Origin::kTarget;
  };
  home.lake_place = is_targets("lake") || !is_targets("state") ? home.lake.place : home.state.place;
  home.state_place = is_targets("state") || !is_targets("lake") ? home.state.place : home.lake.place;
  return home;
}

/// What is wrong with two homes, to be told of `home`; nullopt: they are one or apart.
std::optional<Diagnostic> Clash(const Home& home, const Home& other) {
  const bool same_lake = home.lake.value == other.lake.value;
  const bool same_state = home.state.value == other.state.value;
  if (same_lake && same_state) return std::nullopt;
  const std::string own_state =
      fmt::format("give target {} a state database of its own:  state: ./.leat/{}/state.db", home.target, home.target);
  if (same_state)
    return MakeFault("LEAT0142", home.state_place,
                     fmt::format("target {} has the lake {} and the state database {}, which belongs to the lake {} of "
                                 "target {}; expected a state database for each lake",
                                 home.target, home.lake.value, home.state.value, other.lake.value, other.target),
                     own_state);
  if (same_lake)
    return MakeFault("LEAT0142", home.lake_place,
                     fmt::format("target {} has the state database {} and the lake {}, which belongs to the state "
                                 "database {} of target {}; expected one state database for a lake",
                                 home.target, home.state.value, home.lake.value, other.state.value, other.target),
                     fmt::format("give target {} a lake of its own:  lake: ./lakes/{}", home.target, home.target));
  if (ParentPath(home.state.value) != ParentPath(other.state.value)) return std::nullopt;
  return MakeFault(
      "LEAT0142", home.state_place,
      fmt::format("the state databases of targets {} and {} are in one folder, {}, where the logs of their "
                  "runs would replace each other; expected a folder for each",
                  home.target, other.target, ParentPath(home.state.value)),
      own_state);
}

}  // namespace

Targets::Targets(const YamlPointer& root, std::vector<Diagnostic>& diagnostics)
    : file_(root), known_(root->kind == YamlNode::Kind::kMap) {
  const YamlEntry* given = known_ ? root->Find(kKey) : nullptr;
  if (given == nullptr) return;
  auto file = std::make_shared<YamlNode>(*root);
  std::erase_if(file->entries, [](const YamlEntry& entry) { return entry.key == kKey; });
  file_ = file;
  CheckShape(*given, diagnostics);
  for (const YamlEntry& target : given->value->entries) {
    if (target.value->kind != YamlNode::Kind::kMap) continue;
    CheckFields(target.value, kTargetSection, diagnostics);
    if (target.key != kNoTarget) {
      targets_.push_back(target);
      continue;
    }
    diagnostics.push_back(MakeFault("LEAT0141", target.key_place,
                                    "a target is called default, which is the file without any target",
                                    "rename it, or set its values at the top of the file"));
  }
}

void Targets::CheckShape(const YamlEntry& given, std::vector<Diagnostic>& diagnostics) {
  auto targets = std::make_shared<YamlNode>(*given.value);
  for (YamlEntry& target : targets->entries)
    if (target.value->kind == YamlNode::Kind::kMap)
      target.value = std::make_shared<YamlNode>(
          YamlNode{.kind = YamlNode::Kind::kMap, .place = target.value->place});  // what is inside comes later
  auto alone = std::make_shared<YamlNode>(YamlNode{.kind = YamlNode::Kind::kMap, .place = given.key_place});
  alone->entries.push_back({given.key, given.key_place, targets});
  const Section section{{kProjectSection.Find(kKey), 1}};
  known_ = !CheckFields(alone, section, diagnostics).HasFaultyPart(kKey);
}

std::vector<std::string> Targets::Names() const {
  std::vector<std::string> names{std::string(kNoTarget)};
  for (const YamlEntry& entry : targets_) names.push_back(entry.key);
  return names;
}

Located<std::string> Targets::Choose(const std::string& wanted, const Environment& environment) const {
  Located<std::string> chosen{wanted, {}};
  if (wanted.empty())
    if (const auto variable = environment(kVariable)) chosen = {*variable, {.file = kVariable}};
  if (chosen.value.empty()) chosen.value = kNoTarget;
  const std::vector<std::string> names = Names();
  if (std::find(names.begin(), names.end(), chosen.value) != names.end()) return chosen;
  if (!known_) return {std::string(kNoTarget), {}};  // reported; the name may well stand in what is faulty
  const auto near = NearestNames(chosen.value, names);
  throw Error(kConfig, "LEAT0140", chosen.place,
              fmt::format("target '{}' does not exist{}", Shorten(chosen.value, 80),
                          near.empty() ? "" : fmt::format("; did you mean {}?", near.front())))
      .Hint(fmt::format("targets of leat.yaml: {}", Join(names, ", ")));
}

YamlPointer Targets::With(std::string_view target) const {
  const auto found =
      std::find_if(targets_.begin(), targets_.end(), [&](const YamlEntry& entry) { return entry.key == target; });
  return found == targets_.end() ? file_ : Merge(file_, found->value);
}

void Targets::CheckOthers(std::string_view chosen, const Environment& environment,
                          std::vector<Diagnostic>& diagnostics) const {
  for (const YamlEntry& target : targets_) {
    if (target.key == chosen) continue;
    std::vector<Diagnostic> found;
    CheckFields(ApplyEnvironment(With(target.key), kProjectSection, environment), kProjectSection, found);
    for (Diagnostic& fault : found) fault.notes.push_back(fmt::format("with target {}", target.key));
    AddNew(found, diagnostics);
  }
}

void Targets::CheckHomes(const std::string& folder, std::vector<Diagnostic>& diagnostics) const {
  std::vector<Home> homes;
  for (const std::string& target : Names()) {
    std::vector<Diagnostic> reported_elsewhere;
    const Home home = HomeOf(target, CheckFields(With(target), kProjectSection, reported_elsewhere), folder);
    if (home.lake.value.empty() || home.state.value.empty()) continue;
    for (const Home& other : homes) {
      auto fault = Clash(home, other);
      if (!fault) continue;
      diagnostics.push_back(std::move(*fault));
      break;
    }
    homes.push_back(home);
  }
}

void AddNew(const std::vector<Diagnostic>& found, std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& fault : found) {
    const bool known = std::any_of(diagnostics.begin(), diagnostics.end(), [&](const Diagnostic& other) {
      return other.code == fault.code && other.place == fault.place && other.message == fault.message;
    });
    if (!known) diagnostics.push_back(fault);
  }
}

Located<std::string> AbsoluteFrom(const std::string& folder, Located<std::string> path) {
  if (!path.value.empty())
    path.value = AbsolutePath(path.value.starts_with('/') ? path.value : JoinPath(folder, path.value));
  return path;
}

}  // namespace leat::config
