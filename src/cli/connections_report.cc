#include "cli/connections_report.h"

#include <fmt/format.h>

#include <utility>

#include "cli/text_table.h"
#include "core/text.h"

namespace leat::cli {
namespace {

using pipeline::ConnectionTest;
using pipeline::ConnectionView;
using pipeline::Discovery;

std::string UsersText(const std::vector<std::string>& users) { return users.empty() ? "nothing" : Join(users, ", "); }

std::string StateOf(const ConnectionTest& test) {
  if (!test.reached) return "no connection";
  return test.faults.empty() ? "good" : "faults";
}

std::string FormatRoundTrip(std::chrono::microseconds duration) {
  return fmt::format("{:.1f} ms", std::chrono::duration<double, std::milli>(duration).count());
}

void AddView(const ConnectionView& view, const Terminal& terminal, TextTable& table) {
  std::string name = view.name;
  const auto add = [&](const std::string& key, const std::string& value, const std::string& origin,
                       const std::string& note = "") {
    table.Add({{std::exchange(name, "")}, {key}, {value}, {origin}}, note);
  };
  for (const ConnectionView::Value& value : view.values) add(value.key, value.text, value.origin);
  const char* dash = SignsOf(terminal).dash;
  if (!view.password_origin.empty())
    add("password", "(hidden)", view.password_origin);
  else if (!view.looked_in.empty())
    add("password", "none", dash, "looked in " + Join(view.looked_in, fmt::format(" {} ", SignsOf(terminal).dot)));
  add("used by", UsersText(view.users), dash);
}

}  // namespace

std::string FormatConnections(const std::vector<ConnectionView>& connections, const Terminal& terminal) {
  if (connections.empty()) return "no connections: add them to  connections:  in leat.yaml\n";
  TextTable table({{.title = "CONNECTION"}, {.title = "SETTING"}, {.title = "VALUE"}, {.title = "FROM"}});
  for (const ConnectionView& view : connections) AddView(view, terminal, table);
  return table.Format(terminal) + "Whether they answer:  leat connections test\n";
}

Json ConnectionsJson(const std::vector<ConnectionView>& connections) {
  Json json;
  json["connections"] = Json::array();
  for (const ConnectionView& view : connections) {
    Json entry;
    entry["connection"] = view.name;
    entry["type"] = view.type;
    entry["used_by"] = view.users;
    entry["settings"] = Json::array();
    for (const ConnectionView::Value& value : view.values)
      entry["settings"].push_back({{"key", value.key}, {"value", value.text}, {"origin", value.origin}});
    entry["password"] = {{"origin", view.password_origin.empty() ? Json(nullptr) : Json(view.password_origin)},
                         {"looked_in", view.looked_in}};
    json["connections"].push_back(entry);
  }
  return json;
}

std::string FormatConnectionTests(const std::vector<ConnectionTest>& tests, const Terminal& terminal) {
  const Signs& signs = SignsOf(terminal);
  TextTable table({{.title = ""},
                   {.title = "CONNECTION"},
                   {.title = "STATE"},
                   {.title = "SERVER"},
                   {.title = "DATABASE", .leaves = 2},
                   {.title = "ROLE", .leaves = 3},
                   {.title = "TLS", .leaves = 4},
                   {.title = "ROUND TRIP", .align = TextTable::Align::kRight, .leaves = 5},
                   {.title = "USED BY", .leaves = 1}});
  for (const ConnectionTest& test : tests) {
    const bool good = test.reached && test.faults.empty();
    const Tint tint = good ? Tint::kGreen : Tint::kRed;
    const auto known = [&](const std::string& text) { return text.empty() ? std::string(signs.dash) : text; };
    const bool is_server = test.reached && !test.server.empty();
    table.Add({{good ? signs.done : signs.failed, tint},
               {test.name},
               {StateOf(test), tint},
               {known(test.server)},
               {known(test.database)},
               {known(test.role)},
               {test.tls.empty() && is_server ? "none" : known(test.tls)},
               {is_server ? FormatRoundTrip(test.round_trip) : signs.dash},
               {UsersText(test.users)}});
  }
  return tests.empty() ? "no connections: add them to  connections:  in leat.yaml\n" : table.Format(terminal);
}

Json ConnectionTestsJson(const std::vector<ConnectionTest>& tests) {
  Json json;
  json["connections"] = Json::array();
  for (const ConnectionTest& test : tests) {
    const auto known = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
    Json entry;
    entry["connection"] = test.name;
    entry["type"] = test.type;
    entry["state"] = StateOf(test);
    entry["reached"] = test.reached;
    entry["server"] = known(test.server);
    entry["database"] = known(test.database);
    entry["role"] = known(test.role);
    entry["tls"] = known(test.tls);
    entry["round_trip_ms"] =
        test.server.empty() ? Json(nullptr) : Json(static_cast<double>(test.round_trip.count()) / 1000);
    entry["used_by"] = test.users;
    entry["diagnostics"] = ToJson(test.faults);
    json["connections"].push_back(entry);
  }
  return json;
}

std::string FormatDiscovery(const std::string& connection, const Discovery& discovery, const Terminal& terminal) {
  const Signs& signs = SignsOf(terminal);
  std::string text = fmt::format("{} {} {} {} database {} as {} {} {}\n", Paint(terminal, Tint::kBold, connection),
                                 signs.dot, discovery.server, signs.dot, discovery.database, discovery.role, signs.dot,
                                 FormatNumberOf(terminal, static_cast<int64_t>(discovery.tables.size()), "table"));
  if (discovery.tables.empty()) return text;
  TextTable table({{.title = "TABLE"},
                   {.title = "KIND", .leaves = 3},
                   {.title = "COLUMNS", .align = TextTable::Align::kRight, .leaves = 4},
                   {.title = "ROWS", .align = TextTable::Align::kRight, .leaves = 2},
                   {.title = "SIZE", .align = TextTable::Align::kRight, .leaves = 1},
                   {.title = "KEY"},
                   {.title = "READ AS"}});
  for (const auto& [found, streams] : discovery.tables) {
    const bool estimated = found.rows_estimate >= 0;
    table.Add({{found.schema + "." + found.name},
               {found.kind},
               {FormatCount(terminal, static_cast<int64_t>(found.columns.size()))},
               {estimated ? "~" + FormatCount(terminal, found.rows_estimate) : signs.dash},
               {found.size_bytes >= 0 ? FormatBytes(found.size_bytes) : signs.dash},
               {found.key.empty() ? signs.dash : Join(found.key, ", ")},
               {streams.empty() ? signs.dash : Join(streams, ", "), streams.empty() ? Tint::kDim : Tint::kGreen}},
              found.readable ? "" : fmt::format("{} lacks rights to read it", discovery.role));
  }
  return text + table.Format(terminal);
}

Json DiscoveryJson(const std::string& connection, const Discovery& discovery) {
  Json json;
  json["connection"] = connection;
  json["server"] = discovery.server;
  json["database"] = discovery.database;
  json["role"] = discovery.role;
  json["tables"] = Json::array();
  for (const auto& [found, streams] : discovery.tables) {
    Json entry;
    entry["schema"] = found.schema;
    entry["table"] = found.name;
    entry["kind"] = found.kind;
    entry["rows_estimate"] = found.rows_estimate >= 0 ? Json(found.rows_estimate) : Json(nullptr);
    entry["size_bytes"] = found.size_bytes >= 0 ? Json(found.size_bytes) : Json(nullptr);
    entry["key"] = found.key;
    entry["readable"] = found.readable;
    entry["streams"] = streams;
    entry["columns"] = Json::array();
    for (const auto& column : found.columns)
      entry["columns"].push_back({{"column", column.name}, {"type", column.type}, {"readable", column.readable}});
    json["tables"].push_back(entry);
  }
  return json;
}

}  // namespace leat::cli
