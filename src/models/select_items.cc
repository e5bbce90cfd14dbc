#include "models/select_items.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/text.h"
#include "models/sql_tokens.h"

namespace leat::models {
namespace {

using TokenSpan = std::span<const Token>;

// What can follow a select list; all of them are reserved.
constexpr std::array<std::string_view, 14> kBehindSelectList = {"FROM",    "WHERE",     "GROUP",  "HAVING", "WINDOW",
                                                                "QUALIFY", "ORDER",     "OFFSET", "LIMIT",  "FETCH",
                                                                "UNION",   "INTERSECT", "EXCEPT", "USING"};

bool EndsSelectList(std::string_view sql, const Token& token) {
  return token.IsSymbol(sql, ';') || std::any_of(kBehindSelectList.begin(), kBehindSelectList.end(),
                                                 [&](std::string_view word) { return token.Is(sql, word); });
}

/// The tokens between the outermost SELECT and what follows its list; nothing if there is not exactly one.
std::optional<TokenSpan> SelectList(std::string_view sql, const std::vector<Token>& tokens) {
  std::optional<size_t> begin, end;
  int depth = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    depth += BracketStep(sql, tokens[i]);
    if (depth > 0) continue;
    if (tokens[i].Is(sql, "SELECT")) {
      if (begin) return std::nullopt;
      begin = i + 1;
    } else if (begin && !end && EndsSelectList(sql, tokens[i])) {
      end = i;
    }
  }
  if (!begin) return std::nullopt;
  return TokenSpan(tokens).subspan(*begin, end.value_or(tokens.size()) - *begin);
}

/// `DISTINCT`, `DISTINCT ON (…)`, `ALL`.
TokenSpan WithoutDistinct(std::string_view sql, TokenSpan list) {
  if (list.empty()) return list;
  if (list[0].Is(sql, "ALL")) return list.subspan(1);
  if (!list[0].Is(sql, "DISTINCT")) return list;
  list = list.subspan(1);
  if (list.size() < 2 || !list[0].Is(sql, "ON") || !list[1].IsSymbol(sql, '(')) return list;
  size_t closing = 1;
  for (int depth = 1; depth > 0 && closing + 1 < list.size();) depth += BracketStep(sql, list[++closing]);
  return list.subspan(closing + 1);
}

/// `expression AS name`, `expression name`, `name: expression`.
TokenSpan WithoutAlias(std::string_view sql, TokenSpan item, const std::string& alias) {
  if (alias.empty() || item.size() < 2) return item;
  if (item[1].IsSymbol(sql, ':') && item.size() > 2 && !item[2].IsSymbol(sql, ':')) return item.subspan(2);
  item = item.first(item.size() - 1);
  return item.back().Is(sql, "AS") ? item.first(item.size() - 1) : item;
}

std::string TextOfTokens(std::string_view sql, TokenSpan tokens) {
  std::string text;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0 && tokens[i].begin > tokens[i - 1].end) text += ' ';
    text += tokens[i].In(sql);
  }
  return text;
}

}  // namespace

std::vector<SelectItem> SelectItemsOf(std::string_view sql, const Json& select) {
  if (!select.contains("select_list")) return {};
  const std::vector<Token> tokens = Tokens(sql);
  const std::optional<TokenSpan> list = SelectList(sql, tokens);
  if (!list) return {};
  std::vector<TokenSpan> spans = SplitAtCommas(sql, WithoutDistinct(sql, *list));
  if (!spans.empty() && spans.back().empty()) spans.pop_back();  // a comma at the end is allowed
  const Json& nodes = select["select_list"];
  if (spans.size() != nodes.size()) return {};
  std::vector<SelectItem> items;
  for (size_t i = 0; i < spans.size(); ++i) {
    const TokenSpan written = WithoutAlias(sql, spans[i], TextOf(nodes[i], "alias"));
    if (written.empty()) return {};
    items.push_back({.text = TextOfTokens(sql, written),
                     .begin = written.front().begin,
                     .length = written.back().end - written.front().begin});
  }
  return items;
}

}  // namespace leat::models
