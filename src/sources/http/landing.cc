#include "sources/http/landing.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <tuple>

#include "core/file_system.h"
#include "core/ids.h"
#include "core/text.h"

namespace leat::sources {
namespace {

using LandingJson = nlohmann::ordered_json;

constexpr const char* kIndexFile = "pages.jsonl";
constexpr const char* kStruckFile = "unpublished.jsonl";
constexpr const char* kHeadersKept[] = {"content-type", "etag", "date", "last-modified"};
/// The window that zlib has by default, in the gzip format.
constexpr int kGzipWindow = 15 + 16;
constexpr size_t kUnpackBytes = 1 << 20;

std::string StreamFolder(const HttpStream& stream) {
  const auto [source, name] = engine::ParseName(stream.name());
  return fmt::format("landing/{}/{}", source, name);
}

std::string EndingOf(const HttpStream& stream) {
  switch (stream.http().format) {
    case config::RecordFormat::kJson:
      return "json.gz";
    case config::RecordFormat::kJsonLines:
      return "jsonl.gz";
    case config::RecordFormat::kCsv:
      return "csv.gz";
  }
  return "";
}

/// As fast as gzip goes: the lake keeps it for the day it is needed.
std::string Pack(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw Error(kInternal, "LEAT0502", "zlib has no memory to pack an answer");
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int ended = deflate(&stream, Z_FINISH);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  if (ended != Z_STREAM_END) throw Error(kInternal, "LEAT0502", "zlib did not pack an answer to its end");
  return packed;
}

/// How many bytes come out of a gzip file of one or more members; nullopt where it is damaged.
std::optional<int64_t> UnpackedBytes(std::string_view packed) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) return std::nullopt;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string buffer(kUnpackBytes, '\0');
  int64_t bytes = 0;
  int state = Z_OK;
  while (state == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    state = inflate(&stream, Z_NO_FLUSH);
    bytes += static_cast<int64_t>(buffer.size()) - stream.avail_out;
    if (state == Z_STREAM_END && stream.avail_in > 0) state = inflateReset(&stream);
  }
  inflateEnd(&stream);
  return state == Z_STREAM_END ? std::optional(bytes) : std::nullopt;
}

LandingJson FormatRead(const LandedRead& read) {
  LandingJson json = {{"stream", read.stream},
                      {"partition", read.partition},
                      {"run", read.run},
                      {"commit", read.commit_number},
                      {"now", FormatTimestamp(read.now)}};
  if (read.span) {
    json["since"] = FormatTimestamp(read.span->since);
    json["until"] = FormatTimestamp(read.span->until);
  }
  json["in_full"] = read.in_full;
  return json;
}

LandedRead ParseRead(const LandingJson& json) {
  LandedRead read{.stream = json.at("stream"),
                  .partition = json.at("partition"),
                  .run = json.at("run"),
                  .commit_number = json.at("commit"),
                  .now = ParseTimestamp(json.at("now")),
                  .span = {},
                  .in_full = json.at("in_full")};
  if (json.contains("since")) read.span = HttpSpan{ParseTimestamp(json.at("since")), ParseTimestamp(json.at("until"))};
  return read;
}

Error Damaged(const lake::Storage& storage, const std::string& file, const std::string& what) {
  return Error(kInternal, "LEAT0427", fmt::format("{} {}", storage.DuckPath(file), what))
      .Hint(
          "put the file back from a backup; without it, move its folder away and read the stream anew by  "
          "leat run --full-refresh");
}

/// Reads one folder back.
class FolderReader {
 public:
  FolderReader(const lake::Storage& storage, const HttpStream& stream, std::string folder)
      : storage_(storage), stream_(stream), folder_(std::move(folder)), index_(JoinPath(folder_, kIndexFile)) {}

  Landed ReadIndex() {
    Landed landed;
    try {
      for (const std::string& line : Split(storage_.Read(index_), '\n')) {
        if (line.empty()) continue;
        const LandingJson json = LandingJson::parse(line);
        if (json.contains("file"))
          landed.pages.push_back(PageOf(json, landed.read));
        else
          landed.read = ParseRead(json);
      }
    } catch (const LandingJson::exception&) {
      throw Damaged(storage_, index_, "is damaged; expected one JSON object on each line");
    }
    return landed;
  }

  static void RefuseBroken(const lake::Storage& storage, const LandedPage& page) {
    std::string packed;
    try {
      packed = storage.Read(page.name);
    } catch (const Error&) {
      throw Damaged(storage, page.name, "is missing or cannot be read");
    }
    const std::optional<int64_t> bytes = UnpackedBytes(packed);
    if (!bytes) throw Damaged(storage, page.name, "is damaged; expected a whole gzip file");
    if (*bytes != page.bytes)
      throw Damaged(storage, page.name, fmt::format("holds {} bytes; expected {}", *bytes, page.bytes));
  }

