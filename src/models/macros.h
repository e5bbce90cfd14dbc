#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/project.h"
#include "duck/database.h"

namespace leat::models {

struct Macro;
struct SelectReads;

/// The project's macros, known by what their bodies read, and made in DuckDB when a statement calls them.
/// Used by one thread at a time.
class Macros {
 public:
  /// Parse every file of `macros/`.
  /// Throws: Error(kConfig) with place: LEAT0215 for anything but CREATE MACRO, LEAT0201 for a body with a syntax
  /// error.
  Macros(duck::Connection& connection, const std::vector<config::MacroFile>& files);
  ~Macros();

  /// Nothing if no macro has this name; both parts in lower case, `schema` empty for an unqualified one.
  const Macro* Find(const std::string& schema, const std::string& name) const;

  /// The macro that a call of the syntax tree means: by its schema and name, or as `column.name(…)`, a method of a
  /// value.
  const Macro* FindCalled(const nlohmann::json& call) const;

  /// Make these macros, named as in SelectReads::macros, once in `connection`'s database. The tables they read must be
  /// bound. Throws: Error(kConfig, LEAT0213) with the place in the macro's file.
  void Make(duck::Connection& connection, const std::vector<std::string>& names);

  /// Make them anew when they are next asked for: the database lost them with a transaction.
  void Forget() { made_.clear(); }

  /// What ReadsOf found in this SELECT before, or null: it follows from the text and the macros alone.
  const SelectReads* FindReads(const std::string& file, const std::string& text) const;
  void Remember(const std::string& file, const std::string& text, const SelectReads& reads) const;

  /// Text of these macros, for fingerprints.
  std::string TextOf(const std::vector<std::string>& names) const;

 private:
  std::map<std::string, std::unique_ptr<Macro>> macros_;
  std::set<std::string> made_;
  const duck::Database* made_in_ = nullptr;
  // A memory and no state: who asks twice gets the same answer sooner. By file and text.
  mutable std::map<std::pair<std::string, std::string>, std::unique_ptr<SelectReads>> reads_;
};

}  // namespace leat::models
