#pragma once

#include <map>
#include <optional>
#include <string>

#include "config/project.h"
#include "engine/engine.h"
#include "models/graph.h"
#include "models/macros.h"

namespace leat::models {

/// What a table was made from, in the words of its author. A fingerprint tells whether anything has changed since; this
/// tells what. Texts are by name, so that any two recipes can be compared part by part.
struct Recipe {
  using Texts = std::map<std::string, std::string>;

  std::string sql;  ///< of a model, without its head
  Texts settings;   ///< `key` -> `(staff_id)`; those that are not given are left out
  Texts checks;     ///< `not_null(staff_id)` -> how it is judged
  Texts warehouse;  ///< `table`, `rename staff_id`, `types amount`
  Texts macros;     ///< what they mean
  Texts inputs;     ///< tables and seeds that were read -> what stands for their rows

  bool operator==(const Recipe&) const = default;
};

/// As JSON, for the state database.
std::string FormatRecipe(const Recipe& recipe);
/// Nothing for a text that is no recipe.
std::optional<Recipe> ParseRecipe(const std::string& text);

/// What `node` would be made from now. Binds nothing and reads no row; versions of inputs come from the engine.
Recipe RecipeOf(const engine::Engine& engine, const Macros& macros, const Graph& graph, const Node& node);

/// Rules as a recipe has them.
Recipe::Texts ChecksOf(const std::vector<config::CheckRule>& rules);

/// The SQL of a model's file without its head, and the line of the file in which it begins.
struct SqlPart {
  std::string sql;
  int line = 1;
};
SqlPart SqlOf(const config::Model& model);

}  // namespace leat::models
