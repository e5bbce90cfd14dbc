#include "clients/postgres/copy_reader.h"

#include <fmt/format.h>

#include <cstring>
#include <string_view>
#include <utility>

#include "clients/postgres/wire.h"

namespace leat::postgres {
namespace {

constexpr int32_t kNullSize = -1;
constexpr int16_t kTrailer = -1;

[[noreturn, gnu::cold]] void ThrowMalformed(std::string_view what) {
  throw Error(kInternal, "LEAT9906", fmt::format("the server's COPY data is not as documented: {}", what));
}

}  // namespace

ChunkBuilder::ChunkBuilder(std::vector<CopyColumn> columns) : columns_(std::move(columns)) {
  for (const CopyColumn& column : columns_)
    cells_.push_back({.decode = column.type.decode,
                      .target = {.type = &column.type, .table = column.table, .column = column.name},
                      .validity = nullptr});
}

void ChunkBuilder::Attach(duckdb_data_chunk chunk) {
  for (size_t i = 0; i < cells_.size(); ++i) {
    CellTarget& target = cells_[i].target;
    target.vector = duckdb_data_chunk_get_vector(chunk, i);
    target.data = static_cast<uint8_t*>(duckdb_vector_get_data(target.vector));
    cells_[i].validity = nullptr;
  }
  rows_ = 0;
  bytes_ = 0;
}

void ChunkBuilder::SetNull(size_t column) {
  Column& cell = cells_[column];
  if (cell.validity == nullptr) {
    duckdb_vector_ensure_validity_writable(cell.target.vector);
    cell.validity = duckdb_vector_get_validity(cell.target.vector);
  }
  cell.validity[rows_ / 64] &= ~(uint64_t{1} << (rows_ % 64));
  if (cell.target.type->id == DUCKDB_TYPE_LIST)
    reinterpret_cast<duckdb_list_entry*>(cell.target.data)[rows_] = {.offset = 0, .length = 0};
}

const uint8_t* ChunkBuilder::Append(const uint8_t* at, const uint8_t* end) {
  if (end - at < 2) ThrowMalformed("a tuple without its field count");
  const int16_t fields = LoadInt16(at);
  if (fields == kTrailer) return nullptr;
  if (static_cast<size_t>(fields) != cells_.size())
    ThrowMalformed(fmt::format("{} fields in a tuple, expected {}", fields, cells_.size()));
  const uint8_t* const begin = at;
  at += 2;
  const size_t count = cells_.size();
  for (size_t i = 0; i < count; ++i) {
    if (end - at < 4) ThrowMalformed("a tuple that is cut");
    const int32_t size = LoadInt32(at);
    at += 4;
    if (size == kNullSize) {
      SetNull(i);
      continue;
    }
    if (size < 0 || size > end - at) ThrowMalformed("a field longer than its message");
    const Column& cell = cells_[i];
    cell.decode(cell.target, rows_, at, size);
    at += size;
  }
  ++rows_;
  bytes_ += static_cast<size_t>(at - begin);
  return at;
}

const uint8_t* SkipCopyHeader(const uint8_t* at, const uint8_t* end) {
  using namespace std::literals;
  constexpr std::string_view kSignature = "PGCOPY\n\377\r\n\0"sv;
  constexpr size_t kFixedBytes = 11 + 4 + 4;
  if (static_cast<size_t>(end - at) < kFixedBytes || std::memcmp(at, kSignature.data(), kSignature.size()) != 0)
    ThrowMalformed("no signature at its start");
  const int32_t flags = LoadInt32(at + 11);
  const int32_t extension = LoadInt32(at + 15);
  if (flags != 0 || extension < 0 || extension > end - at - static_cast<ptrdiff_t>(kFixedBytes))
    ThrowMalformed("unknown flags in its header");
  return at + kFixedBytes + extension;
}

CopyReader::CopyReader(Connection& connection, const std::string& copy_sql, const std::atomic<bool>& stop)
    : connection_(connection), stop_(stop) {
  connection_.Send(copy_sql);
}

bool CopyReader::Fill(ChunkBuilder& builder) {
  if (connection_.cancel() != nullptr) connection_.cancel()->Check();
  while (!builder.is_full()) {
    if (at_ == end_ && !NextMessage()) return false;
    at_ = builder.Append(at_, end_);
    if (at_ == nullptr) at_ = end_ = nullptr;
  }
  return true;
}

void CopyReader::Begin() {
  // The server answers when it has every lock, which may be long.
  while (PQisBusy(connection_.handle()) != 0) Receive();
  const Rows answer(PQgetResult(connection_.handle()));
  if (PQresultStatus(answer.handle()) == PGRES_COPY_OUT) return;
  Finish();
  connection_.ThrowRefused(answer.handle());
}

bool CopyReader::NextMessage() {
  if (!std::exchange(begun_, true)) Begin();
  while (true) {
    char* message = nullptr;
    const int size = PQgetCopyData(connection_.handle(), &message, /*async=*/1);
    if (size > 0) [[likely]] {
      message_.reset(message);
      at_ = reinterpret_cast<const uint8_t*>(message);
      end_ = at_ + size;
      if (header_seen_) return true;
      header_seen_ = true;
      at_ = SkipCopyHeader(at_, end_);
      if (at_ != end_) return true;
    } else if (size == 0) {
      Receive();
    } else {
      Finish();
      return false;
    }
  }
}

void CopyReader::Receive() {
  while (!connection_.PollReadable())
    if (stop_.load(std::memory_order_relaxed)) {
      connection_.RequestCancel();
      throw Cancelled{};
    }
  if (PQconsumeInput(connection_.handle()) == 0) connection_.ThrowLost();
}

void CopyReader::Finish() {
  message_.reset();
  Rows fault(nullptr);
  bool failed = false;
  while (PGresult* result = connection_.NextResult()) {
    const bool is_error = PQresultStatus(result) == PGRES_FATAL_ERROR;
    Rows holder(result);
    if (is_error && !failed) fault = std::move(holder);
    failed = failed || is_error;
  }
  if (failed) connection_.ThrowRefused(fault.handle());
}

}  // namespace leat::postgres
