#include "clients/postgres/copy_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "clients/postgres/wire.h"
#include "core/text.h"

namespace leat::postgres {
namespace {

using namespace std::literals;

constexpr size_t kBufferBytes = 128 * 1024;
constexpr std::string_view kHeader = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"sv;

struct TargetRow {
  uint32_t oid;
  std::string_view duck_type;  ///< that its encoder reads; DECIMAL(…) stands for all of them
  EncodeCell encode;
};

/// The types that are fed in binary form.
constexpr TargetRow kTargets[] = {
    {oid::kBool, "BOOLEAN", &EncodeBool},
    {oid::kInt2, "SMALLINT", &EncodeInt2},
    {oid::kInt4, "INTEGER", &EncodeInt4},
    {oid::kInt8, "BIGINT", &EncodeInt8},
    {oid::kFloat4, "FLOAT", &EncodeInt4},
    {oid::kFloat8, "DOUBLE", &EncodeInt8},
    {oid::kNumeric, "DECIMAL", nullptr},  // by width
    {oid::kText, "VARCHAR", &EncodeBytes},
    {oid::kVarchar, "VARCHAR", &EncodeBytes},
    {oid::kBpchar, "VARCHAR", &EncodeBytes},
    {oid::kName, "VARCHAR", &EncodeBytes},
    {oid::kJson, "VARCHAR", &EncodeBytes},
    {oid::kJsonb, "VARCHAR", &EncodeJsonb},
    {oid::kBytea, "BLOB", &EncodeBytes},
    {oid::kUuid, "UUID", &EncodeUuid},
    {oid::kDate, "DATE", &EncodeDate},
    {oid::kTime, "TIME", &EncodeInt8},
    {oid::kTimestamp, "TIMESTAMP", &EncodeTimestamp},
    {oid::kTimestamptz, "TIMESTAMP WITH TIME ZONE", &EncodeTimestamp},
};

/// Casts that lose nothing, or fail in DuckDB with the value in the message.
struct CastRow {
  std::string_view from;
  std::string_view to;  ///< a duck_type of kTargets
  std::string_view as;  ///< empty: goes as it is
};

constexpr CastRow kCasts[] = {
    {"FLOAT", "DOUBLE", "DOUBLE"},
    {"TINYINT", "DECIMAL", "DECIMAL(3,0)"},
    {"UTINYINT", "DECIMAL", "DECIMAL(3,0)"},
    {"SMALLINT", "DECIMAL", "DECIMAL(5,0)"},
    {"USMALLINT", "DECIMAL", "DECIMAL(5,0)"},
    {"INTEGER", "DECIMAL", "DECIMAL(10,0)"},
    {"UINTEGER", "DECIMAL", "DECIMAL(10,0)"},
    {"BIGINT", "DECIMAL", "DECIMAL(19,0)"},
    {"UBIGINT", "DECIMAL", "DECIMAL(20,0)"},
    {"HUGEINT", "DECIMAL", "DECIMAL(38,0)"},
    {"UHUGEINT", "DECIMAL", "DECIMAL(38,0)"},
    {"TIMESTAMP", "TIMESTAMP WITH TIME ZONE", ""},  // both are microseconds of UTC
    {"TIMESTAMP WITH TIME ZONE", "TIMESTAMP", ""},
    {"TIMESTAMP_S", "TIMESTAMP", "TIMESTAMP"},
    {"TIMESTAMP_MS", "TIMESTAMP", "TIMESTAMP"},
    {"DATE", "TIMESTAMP", "TIMESTAMP"},
};

constexpr std::string_view kIntegers[] = {"TINYINT",  "SMALLINT",  "INTEGER",  "BIGINT",  "HUGEINT",
                                          "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"};

bool IsInteger(std::string_view type) { return std::ranges::find(kIntegers, type) != std::end(kIntegers); }

bool IsPlainText(uint32_t oid) { return oid == oid::kText || oid == oid::kVarchar || oid == oid::kBpchar; }

const TargetRow* FindTarget(const TargetColumn& column) {
  // An enum is received as its label.
  const uint32_t wanted = column.typtype == 'e' ? oid::kText : column.oid;
  const TargetRow* row = std::ranges::find(kTargets, wanted, &TargetRow::oid);
  return row == std::end(kTargets) ? nullptr : row;
}

std::string Cast(const std::string& name, std::string_view type) { return fmt::format("CAST({} AS {})", name, type); }

/// What to select for a pair so that the target's encoder can read it, or nothing if the pair has no binary form.
std::optional<std::string> BinaryExpression(const duck::Column& source, const TargetColumn& column) {
  const TargetRow* target = FindTarget(column);
  if (target == nullptr) return std::nullopt;
  std::string name = QuoteIdentifier(source.name);
  if (source.type == target->duck_type) return name;
  if (target->duck_type == "DECIMAL" && source.type.starts_with("DECIMAL(") && !source.type.ends_with("]")) return name;
  if (IsPlainText(column.oid) && source.type != "BLOB") return Cast(name, "VARCHAR");
  if (source.type == "ENUM" && target->duck_type == "VARCHAR") return Cast(name, "VARCHAR");
  if (IsInteger(source.type) && IsInteger(target->duck_type)) return Cast(name, target->duck_type);
  for (const CastRow& cast : kCasts)
    if (cast.from == source.type && cast.to == target->duck_type) return cast.as.empty() ? name : Cast(name, cast.as);
  return std::nullopt;
}

/// A value as text that PostgreSQL's input functions read.
std::string TextExpression(const duck::Column& source) {
  const std::string name = QuoteIdentifier(source.name);
  return source.type == "BLOB" ? fmt::format("'\\x' || lower(hex({}))", name) : Cast(name, "VARCHAR");
}

/// Lifts the time limit per statement while it lives. A failed transaction takes the SET back by itself.
class NoTimeLimit {
 public:
  explicit NoTimeLimit(Connection& connection)
      : connection_(connection), limit_(connection.Query("SELECT current_setting('statement_timeout')").Text(0, 0)) {
    connection_.Execute("SET statement_timeout = 0");
  }
  NoTimeLimit(const NoTimeLimit&) = delete;
  NoTimeLimit& operator=(const NoTimeLimit&) = delete;
  ~NoTimeLimit() {
    const PGTransactionStatusType status = PQtransactionStatus(connection_.handle());
    if (status != PQTRANS_IDLE && status != PQTRANS_INTRANS) return;
    try {
      connection_.Execute("SET statement_timeout = " + QuoteLiteral(limit_));
    } catch (...) {
      // A connection that is lost now says so again at its next use.
    }
  }

