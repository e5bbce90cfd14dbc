#include "config/http_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/scalars.h"
#include "core/text.h"

namespace leat::config {
namespace {

constexpr size_t kPartitionsMax = 1000;

Credential MakeCredential(const Located<std::string>& text, const std::string& source, const Environment& environment) {
  Credential credential{.text = text, .secret = {}};
  if (SecretReference::IsReference(text.value))
    credential.secret =
        SecretReference::OfSource(fmt::format("the source {}", source), text.value, text.place, environment);
  return credential;
}

Diagnostic BadPartitions(const Place& place, std::string message) {
  return MakeFault("LEAT0104", place, std::move(message),
                   "for example  partitions: {site: [acme-eu, acme-us]}  or  "
                   "partitions: {site: {acme-eu: {api_key: \"${EU_KEY}\"}}}");
}

/// Reads `partitions:`, whose keys are the author's own.
class PartitionReader {
 public:
  PartitionReader(const std::string& source, const Environment& environment, std::vector<Diagnostic>& diagnostics)
      : source_(source), environment_(environment), diagnostics_(diagnostics) {}

  void Read(const YamlNode& node, HttpSource& http) {
    if (node.kind != YamlNode::Kind::kMap || node.entries.size() != 1)
      return Report(node.place, "partitions is not a map with one name; expected a name and its values");
    const YamlEntry& entry = node.entries.front();
    if (!IsValidName(entry.key)) {
      diagnostics_.push_back(MakeFault("LEAT0110", entry.key_place,
                                       fmt::format("partitions: '{}' is not a name", Shorten(entry.key, 80)),
                                       "it becomes a column: write a-z, 0-9 and _"));
      return;
    }
    http.partition_name = entry.key;
    if (entry.value->kind == YamlNode::Kind::kList)
      ReadList(*entry.value);
    else if (entry.value->kind == YamlNode::Kind::kMap)
      ReadMap(*entry.value);
    else
      return Report(entry.value->place, fmt::format("partitions.{} is no list and no map", entry.key));
    const size_t given = entry.value->items.size() + entry.value->entries.size();
    if (given == 0 || given > kPartitionsMax)
      Report(entry.value->place,
             fmt::format("partitions.{} has {} values; expected 1 to {}", entry.key, given, kPartitionsMax));
    if (!partitions_.empty()) http.partitions = std::move(partitions_);
  }

 private:
  void ReadList(const YamlNode& list) {
    for (const YamlPointer& item : list.items) {
      if (item->kind != YamlNode::Kind::kScalar)
        Report(item->place, "a partition is no single value");
      else
        Add({item->text, item->place});
    }
  }

  void ReadMap(const YamlNode& map) {
    for (const YamlEntry& entry : map.entries) {
      HttpPartition* partition = Add({entry.key, entry.key_place});
      if (partition == nullptr || entry.value->kind == YamlNode::Kind::kNull) continue;
      if (entry.value->kind != YamlNode::Kind::kMap) {
        Report(entry.value->place, fmt::format("the partition {} is no map", entry.key));
        continue;
      }
      for (const YamlEntry& value : entry.value->entries) ReadValue(entry.key, value, *partition);
    }
  }

  void ReadValue(const std::string& partition_name, const YamlEntry& entry, HttpPartition& partition) {
    const std::string path = fmt::format("{}.{}", partition_name, entry.key);
    if (entry.value->kind != YamlNode::Kind::kScalar) return Report(entry.value->place, path + " is no single value");
    const std::string& text = entry.value->text;
    const bool looks_secret = NamesSecret(entry.key) || entry.key.find("key") != std::string::npos;
    if (looks_secret && !SecretReference::IsReference(text)) {
      diagnostics_.push_back(
          MakeFault("LEAT0108", entry.value->place,
                    fmt::format("{} stands in the file; expected ${{NAME}} or ${{file:/path}}", path),
                    fmt::format("for example  {}: \"${{{}}}\"", entry.key, VariableName(entry.key))));
      return;
    }
    partition.values.emplace(entry.key, MakeCredential({text, entry.value->place}, source_, environment_));
  }

