#include "sources/http/page_look.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/text.h"

namespace leat::sources {
namespace {

using config::JsonStep;
using config::RecordFormat;

/// A path as DuckDB's JSON functions take it, quoted for SQL: `'$."list"[*]'`.
std::string DuckPathOf(const std::vector<JsonStep>& steps) {
  std::string path = "$";
  for (const JsonStep& step : steps) {
    if (step.each) {
      path += "[*]";
      continue;
    }
    path += ".\"";
    for (const char c : step.name) {
      if (c == '"' || c == '\\') path += '\\';
      path += c;
    }
    path += '"';
  }
  return QuoteLiteral(path);
}

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

std::string NewestSql(const HttpStream& stream) {
  if (!stream.http().position || stream.asks_until) return "NULL";
  const config::HttpPosition& position = *stream.http().position;
  const JsonStep field{.each = false, .name = position.from.value};
  if (stream.http().format == RecordFormat::kJsonLines)
    return fmt::format(
        "(SELECT max({}) FROM (SELECT unnest(string_split($1, chr(10))) AS line) WHERE trim(line) <> '')",
        MicrosecondsOf(fmt::format("json_extract_string(line, {})", DuckPathOf({field})), position.unit));
  std::vector<JsonStep> steps = StepsOf(stream.http().records);
  if (!HasEach(steps)) steps.push_back({.each = true, .name = ""});
  steps.push_back(field);
  return fmt::format("list_max(list_transform(json_extract_string($1, {}), lambda x: {}))", DuckPathOf(steps),
                     MicrosecondsOf("x", position.unit));
}

/// What one JSON answer comes to, in one row: entries of the innermost list, the next page, the newest time.
std::string LookSql(const HttpStream& stream) {
  const std::vector<JsonStep> records = StepsOf(stream.http().records);
  std::string count = "NULL";
  if (stream.http().format == RecordFormat::kJson) {
    const std::vector<JsonStep> list = ListIn(records, true);
    count = fmt::format("json_array_length($1, {})", DuckPathOf(list));
    if (HasEach(list)) count = "list_sum(" + count + ")";
  }
  const config::Located<std::string>& next = stream.http().paginate.read;
  const bool reads_next = !next.value.empty() && stream.http().format == RecordFormat::kJson;
  return fmt::format("SELECT {}::BIGINT, {}::VARCHAR, {}::BIGINT", count,
                     reads_next ? fmt::format("json_extract($1, {})", DuckPathOf(StepsOf(next))) : "NULL",
                     NewestSql(stream));
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

Error BadPage(std::string_view code, const HttpStream& stream, const http::Response& response,
              std::string_view expected) {
  return Error(
      kData, code, stream.http().records.place,
      fmt::format("{} answered {}; expected {}", response.url.ForMessages(), DescribeBody(response), expected));
}

void RefuseOtherFormat(const HttpStream& stream, const http::Response& response) {
  const std::string type = ToLower(http::FindHeader(response.headers, "content-type").value_or(""));
  const RecordFormat format = stream.http().format;
  if (format == RecordFormat::kJson) return;  // it is parsed: the header may say what it likes
  const std::string_view begin = Trim(std::string_view(response.body).substr(0, 100));
  const bool is_page = type.find("html") != std::string::npos || begin.starts_with("<!") || begin.starts_with("<html");
  const bool is_json = format == RecordFormat::kCsv && type.find("json") != std::string::npos;
  if (is_page || is_json)
    throw BadPage("LEAT0433", stream, response, format == RecordFormat::kCsv ? "CSV" : "lines of JSON")
        .Hint("look at the address in a browser; an error page or a log-in is no data");
}

}  // namespace

std::string DescribeBody(const http::Response& response) {
  const std::string type(http::FindHeader(response.headers, "content-type").value_or("no content type"));
  if (response.body.empty()) return "nothing";
  std::string begin = response.body.substr(0, 400);
  while (!begin.empty() && !IsValidUtf8(begin) && begin.size() > 396) begin.pop_back();  // cut inside a character
  if (!IsValidUtf8(begin)) return fmt::format("{}, which is no text in UTF-8", type);
  std::replace_if(
      begin.begin(), begin.end(), [](unsigned char c) { return c < 0x20; }, ' ');
  return fmt::format("{}: {}", type, Shorten(Trim(begin), 80));
}

/// A prepared statement over one text that makes one row.
class PageLook::Statement {
 public:
  Statement(duck::Connection& connection, const std::string& sql) : connection_(connection) {
    if (duckdb_prepare(connection.handle(), sql.c_str(), &statement_) == DuckDBSuccess) return;
    const std::string message = duckdb_prepare_error(statement_);
    duckdb_destroy_prepare(&statement_);
    connection_.ThrowFault(message.c_str());
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { duckdb_destroy_prepare(&statement_); }

  std::unique_ptr<duck::Result> Run(std::string_view text) {
    if (duckdb_bind_varchar_length(statement_, 1, text.data(), text.size()) != DuckDBSuccess)
      connection_.ThrowFault(duckdb_prepare_error(statement_));
    duckdb_result result;
    if (duckdb_execute_prepared(statement_, &result) == DuckDBSuccess)
      return std::make_unique<duck::Result>(result, &connection_);
    const std::string message = duckdb_result_error(&result);
    duckdb_destroy_result(&result);
    connection_.ThrowFault(message.c_str());
  }

 private:
  duck::Connection& connection_;
  duckdb_prepared_statement statement_ = nullptr;
};

PageLook::PageLook(duck::Database& database, const HttpStream& stream) : stream_(stream), connection_(database) {
  if (stream.http().format == RecordFormat::kCsv) return;
  look_ = std::make_unique<Statement>(connection_, LookSql(stream));
  kind_ = std::make_unique<Statement>(
      connection_, fmt::format("SELECT json_type($1, {})", DuckPathOf(ListIn(StepsOf(stream.http().records), false))));
}

PageLook::~PageLook() = default;

PageFacts PageLook::Look(const http::Response& response) {
  PageFacts facts;
  if (response.status == 204 && response.body.empty()) return facts;
  RefuseOtherFormat(stream_, response);
  switch (stream_.http().format) {
    case RecordFormat::kJson:
      LookIntoJson(response, facts);
      break;
    case RecordFormat::kJsonLines:
      facts.records = CountLines(response.body);
      if (stream_.http().position && !stream_.asks_until) LookIntoJson(response, facts);
      break;
    case RecordFormat::kCsv:
      facts.records = CountCsvRows(response.body, stream_.http().csv);
      break;
  }
  return facts;
}

void PageLook::LookIntoJson(const http::Response& response, PageFacts& facts) {
  std::unique_ptr<duck::Result> result;
  try {
    result = look_->Run(response.body);
  } catch (const duck::QueryError&) {
    throw BadPage("LEAT0433", stream_, response, "JSON")
        .Hint("look at the address in a browser; an error page or a log-in is no data");
  }
  const std::optional<duck::Chunk> row = result->Next();
  if (!row) return;
  if (!row->IsNull(2, 0)) facts.newest = Timestamp(std::chrono::microseconds(row->At<int64_t>(2, 0)));
  if (stream_.http().format != RecordFormat::kJson) return;
  facts.records = row->IsNull(0, 0) ? 0 : row->At<int64_t>(0, 0);
  if (facts.records == 0) facts.records = CountOddRecords(response);
  if (row->IsNull(1, 0)) return;
  facts.next_json = row->Text(1, 0);
  const nlohmann::json next = nlohmann::json::parse(facts.next_json, nullptr, false);
  if (next.is_structured() || next.is_discarded() || next == true)
    throw Error(kData, "LEAT0434", stream_.http().paginate.read.place,
                fmt::format("{} answered {} at {}; expected a text, a number or null", response.url.ForMessages(),
                            Shorten(facts.next_json, 80), stream_.http().paginate.read.value))
        .Hint("set `paginate.read` to the path of the value that stands for the next page");
  if (next.is_string()) facts.next = next.get<std::string>();
  if (next.is_number()) facts.next = facts.next_json;
}

/// No entry was counted: there is none, or the records do not stand where they should.
int64_t PageLook::CountOddRecords(const http::Response& response) {
  const std::vector<JsonStep> steps = StepsOf(stream_.http().records);
  std::string kind = "ABSENT";
  const auto result = kind_->Run(response.body);
  if (const auto row = result->Next(); row && !row->IsNull(0, 0)) kind = row->Text(0, 0);
  if (kind == "ARRAY" || kind == "NULL") return 0;
  if (kind == "OBJECT" && !HasEach(steps)) return 1;
  throw BadPage("LEAT0434", stream_, response, fmt::format("a list at {}", stream_.http().records.value))
      .Hint("set `records` to the path of the rows, for example  records: \"$.data[*]\"");
}

}  // namespace leat::sources
