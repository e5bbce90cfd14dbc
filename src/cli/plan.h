#pragma once

#include "cli/exit_code.h"
#include "cli/session.h"
#include "pipeline/run.h"

namespace leat::cli {

/// Give the answer of `leat plan`, and of `leat run --dry-run`: what a run of `options` would change. Throws: as
/// pipeline::PlanChanges; Error(kConfig, LEAT0195) where the plan cannot be saved.
ExitCode AnswerPlan(Session& session, const config::Project& project, const pipeline::RunOptions& options);

}  // namespace leat::cli
