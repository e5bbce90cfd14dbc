#include "models/parameters.h"

#include <fmt/format.h>

#include "core/text.h"
#include "models/sql_tokens.h"

namespace leat::models {

const std::vector<ParameterRule>& ParameterRules() {
  static const std::vector<ParameterRule> kRules = {
      {"run_time", std::nullopt},
      {"period_start", config::ModelKind::kPeriod},
      {"period_end", config::ModelKind::kPeriod},
      {"since", config::ModelKind::kIncremental},
  };
  return kRules;
}

void RefuseParametersOfOthers(const SelectReads& reads, std::optional<config::ModelKind> kind, const std::string& file,
                              const std::string& text) {
  for (const ParameterRule& rule : ParameterRules()) {
    const bool is_used = std::ranges::find(reads.parameters, rule.name) != reads.parameters.end();
    if (!is_used || !rule.kind || rule.kind == kind) continue;
    const std::string word = KindName(*rule.kind);
    throw Error(kConfig, "LEAT0230", PlaceOfParameter(file, text, rule.name),
                fmt::format("parameter ${} is of models of `kind: {}`; {}", rule.name, word,
                            kind ? fmt::format("this one is of `kind: {}`", KindName(*kind)) : "this is no model"))
        .Label("has no value here")
        .Hint(kind ? fmt::format("set  kind: {}  in the head, or write the value", word) : "write the value");
  }
}

duck::Parameter SinceParameter(Timestamp since) { return {"since", since, duck::Parameter::Type::kTimestampTz}; }

}  // namespace leat::models
