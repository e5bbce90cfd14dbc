#include "sources/http/page_look.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "sources/nested/json_reader.h"

namespace leat::sources {
namespace {

using config::JsonStep;
using config::RecordFormat;

std::vector<JsonStep> StepsOf(const config::Located<std::string>& path) {
  return config::ParseJsonPath(path.value).value_or(std::vector<JsonStep>{});
}

bool HasEach(const std::vector<JsonStep>& steps) {
  return std::any_of(steps.begin(), steps.end(), [](const JsonStep& step) { return step.each; });
}

/// Up to the innermost list, whose entries are counted, or up to the outermost, which must be there.
std::vector<JsonStep> ListIn(std::vector<JsonStep> steps, bool innermost) {
  if (!HasEach(steps)) return steps;
  const auto is_each = [](const JsonStep& step) { return step.each; };
  const auto end = innermost ? std::find_if(steps.rbegin(), steps.rend(), is_each).base() - 1
                             : std::find_if(steps.begin(), steps.end(), is_each);
  steps.erase(end, steps.end());
  return steps;
}

/// SQL for microseconds since 1970 of a time written as text.
std::string MicrosecondsOf(const std::string& text, config::TimeUnit unit) {
  switch (unit) {
    case config::TimeUnit::kSeconds:
      return fmt::format("(TRY_CAST({} AS DOUBLE) * 1e6)::BIGINT", text);
    case config::TimeUnit::kMilliseconds:
      return fmt::format("(TRY_CAST({} AS DOUBLE) * 1e3)::BIGINT", text);
    case config::TimeUnit::kIso:
    case config::TimeUnit::kDate:
      return fmt::format("epoch_us(TRY_CAST({} AS TIMESTAMPTZ))", text);
  }
  return "NULL";
}

int64_t CountLines(std::string_view text) {
  int64_t count = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (!Trim(text.substr(begin, end - begin)).empty()) ++count;
    begin = end + 1;
  }
  return count;
}

/// Lines of CSV that are not empty; one inside of quotes belongs to the line before.
int64_t CountCsvRows(std::string_view text, const config::CsvFormat& format) {
  const char quote = format.quote.empty() ? '"' : format.quote[0];
  int64_t count = 0;
  bool quoted = false, is_empty = true;
  for (const char c : text) {
    if (c == quote) quoted = !quoted;
    if (c == '\n' && !quoted) {
      if (!is_empty) ++count;
      is_empty = true;
    } else if (c != '\r' && c != ' ') {
      is_empty = false;
    }
  }
  if (!is_empty) ++count;
  return std::max<int64_t>(0, count - (format.header.value_or(true) ? 1 : 0));
}

}  // namespace

std::string DescribeBody(const http::Response& response, const std::vector<Secret>& secrets) {
  const std::string type(http::FindHeader(response.headers, "content-type").value_or("no content type"));
  if (response.body.empty()) return "nothing";
  constexpr size_t kLookedAt = 2000;
  std::string begin = http::MaskSecrets(response.body.substr(0, kLookedAt), secrets);
  const bool is_cut = response.body.size() > kLookedAt;
  for (int i = 0; is_cut && i < 3 && !begin.empty() && !IsValidUtf8(begin); ++i)
    begin.pop_back();  // in the middle of a character
  if (!IsValidUtf8(begin)) return fmt::format("{}, which is no text in UTF-8", type);
  std::replace_if(
      begin.begin(), begin.end(), [](unsigned char c) { return c < 0x20; }, ' ');
  return fmt::format("{}: {}", type, Shorten(Trim(begin), 80));
}

/// Walks through one JSON text and notes what stands where somebody looks.
class PageLook::Walk {
 public:
  explicit Walk(const PageLook& look) : look_(look) {}

  /// Throws: MalformedJson.
  void Through(std::string_view text) {
    JsonReader reader(text);
    std::vector<Cursor> cursors;
    for (const Path* path : {&look_.outer_, &look_.inner_, &look_.next_, &look_.from_})
      if (*path) cursors.push_back({path, 0});
    Value(reader, cursors);
    if (!reader.AtEnd()) throw MalformedJson{reader.offset(), "the end"};
  }

