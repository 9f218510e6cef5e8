#include "checks/plan/mistake.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"

namespace puckdrop::plan {
namespace {

constexpr std::size_t kWidth = 100;
// Of a line that is quoted; a thousand mistakes may stand on one line.
constexpr std::size_t kLongestLine = 4096;

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// The line as characters, each safe to print.
std::vector<std::string> Characters(absl::string_view line) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < line.size();) {
    std::size_t end = i + 1;
    while (end < line.size() && IsContinuation(line[end])) ++end;
    const unsigned char c = static_cast<unsigned char>(line[i]);
    const absl::string_view character = line.substr(i, end - i);
    // U+0080 to U+009F drive some terminals too; U+2028 to U+202E and U+2066 to U+2069 turn or break the line.
    const bool c1 = character.size() == 2 && c == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
    const bool turns = character.size() == 3 && c == 0xe2 &&
                       ((character[1] == '\x80' && static_cast<unsigned char>(character[2]) >= 0xa8 &&
                         static_cast<unsigned char>(character[2]) <= 0xae) ||
                        (character[1] == '\x81' && static_cast<unsigned char>(character[2]) >= 0xa6 &&
                         static_cast<unsigned char>(character[2]) <= 0xa9));
    if (c == '\t') {
      out.emplace_back(" ");
    } else if (c < 0x20 || c == 0x7f || c1 || turns) {
      out.emplace_back("?");
    } else {
      out.emplace_back(character);
    }
    i = end;
  }
  return out;
}

std::string Printable(absl::string_view text) {
  std::string out;
  for (const std::string& character : Characters(text)) out += character;
  return out;
}

}  // namespace

SourceFile::SourceFile(std::string file_name, std::string file_text)
    : name(std::move(file_name)), text(std::move(file_text)) {
  line_starts.push_back(0);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') line_starts.push_back(i + 1);
  }
}

absl::string_view SourceFile::Line(std::uint32_t line) const {
  if (line == 0 || line > line_starts.size()) return {};
  const std::size_t begin = line_starts[line - 1];
  std::size_t end = line < line_starts.size() ? line_starts[line] - 1 : text.size();
  if (end > begin && text[end - 1] == '\r') --end;
  return absl::string_view(text).substr(begin, end - begin);
}

std::string ToText(const Mistake& mistake) {
  std::string out = Printable(mistake.file);
  if (mistake.line != 0) absl::StrAppend(&out, ":", mistake.line, ":", mistake.column);
  absl::StrAppend(&out, ": ", Printable(mistake.message), "\n");
  if (!mistake.source_line.empty() && mistake.line != 0) {
    const std::vector<std::string> characters = Characters(mistake.source_line);
    const std::size_t caret = std::min<std::size_t>(mistake.column - 1, characters.size());
    const std::size_t first = caret > kWidth * 3 / 4 ? caret - kWidth * 3 / 4 : 0;
    const std::size_t last = std::min(characters.size(), first + kWidth);
    const std::string number = absl::StrCat(mistake.line);
    absl::StrAppend(&out, "  ", number, " | ", first > 0 ? "…" : "");
    for (std::size_t i = first; i < last; ++i) out += characters[i];
    absl::StrAppend(&out, last < characters.size() ? "…" : "", "\n  ", std::string(number.size(), ' '), " | ",
                    std::string(caret - first + (first > 0 ? 1 : 0), ' '), "^\n");
  }
  if (!mistake.hint.empty()) absl::StrAppend(&out, "  hint: ", Printable(mistake.hint), "\n");
  return out;
}

std::string ToText(const std::vector<Mistake>& mistakes) {
  std::string out;
  for (const Mistake& mistake : mistakes) out += ToText(mistake);
  return out;
}

void Mistakes::Add(const Location& at, std::string message, std::string hint) {
  if (found_.size() >= kMost) return;
  Mistake mistake;
  if (at.file < sources_.size()) {
    mistake.file = sources_[at.file].name;
    const absl::string_view line = sources_[at.file].Line(at.line);
    if (line.size() <= kLongestLine) mistake.source_line = std::string(line);
  }
  mistake.line = at.line;
  mistake.column = at.column;
  mistake.message = std::move(message);
  mistake.hint = std::move(hint);
  found_.push_back({at, std::move(mistake)});
}

void Mistakes::AddSecretly(const Location& at, std::string message, std::string hint) {
  const std::size_t before = found_.size();
  Add(at, std::move(message), std::move(hint));
  if (found_.size() > before) found_.back().mistake.source_line.clear();
}

void Mistakes::AddForFile(std::string file, std::string message, std::string hint) {
  if (found_.size() >= kMost) return;
  Mistake mistake;
  mistake.file = std::move(file);
  mistake.message = std::move(message);
  mistake.hint = std::move(hint);
  found_.push_back({Location{}, std::move(mistake)});
}

std::string Mistakes::Describe(const Location& at) const {
  if (at.file >= sources_.size()) return "an unknown place";
  return absl::StrCat(sources_[at.file].name, ":", at.line, ":", at.column);
}

std::vector<Mistake> Mistakes::Sorted() const {
  std::vector<Found> sorted = found_;
  std::sort(sorted.begin(), sorted.end(), [](const Found& a, const Found& b) {
    return std::tie(a.at, a.mistake.file, a.mistake.message) < std::tie(b.at, b.mistake.file, b.mistake.message);
  });
  std::vector<Mistake> out;
  for (Found& found : sorted) {
    const bool again =
        !out.empty() &&
        std::tie(out.back().file, out.back().line, out.back().column, out.back().message) ==
            std::tie(found.mistake.file, found.mistake.line, found.mistake.column, found.mistake.message);
    if (!again) out.push_back(std::move(found.mistake));
  }
  return out;
}

}  // namespace puckdrop::plan