 private:
  LandedPage PageOf(const LandingJson& json, const LandedRead& read) const {
    return {.name = JoinPath(folder_, json.at("file").get<std::string>()),
            .bytes = json.at("bytes"),
            .records = json.at("records"),
            .ordinal = json.at("ordinal"),
            .given = GivenOf(json.at("given")),
            .commit_number = read.commit_number,
            .run = read.run,
            .time = read.now};
  }

  std::vector<std::string> GivenOf(const LandingJson& json) const {
    std::vector<std::string> given;
    for (const std::string& column : stream_.nested.given_columns) {
      if (!json.contains(column))
        throw Error(kConfig, "LEAT0428", stream_.nested.rule.pattern.place,
                    fmt::format("{} was landed without a value for column {}", index_, column))
            .Hint("read the stream anew by  leat run --full-refresh");
      given.push_back(json.at(column));
    }
    return given;
  }

  const lake::Storage& storage_;
  const HttpStream& stream_;
  const std::string folder_;
  const std::string index_;
};

}  // namespace

LandingFolder::LandingFolder(const lake::Storage& storage, const HttpStream& stream, const LandedRead& read)
    : storage_(storage),
      stream_(stream),
      read_(read),
      folder_(fmt::format("{}/{}/{:012}-{}", StreamFolder(stream), read.partition.empty() ? "_" : read.partition,
                          read.commit_number, NewUuid().substr(0, 8))) {}

LandedPage LandingFolder::Keep(const http::Request& request, const http::Response& response,
                               const std::vector<Secret>& secrets, int64_t records, int64_t ordinal,
                               const std::vector<std::string>& given) {
  int64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = ++pages_;
  }
  const std::string file = fmt::format("{:06}.{}", number, EndingOf(stream_));
  LandedPage page{.name = JoinPath(folder_, file),
                  .bytes = static_cast<int64_t>(response.body.size()),
                  .records = records,
                  .ordinal = ordinal,
                  .given = given,
                  .commit_number = read_.commit_number,
                  .run = read_.run,
                  .time = read_.now};
  storage_.Write(page.name, response.gzip.empty() ? Pack(response.body) : response.gzip);
  LandingJson line = {{"file", file},
                      {"method", request.method},
                      {"url", http::RedactedUrl(request.url, secrets)},
                      {"status", response.status},
                      {"received", FormatTimestamp(response.received)},
                      {"bytes", page.bytes},
                      {"records", records},
                      {"ordinal", ordinal},
                      {"given", LandingJson::object()},
                      {"headers", LandingJson::object()}};
  for (size_t i = 0; i < given.size(); ++i) line["given"][stream_.nested.given_columns[i]] = given[i];
  for (const char* name : kHeadersKept)
    if (const auto value = http::FindHeader(response.headers, name); value && IsValidUtf8(*value))
      line["headers"][name] = *value;
  const std::lock_guard lock(mutex_);
  lines_[number] = {page.name, line.dump()};
  return page;
}

void LandingFolder::Close(const LandedRead& read) {
  if (lines_.empty() && read.in_full.empty()) return;
  std::string index = FormatRead(read).dump() + "\n";
  for (const auto& [number, line] : lines_) index += line.second + "\n";
  storage_.Write(JoinPath(folder_, kIndexFile), index);
}

void LandingFolder::Remove() noexcept {
  for (const auto& [number, line] : lines_) storage_.RemoveQuietly(line.first);
  storage_.RemoveQuietly(folder_);
}

void StrikeUnpublished(const lake::Storage& storage, const std::string& source, int64_t next_commit) {
  for (const std::string& name : storage.List("landing/" + source)) {
    if (!name.ends_with(std::string("/") + kIndexFile)) continue;
    const std::string folder = ParentPath(name);
    if (std::strtoll(folder.c_str() + folder.rfind('/') + 1, nullptr, 10) < next_commit) continue;
    storage.Write(JoinPath(folder, kStruckFile), storage.Read(name));
    storage.RemoveQuietly(name);
  }
}

std::vector<Landed> ReadLanding(const lake::Storage& storage, const HttpStream& stream, int64_t before) {
  std::map<std::pair<int64_t, std::string>, Landed> reads;  // by commit and partition
  for (const std::string& name : storage.List(StreamFolder(stream))) {
    if (!name.ends_with(std::string("/") + kIndexFile)) continue;
    Landed landed = FolderReader(storage, stream, ParentPath(name)).ReadIndex();
    if (landed.read.commit_number >= before) continue;  // its commit was never made
    Landed& kept = reads[{landed.read.commit_number, landed.read.partition}];
    if (std::tie(kept.read.now, kept.read.run) <= std::tie(landed.read.now, landed.read.run)) kept = std::move(landed);
  }
  std::vector<Landed> all;
  for (auto& [key, landed] : reads) {
    for (const LandedPage& page : landed.pages) FolderReader::RefuseBroken(storage, page);
    all.push_back(std::move(landed));
  }
  return all;
}

}  // namespace leat::sources
