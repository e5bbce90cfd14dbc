#include "warehouse/open.h"

#include <algorithm>

#include "config/postgres_options.h"
#include "warehouse/duckdb/duckdb_warehouse.h"
#include "warehouse/postgres/postgres_warehouse.h"

namespace leat::warehouse {
namespace {

std::unique_ptr<Warehouse> OpenServer(const config::Connection& connection, OpenOptions options) {
  return OpenPostgres(config::PostgresOptions(connection), options.cancel, std::move(options.guard));
}

/// The guard stays out: no source reads a DuckDB file.
std::unique_ptr<Warehouse> OpenFile(const config::Connection& connection, OpenOptions options) {
  return duckdb::OpenDuckdb(
      {.path = connection.path.value, .place = connection.path.place, .wait = options.wait, .cancel = options.cancel});
}

std::vector<std::string> NoFiles(const config::Connection&) { return {}; }
std::vector<std::string> DuckdbFiles(const config::Connection& connection) {
  return duckdb::FilesBeside(connection.path.value);
}

/// The kinds of warehouses; their fields are declared in `config/`.
constexpr struct {
  const char* type;
  std::unique_ptr<Warehouse> (*open)(const config::Connection&, OpenOptions);
  std::vector<std::string> (*files)(const config::Connection&);
} kWarehouseKinds[] = {
    {"postgres", &OpenServer, &NoFiles},
    {"duckdb", &OpenFile, &DuckdbFiles},
};

const auto& KindOf(const config::Connection& connection) {
  return *std::ranges::find_if(kWarehouseKinds, [&](const auto& kind) { return connection.type == kind.type; });
}

}  // namespace

std::unique_ptr<Warehouse> Open(const config::Connection& connection, OpenOptions options) {
  return KindOf(connection).open(connection, std::move(options));
}

std::vector<std::string> FilesOf(const config::Project& project) {
  if (!project.warehouse) return {};
  const config::Connection& connection = project.connections.at(project.warehouse->connection.value);
  return KindOf(connection).files(connection);
}

}  // namespace leat::warehouse
