#include "duck/row_hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>

#include "duck/row_bytes.h"

namespace leat::duck {
namespace {

// Handles of DuckDB's C API, destroyed on the way out.
template <typename Handle, void (*destroy)(Handle*)>
class Owned {
 public:
  explicit Owned(Handle handle) : handle_(handle) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() { destroy(&handle_); }
  operator Handle() const { return handle_; }  // stands for the handle in every call

 private:
  Handle handle_;
};
using LogicalType = Owned<duckdb_logical_type, duckdb_destroy_logical_type>;
using Expression = Owned<duckdb_expression, duckdb_destroy_expression>;
using ClientContext = Owned<duckdb_client_context, duckdb_destroy_client_context>;
using Value = Owned<duckdb_value, duckdb_destroy_value>;
using ErrorData = Owned<duckdb_error_data, duckdb_destroy_error_data>;
using ScalarFunction = Owned<duckdb_scalar_function, duckdb_destroy_scalar_function>;

std::string TakeText(char* text) {
  std::string copy = text != nullptr ? text : "";
  duckdb_free(text);
  return copy;
}

struct Cells;
using PutValue = void (*)(const Cells& cells, idx_t row, RowBytes& bytes);

/// How the values of one column, or of one part of a nested column, become bytes; settled when the statement is bound.
struct ValueType {
  PutValue put = nullptr;
  int scale = 0;                   ///< of DECIMAL
  idx_t array_size = 0;            ///< of ARRAY
  std::vector<std::string> names;  ///< labels of ENUM, fields of STRUCT
  std::vector<ValueType> children;
};

/// The values of one vector of a chunk.
struct Cells {
  const ValueType* type;
  const void* data;
  uint64_t* validity;
  std::vector<Cells> children;