  std::optional<JsonKind> outer;  ///< what the outermost list is
  int64_t entries = 0;            ///< of the innermost lists
  std::string_view next;          ///< as JSON; empty: absent
  std::vector<std::string> from;  ///< times of the records, as text

 private:
  /// Part of the way to a place that is looked for.
  struct Cursor {
    const Path* path;
    size_t at;

    bool IsAt(const Path& place) const { return path == &place && at == place->size(); }
    bool LeadsInto(const JsonStep& step) const { return at < (*path)->size() && (**path)[at] == step; }
  };
  using Cursors = std::vector<Cursor>;

  void Value(JsonReader& reader, const Cursors& cursors) {
    const JsonKind kind = reader.Peek();
    bool counts = false;
    for (const Cursor& cursor : cursors) {
      if (cursor.IsAt(look_.outer_)) outer = kind;
      if (cursor.IsAt(look_.inner_)) counts = true;
      if (cursor.IsAt(look_.next_)) {
        next = reader.Skip();
        return;
      }
      if (cursor.IsAt(look_.from_)) {
        const std::string_view text = reader.Skip();
        from.emplace_back(kind == JsonKind::kString ? text.substr(1, text.size() - 2) : text);
        return;
      }
    }
    if (kind == JsonKind::kObject)
      Object(reader, cursors);
    else if (kind == JsonKind::kList)
      List(reader, cursors, counts);
    else
      reader.Skip();
  }

  void Object(JsonReader& reader, const Cursors& cursors) {
    std::string_view name;
    reader.OpenObject();
    for (bool first = true; reader.NextField(first, name);)
      Into(reader, cursors, {.each = false, .name = std::string(name)});
  }

  void List(JsonReader& reader, const Cursors& cursors, bool counts) {
    const JsonStep each{.each = true, .name = ""};
    reader.OpenList();
    for (bool first = true; reader.NextElement(first);) {
      if (counts) ++entries;
      Into(reader, cursors, each);
    }
  }

  void Into(JsonReader& reader, const Cursors& cursors, const JsonStep& step) {
    Cursors further;
    for (const Cursor& cursor : cursors)
      if (cursor.LeadsInto(step)) further.push_back({cursor.path, cursor.at + 1});
    if (further.empty())
      reader.Skip();
    else
      Value(reader, further);
  }

  const PageLook& look_;
};

PageLook::PageLook(duck::Database& database, const HttpStream& stream) : stream_(stream), database_(database) {
  const std::vector<JsonStep> records = StepsOf(stream.http().records);
  const bool is_json = stream.http().format == RecordFormat::kJson;
  if (is_json) {
    outer_ = ListIn(records, false);
    inner_ = ListIn(records, true);
    if (!stream.http().paginate.read.value.empty()) next_ = StepsOf(stream.http().paginate.read);
  }
  if (!stream.http().position || stream.asks_until) return;
  from_ = is_json ? records : std::vector<JsonStep>();
  if (is_json && !HasEach(records)) from_->push_back({.each = true, .name = ""});
  from_->push_back({.each = false, .name = stream.http().position->from.value});
}

PageFacts PageLook::Look(const http::Response& response, const std::vector<Secret>& secrets) {
  secrets_ = secrets;
  PageFacts facts;
  if (response.status == 204 && response.body.empty()) return facts;
  RefuseOtherFormat(response);
  switch (stream_.http().format) {
    case RecordFormat::kJson:
      LookIntoJson(response, facts);
      break;
    case RecordFormat::kJsonLines:
      facts.records = CountLines(response.body);
      if (from_) LookIntoLines(response, facts);
      break;
    case RecordFormat::kCsv:
      if (Trim(response.body).empty() && response.status != 204 && stream_.http().csv.header.value_or(true))
        throw BadPage("LEAT0433", response, "CSV with at least its line of names");
      facts.records = CountCsvRows(response.body, stream_.http().csv);
      break;
  }
  return facts;
}

