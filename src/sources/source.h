#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/project.h"
#include "core/cancel.h"
#include "core/clock.h"
#include "engine/engine.h"
#include "lake/pending.h"
#include "state/state.h"

namespace leat::sources {

/// One table of a source, as the project asks for it.
struct StreamInfo {
  std::string name;                   ///< in leat: `totesys.sales_order`
  std::string origin;                 ///< at the source: `public.sales_order`
  std::vector<duck::Column> columns;  ///< as SQL will see them, in the source's order
  std::vector<std::string> key;       ///< in leat's names; empty: read in full and replaced as a whole
  int64_t rows_estimate = -1;         ///< -1: unknown
  std::optional<Diagnostic> fault;    ///< why it cannot be read; the other streams can

  /// Its table in the catalog: {"totesys", "sales_order__history"}.
  state::TableName table() const;
  /// Its folder in the lake: `raw/totesys/sales_order`.
  std::string location() const;
};

/// What each version of a row carries beside the row's own columns: `_leat_op`, `_leat_seq`, `_leat_time`, `_leat_run`.
const std::vector<duck::Column>& VersionColumns();

/// What reading one stream came to. rows_read = rows_written + rows_repeated + rows_rejected; versions 'd' that no row
/// of the source stands for are counted apart.
struct StreamOutcome {
  std::string stream;
  enum class Kind { kChanged, kUnchanged, kFailed } kind = Kind::kFailed;
  int64_t rows_read = 0;
  int64_t rows_written = 0;
  int64_t rows_repeated = 0;
  int64_t rows_rejected = 0;
  int64_t rows_deleted = 0;
  int64_t rows_total = 0;  ///< current rows afterwards
  Timestamp as_of;         ///< the moment it was read at, by the source's clock
  Timestamp started;
  Timestamp ended;
  std::optional<lake::PendingTable> pending;
  std::vector<lake::PendingTable> others;  ///< tables that come with it: of nested lists, of rejected rows
  std::string position;                    ///< JSON, to be stored in the commit that publishes `pending`
  std::optional<Diagnostic> diagnostic;    ///< why it failed, or a warning
  bool has_more = false;  ///< once this is published, Read is to be called again for it; counts are of all reads so far

  /// All that is to be published, its own table first.
  std::vector<const lake::PendingTable*> Tables() const;
};

/// What one read of a source came to.
struct ReadResult {
  std::vector<StreamOutcome> outcomes;
  std::vector<Diagnostic> warnings;  ///< about the source as a whole
};

/// How a stream would be read now.
struct ReadForecast {
  std::string stream;
  enum class How {
    kFirst,    ///< all rows, since the lake has none
    kFull,     ///< all rows, compared with those of the lake
    kChanges,  ///< what was written since the last read
    kNothing   ///< `diagnostic` says why
  };
  How how = How::kNothing;
  std::string because;                   ///< of kFull: `read: full`, `it has no key`
  bool has_new_shape = false;            ///< columns, types or what the project takes of them differ from the last read
  lake::Schema schema;                   ///< of the lake's table afterwards
  std::optional<Diagnostic> diagnostic;  ///< why it cannot be read, or a warning
};

/// Told how a read goes on, from several threads.
class ReadObserver {
 public:
  virtual ~ReadObserver() = default;
  /// `rows` may be asked by any thread until Finished or Aborted is called for the stream.
  virtual void Started(const StreamInfo& stream, std::function<int64_t()> rows) = 0;
  virtual void Finished(const StreamOutcome& outcome) = 0;
  /// The whole read ends without an outcome for the stream.
  virtual void Aborted(const StreamInfo& stream) = 0;
};

/// What one read needs to know of its run.
struct ReadContext {
  engine::Engine& engine;  ///< the lake's tables as published
  const lake::TableWriter& writer;
  int64_t run = 0;
  int64_t commit_number = 0;  ///< `_leat_seq` of its rows is this times 2^24
  Timestamp now;
  int threads = 1;
  bool full_refresh = false;
  bool from_landing = false;  ///< make the tables anew from what was landed, asking no server
  const CancelFlag& cancel;
  ReadObserver& observer;
  const std::map<state::TableName, lake::Table>& tables;  ///< as published
  const std::map<std::string, std::string>& positions;    ///< stored last, by stream

  /// A stream's table, if it is published.
  std::optional<lake::Table> Published(const StreamInfo& stream) const;
};

/// A place rows come from: a database, an HTTP API, a folder of dropped files.
/// Used by one thread at a time; two Sources may run in parallel.
class Source {
 public:
  virtual ~Source() = default;

  /// List the streams that the project asks for, sorted by name, as of the moment that Read will read.
  /// Throws: Error(kConnection), unreachable or refused; Error(kConfig), a name that matches nothing, two streams of
  /// one name.
  virtual std::vector<StreamInfo> Discover() = 0;

  /// Tell how Read would read `streams`, which Discover has listed, reading none of their rows and writing nothing.
  /// Throws: Error(kConnection) when the source is lost.
  virtual std::vector<ReadForecast> Foresee(const std::vector<StreamInfo>& streams, const ReadContext& context) = 0;

  /// Read `streams`, all as of one moment, or as much of each as belongs into one commit, and write what changed into
  /// files of the lake. The observer is told that a stream is finished when there is no more of it. A stream that
  /// cannot be read fails alone. What is returned is not published yet: a crash repeats rows, never skips them. Throws:
  /// Error(kConnection) when the source is lost: nothing of this read counts then.
  virtual ReadResult Read(const std::vector<StreamInfo>& streams, const ReadContext& context) = 0;
};

/// Open a source of the project by its type.
std::unique_ptr<Source> OpenSource(const config::Project& project, const config::Source& source,
                                   const CancelFlag& cancel);

}  // namespace leat::sources
