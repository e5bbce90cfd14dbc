#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "clients/http/message.h"
#include "config/project.h"
#include "core/clock.h"

namespace leat::sources {

struct HttpStream;

/// What a request asks for: what changed from `since` to `until`, both as the API can write them.
struct HttpSpan {
  Timestamp since;
  Timestamp until;
};

/// `time` without what its unit cannot say.
Timestamp FloorTo(Timestamp time, config::TimeUnit unit);
/// As an API takes it: `1700000000`, `1700000000000`, `2023-11-14T22:13:20Z`, `2023-11-14`.
std::string FormatMoment(Timestamp time, config::TimeUnit unit);

/// `https://api.acme.example/v2` and `/subscriptions` as one address.
std::string JoinAddress(const std::string& base, const std::string& path);

/// All names in braces that the requests of a stream hold.
std::vector<std::string> NamesInRequest(const config::HttpSource& source, const config::HttpRules& rules);

/// Who is asked: one partition of a source.
struct HttpPeer {
  const config::HttpSource& source;
  const config::HttpPartition& partition;
};

/// The first request of a series, without credentials. \param given  values of `for_each`, by name
/// Throws: Error(kConfig, LEAT0328) for what is no address.
http::Request MakeRequest(const HttpPeer& peer, const HttpStream& stream, const std::optional<HttpSpan>& span,
                          const std::map<std::string, std::string>& given);

/// Stands for what is asked for and how rows are told apart, whatever the moment: once it differs, what was read says
/// nothing of what is not.
std::string RequestMark(const HttpPeer& peer, const HttpStream& stream);

}  // namespace leat::sources
