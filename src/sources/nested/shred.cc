#include "sources/nested/shred.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "core/text.h"
#include "sources/nested/json_number.h"

namespace leat::sources {
namespace {

using Form = ValueType::Form;

constexpr idx_t kVectorRows = 2048;
constexpr int kMisfitTextMax = 200;

/// Why a record cannot be a row.
struct Misfit {
  std::string reason;
  FieldPath field;
  std::string_view value;  ///< as it is written
};

/// Owns a C handle of a type.
class TypeHandle {
 public:
  explicit TypeHandle(duckdb_logical_type type) : type_(type) {}
  TypeHandle(TypeHandle&& other) noexcept : type_(std::exchange(other.type_, nullptr)) {}
  TypeHandle& operator=(TypeHandle&&) = delete;
  ~TypeHandle() {
    if (type_ != nullptr) duckdb_destroy_logical_type(&type_);
  }
  duckdb_logical_type get() const { return type_; }

 private:
  duckdb_logical_type type_;
};

TypeHandle Simple(duckdb_type type) { return TypeHandle(duckdb_create_logical_type(type)); }

TypeHandle HandleOf(const ValueType& type) {
  if (type.lists > 0) {
    ValueType element = type;
    --element.lists;
    return TypeHandle(duckdb_create_list_type(HandleOf(element).get()));
  }
  switch (type.form) {
    case Form::kBoolean:
      return Simple(DUCKDB_TYPE_BOOLEAN);
    case Form::kInt:
      return Simple(DUCKDB_TYPE_INTEGER);
    case Form::kLong:
      return Simple(DUCKDB_TYPE_BIGINT);
    case Form::kDecimal:
      return TypeHandle(
          duckdb_create_decimal_type(static_cast<uint8_t>(type.precision), static_cast<uint8_t>(type.scale)));
    case Form::kDouble:
      return Simple(DUCKDB_TYPE_DOUBLE);
    case Form::kDate:
      return Simple(DUCKDB_TYPE_DATE);
    case Form::kTimestamp:
      return Simple(DUCKDB_TYPE_TIMESTAMP);
    case Form::kTimestampTz:
      return Simple(DUCKDB_TYPE_TIMESTAMP_TZ);
    default:
      return Simple(DUCKDB_TYPE_VARCHAR);
  }
}

/// A STRUCT under construction.
class StructType {
 public:
  void Add(const std::string& name, TypeHandle type) {
    names_.push_back(name);
    types_.push_back(std::move(type));
  }
  bool empty() const { return names_.empty(); }
  TypeHandle Make() const {
    std::vector<const char*> names;
    std::vector<duckdb_logical_type> types;
    for (size_t i = 0; i < names_.size(); ++i) {
      names.push_back(names_[i].c_str());
      types.push_back(types_[i].get());
    }
    return TypeHandle(duckdb_create_struct_type(types.data(), names.data(), names.size()));
  }

 private:
  std::vector<std::string> names_;
  std::vector<TypeHandle> types_;
};

void AddRowTypes(const NestedTable& table, StructType& type);

TypeHandle ListOfRows(const NestedTable& child) {
  StructType entry;
  AddRowTypes(child, entry);
  return TypeHandle(duckdb_create_list_type(entry.Make().get()));
}

void AddRowTypes(const NestedTable& table, StructType& type) {
  StructType row, children;
  for (const NestedColumn& column : table.columns) row.Add(column.name, HandleOf(column.type));
  for (size_t i = 0; i < table.children.size(); ++i) children.Add(fmt::format("c{}", i), ListOfRows(table.children[i]));
  // A STRUCT needs a member: of an object without any field only its place counts.
  if (row.empty()) row.Add("_", Simple(DUCKDB_TYPE_BOOLEAN));
  type.Add("row", row.Make());
  if (!children.empty()) type.Add("children", children.Make());
}

TypeHandle ResultType(const NestedTable& table) {
  StructType misfit, result;
  for (const char* name : {"reason", "field", "value"}) misfit.Add(name, Simple(DUCKDB_TYPE_VARCHAR));
  result.Add("misfit", misfit.Make());
  AddRowTypes(table, result);
  return result.Make();
}

/// A vector of DuckDB that is filled place by place. A place is NULL until it is set.
class Slots {
 public:
  explicit Slots(duckdb_vector vector) : vector_(vector) { Look(); }