  bool IsNull(idx_t row) const { return validity != nullptr && !duckdb_validity_row_is_valid(validity, row); }
  template <typename T>
  const T& At(idx_t row) const {
    return static_cast<const T*>(data)[row];
  }
  void Put(idx_t row, RowBytes& bytes) const { type->put(*this, row, bytes); }
  void PutOrNull(idx_t row, RowBytes& bytes) const { IsNull(row) ? bytes.Null() : Put(row, bytes); }
};

__int128 ToInt128(const duckdb_hugeint& value) {
  return static_cast<__int128>(static_cast<unsigned __int128>(static_cast<uint64_t>(value.upper)) << 64 | value.lower);
}

constexpr uint64_t kTopBit = uint64_t{1} << 63;

void PutBoolean(const Cells& cells, idx_t row, RowBytes& bytes) { bytes.Boolean(cells.At<bool>(row)); }

template <typename T>
void PutInteger(const Cells& cells, idx_t row, RowBytes& bytes) {
  bytes.Number(static_cast<int64_t>(cells.At<T>(row)));
}
void PutUint64(const Cells& cells, idx_t row, RowBytes& bytes) {
  bytes.Number(static_cast<__int128>(cells.At<uint64_t>(row)));
}
void PutInt128(const Cells& cells, idx_t row, RowBytes& bytes) {
  bytes.Number(ToInt128(cells.At<duckdb_hugeint>(row)));
}

template <typename T>
void PutDecimal(const Cells& cells, idx_t row, RowBytes& bytes) {
  bytes.Number(static_cast<int64_t>(cells.At<T>(row)), cells.type->scale);
}
void PutDecimal128(const Cells& cells, idx_t row, RowBytes& bytes) {
  bytes.Number(ToInt128(cells.At<duckdb_hugeint>(row)), cells.type->scale);
}

template <typename T>
void PutFloat(const Cells& cells, idx_t row, RowBytes& bytes) {
  bytes.Float(static_cast<double>(cells.At<T>(row)));
}

void PutDate(const Cells& cells, idx_t row, RowBytes& bytes) { bytes.Date(cells.At<int32_t>(row)); }
void PutTime(const Cells& cells, idx_t row, RowBytes& bytes) { bytes.Time(cells.At<int64_t>(row)); }
void PutTimestamp(const Cells& cells, idx_t row, RowBytes& bytes) { bytes.TimestampLocal(cells.At<int64_t>(row)); }
void PutTimestampTz(const Cells& cells, idx_t row, RowBytes& bytes) { bytes.TimestampUtc(cells.At<int64_t>(row)); }
void PutText(const Cells& cells, idx_t row, RowBytes& bytes) { bytes.Text(ViewOf(cells.At<duckdb_string_t>(row))); }
void PutBlob(const Cells& cells, idx_t row, RowBytes& bytes) { bytes.Blob(ViewOf(cells.At<duckdb_string_t>(row))); }

template <typename T>
void PutEnum(const Cells& cells, idx_t row, RowBytes& bytes) {
  bytes.Text(cells.type->names[cells.At<T>(row)]);
}

void PutUuid(const Cells& cells, idx_t row, RowBytes& bytes) {
  const auto& value = cells.At<duckdb_hugeint>(row);
  bytes.Uuid(static_cast<uint64_t>(value.upper) ^ kTopBit, value.lower);
}

void PutList(const Cells& cells, idx_t row, RowBytes& bytes) {
  const auto& list = cells.At<duckdb_list_entry>(row);
  bytes.List(static_cast<uint32_t>(list.length));
  for (idx_t i = 0; i < list.length; ++i) cells.children[0].PutOrNull(list.offset + i, bytes);
}

void PutArray(const Cells& cells, idx_t row, RowBytes& bytes) {
  const idx_t size = cells.type->array_size;
  bytes.List(static_cast<uint32_t>(size));
  for (idx_t i = 0; i < size; ++i) cells.children[0].PutOrNull(row * size + i, bytes);
}

void PutStruct(const Cells& cells, idx_t row, RowBytes& bytes) {
  const auto filled = std::ranges::count_if(cells.children, [row](const Cells& child) { return !child.IsNull(row); });
  bytes.Struct(static_cast<uint32_t>(filled));
  for (size_t i = 0; i < cells.children.size(); ++i) {
    if (cells.children[i].IsNull(row)) continue;
    bytes.Name(cells.type->names[i]);
    cells.children[i].Put(row, bytes);
  }
}

/// Entries of a map have no order of their own, so they are put into that of their keys' bytes.
void PutMap(const Cells& cells, idx_t row, RowBytes& bytes) {
  const auto& map = cells.At<duckdb_list_entry>(row);
  const Cells& keys = cells.children[0].children[0];
  const Cells& values = cells.children[0].children[1];
  bytes.Map(static_cast<uint32_t>(map.length));
  const size_t start = bytes.bytes().size();
  std::vector<std::pair<std::vector<uint8_t>, idx_t>> sorted;
  for (idx_t i = map.offset; i < map.offset + map.length; ++i) {
    keys.Put(i, bytes);
    sorted.emplace_back(bytes.TakeFrom(start), i);
  }
  std::ranges::sort(sorted);
  for (const auto& [key, i] : sorted) {
    bytes.Append(key);
    values.PutOrNull(i, bytes);
  }
}

/// By the type a vector stores its numbers in.
PutValue PutDecimalOf(duckdb_type stored) {
  switch (stored) {
    case DUCKDB_TYPE_SMALLINT:
      return PutDecimal<int16_t>;
    case DUCKDB_TYPE_INTEGER:
      return PutDecimal<int32_t>;
    case DUCKDB_TYPE_BIGINT:
      return PutDecimal<int64_t>;
    default:
      return PutDecimal128;
  }
}

PutValue PutEnumOf(duckdb_type stored) {
  switch (stored) {
    case DUCKDB_TYPE_UTINYINT:
      return PutEnum<uint8_t>;
    case DUCKDB_TYPE_USMALLINT:
      return PutEnum<uint16_t>;
    default:
      return PutEnum<uint32_t>;
  }
}

ValueType DescribeEnum(duckdb_logical_type type) {
  ValueType described{.put = PutEnumOf(duckdb_enum_internal_type(type))};
  for (idx_t i = 0; i < duckdb_enum_dictionary_size(type); ++i)
    described.names.push_back(TakeText(duckdb_enum_dictionary_value(type, i)));
  return described;
}

std::optional<ValueType> Describe(duckdb_logical_type type);

std::optional<ValueType> DescribeStruct(duckdb_logical_type type, PutValue put) {
  ValueType described{.put = put};
  for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
    auto child = Describe(LogicalType(duckdb_struct_type_child_type(type, i)));
    if (!child) return std::nullopt;
    described.names.push_back(TakeText(duckdb_struct_type_child_name(type, i)));
    described.children.push_back(std::move(*child));
  }
  return described;
}

std::optional<ValueType> DescribeList(const LogicalType& child_type, PutValue put, idx_t array_size = 0) {
  auto child = Describe(child_type);
  if (!child) return std::nullopt;
  return ValueType{.put = put, .array_size = array_size, .children = {std::move(*child)}};
}

/// A map's vector is a list of structs (key, value).
std::optional<ValueType> DescribeMap(duckdb_logical_type type) {
  auto key = Describe(LogicalType(duckdb_map_type_key_type(type)));
  auto value = Describe(LogicalType(duckdb_map_type_value_type(type)));
  if (!key || !value) return std::nullopt;
  ValueType entry{.put = PutStruct, .children = {std::move(*key), std::move(*value)}};
  return ValueType{.put = PutMap, .children = {std::move(entry)}};
}

struct ScalarKind {
  duckdb_type type;
  PutValue put;
};

// A literal NULL is never put: all its rows are NULL.
constexpr ScalarKind kScalarKinds[] = {
    {DUCKDB_TYPE_SQLNULL, PutBoolean},
    {DUCKDB_TYPE_BOOLEAN, PutBoolean},
    {DUCKDB_TYPE_TINYINT, PutInteger<int8_t>},
    {DUCKDB_TYPE_SMALLINT, PutInteger<int16_t>},
    {DUCKDB_TYPE_INTEGER, PutInteger<int32_t>},
    {DUCKDB_TYPE_BIGINT, PutInteger<int64_t>},
    {DUCKDB_TYPE_UTINYINT, PutInteger<uint8_t>},
    {DUCKDB_TYPE_USMALLINT, PutInteger<uint16_t>},
    {DUCKDB_TYPE_UINTEGER, PutInteger<uint32_t>},
    {DUCKDB_TYPE_UBIGINT, PutUint64},
    {DUCKDB_TYPE_HUGEINT, PutInt128},
    {DUCKDB_TYPE_FLOAT, PutFloat<float>},
    {DUCKDB_TYPE_DOUBLE, PutFloat<double>},
    {DUCKDB_TYPE_DATE, PutDate},
    {DUCKDB_TYPE_TIME, PutTime},
    {DUCKDB_TYPE_TIMESTAMP, PutTimestamp},
    {DUCKDB_TYPE_TIMESTAMP_TZ, PutTimestampTz},
    {DUCKDB_TYPE_VARCHAR, PutText},
    {DUCKDB_TYPE_BLOB, PutBlob},
    {DUCKDB_TYPE_UUID, PutUuid},
};

/// nullopt: the type, or a part of it, has no canonical bytes.
std::optional<ValueType> Describe(duckdb_logical_type type) {
  switch (const duckdb_type id = duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_DECIMAL:
      return ValueType{.put = PutDecimalOf(duckdb_decimal_internal_type(type)), .scale = duckdb_decimal_scale(type)};
    case DUCKDB_TYPE_ENUM:
      return DescribeEnum(type);
    case DUCKDB_TYPE_LIST:
      return DescribeList(LogicalType(duckdb_list_type_child_type(type)), PutList);
    case DUCKDB_TYPE_ARRAY:
      return DescribeList(LogicalType(duckdb_array_type_child_type(type)), PutArray,
                          duckdb_array_type_array_size(type));
    case DUCKDB_TYPE_STRUCT:
      return DescribeStruct(type, PutStruct);
    case DUCKDB_TYPE_MAP:
      return DescribeMap(type);
    default: {
      const auto* kind = std::ranges::find(kScalarKinds, id, &ScalarKind::type);
      if (kind == std::end(kScalarKinds)) return std::nullopt;
      return ValueType{.put = kind->put};
    }
  }
}

struct HashColumn {
  int32_t field_id;
  ValueType type;
};
using Plan = std::vector<HashColumn>;

Cells CellsOf(duckdb_vector vector, const ValueType& type) {
  Cells cells{&type, duckdb_vector_get_data(vector), duckdb_vector_get_validity(vector), {}};
  if (type.children.empty()) return cells;
  if (type.put == PutStruct) {
    for (idx_t i = 0; i < type.children.size(); ++i)
      cells.children.push_back(CellsOf(duckdb_struct_vector_get_child(vector, i), type.children[i]));
  } else {
    const auto child =
        type.put == PutArray ? duckdb_array_vector_get_child(vector) : duckdb_list_vector_get_child(vector);
    cells.children.push_back(CellsOf(child, type.children[0]));
  }
  return cells;
}

void HashRows(const Plan& plan, duckdb_data_chunk input, duckdb_vector output) {
  std::vector<Cells> columns;
  columns.reserve(plan.size());
  for (idx_t i = 0; i < plan.size(); ++i)
    columns.push_back(CellsOf(duckdb_data_chunk_get_vector(input, 2 * i + 1), plan[i].type));
  auto* hashes = static_cast<duckdb_hugeint*>(duckdb_vector_get_data(output));
  RowBytes bytes;
  const idx_t rows = duckdb_data_chunk_get_size(input);
  for (idx_t row = 0; row < rows; ++row) {
    bytes.Clear();
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].IsNull(row)) continue;
      bytes.Field(plan[i].field_id);
      columns[i].Put(row, bytes);
    }
    const Hash128 hash = bytes.Hash();
    hashes[row] = {hash.low, static_cast<int64_t>(hash.high ^ kTopBit)};
  }
}

