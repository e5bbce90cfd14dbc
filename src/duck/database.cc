#include "duck/database.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <nlohmann/json.hpp>

#include "core/text.h"

namespace leat::duck {
namespace {

/// Cut DuckDB's text at the JSON that `errors_as_json` asks for; before it stands, for some errors, the type once more.
Fault ParseFault(const std::string& text) {
  Fault fault;
  fault.message = text;
  const size_t brace = text.find('{');
  if (brace == std::string::npos) return fault;
  const auto json = nlohmann::json::parse(text.substr(brace), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("exception_message")) return fault;
  fault.type = json.value("exception_type", "");
  fault.subtype = json.value("error_subtype", "");
  fault.message = json.value("exception_message", "");
  fault.name = json.value("name", "");
  if (const std::string list = json.value("candidates", ""); !list.empty())
    for (const std::string& candidate : Split(list, ',')) fault.candidates.emplace_back(Trim(candidate));
  const std::string position = json.value("position", "");
  if (!position.empty() && position.find_first_not_of("0123456789") == std::string::npos)
    fault.position = std::stoull(position);
  return fault;
}

class Config {
 public:
  Config() {
    if (duckdb_create_config(&config_) != DuckDBSuccess)
      throw Error(kInternal, "LEAT9902", "DuckDB gave no configuration");
  }
  ~Config() { duckdb_destroy_config(&config_); }
  void Set(const char* name, const std::string& value) {
    if (duckdb_set_config(config_, name, value.c_str()) != DuckDBSuccess)
      throw Error(kInternal, "LEAT9902", fmt::format("DuckDB refused the setting {} = {}", name, value));
  }
  duckdb_config handle() const { return config_; }

 private:
  duckdb_config config_ = nullptr;
};

/// A disk that is full or broken is nobody's bug; any other refusal of SQL that leat wrote is ours.
Diagnostic DiagnosticOf(const Fault& fault) {
  if (fault.type != "IO") return {.code = "LEAT9903", .message = fault.message};
  return {.code = "LEAT0502",
          .message = fault.message,
          .help = {"check that the disk is healthy and has free space, and that the file may be read"}};
}

}  // namespace

Database::Database(const Settings& settings) : cancel_(settings.cancel) {
  Config config;
  config.Set("autoinstall_known_extensions", "false");
  config.Set("autoload_known_extensions", "false");
  config.Set("preserve_insertion_order", "false");
  config.Set("errors_as_json", "true");
  config.Set("temp_directory", settings.temp_directory);
  if (settings.threads > 0) config.Set("threads", std::to_string(settings.threads));
  if (settings.memory_bytes > 0) config.Set("memory_limit", fmt::format("{}B", settings.memory_bytes));
  char* message = nullptr;
  if (duckdb_open_ext(nullptr, &database_, config.handle(), &message) != DuckDBSuccess) {
    const std::string reason = message != nullptr ? message : "no reason given";
    duckdb_free(message);
    throw Error(kInternal, "LEAT9902", fmt::format("DuckDB did not start: {}", reason));
  }
  // ICU's settings exist only after the start.
  Connection(*this).Execute("SET GLOBAL TimeZone = 'UTC'");
  if (cancel_ != nullptr) watcher_ = std::jthread([this](std::stop_token stop) { WatchCancel(std::move(stop)); });
}

Database::~Database() {
  if (watcher_.joinable()) {
    watcher_.request_stop();
    watcher_.join();
  }
  duckdb_close(&database_);
}

void Database::Lock(const std::vector<std::string>& folders, const std::vector<std::string>& files) {
  Connection connection(*this);
  std::string list;
  for (const std::string& folder : folders) list += (list.empty() ? "" : ", ") + QuoteLiteral(folder + "/");
  connection.Execute(fmt::format("SET allowed_directories = [{}]", list));
  list.clear();
  for (const std::string& file : files) list += (list.empty() ? "" : ", ") + QuoteLiteral(file);
  connection.Execute(fmt::format("SET allowed_paths = [{}]", list));
  connection.Execute("SET enable_external_access = false");
  connection.Execute("SET lock_configuration = true");
}

void Database::WatchCancel(std::stop_token stop) {
  using namespace std::chrono_literals;
  std::mutex sleep_mutex;
  std::condition_variable_any wake;
  while (!stop.stop_requested()) {
    std::unique_lock sleep_lock(sleep_mutex);
    wake.wait_for(sleep_lock, stop, 20ms, [] { return false; });
    if (!cancel_->is_set()) continue;
    const std::lock_guard lock(mutex_);
    for (Connection* connection : connections_) duckdb_interrupt(connection->handle());
  }
}

void Database::Add(Connection* connection) {
  const std::lock_guard lock(mutex_);
  connections_.push_back(connection);
}

void Database::Remove(Connection* connection) {
  const std::lock_guard lock(mutex_);
  std::erase(connections_, connection);
}

QueryError::QueryError(Fault fault) : Error(kInternal, DiagnosticOf(fault)), fault_(std::move(fault)) {}

bool Chunk::IsNull(idx_t column, idx_t row) const {
  uint64_t* validity = duckdb_vector_get_validity(vector(column));
  return validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
}

std::string_view Chunk::Text(idx_t column, idx_t row) const { return ViewOf(At<duckdb_string_t>(column, row)); }

std::string_view ViewOf(const duckdb_string_t& text) {
  auto* mutable_text = const_cast<duckdb_string_t*>(&text);
  return {duckdb_string_t_data(mutable_text), duckdb_string_t_length(text)};
}

Result::Result(duckdb_result result, const Connection* connection) : result_(result), connection_(connection) {}

std::string Result::ColumnName(idx_t column) const {
  return duckdb_column_name(const_cast<duckdb_result*>(&result_), column);
}

std::string Result::ColumnType(idx_t column) const {
  duckdb_logical_type type = duckdb_column_logical_type(const_cast<duckdb_result*>(&result_), column);
  std::string text = FormatType(type);
  duckdb_destroy_logical_type(&type);
  return text;
}

std::optional<Chunk> Result::Next() {
  duckdb_data_chunk chunk = duckdb_fetch_chunk(result_);
  if (chunk != nullptr) return Chunk(chunk);
  // No chunk may also mean that the query broke or was interrupted.
  const char* message = duckdb_result_error(&result_);
  if (message != nullptr && *message != '\0') connection_->ThrowFault(message);
  return std::nullopt;
}

/// A prepared statement with its parameters bound.
class Connection::Prepared {
 public:
  Prepared(const Connection& connection, const std::string& sql) {
    if (duckdb_prepare(connection.handle(), sql.c_str(), &statement_) != DuckDBSuccess) {
      const std::string message = duckdb_prepare_error(statement_);
      duckdb_destroy_prepare(&statement_);
      connection.ThrowFault(message.c_str());
    }
  }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  ~Prepared() { duckdb_destroy_prepare(&statement_); }