  /// Find data again after the vector has grown, and make places `from` to `to` NULL.
  void Clear(idx_t from, idx_t to) {
    Look();
    for (idx_t i = from; i < to;) {
      if (i % 64 == 0 && i + 64 <= to) {
        validity_[i / 64] = 0;
        i += 64;
      } else {
        validity_[i / 64] &= ~(uint64_t{1} << i % 64);
        ++i;
      }
    }
  }
  bool IsSet(idx_t place) const { return (validity_[place / 64] >> place % 64 & 1) != 0; }
  template <typename T>
  void Set(idx_t place, T value) {
    static_cast<T*>(data_)[place] = value;
    SetValid(place);
  }
  void SetText(idx_t place, std::string_view text) {
    duckdb_unsafe_vector_assign_string_element_len(vector_, place, text.data(), text.size());
    SetValid(place);
  }
  void SetValid(idx_t place) { validity_[place / 64] |= uint64_t{1} << place % 64; }
  duckdb_vector vector() const { return vector_; }
  void* data() const { return data_; }

 private:
  void Look() {
    duckdb_vector_ensure_validity_writable(vector_);
    data_ = duckdb_vector_get_data(vector_);
    validity_ = duckdb_vector_get_validity(vector_);
  }

  duckdb_vector vector_;
  void* data_ = nullptr;
  uint64_t* validity_ = nullptr;
};

/// The entries of all lists of one vector, one behind the other.
class Entries {
 public:
  idx_t size() const { return size_; }
  /// Make room for one more; returns whether the child vector has moved.
  bool Reserve(duckdb_vector list) {
    if (size_ < capacity_) return false;
    capacity_ *= 2;
    duckdb_list_vector_reserve(list, capacity_);
    return true;
  }
  idx_t capacity() const { return capacity_; }
  idx_t Add() { return size_++; }

 private:
  idx_t size_ = 0;
  idx_t capacity_ = kVectorRows;
};

/// Fills the places of one column.
class ValueFiller {
 public:
  ValueFiller(duckdb_vector vector, const ValueType& type) : type_(type), slots_(vector) {
    if (type.lists == 0) return;
    ValueType element = type;
    --element.lists;
    entries_.emplace();
    duckdb_list_vector_reserve(vector, entries_->capacity());
    element_ = std::make_unique<ValueFiller>(duckdb_list_vector_get_child(vector), element);
    element_->Clear(0, entries_->capacity());
  }

  void Clear(idx_t from, idx_t to) {
    slots_.Clear(from, to);
    if (entries_)
      std::memset(static_cast<duckdb_list_entry*>(slots_.data()) + from, 0, (to - from) * sizeof(duckdb_list_entry));
  }
  bool IsSet(idx_t place) const { return slots_.IsSet(place); }
  /// Throws: Misfit, without the field.
  void Fill(JsonReader& reader, idx_t place);
  void Finish() {
    if (!entries_) return;
    duckdb_list_vector_set_size(slots_.vector(), entries_->size());
    element_->Finish();
  }

 private:
  void FillList(JsonReader& reader, idx_t place);
  void FillNumber(std::string_view token, idx_t place);
  void FillText(std::string_view raw, bool has_escapes, idx_t place);
  void FillTime(std::string_view text, idx_t place);
  void SetDecimal(__int128 value, idx_t place);
  [[noreturn]] void Refuse(std::string_view value) const { Refuse(value, "expected " + type_.DuckType()); }
  [[noreturn]] static void Refuse(std::string_view value, std::string reason) {
    throw Misfit{std::move(reason), {}, value};
  }