/// The constant at argument `index`. Throws: Error, to be handed to DuckDB.
int32_t FieldIdOf(duckdb_bind_info info, idx_t index) {
  const Expression argument(duckdb_scalar_function_bind_get_argument(info, index));
  duckdb_client_context raw = nullptr;
  duckdb_scalar_function_get_client_context(info, &raw);
  const ClientContext context(raw);
  duckdb_value folded = nullptr;
  if (duckdb_expression_is_foldable(argument)) {
    const ErrorData error(duckdb_expression_fold(context, argument, &folded));
    const Value value(folded);
    const int64_t id = folded != nullptr && !duckdb_is_null_value(folded) ? duckdb_get_int64(folded) : 0;
    if (id > 0 && id <= INT32_MAX) return static_cast<int32_t>(id);
  }
  throw Error(kInternal, "LEAT9903",
              fmt::format("leat_hash: argument {} must be a constant field id above 0", index + 1));
}

ValueType TypeOf(duckdb_bind_info info, idx_t index) {
  const Expression argument(duckdb_scalar_function_bind_get_argument(info, index));
  const LogicalType type(duckdb_expression_return_type(argument));
  auto described = Describe(type);
  if (described) return std::move(*described);
  throw Error(kInternal, "LEAT9903",
              fmt::format("leat_hash: argument {} has type {}, which has no canonical bytes; cast it", index + 1,
                          FormatType(type)));
}

