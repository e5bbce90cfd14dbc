#include "models/macros.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "core/text.h"
#include "models/macro.h"
#include "models/query_fault.h"
#include "models/sql_tokens.h"
#include "models/tables_read.h"

namespace leat::models {
namespace {

/// Reads one `CREATE [OR REPLACE] MACRO name(…) AS …`.
class MacroReader {
 public:
  MacroReader(duck::Connection& connection, const config::MacroFile& file, const StatementSpan& statement)
      : connection_(connection), file_(file), sql_(file.text), tokens_(statement.tokens) {}

  std::unique_ptr<Macro> Read() {
    auto macro = std::make_unique<Macro>();
    macro->file = &file_;
    macro->begin = tokens_.front().begin;
    macro->end = tokens_.back().end;
    Expect("CREATE");
    if (Accept("OR")) Expect("REPLACE");
    if (next_ < tokens_.size()) macro->word = tokens_[next_].begin;
    if (!Accept("MACRO")) Expect("FUNCTION");
    macro->name = ReadName();
    if (AcceptSymbol('.')) {
      macro->schema = macro->name;
      macro->name += "." + ReadName();
    }
    ReadBodies(*macro);
    return macro;
  }

 private:
  [[noreturn]] void Refuse() const {
    const size_t at = next_ < tokens_.size() ? tokens_[next_].begin : tokens_.back().end;
    throw Error(kConfig, "LEAT0215", PlaceOfToken(file_.file, sql_, at),
                "a file of macros/ holds CREATE MACRO statements only")
        .Hint("write CREATE MACRO schema.name(parameters) AS expression, or … AS TABLE SELECT …");
  }
  bool Accept(std::string_view word) {
    if (next_ >= tokens_.size() || !tokens_[next_].Is(sql_, word)) return false;
    ++next_;
    return true;
  }
  void Expect(std::string_view word) {
    if (!Accept(word)) Refuse();
  }
  bool AcceptSymbol(char symbol) {
    if (next_ >= tokens_.size() || !tokens_[next_].IsSymbol(sql_, symbol)) return false;
    ++next_;
    return true;
  }
  std::string ReadName() {
    if (next_ >= tokens_.size()) Refuse();
    const Token& token = tokens_[next_];
    if (token.kind != Token::Kind::kWord && token.kind != Token::Kind::kQuotedName) Refuse();
    ++next_;
    return token.Name(sql_);
  }

  /// The index behind the `)` that closes the `(` at `open`.
  size_t BehindClosing(size_t open) const {
    int depth = 0;
    for (size_t i = open; i < tokens_.size(); ++i) {
      if (tokens_[i].IsSymbol(sql_, '(')) ++depth;
      if (tokens_[i].IsSymbol(sql_, ')') && --depth == 0) return i + 1;
    }
    return tokens_.size();
  }

  void ReadBodies(Macro& macro) {
    do {
      if (next_ >= tokens_.size() || !tokens_[next_].IsSymbol(sql_, '(')) Refuse();
      const size_t behind = BehindClosing(next_);
      MacroBody body{.parameters = ReadParameters(next_ + 1, behind - 1)};
      next_ = behind;
      Expect("AS");
      body.is_table = Accept("TABLE");
      const size_t first = next_;
      next_ = EndOfBody(body.is_table);
      if (first == next_) Refuse();
      body.query = ParseBody(tokens_[first].begin, tokens_[next_ - 1].end, body.is_table);
      macro.bodies.push_back(std::move(body));
    } while (AcceptSymbol(','));
  }

  /// `a, b INTEGER, c := 2, d => 3`: the tokens from `first` to before `last`.
  std::vector<MacroParameter> ReadParameters(size_t first, size_t last) const {
    std::vector<MacroParameter> parameters;
    if (first >= last) return parameters;
    for (const std::span<const Token> item : SplitAtCommas(sql_, std::span(tokens_).subspan(first, last - first)))
      if (!item.empty()) parameters.push_back(ReadParameter(item));
    return parameters;
  }

  MacroParameter ReadParameter(std::span<const Token> item) const {
    MacroParameter parameter{.name = item.front().Name(sql_)};
    for (size_t i = 1; i + 2 < item.size(); ++i) {
      const std::string_view sign = sql_.substr(item[i].begin, 2);
      if (sign != ":=" && sign != "=>") continue;
      parameter.value_if_omitted = ParseBody(item[i + 2].begin, item.back().end, false)["select_list"][0];
      break;
    }
    return parameter;
  }

