#include "sources/nested/record_intake.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "core/text.h"

namespace leat::sources {
namespace {

constexpr idx_t kChunkRows = 2048;
constexpr size_t kInflateStep = size_t{1} << 20;

/// A table's name that no other reader of this process has.
std::string NewTableName() {
  static std::atomic<int64_t> last = 0;
  return fmt::format("leat_records_{}", ++last);
}

/// Unpack gzip of one member or several into `text`. Returns how many bytes of it count; nothing if the file is damaged
/// or cut off.
std::optional<size_t> Inflate(const std::string& zipped, int64_t bytes_expected, std::string& text) {
  if (text.size() <= static_cast<size_t>(bytes_expected)) text.resize(static_cast<size_t>(bytes_expected) + 1);
  z_stream stream{};
  constexpr int kGzip = 15 + 16;
  if (inflateInit2(&stream, kGzip) != Z_OK) return std::nullopt;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(zipped.data()));
  stream.avail_in = static_cast<uInt>(zipped.size());
  size_t size = 0;
  int state = Z_OK;
  while (state == Z_OK || (state == Z_STREAM_END && stream.avail_in > 0)) {
    if (state == Z_STREAM_END) inflateReset(&stream);
    if (size == text.size()) text.resize(size + kInflateStep);
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + size);
    stream.avail_out = static_cast<uInt>(text.size() - size);
    state = inflate(&stream, Z_NO_FLUSH);
    size = text.size() - stream.avail_out;
  }
  inflateEnd(&stream);
  return state == Z_STREAM_END ? std::optional(size) : std::nullopt;
}

/// The first line of a CSV text, by which the others are read.
class CsvLine {
 public:
  CsvLine(std::string_view text, const config::CsvFormat& format)
      : quote_(format.quote.empty() ? "\"" : format.quote), delimiter_(format.delimiter) {
    constexpr std::string_view kDelimiters = ",;\t|";
    std::map<char, size_t> counts;
    bool is_quoted = false;
    for (const char c : text) {
      if (c == quote_[0]) is_quoted = !is_quoted;
      if (is_quoted) continue;
      if (c == '\n') break;
      ++counts[c];
    }
    if (delimiter_.empty()) {
      delimiter_ = ",";
      for (const char candidate : kDelimiters)
        if (counts[candidate] > counts[delimiter_[0]]) delimiter_ = candidate;
    }
    values_ = counts[delimiter_[0]] + 1;
  }

  const std::string& quote() const { return quote_; }
  const std::string& delimiter() const { return delimiter_; }
  size_t values() const { return values_; }

 private:
  std::string quote_, delimiter_;
  size_t values_ = 1;
};

}  // namespace

/// Owns an appender to the table of records.
class RecordIntake::Appender {
 public:
  Appender(const duck::Connection& connection, const std::string& table) : connection_(connection) {
    if (duckdb_appender_create(connection.handle(), nullptr, table.c_str(), &appender_) != DuckDBSuccess) Throw();
  }
  ~Appender() { duckdb_appender_destroy(&appender_); }
  void Append(duckdb_data_chunk chunk) {
    if (duckdb_append_data_chunk(appender_, chunk) != DuckDBSuccess) Throw();
  }
  void Close() {
    if (duckdb_appender_close(appender_) != DuckDBSuccess) Throw();
  }

 private:
  [[noreturn]] void Throw() {
    const char* message = duckdb_appender_error(appender_);
    connection_.ThrowFault(message == nullptr ? "the records cannot be kept" : message);
  }

  const duck::Connection& connection_;
  duckdb_appender appender_ = nullptr;
};

