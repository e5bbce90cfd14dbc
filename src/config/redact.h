#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace leat::config {

/// Hide the values of secret fields in the text of a YAML file, which may be broken: a diagnostic shows lines as
/// written, and a password that wrongly stands there must not get into a log that way. Hidden characters become `*`, so
/// that columns stay. References such as `${NAME}` are kept; where it is not clear how far a value goes, the rest of
/// the line is hidden.
std::string RedactSecrets(std::string_view yaml);

/// Hide the password of each URL in a text: `postgresql://me:****@host/db`.
std::string RedactUrls(std::string_view text);

/// The text of a project's file as it may be shown, for the windows of diagnostics; nullopt if it cannot be read.
std::optional<std::string> TextForDisplay(const std::string& project_folder, const std::string& file);

}  // namespace leat::config
