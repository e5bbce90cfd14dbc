#include "config/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <map>
#include <optional>
#include <streambuf>
#include <unordered_map>

#include "config/text_places.h"
#include "core/text.h"

namespace leat::config {
namespace {

constexpr size_t kAliasedValuesMax = 200'000;
/// A longer `{…}` is underlined to the end of its line.
constexpr size_t kFlowBytesMax = 400;

/// yaml-cpp's words, ours, and what to do.
struct SyntaxMessage {
  std::string_view theirs;
  std::string_view ours;
  std::string_view help;
};

constexpr const char* kTabMessage = "this line is indented with a tab";
constexpr const char* kTabHelp = "indent with blanks";

const SyntaxMessage kSyntaxMessages[] = {
    {YAML::ErrorMsg::END_OF_MAP_FLOW, "'{' is not closed, or an entry in it is not `key: value`",
     "close it with '}' and put a comma between entries"},
    {YAML::ErrorMsg::END_OF_SEQ_FLOW, "'[' is not closed, or a value in it is not followed by a comma",
     "close it with ']' and put a comma between values"},
    {YAML::ErrorMsg::FLOW_END, "this bracket closes nothing", "remove it, or quote the text that holds it"},
    {YAML::ErrorMsg::END_OF_MAP, "this line does not fit the map above it; expected `key: value`",
     "indent it like the keys above, and put a blank after the colon"},
    {YAML::ErrorMsg::END_OF_SEQ, "this line does not fit the list above it; expected `- value`",
     "start it with '- ', indented like the entries above"},
    {YAML::ErrorMsg::MAP_VALUE, "a ':' stands where no value can begin",
     "quote a text that holds ': ', put a map below its key, and see whether the line above lacks its colon"},
    {YAML::ErrorMsg::MAP_KEY, "a key stands where none can begin", "indent it like the other keys of its map"},
    {YAML::ErrorMsg::BLOCK_ENTRY, "a '-' stands where no list can begin", "put the list on the lines below its key"},
    {YAML::ErrorMsg::TAB_IN_INDENTATION, kTabMessage, kTabHelp},
    {YAML::ErrorMsg::EOF_IN_SCALAR, "a text in quotes is not closed", "close it with the quote it began with"},
    {YAML::ErrorMsg::DOC_IN_SCALAR, "a text in quotes is not closed", "close it with the quote it began with"},
    {YAML::ErrorMsg::UNKNOWN_TOKEN, "no value can begin with this character", "put the text in quotes"},
    {YAML::ErrorMsg::UNKNOWN_ANCHOR, "no anchor of this name stands above", "define it with '&' before it is used"},
};

Error SyntaxError(const Place& place, std::string message, std::string help) {
  return Error(kConfig, "LEAT0107", place, std::move(message)).Hint(std::move(help));
}

class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view view) {
    // The stream only reads.
    char* begin = const_cast<char*>(view.data());
    setg(begin, begin, begin + view.size());
  }
};

