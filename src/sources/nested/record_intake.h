#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sources/nested/nested_reader.h"
#include "sources/nested/shape.h"

namespace leat::sources {

/// Takes pages apart into records while others are on their way, and keeps the records in tables of DuckDB, which may
/// spill: `records` (_leat_page INTEGER, _leat_ordinal BIGINT, record BLOB), ordinals from 1 in each page. The texts
/// are UTF-8; as BLOB they are stored without being looked at again.
class RecordIntake {
 public:
  RecordIntake(const NestedStream& stream, const ReadContext& context);
  RecordIntake(const RecordIntake&) = delete;
  RecordIntake& operator=(const RecordIntake&) = delete;
  ~RecordIntake();

  /// Threads: safe. Throws: Error(kData, LEAT0440).
  void Add(const std::vector<LandedPage>& pages);
  int64_t records() const { return count_.load(std::memory_order_relaxed); }

  /// After the last Add: make the records visible. Returns what their columns follow from.
  Shape Finish();
  /// Once nobody needs the records any more.
  void Forget() { connection_.Execute("DROP TABLE IF EXISTS " + table_); }
  /// Name of the table of records.
  const std::string& table() const { return table_; }
  /// All pages that were added; their places are the numbers in `records`.
  const std::vector<LandedPage>& pages() const { return pages_; }

 private:
  class Batch;
  class Appender;
  void AddPage(const LandedPage& page, Batch& batch) const;
  void AddCsv(const LandedPage& page, std::string_view text, Batch& batch) const;
  void RefuseOtherTable(const LandedPage& page, const std::vector<std::string>& names) const;
  Error NotAsSaid(const LandedPage& page, const std::string& what) const;
  int32_t Number(const LandedPage& page);

  const NestedStream& stream_;
  const ReadContext& context_;
  const std::string table_;
  std::vector<config::JsonStep> steps_;
  duck::Connection connection_;
  std::atomic<int64_t> count_ = 0;
  std::mutex mutex_;  ///< guards what follows
  std::unique_ptr<Appender> appender_;
  std::vector<LandedPage> pages_;
  Shape shape_;
};

}  // namespace leat::sources
