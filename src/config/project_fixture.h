#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "config/project.h"
#include "core/ids.h"

namespace leat::config {

/// A project as one text, loaded from a temporary folder. Each file begins with a line `=== path`. Variables of the
/// environment are those of `variables` only.
class ProjectTest : public testing::Test {
 protected:
  ProjectTest() : folder(std::filesystem::temp_directory_path() / ("leat_config_" + NewUuid())) {
    std::filesystem::create_directories(folder);
  }
  ~ProjectTest() override { std::filesystem::remove_all(folder); }

  void Write(const std::string& files) {
    std::istringstream lines(files);
    std::ofstream file;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("=== ")) {
        WriteFile(line.substr(4), "");
        file = std::ofstream(folder / line.substr(4));
      } else if (file.is_open()) {
        file << line << '\n';
      }
    }
  }
  void WriteFile(const std::string& path, const std::string& bytes) {
    std::filesystem::create_directories((folder / path).parent_path());
    std::ofstream(folder / path, std::ios::binary) << bytes;
  }

  LoadResult Load() {
    const auto environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    return LoadProject(folder.string(), environment, target);
  }
  /// Load `files`, which must be without fault.
  Project Loaded(const std::string& files) {
    Write(files);
    const LoadResult result = Load();
    EXPECT_EQ(Lines(result.diagnostics), "");
    return result.project;
  }
  /// What loading `files` reports, as `place: code message` with `  help: …` below.
  std::string Faults(const std::string& files) {
    Write(files);
    return "\n" + Lines(Load().diagnostics);
  }

  static std::string Lines(const std::vector<Diagnostic>& diagnostics) {
    std::string lines;
    for (const Diagnostic& diagnostic : diagnostics) {
      lines += diagnostic.place.ToString() + ": " + (diagnostic.severity == Severity::kWarning ? "warning " : "") +
               diagnostic.code + " " + diagnostic.message + "\n";
      for (const std::string& help : diagnostic.help) lines += "  help: " + help + "\n";
    }
    return lines;
  }

  std::filesystem::path folder;
  std::map<std::string, std::string> variables;
  std::string target;  ///< as --target gives it
};

}  // namespace leat::config
