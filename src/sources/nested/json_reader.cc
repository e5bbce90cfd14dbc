#include "sources/nested/json_reader.h"

#include <array>
#include <cstdint>

namespace leat::sources {
namespace {

constexpr int kLevelsMax = 200;

/// Bytes inside a string that stand for themselves.
constexpr std::array<bool, 256> PlainBytes() {
  std::array<bool, 256> plain{};
  for (size_t byte = 0x20; byte < 256; ++byte) plain[byte] = byte != '"' && byte != '\\';
  return plain;
}
constexpr std::array<bool, 256> kPlain = PlainBytes();

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

uint32_t FourHexDigits(std::string_view digits) {
  uint32_t value = 0;
  for (const char c : digits.substr(0, 4)) value = value * 16 + static_cast<uint32_t>(HexValue(c));
  return value;
}

void AppendUtf8(std::string& text, uint32_t point) {
  const auto add = [&](uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (point < 0x80) return add(point);
  if (point < 0x800) {
    add(0xC0 | point >> 6);
  } else {
    if (point < 0x10000) {
      add(0xE0 | point >> 12);
    } else {
      add(0xF0 | point >> 18);
      add(0x80 | (point >> 12 & 0x3F));
    }
    add(0x80 | (point >> 6 & 0x3F));
  }
  add(0x80 | (point & 0x3F));
}

}  // namespace

void JsonReader::SkipBlanks() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
    ++at_;
}

bool JsonReader::AtEnd() {
  SkipBlanks();
  return at_ == text_.size();
}

void JsonReader::Expect(char c) {
  SkipBlanks();
  if (at_ == text_.size() || text_[at_] != c) Refuse(c == '{' ? "{" : c == '[' ? "[" : c == ':' ? ":" : "\"");
  ++at_;
}

JsonKind JsonReader::Peek() {
  SkipBlanks();
  switch (at_ < text_.size() ? text_[at_] : '\0') {
    case '{':
      return JsonKind::kObject;
    case '[':
      return JsonKind::kList;
    case '"':
      return JsonKind::kString;
    case 't':
      return JsonKind::kTrue;
    case 'f':
      return JsonKind::kFalse;
    case 'n':
      return JsonKind::kNull;
    default:
      if (at_ < text_.size() && (text_[at_] == '-' || IsDigit(text_[at_]))) return JsonKind::kNumber;
      Refuse("a value");
  }
}

void JsonReader::Word(JsonKind kind) {
  const std::string_view word = kind == JsonKind::kNull ? "null" : kind == JsonKind::kTrue ? "true" : "false";
  SkipBlanks();
  if (!text_.substr(at_).starts_with(word)) Refuse("null, true or false");
  at_ += word.size();
}

std::string_view JsonReader::Number() {
  SkipBlanks();
  const size_t begin = at_;
  const auto is_digit = [&] { return at_ < text_.size() && IsDigit(text_[at_]); };
  const auto digits = [&] {
    if (!is_digit()) Refuse("a digit");
    while (is_digit()) ++at_;
  };
  if (at_ < text_.size() && text_[at_] == '-') ++at_;
  if (at_ < text_.size() && text_[at_] == '0') {
    ++at_;
    if (is_digit()) Refuse("no digit behind a leading zero");
  } else {
    digits();
  }
  if (at_ < text_.size() && text_[at_] == '.') {
    ++at_;
    digits();
  }
  if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    ++at_;
    if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    digits();
  }
  return text_.substr(begin, at_ - begin);
}

std::string_view JsonReader::String() {
  Expect('"');
  const size_t begin = at_;
  for (has_escapes_ = false;; has_escapes_ = true) {
    while (at_ < text_.size() && kPlain[static_cast<uint8_t>(text_[at_])]) ++at_;
    if (at_ == text_.size()) Refuse("the end of a string");
    if (text_[at_] == '"') break;
    if (text_[at_] != '\\') Refuse("no control character inside a string");
    Escape();
  }
  return text_.substr(begin, at_++ - begin);
}

void JsonReader::Escape() {
  ++at_;
  const char c = at_ < text_.size() ? text_[at_] : '\0';
  if (c == 'u') {
    for (int i = 0; i < 4; ++i)
      if (++at_ >= text_.size() || HexValue(text_[at_]) < 0) Refuse("four hex digits");
  } else if (c == '\0' || std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos) {
    Refuse("an escape of JSON");
  }
  ++at_;
}

bool JsonReader::Next(bool& first, char close) {
  SkipBlanks();
  if (at_ == text_.size()) Refuse(close == '}' ? "}" : "]");
  if (first && text_[at_] == close) {
    ++at_;
    return false;
  }
  if (!first) {
    if (text_[at_] == close) {
      ++at_;
      return false;
    }
    if (text_[at_] != ',') Refuse(close == '}' ? ", or }" : ", or ]");
    ++at_;
  }
  first = false;
  return true;
}

bool JsonReader::NextField(bool& first, std::string_view& name) {
  if (!Next(first, '}')) return false;
  name = String();
  Expect(':');
  return true;
}

bool JsonReader::NextElement(bool& first) { return Next(first, ']'); }

std::string_view JsonReader::Skip(int level) {
  const JsonKind kind = Peek();
  const size_t begin = at_;
  if (level > kLevelsMax) Refuse("at most 200 levels of nesting");
  if (kind == JsonKind::kString) {
    String();
  } else if (kind == JsonKind::kNumber) {
    Number();
  } else if (kind == JsonKind::kObject) {
    std::string_view name;
    OpenObject();
    for (bool first = true; NextField(first, name);) Skip(level + 1);
  } else if (kind == JsonKind::kList) {
    OpenList();
    for (bool first = true; NextElement(first);) Skip(level + 1);
  } else {
    Word(kind);
  }
  return text_.substr(begin, at_ - begin);
}

bool Unescape(std::string_view raw, std::string& text) {
  bool is_text = true;
  text.clear();
  for (size_t i = 0; i < raw.size();) {
    const size_t escape = raw.find('\\', i);
    text.append(raw.substr(i, escape - i));
    if (escape == std::string_view::npos) break;
    const char c = raw[escape + 1];
    i = escape + 2;
    if (c != 'u') {
      constexpr std::string_view kLetters = "bfnrt", kMeant = "\b\f\n\r\t";
      const size_t letter = kLetters.find(c);
      text.push_back(letter == std::string_view::npos ? c : kMeant[letter]);
      continue;
    }
    uint32_t point = FourHexDigits(raw.substr(i));
    i += 4;
    if (point >= 0xD800 && point < 0xDC00 && raw.substr(i).starts_with("\\u")) {
      const uint32_t low = FourHexDigits(raw.substr(i + 2));
      if (low >= 0xDC00 && low < 0xE000) {
        point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
        i += 6;
      }
    }
    if (point >= 0xD800 && point < 0xE000) {
      is_text = false;
      point = 0xFFFD;
    }
    AppendUtf8(text, point);
  }
  return is_text;
}

}  // namespace leat::sources