Error PageLook::BadPage(std::string_view code, const http::Response& response, std::string_view expected) const {
  return Error(kData, code, stream_.http().records.place,
               fmt::format("{} answered {}; expected {}", response.url.ForMessages(), DescribeBody(response, secrets_),
                           expected));
}

void PageLook::RefuseOtherFormat(const http::Response& response) const {
  const std::string type = ToLower(http::FindHeader(response.headers, "content-type").value_or(""));
  const RecordFormat format = stream_.http().format;
  if (format == RecordFormat::kJson) return;  // it is parsed: the header may say what it likes
  const std::string_view begin = Trim(std::string_view(response.body).substr(0, 100));
  const bool is_page = type.find("html") != std::string::npos || begin.starts_with("<!") || begin.starts_with("<html");
  const bool is_json = format == RecordFormat::kCsv && type.find("json") != std::string::npos;
  if (is_page || is_json)
    throw BadPage("LEAT0433", response, format == RecordFormat::kCsv ? "CSV" : "lines of JSON")
        .Hint("look at the address in a browser; an error page or a log-in is no data");
}

void PageLook::LookIntoLines(const http::Response& response, PageFacts& facts) {
  Walk walk(*this);
  try {
    for (const std::string& line : Split(response.body, '\n'))
      if (!Trim(line).empty()) walk.Through(line);
  } catch (const MalformedJson&) {
    throw BadPage("LEAT0433", response, "lines of JSON");
  }
  facts.newest = NewestOf(walk.from);
}

void PageLook::LookIntoJson(const http::Response& response, PageFacts& facts) {
  Walk walk(*this);
  try {
    if (!IsValidUtf8(response.body)) throw MalformedJson{};
    walk.Through(response.body);
  } catch (const MalformedJson&) {
    throw BadPage("LEAT0433", response, "JSON")
        .Hint("look at the address in a browser; an error page or a log-in is no data");
  }
  const bool is_one_record = walk.outer == JsonKind::kObject && !HasEach(StepsOf(stream_.http().records));
  if (walk.outer != JsonKind::kList && walk.outer != JsonKind::kNull && !is_one_record)
    throw BadPage("LEAT0434", response, fmt::format("a list at {}", stream_.http().records.value))
        .Hint("set `records` to the path of the rows, for example  records: \"$.data[*]\"");
  facts.records = is_one_record ? 1 : walk.entries;
  facts.newest = NewestOf(walk.from);
  if (!walk.next.empty()) TakeNext(std::string(walk.next), response, facts);
}

void PageLook::TakeNext(const std::string& json, const http::Response& response, PageFacts& facts) const {
  const nlohmann::json next = nlohmann::json::parse(json, nullptr, false);
  if (next.is_structured() || next.is_discarded() || next == true)
    throw Error(kData, "LEAT0434", stream_.http().paginate.read.place,
                fmt::format("{} answered {} at {}; expected a text, a number or null", response.url.ForMessages(),
                            Shorten(json, 80), stream_.http().paginate.read.value))
        .Hint("set `paginate.read` to the path of the value that stands for the next page");
  facts.next_json = json;
  if (next.is_string()) facts.next = next.get<std::string>();
  if (next.is_number()) facts.next = json;
}

/// DuckDB reads times in every form that they come in.
std::optional<Timestamp> PageLook::NewestOf(const std::vector<std::string>& times) {
  if (times.empty()) return std::nullopt;
  std::vector<std::string> rows;
  for (const std::string& time : times) rows.push_back("(" + QuoteLiteral(time) + ")");
  const std::string newest = duck::Connection(database_).QueryText(
      fmt::format("SELECT coalesce(max({})::VARCHAR, '') FROM (VALUES {}) t(x)",
                  MicrosecondsOf("x", stream_.http().position->unit), Join(rows, ", ")));
  if (newest.empty()) return std::nullopt;
  return Timestamp(std::chrono::microseconds(std::stoll(newest)));
}

}  // namespace leat::sources
