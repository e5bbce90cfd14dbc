#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "config/project.h"
#include "core/cancel.h"
#include "warehouse/warehouse.h"

namespace leat::warehouse {

/// What a warehouse is opened with.
struct OpenOptions {
  const CancelFlag* cancel = nullptr;  ///< outlives the warehouse; may be null
  TargetGuard guard = {};
  std::chrono::milliseconds wait{0};  ///< for another process that has the warehouse's file open
};

/// The warehouse behind a connection of the project. Nothing is connected to before it is used.
std::unique_ptr<Warehouse> Open(const config::Connection& connection, OpenOptions options);

/// Files that the project's warehouse opens inside the run's DuckDB, which must allow them; none for a server.
std::vector<std::string> FilesOf(const config::Project& project);

}  // namespace leat::warehouse
