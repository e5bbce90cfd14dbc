#pragma once

#include "clients/postgres/scan.h"
#include "sources/postgres/streams.h"
#include "sources/source.h"

namespace leat::sources {

/// Remove data files that no commit will publish.
void RemoveFiles(const lake::Storage& storage, const std::vector<lake::DataFile>& files);

/// Reads one stream in full and finds what changed, by reliability.md's algorithm E: rows and keys are of one snapshot,
/// and the lease keeps other writers out, so what the lake has and the snapshot lacks was deleted. Used by one thread.
class StreamReader {
 public:
  /// `as_of`: the moment of the snapshot, by the server's clock.
  StreamReader(postgres::SnapshotPool& pool, const PostgresStream& stream, const ReadContext& context, Timestamp as_of);

  /// Throws: Error(kConnection, LEAT0303) when the server is lost; any other fault is in the outcome.
  StreamOutcome Read();

 private:
  void ReadInto(StreamOutcome& outcome);
  bool HasSameKey() const;
  int64_t CountBlocks();
  void RefuseRewritten();
  Error WithKey(const Error& error);
  void LoadBase(StreamOutcome& outcome, const std::string& rows);
  void AppendChanges(StreamOutcome& outcome, const std::string& rows);
  void Replace(StreamOutcome& outcome, const std::string& rows);
  std::string MaterialiseAndCheckKey(const std::string& rows);
  std::string RowsSql() const;
  std::string NullColumn(const std::string& name) const;
  std::string CurrentSql() const;
  std::string DifferenceSql(const std::string& rows) const;
  std::string VersionSql(const std::string& from, const std::string& op) const;
  lake::TableChange NewChange(int64_t rows_total) const;

  postgres::SnapshotPool& pool_;
  const PostgresStream& stream_;
  const ReadContext& context_;
  Timestamp as_of_;
  std::optional<lake::Table> published_;
  lake::Schema schema_;               ///< of the rows from now on
  std::vector<std::string> columns_;  ///< names without `_leat_…`, in the schema's order
  int64_t seq_;
  duck::Connection connection_;
  std::optional<postgres::Scan> scan_;  ///< its counter of rows is watched until the reader is gone
};

}  // namespace leat::sources
