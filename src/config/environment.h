#pragma once

#include <functional>
#include <optional>
#include <string>

namespace leat::config {

/// Looks up an environment variable; an empty one counts as not set. A test gives its own.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The variables of this process.
Environment ProcessEnvironment();

/// The variable that wins over a value of leat.yaml: `LEAT_` and its path in capitals.
/// `connections.totesys.host` gives LEAT_CONNECTIONS_TOTESYS_HOST.
std::string VariableName(const std::string& path);

}  // namespace leat::config
