#include "cli/cell.h"

#include <fmt/format.h>

#include "core/error.h"
#include "duck/database.h"

namespace leat::cli {
namespace {

template <typename T>
const T& At(duckdb_vector vector, idx_t row) {
  return static_cast<const T*>(duckdb_vector_get_data(vector))[row];
}

std::string TakeText(char* text) {
  std::string copy = text != nullptr ? text : "";
  duckdb_free(text);
  return copy;
}

/// The text that DuckDB's own cast gives.
std::string TextOf(duckdb_value value) {
  std::string text = TakeText(duckdb_get_varchar(value));
  duckdb_destroy_value(&value);
  return text;
}

duckdb_hugeint DecimalDigits(duckdb_logical_type type, duckdb_vector vector, idx_t row) {
  const auto widen = [](int64_t value) {
    return duckdb_hugeint{.lower = static_cast<uint64_t>(value), .upper = value < 0 ? -1 : 0};
  };
  switch (duckdb_decimal_internal_type(type)) {
    case DUCKDB_TYPE_SMALLINT:
      return widen(At<int16_t>(vector, row));
    case DUCKDB_TYPE_INTEGER:
      return widen(At<int32_t>(vector, row));
    case DUCKDB_TYPE_BIGINT:
      return widen(At<int64_t>(vector, row));
    default:
      return At<duckdb_hugeint>(vector, row);
  }
}

std::string DecimalText(duckdb_logical_type type, duckdb_vector vector, idx_t row) {
  return TextOf(duckdb_create_decimal(duckdb_decimal{.width = duckdb_decimal_width(type),
                                                     .scale = duckdb_decimal_scale(type),
                                                     .value = DecimalDigits(type, vector, row)}));
}

std::string EnumText(duckdb_logical_type type, duckdb_vector vector, idx_t row) {
  const duckdb_type internal = duckdb_enum_internal_type(type);
  const idx_t index = internal == DUCKDB_TYPE_UTINYINT    ? At<uint8_t>(vector, row)
                      : internal == DUCKDB_TYPE_USMALLINT ? At<uint16_t>(vector, row)
                                                          : At<uint32_t>(vector, row);
  return TakeText(duckdb_enum_dictionary_value(type, index));
}

std::string UuidText(duckdb_vector vector, idx_t row) {
  // DuckDB keeps the top bit flipped, so that UUIDs sort as signed numbers.
  const auto stored = At<duckdb_hugeint>(vector, row);
  const auto upper = static_cast<uint64_t>(stored.upper) ^ (uint64_t{1} << 63);
  return TextOf(duckdb_create_uuid(duckdb_uhugeint{.lower = stored.lower, .upper = upper}));
}

std::string BitText(duckdb_vector vector, idx_t row) {
  std::string bytes(duck::ViewOf(At<duckdb_string_t>(vector, row)));
  return TextOf(duckdb_create_bit(duckdb_bit{.data = reinterpret_cast<uint8_t*>(bytes.data()), .size = bytes.size()}));
}

std::string BlobText(duckdb_vector vector, idx_t row) {
  const std::string_view bytes = duck::ViewOf(At<duckdb_string_t>(vector, row));
  // duckdb_get_varchar() of a blob is cut at its first NUL byte; this is the cast's rule.
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    const bool plain = byte >= 32 && byte <= 126 && c != '\\' && c != '\'' && c != '"';
    text += plain ? std::string(1, c) : fmt::format("\\x{:02X}", byte);
  }
  return text;
}

/// `2024-11-21 14:05:02+00` as `2024-11-21T14:05:02Z`.
std::string Rfc3339(std::string text) {
  if (const size_t blank = text.find(' '); blank != std::string::npos && text[0] >= '0' && text[0] <= '9')
    text[blank] = 'T';
  if (text.ends_with("+00")) text.replace(text.size() - 3, 3, "Z");
  return text;
}

bool IsFinite(const std::string& text) { return text.find_first_of("nN") == std::string::npos; }

}  // namespace

CellReader::CellReader(duckdb_vector vector, const std::string& column)
    : CellReader(duckdb_vector_get_column_type(vector), column) {}

