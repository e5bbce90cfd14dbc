#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/project.h"
#include "models/model_output.h"

namespace leat::models {

/// A rule that each row keeps or breaks by itself.
struct RowRule {
  std::string name;  ///< `not_null(design_id)`
  std::string code;  ///< LEAT0701, …
  config::CheckSeverity severity = config::CheckSeverity::kError;
  Place place;
  std::string column;
  std::string broken;      ///< SQL condition on a row `r`; never NULL
  std::string complaint;   ///< `are NULL`; follows "3 of 5 099 rows"
  std::string references;  ///< table it looks into; empty: none
};

/// Columns whose values, together, no two rows share; rows with a NULL in one of them are left out.
struct UniqueRule {
  std::string name;
  config::CheckSeverity severity = config::CheckSeverity::kError;
  Place place;
  std::vector<std::string> columns;
  std::string where;
};

/// How many rows the whole table has.
struct CountRule {
  std::string name;
  config::CheckSeverity severity = config::CheckSeverity::kError;
  Place place;
  std::optional<int64_t> min, max;
  std::string where;
};

struct RuleSet {
  std::vector<RowRule> rows;
  std::vector<UniqueRule> unique;
  std::vector<CountRule> counts;
};

/// What rules need to know of a table they refer to.
struct ReferenceTarget {
  std::vector<std::string> key;
  std::string key_type;  ///< of its first column, as SQL writes it; empty: unknown
};
/// Of a model, or of a stream or model that the engine reads; nothing for a table that is neither.
std::optional<ReferenceTarget> TargetOf(engine::Engine& engine, const config::Project& project,
                                        const std::string& table);
using FindTarget = std::function<std::optional<ReferenceTarget>(const std::string& table)>;

/// Turn a model's checks into SQL. References name their table as SQL does; a reference to the model itself reads
/// `self`. Faults go to `diagnostics`, and their rule is left out: LEAT0217 unknown column, LEAT0218 a rule that cannot
/// apply (`reject` where no single row is at fault, a reference to a table without a key of one column or of another
/// type, a value that the column's type cannot hold); LEAT0135 a reference of schema.yml to another column than the
/// key; LEAT0136 a column of another type than schema.yml says.
RuleSet RulesOf(duck::Connection& connection, const config::Model& model, const ModelOutput& output,
                const FindTarget& find_target, const std::string& self, std::vector<Diagnostic>& diagnostics);

/// Text of all rules, for fingerprints: a change makes the next check a full one.
std::string TextOfRules(const config::Model& model);

}  // namespace leat::models