Plan MakePlan(duckdb_bind_info info) {
  const idx_t count = duckdb_scalar_function_bind_get_argument_count(info);
  if (count % 2 != 0) throw Error(kInternal, "LEAT9903", "leat_hash: expected pairs of field id and value");
  Plan plan;
  for (idx_t i = 0; i < count; i += 2) plan.push_back({FieldIdOf(info, i), TypeOf(info, i + 1)});
  return plan;
}

// Callbacks: no exception may leave them.

void Bind(duckdb_bind_info info) {
  try {
    auto plan = std::make_unique<Plan>(MakePlan(info));
    duckdb_scalar_function_set_bind_data(info, plan.release(), [](void* data) { delete static_cast<Plan*>(data); });
    duckdb_scalar_function_set_bind_data_copy(
        info, [](void* data) -> void* { return new (std::nothrow) Plan(*static_cast<Plan*>(data)); });
  } catch (const std::exception& error) {
    duckdb_scalar_function_bind_set_error(info, error.what());
  }
}

void Execute(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  try {
    HashRows(*static_cast<const Plan*>(duckdb_scalar_function_get_bind_data(info)), input, output);
  } catch (const std::exception& error) {
    duckdb_scalar_function_set_error(info, error.what());
  }
}

template <bool high>
void ExecuteHalf(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
  const auto* hashes =
      static_cast<const duckdb_hugeint*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 0)));
  auto* halves = static_cast<uint64_t*>(duckdb_vector_get_data(output));
  const idx_t rows = duckdb_data_chunk_get_size(input);
  for (idx_t row = 0; row < rows; ++row)
    halves[row] = high ? static_cast<uint64_t>(hashes[row].upper) ^ kTopBit : hashes[row].lower;
}