  ValueType type_;
  Slots slots_;
  std::optional<Entries> entries_;
  std::unique_ptr<ValueFiller> element_;
  std::string text_;
};

void ValueFiller::Fill(JsonReader& reader, idx_t place) {
  const JsonKind kind = reader.Peek();
  if (kind == JsonKind::kNull) return reader.Word(kind);
  if (type_.lists > 0) return kind == JsonKind::kList ? FillList(reader, place) : Refuse(reader.Skip());
  if (type_.form == Form::kJson) return slots_.SetText(place, reader.Skip());
  switch (kind) {
    case JsonKind::kNumber:
      return FillNumber(reader.Number(), place);
    case JsonKind::kString: {
      const std::string_view raw = reader.String();
      return FillText(raw, reader.has_escapes(), place);
    }
    case JsonKind::kTrue:
    case JsonKind::kFalse:
      reader.Word(kind);
      if (type_.form == Form::kText) return slots_.SetText(place, kind == JsonKind::kTrue ? "true" : "false");
      if (type_.form != Form::kBoolean) Refuse(kind == JsonKind::kTrue ? "true" : "false");
      return slots_.Set(place, kind == JsonKind::kTrue);
    default:
      Refuse(reader.Skip());
  }
}

void ValueFiller::FillList(JsonReader& reader, idx_t place) {
  duckdb_list_entry list{.offset = entries_->size(), .length = 0};
  reader.OpenList();
  for (bool first = true; reader.NextElement(first); ++list.length) {
    if (const idx_t before = entries_->capacity(); entries_->Reserve(slots_.vector()))
      element_->Clear(before, entries_->capacity());
    element_->Fill(reader, entries_->Add());
  }
  slots_.Set(place, list);
}

void ValueFiller::SetDecimal(__int128 value, idx_t place) {
  if (type_.precision <= 4)
    slots_.Set(place, static_cast<int16_t>(value));
  else if (type_.precision <= 9)
    slots_.Set(place, static_cast<int32_t>(value));
  else if (type_.precision <= 18)
    slots_.Set(place, static_cast<int64_t>(value));
  else
    slots_.Set(place, duckdb_hugeint{static_cast<uint64_t>(value), static_cast<int64_t>(value >> 64)});
}

void ValueFiller::FillNumber(std::string_view token, idx_t place) {
  if (type_.form == Form::kText) return slots_.SetText(place, token);
  if (type_.form == Form::kLong)
    if (const auto value = ParseShortInteger(token)) return slots_.Set(place, *value);
  const JsonNumber number = ParseNumber(token);
  if (type_.form == Form::kLong || type_.form == Form::kInt) {
    const auto value = number.Int64();
    const bool fits = value && (type_.form == Form::kLong || static_cast<int32_t>(*value) == *value);
    if (!fits) Refuse(token);
    return type_.form == Form::kLong ? slots_.Set(place, *value) : slots_.Set(place, static_cast<int32_t>(*value));
  }
  if (type_.form == Form::kDecimal) {
    const auto value = number.Scaled(type_.precision, type_.scale);
    return value ? SetDecimal(*value, place) : Refuse(token);
  }
  if (type_.form == Form::kDouble) {
    const auto value = ExactDouble(token, number);
    return value ? slots_.Set(place, *value) : Refuse(token, "a DOUBLE does not hold all its digits");
  }
  const bool is_epoch = type_.unit == config::TimeUnit::kSeconds || type_.unit == config::TimeUnit::kMilliseconds;
  if ((type_.form == Form::kTimestampTz || type_.form == Form::kTimestamp) && is_epoch) {
    const auto micros = number.Scaled(18, type_.unit == config::TimeUnit::kSeconds ? 6 : 3);
    return micros ? slots_.Set(place, static_cast<int64_t>(*micros)) : Refuse(token);
  }
  Refuse(token);
}

void ValueFiller::FillText(std::string_view raw, bool has_escapes, idx_t place) {
  std::string_view text = raw;
  if (has_escapes) {
    if (!Unescape(raw, text_)) Refuse(raw, "half a surrogate pair is no character");
    text = text_;
  }
  switch (type_.form) {
    case Form::kText:
      return slots_.SetText(place, text);
    case Form::kDate:
    case Form::kTimestamp:
    case Form::kTimestampTz:
      if (text.empty()) return;  // how some APIs write that there is no time
      if (type_.reads_text && LooksLikeNumber(text)) return FillNumber(text, place);
      return FillTime(text, place);
    case Form::kBoolean:
      if (!type_.reads_text || (text != "true" && text != "false")) Refuse(raw);
      return slots_.Set(place, text == "true");
    default:
      if (!type_.reads_text || !LooksLikeNumber(text)) Refuse(raw);
      FillNumber(text, place);
  }
}

void ValueFiller::FillTime(std::string_view text, idx_t place) {
  constexpr int64_t kMicrosPerDay = int64_t{86'400} * 1'000'000;
  const auto micros = ParseIsoTime(text);
  if (!micros) Refuse(text, "expected a time as ISO 8601 writes it");
  if (type_.form != Form::kDate) return slots_.Set(place, *micros);
  if (text.size() != std::strlen("2024-11-21")) Refuse(text, "expected a day such as 2024-11-21");
  slots_.Set(place, static_cast<int32_t>(*micros / kMicrosPerDay - (*micros % kMicrosPerDay < 0 ? 1 : 0)));
}

/// Fills the rows of one table, and of its children.
class RowFiller {
 public:
  RowFiller(const NestedTable& table, duckdb_vector row, duckdb_vector children);

  void Clear(idx_t from, idx_t to);
  /// Throws: Misfit.
  void Fill(JsonReader& reader, const std::vector<Route>& routes, idx_t place);
  bool IsSet(size_t column, idx_t place) const { return columns_[column].IsSet(place); }
  void Finish();

 private:
  struct Child {
    Slots slots;
    Entries entries;
    std::unique_ptr<RowFiller> rows;
  };
  void FillField(JsonReader& reader, const Route& route, idx_t place);
  void FillRows(JsonReader& reader, size_t child, idx_t place);

  const NestedTable& table_;
  std::vector<ValueFiller> columns_;
  std::vector<Child> children_;
};

RowFiller::RowFiller(const NestedTable& table, duckdb_vector row, duckdb_vector children) : table_(table) {
  for (size_t i = 0; i < table.columns.size(); ++i)
    columns_.emplace_back(duckdb_struct_vector_get_child(row, i), table.columns[i].type);
  for (size_t i = 0; i < table.children.size(); ++i) {
    const duckdb_vector list = duckdb_struct_vector_get_child(children, i);
    Entries entries;
    duckdb_list_vector_reserve(list, entries.capacity());
    const duckdb_vector entry = duckdb_list_vector_get_child(list);
    const bool has_children = !table.children[i].children.empty();
    auto rows = std::make_unique<RowFiller>(table.children[i], duckdb_struct_vector_get_child(entry, 0),
                                            has_children ? duckdb_struct_vector_get_child(entry, 1) : nullptr);
    rows->Clear(0, entries.capacity());
    children_.push_back({Slots(list), entries, std::move(rows)});
  }
}

void RowFiller::Clear(idx_t from, idx_t to) {
  for (ValueFiller& column : columns_) column.Clear(from, to);
  for (Child& child : children_) {
    child.slots.Clear(from, to);
    std::memset(static_cast<duckdb_list_entry*>(child.slots.data()) + from, 0, (to - from) * sizeof(duckdb_list_entry));
  }
}

void RowFiller::Fill(JsonReader& reader, const std::vector<Route>& routes, idx_t place) {
  std::string_view raw;
  std::string unescaped;
  size_t hint = 0;
  reader.OpenObject();
  for (bool first = true; reader.NextField(first, raw);) {
    std::string_view name = raw;
    if (reader.has_escapes()) {
      Unescape(raw, unescaped);
      name = unescaped;
    }
    if (hint >= routes.size() || routes[hint].name != name)
      hint = static_cast<size_t>(
          std::find_if(routes.begin(), routes.end(), [&](const Route& r) { return r.name == name; }) - routes.begin());
    if (hint == routes.size())
      reader.Skip();
    else
      FillField(reader, routes[hint++], place);
  }
}

void RowFiller::FillField(JsonReader& reader, const Route& route, idx_t place) {
  try {
    if (route.use == Route::Use::kSkip) {
      reader.Skip();
    } else if (route.use == Route::Use::kRows) {
      FillRows(reader, route.index, place);
    } else if (route.use == Route::Use::kColumn) {
      if (columns_[route.index].IsSet(place)) throw Misfit{"the field stands there twice", {}, reader.Skip()};
      columns_[route.index].Fill(reader, place);
    } else if (const JsonKind kind = reader.Peek(); kind == JsonKind::kObject) {
      Fill(reader, route.fields, place);
    } else if (kind == JsonKind::kNull) {
      reader.Word(kind);
    } else {
      throw Misfit{"expected an object", {}, reader.Skip()};
    }
  } catch (Misfit& misfit) {
    misfit.field.insert(misfit.field.begin(), route.name);
    throw;
  }
}

void RowFiller::FillRows(JsonReader& reader, size_t index, idx_t place) {
  const JsonKind kind = reader.Peek();
  if (kind == JsonKind::kNull) return reader.Word(kind);
  if (kind != JsonKind::kList) throw Misfit{"expected a list of objects", {}, reader.Skip()};
  Child& child = children_[index];
  if (child.slots.IsSet(place)) throw Misfit{"the field stands there twice", {}, reader.Skip()};
  duckdb_list_entry list{.offset = child.entries.size(), .length = 0};
  reader.OpenList();
  for (bool first = true; reader.NextElement(first); ++list.length) {
    if (const idx_t before = child.entries.capacity(); child.entries.Reserve(child.slots.vector()))
      child.rows->Clear(before, child.entries.capacity());
    const idx_t entry = child.entries.Add();
    const JsonKind entry_kind = reader.Peek();
    if (entry_kind == JsonKind::kNull)
      reader.Word(entry_kind);
    else if (entry_kind == JsonKind::kObject)
      child.rows->Fill(reader, table_.children[index].fields, entry);
    else
      throw Misfit{"expected an object in the list", {}, reader.Skip()};
  }
  child.slots.Set(place, list);
}

void RowFiller::Finish() {
  for (ValueFiller& column : columns_) column.Finish();
  for (Child& child : children_) {
    duckdb_list_vector_set_size(child.slots.vector(), child.entries.size());
    child.rows->Finish();
  }
}

/// What one call of the function works by.
struct ShredPlan {
  NestedTable table;
  std::vector<size_t> key;  ///< columns that need a value
};

class Shredder {
 public:
  Shredder(const ShredPlan& plan, duckdb_vector output)
      : plan_(plan),
        misfit_(duckdb_struct_vector_get_child(output, 0)),
        parts_{Slots(duckdb_struct_vector_get_child(misfit_.vector(), 0)),
               Slots(duckdb_struct_vector_get_child(misfit_.vector(), 1)),
               Slots(duckdb_struct_vector_get_child(misfit_.vector(), 2))},
        rows_(plan.table, duckdb_struct_vector_get_child(output, 1),
              plan.table.children.empty() ? nullptr : duckdb_struct_vector_get_child(output, 2)) {}

  void Run(duckdb_data_chunk input) {
    const idx_t count = duckdb_data_chunk_get_size(input);
    auto* records = static_cast<duckdb_string_t*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 0)));
    misfit_.Clear(0, count);
    for (Slots& part : parts_) part.Clear(0, count);
    rows_.Clear(0, count);
    for (idx_t i = 0; i < count; ++i) {
      try {
        Take(duck::ViewOf(records[i]), i);
      } catch (const Misfit& misfit) {
        SetMisfit(misfit, i);
      }
    }
    rows_.Finish();
  }

