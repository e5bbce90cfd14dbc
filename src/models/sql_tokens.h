#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace leat::models {

/// A piece of SQL between blanks and comments.
struct Token {
  enum class Kind { kWord, kQuotedName, kString, kNumber, kParameter, kSymbol };
  Kind kind = Kind::kSymbol;
  size_t begin = 0;  ///< bytes of the text, `end` one past the last
  size_t end = 0;

  std::string_view In(std::string_view sql) const { return sql.substr(begin, end - begin); }
  /// Whether this is the keyword `word`, written in capitals here.
  bool Is(std::string_view sql, std::string_view word) const;
  bool IsSymbol(std::string_view sql, char symbol) const;
  /// The name without its quotes, in lower case.
  std::string Name(std::string_view sql) const;
};

/// Take SQL apart as PostgreSQL's scanner does: nested comments, `''`, `""`, `E'\''`, `$tag$…$tag$`, `$name`. Never
/// throws: a string without end runs to the end.
std::vector<Token> Tokens(std::string_view sql);

/// A word that is nearly a keyword.
struct MisspeltKeyword {
  Token token;
  std::string keyword;  ///< in capitals
};
/// The word at byte `position` or right before it, if it is nearly a keyword of a SELECT: a parser stops behind a slip
/// as often as at it.
std::optional<MisspeltKeyword> FindMisspeltKeyword(std::string_view sql, size_t position);

/// One statement of a text of several.
struct StatementSpan {
  std::vector<Token> tokens;  ///< at least one, without the `;`
  size_t begin() const { return tokens.front().begin; }
  size_t end() const { return tokens.back().end; }
};
std::vector<StatementSpan> SplitStatements(std::string_view sql);

/// 1 for a token that opens brackets, -1 for one that closes them, else 0.
int BracketStep(std::string_view sql, const Token& token);

/// Take a list apart at the commas that are in no brackets.
std::vector<std::span<const Token>> SplitAtCommas(std::string_view sql, std::span<const Token> list);

/// The place of `length` bytes from byte `offset` of a file's text; cut at the end of the line.
Place PlaceAt(const std::string& file, std::string_view text, size_t offset, size_t length);
/// The place of the token at `offset`.
Place PlaceOfToken(const std::string& file, std::string_view text, size_t offset);
/// The place of the first `$name`, in lower case; that of the statement if it is not there.
Place PlaceOfParameter(const std::string& file, std::string_view text, std::string_view name);
/// The byte at which character `index` (from 0) of valid UTF-8 begins.
size_t ByteOfCharacter(std::string_view text, size_t index);
/// Go from the start of `a.b.c` to that of `c`.
size_t LastPartOfName(std::string_view text, size_t offset);

}  // namespace leat::models
