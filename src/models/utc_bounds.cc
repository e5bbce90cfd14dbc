#include "models/utc_bounds.h"

#include <algorithm>
#include <array>

#include "core/text.h"
#include "models/sql_tokens.h"

namespace leat::models {
namespace {

// Of the same length as the names they stand for.
constexpr std::string_view kUtcStart = "moment_start";
constexpr std::string_view kUtcEnd = "moment_end";

constexpr std::array<std::string_view, 8> kComparisons = {"<", "<=", ">", ">=", "=", "==", "<>", "!="};
// What may stand on the other side of the parameter: nothing that takes it before the comparison does.
constexpr std::array<std::string_view, 11> kBefore = {"WHERE", "AND",  "OR",   "ON",   "NOT",    "HAVING",
                                                      "WHEN",  "THEN", "ELSE", "CASE", "QUALIFY"};
constexpr std::array<std::string_view, 14> kAfter = {"AND",  "OR",    "GROUP", "ORDER", "HAVING",    "LIMIT", "QUALIFY",
                                                     "THEN", "UNION", "WHEN",  "ELSE",  "INTERSECT", "END",   "WHERE"};

class Statement {
 public:
  explicit Statement(const std::string& sql) : sql_(sql), tokens_(Tokens(sql)) {}

  std::string WithUtcBounds() const {
    std::string text = sql_;
    for (size_t i = 0; i < tokens_.size(); ++i) {
      const std::string_view name = UtcNameOf(tokens_[i]);
      if (!name.empty() && IsCompared(i)) text.replace(tokens_[i].begin + 1, name.size(), name);
    }
    return text;
  }

 private:
  std::string_view UtcNameOf(const Token& token) const {
    if (token.kind != Token::Kind::kParameter) return {};
    const std::string name = ToLower(token.In(sql_).substr(1));
    return name == "period_start" ? kUtcStart : name == "period_end" ? kUtcEnd : std::string_view();
  }

  bool IsCompared(size_t i) const {
    return (IsComparison(SignBefore(i)) && Ends(i + 1)) || (IsComparison(SignAfter(i)) && Begins(i));
  }

  static bool IsComparison(std::string_view sign) {
    return std::ranges::find(kComparisons, sign) != kComparisons.end();
  }

  /// The symbols right before a token, taken together: `>=`, `->`, `:=`.
  std::string_view SignBefore(size_t i) const {
    size_t first = i;
    while (first > 0 && IsOfSign(first - 1) && (first == i || tokens_[first - 1].end == tokens_[first].begin)) --first;
    return first == i ? std::string_view() : Between(first, i - 1);
  }

  std::string_view SignAfter(size_t i) const {
    size_t last = i;
    while (last + 1 < tokens_.size() && IsOfSign(last + 1) &&
           (last == i || tokens_[last].end == tokens_[last + 1].begin))
      ++last;
    return last == i ? std::string_view() : Between(i + 1, last);
  }

  std::string_view Between(size_t first, size_t last) const {
    return std::string_view(sql_).substr(tokens_[first].begin, tokens_[last].end - tokens_[first].begin);
  }

  /// A bracket or a comma is a sign of its own, and no part of an operator.
  bool IsOfSign(size_t i) const {
    return tokens_[i].kind == Token::Kind::kSymbol &&
           tokens_[i].In(sql_).find_first_of("()[]{},;") == std::string_view::npos;
  }

  bool Ends(size_t i) const {
    if (i == tokens_.size()) return true;
    return tokens_[i].IsSymbol(sql_, ')') || tokens_[i].IsSymbol(sql_, ',') || tokens_[i].IsSymbol(sql_, ';') ||
           IsOneOf(tokens_[i], kAfter);
  }

  bool Begins(size_t i) const {
    return i > 0 && (tokens_[i - 1].IsSymbol(sql_, '(') || IsOneOf(tokens_[i - 1], kBefore));
  }

  template <size_t N>
  bool IsOneOf(const Token& token, const std::array<std::string_view, N>& words) const {
    return std::ranges::any_of(words, [&](std::string_view word) { return token.Is(sql_, word); });
  }

  const std::string& sql_;
  const std::vector<Token> tokens_;
};

}  // namespace

std::string WithUtcBounds(const std::string& sql) { return Statement(sql).WithUtcBounds(); }

std::vector<duck::Parameter> UtcBoundsOf(const Period& period) {
  return {{std::string(kUtcStart), period.start}, {std::string(kUtcEnd), period.end}};
}

}  // namespace leat::models
