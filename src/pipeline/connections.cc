#include "pipeline/connections.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <set>

#include "clients/postgres/settled.h"
#include "config/fields.h"
#include "config/postgres_options.h"
#include "core/text.h"
#include "pipeline/load.h"
#include "sources/source.h"
#include "warehouse/open.h"
#include "warehouse/postgres/catalog.h"

namespace leat::pipeline {
namespace {

using std::chrono::steady_clock;

constexpr std::string_view kPostgres = "postgres";

/// Put what libpq settles on beside what the project gives.
void AddSettled(const config::Connection& connection, ConnectionView& view) {
  const postgres::Settled settled = postgres::Settle(config::PostgresSettings(connection));
  for (const auto& [key, value] :
       {std::pair("host", &settled.host), std::pair("port", &settled.port), std::pair("database", &settled.database),
        std::pair("user", &settled.user), std::pair("sslmode", &settled.sslmode)})
    if (!value->origin.empty()) view.values.push_back({key, value->value, value->origin});
  // What the project names has to be there; only where it names nothing does libpq look further.
  if (!view.password_written.empty()) return;
  view.looked_in = settled.password_looked_in;
  if (view.password_origin.empty()) view.password_origin = settled.password_origin;
}

/// In the order in which the fields of a connection are declared, whoever gave their values.
void SortValues(ConnectionView& view) {
  const auto fields = config::kProjectSection.Find("connections")->section->AllFields();
  const auto place = [&](const ConnectionView::Value& value) {
    return std::find_if(fields.begin(), fields.end(),
                        [&](const config::Field* field) { return field->name == value.key; });
  };
  std::stable_sort(view.values.begin(), view.values.end(),
                   [&](const auto& one, const auto& other) { return place(one) < place(other); });
}

ConnectionView Describe(const config::Project& project, const config::Connection& connection) {
  ConnectionView view{.name = connection.name, .type = connection.type, .users = UsersOf(project, connection.name)};
  view.password_origin = connection.password.Origin();
  view.looked_in = connection.password.LookedIn();
  for (const config::Setting& setting : project.settings) {
    if (setting.path.size() != 3 || setting.path[0] != "connections" || setting.path[1] != connection.name) continue;
    if (setting.path[2] == "password")
      view.password_written = setting.value->text;
    else
      view.values.push_back(
          {setting.path[2], setting.value->text, config::OriginText(*setting.value, project.target.value)});
  }
  try {
    if (connection.type == kPostgres) AddSettled(connection, view);
  } catch (const Error& error) {
    view.fault = error.diagnostic();
  }
  SortValues(view);
  return view;
}

/// One, unless the warehouse has a schema for each source and model folder.
std::set<std::string> SchemasLoaded(const config::Project& project) {
  const config::Warehouse& warehouse = *project.warehouse;
  if (warehouse.SchemaOf("a") == warehouse.SchemaOf("b")) return {warehouse.schema};
  std::set<std::string> schemas;
  for (const config::Model& model : project.models)
    if (IsLoaded(project, model)) schemas.insert(warehouse.SchemaOf(model.name_space));
  for (const config::Source& source : project.sources)
    if (MayLoadFrom(warehouse, source.name)) schemas.insert(warehouse.SchemaOf(source.name));
  return schemas;
}

/// The rights that the users of a connection need.
class RightsCheck {
 public:
  RightsCheck(const config::Project& project, const config::Connection& connection, const CancelFlag& cancel,
              std::vector<Diagnostic>& faults)
      : project_(project), connection_(connection), cancel_(cancel), faults_(faults) {}

  /// \param server  null: the connection leads to no server
  void Run(postgres::Connection* server) {
    for (const config::Source& source : project_.sources)
      if (source.connection.value == connection_.name) Collect([&] { AskSource(source, server); });
    const auto& warehouse = project_.warehouse;
    if (warehouse && warehouse->connection.value == connection_.name)
      Collect([&] {
        for (Diagnostic& fault : WarehouseFaults(project_, server, cancel_)) faults_.push_back(std::move(fault));
      });
  }

 private:
  template <typename Work>
  void Collect(Work work) {
    try {
      work();
    } catch (const Error& error) {
      Error placed = error;
      placed.SetPlace(connection_.place);
      faults_.push_back(placed.diagnostic());
    }
  }

  void AskSource(const config::Source& source, postgres::Connection* server) {
    if (server != nullptr && !sources::MayUseSchema(*server, source.schema)) {
      throw Error(kConfig, "LEAT0312", source.schema_place.known() ? source.schema_place : source.connection.place,
                  fmt::format("role {} of connection \"{}\" may not use schema {}, which source {} reads",
                              server->user(), connection_.name, source.schema, source.name))
          .Hint(fmt::format("GRANT USAGE ON SCHEMA {} TO {};", QuoteIdentifier(source.schema),
                            QuoteIdentifier(server->user())));
    }
    for (const sources::StreamInfo& stream : sources::OpenSource(project_, source, cancel_)->Discover())
      if (stream.fault) faults_.push_back(*stream.fault);
  }

