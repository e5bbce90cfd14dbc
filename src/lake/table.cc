#include "lake/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "core/error.h"
#include "core/fail_point.h"
#include "core/file_system.h"
#include "core/ids.h"
#include "core/text.h"
#include "lake/iceberg/bounds.h"
#include "lake/iceberg/manifest.h"
#include "lake/iceberg/metadata.h"

namespace leat::lake {

using iceberg::ManifestEntry;
using iceberg::ManifestFile;
using iceberg::Metadata;

namespace {

/// So many manifests may be in a list before the small ones among them are merged.
constexpr size_t kManifestsMax = 100;
constexpr int64_t kSmallManifestBytes = 8 << 20;

/// Read a file of a table's metadata and decode it, naming file and table in what is wrong with it.
template <typename Decode>
auto ReadMetadata(const Storage& storage, const state::TableName& table, const std::string& uri, Decode decode) {
  const std::string name = storage.NameOf(uri);
  const std::string bytes = storage.Read(name);
  try {
    return decode(bytes);
  } catch (const Error& error) {
    throw Error(kInternal, "LEAT0520",
                fmt::format("{}, metadata of table {}.{}, cannot be read: {}", storage.DuckPath(name), table.first,
                            table.second, error.message()))
        .Hint("put the file back from a backup, or rebuild the table with --full-refresh");
  }
}

std::vector<ManifestFile> ReadManifestList(const Storage& storage, const state::TableName& table,
                                           const Snapshot& snapshot) {
  return ReadMetadata(storage, table, snapshot.manifest_list,
                      [](const std::string& bytes) { return iceberg::DecodeManifestList(bytes); });
}

/// The entries of the files that are in the table, without those that left it.
std::vector<ManifestEntry> ReadLiveEntries(const Storage& storage, const state::TableName& table,
                                           const Metadata& metadata, const ManifestFile& manifest) {
  auto entries = ReadMetadata(storage, table, manifest.path, [&](const std::string& bytes) {
    if (manifest.content == ManifestFile::Content::kDeletes)
      throw Error(kData, "LEAT0520", "another program has deleted single rows of data files, which leat does not read");
    return iceberg::DecodeManifest(bytes, manifest, metadata.FindSpec(manifest.spec_id));
  });
  std::erase_if(entries, [](const ManifestEntry& entry) { return entry.status == ManifestEntry::Status::kDeleted; });
  return entries;
}

std::vector<DataFile> ReadFiles(const Storage& storage, const state::TableName& table, const Metadata& metadata,
                                const Snapshot& snapshot) {
  std::vector<DataFile> files;
  for (const ManifestFile& manifest : ReadManifestList(storage, table, snapshot)) {
    if (manifest.live_files() == 0) continue;
    for (ManifestEntry& entry : ReadLiveEntries(storage, table, metadata, manifest))
      files.push_back(std::move(entry.file));
  }
  return files;
}

/// A number of a snapshot's summary, where numbers are texts.
std::optional<int64_t> SummaryNumber(const std::optional<Snapshot>& snapshot, const std::string& key) {
  if (!snapshot) return std::nullopt;
  const std::string text = snapshot->Text(key);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos || text.size() > 18)
    return std::nullopt;
  return std::stoll(text);
}

/// Files, rows and bytes of a set of data files.
struct Totals {
  int64_t files = 0;
  int64_t rows = 0;
  int64_t bytes = 0;

  void Add(const DataFile& file) {
    ++files;
    rows += file.record_count;
    bytes += file.size_bytes;
  }
};

}  // namespace

std::string Snapshot::Text(const std::string& key) const {
  const auto found = summary.find(key);
  return found == summary.end() ? "" : found->second;
}

int64_t CountRows(const std::vector<DataFile>& files) {
  int64_t rows = 0;
  for (const DataFile& file : files) rows += file.record_count;
  return rows;
}

void RemoveFiles(const Storage& storage, const std::vector<DataFile>& files) noexcept {
  for (const DataFile& file : files) storage.RemoveQuietly(storage.NameOf(file.path));
}

struct Table::Content {
  Content(const Storage& s, state::TableName n, std::string at, Metadata m)
      : storage(s), name(std::move(n)), metadata_location(std::move(at)), metadata(std::move(m)) {
    location = ParentPath(ParentPath(storage.NameOf(metadata_location)));
  }

