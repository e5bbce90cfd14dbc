#include "cli/new_project.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "cli/connection_url.h"
#include "cli/embedded.h"
#include "core/error.h"
#include "core/file_system.h"
#include "core/ids.h"
#include "core/text.h"

namespace leat::cli {
namespace {

constexpr size_t kNameBytesMax = 63;

/// A project's name from the name of its folder: `My Shop` gives `my_shop`.
std::string ProjectName(const std::string& folder) {
  std::string path = AbsolutePath(folder);
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  std::string name = CleanName(path.substr(path.rfind('/') + 1)).substr(0, kNameBytesMax);
  return IsValidName(name) ? name : "project";
}

void Replace(std::string& text, const std::string& mark, const std::string& value) {
  const size_t at = text.find(mark);
  if (at != std::string::npos) text.replace(at, mark.size(), value);
}

/// The line of `connections:` for the warehouse of `project`, which has one.
std::string WarehouseConnection(const NewProject& project) {
  return fmt::format("  {:<11}{}",
                     "warehouse:", FormatConnection(ParseConnectionUrl("--warehouse", *project.warehouse_url)));
}

std::string ConnectionLines(const NewProject& project) {
  std::string lines =
      fmt::format("  {:<11}{}", "totesys:", FormatConnection(ParseConnectionUrl("--source", *project.source_url)));
  if (project.warehouse_url) lines += "\n" + WarehouseConnection(project);
  return lines;
}

std::string WarehouseLine(const NewProject& project) {
  if (project.warehouse_url) return R"(warehouse: {connection: warehouse, schema: public, load: ["mart.*"]})";
  return "# They stay in the lake, which is the warehouse. To load them into a database, add it to connections and "
         "say:\n"
         "# warehouse: {connection: warehouse, schema: public, load: [\"mart.*\"]}";
}

/// Where the billing system and the exchange rates are read: their own servers, or one that stands for both.
void FillInBilling(const NewProject& project, ProjectFile& file) {
  std::string billing = "https://{site}.chargebee.com/api/v2", rates = "https://www.ecb.europa.eu/stats/eurofxref";
  if (project.source_url) {
    const std::string url = ParseApiUrl("--source", *project.source_url);
    billing = url + "/{site}/api/v2";
    rates = url + "/ecb";
  }
  std::string warehouse =
      "# The finished tables stay in the lake, which is the warehouse. To load them into a database as well:\n"
      "# connections:\n#   warehouse: {type: postgres, host: db.internal, database: warehouse, user: loader}\n"
      "# warehouse: {connection: warehouse, schema: public, load: [\"latest.*\", \"monthly.*\"]}";
  if (project.warehouse_url)
    warehouse = "connections:\n" + WarehouseConnection(project) +
                "\n\n# Where the finished tables go.\n"
                "warehouse: {connection: warehouse, schema: public, load: [\"latest.*\", \"monthly.*\"]}";
  Replace(file.text, "@billing_url@", billing);
  Replace(file.text, "@ecb_url@", rates);
  Replace(file.text, "@billing_warehouse@", warehouse);
}

/// What the source of a new project is called: as its database, if that is a name.
std::string SourceName(const ConnectionUrl& url) {
  const std::string name = CleanName(url.database).substr(0, kNameBytesMax);
  return IsValidName(name) && name != "warehouse" && name != "seeds" ? name : "source";
}

/// The connections of an empty project, below what its leat.yaml says in comments, and the file of its source.
void AddConnections(const NewProject& project, std::vector<ProjectFile>& files) {
  const ConnectionUrl source = ParseConnectionUrl("--source", *project.source_url);
  const std::string name = SourceName(source);
  std::string lines = fmt::format("\nconnections:\n  {}: {}\n", name, FormatConnection(source));
  if (project.warehouse_url)
    lines += fmt::format("  warehouse: {}\n\nwarehouse: {{connection: warehouse}}\n",
                         FormatConnection(ParseConnectionUrl("--warehouse", *project.warehouse_url)));
  for (ProjectFile& file : files)
    if (file.path == "leat.yaml") file.text += lines;
  files.push_back({fmt::format("sources/{}.yaml", name),
                   fmt::format("# yaml-language-server: $schema=../.leat/schema/source.json\ntype: postgres\n"
                               "connection: {}\nstreams:\n  \"*\": {{}}    # every table of the schema public\n",
                               name)});
}

void CheckUrls(const NewProject& project) {
  if (project.template_name == "shop" && !project.source_url)
    throw Error(kConfig, "LEAT0194",
                "template \"shop\" needs --source; expected the URL of the database totesys to read")
        .Hint(fmt::format("leat init {} --template shop --source postgresql://user@host:port/totesys", project.folder));
  if (project.template_name == "empty" && !project.source_url && project.warehouse_url)
    throw Error(kConfig, "LEAT0194", "--warehouse without --source; expected the URL of a database to read as well")
        .Hint(fmt::format("leat init {} --template empty --source postgresql://user@host:port/database --warehouse …",
                          project.folder));
}

std::vector<EmbeddedFile> FilesOfTemplate(const std::string& name) {
  return name == "shop" ? ShopTemplateFiles() : name == "billing" ? BillingTemplateFiles() : EmptyTemplateFiles();
}

/// Removes what a refused or broken attempt left.
class Scratch {
 public:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void RefuseFilled(const std::string& folder) {
  const bool is_file = PathExists(folder) && !IsDirectory(folder);
  if (!is_file && ListDirectory(folder).empty()) return;
  throw Error(kConfig, "LEAT0191",
              fmt::format("{} {}; expected an empty or absent folder", folder, is_file ? "is a file" : "is not empty"))
      .Hint("name another folder; nothing was written");
}

}  // namespace

std::vector<ProjectFile> ProjectFiles(const NewProject& project) {
  CheckUrls(project);
  std::vector<ProjectFile> files;
  for (const EmbeddedFile& file : FilesOfTemplate(project.template_name)) {
    ProjectFile copy{std::string(file.path), std::string(file.bytes)};
    if (project.template_name == "billing") FillInBilling(project, copy);
    if (copy.path == "leat.yaml") {
      Replace(copy.text, "@name@", ProjectName(project.folder));
      if (project.template_name == "shop") {
        Replace(copy.text, "@connections@", ConnectionLines(project));
        Replace(copy.text, "@warehouse@", WarehouseLine(project));
      }
    }
    files.push_back(std::move(copy));
  }
  if (project.template_name == "empty" && project.source_url) AddConnections(project, files);
  return files;
}

void WriteProject(const std::string& folder, const std::vector<ProjectFile>& files) {
  RefuseFilled(folder);
  const std::string target = AbsolutePath(folder);
  MakeDirectories(ParentPath(target));
  // All is written beside the target; one rename makes it appear. The target itself, if it is there, is empty.
  const Scratch scratch(IsDirectory(target) ? JoinPath(target, ".leat-init-" + NewUuid())
                                            : target + ".leat-init-" + NewUuid());
  for (const ProjectFile& file : files) {
    const std::string path = JoinPath(scratch.path(), file.path);
    MakeDirectories(ParentPath(path));
    WriteNewFile(path, file.text);
  }
  if (!IsDirectory(target)) {
    if (std::rename(scratch.path().c_str(), target.c_str()) == 0) return;
    throw Error(kInternal, "LEAT0502", fmt::format("cannot make the folder {}: {}", folder, std::strerror(errno)))
        .Hint("check that the folder above it may be written to");
  }
  for (const std::string& entry : ListDirectory(scratch.path())) {
    const std::string wanted = JoinPath(target, entry);
    if (std::rename(JoinPath(scratch.path(), entry).c_str(), wanted.c_str()) != 0)
      throw Error(kInternal, "LEAT0502", fmt::format("cannot create {}: {}", wanted, std::strerror(errno)))
          .Hint("check that the folder may be written to");
  }
}

}  // namespace leat::cli
