#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "config/http_source.h"
#include "core/clock.h"
#include "sources/http/http_request.h"

namespace leat::sources {

/// How far one partition of a stream was read.
struct PartitionPosition {
  Timestamp until;                    ///< all that changed before is in the lake; of a full read, when it was made
  std::string request;                ///< RequestMark of that read
  std::optional<int64_t> parent_seq;  ///< `for_each`: rows of the parent up to this `_leat_seq` were asked for

  bool operator==(const PartitionPosition&) const = default;
};

/// Of a stream: by the partition's name, `_` where there are no partitions.
using HttpStreamPosition = std::map<std::string, PartitionPosition>;

std::string FormatHttpPosition(const HttpStreamPosition& position, bool in_full);
/// Nothing for a text that is no position of ours: the stream is then read from its start.
HttpStreamPosition ParseHttpPosition(const std::string& text);

/// The spans that a partition is asked for, one after the other, up to a fixed end.
class Windows {
 public:
  /// \param from  how far it was read; nothing: never
  /// \param now   end of the last window
  Windows(const config::HttpPosition& rules, bool in_parts, std::optional<Timestamp> from, Timestamp now);

  bool done() const { return is_asked_ && reached_ >= end_; }
  /// What is to be asked for now.
  HttpSpan Next() const;
  /// The last span was read. One without a record makes the next one twice as long.
  void Advance(bool had_records);
  /// How far it is read.
  Timestamp reached() const { return reached_; }

 private:
  Timestamp WindowEnd() const;

  config::HttpPosition rules_;
  bool in_parts_;
  bool is_first_;  ///< never read: from the start on, without overlap
  bool is_asked_ = false;
  Timestamp reached_;
  Timestamp end_;
  std::chrono::microseconds length_;
};

}  // namespace leat::sources
