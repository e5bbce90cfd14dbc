#include "pipeline/workspace.h"

#include <algorithm>
#include <thread>

#include "clients/postgres/scan.h"
#include "core/file_system.h"
#include "core/machine.h"
#include "duck/row_hash.h"
#include "warehouse/open.h"

namespace leat::pipeline {

int ThreadCount(const config::Limits& limits) {
  return limits.threads > 0 ? limits.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int64_t MemoryBytes(const config::Limits& limits) {
  return limits.memory_bytes > 0 ? limits.memory_bytes : MachineMemory().bytes / 2;
}

std::string SpillFolder(const config::Project& project) { return JoinPath(ParentPath(project.state.value), "tmp"); }

Workspace::Workspace(const config::Project& project, Access access, const CancelFlag& cancel)
    : threads_(ThreadCount(project.limits)) {
  const std::string temporary = SpillFolder(project);
  if (access == Access::kWrite) {
    MakeDirectories(temporary);
    MakeDirectories(project.lake.value);
  }
  if (access == Access::kWrite || PathExists(project.state.value))
    store_ =
        state::OpenSqlite(project.state.value, project.name, SystemClock(), {.upgrades = access == Access::kWrite});
  storage_ = lake::OpenLocalStorage(project.lake.value);
  writer_ = std::make_unique<lake::TableWriter>(*storage_);
  database_ = std::make_unique<duck::Database>(duck::Settings{.threads = threads_,
                                                              .memory_bytes = MemoryBytes(project.limits),
                                                              .temp_directory = temporary,
                                                              .cancel = &cancel});
  const std::string seeds = JoinPath(project.folder, "seeds");
  duck::RegisterRowHash(*database_);
  if (access == Access::kWrite) {
    duck::Connection connection(*database_);
    postgres::RegisterScan(connection);
  }
  if (access == Access::kWrite)
    database_->Lock({project.lake.value, seeds, temporary}, warehouse::FilesOf(project));
  else
    database_->Lock({project.lake.value, seeds});
  engine_ = std::make_unique<engine::Engine>(*database_, *storage_, project);
  if (store_ != nullptr) Reload();
}

void Workspace::Reload() {
  last_run_ = store_->LastRun();
  pointers_ = store_->Pointers();
  for (const auto& [name, location] : pointers_) Published(lake::Table::Load(*storage_, name, location));
}

bool Workspace::WasOvertaken(const state::Run& run) {
  const bool is_next = run.number == (last_run_ ? last_run_->number : 0) + 1;
  const bool was_alone = !last_run_ || last_run_->status != "running";
  return !is_next || !was_alone || store_->Pointers() != pointers_;
}

void Workspace::Published(const lake::Table& table) {
  engine_->Put(table.name(), engine::Relation::Of(table));
  tables_.insert_or_assign(table.name(), table);
}

}  // namespace leat::pipeline
