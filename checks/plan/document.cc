#include "checks/plan/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace puckdrop::plan {
namespace {

constexpr char kFlowTrap[] = "an expression with [ ] { } inside flow style needs quotes or block style";
constexpr char kFlowTrapHint[] = "put the expression in quotes, or give it a line of its own outside { } and [ ]";
constexpr char kBareHole[] = "a hole {{ … }} must stand inside quotes";
constexpr char kBareHoleHint[] = "write \"{{ … }}\": without quotes YAML reads the braces as a map";

// Ends the parse early: what was found is final.
struct Stop {
  Location at;
  std::string message;
  std::string hint;
};

std::uint32_t CountCharacters(absl::string_view text) {
  return static_cast<std::uint32_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// Offset of the first byte that is not well-formed UTF-8, or a NUL.
std::optional<std::size_t> NotText(absl::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    std::size_t length = 1;
    std::uint32_t code = c;
    if (c == 0) return i;
    if (c >= 0x80) {
      if (c >= 0xc2 && c <= 0xdf) {
        length = 2;
        code = c & 0x1f;
      } else if (c >= 0xe0 && c <= 0xef) {
        length = 3;
        code = c & 0x0f;
      } else if (c >= 0xf0 && c <= 0xf4) {
        length = 4;
        code = c & 0x07;
      } else {
        return i;
      }
      if (i + length > text.size()) return i;
      for (std::size_t k = 1; k < length; ++k) {
        const unsigned char next = static_cast<unsigned char>(text[i + k]);
        if ((next & 0xc0) != 0x80) return i;
        code = (code << 6) | (next & 0x3f);
      }
      if ((length == 3 && code < 0x800) || (length == 4 && (code < 0x10000 || code > 0x10ffff)) ||
          (code >= 0xd800 && code <= 0xdfff)) {
        return i;
      }
    }
    i += length;
  }
  return std::nullopt;
}

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const SourceFile& source, std::uint32_t file, const DocumentLimits& limits, std::size_t* nodes,
              Mistakes* mistakes)
      : source_(source), file_(file), limits_(limits), nodes_(nodes), mistakes_(mistakes) {}

  Node& root() { return root_; }
  bool in_flow() const { return flow_depth_ > 0; }
  const std::optional<Location>& bare_hole() const { return bare_hole_; }

  Location Locate(const YAML::Mark& mark) const {
    const std::uint32_t line = static_cast<std::uint32_t>(std::max(mark.line, 0)) + 1;
    const std::size_t bytes = static_cast<std::size_t>(std::max(mark.column, 0));
    const absl::string_view text = source_.Line(line);
    const std::size_t inside = std::min(bytes, text.size());
    // Places come in order, so that a long line is counted once and not from its beginning for every value.
    if (line != counted_line_ || inside < counted_bytes_) {
      counted_line_ = line;
      counted_bytes_ = 0;
      counted_characters_ = 0;
    }
    counted_characters_ += CountCharacters(text.substr(counted_bytes_, inside - counted_bytes_));
    counted_bytes_ = inside;
    return {file_, line, counted_characters_ + static_cast<std::uint32_t>(bytes - inside) + 1};
  }

  // The innermost bracket that is open.
  std::optional<Location> OpenBracket() const {
    for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
      if (level->node.flow) return level->node.at;
    }
    return std::nullopt;
  }

  // Whether what follows the last value in the file is a bracket that can only belong to a jq expression.
  std::optional<Location> FlowTrap() const {
    if (!in_flow() || last_end_ == 0) return std::nullopt;
    std::size_t i = last_end_;
    const std::string& text = source_.text;
    const bool starts_like_one = last_starts_expression_;
    while (i < text.size() && (text[i] == ' ' || text[i] == '"' || text[i] == '\'')) ++i;
    bool closed = false;
    while (i < text.size() && (text[i] == '}' || text[i] == ']' || text[i] == ')' || text[i] == ' ')) {
      closed = closed || text[i] != ' ';
      ++i;
    }
    if (i < text.size() && (text[i] == '[' || text[i] == '{') && (starts_like_one || closed)) return last_at_;
    return std::nullopt;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ < 2) return;
    const Location at = Locate(mark);
    if (absl::StartsWith(source_.Line(at.line), "---")) {
      throw Stop{at, "a plan is one YAML document; a second one begins here", "use `include:` to join files"};
    }
    throw Stop{at, "this does not belong to what stands above it", "check the indentation, or a missing `key:`"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark&, YAML::anchor_t) override {
    // The mark of a null is that of the next token: the place of its key is what a person looks for.
    Node node;
    node.at = KeyLocation();
    node.text_at = node.at;
    Put(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    mistakes_->Add(Locate(mark), "an alias (*name) is not part of the plan language",
                   "write the value out, or make it a fragment");
    PutBad(mark);
  }

  void OnAnchor(const YAML::Mark& mark, const std::string&) override {
    // yaml-cpp may tell of the anchor with the mark of what follows it.
    mistakes_->Add(Locate(mark), "an anchor (&name) is not part of the plan language",
                   "write the value out, or make it a fragment");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    Node node;
    node.at = Locate(mark);
    node.text_at = node.at;
    node.kind = Node::Kind::kScalar;
    node.text = value;
    const std::size_t begin = Offset(mark);
    const char first = begin < source_.text.size() ? source_.text[begin] : '\0';
    if ((tag != "?" && tag != "!") || (tag == "!" && first == '!')) {
      RefuseTag(node.at);
      node.kind = Node::Kind::kBad;
    }
    node.quoted = tag == "!";
    last_at_ = node.at;
    last_starts_expression_ = !node.quoted && !value.empty() && (value[0] == '.' || value[0] == '$');
    last_end_ = begin + value.size();
    if (node.quoted && (first == '"' || first == '\'')) {
      CheckClosed(begin, node.at);
      node.text_at.column += 1;
      node.verbatim =
          absl::StartsWith(absl::string_view(source_.text).substr(begin + 1), value) && !absl::StrContains(value, '\n');
    } else if (node.quoted && (first == '|' || first == '>')) {
      PlaceBlock(&node);
    } else {
      node.verbatim =
          absl::StartsWith(absl::string_view(source_.text).substr(std::min(begin, source_.text.size())), value);
    }
    Put(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value style) override {
    Open(mark, tag, style, Node::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value style) override {
    Open(mark, tag, style, Node::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  // A collection under way.
  struct Level {
    Node node;
    // For maps: the key that waits for its value.
    std::optional<Member> pending;
    std::map<std::string, Location> seen;
    // It stands where a key should: what is in it is dropped.
    bool is_key = false;
  };

  std::size_t Offset(const YAML::Mark& mark) const {
    const std::size_t line = static_cast<std::size_t>(std::max(mark.line, 0));
    if (line >= source_.line_starts.size()) return source_.text.size();
    return std::min(source_.text.size(),
                    source_.line_starts[line] + static_cast<std::size_t>(std::max(mark.column, 0)));
  }

  Location KeyLocation() const {
    if (levels_.empty()) return {file_, 1, 1};
    const Level& level = levels_.back();
    if (level.pending.has_value()) return level.pending->key_at;
    if (!level.node.items.empty()) return level.node.items.back().at;
    return level.node.at;
  }

  void RefuseTag(const Location& at) {
    mistakes_->Add(at, "a tag (!name) is not part of the plan language",
                   "leave it out: the plan's schema knows the types");
  }

  // yaml-cpp takes a quote that is never closed as a value that ends with the file.
  void CheckClosed(std::size_t begin, const Location& at) {
    const std::string& text = source_.text;
    const char quote = text[begin];
    for (std::size_t i = begin + 1; i < text.size(); ++i) {
      if (quote == '"' && text[i] == '\\') {
        ++i;
      } else if (text[i] == quote) {
        if (quote == '\'' && i + 1 < text.size() && text[i + 1] == '\'') {
          ++i;
        } else {
          last_end_ = i + 1;
          return;
        }
      }
    }
    throw Stop{at, "this quote is never closed", ""};
  }

  // Finds where a block's text begins and whether each of its lines stands in the file as it is.
  void PlaceBlock(Node* node) {
    const bool literal = Line(node->at.line).find('|') != absl::string_view::npos;
    const std::vector<std::string> lines = absl::StrSplit(node->text, '\n');
    std::uint32_t line = node->at.line + 1;
    node->text_at = {file_, line, 1};
    if (lines.empty() || lines[0].empty()) return;
    const absl::string_view first = Line(line);
    if (!absl::EndsWith(first, lines[0])) return;
    const std::size_t indent = first.size() - lines[0].size();
    node->text_at.column = static_cast<std::uint32_t>(indent) + 1;
    if (!literal) return;
    for (const std::string& wanted : lines) {
      const absl::string_view found = Line(line++);
      if (wanted.empty() ? !absl::StripAsciiWhitespace(found).empty() && &wanted != &lines.back()
                         : found.size() < indent || found.substr(indent) != wanted) {
        return;
      }
    }
    node->verbatim = true;
  }

  absl::string_view Line(std::uint32_t line) const { return source_.Line(line); }

  void Count(const Location& at) {
    if (*nodes_ == 0) {
      throw Stop{at, absl::StrCat("a plan may hold at most ", limits_.nodes, " values; this one is beyond"), ""};
    }
    --*nodes_;
  }

  bool ExpectsKey() const {
    return !levels_.empty() && levels_.back().node.kind == Node::Kind::kMap && !levels_.back().pending.has_value();
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::EmitterStyle::value style, Node::Kind kind) {
    Level level;
    level.node.kind = kind;
    level.node.at = Locate(mark);
    level.node.text_at = level.node.at;
    level.node.flow = style == YAML::EmitterStyle::Flow;
    Count(level.node.at);
    if (levels_.size() >= limits_.depth) {
      throw Stop{level.node.at, absl::StrCat("values are nested more than ", limits_.depth, " deep"), ""};
    }
    if (tag != "?") RefuseTag(level.node.at);
    level.is_key = ExpectsKey();
    if (level.node.flow) ++flow_depth_;
    if (level.is_key) {
      const std::size_t begin = Offset(mark);
      if (level.node.flow && kind == Node::Kind::kMap && begin > 0 && source_.text[begin - 1] == '{') {
        Location at = level.node.at;
        at.column -= 1;
        bare_hole_ = at;
        mistakes_->Add(at, kBareHole, kBareHoleHint);
      } else {
        mistakes_->Add(level.node.at, "a key must be a text", "");
      }
    }
    levels_.push_back(std::move(level));
  }

  void Close() {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    if (level.node.flow) --flow_depth_;
    if (level.is_key) {
      // The map that has it as a key is worth nothing either.
      levels_.back().pending = Member{"", level.node.at, Node{}};
      levels_.back().node.kind = Node::Kind::kMap;
      spoiled_.push_back(levels_.size());
      return;
    }
    if (!spoiled_.empty() && spoiled_.back() == levels_.size() + 1) {
      while (!spoiled_.empty() && spoiled_.back() == levels_.size() + 1) spoiled_.pop_back();
      level.node.kind = Node::Kind::kBad;
    }
    PutUncounted(std::move(level.node));
  }

  void PutBad(const YAML::Mark& mark) {
    Node node;
    node.kind = Node::Kind::kBad;
    node.at = Locate(mark);
    node.text_at = node.at;
    Put(std::move(node));
  }

  void Put(Node node) {
    Count(node.at);
    PutUncounted(std::move(node));
  }

  void PutUncounted(Node node) {
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& level = levels_.back();
    if (level.node.kind == Node::Kind::kList) {
      level.node.items.push_back(std::move(node));
      return;
    }
    if (!level.pending.has_value()) {
      if (node.kind == Node::Kind::kNull) mistakes_->Add(node.at, "a key must be a text", "");
      level.pending = Member{node.text, node.at, Node{}};
      return;
    }
    Member member = std::move(*level.pending);
    level.pending.reset();
    const auto [first, fresh] = level.seen.emplace(member.key, member.key_at);
    if (!fresh) {
      if (!level.is_key) {
        mistakes_->Add(member.key_at, absl::StrCat("`", member.key, "` is given twice"),
                       absl::StrCat("the first is at ", mistakes_->Describe(first->second)));
      }
      return;
    }
    member.value = std::move(node);
    level.node.members.push_back(std::move(member));
  }

  const SourceFile& source_;
  const std::uint32_t file_;
  const DocumentLimits& limits_;
  std::size_t* nodes_;
  Mistakes* mistakes_;
  Node root_;
  std::vector<Level> levels_;
  // Depths of maps that hold a key which is not a text.
  std::vector<std::size_t> spoiled_;
  int documents_ = 0;
  int flow_depth_ = 0;
  std::optional<Location> bare_hole_;
  Location last_at_;
  std::size_t last_end_ = 0;
  bool last_starts_expression_ = false;
  mutable std::uint32_t counted_line_ = 0;
  mutable std::size_t counted_bytes_ = 0;
  mutable std::uint32_t counted_characters_ = 0;
};

// yaml-cpp's words, as a person who writes plans would put them.
std::pair<std::string, std::string> Translate(const std::string& message, absl::string_view line) {
  if (absl::StrContains(line.substr(0, line.find_first_not_of(" \t")), '\t')) {
    return {"a tab cannot indent YAML", "use spaces"};
  }
  if (message == "illegal map value" || message == "illegal map key") {
    return {"a second `:` or a wrong indentation: YAML cannot tell what is the key here",
            "put a text that holds `: ` in quotes, and align the keys of one map"};
  }
  if (message == "end of map flow not found") return {"a `{` is never closed, or a comma is missing before this", ""};
  if (message == "end of sequence flow not found")
    return {"a `[` is never closed, or a comma is missing before this", ""};
  if (absl::StartsWith(message, "illegal EOF")) return {"this quote is never closed", ""};
  if (message == "unknown token") return {"a plain text cannot begin with this character", "put it in quotes"};
  if (message == "end of map not found")
    return {"this line does not fit the map it stands in", "check the indentation"};
  if (message == "end of sequence not found") {
    return {"this line does not fit the list it stands in", "check the indentation and the `- `"};
  }
  return {absl::StrCat("not YAML: ", message), ""};
}

}  // namespace

const Node* Node::Find(const std::string& key) const {
  for (const Member& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

Node ParseDocument(const SourceFile& source, std::uint32_t file, const DocumentLimits& limits, std::size_t* nodes,
                   Mistakes* mistakes) {
  Node bad;
  bad.kind = Node::Kind::kBad;
  bad.at = {file, 1, 1};
  if (source.text.size() > limits.bytes) {
    mistakes->AddSecretly(bad.at, absl::StrCat("a plan's file may be at most ", limits.bytes,
                                               " bytes long, this one is ", source.text.size()));
    return bad;
  }
  if (const std::optional<std::size_t> offset = NotText(source.text)) {
    const auto line = std::upper_bound(source.line_starts.begin(), source.line_starts.end(), *offset);
    const std::uint32_t number = static_cast<std::uint32_t>(line - source.line_starts.begin());
    const std::size_t begin = source.line_starts[number - 1];
    mistakes->AddSecretly(
        {file, number, CountCharacters(absl::string_view(source.text).substr(begin, *offset - begin)) + 1},
        "this is not UTF-8 text", "save the file as UTF-8");
    return bad;
  }
  // A syntax error makes what was found so far guesswork, so it gets a list of its own.
  Mistakes found = *mistakes;
  TreeBuilder builder(source, file, limits, nodes, &found);
  try {
    std::istringstream in(source.text);
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop& stop) {
    mistakes->Add(stop.at, stop.message, stop.hint);
    return bad;
  } catch (const YAML::Exception& error) {
    const Location at = builder.Locate(error.mark);
    if (builder.bare_hole().has_value() && builder.bare_hole()->line == at.line) {
      mistakes->Add(*builder.bare_hole(), kBareHole, kBareHoleHint);
    } else if (const std::optional<Location> trap = builder.FlowTrap()) {
      mistakes->Add(*trap, kFlowTrap, kFlowTrapHint);
    } else {
      auto [message, hint] = Translate(error.msg, source.Line(at.line));
      const std::optional<Location> bracket = builder.OpenBracket();
      if (bracket.has_value() && absl::StrContains(message, "never closed,")) {
        hint = absl::StrCat("it was opened at ", mistakes->Describe(*bracket));
      }
      mistakes->Add(at, message, hint);
    }
    return bad;
  } catch (const std::exception& error) {
    mistakes->Add(bad.at, absl::StrCat("not YAML: ", error.what()));
    return bad;
  }
  mistakes->Take(std::move(found));
  Node root = std::move(builder.root());
  if (root.kind == Node::Kind::kNull) {
    root.kind = Node::Kind::kMap;
    root.at = {file, 1, 1};
  }
  return root;
}

}  // namespace puckdrop::plan
