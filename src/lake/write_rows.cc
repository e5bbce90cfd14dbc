#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <fstream>

#include "core/error.h"
#include "core/fail_point.h"
#include "core/file_system.h"
#include "core/ids.h"
#include "core/text.h"
#include "lake/iceberg/bounds.h"
#include "lake/table.h"

namespace leat::lake {
namespace {

using Kind = Type::Kind;

/// Below this a file is read as a whole anyway, and its row groups are not worth a look.
constexpr int64_t kSplitBytesMin = 1 << 20;
/// The first row group follows Parquet's magic.
constexpr int64_t kFirstRowGroup = 4;

/// What RETURN_STATS says of one column: `min`, `max`, `null_count`, …
using ColumnTexts = std::map<std::string, std::string>;

/// The one row that COPY returns.
struct CopyResult {
  int64_t rows = 0;
  int64_t size_bytes = 0;
  std::map<std::string, ColumnTexts> columns;  ///< by quoted path, `"st"."x"`
};

std::string FieldIds(const std::vector<Field>& fields);

/// `1`, or for a nested type `{__duckdb_field_id: 1, "x": 2}`.
std::string FieldId(const Field& field) {
  if (field.type.fields.empty()) return std::to_string(field.id);
  return fmt::format("{{__duckdb_field_id: {}, {}}}", field.id, FieldIds(field.type.fields));
}

std::string FieldIds(const std::vector<Field>& fields) {
  std::vector<std::string> ids;
  for (const Field& field : fields) ids.push_back(fmt::format("{}: {}", QuoteIdentifier(field.name), FieldId(field)));
  return Join(ids, ", ");
}

/// The part of the COPY statement that stands before the caller's SELECT.
std::string CopyPrefix(const Schema& schema) {
  std::vector<std::string> columns;
  for (const Field& field : schema.fields) {
    const std::string name = QuoteIdentifier(field.name);
    columns.push_back(fmt::format("CAST({} AS {}) AS {}", name, DuckType(field.type), name));
  }
  return fmt::format("COPY (SELECT {} FROM (", Join(columns, ", "));
}

bool HoldsFloats(const std::vector<Field>& fields) {
  return std::any_of(fields.begin(), fields.end(), [](const Field& field) {
    return field.type.kind == Kind::kFloat || field.type.kind == Kind::kDouble || HoldsFloats(field.type.fields);
  });
}

std::string CopySuffix(const Schema& schema, const std::string& path) {
  // A dictionary takes 0 and -0 for one value, and all of them get the sign of the first.
  const char* dictionary = HoldsFloats(schema.fields) ? ", DICTIONARY_SIZE_LIMIT 0" : "";
  // The line break ends a comment that the caller's SELECT may end with.
  return fmt::format(
      "\n)) TO {} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE_BYTES '16MB', FIELD_IDS {{{}}}, RETURN_STATS{})",
      QuoteLiteral(path), FieldIds(schema.fields), dictionary);
}

/// Keys and values of the maps of one column of a vector, a row at a time.
class MapVector {
 public:
  explicit MapVector(duckdb_vector vector) : entries_(static_cast<duckdb_list_entry*>(duckdb_vector_get_data(vector))) {
    const duckdb_vector pairs = duckdb_list_vector_get_child(vector);
    keys_ = duckdb_struct_vector_get_child(pairs, 0);
    values_ = duckdb_struct_vector_get_child(pairs, 1);
  }

  uint64_t begin(uint64_t row) const { return entries_[row].offset; }
  uint64_t end(uint64_t row) const { return entries_[row].offset + entries_[row].length; }
  std::string Key(uint64_t i) const { return Text(keys_, i); }
  std::string TextValue(uint64_t i) const { return Text(values_, i); }
  duckdb_vector values() const { return values_; }

 private:
  static std::string Text(duckdb_vector vector, uint64_t i) {
    return std::string(duck::ViewOf(static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector))[i]));
  }

  duckdb_list_entry* entries_;
  duckdb_vector keys_;
  duckdb_vector values_;
};

