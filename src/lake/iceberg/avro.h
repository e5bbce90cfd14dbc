#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace leat::lake::avro {

/// Throw Error(kData, LEAT0520): what was read is not what it should be. The caller knows the file and says so.
[[noreturn]] void Damaged(const std::string& reason);

/// Builds the binary form of values. The caller follows the schema; nothing is checked here.
/// Source: Apache Avro specification 1.11, "Binary Encoding".
class Encoder {
 public:
  void Long(int64_t value);            ///< also int, enum index, the branch of a union and the count of a block
  void Bytes(std::string_view bytes);  ///< also string
  void Boolean(bool value) { bytes_.push_back(value ? '\1' : '\0'); }
  /// Append bytes that are encoded already, such as a `fixed`.
  void Raw(std::string_view bytes) { bytes_.append(bytes); }

  const std::string& bytes() const { return bytes_; }
  void Clear() { bytes_.clear(); }

 private:
  std::string bytes_;
};

enum class Codec { kNull, kDeflate };

/// Writes an object container file: its schema, its metadata, then records in blocks.
class ContainerWriter {
 public:
  /// \param schema  JSON text, stored as it is, so that `field-id` attributes survive
  /// \param sync    16 bytes between blocks; a test gives its own
  ContainerWriter(const std::string& schema, const std::map<std::string, std::string>& metadata, Codec codec,
                  std::string sync = RandomSync());

  /// What the next record is encoded into; EndRecord follows.
  Encoder& record() { return block_; }
  void EndRecord();
  /// The whole file. The writer is of no use afterwards.
  std::string Finish() &&;

  static std::string RandomSync();

 private:
  void FlushBlock();

  Codec codec_;
  std::string sync_;
  Encoder file_;
  Encoder block_;
  int64_t block_records_ = 0;
};

/// A type of the schema that a file carries.
struct Node {
  enum class Kind {
    kNull,
    kBoolean,
    kInt,
    kLong,
    kFloat,
    kDouble,
    kBytes,
    kString,
    kFixed,
    kEnum,
    kRecord,
    kArray,
    kMap,
    kUnion
  };
  struct Field {
    std::string name;
    int id = -1;  ///< the attribute `field-id`; -1: none
    const Node* type = nullptr;
  };
  Kind kind = Kind::kNull;
  size_t size = 0;            ///< of a fixed
  std::vector<Field> fields;  ///< of a record
  std::vector<const Node*>
      children;  ///< branches of a union; the one element type of an array, the value type of a map
};

/// A value as its writer's schema shapes it; a union is its branch's value.
struct Value {
  const Node* type = nullptr;
  int64_t number = 0;        ///< boolean, int, long, enum index
  double real = 0;           ///< float, double
  std::string bytes;         ///< bytes, string, fixed
  std::vector<Value> items;  ///< fields of a record, elements of an array, key and value in turn of a map

  bool is_null() const { return type->kind == Node::Kind::kNull; }
  /// A record's field, nullptr if the writer had none of that id or it is null.
  const Value* Find(int field_id) const;
};

/// A container file, read completely.
struct Container {
  std::map<std::string, std::string> metadata;
  std::shared_ptr<const void> schema;  ///< keeps alive what the values' types point to
  std::vector<Value> records;
};

/// Read a container file of any writer, with codec null or deflate, by the schema it carries.
/// Throws: Error(kData, LEAT0520) saying what is wrong with it; the caller knows the file and says so.
Container ReadContainer(std::string_view file);

}  // namespace leat::lake::avro
