#pragma once

#include <duckdb.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace leat::cli {

/// Reads the values of one column of a result, of any type, for people and for JSON. Made once, used for every chunk.
///
/// Text is what DuckDB's cast to VARCHAR gives. In JSON, numbers are numbers in all their digits (decimals keep their
/// scale), NaN and infinities are strings, moments are RFC 3339 (`2024-11-21T14:05:02.123`, with `Z` for TIMESTAMPTZ
/// alone: a TIMESTAMP does not say its zone). Lists, structs and maps are JSON in the text too.
class CellReader {
 public:
  /// `column` names the column for messages.
  /// Throws: Error(kConfig, LEAT0197) for BIGNUM, GEOMETRY, VARIANT, which have no text of their own.
  CellReader(duckdb_logical_type type, const std::string& column);
  explicit CellReader(duckdb_vector vector, const std::string& column);
  CellReader(CellReader&&) = default;
  CellReader& operator=(CellReader&&) = default;

  static bool IsNull(duckdb_vector vector, idx_t row);
  /// The value as text; `NULL` for NULL.
  std::string Text(duckdb_vector vector, idx_t row) const;
  /// Add the value as JSON; `null` for NULL.
  void AppendJson(duckdb_vector vector, idx_t row, std::string& json) const;
  /// Whether values stand better on the right.
  bool is_number() const;

 private:
  struct DestroyType {
    void operator()(_duckdb_logical_type* type) const { duckdb_destroy_logical_type(&type); }
  };

  std::string ScalarText(duckdb_vector vector, idx_t row) const;
  std::string ScalarJson(duckdb_vector vector, idx_t row) const;
  void AppendListJson(duckdb_vector vector, idx_t row, std::string& json) const;
  void AppendStructJson(duckdb_vector vector, idx_t row, std::string& json) const;
  void AppendMapJson(duckdb_vector vector, idx_t row, std::string& json) const;
  bool is_nested() const { return !children_.empty(); }

  std::unique_ptr<_duckdb_logical_type, DestroyType> type_;
  duckdb_type id_;
  bool is_json_ = false;              ///< VARCHAR that holds JSON
  std::vector<CellReader> children_;  ///< of lists one, of maps key and value, of structs and unions their members
  std::vector<std::string> child_names_;
};

/// Add `text` as a JSON string.
void AppendJsonString(std::string_view text, std::string& json);

}  // namespace leat::cli