  void Bind(const std::vector<Parameter>& parameters) {
    for (const Parameter& parameter : parameters) {
      idx_t index = 0;
      if (duckdb_bind_parameter_index(statement_, &index, parameter.name.c_str()) != DuckDBSuccess)
        continue;  // not used here
      const duckdb_timestamp value{parameter.value.time_since_epoch().count()};
      if (parameter.type == Parameter::Type::kTimestampTz)
        duckdb_bind_timestamp_tz(statement_, index, value);
      else
        duckdb_bind_timestamp(statement_, index, value);
    }
  }
  void BindText(idx_t index, const std::string& text) {
    duckdb_bind_varchar_length(statement_, index, text.data(), text.size());
  }
  duckdb_prepared_statement handle() const { return statement_; }

 private:
  duckdb_prepared_statement statement_ = nullptr;
};

Connection::Connection(Database& database) : database_(database) {
  if (duckdb_connect(database.handle(), &connection_) != DuckDBSuccess)
    throw Error(kInternal, "LEAT9902", "DuckDB gave no connection");
  database_.Add(this);
}

Connection::~Connection() {
  syntax_tree_.reset();
  database_.Remove(this);
  duckdb_disconnect(&connection_);
}

void Connection::ThrowFault(const char* message) const {
  if (database_.cancel() != nullptr) database_.cancel()->Check();
  throw QueryError(ParseFault(message != nullptr ? message : "no reason given"));
}

void Connection::Execute(const std::string& sql) {
  if (database_.cancel() != nullptr) database_.cancel()->Check();
  duckdb_result result;
  const bool ok = duckdb_query(connection_, sql.c_str(), &result) == DuckDBSuccess;
  const std::string message = ok ? "" : duckdb_result_error(&result);
  duckdb_destroy_result(&result);
  if (!ok) ThrowFault(message.c_str());
}

std::unique_ptr<Result> Connection::Query(const std::string& sql, const std::vector<Parameter>& parameters) {
  if (database_.cancel() != nullptr) database_.cancel()->Check();
  Prepared prepared(*this, sql);
  prepared.Bind(parameters);
  return Run(prepared);
}

std::unique_ptr<Result> Connection::Run(const Prepared& prepared) {
  duckdb_result result;
  if (duckdb_execute_prepared(prepared.handle(), &result) != DuckDBSuccess) {
    const std::string message = duckdb_result_error(&result);
    duckdb_destroy_result(&result);
    ThrowFault(message.c_str());
  }
  return std::make_unique<Result>(result, this);
}

std::unique_ptr<Result> Connection::Stream(const std::string& sql, const std::vector<Parameter>& parameters) {
  if (database_.cancel() != nullptr) database_.cancel()->Check();
  Prepared prepared(*this, sql);
  prepared.Bind(parameters);
  duckdb_result result;
  if (duckdb_execute_prepared_streaming(prepared.handle(), &result) != DuckDBSuccess) {
    const std::string message = duckdb_result_error(&result);
    duckdb_destroy_result(&result);
    ThrowFault(message.c_str());
  }
  return std::make_unique<Result>(result, this);
}

std::vector<Column> Connection::Describe(const std::string& sql, const std::vector<Parameter>& parameters) {
  std::vector<Column> columns;
  Prepared prepared(*this, sql);
  const idx_t count = duckdb_prepared_statement_column_count(prepared.handle());
  bool known = true;
  for (idx_t i = 0; i < count; ++i) {
    const char* name = duckdb_prepared_statement_column_name(prepared.handle(), i);
    duckdb_logical_type type = duckdb_prepared_statement_column_logical_type(prepared.handle(), i);
    columns.push_back({name, FormatType(type)});
    known = known && duckdb_get_type_id(type) != DUCKDB_TYPE_INVALID;
    duckdb_free(const_cast<char*>(name));
    duckdb_destroy_logical_type(&type);
  }
  if (known && !columns.empty() && parameters.empty()) return columns;
  // A parameter without a type leaves columns unknown; the same statement with its parameters bound has them all.
  Prepared describe(*this, "DESCRIBE " + sql);
  const idx_t count_of_parameters = duckdb_nparams(describe.handle());
  for (idx_t i = 1; i <= count_of_parameters; ++i) duckdb_bind_timestamp(describe.handle(), i, duckdb_timestamp{0});
  describe.Bind(parameters);
  duckdb_result raw;
  if (duckdb_execute_prepared(describe.handle(), &raw) != DuckDBSuccess) {
    const std::string message = duckdb_result_error(&raw);
    duckdb_destroy_result(&raw);
    ThrowFault(message.c_str());
  }
  Result result(raw, this);
  columns.clear();
  while (const auto chunk = result.Next())
    for (idx_t row = 0; row < chunk->size(); ++row)
      columns.push_back({std::string(chunk->Text(0, row)), std::string(chunk->Text(1, row))});
  return columns;
}

int64_t Connection::QueryInt64(const std::string& sql) {
  const auto result = Query(fmt::format("SELECT CAST(({}) AS BIGINT)", sql));
  const auto chunk = result->Next();
  if (!chunk || chunk->size() != 1 || chunk->IsNull(0, 0))
    throw Error(kInternal, "LEAT9904", fmt::format("expected one number from: {}", sql));
  return chunk->At<int64_t>(0, 0);
}

std::string Connection::QueryText(const std::string& sql) {
  const std::vector<std::string> texts = QueryTexts(sql);
  if (texts.size() != 1) throw Error(kInternal, "LEAT9904", fmt::format("expected one row from: {}", sql));
  return texts[0];
}

std::vector<std::string> Connection::QueryTexts(const std::string& sql) {
  std::vector<std::string> texts;
  for (std::vector<std::string>& row : QueryRows(sql)) texts.push_back(std::move(row.front()));
  return texts;
}

std::vector<std::vector<std::string>> Connection::QueryRows(const std::string& sql) {
  std::vector<std::vector<std::string>> rows;
  const auto result = Query(fmt::format("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({})", sql));
  while (const auto chunk = result->Next()) {
    for (idx_t row = 0; row < chunk->size(); ++row) {
      std::vector<std::string>& texts = rows.emplace_back();
      for (idx_t column = 0; column < chunk->column_count(); ++column)
        texts.emplace_back(chunk->IsNull(column, row) ? std::string_view() : chunk->Text(column, row));
    }
  }
  return rows;
}

std::string Connection::SyntaxTreeOf(const std::string& sql) {
  if (database_.cancel() != nullptr) database_.cancel()->Check();
  if (syntax_tree_ == nullptr)
    syntax_tree_ = std::make_unique<Prepared>(*this, "SELECT CAST(json_serialize_sql(CAST($1 AS VARCHAR)) AS VARCHAR)");
  syntax_tree_->BindText(1, sql);
  const auto result = Run(*syntax_tree_);
  const auto chunk = result->Next();
  return std::string(chunk->Text(0, 0));
}

bool Connection::IsSingleSelect(const std::string& sql) {
  duckdb_extracted_statements statements = nullptr;
  const idx_t count = duckdb_extract_statements(connection_, sql.c_str(), &statements);
  duckdb_prepared_statement statement = nullptr;
  bool is_select = false;
  std::string message;
  if (count == 0) {
    message = duckdb_extract_statements_error(statements);
  } else if (count == 1) {
    if (duckdb_prepare_extracted_statement(connection_, statements, 0, &statement) != DuckDBSuccess)
      message = duckdb_prepare_error(statement);
    else
      is_select = duckdb_prepared_statement_type(statement) == DUCKDB_STATEMENT_TYPE_SELECT;
  }
  duckdb_destroy_prepare(&statement);
  duckdb_destroy_extracted(&statements);
  if (!message.empty()) ThrowFault(message.c_str());
  return is_select;
}

std::string FormatType(duckdb_logical_type type) {
  switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_BOOLEAN:
      return "BOOLEAN";
    case DUCKDB_TYPE_TINYINT:
      return "TINYINT";
    case DUCKDB_TYPE_SMALLINT:
      return "SMALLINT";
    case DUCKDB_TYPE_INTEGER:
      return "INTEGER";
    case DUCKDB_TYPE_BIGINT:
      return "BIGINT";
    case DUCKDB_TYPE_UTINYINT:
      return "UTINYINT";
    case DUCKDB_TYPE_USMALLINT:
      return "USMALLINT";
    case DUCKDB_TYPE_UINTEGER:
      return "UINTEGER";
    case DUCKDB_TYPE_UBIGINT:
      return "UBIGINT";
    case DUCKDB_TYPE_HUGEINT:
      return "HUGEINT";
    case DUCKDB_TYPE_UHUGEINT:
      return "UHUGEINT";
    case DUCKDB_TYPE_FLOAT:
      return "FLOAT";
    case DUCKDB_TYPE_DOUBLE:
      return "DOUBLE";
    case DUCKDB_TYPE_TIMESTAMP:
      return "TIMESTAMP";
    case DUCKDB_TYPE_TIMESTAMP_S:
      return "TIMESTAMP_S";
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return "TIMESTAMP_MS";
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return "TIMESTAMP_NS";
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return "TIMESTAMP WITH TIME ZONE";
    case DUCKDB_TYPE_DATE:
      return "DATE";
    case DUCKDB_TYPE_TIME:
      return "TIME";
    case DUCKDB_TYPE_TIME_TZ:
      return "TIME WITH TIME ZONE";
    case DUCKDB_TYPE_INTERVAL:
      return "INTERVAL";
    case DUCKDB_TYPE_VARCHAR:
      return "VARCHAR";
    case DUCKDB_TYPE_BLOB:
      return "BLOB";
    case DUCKDB_TYPE_UUID:
      return "UUID";
    case DUCKDB_TYPE_BIT:
      return "BIT";
    case DUCKDB_TYPE_ENUM:
      return "ENUM";
    case DUCKDB_TYPE_UNION:
      return "UNION";
    case DUCKDB_TYPE_SQLNULL:
      return "NULL";
    case DUCKDB_TYPE_DECIMAL:
      return fmt::format("DECIMAL({},{})", duckdb_decimal_width(type), duckdb_decimal_scale(type));
    case DUCKDB_TYPE_LIST: {
      duckdb_logical_type child = duckdb_list_type_child_type(type);
      std::string text = FormatType(child) + "[]";
      duckdb_destroy_logical_type(&child);
      return text;
    }
    case DUCKDB_TYPE_ARRAY: {
      duckdb_logical_type child = duckdb_array_type_child_type(type);
      std::string text = fmt::format("{}[{}]", FormatType(child), duckdb_array_type_array_size(type));
      duckdb_destroy_logical_type(&child);
      return text;
    }
    case DUCKDB_TYPE_MAP: {
      duckdb_logical_type key = duckdb_map_type_key_type(type);
      duckdb_logical_type value = duckdb_map_type_value_type(type);
      std::string text = fmt::format("MAP({}, {})", FormatType(key), FormatType(value));
      duckdb_destroy_logical_type(&key);
      duckdb_destroy_logical_type(&value);
      return text;
    }
    case DUCKDB_TYPE_STRUCT: {
      std::string fields;
      for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
        char* name = duckdb_struct_type_child_name(type, i);
        duckdb_logical_type child = duckdb_struct_type_child_type(type, i);
        fields += fmt::format("{}{} {}", i == 0 ? "" : ", ", QuoteIdentifier(name), FormatType(child));
        duckdb_free(name);
        duckdb_destroy_logical_type(&child);
      }
      return fmt::format("STRUCT({})", fields);
    }
    default:
      return "UNKNOWN";
  }
}

}  // namespace leat::duck
