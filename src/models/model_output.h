#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/project.h"
#include "engine/engine.h"
#include "lake/schema.h"

namespace leat::models {

/// What a model's SELECT gives.
struct ModelOutput {
  std::vector<duck::Column> columns;  ///< of the SELECT (or the calendar), names in lower case, without leat's own
  lake::Schema schema;                ///< of the table: a record id first and `_leat_seq` last for history

  const duck::Column* Find(const std::string& column) const;
};

/// Prepare the model's SELECT against what is bound in the engine. Runs nothing.
/// Throws: Error(kConfig) with place: what ExplainFault says; LEAT0210 a type that Iceberg lacks; LEAT0214 of history
/// models; LEAT0216 a column without a usable name, named twice, or named like the record id.
ModelOutput OutputOf(engine::Engine& engine, const config::Model& model);

/// The columns that identify a row: the head's `key`, or `date_id` of a calendar.
std::vector<std::string> KeyOf(const config::Model& model);

/// The columns that leat adds to the tables of scd2 models: valid_from, valid_to, is_current.
const std::vector<duck::Column>& IntervalColumns();
bool IsIntervalColumn(const std::string& column);

/// How the versions of `totesys.sales_order__history`, which is bound, are ordered and dated.
/// Throws: as engine::VersionOrderOf.
engine::VersionOrder OrderOfVersions(engine::Engine& engine, const std::string& history);

/// Place of the expression that makes output column `column`, or of the head.
Place PlaceOfOutputColumn(engine::Engine& engine, const config::Model& model, const std::string& column);

/// Why the column `before` of the published table cannot become that of `wanted` but by a full refresh, at the place
/// that makes it; nothing where it can, or is gone. Types of columns grow, and never become others.
std::optional<Diagnostic> RefuseType(engine::Engine& engine, const config::Model& model, const lake::Field& before,
                                     const lake::Schema& wanted);

/// Check that key, record_id, `warehouse:` and schema.yml name columns of `output`; LEAT0217 with the nearest name for
/// each that does not.
std::vector<Diagnostic> CheckHeadColumns(const config::Model& model, const ModelOutput& output);

/// LEAT0217 for a column that the head names and the SELECT does not give.
Diagnostic UnknownHeadColumn(const config::Model& model, const ModelOutput& output,
                             const config::Located<std::string>& column, const std::string& where);

}  // namespace leat::models