/// Columns of RETURN_STATS: filename, count, file_size_bytes, footer_size_bytes, column_statistics, partition_keys.
CopyResult ReadCopyResult(duck::Result& result) {
  const auto chunk = result.Next();
  if (!chunk || chunk->size() != 1) throw Error(kInternal, "LEAT9906", "DuckDB did not tell what COPY wrote");
  CopyResult copied;
  copied.rows = static_cast<int64_t>(chunk->At<uint64_t>(1, 0));
  copied.size_bytes = static_cast<int64_t>(chunk->At<uint64_t>(2, 0));
  const MapVector columns(chunk->vector(4));
  const MapVector texts(columns.values());
  for (uint64_t i = columns.begin(0); i < columns.end(0); ++i)
    for (uint64_t j = texts.begin(i); j < texts.end(i); ++j)
      copied.columns[columns.Key(i)][texts.Key(j)] = texts.TextValue(j);
  return copied;
}

/// A column that Parquet stores: one that has no parts.
struct Leaf {
  const Field* field;
  std::string path;  ///< `"st"."x"`
  bool repeated;     ///< inside a list or map: Iceberg keeps no bounds of those
};

void CollectLeaves(const std::vector<Field>& fields, const std::string& prefix, bool repeated,
                   std::vector<Leaf>& leaves) {
  for (const Field& field : fields) {
    const std::string path = prefix + QuoteIdentifier(field.name);
    if (field.type.fields.empty())
      leaves.push_back({&field, path, repeated});
    else
      CollectLeaves(field.type.fields, path + ".", repeated || field.type.kind != Kind::kStruct, leaves);
  }
}

std::optional<std::string> BoundOf(const Leaf& leaf, const ColumnTexts& texts, const char* key, iceberg::Side side) {
  const auto it = texts.find(key);
  if (leaf.repeated || it == texts.end()) return std::nullopt;
  return iceberg::EncodeBound(leaf.field->type, it->second, side);
}

int64_t NumberOf(const ColumnTexts& texts, const char* key) {
  const auto it = texts.find(key);
  return it == texts.end() ? 0 : std::stoll(it->second);
}

/// NaN are excluded from DuckDB's bounds and only flagged; Iceberg wants to know how many there are.
int64_t CountNan(duck::Connection& connection, const std::string& path, const Leaf& leaf) {
  return connection.QueryInt64(
      fmt::format("SELECT count(*) FILTER (isnan(f.{})) FROM read_parquet({}) f", leaf.path, QuoteLiteral(path)));
}

ColumnStatistics StatisticsOf(duck::Connection& connection, const std::string& path, const Leaf& leaf,
                              const ColumnTexts& texts) {
  ColumnStatistics statistics;
  statistics.size_bytes = NumberOf(texts, "column_size_bytes");
  statistics.value_count = NumberOf(texts, "num_values");
  statistics.null_count = NumberOf(texts, "null_count");
  statistics.lower = BoundOf(leaf, texts, "min", iceberg::Side::kLower);
  statistics.upper = BoundOf(leaf, texts, "max", iceberg::Side::kUpper);
  if (const auto it = texts.find("has_nan"); it != texts.end() && !leaf.repeated)
    statistics.nan_count = it->second == "false" ? 0 : CountNan(connection, path, leaf);
  return statistics;
}

std::map<int, ColumnStatistics> ColumnsOf(duck::Connection& connection, const std::string& path, const Schema& schema,
                                          const CopyResult& copied) {
  std::vector<Leaf> leaves;
  CollectLeaves(schema.fields, "", false, leaves);
  std::map<int, ColumnStatistics> columns;
  for (const Leaf& leaf : leaves)
    if (const auto it = copied.columns.find(leaf.path); it != copied.columns.end())
      columns[leaf.field->id] = StatisticsOf(connection, path, leaf, it->second);
  return columns;
}

/// The partition that all rows of a file are of.
std::optional<bool> SupersededIn(const DataFile& file, const Schema& schema) {
  const Field* field = schema.Find(kSupersededColumn);
  if (field == nullptr) return std::nullopt;
  const auto column = file.columns.find(field->id);
  if (column == file.columns.end() || column->second.null_count > 0) return std::nullopt;
  const auto& [lower, upper] = std::tie(column->second.lower, column->second.upper);
  return lower && lower == upper ? std::optional(lower->front() != '\0') : std::nullopt;
}

