#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/located.h"
#include "config/secret_reference.h"
#include "config/yaml.h"
#include "core/clock.h"

namespace leat::config {

// What a source of type `http` says. A text of a request may hold `{name}`: the partition, a value of its entry,
// `since`, `until`, or a value of `for_each`, put in when the request is made.

/// The names in braces in `text`, each once. Braces around anything but a name stand for themselves.
std::vector<std::string> PlaceholdersIn(std::string_view text);
/// `text` with the values in place of their names; names without a value stay as they are.
std::string FillIn(std::string_view text, const std::map<std::string, std::string>& values);

/// One step of a path into JSON: into a field of an object, or into each entry of a list.
struct JsonStep {
  bool each = false;
  std::string name;  ///< of a field
  bool operator==(const JsonStep&) const = default;
};
/// Parse `$.list[*].subscription`: names (`['any name']` too) and `[*]` only; nullopt for anything else. `$` has no
/// steps.
std::optional<std::vector<JsonStep>> ParseJsonPath(std::string_view text);

/// A part of what a request proves itself by: a secret, or text that may hold `{name}`.
struct Credential {
  Located<std::string> text;  ///< as written; a reference where it is a secret
  std::optional<SecretReference> secret;
};

/// One value of `partitions:`, such as the site `acme-eu`.
struct HttpPartition {
  Located<std::string> name;
  std::map<std::string, Credential> values;  ///< of its entry, by name; those with a secret may stand in `auth` only

  /// Of values without a secret, the partition's own under `partition_name`.
  std::map<std::string, std::string> PlainValues(const std::string& partition_name) const;
};

struct HttpAuth {
  enum class Type { kNone, kBasic, kBearer, kHeader, kQuery, kOauth2 };
  Type type = Type::kNone;
  Place place;
  Credential user, password;            ///< basic
  Credential token;                     ///< bearer
  Located<std::string> name;            ///< of the header, or of the parameter of the query
  Credential value;                     ///< of it
  Located<std::string> token_url;       ///< oauth2, client credentials
  Credential client_id, client_secret;  ///< oauth2
  std::string scope;                    ///< oauth2; empty: none
};

/// The text a part of the credentials has for a partition. Throws: what SecretReference::Resolve throws.
Secret ResolveCredential(const Credential& credential, const HttpPartition& partition,
                         const std::string& partition_name);

/// Limits of the requests of one partition, all its streams together.
struct HttpRateLimit {
  int64_t requests = 10;
  std::chrono::milliseconds per{1000};
  int64_t concurrent = 4;
};

struct HttpRetry {
  int64_t attempts = 5;  ///< the first one counts
  std::vector<int> status{408, 429, 500, 502, 503, 504};
  std::chrono::milliseconds wait_max{120'000};
};

/// What is said once for all streams of a source.
struct HttpSource {
  Located<std::string> base_url;
  std::string partition_name;             ///< `site`, also the column's name; empty: no partitions
  std::vector<HttpPartition> partitions;  ///< never empty: without `partitions:` one that has no name
  HttpAuth auth;
  HttpRateLimit rate_limit;
  HttpRetry retry;
  std::chrono::milliseconds timeout{60'000};
};

/// How an API writes times.
enum class TimeUnit { kSeconds, kMilliseconds, kIso, kDate };

/// `position:`: requests ask for what changed since the last read.
struct HttpPosition {
  Place place;
  Located<std::string> from;  ///< field of the records
  TimeUnit unit = TimeUnit::kIso;
  std::chrono::milliseconds overlap = std::chrono::minutes(5);
  std::optional<Timestamp> start;                                  ///< of the first read; nothing: 1970
  std::chrono::milliseconds window = std::chrono::hours(24 * 30);  ///< a longer span is read and committed in parts
};

/// `paginate:`: how the next page is found.
struct HttpPaging {
  enum class Type { kNone, kToken, kPage, kOffset, kLink, kCursorInBody };
  Type type = Type::kNone;
  Place place;
  Located<std::string> read;  ///< token, cursor, or link in the body: where it stands; empty for the header Link
  std::string param;          ///< of the query that takes token, page or offset
  std::string size_param;     ///< of the query that takes `size`; empty: none
  std::string field;          ///< of the body that takes the cursor
  int64_t start = 1;          ///< number of the first page
  int64_t size = 0;           ///< rows of a page
  int64_t max_pages = 100'000;
};

/// `for_each:`: one series of requests for each row of another stream.
struct HttpForEach {
  Located<std::string> stream;                         ///< of the same source, as its file names it
  std::map<std::string, Located<std::string>> values;  ///< name in braces -> column of that stream
};

struct HttpSkipWhen {
  int64_t status = 0;
  std::string text;  ///< in the answer's body, any case; empty: the status is enough
};

enum class RecordFormat { kJson, kJsonLines, kCsv };

struct CsvFormat {
  std::string delimiter, quote, encoding;  ///< empty: found out
  std::optional<bool> header;
  std::vector<std::string> nulls;
};

/// What is said of a stream, or for all streams at the top of the file.
struct HttpRules {
  Located<std::string> path;  ///< below base_url; empty for a stream: its name
  std::string method = "GET";
  std::map<std::string, std::optional<Located<std::string>>> params;  ///< nothing: taken out of what was inherited
  std::map<std::string, std::optional<Located<std::string>>> headers;
  YamlPointer body;  ///< null: none
  RecordFormat format = RecordFormat::kJson;
  CsvFormat csv;
  Located<std::string> records{"$", {}};  ///< JSONPath of the rows in an answer; a right one
  HttpPaging paginate;
  std::optional<HttpPosition> position;
  std::vector<Located<std::string>> timestamps;  ///< globs over fields and columns
  std::optional<TimeUnit> timestamps_unit;       ///< nothing: the position's
  bool finds_children = true;                    ///< every list of objects becomes a table
  std::vector<Located<std::string>> children;    ///< unless `finds_children`: those of these names only
  int64_t flatten = 3;                           ///< levels of single objects that become columns
  std::optional<std::pair<Located<std::string>, std::string>> deleted;  ///< the field, and its value as text
  std::optional<HttpSkipWhen> skip_when;
  std::optional<HttpForEach> for_each;
};

}  // namespace leat::config
