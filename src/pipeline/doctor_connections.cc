#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "clients/postgres/connection.h"
#include "config/postgres_options.h"
#include "core/clock.h"
#include "core/file_system.h"
#include "core/text.h"
#include "pipeline/connections.h"
#include "pipeline/doctor.h"

namespace leat::pipeline {
namespace {

constexpr std::chrono::seconds kAnswerLimit{5};
constexpr std::chrono::milliseconds kWatchInterval{50};
constexpr std::chrono::seconds kClockOffMax{5};
constexpr int kTablesShown = 3;

/// A wish to stop that comes by itself after a while, and at once when its parent's comes.
class Deadline {
 public:
  Deadline(const CancelFlag& parent, std::chrono::seconds limit)
      : thread_([this, &parent, end = std::chrono::steady_clock::now() + limit](const std::stop_token& stop) {
          std::mutex mutex;
          std::condition_variable_any wake;
          std::unique_lock lock(mutex);
          while (!wake.wait_for(lock, stop, kWatchInterval, [&] { return stop.stop_requested(); }))
            if (parent.is_set() || std::chrono::steady_clock::now() > end) flag_.Set();
        }) {}

  const CancelFlag& flag() const { return flag_; }

 private:
  CancelFlag flag_;
  std::jthread thread_;
};

/// What a connection is used for: by which sources' schemas, and whether the warehouse is behind it.
struct Use {
  std::vector<std::string> source_schemas;
  bool is_warehouse = false;
};

std::map<std::string, Use> UsesOf(const config::Project& project) {
  std::map<std::string, Use> uses;
  for (const config::Source& source : project.sources)
    if (!source.connection.value.empty()) uses[source.connection.value].source_schemas.push_back(source.schema);
  if (project.warehouse) uses[project.warehouse->connection.value].is_warehouse = true;
  return uses;
}

class ConnectionExamination {
 public:
  ConnectionExamination(std::string name, postgres::Connection& connection, std::vector<Finding>& findings)
      : subject_("connection " + std::move(name)), connection_(connection), findings_(findings) {}

  void Examine(const Use& use) {
    ExamineServer();
    const bool is_superuser =
        connection_.Query("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").At(0, 0) == "t";
    if (is_superuser)
      findings_.push_back(Warning(subject_,
                                  fmt::format("role {} is a superuser: leat needs no such power", connection_.user()),
                                  "make a role of its own for leat; sources need SELECT alone"));
    for (const std::string& schema : use.source_schemas)
      if (!is_superuser) ExamineSource(schema);
  }

 private:
  void ExamineServer() {
    const Timestamp before = SystemClock().Now();
    const postgres::Rows rows = connection_.Query(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, current_setting('server_version')");
    const Timestamp server(std::chrono::microseconds(rows.Int64(0, 0)));
    const Timestamp after = SystemClock().Now();
    const auto difference = server < before  ? before - server
                            : server > after ? server - after
                                             : std::chrono::microseconds(0);
    const std::string text = fmt::format("answers as {}, PostgreSQL {}", connection_.user(), rows.At(0, 1));
    if (difference <= kClockOffMax) return findings_.push_back(Good(subject_, text));
    findings_.push_back(Warning(subject_,
                                fmt::format("{}; its clock is {} {} of this machine's", text,
                                            FormatDuration(difference), server < before ? "behind" : "ahead"),
                                "let both keep the same time (NTP): versions of rows carry the server's"));
  }

  void ExamineSource(const std::string& schema) {
    const postgres::Rows rows = connection_.Query(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')"
        " AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') ORDER BY 1",
        {schema});
    if (rows.size() == 0) return;
    std::vector<std::string> tables;
    for (int row = 0; row < rows.size() && row < kTablesShown; ++row) tables.push_back(rows.Text(row, 0));
    findings_.push_back(
        Warning(subject_,
                fmt::format("role {} may write to {} table{} of schema {}, as {}; a source is only read",
                            connection_.user(), rows.size(), rows.size() == 1 ? "" : "s", schema, Join(tables, ", ")),
                fmt::format("REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA {} FROM {}",
                            QuoteIdentifier(schema), QuoteIdentifier(connection_.user()))));
  }

  std::string subject_;
  postgres::Connection& connection_;
  std::vector<Finding>& findings_;
};

/// \param server  null: the warehouse is a file
void ExamineWarehouse(const config::Project& project, postgres::Connection* server, const CancelFlag& cancel,
                      const std::string& subject, std::vector<Finding>& findings) {
  const std::vector<Diagnostic> faults = WarehouseFaults(project, server, cancel);
  for (const Diagnostic& fault : faults) findings.push_back(Fault(subject, fault.message, Join(fault.help, " ")));
  if (server != nullptr) return;
  const std::string& path = project.connections.at(project.warehouse->connection.value).path.value;
  findings.push_back(Good(subject, path + (PathExists(path) ? " can be loaded" : " is made by the first load")));
}

void ExamineOne(const config::Project& project, const config::Connection& connection, const Use& use,
                const CancelFlag& cancel, std::vector<Finding>& findings) {
  const std::string subject = "connection " + connection.name;
  try {
    const Deadline deadline(cancel, kAnswerLimit);
    std::optional<postgres::Connection> server;
    if (connection.type == "postgres") {
      server.emplace(config::PostgresOptions(connection), &deadline.flag());
      ConnectionExamination(connection.name, *server, findings).Examine(use);
    }
    if (use.is_warehouse) ExamineWarehouse(project, server ? &*server : nullptr, deadline.flag(), subject, findings);
  } catch (const Error& error) {
    const auto& help = error.diagnostic().help;
    findings.push_back(
        Fault(subject, error.message(), help.empty() ? fmt::format("leat explain {}", error.code()) : help.front()));
  } catch (const Cancelled&) {
    cancel.Check();
    findings.push_back(Fault(subject, fmt::format("no answer within {} s", kAnswerLimit.count()),
                             "check the address, and what lies between (firewall, VPN)"));
  }
}

/// Whether the secrets of an API are there; nobody is asked.
void ExamineSecrets(const config::Source& source, std::vector<Finding>& findings) {
  const std::string subject = "source " + source.name;
  const config::HttpAuth& auth = source.http.auth;
  std::set<std::string> faults;
  for (const config::HttpPartition& partition : source.http.partitions)
    for (const config::Credential* part :
         {&auth.user, &auth.password, &auth.token, &auth.value, &auth.client_id, &auth.client_secret})
      try {
        config::ResolveCredential(*part, partition, source.http.partition_name);
      } catch (const Error& error) {
        if (faults.insert(error.message()).second)
          findings.push_back(Fault(subject, error.message(), error.diagnostic().help.front()));
      }
  const bool has_auth = auth.type != config::HttpAuth::Type::kNone;
  if (faults.empty() && has_auth) findings.push_back(Good(subject, "every secret that its requests take is there"));
}

}  // namespace

std::vector<Finding> ExamineConnections(const config::Project& project, const CancelFlag& cancel) {
  std::vector<Finding> findings;
  for (const auto& [name, use] : UsesOf(project)) {
    const auto connection = project.connections.find(name);
    if (connection != project.connections.end()) ExamineOne(project, connection->second, use, cancel, findings);
  }
  for (const config::Source& source : project.sources)
    if (source.type == "http") ExamineSecrets(source, findings);
  return findings;
}

}  // namespace leat::pipeline
