#include "engine/compaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/text.h"

namespace leat::engine {
namespace {

/// One row in newer files for fewer rows of the base than this is one too many: current rows have become slow.
constexpr int64_t kBaseRowsPerNewerRow = 5;
/// So many files may gather that are smaller than this.
constexpr size_t kSmallFilesMax = 50;
constexpr int64_t kSmallFileBytes = 8 << 20;

/// What is to happen to one table's files; it is part of the pending change only when all of it is written.
class Compaction {
 public:
  Compaction(Engine& engine, duck::Connection& connection, const lake::TableWriter& writer, lake::PendingTable& pending)
      : engine_(engine),
        connection_(connection),
        writer_(writer),
        pending_(pending),
        relation_(Relation::Of(pending)),
        properties_(pending.change.properties) {
    for (const lake::DataFile& file : pending.change.added) unpublished_.insert(file.path);
  }
  Compaction(const Compaction&) = delete;
  Compaction& operator=(const Compaction&) = delete;
  ~Compaction() { lake::RemoveFiles(engine_.storage(), written_); }

  void Run() {
    if (relation_.kind != Relation::Kind::kKeyedStream) {
      MergeSmall(relation_.files, "*");
    } else {
      if (IsBaseOutgrown())
        RewriteBase();
      else
        MergeSmall(relation_.NewerFiles(), RowsOf(Partition::kLive));
      MergeSmall(SupersededFiles(), RowsOf(Partition::kSuperseded));
    }
    if (!left_.empty()) ChangePending();
  }

  void RunForChild(const lake::PendingTable& parent) {
    if (HasNewBase(parent))
      PartChildren(Relation::Of(parent));
    else
      MergeSmall(relation_.LiveFiles(), RowsOf(Partition::kLive));
    MergeSmall(SupersededFiles(), RowsOf(Partition::kSuperseded));
    if (!left_.empty()) ChangePending();
  }

 private:
  enum class Partition { kLive, kSuperseded };

  /// The select list of rows on their way into a partition.
  static std::string RowsOf(Partition partition) {
    return fmt::format("* REPLACE ({} AS {})", partition == Partition::kSuperseded, lake::kSupersededColumn);
  }

  std::vector<lake::DataFile> SupersededFiles() const {
    std::vector<lake::DataFile> files = relation_.files;
    std::erase_if(files, [](const lake::DataFile& file) { return !file.superseded.value_or(false); });
    return files;
  }

  bool IsBaseOutgrown() const {
    const int64_t newer = lake::CountRows(relation_.NewerFiles());
    return newer * kBaseRowsPerNewerRow > lake::CountRows(relation_.LiveFiles()) - newer;
  }

  void RewriteBase() {
    std::vector<lake::DataFile> leaving = relation_.files;
    std::erase_if(leaving, [](const lake::DataFile& file) { return file.superseded.value_or(false); });
    std::vector<lake::DataFile> coming = Write(RowsOf(Partition::kLive), engine_.CurrentRowsSql(relation_));
    for (lake::DataFile& file : Write(RowsOf(Partition::kSuperseded), engine_.OutdatedRowsSql(relation_)))
      coming.push_back(std::move(file));
    int64_t base_seq = relation_.base_seq;
    for (const lake::DataFile& file : coming)
      base_seq = std::max(base_seq, file.Int64Bounds(relation_.schema.Find("_leat_seq")->id)->second);
    properties_["leat.base_seq"] = std::to_string(base_seq);
    is_rewritten_ = true;
    Exchange(leaving, coming);
  }

  static bool HasNewBase(const lake::PendingTable& parent) {
    const auto base = parent.change.properties.find("leat.base_seq");
    return base != parent.change.properties.end() && base->second != parent.base->Property("leat.base_seq");
  }

  void PartChildren(const Relation& parent) {
    const std::vector<lake::DataFile> leaving = relation_.LiveFiles();
    if (leaving.empty()) return;
    const std::string current = engine_.CurrentRowsSql(parent);
    std::vector<lake::DataFile> coming =
        Write(RowsOf(Partition::kLive), engine_.ChildrenOfSql(relation_, parent, current));
    for (lake::DataFile& file :
         Write(RowsOf(Partition::kSuperseded), engine_.OutdatedChildrenSql(relation_, parent, current)))
      coming.push_back(std::move(file));
    is_rewritten_ = true;
    Exchange(leaving, coming);
  }

  /// Files that this commit brings are left as they are: whoever wrote them may still read them.
  void MergeSmall(std::vector<lake::DataFile> files, const std::string& select_list) {
    std::erase_if(files, [&](const lake::DataFile& file) {
      return file.size_bytes >= kSmallFileBytes || unpublished_.contains(file.path);
    });
    if (files.size() <= kSmallFilesMax) return;
    Exchange(files, Write(select_list, lake::ReadFilesSql(engine_.storage(), relation_.schema, files)));
  }

  std::vector<lake::DataFile> Write(const std::string& select_list, const std::string& from) {
    std::vector<lake::DataFile> files = writer_.WriteRows(connection_, pending_.base->location(), relation_.schema,
                                                          fmt::format("SELECT {} FROM {}", select_list, from));
    written_.insert(written_.end(), files.begin(), files.end());
    return files;
  }

  void Exchange(const std::vector<lake::DataFile>& leaving, const std::vector<lake::DataFile>& coming) {
    if (lake::CountRows(leaving) != lake::CountRows(coming))
      throw Error(kInternal, "LEAT0523",
                  fmt::format("table {}.{} was to get new files of {} rows, as its manifests count them; they hold {}",
                              pending_.name.first, pending_.name.second, GroupDigits(lake::CountRows(leaving)),
                              GroupDigits(lake::CountRows(coming))))
          .Hint(fmt::format("see whether another program changed files of {}", pending_.base->location()));
    left_.insert(left_.end(), leaving.begin(), leaving.end());
  }

  void ChangePending() {
    lake::TableChange& change = pending_.change;
    std::vector<lake::DataFile> unneeded;
    for (const lake::DataFile& file : left_) {
      if (!unpublished_.contains(file.path)) {
        change.removed.push_back(file.path);
        continue;
      }
      std::erase_if(change.added, [&](const lake::DataFile& added) { return added.path == file.path; });
      unneeded.push_back(file);
    }
    change.added.insert(change.added.end(), written_.begin(), written_.end());
    change.properties = std::move(properties_);
    change.partition_by_superseded = change.partition_by_superseded || is_rewritten_;
    written_.clear();
    lake::RemoveFiles(engine_.storage(), unneeded);
  }

  Engine& engine_;
  duck::Connection& connection_;
  const lake::TableWriter& writer_;
  lake::PendingTable& pending_;
  const Relation relation_;
  std::map<std::string, std::string> properties_;
  bool is_rewritten_ = false;
  std::set<std::string> unpublished_;  ///< files that `pending` brought
  std::vector<lake::DataFile> written_, left_;
};

}  // namespace

void Compact(Engine& engine, duck::Connection& connection, const lake::TableWriter& writer,
             lake::PendingTable& pending) {
  if (!pending.base || pending.change.replace_all) return;
  Compaction(engine, connection, writer, pending).Run();
}

void CompactChild(Engine& engine, duck::Connection& connection, const lake::TableWriter& writer,
                  const lake::PendingTable& parent, lake::PendingTable& child) {
  if (!child.base || !parent.base || child.change.replace_all) return;
  Compaction(engine, connection, writer, child).RunForChild(parent);
}

}  // namespace leat::engine
