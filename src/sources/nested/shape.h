#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/http_source.h"
#include "sources/nested/json_reader.h"

namespace leat::sources {

/// What was seen at one path of all records: a set of these.
enum Seen : uint32_t {
  kSeenNull = 1,
  kSeenBoolean = 2,
  kSeenWhole = 4,            ///< a number without a point, of 64 bits
  kSeenBig = 8,              ///< one without a point that fits DECIMAL(38,9)
  kSeenHuge = 16,            ///< one without a point that fits DECIMAL(38,0)
  kSeenWholeWithPoint = 32,  ///< `1.0`, of 64 bits
  kSeenFraction = 64,        ///< any other number that fits DECIMAL(38,9)
  kSeenOddNumber = 128,      ///< any other number
  kSeenText = 256,
  kSeenDate = 512,  ///< only of CSV: `2024-11-21`
  kSeenObject = 1024,
  kSeenList = 2048
};
inline constexpr uint32_t kSeenNumber =
    kSeenWhole | kSeenBig | kSeenHuge | kSeenWholeWithPoint | kSeenFraction | kSeenOddNumber;
inline constexpr uint32_t kSeenScalar = kSeenBoolean | kSeenNumber | kSeenText | kSeenDate;

/// One path of the records: a field, or the elements of a list.
struct Shape {
  /// Where a field was seen first: page, record, and its place in the record. Orders columns the same however pages
  /// were taken in.
  struct FirstSeen {
    int64_t page = INT64_MAX;
    int64_t record = 0;
    int64_t place = 0;
    auto operator<=>(const FirstSeen&) const = default;
  };

  std::string name;
  uint32_t seen = 0;
  FirstSeen first;
  std::vector<std::unique_ptr<Shape>> fields;
  std::unique_ptr<Shape> element;

  Shape& Field(std::string_view field, size_t& hint);
  void Merge(const Shape& other);
  /// By where they were seen first, at every level.
  void Sort();
  int64_t CountPaths() const;
};

/// Goes through records and notes their shape; one per thread.
class ShapeScanner {
 public:
  /// \param flatten  levels of objects that are looked into  \param is_csv  texts may stand for numbers
  ShapeScanner(int64_t flatten, bool is_csv) : flatten_(flatten), is_csv_(is_csv) {}

  /// Take in the record that begins at `reader`.
  void Take(JsonReader& reader, int64_t page, int64_t record);
  const Shape& shape() const { return root_; }

 private:
  void TakeValue(JsonReader& reader, Shape& shape, int64_t flatten, int lists);
  void TakeFields(JsonReader& reader, Shape& shape, int64_t flatten, int lists);
  uint32_t SeenIn(std::string_view text) const;

  int64_t flatten_;
  bool is_csv_;
  int nesting_ = 0;
  Shape root_;
  Shape::FirstSeen now_;
  std::string name_;
};

/// What a number is as one of Seen.
uint32_t SeenNumber(std::string_view token);
/// Whether `text` is a day of the calendar, `2024-11-21`.
bool IsDate(std::string_view text);

/// Call `take` for each record of an answer: what `steps` lead to, and each entry where that is a list.
/// Throws: MalformedJson, also for a value that a step does not lead through.
void ForEachRecord(JsonReader& reader, const std::vector<config::JsonStep>& steps, size_t step,
                   const std::function<void(JsonReader&)>& take);

}  // namespace leat::sources