/// Builds the tree from yaml-cpp's events. The node API would lose the places of keys and keep only one of two equal
/// ones.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const TextPlaces& places, size_t begin, size_t end, std::vector<Diagnostic>& diagnostics)
      : places_(places), begin_(begin), end_(end), diagnostics_(diagnostics) {}

  YamlPointer root() const { return root_; }
  size_t OffsetOf(const YAML::Mark& mark) const {
    return mark.is_null() ? begin_ : std::min(end_, begin_ + static_cast<size_t>(std::max(0, mark.pos)));
  }
  /// Where the innermost `{` or `[` opened that is still open; that is where the fault is, not at the end of the file.
  std::optional<size_t> OpenFlow() const {
    for (auto frame = open_.rbegin(); frame != open_.rend(); ++frame)
      if (frame->flow) return frame->offset;
    return std::nullopt;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 1) return;
    const size_t offset = OffsetOf(mark);
    // Without a marker, yaml-cpp takes a line that continues nothing for a new document.
    const bool marked = places_.text().substr(begin_, offset + 3 - begin_).find("\n---") != std::string_view::npos;
    if (marked) {
      throw SyntaxError(places_.RestOfLine(offset), "a second document begins here; expected one per file",
                        "remove the '---', or move what follows to a file of its own");
    }
    throw SyntaxError(places_.RestOfLine(offset), "this line does not fit what stands above it",
                      "write keys as `key: value` and entries of lists as `- value`, indented alike");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto node = std::make_shared<YamlNode>();
    node->place = NullPlace(OffsetOf(mark));
    const bool is_key = !open_.empty() && open_.back().node->kind == YamlNode::Kind::kMap && !open_.back().key;
    if (is_key) last_scalar_end_.reset();
    Add(node, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const Place place = places_.RestOfLine(OffsetOf(mark));
    last_scalar_end_.reset();
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      throw SyntaxError(place, "an alias stands inside the value it names", "write the value out");
    aliased_values_ += found->second.values;
    if (aliased_values_ > kAliasedValuesMax) {
      throw SyntaxError(place, fmt::format("aliases repeat more than {} values", kAliasedValuesMax),
                        "use fewer aliases");
    }
    Attach(found->second.node, found->second.values);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const size_t offset = OffsetOf(mark);
    RefuseTag(tag, offset);
    // yaml-cpp closes the last quote of a file by itself.
    if (tag == "!" && IsQuote(offset) && !QuotedBytes(offset))
      throw SyntaxError(places_.RestOfLine(offset), "a text in quotes is not closed",
                        "close it with the quote it began with");
    auto node = std::make_shared<YamlNode>();
    node->kind = YamlNode::Kind::kScalar;
    node->text = value;
    node->plain = tag == "?";
    node->place = ScalarPlace(offset, value, node->plain);
    last_scalar_end_ = ScalarEnd(offset, value, node->plain);
    Add(node, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    Open(YamlNode::Kind::kList, mark, tag, anchor, style);
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    Open(YamlNode::Kind::kMap, mark, tag, anchor, style);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Frame {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor;
    bool flow;
    size_t offset;
    size_t values = 1;
    std::optional<YamlEntry> key;                  ///< read, and waiting for its value
    std::unordered_map<std::string, int> line_of;  ///< of the keys so far
  };
  struct Anchored {
    YamlPointer node;
    size_t values;
  };

  void RefuseTag(const std::string& tag, size_t offset) const {
    if (tag.empty() || tag == "?" || tag == "!" || tag == "tag:yaml.org,2002:str") return;
    throw SyntaxError(places_.RestOfLine(offset), "a YAML tag ('!') stands here; expected a plain value",
                      "remove the tag, or put a text that begins with '!' in quotes");
  }

  void Open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YAML::EmitterStyle::value style) {
    const size_t offset = OffsetOf(mark);
    RefuseTag(tag, offset);
    auto node = std::make_shared<YamlNode>();
    node->kind = kind;
    node->place = places_.RestOfLine(offset);
    const bool flow = style == YAML::EmitterStyle::Flow;
    if (flow) node->place = FlowPlace(offset);
    open_.push_back({.node = node, .anchor = anchor, .flow = flow, .offset = offset, .key = {}, .line_of = {}});
  }

  void Close() {
    const Frame frame = std::move(open_.back());
    open_.pop_back();
    Add(frame.node, frame.anchor, frame.values);
  }

  void Add(const std::shared_ptr<YamlNode>& node, YAML::anchor_t anchor, size_t values = 1) {
    if (anchor != YAML::NullAnchor) anchors_[anchor] = {node, values};
    Attach(node, values);
  }

  /// Put a finished node where it belongs: into the list, as a key or as the value of one, or as the root.
  void Attach(const YamlPointer& node, size_t values) {
    if (open_.empty()) {
      root_ = node;
      return;
    }
    Frame& parent = open_.back();
    parent.values += values;
    if (parent.node->kind == YamlNode::Kind::kList) {
      parent.node->items.push_back(node);
    } else if (!parent.key) {
      parent.key = KeyOf(*node);
    } else {
      AddEntry(parent, node);
    }
  }

  static YamlEntry KeyOf(const YamlNode& node) {
    if (node.kind == YamlNode::Kind::kList || node.kind == YamlNode::Kind::kMap)
      throw SyntaxError(node.place, "a list or a map stands as a key; expected a name",
                        "put the key in quotes if it is a text");
    if (node.plain && node.text == "<<")
      throw SyntaxError(node.place, "merge keys ('<<') are not supported",
                        "repeat the keys, or use an alias for the whole value");
    return {node.kind == YamlNode::Kind::kNull ? "null" : node.text, node.place, nullptr};
  }

  void AddEntry(Frame& parent, const YamlPointer& node) {
    YamlEntry entry = std::move(*parent.key);
    parent.key.reset();
    entry.value = node;
    if (node->kind == YamlNode::Kind::kNull) {
      if (!parent.flow) RefuseBareKey(entry);
      auto placed = std::make_shared<YamlNode>(*node);
      placed->place = entry.key_place;
      entry.value = placed;
    }
    const auto [first, added] = parent.line_of.emplace(entry.key, entry.key_place.line);
    if (added)
      parent.node->entries.push_back(std::move(entry));
    else
      ReportDuplicate(entry, first->second);
  }

  /// yaml-cpp takes the last line of a map for a key even without its colon.
  void RefuseBareKey(const YamlEntry& entry) const {
    if (!last_scalar_end_) return;
    const std::string_view text = places_.text();
    size_t at = *last_scalar_end_;
    while (at < end_ && (text[at] == ' ' || text[at] == '\t')) ++at;
    if (at < end_ && text[at] == ':') return;
    throw SyntaxError(entry.key_place, "this line does not fit the map above it; expected `key: value`",
                      "indent it like the keys above, and put a blank after the colon");
  }

  void ReportDuplicate(const YamlEntry& entry, int first_line) {
    Diagnostic diagnostic;
    diagnostic.code = "LEAT0103";
    diagnostic.place = entry.key_place;
    diagnostic.message =
        fmt::format("duplicate key '{}'; it stands on line {} already", Shorten(entry.key, 80), first_line);
    diagnostic.label = "second time";
    diagnostic.help.push_back("remove one of the two");
    diagnostics_.push_back(std::move(diagnostic));
  }

  /// An absent value is reported where the next token stands, maybe lines below: step back to what is written before
  /// it.
  Place NullPlace(size_t offset) const {
    const std::string_view text = places_.text();
    const std::string_view here = text.substr(offset, 4);
    if (here.starts_with("~") || ToLower(here) == "null") return places_.At(offset, here.starts_with("~") ? 1 : 4);
    while (offset > begin_ && (offset >= text.size() || Trim(text.substr(offset - 1, 1)).empty())) --offset;
    return places_.At(offset > begin_ ? offset - 1 : offset, 1);
  }

  Place ScalarPlace(size_t offset, const std::string& value, bool plain) const {
    const std::string_view text = places_.text();
    if (plain && text.substr(offset).starts_with(value)) return places_.At(offset, value.size());
    if (plain || !IsQuote(offset)) return places_.RestOfLine(offset);
    return places_.At(offset, QuotedBytes(offset).value_or(1));
  }

  /// One past a scalar that stands on one line without an anchor.
  std::optional<size_t> ScalarEnd(size_t offset, const std::string& value, bool plain) const {
    if (plain && places_.text().substr(offset).starts_with(value)) return offset + value.size();
    if (plain || !IsQuote(offset) || !QuotedBytes(offset)) return std::nullopt;
    return offset + *QuotedBytes(offset);
  }

  bool IsQuote(size_t offset) const {
    return offset < places_.text().size() && (places_.text()[offset] == '"' || places_.text()[offset] == '\'');
  }

  /// Length of the quoted text that begins at `offset`, its quotes included; nullopt if it is not closed.
  std::optional<size_t> QuotedBytes(size_t offset) const {
    const std::string_view text = places_.text();
    const char quote = text[offset];
    for (size_t i = offset + 1; i < end_; ++i) {
      if (quote == '"' && text[i] == '\\') {
        ++i;
      } else if (text[i] == quote) {
        const bool doubled = quote == '\'' && i + 1 < end_ && text[i + 1] == quote;
        if (!doubled) return i + 1 - offset;
        ++i;
      }
    }
    return std::nullopt;
  }

  /// From the opening bracket to its partner.
  Place FlowPlace(size_t offset) const {
    const std::string_view text = places_.text();
    int depth = 0;
    const size_t stop = std::min(end_, offset + kFlowBytesMax);
    for (size_t i = offset; i < stop && text[i] != '\n'; ++i) {
      const char c = text[i];
      const bool quoted =
          (c == '"' || c == '\'') && std::string_view(" [{,:").find(text[i - 1]) != std::string_view::npos;
      if (quoted && i > offset) i += QuotedBytes(i).value_or(1) - 1;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return places_.At(offset, i + 1 - offset);
    }
    return places_.RestOfLine(offset);
  }

  const TextPlaces& places_;
  size_t begin_, end_;
  std::vector<Diagnostic>& diagnostics_;
  std::vector<Frame> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  size_t aliased_values_ = 0;
  std::optional<size_t> last_scalar_end_;  ///< of a key, when its value follows
  int documents_ = 0;
  YamlPointer root_;
};

