#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/project.h"
#include "core/clock.h"
#include "sources/postgres/moment.h"

namespace leat::sources {

/// What a position is about. Where any of it has changed, transaction ids, or what rows show, are no longer comparable.
struct StreamIdentity {
  std::string system;
  std::string timeline;
  std::string database;
  std::string relation;  ///< oid of the table
  std::string shape;   ///< digest of columns, types, enum labels, row-level security, and what the project takes of it
  std::string leaves;  ///< digest of the partition tree; empty: not partitioned
  bool operator==(const StreamIdentity&) const = default;

  /// Whether ids of one mean the same in the other: same system, database, table and timeline.
  bool HasSameIds(const StreamIdentity& other) const;
};

/// One read that counts: its snapshot's bounds.
struct RingEntry {
  Timestamp time;
  int64_t horizon = 0;
  int64_t next = 0;
  bool operator==(const RingEntry&) const = default;
};

/// How far a stream was read, with all that is needed to go on: what the state database stores, as JSON.
struct StreamPosition {
  Timestamp as_of;
  config::ReadMode read = config::ReadMode::kFull;  ///< how it was read last, for people
  StreamIdentity identity;
  std::vector<RingEntry> ring;       ///< oldest first: the last ten minutes, and one 60 s older than the newest
  bool is_flushed = true;            ///< no crash can take back ids below the first horizon of the ring
  std::optional<int64_t> lost_next;  ///< a crash took ids back: everything is compared once they have passed this
  Timestamp deletes_as_of;           ///< when keys were last compared
  std::chrono::microseconds deletes_took{0};
  Timestamp horizon_since;  ///< when the newest horizon was first seen
};

std::string FormatPosition(const StreamPosition& position);
/// Nothing for a text that is no position of ours: the stream is then compared in full.
std::optional<StreamPosition> ParsePosition(const std::string& text);

/// What is to be read of a stream this time.
struct ReadPlan {
  enum class How {
    kFull,    ///< all rows, compared with what the lake has
    kChanges  ///< rows written by transactions from `from` on
  };
  How how = How::kFull;
  int64_t from = 0;
  bool is_fresh = false;   ///< horizons of before do not count any more
  bool may_delete = true;  ///< the snapshot is not older than the last one read
  bool shape_changed = false;
  std::optional<int64_t> lost_next;  ///< to be kept with the position
  std::string because = {};          ///< why everything is read, unless that was asked for: `its partitions changed`
};

/// Whether a standby shows an older state than was read last, be it that its timeline is not known: it must not be
/// read then.
bool IsBehind(const StreamPosition& last, const Moment& moment, const StreamIdentity& identity);

/// Decide by reliability.md, algorithm B, step 2, of a server that is not behind.
/// \param position  nothing: never read, or forgotten
/// \param full      everything is asked for: `read: full`, `--full-refresh`, a stream without a key
ReadPlan PlanRead(const std::optional<StreamPosition>& position, const Moment& moment, const StreamIdentity& identity,
                  bool full);

/// Whether keys are to be compared in this run.
bool IsDeleteDue(const config::DeleteRule& rule, const StreamPosition& position, Timestamp now);

/// The ring after a read at `moment`.
std::vector<RingEntry> Advance(std::vector<RingEntry> ring, const Moment& moment);

}  // namespace leat::sources
