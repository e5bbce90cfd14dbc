#include "lake/storage.h"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <future>

#include "core/error.h"
#include "core/fail_point.h"
#include "core/file_system.h"
#include "core/text.h"

namespace leat::lake {
namespace {

constexpr std::string_view kScheme = "file://";
/// Every file of a table is at `<raw|processed>/<namespace>/<table>/<data|metadata>/<file>`.
constexpr int kNameParts = 5;

/// What `file:///a/b`, `file:/a/b` and `/a/b` have in common; other writers use each of them.
std::string_view PathOfUri(std::string_view uri) {
  if (uri.starts_with(kScheme)) return uri.substr(kScheme.size());
  if (uri.starts_with("file:")) return uri.substr(5);
  return uri;
}

std::string_view LastParts(std::string_view path, int count) {
  size_t from = path.size();
  for (int i = 0; i < count && from != std::string_view::npos && from != 0; ++i) from = path.rfind('/', from - 1);
  if (from == std::string_view::npos || from == 0) return path.starts_with('/') ? path.substr(1) : path;
  return path.substr(from + 1);
}

class LocalStorage : public Storage {
 public:
  explicit LocalStorage(const std::string& folder) : root_(AbsolutePath(folder)) {}

  std::string Read(const std::string& name) const override {
    const std::string path = DuckPath(name);
    if (!PathExists(path))
      throw Error(kInternal, "LEAT0522", fmt::format("{} is missing from the lake", path))
          .Hint("put the file back from a backup; nothing but leat may remove files of a lake");
    try {
      return ReadFile(path);
    } catch (const Error& error) {
      throw Error(kInternal, "LEAT0522", error.message())
          .Hint("check that the disk is healthy and the file may be read");
    }
  }

  void Write(const std::string& name, std::string_view bytes) const override {
    PrepareFolder(name);
    WriteNewFile(DuckPath(name), bytes);
  }

  void Sync(const std::string& name) const override {
    FailPoint("lake.data.before_sync");
    SyncFile(DuckPath(name));
    FailPoint("lake.data.before_folder_sync");
    SyncDirectory(ParentPath(DuckPath(name)));
    FailPoint("lake.data.after_folder_sync");
  }

  void PrepareFolder(const std::string& name) const override { MakeDirectories(ParentPath(DuckPath(name))); }

  void RemoveQuietly(const std::string& name) const noexcept override {
    try {
      std::remove(DuckPath(name).c_str());  // a file, or a folder that is empty
    } catch (...) {                         // no memory for the path: the file stays as an orphan
    }
  }

  std::vector<std::string> List(const std::string& prefix) const override {
    std::vector<std::string> names;
    for (const std::string& file : ListFilesBelow(JoinPath(root_, prefix))) names.push_back(JoinPath(prefix, file));
    return names;
  }

  std::string DuckPath(const std::string& name) const override { return JoinPath(root_, name); }

  // Nothing is percent-encoded: PyIceberg and Hadoop's Path take what follows the scheme as it stands.
  std::string Uri(const std::string& name) const override { return fmt::format("{}{}", kScheme, DuckPath(name)); }

  std::string NameOf(const std::string& uri) const override {
    const std::string_view path = PathOfUri(uri);
    if (path.starts_with(root_) && path.substr(root_.size()).starts_with('/'))
      return std::string(path.substr(root_.size() + 1));
    return std::string(LastParts(path, kNameParts));
  }

 private:
  std::string root_;  ///< absolute, without a slash at its end
};

}  // namespace

void WriteAll(const Storage& storage, const std::vector<NewFile>& files) {
  std::vector<std::future<void>> writes;
  for (const NewFile& file : files)
    writes.push_back(std::async(std::launch::async, [&storage, &file] { storage.Write(file.name, file.bytes); }));
  std::exception_ptr failure;
  for (std::future<void>& write : writes) {
    try {
      write.get();
    } catch (...) {
      failure = std::current_exception();
    }
  }
  if (!failure) return;
  for (const NewFile& file : files) storage.RemoveQuietly(file.name);
  std::rethrow_exception(failure);
}

std::unique_ptr<Storage> OpenLocalStorage(const std::string& folder) { return std::make_unique<LocalStorage>(folder); }

}  // namespace leat::lake
