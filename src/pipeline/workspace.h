#pragma once

#include <map>
#include <memory>
#include <optional>

#include "config/project.h"
#include "engine/engine.h"
#include "lake/table.h"
#include "state/state.h"

namespace leat::pipeline {

/// Threads that a run has: those of the project, else the machine's cores.
int ThreadCount(const config::Limits& limits);
/// What DuckDB may take by a project's limits. Its own limit covers only its buffer manager, so by default half of the
/// machine's memory leaves room for the rest.
int64_t MemoryBytes(const config::Limits& limits);

/// Where DuckDB puts what does not fit into memory.
std::string SpillFolder(const config::Project& project);

/// A project opened for work: its state, its lake, and a DuckDB in which its tables have names.
/// Used by one thread; connections of its database may be used by others.
class Workspace {
 public:
  enum class Access {
    kWrite,  ///< makes the state database and the lake's folder if they are absent
    kRead  ///< makes and upgrades nothing; a project that never ran has no tables; DuckDB reads the lake and the seeds
           ///< and nothing else
  };
  Workspace(const config::Project& project, Access access, const CancelFlag& cancel);

  /// Nothing if the project never ran and access is kRead.
  state::Store* store() { return store_.get(); }
  const lake::Storage& storage() const { return *storage_; }
  engine::Engine& engine() { return *engine_; }
  duck::Database& database() { return *database_; }
  const lake::TableWriter& writer() const { return *writer_; }
  int threads() const { return threads_; }

  /// Tables as published.
  const std::map<state::TableName, lake::Table>& tables() const { return tables_; }
  /// Take in a table that was published just now.
  void Published(const lake::Table& table);

  /// Whether another run was at work between the opening and the begin of `run`, so that what was read here may be old.
  bool WasOvertaken(const state::Run& run);
  /// Read all tables as they are published now.
  void Reload();

 private:
  int threads_;
  std::unique_ptr<state::Store> store_;
  std::unique_ptr<lake::Storage> storage_;
  std::unique_ptr<lake::TableWriter> writer_;
  std::unique_ptr<duck::Database> database_;
  std::unique_ptr<engine::Engine> engine_;
  std::map<state::TableName, lake::Table> tables_;
  std::optional<state::Run> last_run_;  ///< when the tables were read
  std::map<state::TableName, std::string> pointers_;
};

}  // namespace leat::pipeline