  const config::Project& project_;
  const config::Connection& connection_;
  const CancelFlag& cancel_;
  std::vector<Diagnostic>& faults_;
};

std::string ServerName(postgres::Connection& server) {
  // Distributions put their own version behind it: `15.18 (Debian 15.18-0+deb12u1)`.
  const std::string version = server.Query("SELECT current_setting('server_version')").Text(0, 0);
  return "PostgreSQL " + version.substr(0, version.find(' '));
}

void AskServer(postgres::Connection& server, ConnectionTest& test) {
  test.server = ServerName(server);
  test.role = server.user();
  test.database = PQdb(server.handle());
  if (PQsslInUse(server.handle()) != 0) test.tls = PQsslAttribute(server.handle(), "protocol");
  const auto asked = steady_clock::now();
  server.Query("SELECT 1");
  test.round_trip = std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - asked);
}

ConnectionTest Test(const config::Project& project, const config::Connection& connection, const CancelFlag& cancel) {
  ConnectionTest test{.name = connection.name, .type = connection.type, .users = UsersOf(project, connection.name)};
  RightsCheck rights(project, connection, cancel, test.faults);
  try {
    if (connection.type == kPostgres) {
      postgres::Connection server(config::PostgresOptions(connection), &cancel);
      AskServer(server, test);
      test.reached = true;
      rights.Run(&server);
    } else {
      rights.Run(nullptr);
      test.reached = test.faults.empty();
    }
  } catch (const Error& error) {
    Error placed = error;
    placed.SetPlace(connection.place);
    test.faults.push_back(placed.diagnostic());
  }
  return test;
}

/// The streams of the project that read a table.
std::vector<std::string> StreamsOf(const config::Project& project, const std::string& connection,
                                   const sources::DiscoveredTable& table) {
  std::vector<std::string> streams;
  for (const config::Source& source : project.sources) {
    if (source.connection.value != connection || source.schema != table.schema) continue;
    const auto rule = source.RuleFor(table.name);
    const bool by_pattern = table.kind == "table" || table.kind == "partitioned table";
    if (!rule || rule->skip || (!by_pattern && !rule->exact())) continue;
    streams.push_back(source.StreamName(table.name));
  }
  return streams;
}

}  // namespace

std::vector<std::string> UsersOf(const config::Project& project, const std::string& connection) {
  std::vector<std::string> users;
  for (const config::Source& source : project.sources)
    if (source.connection.value == connection) users.push_back("source " + source.name);
  if (project.warehouse && project.warehouse->connection.value == connection) users.emplace_back("warehouse");
  return users;
}

std::vector<ConnectionView> DescribeConnections(const config::Project& project) {
  std::vector<ConnectionView> views;
  for (const auto& [name, connection] : project.connections) views.push_back(Describe(project, connection));
  return views;
}

std::vector<Diagnostic> WarehouseFaults(const config::Project& project, postgres::Connection* server,
                                        const CancelFlag& cancel) {
  const config::Warehouse& warehouse = *project.warehouse;
  warehouse::Open(project.connections.at(warehouse.connection.value), {.cancel = &cancel})->Probe();
  if (server == nullptr) return {};
  std::vector<Diagnostic> faults;
  for (const std::string& schema : SchemasLoaded(project)) {
    const std::vector<std::string> grants = warehouse::MissingGrants(*server, schema, "_leat_loads");
    if (grants.empty()) continue;
    faults.push_back(
        {.code = "LEAT0603",
         .message = fmt::format("role {} lacks rights to load into schema {} of the warehouse", server->user(), schema),
         .place = warehouse.place,
         .help = grants});
  }
  return faults;
}

std::vector<ConnectionTest> TestConnections(const config::Project& project, const std::vector<std::string>& names,
                                            const CancelFlag& cancel) {
  std::vector<std::future<ConnectionTest>> running;
  for (const std::string& name : names)
    running.push_back(std::async(std::launch::async, [&project, &connection = project.connections.at(name), &cancel] {
      return Test(project, connection, cancel);
    }));
  std::vector<ConnectionTest> tests;
  for (auto& test : running) tests.push_back(test.get());
  return tests;
}

Discovery Discover(const config::Project& project, const std::string& name, const CancelFlag& cancel) {
  const config::Connection& connection = project.connections.at(name);
  if (connection.type != kPostgres) {
    throw Error(kConfig, "LEAT0314", connection.place,
                fmt::format("connection \"{}\" is of type {}; expected one of type postgres, whose tables a source can "
                            "read",
                            name, connection.type))
        .Hint("name another connection");
  }
  postgres::Connection server(config::PostgresOptions(connection), &cancel);
  Discovery discovery{
      .server = ServerName(server), .role = server.user(), .database = PQdb(server.handle()), .tables = {}};
  for (sources::DiscoveredTable& table : sources::DiscoverTables(server)) {
    std::vector<std::string> streams = StreamsOf(project, name, table);
    discovery.tables.push_back({std::move(table), std::move(streams)});
  }
  return discovery;
}

}  // namespace leat::pipeline
