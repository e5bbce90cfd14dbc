#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sources/source.h"

namespace leat::sources {

/// A stream of JSON or CSV records, as the project asks for it.
struct NestedStream {
  StreamInfo info;                         ///< its key in leat's names: that of `given_columns` first
  config::StreamRule rule;                 ///< what applies to it
  std::vector<std::string> given_columns;  ///< columns that no record has, the first of its table: `site`, or values of
                                           ///< `for_each`; all VARCHAR, all part of the key
};

/// One answer of an API as it lies in landing.
struct LandedPage {
  std::string name;                ///< of its gzip file, in the lake's storage
  int64_t bytes = 0;               ///< unpacked
  int64_t records = -1;            ///< entries of the list of records, counted as the answer came; -1: not counted
  int64_t ordinal = 0;             ///< arrival within the read of its stream; later pages hold later versions
  std::vector<std::string> given;  ///< values of NestedStream::given_columns
  int64_t commit_number = 0;       ///< of the read it came with, with that read's run and time
  int64_t run = 0;
  Timestamp time;
};

/// What one commit asked for in full: of the rows that it knew before, those whose given columns begin with `given` and
/// that no page of that commit holds are gone at the source. Empty `given`: all rows of the stream.
struct AskedInFull {
  std::vector<std::string> given;  ///< values of the first of NestedStream::given_columns
  int64_t commit_number = 0;
  int64_t run = 0;
  Timestamp time;
};

/// Turns pages of records into the versions of a stream's rows: its table, tables of its nested lists, and
/// `__rejects`. DuckDB parses and unnests, in parallel, while other pages are still on their way.
class NestedReader {
 public:
  /// What is passed must outlive it. \param from_landing  all that was ever landed comes: the tables are made anew
  NestedReader(const NestedStream& stream, const ReadContext& context, bool from_landing = false);
  ~NestedReader();

  /// Take in the records of whole pages, in any order. Threads: safe. Throws: Error(kData) for a page that is not what
  /// its format says, naming it.
  void Add(const std::vector<LandedPage>& pages);
  /// Say what was asked for in full; without it no row is taken for deleted. Before Finish, in any order. A stream
  /// without a key is replaced as a whole whatever is said here. Threads: safe.
  void Add(const AskedInFull& asked);
  /// Records taken in so far. Threads: safe.
  int64_t records() const;
  /// After all pages: write what changed into files of the lake. The outcome has no position yet; a fault of the data
  /// is its diagnostic. `pending` is the stream's own table, `others` are its children and rejects.
  StreamOutcome Finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace leat::sources
