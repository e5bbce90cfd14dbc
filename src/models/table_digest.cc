#include "models/table_digest.h"

#include <algorithm>

#include "core/text.h"
#include "duck/row_hash.h"

namespace leat::models {
namespace {

/// Add decimal numbers digit by digit; the sums have more bits than any integer of C++.
std::string AddDecimals(const std::string& a, const std::string& b) {
  std::string sum;
  int carry = 0;
  for (size_t i = 0; i < std::max(a.size(), b.size()) || carry != 0; ++i) {
    int digit = carry;
    if (i < a.size()) digit += a[a.size() - 1 - i] - '0';
    if (i < b.size()) digit += b[b.size() - 1 - i] - '0';
    sum += static_cast<char>('0' + digit % 10);
    carry = digit / 10;
  }
  std::reverse(sum.begin(), sum.end());
  return sum;
}

/// Subtract the lesser decimal number from the greater digit by digit.
std::string SubtractDecimals(const std::string& a, const std::string& b) {
  std::string difference = a;
  int borrowed = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    char& place = difference[a.size() - 1 - i];
    const int digit = place - '0' - borrowed - (i < b.size() ? b[b.size() - 1 - i] - '0' : 0);
    borrowed = digit < 0 ? 1 : 0;
    place = static_cast<char>('0' + digit + 10 * borrowed);
  }
  return difference.erase(0, std::min(difference.find_first_not_of('0'), difference.size() - 1));
}

}  // namespace

TableDigest DigestOf(duck::Connection& connection, const lake::Schema& schema, const std::string& from) {
  std::vector<duck::HashedColumn> columns;
  for (const lake::Field& field : schema.fields) columns.emplace_back(field.id, QuoteIdentifier(field.name));
  const auto result = connection.Query(duck::TableHashSql(columns, from));
  const auto chunk = result->Next();
  return {chunk->At<int64_t>(0, 0), std::string(chunk->Text(1, 0)), std::string(chunk->Text(2, 0))};
}

TableDigest operator+(const TableDigest& a, const TableDigest& b) {
  return {a.rows + b.rows, AddDecimals(a.low, b.low), AddDecimals(a.high, b.high)};
}

TableDigest operator-(const TableDigest& a, const TableDigest& b) {
  return {a.rows - b.rows, SubtractDecimals(a.low, b.low), SubtractDecimals(a.high, b.high)};
}

std::optional<TableDigest> DigestIn(const std::map<std::string, std::string>& summary) {
  const auto rows = summary.find("leat.rows");
  const auto hash = summary.find("leat.hash");
  if (rows == summary.end() || hash == summary.end()) return std::nullopt;
  const size_t colon = hash->second.find(':');
  if (colon == std::string::npos) return std::nullopt;
  return TableDigest{std::stoll(rows->second), hash->second.substr(0, colon), hash->second.substr(colon + 1)};
}

}  // namespace leat::models