  HttpPartition* Add(Located<std::string> name) {
    // It is a folder of the landing and a part of addresses.
    const bool is_safe = !name.value.empty() && name.value.size() <= 100 && name.value[0] != '.' &&
                         std::all_of(name.value.begin(), name.value.end(), [](unsigned char c) {
                           return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
                         });
    const bool is_new = std::none_of(partitions_.begin(), partitions_.end(),
                                     [&](const HttpPartition& other) { return other.name.value == name.value; });
    if (!is_safe || !is_new) {
      Report(name.place, is_new
                             ? fmt::format("the partition '{}' has signs other than letters, digits, '-', '_' and '.'",
                                           Shorten(name.value, 80))
                             : fmt::format("the partition '{}' stands twice", name.value));
      return nullptr;
    }
    return &partitions_.emplace_back(HttpPartition{.name = std::move(name), .values = {}});
  }

  void Report(const Place& place, std::string message) {
    diagnostics_.push_back(BadPartitions(place, std::move(message)));
  }

  const std::string& source_;
  const Environment& environment_;
  std::vector<Diagnostic>& diagnostics_;
  std::vector<HttpPartition> partitions_;
};

HttpAuth ReadAuth(const Values& values, const std::string& source, const Environment& environment,
                  std::vector<Diagnostic>& diagnostics) {
  using enum HttpAuth::Type;
  static const std::map<std::string, HttpAuth::Type> kTypes = {
      {"basic", kBasic}, {"bearer", kBearer}, {"header", kHeader}, {"query", kQuery}, {"oauth2", kOauth2}};
  const auto part = [&](const char* name) { return MakeCredential(values.LocatedText(name), source, environment); };
  HttpAuth auth{.place = values.place()};
  if (const auto type = kTypes.find(values.Text("type")); type != kTypes.end()) auth.type = type->second;
  const bool is_named = auth.type == kHeader || auth.type == kQuery;
  for (const char* key : {"name", "value"}) {
    if (is_named && !values.Has(key) && !values.Faulty(key))
      diagnostics.push_back(MakeFault("LEAT0106", values.place(), fmt::format("auth.{} is missing", key),
                                      "add  auth: {type: header, name: X-Api-Key, value: \"${NAME}\"}"));
    if (!is_named && auth.type != kNone && values.Given(key))
      ReportContradiction(values.KeyPlace(key), fmt::format("auth.{} belongs to types header and query", key),
                          "remove it", diagnostics);
  }
  auth.user = part("user");
  auth.password = part("password");
  const bool is_key_written = auth.type == kBasic && !values.Given("password") && !auth.user.secret &&
                              !auth.user.text.value.empty() && PlaceholdersIn(auth.user.text.value).empty();
  if (is_key_written)
    diagnostics.push_back(MakeFault("LEAT0108", auth.user.text.place,
                                    "auth.user stands in the file and has no password, so it is a key; expected "
                                    "${NAME}, ${file:/path} or {name}",
                                    "for example  auth: {type: basic, user: \"${API_KEY}\"}"));
  auth.token = part("token");
  auth.name = values.LocatedText("name");
  auth.value = part("value");
  auth.token_url = values.LocatedText("token_url");
  auth.client_id = part("client_id");
  auth.client_secret = part("client_secret");
  auth.scope = values.Text("scope");
  return auth;
}

std::chrono::milliseconds DurationIn(const Values& values, const char* key, std::chrono::milliseconds otherwise) {
  return ParseDuration(values.Text(key)).value_or(otherwise);
}

std::optional<TimeUnit> ParseUnit(const std::string& text) {
  if (text == "s") return TimeUnit::kSeconds;
  if (text == "ms") return TimeUnit::kMilliseconds;
  if (text == "iso") return TimeUnit::kIso;
  if (text == "date") return TimeUnit::kDate;
  return std::nullopt;
}

HttpPaging ReadPaging(const Values& values, std::vector<Diagnostic>& diagnostics) {
  using enum HttpPaging::Type;
  static const std::map<std::string, HttpPaging::Type> kTypes = {
      {"token", kToken}, {"page", kPage}, {"offset", kOffset}, {"link", kLink}, {"cursor_in_body", kCursorInBody}};
  HttpPaging paging{.place = values.place()};
  const std::string type = values.Text("type");
  if (const auto known = kTypes.find(type); known != kTypes.end()) paging.type = known->second;
  const auto need = [&](const char* key, const char* example) {
    if (!values.Has(key) && !values.Faulty(key))
      diagnostics.push_back(MakeFault("LEAT0106", values.place(), fmt::format("paginate.{} is missing", key),
                                      fmt::format("type {} needs it: add  {}: {}", type, key, example)));
  };
  if (paging.type == kToken || paging.type == kCursorInBody) need("read", "$.next");
  if (paging.type == kToken) need("param", "cursor");
  if (paging.type == kPage) need("param", "page");
  if (paging.type == kOffset) need("param", "offset");
  if (paging.type == kOffset) need("size", "100");
  paging.read = values.LocatedText("read");
  paging.param = values.Text("param");
  paging.size_param = values.Text("size_param");
  paging.field = values.Text("field");
  paging.start = values.Integer("start").value_or(paging.start);
  paging.size = values.Integer("size").value_or(paging.size);
  paging.max_pages = values.Integer("max_pages").value_or(paging.max_pages);
  return paging;
}

HttpPosition ReadHttpPosition(const Values& values) {
  HttpPosition position{.place = values.place(), .from = values.LocatedText("from")};
  position.unit = ParseUnit(values.Text("unit")).value_or(position.unit);
  position.overlap = DurationIn(values, "overlap", position.overlap);
  position.window = DurationIn(values, "window", position.window);
  if (values.Has("start")) position.start = ParseTimestamp(values.Text("start") + "T00:00:00Z");
  return position;
}

CsvFormat ReadCsv(const Values& values) {
  CsvFormat csv{
      .delimiter = values.Text("delimiter"), .quote = values.Text("quote"), .encoding = values.Text("encoding")};
  if (values.Has("header")) csv.header = values.Boolean("header");
  csv.nulls = values.Texts("nulls");
  return csv;
}

/// A map whose values may be null, which takes an inherited entry out.
std::map<std::string, std::optional<Located<std::string>>> ReadTemplates(const Values& values, const char* key) {
  std::map<std::string, std::optional<Located<std::string>>> templates;
  const YamlNode* node = values.Find(key);
  if (node == nullptr) return templates;
  for (const YamlEntry& entry : node->entries) {
    if (entry.value == nullptr) continue;
    auto& text = templates[entry.key];
    if (entry.value->kind != YamlNode::Kind::kNull) text = Located<std::string>{entry.value->text, entry.value->place};
  }
  return templates;
}

/// A secret may stand in `auth` only, and there by reference; elsewhere it would be sent to whoever a redirect names.
void RefuseSecret(const std::string& path, const std::string& name, const YamlNode& value,
                  std::vector<Diagnostic>& diagnostics) {
  const bool is_text =
      value.kind == YamlNode::Kind::kScalar && !value.text.empty() && PlaceholdersIn(value.text).empty();
  if (!is_text || !SendsSecret(name)) return;
  diagnostics.push_back(MakeFault(
      "LEAT0108", value.place, fmt::format("{}.{} stands in the file; expected it in `auth`", path, name),
      fmt::format("for example  auth: {{type: header, name: {}, value: \"${{{}}}\"}}", name, VariableName(name))));
}

void RefuseSecretsIn(const std::string& path, const YamlNode& node, std::vector<Diagnostic>& diagnostics) {
  for (const YamlPointer& item : node.items) RefuseSecretsIn(path, *item, diagnostics);
  for (const YamlEntry& entry : node.entries) {
    if (entry.value == nullptr) continue;
    RefuseSecret(path, entry.key, *entry.value, diagnostics);
    RefuseSecretsIn(path, *entry.value, diagnostics);
  }
}

void CollectTexts(const YamlNode& node, std::vector<Located<std::string>>& texts) {
  if (node.kind == YamlNode::Kind::kScalar) texts.push_back({node.text, node.place});
  for (const YamlPointer& item : node.items) CollectTexts(*item, texts);
  for (const YamlEntry& entry : node.entries) CollectTexts(*entry.value, texts);
}

/// Checks that every name in braces has a value where it stands.
class PlaceholderCheck {
 public:
  PlaceholderCheck(const HttpSource& http, std::vector<Diagnostic>& diagnostics)
      : http_(http), diagnostics_(diagnostics) {
    if (!http.partition_name.empty()) plain_.push_back(http.partition_name);
    for (const auto& [name, value] : http.partitions.front().values) (value.secret ? secret_ : plain_).push_back(name);
  }

