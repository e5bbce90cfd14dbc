#include "pipeline/validate.h"

#include <algorithm>
#include <set>

#include "models/models.h"
#include "pipeline/described_streams.h"
#include "pipeline/load.h"
#include "pipeline/plan.h"
#include "pipeline/workspace.h"
#include "sources/source.h"

namespace leat::pipeline {
namespace {

class Validator {
 public:
  Validator(const config::Project& project, LookUp look_up, const CancelFlag& cancel)
      : project_(project),
        look_up_(look_up),
        cancel_(cancel),
        workspace_(project, Workspace::Access::kRead, cancel),
        macros_(workspace_.engine().connection(), project.macros) {}

  Validation Run() {
    Count();
    for (const auto& [model, tables] : ReadsOfModels(project_, workspace_, macros_))
      read_.insert(tables.begin(), tables.end());
    read_.merge(DescribedStreams(project_));
    for (const config::Source& source : project_.sources) FindStreams(source);
    Collect([&] { RefuseDoubledTables(project_, names_); });
    Add(UnmatchedLoads(project_, names_, unasked_));
    const models::Graph graph =
        models::MakeGraph(workspace_.engine().connection(), project_, macros_, Names(), validation_.diagnostics);
    Add(UnknownStreams(project_, names_, [](const std::string&) { return true; }));
    Add(models::Validate(workspace_.engine(), macros_, project_, graph, discovered_));
    validation_.streams = static_cast<int>(names_.size());
    return std::move(validation_);
  }

 private:
  template <typename Work>
  void Collect(Work work) {
    try {
      work();
    } catch (const Error& error) {
      validation_.diagnostics.push_back(error.diagnostic());
    }
  }

  void Count() {
    validation_.sources = static_cast<int>(project_.sources.size());
    validation_.models = static_cast<int>(project_.models.size());
    validation_.checks = static_cast<int>(project_.checks.size());
    for (const config::Model& model : project_.models) validation_.checks += static_cast<int>(model.checks.size());
    for (const auto& stream : project_.streams) validation_.checks += static_cast<int>(stream.checks.size());
  }

  /// Columns of a source's streams are those of the last run; the source is asked only for what the lake does not have.
  void FindStreams(const config::Source& source) {
    const std::string prefix = source.name + ".";
    bool loaded = false;
    for (const std::string& name : workspace_.engine().Names()) {
      if (!name.starts_with(prefix)) continue;
      loaded = true;
      names_.insert(engine::ProducerOf(name));
    }
    const bool missing = std::any_of(read_.begin(), read_.end(), [&](const std::string& name) {
      return name.starts_with(prefix) && !workspace_.engine().Knows(name);
    });
    if (loaded && !missing && !IsMeantByLoad(source)) return;
    if (look_up_ == LookUp::kWhereUnknown)
      AskSource(source);
    else
      AcceptUnknown(source);
  }

  /// Whether a pattern of `load` matches nothing so far and may mean a table of this source.
  bool IsMeantByLoad(const config::Source& source) const {
    return UnmatchedLoads(project_, names_, {}).size() > UnmatchedLoads(project_, names_, {source.name}).size();
  }

  void AskSource(const config::Source& source) {
    try {
      for (const sources::StreamInfo& stream : sources::OpenSource(project_, source, cancel_)->Discover()) {
        if (stream.fault) validation_.diagnostics.push_back(*stream.fault);
        // What an API has is known when it was read.
        if (!stream.columns.empty()) discovered_[stream.name] = stream.columns;
        names_.insert(stream.name);
      }
    } catch (const Error& error) {
      Error placed = error;
      placed.SetPlace(source.connection.place);
      validation_.unreachable = validation_.unreachable || IsUnreachable(error);
      validation_.diagnostics.push_back(placed.diagnostic());
      AcceptUnknown(source);
    }
  }

  /// Names of a source that does not say what it has: whatever models read of it may be right.
  void AcceptUnknown(const config::Source& source) {
    unasked_.insert(source.name);
    for (const std::string& name : read_)
      if (name.starts_with(source.name + ".")) names_.insert(engine::ProducerOf(name));
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names(names_.begin(), names_.end());
    for (const config::Seed& seed : project_.seeds) names.push_back(seed.name);
    return names;
  }

  void Add(const std::vector<Diagnostic>& faults) {
    validation_.diagnostics.insert(validation_.diagnostics.end(), faults.begin(), faults.end());
  }

  const config::Project& project_;
  const LookUp look_up_;
  const CancelFlag& cancel_;
  Workspace workspace_;
  models::Macros macros_;
  std::set<std::string> read_;                                   ///< names that models read
  std::set<std::string> names_;                                  ///< of streams
  std::set<std::string> unasked_;                                ///< sources that may have more than those
  std::map<std::string, std::vector<duck::Column>> discovered_;  ///< columns of streams, from sources that were asked
  Validation validation_;
};

}  // namespace

Validation Validate(const config::Project& project, LookUp look_up, const CancelFlag& cancel) {
  return Validator(project, look_up, cancel).Run();
}

}  // namespace leat::pipeline