CellReader::CellReader(duckdb_logical_type type, const std::string& column)
    : type_(type), id_(duckdb_get_type_id(type)) {
  switch (id_) {
    case DUCKDB_TYPE_BIGNUM:
    case DUCKDB_TYPE_GEOMETRY:
    case DUCKDB_TYPE_VARIANT:
      throw Error(kConfig, "LEAT0197", fmt::format("column '{}' has a type that cannot be shown", column))
          .Hint(fmt::format("select \"{}\"::VARCHAR", column));
    case DUCKDB_TYPE_LIST:
      children_.emplace_back(duckdb_list_type_child_type(type), column);
      break;
    case DUCKDB_TYPE_ARRAY:
      children_.emplace_back(duckdb_array_type_child_type(type), column);
      break;
    case DUCKDB_TYPE_MAP:
      children_.emplace_back(duckdb_map_type_key_type(type), column);
      children_.emplace_back(duckdb_map_type_value_type(type), column);
      break;
    case DUCKDB_TYPE_STRUCT:
      for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
        child_names_.push_back(TakeText(duckdb_struct_type_child_name(type, i)));
        children_.emplace_back(duckdb_struct_type_child_type(type, i), column);
      }
      break;
    case DUCKDB_TYPE_UNION:
      for (idx_t i = 0; i < duckdb_union_type_member_count(type); ++i)
        children_.emplace_back(duckdb_union_type_member_type(type, i), column);
      break;
    case DUCKDB_TYPE_VARCHAR:
      is_json_ = TakeText(duckdb_logical_type_get_alias(type)) == "JSON";
      break;
    default:
      break;
  }
}

bool CellReader::IsNull(duckdb_vector vector, idx_t row) {
  uint64_t* validity = duckdb_vector_get_validity(vector);
  return validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
}

bool CellReader::is_number() const {
  switch (id_) {
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT:
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_DECIMAL:
      return true;
    default:
      return false;
  }
}

std::string CellReader::Text(duckdb_vector vector, idx_t row) const {
  if (id_ == DUCKDB_TYPE_SQLNULL || IsNull(vector, row)) return "NULL";
  if (!is_nested()) return ScalarText(vector, row);
  std::string json;
  AppendJson(vector, row, json);
  return json;
}

