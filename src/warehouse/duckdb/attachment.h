#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "core/error.h"
#include "duck/database.h"

namespace leat::warehouse::duckdb {

/// The file of a warehouse, and how patiently it is opened.
struct File {
  std::string path;  ///< absolute
  Place place;       ///< of the project's setting
  std::chrono::milliseconds wait{0};
  const CancelFlag* cancel = nullptr;
};

/// The file itself and those that DuckDB keeps beside it; of a link, those of both names.
std::vector<std::string> FilesBeside(const std::string& path);

/// The file attached to a DuckDB, under a name that no namespace of a project can have, as long as this object lives.
class Attachment {
 public:
  static constexpr std::string_view kCatalog = "_leat_warehouse";
  enum class Access {
    kRead,  ///< the file must be there; others may read it at the same time
    kWrite  ///< makes the file if it is absent; excludes all other processes
  };

  /// Throws: Error(kConflict, LEAT0614) naming the process that has it open for longer than `file.wait`;
  /// Error(kConfig, LEAT0615) if it is no database that this DuckDB can read; Error(kConfig, LEAT0616) if it cannot be
  /// opened; Cancelled.
  Attachment(duck::Connection& connection, const File& file, Access access);
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  /// Write what is in the log into the file, so that it is one file again, and let go of it. No transaction may be
  /// open.
  ~Attachment();

 private:
  void Attach();

  duck::Connection& connection_;
  const File& file_;
  Access access_;
};

/// What DuckDB's refusal to open `path` means. Place and hints are set.
Error OpenFault(const File& file, const std::string& reason);
/// Whether `reason` says that another process has the file open.
bool IsHeld(std::string_view reason);

}  // namespace leat::warehouse::duckdb
