#include "pipeline/load_guard.h"

#include <fmt/format.h>

#include "config/postgres_options.h"
#include "pipeline/plan.h"
#include "warehouse/postgres/postgres_warehouse.h"

namespace leat::pipeline {

void LoadGuard::Check(const warehouse::Identity& target) {
  if (!places_read_) places_read_ = PlacesRead();
  for (const auto& [source, place] : *places_read_) {
    if (!warehouse::IsSame(target, place)) continue;
    throw Error(
        kConfig, "LEAT0612", project_.warehouse->place,
        fmt::format("the warehouse is the schema {} of the database that source {} reads", target.schema, source))
        .Hint("give the warehouse a database or a schema of its own");
  }
}

/// What each source reads from; what does not answer was not read either.
std::map<std::string, warehouse::Identity> LoadGuard::PlacesRead() const {
  std::map<std::string, warehouse::Identity> places;
  for (const config::Source& source : project_.sources) {
    if (source.type != "postgres") continue;
    try {
      postgres::Connection connection(config::PostgresOptions(project_.connections.at(source.connection.value)),
                                      &cancel_);
      places[source.name] = warehouse::IdentityOf(connection, source.schema);
    } catch (const Error& error) {
      if (!IsUnreachable(error)) throw;
    }
  }
  return places;
}

}  // namespace leat::pipeline
