#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/recipe.h"
#include "pipeline/plan.h"
#include "pipeline/run.h"

namespace leat::pipeline {

using Recipes = std::map<std::string, models::Recipe>;

/// What each table was made from the last time, by name. `store` may be null.
Recipes ReadRecipes(state::Store* store);

/// What the project says of a stream of `source`; with its key, be that the source's own, and the rules of schema.yml.
models::Recipe RecipeOf(const config::Project& project, const config::Source& source,
                        const sources::StreamInfo& stream);

/// Tables of `recipes` that the project no longer makes: a model's file is gone, a stream is skipped, a source was
/// removed. `plan` is one of everything; of a source that did not answer nothing counts as gone.
std::vector<std::string> TablesGone(const config::Project& project, const Plan& plan, const Recipes& recipes);

/// Whether a run of these options is about all tables.
bool IsOfEverything(const RunOptions& options);

}  // namespace leat::pipeline