std::vector<int64_t> SplitOffsets(duck::Connection& connection, const std::string& path, int64_t size_bytes) {
  if (size_bytes < kSplitBytesMin) return {kFirstRowGroup};
  std::vector<int64_t> offsets;
  const auto result =
      connection.Query(fmt::format("SELECT CAST(min(least(data_page_offset, coalesce(nullif(dictionary_page_offset, "
                                   "0), data_page_offset))) AS BIGINT) "
                                   "FROM parquet_metadata({}) GROUP BY row_group_id ORDER BY 1",
                                   QuoteLiteral(path)));
  while (const auto chunk = result->Next())
    for (idx_t row = 0; row < chunk->size(); ++row) offsets.push_back(chunk->At<int64_t>(0, row));
  return offsets;
}

/// A Parquet file ends with its magic; one that was cut off, or is not as long as DuckDB said, does not.
void CheckWritten(const std::string& path, int64_t size_bytes) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  char magic[4] = {};
  if (file && file.tellg() == std::streampos(size_bytes)) file.seekg(-4, std::ios::end).read(magic, sizeof magic);
  if (std::string_view(magic, sizeof magic) != "PAR1")
    throw Error(kInternal, "LEAT0502", fmt::format("{} is not whole after writing {} bytes", path, size_bytes))
        .Hint("check that the disk is healthy and has free space");
}

/// DuckDB accepts a column without an id in silence, and its rows could not be found again.
void CheckFieldIds([[maybe_unused]] duck::Connection& connection, [[maybe_unused]] const std::string& path) {
#ifndef NDEBUG  // half a millisecond for each file, which only a fault of FieldIds could make worth while
  assert(connection.QueryInt64(
             fmt::format("SELECT count(*) FROM parquet_schema({}) WHERE field_id IS NULL AND name NOT IN "
                         "('duckdb_schema', 'list', 'key_value')",
                         QuoteLiteral(path))) == 0);
#endif
}

/// Say what a fault of the COPY statement means to the caller, who knows of the SELECT only.
[[noreturn]] void Rethrow(const duck::QueryError& error, size_t select_begin, size_t select_size,
                          const std::string& path) {
  duck::Fault fault = error.fault();
  if (fault.message.find(path) != std::string::npos)
    throw Error(kInternal, "LEAT0502", fault.message).Hint("free space on this disk, then run again");
  const bool ours = fault.position && *fault.position < select_begin;
  if (ours && (fault.type == "Conversion" || fault.type == "Out of Range"))
    throw Error(kData, "LEAT0521", fmt::format("a value does not fit its column: {}", fault.message))
        .Hint("cast the column to a wider type, or to VARCHAR");
  if (fault.position && !ours && *fault.position <= select_begin + select_size)
    *fault.position -= select_begin;
  else
    fault.position.reset();
  throw duck::QueryError(std::move(fault));
}

}  // namespace

std::vector<DataFile> TableWriter::WriteRows(duck::Connection& connection, const std::string& table_location,
                                             const Schema& schema, const std::string& select,
                                             const std::vector<duck::Parameter>& parameters) const {
  const std::string name = fmt::format("{}/data/{}.parquet", table_location, NewUuid());
  const std::string path = storage_.DuckPath(name);
  const std::string prefix = CopyPrefix(schema);
  storage_.PrepareFolder(name);
  try {
    const CopyResult copied = ReadCopyResult(*connection.Query(prefix + select + CopySuffix(schema, path), parameters));
    if (copied.rows == 0) {
      storage_.RemoveQuietly(name);
      return {};
    }
    FailPoint("lake.data.after_write");
    CheckWritten(path, copied.size_bytes);
    CheckFieldIds(connection, path);
    DataFile file{.path = storage_.Uri(name), .record_count = copied.rows, .size_bytes = copied.size_bytes};
    file.columns = ColumnsOf(connection, path, schema, copied);
    file.superseded = SupersededIn(file, schema);
    file.split_offsets = SplitOffsets(connection, path, copied.size_bytes);
    storage_.Sync(name);
    return {std::move(file)};
  } catch (const duck::QueryError& error) {
    storage_.RemoveQuietly(name);
    Rethrow(error, prefix.size(), select.size(), path);
  } catch (...) {
    storage_.RemoveQuietly(name);
    throw;
  }
}

}  // namespace leat::lake
