#include "lake/iceberg/avro.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <unordered_map>

#include "core/error.h"
#include "core/ids.h"

namespace leat::lake::avro {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kMagic("Obj\1", 4);
constexpr size_t kSyncBytes = 16;
constexpr size_t kBlockBytes = 256 * 1024;
/// A manifest of a hundred thousand files stays far below; a damaged length must not take all memory.
constexpr size_t kInflatedBytesMax = size_t{1} << 30;
constexpr int kDepthMax = 64;

/// Frees zlib's state on every way out.
class ZStream {
 public:
  ZStream(int (*end)(z_streamp)) : end_(end) {}
  ZStream(const ZStream&) = delete;
  ZStream& operator=(const ZStream&) = delete;
  ~ZStream() { end_(&stream); }

  z_stream stream{};

 private:
  int (*end_)(z_streamp);
};

// Avro's "deflate" is the raw form of RFC 1951, which zlib writes and reads for negative window bits.
constexpr int kRawWindowBits = -15;

std::string Deflate(std::string_view bytes) {
  ZStream z(deflateEnd);
  if (deflateInit2(&z.stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kRawWindowBits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  std::string packed(deflateBound(&z.stream, bytes.size()), '\0');
  z.stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.stream.avail_in = static_cast<uInt>(bytes.size());
  z.stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  z.stream.avail_out = static_cast<uInt>(packed.size());
  if (deflate(&z.stream, Z_FINISH) != Z_STREAM_END) throw std::logic_error("deflate did not end within its bound");
  packed.resize(z.stream.total_out);
  return packed;
}

std::string Inflate(std::string_view packed) {
  ZStream z(inflateEnd);
  if (inflateInit2(&z.stream, kRawWindowBits) != Z_OK) throw std::bad_alloc();
  z.stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  z.stream.avail_in = static_cast<uInt>(packed.size());
  std::string bytes;
  int status = Z_OK;
  while (status == Z_OK) {
    const size_t filled = bytes.size();
    if (filled > kInflatedBytesMax) Damaged("a block unpacks to more than 1 GiB");
    bytes.resize(std::max<size_t>(filled * 2, 4096));
    z.stream.next_out = reinterpret_cast<Bytef*>(bytes.data() + filled);
    z.stream.avail_out = static_cast<uInt>(bytes.size() - filled);
    status = inflate(&z.stream, Z_NO_FLUSH);
    bytes.resize(bytes.size() - z.stream.avail_out);
  }
  if (status != Z_STREAM_END) Damaged("a block cannot be unpacked");
  return bytes;
}

/// Takes primitive values off the front of some bytes.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  size_t size() const { return rest_.size(); }

  std::string_view Take(size_t count) {
    if (count > rest_.size()) Damaged("it ends in the middle of a value");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  int64_t Long() {
    uint64_t zigzag = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<uint8_t>(Take(1)[0]);
      zigzag |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return static_cast<int64_t>((zigzag >> 1) ^ (~(zigzag & 1) + 1));
    }
    Damaged("a number has more than 64 bits");
  }

  std::string_view Bytes() {
    const int64_t count = Long();
    if (count < 0) Damaged("a length is negative");
    return Take(static_cast<size_t>(count));
  }

  template <typename T>
  T Fixed() {
    static_assert(std::endian::native == std::endian::little);
    T value;
    std::memcpy(&value, Take(sizeof value).data(), sizeof value);
    return value;
  }

  /// The count of the next block of an array or map, 0 at its end.
  size_t BlockCount() {
    int64_t count = Long();
    if (count < 0) {  // then the block's size in bytes follows, for those who skip it
      Long();
      count = -count;
    }
    if (count < 0 || static_cast<uint64_t>(count) > rest_.size()) Damaged("a list is longer than the file");
    return static_cast<size_t>(count);
  }

 private:
  std::string_view rest_;
};

/// Turns schema JSON into nodes, resolving names of types that stand earlier in it.
class SchemaParser {
 public:
  explicit SchemaParser(std::deque<Node>& nodes) : nodes_(nodes) {}

  const Node* Parse(const Json& json) {
    if (json.is_string()) return Named(json.get<std::string>());
    if (json.is_array()) return Union(json);
    if (!json.at("type").is_string()) return Parse(json.at("type"));
    const auto type = json.at("type").get<std::string>();
    if (type == "record") return Record(json);
    if (type == "array") return Container(Node::Kind::kArray, json.at("items"));
    if (type == "map") return Container(Node::Kind::kMap, json.at("values"));
    if (type == "fixed") return Remember(json, {.kind = Node::Kind::kFixed, .size = json.at("size").get<size_t>()});
    if (type == "enum") return Remember(json, {.kind = Node::Kind::kEnum});
    return Named(type);
  }

 private:
  const Node* Add(Node node) {
    nodes_.push_back(std::move(node));
    return &nodes_.back();
  }

  const Node* Remember(const Json& json, Node node) {
    const Node* added = Add(std::move(node));
    named_[json.at("name").get<std::string>()] = added;
    return added;
  }

  const Node* Named(const std::string& name) {
    static const std::map<std::string, Node::Kind> kPrimitives = {
        {"null", Node::Kind::kNull},   {"boolean", Node::Kind::kBoolean}, {"int", Node::Kind::kInt},
        {"long", Node::Kind::kLong},   {"float", Node::Kind::kFloat},     {"double", Node::Kind::kDouble},
        {"bytes", Node::Kind::kBytes}, {"string", Node::Kind::kString}};
    if (const auto it = kPrimitives.find(name); it != kPrimitives.end()) return Add({.kind = it->second});
    if (const auto it = named_.find(name); it != named_.end()) return it->second;
    Damaged(fmt::format("its schema has the unknown type '{}'", name));
  }

  const Node* Union(const Json& json) {
    Node node{.kind = Node::Kind::kUnion};
    for (const Json& branch : json) node.children.push_back(Parse(branch));
    return Add(std::move(node));
  }

  const Node* Container(Node::Kind kind, const Json& element) {
    Node node{.kind = kind};
    node.children.push_back(Parse(element));
    return Add(std::move(node));
  }

  const Node* Record(const Json& json) {
    // Known by name before its fields are read: they may refer to it.
    nodes_.push_back({.kind = Node::Kind::kRecord});
    Node& node = nodes_.back();
    named_[json.at("name").get<std::string>()] = &node;
    for (const Json& field : json.at("fields"))
      node.fields.push_back(
          {field.at("name").get<std::string>(), field.value("field-id", -1), Parse(field.at("type"))});
    return &node;
  }

  std::deque<Node>& nodes_;
  std::map<std::string, const Node*> named_;
};

Value Decode(Decoder& in, const Node& type, int depth);

void DecodeItems(Decoder& in, const Node& type, int depth, std::vector<Value>& items) {
  static const Node kKey{.kind = Node::Kind::kString};
  while (const size_t count = in.BlockCount()) {
    items.reserve(items.size() + count);
    for (size_t i = 0; i < count; ++i) {
      if (type.kind == Node::Kind::kMap) items.push_back(Decode(in, kKey, depth));
      items.push_back(Decode(in, *type.children[0], depth));
    }
  }
}

Value Decode(Decoder& in, const Node& type, int depth) {
  if (depth > kDepthMax) Damaged("its schema is nested too deeply");
  Value value{.type = &type};
  switch (type.kind) {
    case Node::Kind::kNull:
      break;
    case Node::Kind::kBoolean:
      value.number = in.Take(1)[0];
      break;
    case Node::Kind::kInt:
    case Node::Kind::kEnum:
    case Node::Kind::kLong:
      value.number = in.Long();
      break;
    case Node::Kind::kFloat:
      value.real = static_cast<double>(in.Fixed<float>());
      break;
    case Node::Kind::kDouble:
      value.real = in.Fixed<double>();
      break;
    case Node::Kind::kBytes:
    case Node::Kind::kString:
      value.bytes = in.Bytes();
      break;
    case Node::Kind::kFixed:
      value.bytes = in.Take(type.size);
      break;
    case Node::Kind::kRecord:
      value.items.reserve(type.fields.size());
      for (const Node::Field& field : type.fields) value.items.push_back(Decode(in, *field.type, depth + 1));
      break;
    case Node::Kind::kArray:
    case Node::Kind::kMap:
      DecodeItems(in, type, depth + 1, value.items);
      break;
    case Node::Kind::kUnion: {
      const int64_t branch = in.Long();
      if (branch < 0 || static_cast<size_t>(branch) >= type.children.size()) Damaged("a union has no such branch");
      return Decode(in, *type.children[static_cast<size_t>(branch)], depth + 1);
    }
  }
  return value;
}

std::map<std::string, std::string> DecodeFileMetadata(Decoder& in) {
  std::map<std::string, std::string> metadata;
  while (const size_t count = in.BlockCount())
    for (size_t i = 0; i < count; ++i) {
      std::string key(in.Bytes());
      metadata[std::move(key)] = in.Bytes();
    }
  return metadata;
}

Codec CodecOf(const std::map<std::string, std::string>& metadata) {
  const auto it = metadata.find("avro.codec");
  if (it == metadata.end() || it->second == "null") return Codec::kNull;
  if (it->second == "deflate") return Codec::kDeflate;
  Damaged(fmt::format("it is packed by the codec '{}'; leat reads null and deflate", it->second));
}

/// A schema's nodes, and the one that stands for a record of the file.
struct ParsedSchema {
  std::deque<Node> nodes;
  const Node* root = nullptr;
};

std::shared_ptr<const ParsedSchema> ParseSchemaText(const std::string& text) {
  try {
    auto schema = std::make_shared<ParsedSchema>();
    schema->root = SchemaParser(schema->nodes).Parse(Json::parse(text));
    return schema;
  } catch (const Json::exception& error) {
    Damaged(fmt::format("its schema cannot be read: {}", error.what()));
  }
}

/// The schemas read before. A lake's manifests share a few, and parsing one takes longer than the rest of a small
/// manifest. Threads: safe.
class SchemaCache {
 public:
  std::shared_ptr<const ParsedSchema> Get(const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (const auto it = known_.find(text); it != known_.end()) return it->second;
    if (known_.size() >= kSchemasMax) known_.clear();
    auto schema = ParseSchemaText(text);
    known_[text] = schema;
    return schema;
  }

 private:
  static constexpr size_t kSchemasMax = 32;
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const ParsedSchema>> known_;
};

}  // namespace

void Damaged(const std::string& reason) { throw Error(kData, "LEAT0520", reason); }

void Encoder::Long(int64_t value) {
  auto zigzag = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  for (; zigzag >= 0x80; zigzag >>= 7) bytes_.push_back(static_cast<char>((zigzag & 0x7F) | 0x80));
  bytes_.push_back(static_cast<char>(zigzag));
}

void Encoder::Bytes(std::string_view bytes) {
  Long(static_cast<int64_t>(bytes.size()));
  Raw(bytes);
}

ContainerWriter::ContainerWriter(const std::string& schema, const std::map<std::string, std::string>& metadata,
                                 Codec codec, std::string sync)
    : codec_(codec), sync_(std::move(sync)) {
  file_.Raw(kMagic);
  file_.Long(static_cast<int64_t>(metadata.size() + 2));
  file_.Bytes("avro.schema");
  file_.Bytes(schema);
  file_.Bytes("avro.codec");
  file_.Bytes(codec == Codec::kDeflate ? "deflate" : "null");
  for (const auto& [key, value] : metadata) {
    file_.Bytes(key);
    file_.Bytes(value);
  }
  file_.Long(0);
  file_.Raw(sync_);
}

void ContainerWriter::EndRecord() {
  ++block_records_;
  if (block_.bytes().size() >= kBlockBytes) FlushBlock();
}

void ContainerWriter::FlushBlock() {
  if (block_records_ == 0) return;
  file_.Long(block_records_);
  file_.Bytes(codec_ == Codec::kDeflate ? Deflate(block_.bytes()) : block_.bytes());
  file_.Raw(sync_);
  block_.Clear();
  block_records_ = 0;
}

std::string ContainerWriter::Finish() && {
  FlushBlock();
  return file_.bytes();
}

std::string ContainerWriter::RandomSync() {
  std::string hex = NewUuid();
  std::erase(hex, '-');
  std::string sync;
  for (size_t i = 0; i < hex.size(); i += 2)
    sync.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return sync;
}

const Value* Value::Find(int field_id) const {
  for (size_t i = 0; i < items.size() && i < type->fields.size(); ++i)
    if (type->fields[i].id == field_id) return items[i].is_null() ? nullptr : &items[i];
  return nullptr;
}

Container ReadContainer(std::string_view file) {
  if (!file.starts_with(kMagic)) Damaged("it is no Avro file");
  Decoder in(file.substr(kMagic.size()));
  Container container{.metadata = DecodeFileMetadata(in)};
  const std::string_view sync = in.Take(kSyncBytes);
  const Codec codec = CodecOf(container.metadata);
  static SchemaCache cache;
  const auto schema = cache.Get(container.metadata["avro.schema"]);
  container.schema = schema;
  while (!in.empty()) {
    const int64_t count = in.Long();
    const std::string_view bytes = in.Bytes();
    const std::string unpacked = codec == Codec::kDeflate ? Inflate(bytes) : std::string(bytes);
    Decoder block(unpacked);
    for (int64_t i = 0; i < count; ++i) container.records.push_back(Decode(block, *schema->root, 0));
    if (!block.empty() || in.Take(kSyncBytes) != sync) Damaged("a block does not end where it says");
  }
  return container;
}

}  // namespace leat::lake::avro
