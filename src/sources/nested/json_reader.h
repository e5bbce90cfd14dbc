#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace leat::sources {

/// What stands where JSON was expected; `offset` in bytes from the start of the text.
struct MalformedJson {
  size_t offset = 0;
  const char* expected = "";
};

enum class JsonKind { kNull, kFalse, kTrue, kNumber, kString, kObject, kList };

/// Walks through one JSON text (RFC 8259, nothing more lenient) and hands out pieces of it as they are written: numbers
/// as their digits, strings as the bytes between the quotes. Every call skips the blanks before it.
/// Throws, from every call: MalformedJson.
///
///     reader.OpenObject();
///     for (bool first = true; reader.NextField(first, name);) reader.Skip();
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  /// What begins here, by its first character.
  JsonKind Peek();
  /// The next value, whole; checked.
  std::string_view Skip() { return Skip(0); }
  std::string_view Number();
  /// Between its quotes, escapes as they are.
  std::string_view String();
  /// Whether the last string, or name of a field, has escapes in it.
  bool has_escapes() const { return has_escapes_; }
  /// `null`, `true` or `false`, as Peek has told.
  void Word(JsonKind kind);

  void OpenObject() { Expect('{'); }
  /// Go to the next field's value. Returns false behind the closing brace.
  bool NextField(bool& first, std::string_view& name);
  void OpenList() { Expect('['); }
  bool NextElement(bool& first);

  /// Whether nothing but blanks is left.
  bool AtEnd();
  size_t offset() const { return at_; }

 private:
  std::string_view Skip(int level);
  void SkipBlanks();
  void Expect(char c);
  bool Next(bool& first, char close);
  void Escape();
  [[noreturn]] void Refuse(const char* expected) const { throw MalformedJson{at_, expected}; }

  std::string_view text_;
  size_t at_ = 0;
  bool has_escapes_ = false;
};

/// The text that a string stands for. Returns false if half a surrogate pair stands in it, which is no character;
/// `text` then has U+FFFD in its place. \param raw  as JsonReader::String returns it
bool Unescape(std::string_view raw, std::string& text);

}  // namespace leat::sources
