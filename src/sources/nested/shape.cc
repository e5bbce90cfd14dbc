#include "sources/nested/shape.h"

#include <algorithm>
#include <chrono>

#include "sources/nested/json_number.h"

namespace leat::sources {
namespace {

/// Lists of objects in lists of objects: so many levels become tables, what is deeper stays JSON.
constexpr int kListLevelsMax = 3;
/// Lists in lists of plain values; what is deeper stays JSON.
constexpr int kNestingMax = 16;

}  // namespace

Shape& Shape::Field(std::string_view field, size_t& hint) {
  // Records of one kind name their fields in one order, so that the next one is mostly the one behind the last.
  if (hint < fields.size() && fields[hint]->name == field) return *fields[hint++];
  for (size_t i = 0; i < fields.size(); ++i)
    if (fields[i]->name == field) {
      hint = i + 1;
      return *fields[i];
    }
  fields.push_back(std::make_unique<Shape>());
  fields.back()->name = field;
  hint = fields.size();
  return *fields.back();
}

void Shape::Merge(const Shape& other) {
  seen |= other.seen;
  first = std::min(first, other.first);
  size_t hint = 0;
  for (const auto& field : other.fields) Field(field->name, hint).Merge(*field);
  if (other.element == nullptr) return;
  if (element == nullptr) element = std::make_unique<Shape>();
  element->Merge(*other.element);
}

void Shape::Sort() {
  std::sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a->first < b->first; });
  for (const auto& field : fields) field->Sort();
  if (element != nullptr) element->Sort();
}

int64_t Shape::CountPaths() const {
  int64_t count = 1;
  for (const auto& field : fields) count += field->CountPaths();
  return count + (element != nullptr ? element->CountPaths() : 0);
}

void ShapeScanner::Take(JsonReader& reader, int64_t page, int64_t record) {
  now_ = {.page = page, .record = record, .place = 0};
  if (reader.Peek() != JsonKind::kObject) {
    reader.Skip();
    return;
  }
  TakeFields(reader, root_, flatten_, kListLevelsMax);
}

void ShapeScanner::TakeFields(JsonReader& reader, Shape& shape, int64_t flatten, int lists) {
  std::string_view raw;
  size_t hint = 0;
  reader.OpenObject();
  for (bool first = true; reader.NextField(first, raw);) {
    std::string_view name = raw;
    if (reader.has_escapes()) {
      Unescape(raw, name_);
      name = name_;
    }
    Shape& field = shape.Field(name, hint);
    ++now_.place;
    if (now_ < field.first) field.first = now_;
    TakeValue(reader, field, flatten, lists);
  }
}

void ShapeScanner::TakeValue(JsonReader& reader, Shape& shape, int64_t flatten, int lists) {
  const JsonKind kind = reader.Peek();
  if (kind == JsonKind::kString) {
    shape.seen |= SeenIn(reader.String());
  } else if (kind == JsonKind::kNumber) {
    shape.seen |= SeenNumber(reader.Number());
  } else if (kind == JsonKind::kObject) {
    shape.seen |= kSeenObject;
    if (flatten > 0)
      TakeFields(reader, shape, flatten - 1, lists);
    else
      reader.Skip();
  } else if (kind == JsonKind::kList) {
    shape.seen |= kSeenList;
    if (shape.element == nullptr) shape.element = std::make_unique<Shape>();
    if (nesting_ == kNestingMax) {
      shape.element->seen |= kSeenObject | kSeenText;
      reader.Skip();
      return;
    }
    ++nesting_;
    reader.OpenList();
    for (bool first = true; reader.NextElement(first);) {
      // The fields of an object in a list are columns of a table of their own, where there is one for it.
      const bool is_row = reader.Peek() == JsonKind::kObject && lists > 0;
      TakeValue(reader, *shape.element, is_row ? flatten_ + 1 : 0, is_row ? lists - 1 : 0);
    }
    --nesting_;
  } else {
    shape.seen |= kind == JsonKind::kNull ? kSeenNull : kSeenBoolean;
    reader.Word(kind);
  }
}

uint32_t ShapeScanner::SeenIn(std::string_view text) const {
  if (!is_csv_) return kSeenText;
  if (LooksLikeNumber(text)) return SeenNumber(text);
  if (text == "true" || text == "false") return kSeenBoolean;
  return IsDate(text) ? kSeenDate : kSeenText;
}

uint32_t SeenNumber(std::string_view token) {
  if (ParseShortInteger(token)) return kSeenWhole;
  const JsonNumber number = ParseNumber(token);
  if (number.is_whole() && number.Int64()) return number.has_point ? kSeenWholeWithPoint : kSeenWhole;
  const bool fits_with_decimals = number.Scaled(38, 9).has_value();
  if (number.has_point) return fits_with_decimals ? kSeenFraction : kSeenOddNumber;
  if (fits_with_decimals) return kSeenBig;
  return number.Scaled(38, 0) ? kSeenHuge : kSeenOddNumber;
}

bool IsDate(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  const auto number = [&](size_t at, size_t count) {
    int value = 0;
    for (const char c : text.substr(at, count)) value = c >= '0' && c <= '9' ? value * 10 + (c - '0') : -10'000;
    return value;
  };
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  return year > 0 && month > 0 && day > 0 &&
         std::chrono::year_month_day{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                     std::chrono::day{static_cast<unsigned>(day)}}
             .ok();
}

void ForEachRecord(JsonReader& reader, const std::vector<config::JsonStep>& steps, size_t step,
                   const std::function<void(JsonReader&)>& take) {
  const JsonKind kind = reader.Peek();
  const bool is_end = step == steps.size();
  if (kind == JsonKind::kNull && !(is_end && !steps.empty() && steps.back().each)) return reader.Word(kind);
  const bool goes_into_list =
      is_end ? kind == JsonKind::kList && (steps.empty() || !steps.back().each) : steps[step].each;
  if (goes_into_list) {
    reader.OpenList();
    for (bool first = true; reader.NextElement(first);) {
      if (is_end)
        take(reader);
      else
        ForEachRecord(reader, steps, step + 1, take);
    }
    return;
  }
  if (is_end) return take(reader);
  std::string_view raw;
  std::string name;
  reader.OpenObject();
  for (bool first = true; reader.NextField(first, raw);) {
    Unescape(raw, name);
    if (name == steps[step].name)
      ForEachRecord(reader, steps, step + 1, take);
    else
      reader.Skip();
  }
}

}  // namespace leat::sources