 private:
  void Take(std::string_view record, idx_t place) {
    JsonReader reader(record);
    if (reader.Peek() != JsonKind::kObject) throw Misfit{"expected an object", {}, record};
    rows_.Fill(reader, plan_.table.fields, place);
    for (const size_t column : plan_.key)
      if (!rows_.IsSet(column, place))
        throw Misfit{"the key has no value", plan_.table.columns[column].path, std::string_view()};
  }

  void SetMisfit(const Misfit& misfit, idx_t place) {
    misfit_.SetValid(place);
    parts_[0].SetText(place, misfit.reason);
    parts_[1].SetText(place, FormatPath(misfit.field));
    if (!misfit.value.empty()) parts_[2].SetText(place, Shorten(misfit.value, kMisfitTextMax));
  }

  const ShredPlan& plan_;
  Slots misfit_;
  Slots parts_[3];
  RowFiller rows_;
};

void Shred(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  try {
    const auto& plan = *static_cast<const ShredPlan*>(duckdb_scalar_function_get_extra_info(info));
    Shredder(plan, output).Run(input);
  } catch (const MalformedJson& malformed) {
    duckdb_scalar_function_set_error(info, malformed.expected);
  } catch (const std::exception& error) {
    duckdb_scalar_function_set_error(info, error.what());
  }
}

}  // namespace

void RegisterShred(duck::Database& database, const std::string& name, const NestedTable& table,
                   const std::vector<std::string>& key) {
  auto plan = std::make_unique<ShredPlan>(ShredPlan{table, {}});
  for (const std::string& column : key)
    if (const NestedColumn* found = table.Find(column))
      plan->key.push_back(static_cast<size_t>(found - table.columns.data()));
  const duck::Connection connection(database);
  duckdb_scalar_function function = duckdb_create_scalar_function();
  duckdb_scalar_function_set_name(function, name.c_str());
  duckdb_scalar_function_add_parameter(function, Simple(DUCKDB_TYPE_BLOB).get());
  duckdb_scalar_function_set_return_type(function, ResultType(table).get());
  duckdb_scalar_function_set_extra_info(function, plan.release(),
                                        [](void* data) { delete static_cast<ShredPlan*>(data); });
  duckdb_scalar_function_set_function(function, Shred);
  const bool is_known = duckdb_register_scalar_function(connection.handle(), function) == DuckDBSuccess;
  duckdb_destroy_scalar_function(&function);
  if (!is_known) throw Error(kInternal, "LEAT9902", fmt::format("DuckDB refused the function {}", name));
}

}  // namespace leat::sources