  void CheckAuth() {
    for (const Credential* credential : {&http_.auth.user, &http_.auth.password, &http_.auth.token, &http_.auth.value,
                                         &http_.auth.client_id, &http_.auth.client_secret})
      if (!credential->secret) Check(credential->text, secret_, "auth");
    Check(http_.auth.token_url, {}, "auth.token_url");
  }

  void CheckBase() { Check(http_.base_url, {}, "base_url"); }

  void CheckStream(const std::string& stream, const HttpRules& rules) {
    std::vector<std::string> given;
    if (rules.position) given = {"since", "until"};
    if (rules.for_each)
      for (const auto& [name, column] : rules.for_each->values) given.push_back(name);
    Check(rules.path, given, stream + ".path");
    for (const auto* map : {&rules.params, &rules.headers})
      for (const auto& [key, text] : *map)
        if (text) Check(*text, given, fmt::format("{}.{}", stream, key));
    if (rules.body == nullptr) return;
    std::vector<Located<std::string>> texts;
    CollectTexts(*rules.body, texts);
    for (const auto& text : texts) Check(text, given, stream + ".body");
  }

  /// The partitions must all have the names that the first one has.
  void CheckEntries(const Place& place) {
    for (const HttpPartition& partition : http_.partitions)
      for (const auto& [name, value] : http_.partitions.front().values)
        if (!partition.values.contains(name))
          diagnostics_.push_back(
              MakeFault("LEAT0106", partition.name.place.known() ? partition.name.place : place,
                        fmt::format("the partition {} has no {}", partition.name.value, name),
                        fmt::format("{} has one: give it here too", http_.partitions.front().name.value)));
  }

