#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "config/project_fixture.h"
#include "sources/http/http_streams.h"

namespace leat::sources {

/// A source as its file says it:
///
///     Read("paginate: {type: page, param: p}\nstreams: {invoices: {}}");
///     Stream("api.invoices").nested.info.origin == "https://api.acme.example/v2/invoices"
class HttpSourceFixture : public config::ProjectTest {
 protected:
  /// \param text  what follows `type` and `base_url`
  void Read(const std::string& text, const std::string& base_url = "https://api.acme.example/v2") {
    Write("=== leat.yaml\nname: shop\n=== sources/api.yaml\ntype: http\nbase_url: " + base_url + "\n" + text + "\n");
    project_ = Load().project;
    streams_ = MatchHttpStreams(source());
  }
  const config::Source& source() const { return project_.sources.at(0); }
  const std::vector<HttpStream>& streams() const { return streams_; }
  const HttpStream& Stream(const std::string& name) const {
    for (const HttpStream& stream : streams_)
      if (stream.name() == name) return stream;
    throw Error(kInternal, "LEAT9900", "no stream " + name);
  }
  HttpPeer Peer(size_t partition = 0) const { return {source().http, source().http.partitions.at(partition)}; }

 private:
  config::Project project_;
  std::vector<HttpStream> streams_;
};

/// What an error says, its first help below it; `no error`.
template <typename Function>
std::string ErrorOf(Function function) {
  try {
    function();
  } catch (const Error& error) {
    const auto& help = error.diagnostic().help;
    return std::string(error.what()) + (help.empty() ? "" : "\n" + help[0]);
  }
  return "no error";
}

inline http::Response Answered(const std::string& body, const std::string& type = "application/json") {
  http::Response response{.status = 200, .headers = {{"Content-Type", type}}, .body = body};
  response.url = http::Url::Parse("https://api.acme.example/v2/invoices");
  return response;
}

}  // namespace leat::sources
