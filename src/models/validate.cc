#include "models/validate.h"

#include <set>
#include <utility>

#include "models/check_rules.h"
#include "models/model_output.h"
#include "models/query_fault.h"
#include "models/stream_checks.h"

namespace leat::models {
namespace {

/// Tables that are made in one transaction cost half of what they cost one by one. Some faults of a statement end it,
/// and all that was made in it is gone.
class Transaction {
 public:
  explicit Transaction(duck::Connection& connection) : connection_(connection) { connection_.Execute("BEGIN"); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() {
    if (open_) TryRun("COMMIT");
  }

  /// Returns whether it was found dead, and was ended; from then on each statement stands for itself.
  bool EndIfDead() {
    if (!open_ || TryRun("SELECT 1")) return false;
    open_ = false;
    TryRun("ROLLBACK");
    return true;
  }

 private:
  bool TryRun(const char* statement) noexcept {
    try {
      connection_.Execute(statement);
      return true;
    } catch (...) {
      return false;  // an engine whose transaction is lost shows it at its next statement
    }
  }

  duck::Connection& connection_;
  bool open_ = true;
};

class Validator {
 public:
  Validator(engine::Engine& engine, Macros& macros, const config::Project& project, const Graph& graph,
            const std::map<std::string, std::vector<duck::Column>>& streams)
      : engine_(engine), macros_(macros), project_(project), graph_(graph), columns_(streams) {
    for (const auto& [name, columns] : streams) {
      std::vector<duck::Column> history = columns;
      for (const char* own :
           {"_leat_op VARCHAR", "_leat_seq BIGINT", "_leat_time TIMESTAMP WITH TIME ZONE", "_leat_run BIGINT"}) {
        const std::string text = own;
        history.push_back({text.substr(0, text.find(' ')), text.substr(text.find(' ') + 1)});
      }
      columns_[name + std::string(engine::kHistorySuffix)] = std::move(history);
      columns_[name + std::string(engine::kAtSuffix)] = columns;
    }
  }

  Preparation Run() {
    Preparation prepared;
    for (const Node& node : graph_.nodes) {
      CheckModel(node);
      prepared.of_models[node.model->name] = ToldSince(prepared.diagnostics);
      MendTransaction();
    }
    for (const config::StreamProperties& stream : project_.streams) {
      CheckStream(stream);
      MendTransaction();
    }
    for (size_t i = 0; i < project_.checks.size(); ++i) {
      if (graph_.check_reads[i] && Bind(*graph_.check_reads[i])) CheckQuery(project_.checks[i]);
      MendTransaction();
    }
    prepared.of_others = ToldSince(prepared.diagnostics);
    prepared.outputs = std::move(outputs_);
    return prepared;
  }

 private:
  /// What was told since the last call, which `all` gets too.
  std::vector<Diagnostic> ToldSince(std::vector<Diagnostic>& all) {
    std::vector<Diagnostic> told = std::exchange(diagnostics_, {});
    all.insert(all.end(), told.begin(), told.end());
    return told;
  }

  void MendTransaction() {
    if (!transaction_.EndIfDead()) return;
    bound_.clear();
    macros_.Forget();
  }

  /// Returns whether all tables are known.
  bool Bind(const SelectReads& reads) {
    for (const std::string& name : reads.TableNames())
      if (!BindTable(name)) return false;
    try {
      macros_.Make(engine_.connection(), reads.macros);
    } catch (const Error& error) {
      diagnostics_.push_back(error.diagnostic());
      return false;
    }
    return true;
  }

  bool BindTable(const std::string& name) {
    if (bound_.contains(name)) return true;
    if (const auto known = columns_.find(name); known != columns_.end()) {
      engine_.BindEmpty(name, known->second);
    } else if (engine_.Knows(name) && project_.FindModel(name) == nullptr) {
      try {
        engine_.BindEmpty(name, engine_.ColumnsOf(name));
      } catch (const Error& error) {
        diagnostics_.push_back(error.diagnostic());
        return false;
      }
    } else {
      return false;
    }
    bound_.insert(name);
    return true;
  }

  void CheckModel(const Node& node) {
    if (!Bind(node.reads)) return;
    const config::Model& model = *node.model;
    try {
      const ModelOutput output = OutputOf(engine_, model);
      // As the lake will have them: a HUGEINT becomes a DECIMAL there.
      for (const lake::Field& field : output.schema.fields)
        if (!engine::IsOwnColumn(field.name)) columns_[model.name].push_back({field.name, lake::DuckType(field.type)});
      outputs_.insert_or_assign(model.name, output);
      for (Diagnostic& diagnostic : CheckHeadColumns(model, output)) diagnostics_.push_back(std::move(diagnostic));
      const std::string self = "(SELECT 1)";
      RulesOf(
          engine_.connection(), model, output, [&](const std::string& table) { return FindTarget(table); }, self,
          diagnostics_);
    } catch (const Error& error) {
      diagnostics_.push_back(error.diagnostic());
    }
  }

  std::optional<ReferenceTarget> FindTarget(const std::string& table) {
    const config::Model* model = project_.FindModel(table);
    if (model == nullptr) return TargetOf(engine_, project_, table);
    ReferenceTarget target{.key = KeyOf(*model)};
    std::vector<duck::Column> columns;
    if (model->kind == config::ModelKind::kDimDate)
      columns = OutputOf(engine_, *model).columns;
    else if (const auto known = columns_.find(table); known != columns_.end())
      columns = known->second;
    for (const duck::Column& column : columns)
      if (!target.key.empty() && column.name == target.key[0]) target.key_type = column.type;
    return target;
  }

  void CheckStream(const config::StreamProperties& stream) {
    const auto discovered = columns_.find(stream.name);
    if (discovered == columns_.end() && !engine_.Knows(stream.name)) return;
    try {
      const auto columns = discovered != columns_.end() ? discovered->second : engine_.ColumnsOf(stream.name);
      for (Diagnostic& diagnostic : ValidateStream(engine_.connection(), stream, columns,
                                                   [&](const std::string& table) { return FindTarget(table); }))
        diagnostics_.push_back(std::move(diagnostic));
    } catch (const Error& error) {
      diagnostics_.push_back(error.diagnostic());
    }
  }

  void CheckQuery(const config::CheckQuery& check) {
    try {
      engine_.connection().Describe(check.text);
    } catch (const duck::QueryError& error) {
      diagnostics_.push_back(ExplainFault(engine_, error, check.file, check.text).diagnostic());
    }
  }

  engine::Engine& engine_;
  Macros& macros_;
  const config::Project& project_;
  const Graph& graph_;
  std::map<std::string, std::vector<duck::Column>>
      columns_;  ///< of what the engine cannot know: models, streams never loaded
  std::set<std::string> bound_;
  std::map<std::string, ModelOutput> outputs_;
  std::vector<Diagnostic> diagnostics_;
  Transaction transaction_{engine_.connection()};
};

}  // namespace

Preparation Prepare(engine::Engine& engine, Macros& macros, const config::Project& project, const Graph& graph,
                    const std::map<std::string, std::vector<duck::Column>>& streams) {
  return Validator(engine, macros, project, graph, streams).Run();
}

std::vector<Diagnostic> Validate(engine::Engine& engine, Macros& macros, const config::Project& project,
                                 const Graph& graph, const std::map<std::string, std::vector<duck::Column>>& streams) {
  return Prepare(engine, macros, project, graph, streams).diagnostics;
}

}  // namespace leat::models