/// yaml-cpp sees a tab only in some places and else stumbles over what stands behind it.
bool IsIndentedByTab(std::string_view text, size_t offset) {
  const size_t line = text.rfind('\n', offset == 0 ? 0 : offset - 1) + 1;
  return text.find_first_not_of(" \t", line) > text.find('\t', line);
}

Error Translate(const YAML::Exception& exception, const TreeBuilder& builder, const TextPlaces& places) {
  const auto known =
      std::find_if(std::begin(kSyntaxMessages), std::end(kSyntaxMessages),
                   [&](const SyntaxMessage& message) { return exception.msg.starts_with(message.theirs); });
  size_t offset = builder.OffsetOf(exception.mark);
  const bool unclosed =
      exception.msg == YAML::ErrorMsg::END_OF_MAP_FLOW || exception.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW;
  if (unclosed && builder.OpenFlow()) offset = *builder.OpenFlow();
  const Place place = places.RestOfLine(offset);
  if (IsIndentedByTab(places.text(), offset)) return SyntaxError(place, kTabMessage, kTabHelp);
  if (known == std::end(kSyntaxMessages))
    return SyntaxError(place, fmt::format("not valid YAML: {}", exception.msg),
                       "check the indentation, quotes and brackets here");
  return SyntaxError(place, std::string(known->ours), std::string(known->help));
}