void SetReturnType(duckdb_scalar_function function, duckdb_type type) {
  duckdb_scalar_function_set_return_type(function, LogicalType(duckdb_create_logical_type(type)));
}

void Register(const Connection& connection, duckdb_scalar_function function, const char* name) {
  duckdb_scalar_function_set_name(function, name);
  if (duckdb_register_scalar_function(connection.handle(), function) != DuckDBSuccess)
    throw Error(kInternal, "LEAT9902", fmt::format("DuckDB refused the function {}", name));
}

void RegisterHash(const Connection& connection) {
  const ScalarFunction function(duckdb_create_scalar_function());
  duckdb_scalar_function_set_varargs(function, LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_ANY)));
  duckdb_scalar_function_set_special_handling(function);  // NULL in one column must not make the hash NULL
  SetReturnType(function, DUCKDB_TYPE_UUID);
  duckdb_scalar_function_set_bind(function, Bind);
  duckdb_scalar_function_set_function(function, Execute);
  Register(connection, function, "leat_hash");
}

void RegisterHalf(const Connection& connection, const char* name, duckdb_scalar_function_t execute) {
  const ScalarFunction function(duckdb_create_scalar_function());
  duckdb_scalar_function_add_parameter(function, LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_UUID)));
  SetReturnType(function, DUCKDB_TYPE_UBIGINT);
  duckdb_scalar_function_set_function(function, execute);
  Register(connection, function, name);
}

}  // namespace

void RegisterRowHash(Database& database) {
  const Connection connection(database);
  RegisterHash(connection);
  RegisterHalf(connection, "leat_hash_high", ExecuteHalf<true>);
  RegisterHalf(connection, "leat_hash_low", ExecuteHalf<false>);
}

std::string RowHashSql(const std::vector<HashedColumn>& columns) {
  std::string arguments;
  for (const auto& [field_id, expression] : columns)
    arguments += fmt::format("{}{}, {}", arguments.empty() ? "" : ", ", field_id, expression);
  return fmt::format("leat_hash({})", arguments);
}

std::string TableHashSql(const std::vector<HashedColumn>& columns, const std::string& from) {
  // sum(UBIGINT) is an exact HUGEINT; sum(UHUGEINT) would silently be a DOUBLE. The subquery makes each hash once.
  return fmt::format(
      "SELECT count(*) AS row_count, coalesce(sum(leat_hash_low(row_hash)), 0)::VARCHAR AS hash_low, "
      "coalesce(sum(leat_hash_high(row_hash)), 0)::VARCHAR AS hash_high FROM (SELECT {} AS row_hash FROM {})",
      RowHashSql(columns), from);
}

}  // namespace leat::duck