  /// A body ends at a comma that starts the next overload, `, (parameters) AS`, or at the end of the statement.
  size_t EndOfBody(bool is_table) const {
    int depth = 0;
    for (size_t i = next_; i < tokens_.size(); ++i) {
      if (tokens_[i].IsSymbol(sql_, '(')) ++depth;
      if (tokens_[i].IsSymbol(sql_, ')')) --depth;
      const bool may_end =
          depth == 0 && tokens_[i].IsSymbol(sql_, ',') && i + 1 < tokens_.size() && tokens_[i + 1].IsSymbol(sql_, '(');
      if (!may_end) continue;
      const size_t behind = BehindClosing(i + 1);
      const bool has_as = behind < tokens_.size() && tokens_[behind].Is(sql_, "AS");
      // `SELECT a, (b) AS c` looks alike; only `AS TABLE` starts another table macro.
      const bool has_table = behind + 1 < tokens_.size() && tokens_[behind + 1].Is(sql_, "TABLE");
      if (has_as && (!is_table || has_table)) return i;
    }
    return tokens_.size();
  }

  /// Blanks stand in for what is before the body, so that places in the body are places in the file.
  Json ParseBody(size_t begin, size_t end, bool is_table) const {
    std::string padded(begin, ' ');
    if (!is_table) padded.replace(begin - 7, 7, "SELECT ");  // `CREATE MACRO f() AS ` is longer than that
    padded += sql_.substr(begin, end - begin);
    return ParseSelect(connection_, {file_.file, file_.text}, padded);
  }

  duck::Connection& connection_;
  const config::MacroFile& file_;
  std::string_view sql_;
  const std::vector<Token>& tokens_;
  size_t next_ = 0;
};

std::string FullName(const std::string& schema, const std::string& name) {
  return schema.empty() ? name : schema + "." + name;
}

}  // namespace

Macros::Macros(duck::Connection& connection, const std::vector<config::MacroFile>& files) {
  for (const config::MacroFile& file : files) {
    for (const StatementSpan& statement : SplitStatements(file.text)) {
      auto macro = MacroReader(connection, file, statement).Read();
      const auto [other, is_new] = macros_.try_emplace(macro->name);
      if (!is_new)
        throw Error(kConfig, "LEAT0215", PlaceOfToken(file.file, file.text, macro->begin),
                    fmt::format("macro {} is made twice; first in {}", macro->name, other->second->file->file))
            .Hint("write both forms as overloads of one CREATE MACRO: (a) AS …, (a, b) AS …");
      other->second = std::move(macro);
    }
  }
}

Macros::~Macros() = default;

const Macro* Macros::Find(const std::string& schema, const std::string& name) const {
  const auto found = macros_.find(FullName(schema, name));
  return found == macros_.end() ? nullptr : found->second.get();
}

const Macro* Macros::FindCalled(const Json& call) const {
  const std::string name = ToLower(models::TextOf(call, "function_name"));
  const Macro* qualified = Find(ToLower(models::TextOf(call, "schema")), name);
  // DuckDB too looks for a schema first, be it `main` or what turns out to be a column.
  return qualified != nullptr ? qualified : Find("", name);
}

void Macros::Make(duck::Connection& connection, const std::vector<std::string>& names) {
  if (made_in_ != &connection.database()) made_.clear();
  made_in_ = &connection.database();
  for (const std::string& name : names) {
    if (made_.contains(name)) continue;
    const Macro& macro = *macros_.at(name);
    // Whatever the file says, so that a statement that was rolled back can be run again.
    const std::string create = "CREATE OR REPLACE ";
    const std::string statement = create + macro.file->text.substr(macro.word, macro.end - macro.word);
    if (!macro.schema.empty()) connection.Execute("CREATE SCHEMA IF NOT EXISTS " + QuoteIdentifier(macro.schema));
    try {
      connection.Execute(statement);
    } catch (const duck::QueryError& error) {
      duck::Fault fault = error.fault();
      if (fault.position) *fault.position -= std::min(*fault.position, create.size());
      throw UnboundError(fault, {macro.file->file, macro.file->text}, macro.word);
    }
    made_.insert(name);
  }
}

const SelectReads* Macros::FindReads(const std::string& file, const std::string& text) const {
  const auto found = reads_.find({file, text});
  return found == reads_.end() ? nullptr : found->second.get();
}

void Macros::Remember(const std::string& file, const std::string& text, const SelectReads& reads) const {
  reads_[{file, text}] = std::make_unique<SelectReads>(reads);
}

std::string Macros::TextOf(const std::vector<std::string>& names) const {
  std::string text;
  for (const std::string& name : names)
    for (const MacroBody& body : macros_.at(name)->bodies) text += name + ": " + NormalisedSql(body.query) + "\n";
  return text;
}

}  // namespace leat::models