  const Storage& storage;
  state::TableName name;
  std::string metadata_location;
  std::string location;
  Metadata metadata;
  mutable std::mutex mutex;
  mutable std::optional<std::vector<DataFile>> files;
};

std::optional<std::pair<int64_t, int64_t>> DataFile::Int64Bounds(int field_id) const {
  const auto it = columns.find(field_id);
  if (it == columns.end() || !it->second.lower || !it->second.upper) return std::nullopt;
  const auto lower = iceberg::DecodeInteger(*it->second.lower), upper = iceberg::DecodeInteger(*it->second.upper);
  if (!lower || !upper) return std::nullopt;
  return std::pair(*lower, *upper);
}

Table::Table(std::shared_ptr<const Content> content) : content_(std::move(content)) {}

Table Table::Load(const Storage& storage, const state::TableName& name, const std::string& metadata_location) {
  Metadata metadata =
      ReadMetadata(storage, name, metadata_location, [](const std::string& bytes) { return Metadata::Parse(bytes); });
  return Table(std::make_shared<Content>(storage, name, metadata_location, std::move(metadata)));
}

const state::TableName& Table::name() const { return content_->name; }
const std::string& Table::metadata_location() const { return content_->metadata_location; }
const std::string& Table::location() const { return content_->location; }
std::string Table::uuid() const { return content_->metadata.table_uuid(); }
const Schema& Table::schema() const { return content_->metadata.schema(); }
int Table::last_column_id() const { return content_->metadata.last_column_id(); }
const std::map<std::string, std::string>& Table::properties() const { return content_->metadata.properties(); }

std::optional<std::string> Table::Property(const std::string& key) const {
  const auto it = properties().find(key);
  return it != properties().end() ? std::optional(it->second) : std::nullopt;
}

const std::optional<Snapshot>& Table::snapshot() const { return content_->metadata.snapshot(); }
std::optional<Snapshot> Table::FindSnapshot(int64_t id) const { return content_->metadata.FindSnapshot(id); }

const std::vector<DataFile>& Table::files() const {
  const std::lock_guard lock(content_->mutex);
  if (!content_->files) content_->files = snapshot() ? FilesOf(*snapshot()) : std::vector<DataFile>();
  return *content_->files;
}

std::vector<DataFile> Table::FilesOf(const Snapshot& snapshot) const {
  return ReadFiles(content_->storage, name(), content_->metadata, snapshot);
}

int64_t Table::record_count() const {
  if (!snapshot()) return 0;
  if (const auto total = SummaryNumber(snapshot(), "total-records")) return *total;
  return CountRows(files());
}

namespace {

/// Makes the manifests of one new snapshot out of those of the one before and a change.
class SnapshotMaker {
 public:
  SnapshotMaker(const Storage& storage, const state::TableName& table, const std::string& location,
                const Metadata& metadata, Snapshot& snapshot)
      : storage_(storage), table_(table), location_(location), metadata_(metadata), snapshot_(snapshot) {}

  /// Fill in the snapshot's list and summary. Returns the files that are to be written.
  std::vector<NewFile> Make(const std::optional<Snapshot>& base, const TableChange& change) {
    if (base) TakeOver(ReadManifestList(storage_, table_, *base), change);
    MergeSmall();
    for (const auto& [spec_id, entries] : rewritten_) AddManifest(entries, metadata_.FindSpec(spec_id));
    AddFiles(change.added);
    const std::string name = fmt::format("{}/metadata/snap-{}-1-{}.avro", location_, snapshot_.id, NewUuid());
    new_files_.push_back({name, iceberg::EncodeManifestList(manifests_, snapshot_)});
    snapshot_.manifest_list = storage_.Uri(name);
    FillSummary(base, change);
    return std::move(new_files_);
  }

 private:
  /// Keep the manifests that still hold; take those apart that list a file which leaves.
  void TakeOver(const std::vector<ManifestFile>& manifests, const TableChange& change) {
    std::set<std::string> removed(change.removed.begin(), change.removed.end());
    for (const ManifestFile& manifest : manifests) {
      if (manifest.live_files() == 0) continue;  // told of files that left before
      if (change.replace_all || !removed.empty())
        Remove(manifest, removed, change.replace_all);
      else
        manifests_.push_back(manifest);
    }
    if (!removed.empty() && !change.replace_all)
      throw Error(kInternal, "LEAT9907",
                  fmt::format("{} is to leave table {}.{}, which does not have it", *removed.begin(), table_.first,
                              table_.second));
  }

