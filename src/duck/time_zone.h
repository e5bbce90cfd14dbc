#pragma once

#include <string>
#include <vector>

namespace leat::duck {

/// Names of the time zones that DuckDB computes with, those of the IANA database among them: `Europe/London`, `UTC`.
/// Opens an instance of its own, which takes some milliseconds.
std::vector<std::string> TimeZoneNames();

}  // namespace leat::duck
