#include "models/sql_tokens.h"

#include <algorithm>
#include <utility>

#include "core/text.h"

namespace leat::models {
namespace {

// Bytes of UTF-8 beyond ASCII belong to words, as in PostgreSQL.
bool IsWordStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordPart(char c) { return IsWordStart(c) || IsDigit(c); }
bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

class Scanner {
 public:
  explicit Scanner(std::string_view sql) : sql_(sql) {}

  std::vector<Token> Run() {
    while (SkipBlanks()) tokens_.push_back(Next());
    return std::move(tokens_);
  }

 private:
  char At(size_t offset) const { return offset < sql_.size() ? sql_[offset] : '\0'; }

  bool SkipBlanks() {
    while (position_ < sql_.size()) {
      if (IsBlank(At(position_))) {
        ++position_;
      } else if (At(position_) == '-' && At(position_ + 1) == '-') {
        position_ = std::min(sql_.find('\n', position_), sql_.size());
      } else if (At(position_) == '/' && At(position_ + 1) == '*') {
        SkipComment();
      } else {
        return true;
      }
    }
    return false;
  }

  void SkipComment() {
    int depth = 0;
    do {
      if (At(position_) == '/' && At(position_ + 1) == '*') {
        ++depth;
        position_ += 2;
      } else if (At(position_) == '*' && At(position_ + 1) == '/') {
        --depth;
        position_ += 2;
      } else {
        ++position_;
      }
    } while (depth > 0 && position_ < sql_.size());
    position_ = std::min(position_, sql_.size());
  }

  Token Next() {
    Token token{.begin = position_};
    const char c = At(position_);
    if (c == '\'') {
      token.kind = Token::Kind::kString;
      SkipQuoted('\'', /*escapes=*/false);
    } else if ((c == 'e' || c == 'E') && At(position_ + 1) == '\'') {
      token.kind = Token::Kind::kString;
      ++position_;
      SkipQuoted('\'', /*escapes=*/true);
    } else if (c == '"') {
      token.kind = Token::Kind::kQuotedName;
      SkipQuoted('"', /*escapes=*/false);
    } else if (c == '$') {
      token.kind = SkipDollar();
    } else if (IsWordStart(c)) {
      token.kind = Token::Kind::kWord;
      while (IsWordPart(At(position_))) ++position_;
    } else if (IsDigit(c)) {
      token.kind = Token::Kind::kNumber;
      while (IsWordPart(At(position_)) || At(position_) == '.') ++position_;
    } else {
      ++position_;
    }
    token.end = position_;
    return token;
  }

  void SkipQuoted(char mark, bool escapes) {
    for (++position_; position_ < sql_.size(); ++position_) {
      if (escapes && At(position_) == '\\') {
        ++position_;
      } else if (At(position_) == mark) {
        if (At(position_ + 1) != mark) break;
        ++position_;
      }
    }
    position_ = std::min(position_ + 1, sql_.size());
  }

  Token::Kind SkipDollar() {
    size_t end = position_ + 1;
    while (IsWordPart(At(end))) ++end;
    if (At(end) != '$') {
      position_ = end;
      return Token::Kind::kParameter;
    }
    const std::string_view tag = sql_.substr(position_, end + 1 - position_);
    const size_t close = sql_.find(tag, end + 1);
    position_ = close == std::string_view::npos ? sql_.size() : close + tag.size();
    return Token::Kind::kString;
  }

