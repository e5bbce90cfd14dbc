#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "config/project.h"
#include "duck/database.h"

namespace leat::models {

struct Macro;

/// The project's macros, known by what their bodies read, and made in DuckDB when a statement calls them.
class Macros {
 public:
  /// Parse every file of `macros/`.
  /// Throws: Error(kConfig) with place: LEAT0215 for anything but CREATE MACRO, LEAT0201 for a body with a syntax
  /// error.
  Macros(duck::Connection& connection, const std::vector<config::MacroFile>& files);
  ~Macros();

  /// Nothing if no macro has this name; both parts in lower case, `schema` empty for an unqualified one.
  const Macro* Find(const std::string& schema, const std::string& name) const;

  /// Make these macros, named as in SelectReads::macros, once in `connection`'s database. The tables they read must be
  /// bound. Throws: Error(kConfig, LEAT0213) with the place in the macro's file.
  void Make(duck::Connection& connection, const std::vector<std::string>& names);

  /// Make them anew when they are next asked for: the database lost them with a transaction.
  void Forget() { made_.clear(); }

  /// Text of these macros, for fingerprints.
  std::string TextOf(const std::vector<std::string>& names) const;

 private:
  std::map<std::string, std::unique_ptr<Macro>> macros_;
  std::set<std::string> made_;
  const duck::Database* made_in_ = nullptr;
};

}  // namespace leat::models
