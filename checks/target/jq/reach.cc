#include "checks/target/jq/reach.h"

#include <algorithm>
#include <array>

namespace puckdrop::jq {
namespace {

class Finder {
 public:
  Finder(std::string_view text, const std::vector<Token>& tokens, Scope scope)
      : text_(text), tokens_(tokens), keys_(KeyPlaces(text, tokens)), piped_(scope == Scope::kEach) {}

  Reach Run() {
    for (at_ = 0; at_ < tokens_.size() && !reach_.everything; ++at_) Step();
    return std::move(reach_);
  }

 private:
  // A bracket, an interpolation or an `if`: what `|` changes inside ends with it.
  struct Level {
    bool piped_outside;
    char bracket;
  };

  std::string_view Word(std::size_t i) const {
    return i < tokens_.size() ? text_.substr(tokens_[i].begin, tokens_[i].end - tokens_[i].begin) : std::string_view();
  }
  bool Is(std::size_t i, Kind kind) const { return i < tokens_.size() && tokens_[i].kind == kind; }
  void Everything() { reach_.everything = true; }

  void Push(char bracket) { levels_.push_back({piped_, bracket}); }
  void Pop() {
    if (levels_.empty()) return Everything();
    piped_ = levels_.back().piped_outside;
    levels_.pop_back();
  }

  // Takes the members that follow at once: `.a.b`.
  void Path(std::string_view head) {
    std::vector<std::string> path{std::string(head)};
    while (Is(at_ + 1, Kind::kField)) {
      ++at_;
      path.emplace_back(Word(at_).substr(1));
    }
    reach_.paths.push_back(std::move(path));
  }

  // The token behind the bracket that closes the one at `open`.
  std::size_t Behind(std::size_t open) const {
    int depth = 0;
    for (std::size_t i = open; i < tokens_.size(); ++i) {
      if (tokens_[i].kind == Kind::kOpen) ++depth;
      if (tokens_[i].kind == Kind::kClose && --depth == 0) return i + 1;
    }
    return tokens_.size();
  }

  void Step() {
    const Token& token = tokens_[at_];
    const std::string_view word = Word(at_);
    switch (token.kind) {
      case Kind::kVariable:
        // Ours or the program's own: ours if in doubt.
        if (keys_[at_] || !Is(at_ + 1, Kind::kField)) {
          reach_.paths.push_back({std::string(word.substr(1))});
        } else {
          Path(word.substr(1));
        }
        return;
      case Kind::kField:
        // `$x.a.b` and `.a.b` were taken whole; a member behind a bracket or `?` belongs to what stands before it.
        if (!piped_ && !Continues()) Path(word.substr(1));
        return;
      case Kind::kOpen:
        Push(word[0]);
        return;
      case Kind::kClose:
        Pop();
        return;
      case Kind::kNumber:
      case Kind::kStringText:
        return;
      case Kind::kName:
        return Name(word);
      case Kind::kFormat:
        if (!piped_ && Word(at_ + 1) != "\"") Everything();
        return;
      case Kind::kOther:
        return Sign(word);
    }
  }

  bool Continues() const {
    if (at_ == 0) return false;
    const std::string_view before = Word(at_ - 1);
    // A quote ends a string here, or the member would stand inside it.
    return tokens_[at_ - 1].kind == Kind::kClose || before == "?" || before == "\"";
  }

  void Name(std::string_view word) {
    if (keys_[at_]) {
      if (!piped_ && Word(at_ + 1) != ":") reach_.paths.push_back({std::string(word)});
      return;
    }
    if (word == "if") return Push('i');
    if (!levels_.empty() && levels_.back().bracket == 'i') {
      if (word == "then" || word == "elif" || word == "else") {
        piped_ = levels_.back().piped_outside;
        return;
      }
      if (word == "end") return Pop();
    }
    if (piped_) return;
    static constexpr std::array<std::string_view, 6> kHarmless = {"and", "or", "true", "false", "null", "empty"};
    if (std::find(kHarmless.begin(), kHarmless.end(), word) != kHarmless.end()) return;
    // `select(…) |` hands the input on.
    if (word == "select" && Word(at_ + 1) == "(" && Word(Behind(at_ + 1)) == "|" && StartsSegment()) {
      transparent_pipe_ = Behind(at_ + 1);
      return;
    }
    Everything();
  }

  bool StartsSegment() const {
    return at_ == 0 || tokens_[at_ - 1].kind == Kind::kOpen || at_ - 1 == last_transparent_;
  }

  void Sign(std::string_view word) {
    if (word == "|") {
      if (at_ == transparent_pipe_) {
        last_transparent_ = at_;
      } else {
        piped_ = true;
      }
      return;
    }
    if (word == "," || word == ":") {
      // In an object being built each value begins anew.
      if (!levels_.empty() && levels_.back().bracket == '{') piped_ = levels_.back().piped_outside;
      return;
    }
    if (word == ";") return piped_ ? void() : Everything();
    if (piped_) return;
    static constexpr std::array<std::string_view, 14> kHarmless = {"==", "!=", "<", ">", "<=", ">=", "+",
                                                                   "-",  "*",  "/", "%", "//", "?",  "\""};
    if (std::find(kHarmless.begin(), kHarmless.end(), word) == kHarmless.end()) Everything();
  }

  std::string_view text_;
  const std::vector<Token>& tokens_;
  std::vector<bool> keys_;
  bool piped_;
  std::size_t at_ = 0;
  std::vector<Level> levels_;
  std::size_t transparent_pipe_ = static_cast<std::size_t>(-1);
  std::size_t last_transparent_ = static_cast<std::size_t>(-2);
  Reach reach_;
};

}  // namespace

bool Reach::Names(std::string_view head) const {
  return std::any_of(paths.begin(), paths.end(), [&](const std::vector<std::string>& path) { return path[0] == head; });
}

Reach FindReach(std::string_view text, const std::vector<Token>& tokens, Scope scope) {
  return Finder(text, tokens, scope).Run();
}

}  // namespace puckdrop::jq
