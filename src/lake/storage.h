#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace leat::lake {

/// Where a lake's files are: a folder, later a bucket. Names are relative to its root; a written name is never written
/// again. Threads: safe.
class Storage {
 public:
  virtual ~Storage() = default;

  /// Read a whole file. Throws: Error(kInternal, LEAT0522) naming it, if it is absent or cannot be read.
  virtual std::string Read(const std::string& name) const = 0;
  /// Write a new file so that it survives a power cut. Throws: Error(kInternal, LEAT0502).
  virtual void Write(const std::string& name, std::string_view bytes) const = 0;
  /// Make a file that DuckDB wrote as durable as Write would have. Throws: Error(kInternal, LEAT0502).
  virtual void Sync(const std::string& name) const = 0;
  /// Make the folder that DuckDB will write `name` into.
  virtual void PrepareFolder(const std::string& name) const = 0;
  virtual void RemoveQuietly(const std::string& name) const noexcept = 0;
  virtual std::vector<std::string> List(const std::string& prefix) const = 0;

  /// What DuckDB is to open for `name`.
  virtual std::string DuckPath(const std::string& name) const = 0;
  /// The URI recorded in metadata: `file:///srv/shop/lake/raw/…`.
  virtual std::string Uri(const std::string& name) const = 0;
  /// The name behind a recorded URI. A lake whose folder was moved is still found: what follows the recorded root
  /// counts.
  virtual std::string NameOf(const std::string& uri) const = 0;
};

struct NewFile {
  std::string name;
  std::string bytes;
};

/// Write several new files at the same time, since each waits for the disk, or later the network, more than for us.
/// Returns when all are durable. Throws: what Storage::Write throws; none of the files is left then.
void WriteAll(const Storage& storage, const std::vector<NewFile>& files);

/// A local folder; it is made when the first file is written.
std::unique_ptr<Storage> OpenLocalStorage(const std::string& folder);

}  // namespace leat::lake