 private:
  Connection& connection_;
  std::string limit_;
};

/// One running `COPY … FROM STDIN`. Left by an exception it is given up, so that the connection can roll back.
class CopyIn {
 public:
  CopyIn(Connection& connection, const std::string& sql) : connection_(connection) {
    connection_.Send(sql);
    const Rows answer(connection_.NextResult());
    if (PQresultStatus(answer.handle()) == PGRES_COPY_IN) return;
    while (PGresult* rest = connection_.NextResult()) PQclear(rest);
    connection_.ThrowRefused(answer.handle());
  }
  CopyIn(const CopyIn&) = delete;
  CopyIn& operator=(const CopyIn&) = delete;
  ~CopyIn() {
    if (!finished_) Abandon();
  }

  void Put(const WireBuffer& buffer) {
    if (PQputCopyData(connection_.handle(), buffer.data(), static_cast<int>(buffer.size())) < 0)
      connection_.ThrowLost();
    connection_.Flush();
  }

  /// End the COPY; returns the rows that the server counted.
  int64_t Finish() {
    if (PQputCopyEnd(connection_.handle(), nullptr) < 0) connection_.ThrowLost();
    connection_.Flush();
    const Rows answer(connection_.NextResult());
    finished_ = true;
    while (PGresult* rest = connection_.NextResult()) PQclear(rest);
    if (PQresultStatus(answer.handle()) != PGRES_COMMAND_OK) connection_.ThrowRefused(answer.handle());
    return answer.affected();
  }

 private:
  void Abandon() noexcept {
    try {
      if (PQputCopyEnd(connection_.handle(), "given up by leat") < 0) return;
      connection_.Flush();
      while (PGresult* rest = connection_.NextResult()) PQclear(rest);
    } catch (...) {
      // Lost or cancelled: whoever holds the connection closes it.
    }
  }

  Connection& connection_;
  bool finished_ = false;
};

/// The columns of a chunk with the way each one is written.
class ChunkEncoder {
 public:
  ChunkEncoder(const CopyPlan& plan, const duck::Chunk& chunk) : sources_(chunk.column_count()) {
    if (chunk.column_count() != plan.target().size())
      throw Error(kInternal, "LEAT9908",
                  fmt::format("{} columns to be sent into {}", chunk.column_count(), plan.target().size()));
    for (idx_t i = 0; i < chunk.column_count(); ++i) AddColumn(plan, i, chunk.vector(i));
  }

  void Attach(const duck::Chunk& chunk) {
    for (idx_t i = 0; i < sources_.size(); ++i) {
      duckdb_vector vector = chunk.vector(i);
      sources_[i].data = static_cast<const uint8_t*>(duckdb_vector_get_data(vector));
      sources_[i].validity = duckdb_vector_get_validity(vector);
    }
  }

  void AppendBinary(idx_t row, WireBuffer& buffer) const {
    StoreInt16(buffer.Extend(2), static_cast<int16_t>(sources_.size()));
    for (size_t i = 0; i < sources_.size(); ++i) {
      if (sources_[i].IsNull(row))
        StoreInt32(buffer.Extend(4), -1);
      else
        encoders_[i](sources_[i], row, buffer);
    }
  }

  void AppendText(const duck::Chunk& chunk, idx_t row, WireBuffer& buffer) const {
    for (size_t i = 0; i < sources_.size(); ++i) {
      if (i > 0) buffer.Append("\t");
      if (sources_[i].IsNull(row))
        buffer.Append("\\N");
      else
        AppendTextField(chunk.Text(i, row), buffer);
    }
    buffer.Append("\n");
  }

