#include "clients/postgres/scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "clients/postgres/copy_reader.h"
#include "core/text.h"

namespace leat::postgres {

/// What all uses of one Scan share.
struct Scan::State {
  State(SnapshotPool& borrowed_from, ScanTable read_table) : pool(borrowed_from), table(std::move(read_table)) {}

  /// Keep the first error and make the other workers stop.
  void Fail(std::exception_ptr error) noexcept {
    const std::lock_guard lock(mutex);
    if (failure == nullptr) failure = std::move(error);
    stop.store(true, std::memory_order_relaxed);
  }

  SnapshotPool& pool;
  const ScanTable table;
  std::atomic<int64_t> rows{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::exception_ptr failure;
};

namespace {

constexpr const char* kFunctionName = "leat_postgres_scan";
constexpr int kTidRangeVersion = 140000;
constexpr int64_t kRangeBlocks = 8192;  // 64 MiB
constexpr int64_t kRangesWanted = 64;   // so that threads finish together
constexpr int64_t kRangeBlocksMin = 128;
constexpr int64_t kSplitFrom = 1024;  // below 8 MiB one range is quick enough

template <typename Table>
std::string QualifiedName(const Table& table) {
  return QuoteIdentifier(table.schema) + "." + QuoteIdentifier(table.table);
}

/// What one COPY reads.
struct Portion {
  const ScanLeaf* leaf = nullptr;   ///< null: the table itself
  std::optional<BlockRange> range;  ///< nothing: all of it
};

void AddPortions(const ScanLeaf* leaf, int64_t blocks, int server_version, std::vector<Portion>& portions) {
  const std::vector<BlockRange> ranges = SplitBlocks(blocks, server_version);
  if (ranges.size() == 1) {
    portions.push_back({.leaf = leaf, .range = {}});
    return;
  }
  for (const BlockRange& range : ranges) portions.push_back({.leaf = leaf, .range = range});
}

std::vector<Portion> PortionsOf(const ScanTable& table, int server_version) {
  std::vector<Portion> portions;
  if (table.leaves.empty()) AddPortions(nullptr, table.blocks, server_version, portions);
  for (const ScanLeaf& leaf : table.leaves) AddPortions(&leaf, leaf.blocks, server_version, portions);
  return portions;
}

/// The Scans that live, by the id their SQL names. DuckDB hands a table function plain values only.
class Registry {
 public:
  int64_t Add(const std::shared_ptr<Scan::State>& state) {
    const std::lock_guard lock(mutex_);
    states_[++last_id_] = state;
    return last_id_;
  }
  void Remove(int64_t id) {
    const std::lock_guard lock(mutex_);
    states_.erase(id);
  }
  std::shared_ptr<Scan::State> Find(int64_t id) {
    const std::lock_guard lock(mutex_);
    const auto found = states_.find(id);
    if (found == states_.end())
      throw Error(kInternal, "LEAT9907", fmt::format("{}({}) names no read", kFunctionName, id));
    return found->second;
  }

 private:
  std::mutex mutex_;
  int64_t last_id_ = 0;
  std::unordered_map<int64_t, std::shared_ptr<Scan::State>> states_;
};

Registry& Scans() {
  static Registry registry;
  return registry;
}

/// One use of a Scan in one statement: what is left to read.
struct Task {
  std::shared_ptr<Scan::State> state;
  std::vector<size_t> columns;  ///< that the statement needs
  std::vector<Portion> portions;
  std::atomic<size_t> next_portion{0};
};

/// One of DuckDB's threads at work on a Task. A chunk may span portions.
class Worker {
 public:
  explicit Worker(Task& task) : task_(task), builder_(Columns(task)) {}

  /// Fill `output`; empty at the end.
  void Fill(duckdb_data_chunk output) {
    builder_.Attach(output);
    while (!builder_.is_full() && (reader_ || NextPortion())) {
      if (!reader_->Fill(builder_)) Leave();
    }
    duckdb_data_chunk_set_size(output, builder_.rows());
    task_.state->rows.fetch_add(static_cast<int64_t>(builder_.rows()), std::memory_order_relaxed);
  }

 private:
  static std::vector<CopyColumn> Columns(const Task& task) {
    const ScanTable& table = task.state->table;
    std::vector<CopyColumn> columns;
    for (const size_t i : task.columns)
      columns.push_back(
          {.table = table.schema + "." + table.table, .name = table.columns[i].name, .type = table.columns[i].type});
    return columns;
  }