/// yaml-cpp reads byte 4 as the end of the file and replaces what is not UTF-8, which would move all places.
void RefuseUnreadable(const TextPlaces& places, std::string_view yaml, size_t begin) {
  for (size_t i = 0; i < yaml.size(); ++i) {
    const auto c = static_cast<unsigned char>(yaml[i]);
    if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F) {
      throw SyntaxError(places.At(begin + i, 1), fmt::format("control character U+{:04X}; expected text", c),
                        "remove it, or write it as an escape in double quotes");
    }
  }
}

void RefuseInvalidUtf8(const std::string& file, std::string_view text) {
  if (IsValidUtf8(text)) return;
  size_t line_start = 0;
  int line = 1;
  while (true) {
    const size_t line_end = text.find('\n', line_start);
    if (line_end == std::string_view::npos || !IsValidUtf8(text.substr(line_start, line_end - line_start))) break;
    line_start = line_end + 1;
    ++line;
  }
  throw SyntaxError({file, line, 1, 0}, "this line is not valid UTF-8; expected UTF-8", "save the file as UTF-8");
}

}  // namespace

const YamlEntry* YamlNode::Find(std::string_view key) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const YamlEntry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

std::string QuoteYaml(std::string_view text) {
  static constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+@";
  const bool plain = !text.empty() && ToLower(text) != "null" &&
                     text.find_first_not_of(kPlain) == std::string_view::npos &&
                     std::string_view("-+@").find(text[0]) == std::string_view::npos;
  if (plain) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n')
      quoted += "\\n";
    else if (c == '\t')
      quoted += "\\t";
    else
      quoted += c;
  }
  return quoted + "\"";
}

std::string FormatYaml(const YamlNode& node) {
  std::vector<std::string> parts;
  for (const YamlPointer& item : node.items) parts.push_back(FormatYaml(*item));
  for (const YamlEntry& entry : node.entries)
    parts.push_back(fmt::format("{}: {}", QuoteYaml(entry.key), FormatYaml(*entry.value)));
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "null";
    case YamlNode::Kind::kScalar:
      return QuoteYaml(node.text);
    case YamlNode::Kind::kList:
      return fmt::format("[{}]", Join(parts, ", "));
    case YamlNode::Kind::kMap:
      return fmt::format("{{{}}}", Join(parts, ", "));
  }
  return "";
}

YamlPointer ParseYaml(const std::string& file, std::string_view text, size_t begin, size_t end,
                      std::vector<Diagnostic>& diagnostics) {
  RefuseInvalidUtf8(file, text);
  if (begin == 0 && text.starts_with("\xEF\xBB\xBF")) begin = std::min<size_t>(3, end);
  const TextPlaces places(file, text);
  RefuseUnreadable(places, text.substr(begin, end - begin), begin);
  TreeBuilder builder(places, begin, end, diagnostics);
  try {
    ViewBuffer buffer(text.substr(begin, end - begin));
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& exception) {
    throw Translate(exception, builder, places);
  }
  if (builder.root() && builder.root()->kind != YamlNode::Kind::kNull) return builder.root();
  auto empty = std::make_shared<YamlNode>();
  empty->kind = YamlNode::Kind::kMap;
  empty->place = places.At(begin, 1);
  return empty;
}

}  // namespace leat::config