/// Records on their way into the table, a chunk at a time.
class RecordIntake::Batch {
 public:
  explicit Batch(RecordIntake& intake)
      : intake_(intake),
        scanner_(intake.stream_.rule.http.flatten, intake.stream_.rule.http.format == config::RecordFormat::kCsv) {
    duckdb_logical_type types[] = {duckdb_create_logical_type(DUCKDB_TYPE_INTEGER),
                                   duckdb_create_logical_type(DUCKDB_TYPE_BIGINT),
                                   duckdb_create_logical_type(DUCKDB_TYPE_BLOB)};
    chunk_ = duckdb_create_data_chunk(types, std::size(types));
    for (duckdb_logical_type& type : types) duckdb_destroy_logical_type(&type);
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch() { duckdb_destroy_data_chunk(&chunk_); }

  void BeginPage(int32_t number, int64_t page_ordinal) {
    page_ = number;
    page_ordinal_ = page_ordinal;
    ordinal_ = 0;
  }
  /// Take in the record that `reader` is at, of the text `text`, which is to stay until the next Flush.
  void Take(JsonReader& reader, std::string_view text) {
    reader.Peek();
    const size_t begin = reader.offset();
    scanner_.Take(reader, page_ordinal_, ++ordinal_);
    Put(text.substr(begin, reader.offset() - begin));
  }
  void Flush() {
    if (rows_ > 0) {
      duckdb_data_chunk_set_size(chunk_, rows_);
      const std::lock_guard lock(intake_.mutex_);
      intake_.appender_->Append(chunk_);
    }
    intake_.count_ += static_cast<int64_t>(rows_);
    rows_ = 0;
    kept_.clear();
    duckdb_data_chunk_reset(chunk_);
  }
  const Shape& shape() const { return scanner_.shape(); }
  /// Hold a text until the next Flush.
  const std::string& Keep(std::string text) { return kept_.emplace_back(std::move(text)); }
  /// Where pages are unpacked, one after the other.
  std::string& buffer() { return buffer_; }

 private:
  void Put(std::string_view record) {
    const auto data = [&](idx_t column) {
      return duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk_, column));
    };
    static_cast<int32_t*>(data(0))[rows_] = page_;
    static_cast<int64_t*>(data(1))[rows_] = ordinal_;
    static_cast<duckdb_string_t*>(data(2))[rows_] = ReferTo(record);
    if (++rows_ == kChunkRows) Flush();
  }

  /// Appending copies: until then a text of ours will do.
  static duckdb_string_t ReferTo(std::string_view text) {
    duckdb_string_t string{};
    string.value.inlined.length = static_cast<uint32_t>(text.size());
    if (text.size() <= sizeof string.value.inlined.inlined) {
      std::memcpy(string.value.inlined.inlined, text.data(), text.size());
    } else {
      std::memcpy(string.value.pointer.prefix, text.data(), sizeof string.value.pointer.prefix);
      string.value.pointer.ptr = const_cast<char*>(text.data());
    }
    return string;
  }

  RecordIntake& intake_;
  ShapeScanner scanner_;
  duckdb_data_chunk chunk_ = nullptr;
  std::string buffer_;
  std::deque<std::string> kept_;
  idx_t rows_ = 0;
  int32_t page_ = 0;
  int64_t page_ordinal_ = 0;
  int64_t ordinal_ = 0;
};

RecordIntake::RecordIntake(const NestedStream& stream, const ReadContext& context)
    : stream_(stream), context_(context), table_(NewTableName()), connection_(context.engine.database()) {
  steps_ = config::ParseJsonPath(stream.rule.http.records.value).value_or(std::vector<config::JsonStep>());
  connection_.Execute(fmt::format("CREATE TABLE {} (_leat_page INTEGER, _leat_ordinal BIGINT, record BLOB)", table_));
  appender_ = std::make_unique<Appender>(connection_, table_);
}

RecordIntake::~RecordIntake() {
  try {
    appender_.reset();
    connection_.Execute("DROP TABLE IF EXISTS " + table_);
  } catch (...) {
    // The database ends with the run.
  }
}

int32_t RecordIntake::Number(const LandedPage& page) {
  const std::lock_guard lock(mutex_);
  pages_.push_back(page);
  return static_cast<int32_t>(pages_.size() - 1);
}

void RecordIntake::Add(const std::vector<LandedPage>& pages) {
  Batch batch(*this);
  for (const LandedPage& page : pages) {
    context_.cancel.Check();
    batch.BeginPage(Number(page), page.ordinal);
    AddPage(page, batch);
    batch.Flush();
  }
  const std::lock_guard lock(mutex_);
  shape_.Merge(batch.shape());
}

void RecordIntake::AddPage(const LandedPage& page, Batch& batch) const {
  const auto size = Inflate(context_.engine.storage().Read(page.name), page.bytes, batch.buffer());
  if (!size) throw NotAsSaid(page, "is no whole gzip file");
  const std::string_view text = std::string_view(batch.buffer()).substr(0, *size);
  const config::HttpRules& rules = stream_.rule.http;
  if (rules.format == config::RecordFormat::kCsv) return AddCsv(page, text, batch);
  if (!IsValidUtf8(text)) throw NotAsSaid(page, "is not in UTF-8, as JSON has to be");
  const auto take_all = [&](std::string_view json, size_t line) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (line <= 1 && json.starts_with(kByteOrderMark)) json.remove_prefix(kByteOrderMark.size());
    JsonReader reader(json);
    try {
      if (reader.AtEnd()) return;
      ForEachRecord(reader, steps_, 0, [&](JsonReader& record) { batch.Take(record, json); });
      if (!reader.AtEnd()) throw MalformedJson{reader.offset(), "the end"};
    } catch (const MalformedJson& malformed) {
      const std::string where = line > 0 ? fmt::format("line {}, ", GroupDigits(static_cast<int64_t>(line))) : "";
      const std::string found(json.substr(std::min(malformed.offset, json.size()), 20));
      throw NotAsSaid(page, fmt::format("is not the JSON expected: at {}byte {} stands '{}', expected {}", where,
                                        GroupDigits(static_cast<int64_t>(malformed.offset + 1)),
                                        IsValidUtf8(found) ? found : "…", malformed.expected));
    }
  };
  if (rules.format == config::RecordFormat::kJson) return take_all(text, 0);
  size_t line = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    take_all(text.substr(begin, end - begin), ++line);
    begin = end + 1;
  }
}