 private:
  void AddColumn(const CopyPlan& plan, idx_t i, duckdb_vector vector) {
    const TargetColumn& target = plan.target()[i];
    duckdb_logical_type type = duckdb_vector_get_column_type(vector);
    const std::string name = duck::FormatType(type);
    const bool is_decimal = duckdb_get_type_id(type) == DUCKDB_TYPE_DECIMAL;
    const int width = is_decimal ? duckdb_decimal_width(type) : 0;
    sources_[i].scale = is_decimal ? duckdb_decimal_scale(type) : 0;
    sources_[i].column = target.name;
    duckdb_destroy_logical_type(&type);
    // A result of another SELECT than the plan's would be misread.
    const bool as_planned = plan.is_text() ? name == "VARCHAR" : BinaryExpression({"c", name}, target) == "\"c\"";
    if (!as_planned)
      throw Error(kInternal, "LEAT9908",
                  fmt::format("{} of type {} cannot be sent as {}", target.name, name, target.type));
    encoders_.push_back(plan.is_text() ? nullptr : is_decimal ? DecimalEncoder(width) : FindTarget(target)->encode);
  }

  std::vector<CellSource> sources_;
  std::vector<EncodeCell> encoders_;
};

std::string CopyStatement(const std::string& table, const CopyPlan& plan) {
  std::vector<std::string> names;
  for (const TargetColumn& column : plan.target()) names.push_back(column.name);
  return fmt::format("COPY {} ({}) FROM STDIN (FORMAT {})", table, QuoteList(names),
                     plan.is_text() ? "text" : "binary");
}

int64_t SendRows(CopyIn& copy, const CopyPlan& plan, duck::Result& rows) {
  WireBuffer buffer(kBufferBytes * 2);
  if (!plan.is_text()) buffer.Append(kHeader);
  std::optional<ChunkEncoder> encoder;
  while (const auto chunk = rows.Next()) {
    if (!encoder) encoder.emplace(plan, *chunk);
    encoder->Attach(*chunk);
    for (idx_t row = 0; row < chunk->size(); ++row) {
      if (plan.is_text())
        encoder->AppendText(*chunk, row, buffer);
      else
        encoder->AppendBinary(row, buffer);
      if (buffer.size() < kBufferBytes) continue;
      copy.Put(buffer);
      buffer.Clear();
    }
  }
  if (!plan.is_text()) StoreInt16(buffer.Extend(2), -1);
  if (buffer.size() > 0) copy.Put(buffer);
  return copy.Finish();
}

}  // namespace

std::vector<TargetColumn> DescribeTarget(Connection& connection, const std::string& schema, const std::string& table,
                                         const std::vector<std::string>& names) {
  const Rows rows = connection.Query(
      "WITH RECURSIVE base AS ("
      "  SELECT a.attnum, a.attname, a.atttypid AS type, format_type(a.atttypid, a.atttypmod) AS formatted"
      "  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
      "  WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped"
      "  UNION ALL SELECT attnum, attname, typbasetype, formatted FROM base JOIN pg_type t ON t.oid = type WHERE "
      "typtype = 'd')"
      "SELECT attname, type, typtype, formatted FROM base JOIN pg_type t ON t.oid = type WHERE typtype <> 'd'",
      {schema, table});
  std::map<std::string, TargetColumn> found;
  for (int row = 0; row < rows.size(); ++row)
    found[rows.Text(row, 0)] = {rows.Text(row, 0), static_cast<uint32_t>(rows.Int64(row, 1)), rows.At(row, 2)[0],
                                rows.Text(row, 3)};
  std::vector<TargetColumn> columns;
  for (const std::string& name : names) {
    const auto column = found.find(name);
    if (column == found.end())
      throw Error(kConfig, "LEAT0306",
                  fmt::format("table {}.{} of connection \"{}\" has no column \"{}\"", schema, table,
                              connection.options().name, name));
    columns.push_back(column->second);
  }
  return columns;
}

CopyPlan::CopyPlan(const std::vector<duck::Column>& source, std::vector<TargetColumn> target)
    : target_(std::move(target)) {
  if (source.size() != target_.size())
    throw Error(kInternal, "LEAT9908", fmt::format("{} columns to be sent into {}", source.size(), target_.size()));
  std::vector<std::string> binary;
  std::vector<std::string> text;
  for (size_t i = 0; i < source.size(); ++i) {
    if (auto expression = BinaryExpression(source[i], target_[i])) binary.push_back(std::move(*expression));
    text.push_back(TextExpression(source[i]));
  }
  is_text_ = binary.size() < source.size();
  select_list_ = Join(is_text_ ? text : binary, ", ");
}

int64_t CopyRows(Connection& connection, const std::string& table, const CopyPlan& plan, duck::Result& rows) {
  const NoTimeLimit no_time_limit(connection);
  try {
    CopyIn copy(connection, CopyStatement(table, plan));
    return SendRows(copy, plan, rows);
  } catch (ServerError& error) {
    if (error.sqlstate() == "42501") std::move(error).Hint(GrantStatement("INSERT", table, connection.user()));
    throw;
  }
}

}  // namespace leat::postgres