std::string CellReader::ScalarText(duckdb_vector vector, idx_t row) const {
  switch (id_) {
    case DUCKDB_TYPE_BOOLEAN:
      return At<bool>(vector, row) ? "true" : "false";
    case DUCKDB_TYPE_TINYINT:
      return std::to_string(At<int8_t>(vector, row));
    case DUCKDB_TYPE_SMALLINT:
      return std::to_string(At<int16_t>(vector, row));
    case DUCKDB_TYPE_INTEGER:
      return std::to_string(At<int32_t>(vector, row));
    case DUCKDB_TYPE_BIGINT:
      return std::to_string(At<int64_t>(vector, row));
    case DUCKDB_TYPE_UTINYINT:
      return std::to_string(At<uint8_t>(vector, row));
    case DUCKDB_TYPE_USMALLINT:
      return std::to_string(At<uint16_t>(vector, row));
    case DUCKDB_TYPE_UINTEGER:
      return std::to_string(At<uint32_t>(vector, row));
    case DUCKDB_TYPE_UBIGINT:
      return std::to_string(At<uint64_t>(vector, row));
    case DUCKDB_TYPE_HUGEINT:
      return TextOf(duckdb_create_hugeint(At<duckdb_hugeint>(vector, row)));
    case DUCKDB_TYPE_UHUGEINT:
      return TextOf(duckdb_create_uhugeint(At<duckdb_uhugeint>(vector, row)));
    case DUCKDB_TYPE_FLOAT:
      return TextOf(duckdb_create_float(At<float>(vector, row)));
    case DUCKDB_TYPE_DOUBLE:
      return TextOf(duckdb_create_double(At<double>(vector, row)));
    case DUCKDB_TYPE_DECIMAL:
      return DecimalText(type_.get(), vector, row);
    case DUCKDB_TYPE_VARCHAR:
      return std::string(duck::ViewOf(At<duckdb_string_t>(vector, row)));
    case DUCKDB_TYPE_BLOB:
      return BlobText(vector, row);
    case DUCKDB_TYPE_BIT:
      return BitText(vector, row);
    case DUCKDB_TYPE_UUID:
      return UuidText(vector, row);
    case DUCKDB_TYPE_ENUM:
      return EnumText(type_.get(), vector, row);
    case DUCKDB_TYPE_DATE:
      return TextOf(duckdb_create_date(At<duckdb_date>(vector, row)));
    case DUCKDB_TYPE_TIME:
      return TextOf(duckdb_create_time(At<duckdb_time>(vector, row)));
    case DUCKDB_TYPE_TIME_NS:
      return TextOf(duckdb_create_time_ns(At<duckdb_time_ns>(vector, row)));
    case DUCKDB_TYPE_TIME_TZ:
      return TextOf(duckdb_create_time_tz_value(At<duckdb_time_tz>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP:
      return TextOf(duckdb_create_timestamp(At<duckdb_timestamp>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP_S:
      return TextOf(duckdb_create_timestamp_s(At<duckdb_timestamp_s>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return TextOf(duckdb_create_timestamp_ms(At<duckdb_timestamp_ms>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return TextOf(duckdb_create_timestamp_ns(At<duckdb_timestamp_ns>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return TextOf(duckdb_create_timestamp_tz(At<duckdb_timestamp>(vector, row)));
    case DUCKDB_TYPE_INTERVAL:
      return TextOf(duckdb_create_interval(At<duckdb_interval>(vector, row)));
    default:
      throw Error(kInternal, "LEAT9920", fmt::format("DuckDB type number {} has no text", static_cast<int>(id_)));
  }
}

void CellReader::AppendJson(duckdb_vector vector, idx_t row, std::string& json) const {
  if (id_ == DUCKDB_TYPE_SQLNULL || IsNull(vector, row)) {
    json += "null";
    return;
  }
  switch (id_) {
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
      return AppendListJson(vector, row, json);
    case DUCKDB_TYPE_STRUCT:
      return AppendStructJson(vector, row, json);
    case DUCKDB_TYPE_MAP:
      return AppendMapJson(vector, row, json);
    case DUCKDB_TYPE_UNION: {
      // A union is stored as a struct whose first member is the number of the one in use.
      const size_t member = At<uint8_t>(duckdb_struct_vector_get_child(vector, 0), row);
      return children_.at(member).AppendJson(duckdb_struct_vector_get_child(vector, member + 1), row, json);
    }
    default:
      json += ScalarJson(vector, row);
  }
}

std::string CellReader::ScalarJson(duckdb_vector vector, idx_t row) const {
  std::string text = ScalarText(vector, row);
  if (is_json_ || id_ == DUCKDB_TYPE_BOOLEAN || (is_number() && IsFinite(text))) return text;
  const bool is_moment = id_ == DUCKDB_TYPE_TIMESTAMP || id_ == DUCKDB_TYPE_TIMESTAMP_S ||
                         id_ == DUCKDB_TYPE_TIMESTAMP_MS || id_ == DUCKDB_TYPE_TIMESTAMP_NS ||
                         id_ == DUCKDB_TYPE_TIMESTAMP_TZ;
  std::string json;
  AppendJsonString(is_moment ? Rfc3339(std::move(text)) : text, json);
  return json;
}

void CellReader::AppendListJson(duckdb_vector vector, idx_t row, std::string& json) const {
  const bool fixed = id_ == DUCKDB_TYPE_ARRAY;
  const idx_t size = fixed ? duckdb_array_type_array_size(type_.get()) : At<duckdb_list_entry>(vector, row).length;
  const idx_t offset = fixed ? row * size : At<duckdb_list_entry>(vector, row).offset;
  duckdb_vector child = fixed ? duckdb_array_vector_get_child(vector) : duckdb_list_vector_get_child(vector);
  json += '[';
  for (idx_t i = 0; i < size; ++i) {
    if (i > 0) json += ',';
    children_[0].AppendJson(child, offset + i, json);
  }
  json += ']';
}

void CellReader::AppendStructJson(duckdb_vector vector, idx_t row, std::string& json) const {
  json += '{';
  for (size_t i = 0; i < children_.size(); ++i) {
    if (i > 0) json += ',';
    AppendJsonString(child_names_[i], json);
    json += ':';
    children_[i].AppendJson(duckdb_struct_vector_get_child(vector, i), row, json);
  }
  json += '}';
}

void CellReader::AppendMapJson(duckdb_vector vector, idx_t row, std::string& json) const {
  const auto entry = At<duckdb_list_entry>(vector, row);
  duckdb_vector pairs = duckdb_list_vector_get_child(vector);
  json += '{';
  for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
    if (i > entry.offset) json += ',';
    AppendJsonString(children_[0].Text(duckdb_struct_vector_get_child(pairs, 0), i), json);
    json += ':';
    children_[1].AppendJson(duckdb_struct_vector_get_child(pairs, 1), i, json);
  }
  json += '}';
}

void AppendJsonString(std::string_view text, std::string& json) {
  json += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        json += "\\\"";
        break;
      case '\\':
        json += "\\\\";
        break;
      case '\n':
        json += "\\n";
        break;
      case '\r':
        json += "\\r";
        break;
      case '\t':
        json += "\\t";
        break;
      default:
        json += static_cast<unsigned char>(c) < 32 ? fmt::format("\\u{:04x}", static_cast<unsigned char>(c))
                                                   : std::string(1, c);
    }
  }
  json += '"';
}

}  // namespace leat::cli