  std::string_view sql_;
  size_t position_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

int BracketStep(std::string_view sql, const Token& token) {
  if (token.kind != Token::Kind::kSymbol) return 0;
  if (std::string_view("([{").find(sql[token.begin]) != std::string_view::npos) return 1;
  return std::string_view(")]}").find(sql[token.begin]) != std::string_view::npos ? -1 : 0;
}

bool Token::Is(std::string_view sql, std::string_view word) const {
  return kind == Kind::kWord && ToLower(In(sql)) == ToLower(word);
}

bool Token::IsSymbol(std::string_view sql, char symbol) const { return kind == Kind::kSymbol && sql[begin] == symbol; }

std::string Token::Name(std::string_view sql) const {
  if (kind != Kind::kQuotedName) return ToLower(In(sql));
  std::string name;
  for (size_t i = begin + 1; i + 1 < end; ++i) {
    name += sql[i];
    if (sql[i] == '"') ++i;
  }
  return ToLower(name);
}

std::vector<Token> Tokens(std::string_view sql) { return Scanner(sql).Run(); }

std::optional<MisspeltKeyword> FindMisspeltKeyword(std::string_view sql, size_t position) {
  static const std::vector<std::string> keywords = {"SELECT", "DISTINCT", "FROM",   "WHERE", "GROUP", "HAVING", "ORDER",
                                                    "LIMIT",  "UNION",    "EXCEPT", "INNER", "LEFT",  "RIGHT",  "FULL",
                                                    "CROSS",  "JOIN",     "USING",  "WITH",  "CASE",  "BETWEEN"};
  std::optional<MisspeltKeyword> before, found;
  for (const Token& token : Tokens(sql)) {
    if (token.begin > position) break;
    before = std::exchange(found, std::nullopt);
    if (token.kind != Token::Kind::kWord) continue;
    const std::vector<std::string> near = NearestNames(token.In(sql), keywords);
    if (!near.empty() && !token.Is(sql, near.front())) found = {token, near.front()};
  }
  return before ? before : found;
}

std::vector<StatementSpan> SplitStatements(std::string_view sql) {
  std::vector<StatementSpan> statements;
  bool open = false;
  for (const Token& token : Tokens(sql)) {
    if (token.IsSymbol(sql, ';')) {
      open = false;
      continue;
    }
    if (!open) statements.emplace_back();
    open = true;
    statements.back().tokens.push_back(token);
  }
  return statements;
}

std::vector<std::span<const Token>> SplitAtCommas(std::string_view sql, std::span<const Token> list) {
  std::vector<std::span<const Token>> items;
  size_t begin = 0;
  int depth = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    depth += BracketStep(sql, list[i]);
    if (depth > 0 || !list[i].IsSymbol(sql, ',')) continue;
    items.push_back(list.subspan(begin, i - begin));
    begin = i + 1;
  }
  items.push_back(list.subspan(begin));
  return items;
}

Place PlaceAt(const std::string& file, std::string_view text, size_t offset, size_t length) {
  offset = std::min(offset, text.size());
  const std::string_view before = text.substr(0, offset);
  const size_t line_begin = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const size_t line_end = std::min(text.find('\n', offset), text.size());
  Place place{.file = file};
  place.line = static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1;
  place.column = CharacterCount(before.substr(line_begin)) + 1;
  place.end_column = place.column + CharacterCount(text.substr(offset, std::min(length, line_end - offset)));
  return place;
}

Place PlaceOfToken(const std::string& file, std::string_view text, size_t offset) {
  if (offset >= text.size()) {
    // An unexpected end is shown behind the last thing that was written.
    const std::vector<Token> all = Tokens(text);
    return PlaceAt(file, text, all.empty() ? 0 : all.back().end, 0);
  }
  const std::vector<Token> rest = Tokens(text.substr(offset));
  const size_t length = rest.empty() || rest.front().begin != 0 ? 1 : rest.front().end;
  return PlaceAt(file, text, offset, length);
}

Place PlaceOfParameter(const std::string& file, std::string_view text, std::string_view name) {
  const std::vector<Token> tokens = Tokens(text);
  for (const Token& token : tokens)
    if (token.kind == Token::Kind::kParameter && ToLower(token.In(text).substr(1)) == name)
      return PlaceOfToken(file, text, token.begin);
  return PlaceOfToken(file, text, tokens.empty() ? 0 : tokens.front().begin);
}

size_t ByteOfCharacter(std::string_view text, size_t index) {
  size_t byte = 0;
  const auto is_inside = [&] { return byte < text.size() && (text[byte] & 0xC0) == 0x80; };
  for (; index > 0 && byte < text.size(); --index) do {
      ++byte;
    } while (is_inside());
  return byte;
}

size_t LastPartOfName(std::string_view text, size_t offset) {
  const std::string_view rest = text.substr(std::min(offset, text.size()));
  const std::vector<Token> tokens = Tokens(rest.substr(0, std::min<size_t>(rest.size(), 512)));
  size_t last = 0;
  while (last + 2 < tokens.size() && tokens[last + 1].IsSymbol(rest, '.') &&
         (tokens[last + 2].kind == Token::Kind::kWord || tokens[last + 2].kind == Token::Kind::kQuotedName))
    last += 2;
  return tokens.empty() ? offset : offset + tokens[last].begin;
}

}  // namespace leat::models
