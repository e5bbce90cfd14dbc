#include "sources/http/paging.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "core/text.h"

namespace leat::sources {
namespace {

using config::HttpPaging;

/// The end of a quoted text that begins at `begin`, one past its closing quote.
size_t QuotedEnd(std::string_view text, size_t begin) {
  for (size_t i = begin + 1; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      return i + 1;
  }
  return text.size();
}

/// The parts of `text` between `separator`, which may stand inside of quotes and angle brackets.
std::vector<std::string_view> SplitOutsideQuotes(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '"') {
      i = QuotedEnd(text, i);
    } else if (text[i] == '<') {
      i = std::min(text.find('>', i), text.size());
    } else if (text[i++] == separator) {
      parts.push_back(Trim(text.substr(begin, i - 1 - begin)));
      begin = i;
    }
  }
  parts.push_back(Trim(text.substr(begin)));
  return parts;
}

/// Whether `parameter` is `rel=next`, alone or among others.
bool IsNextRelation(std::string_view parameter) {
  const size_t equals = parameter.find('=');
  if (equals == std::string_view::npos || ToLower(Trim(parameter.substr(0, equals))) != "rel") return false;
  std::string_view value = Trim(parameter.substr(equals + 1));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  for (const std::string& relation : Split(ToLower(value), ' '))
    if (relation == "next") return true;
  return false;
}

}  // namespace

std::string NextLink(const http::Headers& headers) {
  for (const http::Header& header : headers) {
    if (ToLower(header.name) != "link") continue;
    for (const std::string_view link : SplitOutsideQuotes(header.value, ',')) {
      const size_t close = link.find('>');
      if (!link.starts_with('<') || close == std::string_view::npos) continue;
      for (const std::string_view parameter : SplitOutsideQuotes(link.substr(close + 1), ';'))
        if (IsNextRelation(parameter)) return std::string(link.substr(1, close - 1));
    }
  }
  return "";
}

Paging::Paging(const HttpStream& stream, http::Request first)
    : stream_(stream), rules_(stream.http().paginate), request_(std::move(first)) {
  if (!rules_.size_param.empty() && rules_.size > 0) SetParameter(rules_.size_param, fmt::to_string(rules_.size));
  if (rules_.type == HttpPaging::Type::kPage) number_ = rules_.start;
  if (rules_.type == HttpPaging::Type::kPage || rules_.type == HttpPaging::Type::kOffset)
    SetParameter(rules_.param, fmt::to_string(number_));
  if (rules_.type == HttpPaging::Type::kLink) seen_.insert(HashOfText(request_.url.text()));
}

bool Paging::Advance(const http::Response& response, const PageFacts& facts) {
  ++pages_;
  const bool has_next = [&] {
    switch (rules_.type) {
      case HttpPaging::Type::kNone:
        return false;
      case HttpPaging::Type::kPage:
      case HttpPaging::Type::kOffset:
        return AdvanceByNumber(response, facts);
      case HttpPaging::Type::kToken:
        return AdvanceByToken(response, facts.next);
      case HttpPaging::Type::kLink:
        return AdvanceByLink(response, rules_.read.value.empty() ? NextLink(response.headers) : facts.next);
      case HttpPaging::Type::kCursorInBody:
        return AdvanceByCursor(response, facts);
    }
    return false;
  }();
  if (has_next && pages_ >= rules_.max_pages)
    throw Error(kData, "LEAT0431", rules_.place,
                fmt::format("{} has more than {} pages", response.url.ForMessages(), rules_.max_pages))
        .Hint("raise `paginate.max_pages`, or let `position.window` ask for less at once");
  return has_next;
}

bool Paging::AdvanceByNumber(const http::Response& response, const PageFacts& facts) {
  if (facts.records == 0) return false;
  const std::string body = HashOfText(response.body);
  if (body == last_body_)
    throw Error(kData, "LEAT0430", rules_.place,
                fmt::format("{} answered the same page for {}={} as for the one before it", response.url.ForMessages(),
                            rules_.param, number_))
        .Hint(fmt::format("does the API take the parameter `{}`? Its documentation names the one that turns pages",
                          rules_.param));
  last_body_ = body;
  number_ += rules_.type == HttpPaging::Type::kPage ? 1 : facts.records;
  SetParameter(rules_.param, fmt::to_string(number_));
  return true;
}

bool Paging::AdvanceByToken(const http::Response& response, const std::string& token) {
  if (token.empty()) return false;
  RefuseRepeated(response, token, token);
  SetParameter(rules_.param, token);
  return true;
}

bool Paging::AdvanceByLink(const http::Response& response, const std::string& link) {
  if (link.empty()) return false;
  const http::Url next = response.url.Resolve(link);
  if (next.origin() != request_.url.origin())
    throw Error(kData, "LEAT0432", rules_.place,
                fmt::format("{} names {} as the next page; expected an address of the same origin",
                            response.url.ForMessages(), next.ForMessages()))
        .Hint("credentials go to the origin of `base_url` only; set it to where the API really answers");
  RefuseRepeated(response, next.text(), next.ForMessages());
  request_.url = next;
  return true;
}

bool Paging::AdvanceByCursor(const http::Response& response, const PageFacts& facts) {
  if (facts.next.empty() || !request_.body) return false;
  RefuseRepeated(response, facts.next, facts.next);
  auto body = nlohmann::ordered_json::parse(request_.body->bytes);
  nlohmann::ordered_json* place = &body;
  for (const std::string& name : Split(rules_.field, '.')) place = &(*place)[name];
  *place = nlohmann::ordered_json::parse(facts.next_json);
  request_.body->bytes = body.dump();
  return true;
}

void Paging::RefuseRepeated(const http::Response& response, const std::string& next, const std::string& shown) {
  if (seen_.insert(HashOfText(next)).second) return;
  throw Error(kData, "LEAT0430", rules_.place,
              fmt::format("{} leads to the next page '{}' a second time, on page {}", response.url.ForMessages(),
                          Shorten(shown, 60), pages_))
      .Hint("the API goes in a circle: check `paginate.read`, or report it to whoever runs the API");
}

void Paging::SetParameter(const std::string& name, const std::string& value) {
  request_.url = request_.url.WithoutParameter(name).WithParameter(name, value);
}

}  // namespace leat::sources
