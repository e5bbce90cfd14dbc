#pragma once

#include <string>
#include <vector>

#include "cli/json_document.h"
#include "cli/terminal.h"
#include "pipeline/connections.h"

namespace leat::cli {

/// The answer of `leat connections list`: every value with the place it came from; of a password only the place.
std::string FormatConnections(const std::vector<pipeline::ConnectionView>& connections, const Terminal& terminal);
Json ConnectionsJson(const std::vector<pipeline::ConnectionView>& connections);

/// The answer of `leat connections test`.
std::string FormatConnectionTests(const std::vector<pipeline::ConnectionTest>& tests, const Terminal& terminal);
Json ConnectionTestsJson(const std::vector<pipeline::ConnectionTest>& tests);

/// The answer of `leat connections discover`.
std::string FormatDiscovery(const std::string& connection, const pipeline::Discovery& discovery,
                            const Terminal& terminal);
Json DiscoveryJson(const std::string& connection, const pipeline::Discovery& discovery);

}  // namespace leat::cli