  bool NextPortion() {
    const size_t index = task_.next_portion.fetch_add(1, std::memory_order_relaxed);
    // A read that failed must not look like one that ended.
    if (task_.state->stop.load(std::memory_order_relaxed)) throw Cancelled{};
    if (index >= task_.portions.size()) return false;
    lease_.emplace(task_.state->pool.Borrow());
    lease_->LiftTimeLimit();
    const Portion& portion = task_.portions[index];
    reader_.emplace(
        **lease_,
        CopyStatement(task_.state->table, task_.columns, portion.range ? &*portion.range : nullptr, portion.leaf),
        task_.state->stop);
    return true;
  }

  void Leave() {
    reader_.reset();
    lease_.reset();
  }

  Task& task_;
  ChunkBuilder builder_;
  std::optional<SnapshotPool::Lease> lease_;
  std::optional<CopyReader> reader_;  // after the lease: it ends first
};

/// Add the statement that gives a missing right.
std::exception_ptr WithHelp(const std::exception_ptr& exception, const Scan::State& state) {
  try {
    std::rethrow_exception(exception);
  } catch (const ServerError& error) {
    if (error.sqlstate() != "42501") return exception;
    ServerError helped = error;
    if (error.message().find("for schema ") != std::string::npos) {
      std::move(helped).Hint(fmt::format("run as its owner:  GRANT USAGE ON SCHEMA {} TO {}",
                                         QuoteIdentifier(state.table.schema), QuoteIdentifier(state.pool.user())));
      return std::make_exception_ptr(helped);
    }
    const bool by_policy = error.message().find("row-level security") != std::string::npos;
    std::move(helped).Hint(by_policy ? fmt::format("let the role read past the policies:  ALTER ROLE {} BYPASSRLS",
                                                   QuoteIdentifier(state.pool.user()))
                                     : GrantStatement("SELECT", QualifiedName(state.table), state.pool.user()));
    return std::make_exception_ptr(helped);
  } catch (...) {
    return exception;
  }
}

/// What DuckDB shows; the whole error waits in the Scan.
std::string TextOf(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (const Cancelled&) {
    return "cancelled";
  } catch (...) {
    return "unknown exception";
  }
}

template <typename T>
void Destroy(void* data) {
  delete static_cast<T*>(data);
}

void AddColumns(duckdb_bind_info info, const ScanTable& table) {
  for (const ScanTable::Column& column : table.columns) {
    duckdb_logical_type type = column.type.LogicalType();
    duckdb_bind_add_result_column(info, (column.alias.empty() ? column.name : column.alias).c_str(), type);
    duckdb_destroy_logical_type(&type);
  }
}

// Nothing may be thrown through DuckDB, so each callback ends in a catch-all.

void Bind(duckdb_bind_info info) {
  try {
    duckdb_value parameter = duckdb_bind_get_parameter(info, 0);
    const int64_t id = duckdb_get_int64(parameter);
    duckdb_destroy_value(&parameter);
    auto state = std::make_unique<std::shared_ptr<Scan::State>>(Scans().Find(id));
    const ScanTable& table = (*state)->table;
    AddColumns(info, table);
    if (table.rows_estimate > 0)
      duckdb_bind_set_cardinality(info, static_cast<idx_t>(table.rows_estimate), /*is_exact=*/false);
    duckdb_bind_set_bind_data(info, state.release(), &Destroy<std::shared_ptr<Scan::State>>);
  } catch (...) {
    duckdb_bind_set_error(info, TextOf(std::current_exception()).c_str());
  }
}

void Init(duckdb_init_info info) {
  try {
    auto task = std::make_unique<Task>();
    task->state = *static_cast<std::shared_ptr<Scan::State>*>(duckdb_init_get_bind_data(info));
    const idx_t columns = duckdb_init_get_column_count(info);
    for (idx_t i = 0; i < columns; ++i) {
      // A count of rows asks for a column that is none: any real one will do.
      const idx_t column = duckdb_init_get_column_index(info, i);
      task->columns.push_back(column < task->state->table.columns.size() ? column : 0);
    }
    const ScanTable& table = task->state->table;
    task->portions = PortionsOf(table, task->state->pool.server_version());
    const auto workers = std::min(task->portions.size(), static_cast<size_t>(std::max(table.connections_max, 1)));
    duckdb_init_set_max_threads(info, workers);
    duckdb_init_set_init_data(info, task.release(), &Destroy<Task>);
  } catch (...) {
    duckdb_init_set_error(info, TextOf(std::current_exception()).c_str());
  }
}

void Produce(duckdb_function_info info, duckdb_data_chunk output) {
  auto& task = *static_cast<Task*>(duckdb_function_get_init_data(info));
  auto* worker = static_cast<std::unique_ptr<Worker>*>(duckdb_function_get_local_init_data(info));
  try {
    if (*worker == nullptr) *worker = std::make_unique<Worker>(task);
    (*worker)->Fill(output);
  } catch (...) {
    const std::exception_ptr error = WithHelp(std::current_exception(), *task.state);
    task.state->Fail(error);
    // The connection goes back now and not with DuckDB's state, which a held result keeps.
    worker->reset();
    duckdb_function_set_error(info, TextOf(error).c_str());
  }
}

void InitLocal(duckdb_init_info info) {
  duckdb_init_set_init_data(info, new std::unique_ptr<Worker>(), &Destroy<std::unique_ptr<Worker>>);
}

}  // namespace

std::vector<BlockRange> SplitBlocks(int64_t blocks, int server_version) {
  if (server_version < kTidRangeVersion || blocks < kSplitFrom) return {{0, blocks, true}};
  const int64_t size = std::clamp(blocks / kRangesWanted, kRangeBlocksMin, kRangeBlocks);
  std::vector<BlockRange> ranges;
  for (int64_t first = 0; first < blocks; first += size)
    ranges.push_back({first, std::min(first + size, blocks), false});
  ranges.back().open_ended = true;
  return ranges;
}

std::string CopyStatement(const ScanTable& table, const std::vector<size_t>& columns, const BlockRange* range,
                          const ScanLeaf* leaf) {
  std::vector<std::string> expressions;
  for (const size_t i : columns) expressions.push_back(table.columns[i].type.SelectExpression(table.columns[i].name));
  std::vector<std::string> conditions;
  if (range != nullptr) {
    conditions.push_back(fmt::format("ctid >= '({},0)'", range->first));
    if (!range->open_ended) conditions.push_back(fmt::format("ctid < '({},0)'", range->end));
  }
  if (!table.where.empty()) conditions.push_back(fmt::format("({})", table.where));
  return fmt::format("COPY (SELECT {} FROM {}{}{}{}) TO STDOUT (FORMAT binary)", Join(expressions, ", "),
                     table.only || leaf != nullptr ? "ONLY " : "",
                     leaf != nullptr ? QualifiedName(*leaf) : QualifiedName(table), conditions.empty() ? "" : " WHERE ",
                     Join(conditions, " AND "));
}

void RegisterScan(duck::Connection& connection) {
  duckdb_table_function function = duckdb_create_table_function();
  duckdb_logical_type id_type = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
  duckdb_table_function_set_name(function, kFunctionName);
  duckdb_table_function_add_parameter(function, id_type);
  duckdb_table_function_set_bind(function, &Bind);
  duckdb_table_function_set_init(function, &Init);
  duckdb_table_function_set_local_init(function, &InitLocal);
  duckdb_table_function_set_function(function, &Produce);
  duckdb_table_function_supports_projection_pushdown(function, true);
  const duckdb_state state = duckdb_register_table_function(connection.handle(), function);
  duckdb_destroy_logical_type(&id_type);
  duckdb_destroy_table_function(&function);
  if (state != DuckDBSuccess)
    throw Error(kInternal, "LEAT9907", fmt::format("DuckDB refused the table function {}", kFunctionName));
}

Scan::Scan(SnapshotPool& pool, ScanTable table) : state_(std::make_shared<State>(pool, std::move(table))) {
  id_ = Scans().Add(state_);
}

Scan::~Scan() { Scans().Remove(id_); }

std::string Scan::sql() const { return fmt::format("{}({})", kFunctionName, id_); }

int64_t Scan::rows() const { return state_->rows.load(std::memory_order_relaxed); }

void Scan::ThrowIfFailed() const {
  const std::lock_guard lock(state_->mutex);
  if (state_->failure != nullptr) std::rethrow_exception(state_->failure);
}

}  // namespace leat::postgres