 private:
  void Check(const Located<std::string>& text, const std::vector<std::string>& also, const std::string& path) {
    for (const std::string& name : PlaceholdersIn(text.value)) {
      std::vector<std::string> known = plain_;
      known.insert(known.end(), also.begin(), also.end());
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      if (!reported_.insert(fmt::format("{}:{} {}", text.place.line, text.place.column, name)).second) continue;
      const bool is_secret = std::find(secret_.begin(), secret_.end(), name) != secret_.end();
      Diagnostic fault =
          MakeFault("LEAT0121", text.place,
                    is_secret ? fmt::format("{} names {{{}}}, a secret; it may stand in auth only", path, name)
                              : fmt::format("{} names {{{}}}, which has no value here", path, name),
                    known.empty() ? "nothing has a name here: add `partitions`, `position` or `for_each`"
                                  : fmt::format("names here: {}", Join(known, ", ")));
      SuggestNearest(fault, name, known);
      diagnostics_.push_back(std::move(fault));
    }
  }

  const HttpSource& http_;
  std::vector<Diagnostic>& diagnostics_;
  std::vector<std::string> plain_, secret_;
  std::set<std::string> reported_;
};

void Require(bool holds, const Place& place, std::string message, std::string help,
             std::vector<Diagnostic>& diagnostics) {
  if (!holds) diagnostics.push_back(MakeFault("LEAT0122", place, std::move(message), std::move(help)));
}

/// Keys of a stream that need others, or rule them out.
void CheckKeysTogether(const std::string& stream, const StreamRule& rule, std::vector<Diagnostic>& diagnostics) {
  const HttpRules& http = rule.http;
  const Place& place = rule.pattern.place;
  const bool has_key = !rule.key.empty();
  Require(has_key || !http.position, http.position ? http.position->place : place,
          fmt::format("{} has a position and no key: what changed could not be told from what is new", stream),
          "name the fields that identify a row:  key: id", diagnostics);
  Require(
      has_key || !http.for_each, http.for_each ? http.for_each->stream.place : place,
      fmt::format("{} has for_each and no key: rows of a parent could not be told from those of the others", stream),
      "name the fields that identify a row among those of its parent:  key: id", diagnostics);
  Require(has_key || http.finds_children || http.children.empty(), place,
          fmt::format("{} has children and no key, by which they would find their rows", stream),
          "name the fields that identify a row:  key: id", diagnostics);
  Require(has_key || !http.deleted, place, fmt::format("{} has deleted rows and no key", stream),
          "name the fields that identify a row:  key: id", diagnostics);
  Require(has_key || !rule.version, rule.version ? rule.version->place : place,
          fmt::format("{} has a version and no key", stream), "name the fields that identify a row:  key: id",
          diagnostics);
  Require(http.paginate.type != HttpPaging::Type::kCursorInBody || http.body != nullptr, http.paginate.place,
          fmt::format("{} has a cursor in the body and no body", stream), "add  body: {limit: 100}", diagnostics);
  Require(http.body == nullptr || http.method == "POST", place,
          fmt::format("{} has a body, which method GET has not", stream), "write  method: POST", diagnostics);
  Require(http.format == RecordFormat::kJson || http.records.value == "$", http.records.place,
          fmt::format("{} has `records`, which only format json has", stream), "remove it", diagnostics);
}

}  // namespace

HttpSource ReadHttpSource(const Values& values, const std::string& source, const Environment& environment,
                          std::vector<Diagnostic>& diagnostics) {
  HttpSource http{.base_url = values.LocatedText("base_url")};
  http.partitions.emplace_back();
  if (const YamlNode* partitions = values.Find("partitions"))
    PartitionReader(source, environment, diagnostics).Read(*partitions, http);
  if (const auto auth = values.Section("auth")) http.auth = ReadAuth(*auth, source, environment, diagnostics);
  if (const auto limit = values.Section("rate_limit"))
    http.rate_limit = {.requests = limit->Integer("requests").value_or(http.rate_limit.requests),
                       .per = DurationIn(*limit, "per", http.rate_limit.per),
                       .concurrent = limit->Integer("concurrent").value_or(http.rate_limit.concurrent)};
  if (const auto retry = values.Section("retry")) {
    http.retry.attempts = retry->Integer("attempts").value_or(http.retry.attempts);
    http.retry.wait_max = DurationIn(*retry, "wait_max", http.retry.wait_max);
    if (retry->Has("status")) http.retry.status.clear();
    for (const std::string& status : retry->Texts("status")) http.retry.status.push_back(std::stoi(status));
  }
  http.timeout = DurationIn(values, "timeout", http.timeout);
  const std::string& url = http.base_url.value;
  if (!url.empty() && !url.starts_with("https://") && !url.starts_with("http://"))
    diagnostics.push_back(
        MakeFault("LEAT0105", http.base_url.place,
                  fmt::format("base_url is '{}'; expected an address that begins with https://", Shorten(url, 80)),
                  "for example  base_url: https://api.acme.example/v2"));
  if (url.find('@') != std::string::npos)
    diagnostics.push_back(MakeFault("LEAT0108", http.base_url.place, "base_url holds a user or password",
                                    "say it in `auth`, with the secret outside of the file"));
  return http;
}

HttpRules ReadHttpRules(const Values& values, std::vector<Diagnostic>& diagnostics) {
  HttpRules rules{.path = values.LocatedText("path")};
  if (const YamlNode* body = values.Find("body")) rules.body = std::make_shared<YamlNode>(*body);
  if (rules.body != nullptr) rules.method = "POST";
  if (values.Has("method")) rules.method = values.Text("method");
  for (const char* key : {"params", "headers", "body"})
    if (const YamlNode* node = values.Find(key)) RefuseSecretsIn(key, *node, diagnostics);
  rules.params = ReadTemplates(values, "params");
  rules.headers = ReadTemplates(values, "headers");
  if (values.Text("format") == "jsonl") rules.format = RecordFormat::kJsonLines;
  if (values.Text("format") == "csv") rules.format = RecordFormat::kCsv;
  if (const auto csv = values.Section("csv")) rules.csv = ReadCsv(*csv);
  if (values.Has("records")) rules.records = values.LocatedText("records");
  if (const auto paging = values.Section("paginate")) rules.paginate = ReadPaging(*paging, diagnostics);
  if (const auto position = values.Section("position")) rules.position = ReadHttpPosition(*position);
  if (const auto times = values.Section("timestamps")) {
    rules.timestamps = times->List("columns");
    rules.timestamps_unit = ParseUnit(times->Text("unit"));
  }
  rules.finds_children = !values.Has("children");
  rules.children = values.List("children");
  rules.flatten = values.Integer("flatten").value_or(rules.flatten);
  if (const auto deleted = values.Map("deleted"); !deleted.empty()) {
    const auto& [field, value] = *deleted.begin();
    rules.deleted = {{field, value.place}, value.value};
    Require(deleted.size() == 1, value.place, "deleted names several fields; expected one", "keep one of them",
            diagnostics);
  }
  if (const auto skip = values.Section("skip_when"))
    rules.skip_when = {.status = skip->Integer("status").value_or(0), .text = skip->Text("text")};
  if (const auto each = values.Section("for_each"))
    rules.for_each = {.stream = each->LocatedText("stream"), .values = each->Map("values")};
  return rules;
}

void ApplyHttpRules(const StreamRule& over, HttpRules& rules) {
  const auto gives = [&](const char* key) { return over.given.contains(key); };
  const HttpRules& from = over.http;
  const auto merge = [&](const char* key, auto& into, const auto& entries) {
    if (gives(key) && entries.empty()) into.clear();  // null
    for (const auto& [name, text] : entries) {
      if (text)
        into[name] = text;
      else
        into.erase(name);
    }
  };
  if (gives("path")) rules.path = from.path;
  if (gives("body")) rules.body = from.body;
  if (gives("method") || gives("body")) rules.method = from.method;
  merge("params", rules.params, from.params);
  merge("headers", rules.headers, from.headers);
  if (gives("format")) rules.format = from.format;
  if (gives("csv")) rules.csv = from.csv;
  if (gives("records")) rules.records = from.records;
  if (gives("paginate")) rules.paginate = from.paginate;
  if (gives("position")) rules.position = from.position;
  if (gives("timestamps")) {
    rules.timestamps = from.timestamps;
    rules.timestamps_unit = from.timestamps_unit;
  }
  if (gives("children")) {
    rules.finds_children = from.finds_children;
    rules.children = from.children;
  }
  if (gives("flatten")) rules.flatten = from.flatten;
  if (gives("deleted")) rules.deleted = from.deleted;
  if (gives("skip_when")) rules.skip_when = from.skip_when;
  if (gives("for_each")) rules.for_each = from.for_each;
}

void CheckHttpStreams(const Source& source, std::vector<Diagnostic>& diagnostics) {
  PlaceholderCheck placeholders(source.http, diagnostics);
  placeholders.CheckEntries(source.http.base_url.place);
  placeholders.CheckBase();
  placeholders.CheckAuth();
  for (const StreamRule& entry : source.streams) {
    if (!entry.exact()) continue;
    const auto rule = source.RuleFor(entry.pattern.value);
    if (!rule || rule->skip) continue;
    placeholders.CheckStream(entry.pattern.value, rule->http);
    CheckKeysTogether(entry.pattern.value, *rule, diagnostics);
  }
}

}  // namespace leat::config