  void Remove(const ManifestFile& manifest, std::set<std::string>& removed, bool all) {
    std::vector<ManifestEntry> entries = ReadLiveEntries(storage_, table_, metadata_, manifest);
    bool touched = false;
    for (ManifestEntry& entry : entries) {
      const bool leaves = removed.erase(entry.file.path) > 0 || all;
      entry.status = leaves ? ManifestEntry::Status::kDeleted : ManifestEntry::Status::kExisting;
      if (!leaves) continue;
      removed_.Add(entry.file);
      entry.file.snapshot_id = snapshot_.id;
      touched = true;
    }
    if (touched)
      std::move(entries.begin(), entries.end(), std::back_inserter(rewritten_[manifest.spec_id]));
    else
      manifests_.push_back(manifest);
  }

  void MergeSmall() {
    if (manifests_.size() < kManifestsMax) return;
    std::vector<ManifestFile> large;
    for (const ManifestFile& manifest : manifests_) {
      if (manifest.length >= kSmallManifestBytes) {
        large.push_back(manifest);
        continue;
      }
      for (ManifestEntry& entry : ReadLiveEntries(storage_, table_, metadata_, manifest)) {
        entry.status = ManifestEntry::Status::kExisting;
        rewritten_[manifest.spec_id].push_back(std::move(entry));
      }
    }
    manifests_ = std::move(large);
  }

  void AddFiles(const std::vector<DataFile>& files) {
    const iceberg::PartitionSpec spec = metadata_.default_spec();
    std::vector<ManifestEntry> entries;
    for (const DataFile& file : files) {
      if (spec.superseded_id && !file.superseded)
        throw Error(kInternal, "LEAT9907",
                    fmt::format("{} is to join table {}.{}, but {} is not the same in all of its rows", file.path,
                                table_.first, table_.second, kSupersededColumn));
      added_.Add(file);
      ManifestEntry entry{
          .status = ManifestEntry::Status::kAdded, .file = file, .file_sequence_number = snapshot_.sequence_number};
      entry.file.snapshot_id = snapshot_.id;
      entry.file.sequence_number = snapshot_.sequence_number;
      entries.push_back(std::move(entry));
    }
    AddManifest(entries, spec);
  }

  void AddManifest(const std::vector<ManifestEntry>& entries, const iceberg::PartitionSpec& spec) {
    if (entries.empty()) return;
    const std::string name = fmt::format("{}/metadata/{}-m0.avro", location_, NewUuid());
    std::string bytes = iceberg::EncodeManifest(entries, metadata_.SchemaJson(), metadata_.schema().id, spec);
    ManifestFile manifest{.path = storage_.Uri(name),
                          .length = static_cast<int64_t>(bytes.size()),
                          .spec_id = spec.id,
                          .sequence_number = snapshot_.sequence_number,
                          .min_sequence_number = snapshot_.sequence_number,
                          .added_snapshot_id = snapshot_.id,
                          .partitions = iceberg::SummarisePartitions(entries, spec)};
    for (const ManifestEntry& entry : entries) Count(entry, manifest);
    manifests_.push_back(std::move(manifest));
    new_files_.push_back({name, std::move(bytes)});
  }

  static void Count(const ManifestEntry& entry, ManifestFile& manifest) {
    const int64_t rows = entry.file.record_count;
    switch (entry.status) {
      case ManifestEntry::Status::kAdded:
        ++manifest.added_files, manifest.added_rows += rows;
        break;
      case ManifestEntry::Status::kExisting:
        ++manifest.existing_files, manifest.existing_rows += rows;
        break;
      case ManifestEntry::Status::kDeleted:
        ++manifest.deleted_files, manifest.deleted_rows += rows;
        return;
    }
    manifest.min_sequence_number = std::min(manifest.min_sequence_number, entry.file.sequence_number);
  }

