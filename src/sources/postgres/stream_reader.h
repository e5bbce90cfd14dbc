#pragma once

#include <deque>

#include "clients/postgres/decode.h"
#include "clients/postgres/scan.h"
#include "sources/postgres/position.h"
#include "sources/postgres/stream_sql.h"
#include "sources/postgres/streams.h"
#include "sources/source.h"

namespace leat::sources {

/// Reads one stream by reliability.md's algorithms: B, what transactions wrote since the last read, where the table and
/// the project allow it, and E, everything compared with the lake, where it is due. Rows and keys are of one snapshot,
/// and the lease keeps other writers out. Used by one thread.
class StreamReader {
 public:
  StreamReader(postgres::SnapshotPool& pool, const PostgresStream& stream, const ReadContext& context,
               const Moment& moment, Timestamp as_of);

  /// Throws: Error(kConnection, LEAT0301, LEAT0302, LEAT0303) when the server is lost; any other fault is in the
  /// outcome. The outcome has no position yet: that of `position()` is final once the flush was awaited.
  StreamOutcome Read();
  /// What Read would do. Borrows no connection. Faults are in the forecast.
  ReadForecast Foresee();

  /// Where the stream stands after the read; nothing: as before.
  std::optional<StreamPosition>& position() { return position_; }
  /// Whether the position rests on this read's horizon alone, which a crash could take back until the log is flushed.
  bool needs_flush() const { return plan_.is_fresh && reads_changes_; }
  /// Whether it rests on horizons of earlier reads, or of one that was flushed then.
  bool rests_on_earlier() const { return !plan_.is_fresh; }

 private:
  /// Fill plan and schema. Returns the last read if a standby is behind it: then nothing is to be read.
  std::optional<StreamPosition> Decide();
  std::string WhyFull() const;
  void ReadInto(StreamOutcome& outcome);
  void ReadPlanned(StreamOutcome& outcome);
  StreamIdentity Identity() const;
  bool HasSameKey() const;
  postgres::ScanTable ScanOf();
  std::string Window() const;
  std::string From() const;
  int64_t CountBlocks();
  std::vector<postgres::ScanLeaf> CountLeaves();
  void RefuseRewritten();
  Error WithKey(const postgres::Misfit& misfit);

  std::optional<StreamPosition> LastRead() const;
  void SkipOldMoment(StreamOutcome& outcome, const StreamPosition& last);
  void RefuseLostKey();
  void ReadEverything(StreamOutcome& outcome);
  void ReadChanges(StreamOutcome& outcome);
  void LoadBase(StreamOutcome& outcome, const std::string& rows);
  void CompareAll(StreamOutcome& outcome, const std::string& rows);
  void Replace(StreamOutcome& outcome, const std::string& rows);
  bool FindDeleted(int64_t rows_expected);
  int64_t CountRows();
  std::string Materialise(const std::string& rows);
  void CheckKey(const std::string& table);
  void AppendDifference(StreamOutcome& outcome);
  void MovePosition();
  lake::TableChange NewChange(int64_t rows_total) const;
  std::vector<lake::DataFile> WriteVersions(const std::string& from, const std::string& op);

  postgres::SnapshotPool& pool_;
  const PostgresStream& stream_;
  const ReadContext& context_;
  const Moment& moment_;
  Timestamp as_of_;
  int64_t seq_;
  bool reads_changes_;  ///< the mode; a single read may be of everything all the same
  std::optional<lake::Table> published_;
  std::optional<engine::Relation> relation_;  ///< the rows in the lake, if they have the same key
  std::optional<StreamPosition> before_;      ///< where the stream stood
  std::optional<StreamPosition> position_;
  ReadPlan plan_;
  StreamSchema now_;
  std::optional<StreamSql> sql_;
  std::optional<std::chrono::microseconds> deletes_took_;  ///< of this run, if keys were compared
  duck::Connection connection_;
  std::deque<postgres::Scan> scans_;  ///< the last one is at work; counters of all are watched until the reader is gone
};

}  // namespace leat::sources
