#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "clients/postgres/connection.h"
#include "config/project.h"
#include "core/cancel.h"
#include "core/error.h"
#include "sources/postgres/discovery.h"

namespace leat::pipeline {

/// Who uses a connection: `source totesys`, `warehouse`.
std::vector<std::string> UsersOf(const config::Project& project, const std::string& connection);

/// The values of one connection as they count, those included that the project leaves to libpq.
struct ConnectionView {
  struct Value {
    std::string key;  ///< `host`
    std::string text;
    std::string origin;  ///< `leat.yaml:4:31`, `variable PGHOST`, `service warehouse`, `default`
  };
  std::string name;
  std::string type;
  std::vector<std::string> users;
  std::vector<Value> values;           ///< all but the password
  std::string password_written;        ///< `${NAME}`, as the project has it; empty: it says nothing
  std::string password_origin;         ///< the place that has it; empty: none
  std::vector<std::string> looked_in;  ///< for the password, each place with its state
  std::optional<Diagnostic> fault;     ///< libpq refuses the settings
};

/// Tell all connections of a project, speaking to nobody and revealing no secret.
std::vector<ConnectionView> DescribeConnections(const config::Project& project);

/// What trying a connection came to.
struct ConnectionTest {
  std::string name;
  std::string type;
  std::vector<std::string> users;
  bool reached = false;
  std::string server;  ///< `PostgreSQL 15.4`
  std::string role;    ///< who is logged in
  std::string database;
  std::string tls;  ///< `TLSv1.3`; empty: none
  std::chrono::microseconds round_trip{0};
  std::vector<Diagnostic> faults;  ///< why it was not reached, or what its users lack
};

/// Try the connections called `names` at the same time, each for 10 s at most until it answers. Of what uses them it is
/// asked whether the rights suffice; nothing is written and no row is read.
std::vector<ConnectionTest> TestConnections(const config::Project& project, const std::vector<std::string>& names,
                                            const CancelFlag& cancel);

/// What the project's warehouse lacks to be loaded, each with the statements that mend it. `server` is logged in to it;
/// null: it is no server. Throws: Error, as Warehouse::Probe.
std::vector<Diagnostic> WarehouseFaults(const config::Project& project, postgres::Connection* server,
                                        const CancelFlag& cancel);

/// What a connection leads to.
struct Discovery {
  std::string server;
  std::string role;
  std::string database;
  struct Table {
    sources::DiscoveredTable table;
    std::vector<std::string> streams;  ///< of this project that read it: `totesys.sales_order`
  };
  std::vector<Table> tables;
};

/// List what a connection leads to, with what the project reads of it.
/// Throws: Error(kConnection), as every use of the connection; Error(kConfig, LEAT0314) for a type that has no tables
/// to choose from.
Discovery Discover(const config::Project& project, const std::string& name, const CancelFlag& cancel);

}  // namespace leat::pipeline
