#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/yaml.h"
#include "core/error.h"

namespace leat::config {

/// The YAML between `/* ---` and `--- */` at the start of an SQL file, which is a comment to SQL: bytes of the file.
struct HeadRange {
  size_t begin = 0;
  size_t end = 0;
};

/// Find the head of an SQL file; nullopt if it has none.
/// Throws: Error(kConfig, LEAT0119) for a head that is not closed, that holds a comment, or that stands further down.
std::optional<HeadRange> FindHead(const std::string& file, std::string_view text);

/// Read the head of an SQL file; an empty map if it has none.
/// Throws: as FindHead and ParseYaml do.
YamlPointer ReadHead(const std::string& file, std::string_view text, std::vector<Diagnostic>& diagnostics);

}  // namespace leat::config