  void FillSummary(const std::optional<Snapshot>& base, const TableChange& change) {
    auto& summary = snapshot_.summary;
    summary = change.summary;
    summary["operation"] = removed_.files == 0 ? "append" : added_.files == 0 ? "delete" : "overwrite";
    const auto set = [&summary](const char* key, int64_t value) { summary[key] = std::to_string(value); };
    const auto set_unless_zero = [&set](const char* key, int64_t value) {
      if (value != 0) set(key, value);
    };
    set_unless_zero("added-data-files", added_.files);
    set_unless_zero("added-records", added_.rows);
    set_unless_zero("added-files-size", added_.bytes);
    set_unless_zero("deleted-data-files", removed_.files);
    set_unless_zero("deleted-records", removed_.rows);
    set_unless_zero("removed-files-size", removed_.bytes);
    const Totals before = TotalsOf(base);
    set("total-data-files", before.files + added_.files - removed_.files);
    set("total-records", before.rows + added_.rows - removed_.rows);
    set("total-files-size", before.bytes + added_.bytes - removed_.bytes);
    for (const char* key : {"total-delete-files", "total-position-deletes", "total-equality-deletes"}) set(key, 0);
  }

  /// From the summary, which leat always fills; other writers may not.
  Totals TotalsOf(const std::optional<Snapshot>& base) const {
    if (!base) return {};
    const auto files = SummaryNumber(base, "total-data-files"), rows = SummaryNumber(base, "total-records"),
               bytes = SummaryNumber(base, "total-files-size");
    if (files && rows && bytes) return {*files, *rows, *bytes};
    Totals totals;
    for (const DataFile& file : ReadFiles(storage_, table_, metadata_, *base)) totals.Add(file);
    return totals;
  }

  const Storage& storage_;
  const state::TableName& table_;
  const std::string& location_;
  const Metadata& metadata_;
  Snapshot& snapshot_;
  std::vector<ManifestFile> manifests_;
  std::map<int, std::vector<ManifestEntry>> rewritten_;  ///< by their spec, which a manifest has one of
  std::vector<NewFile> new_files_;
  Totals added_, removed_;
};

int64_t MillisecondsOf(Timestamp time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

bool MakesSnapshot(const TableChange& change) {
  return !change.added.empty() || !change.removed.empty() || change.replace_all || !change.summary.empty();
}

/// `00003-….metadata.json` after `00002-….metadata.json`; whoever wrote the one before.
std::string NextMetadataName(const std::string& location, const std::string& previous_name) {
  int number = -1;
  const size_t slash = previous_name.rfind('/');
  if (slash != std::string::npos) std::sscanf(previous_name.c_str() + slash + 1, "%d-", &number);
  return fmt::format("{}/metadata/{:05}-{}.metadata.json", location, number + 1, NewUuid());
}

}  // namespace

Table TableWriter::Apply(const std::optional<Table>& base, const state::TableName& name, const std::string& location,
                         const TableChange& change) const {
  const std::string place = base ? base->location() : location;
  const std::string previous = base ? base->metadata_location() : "";
  Metadata metadata = base ? base->content_->metadata : Metadata::New("");
  if (metadata.is_partitioned_by_others())
    throw Error(
        kInternal, "LEAT0520",
        fmt::format("table {}.{} was partitioned by another program; expected no partitions but leat's own, by {}",
                    name.first, name.second, kSupersededColumn));
  metadata.SetLocation(storage_.Uri(place));  // a lake that was moved is at its new place from now on
  if (!base || !change.schema.fields.empty()) metadata.SetSchema(change.schema);
  if (change.partition_by_superseded) metadata.PartitionBySuperseded();
  metadata.SetProperties(change.properties);
  const int64_t now_ms = std::max(MillisecondsOf(clock_.Now()), metadata.last_updated_ms());
  std::vector<NewFile> files;
  if (MakesSnapshot(change)) {
    Snapshot snapshot{.id = NewSnapshotId(),
                      .sequence_number = metadata.last_sequence_number() + 1,
                      .timestamp_ms = now_ms,
                      .schema_id = metadata.schema().id};
    const std::optional<Snapshot> parent = metadata.snapshot();
    if (parent) snapshot.parent_id = parent->id;
    files = SnapshotMaker(storage_, name, place, metadata, snapshot).Make(parent, change);
    metadata.AddSnapshot(snapshot);
  }
  metadata.Touch(now_ms, previous);
  files.push_back({NextMetadataName(place, storage_.NameOf(previous)), metadata.Format()});
  FailPoint("lake.metadata.before_write");
  WriteAll(storage_, files);
  FailPoint("lake.metadata.after_write");
  return Table(std::make_shared<Table::Content>(storage_, name, storage_.Uri(files.back().name), std::move(metadata)));
}

}  // namespace leat::lake