/// CSV becomes objects whose values are texts.
void RecordIntake::AddCsv(const LandedPage& page, std::string_view text, Batch& batch) const {
  const config::CsvFormat& csv = stream_.rule.http.csv;
  const bool has_header = csv.header.value_or(true);
  if (Trim(text).empty() && !has_header) return;
  if (Trim(text).empty()) throw NotAsSaid(page, "is empty; expected at least the line of names");
  const CsvLine first(text, csv);
  const auto option = [](const char* name, const std::string& value) {
    return value.empty() ? "" : fmt::format(", {} = {}", name, QuoteLiteral(value));
  };
  std::string columns;
  for (size_t i = 0; i < first.values(); ++i) columns += fmt::format("{}'c{}': 'VARCHAR'", i == 0 ? "" : ", ", i);
  std::string nulls = "''";
  for (const std::string& null : csv.nulls) nulls += ", " + QuoteLiteral(null);
  duck::Connection connection(context_.engine.database());
  std::vector<std::string> names;
  bool is_first = true;
  try {
    const auto rows = connection.Query(fmt::format(
        "SELECT * FROM read_csv({}, compression = 'gzip', auto_detect = false, header = false, skip = 0, comment = '', "
        "parallel = false, hive_partitioning = false, strict_mode = true, columns = {{{}}}, nullstr = [{}]{}{}{}{})",
        QuoteLiteral(context_.engine.storage().DuckPath(page.name)), columns, nulls, option("delim", first.delimiter()),
        option("quote", first.quote()), option("escape", first.quote()), option("encoding", csv.encoding)));
    while (const auto chunk = rows->Next())
      for (idx_t row = 0; row < chunk->size(); ++row) {
        std::vector<std::optional<std::string_view>> cells;
        for (idx_t column = 0; column < chunk->column_count(); ++column)
          cells.push_back(chunk->IsNull(column, row) ? std::nullopt : std::optional(chunk->Text(column, row)));
        if (std::exchange(is_first, false)) {
          for (size_t i = 0; i < cells.size(); ++i)
            names.emplace_back(has_header && cells[i] ? std::string(Trim(*cells[i])) : fmt::format("column{}", i + 1));
          // A line that ends with a separator has no last column, unless a row has a value there.
          if (has_header && !cells.back()) names.back().clear();
          if (has_header) RefuseOtherTable(page, names);
          if (has_header) continue;
        }
        nlohmann::ordered_json record = nlohmann::ordered_json::object();
        for (size_t i = 0; i < cells.size(); ++i) {
          if (names[i].empty() && !cells[i]) continue;
          auto& value = record[names[i].empty() ? fmt::format("column{}", i + 1) : names[i]];
          if (cells[i]) value = std::string(*cells[i]);
        }
        const std::string& json = batch.Keep(record.dump());
        JsonReader reader(json);
        batch.Take(reader, json);
      }
  } catch (const duck::QueryError& error) {
    // Behind the first lines it tells of options that are not the author's.
    const std::vector<std::string> lines = Split(error.fault().message, '\n');
    throw NotAsSaid(page,
                    fmt::format("is not the CSV expected: {}{}", lines[0], lines.size() > 2 ? "; " + lines[2] : ""));
  }
}

/// A text that has none of the names of before, or one of them twice, is another table, or none: its rows are no news
/// of ours.
void RecordIntake::RefuseOtherTable(const LandedPage& page, const std::vector<std::string>& names) const {
  std::set<std::string> seen;
  for (const std::string& name : names)
    if (!name.empty() && !seen.insert(name).second)
      throw NotAsSaid(page, fmt::format("names the column '{}' twice", Shorten(name, 60)));
  const auto published = context_.Published(stream_.info);
  if (!published) return;
  for (const lake::Field& field : published->schema().fields)
    for (const std::string& name : names)
      if (field.name == CleanName(name) || field.path == name) return;
  for (const auto& [from, to] : stream_.rule.rename)
    if (std::find(names.begin(), names.end(), from) != names.end()) return;
  throw NotAsSaid(page, fmt::format("has none of the columns that were there before; it begins '{}'",
                                    Shorten(Join(names, ","), 60)));
}

Error RecordIntake::NotAsSaid(const LandedPage& page, const std::string& what) const {
  return Error(kData, "LEAT0440", stream_.rule.pattern.place,
               fmt::format("{}: {} {}", stream_.info.name, page.name, what))
      .Hint("look at that file, and at `format` and `records` of the stream");
}

Shape RecordIntake::Finish() {
  appender_->Close();
  shape_.Sort();
  return std::move(shape_);
}

}  // namespace leat::sources
