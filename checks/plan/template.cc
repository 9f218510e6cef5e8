#include "checks/plan/template.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace puckdrop::plan {
namespace {

// Nesting is remembered one character a level: the bracket that is open, or '"' for a string.
constexpr std::size_t kDeepest = 256;

// Gives the offset of the `}}` that ends the hole whose program begins at `begin`, or an error.
std::optional<std::size_t> EndOfHole(absl::string_view text, std::size_t begin, std::string* problem) {
  std::string open;
  for (std::size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    if (!open.empty() && open.back() == '"') {
      if (c == '\\' && i + 1 < text.size()) {
        ++i;
        if (text[i] == '(') open.push_back('(');
      } else if (c == '"') {
        open.pop_back();
      }
      continue;
    }
    if (c == '"') {
      open.push_back('"');
    } else if (c == '#') {
      // A jq comment runs to the end of the line.
      while (i + 1 < text.size() && text[i + 1] != '\n') ++i;
    } else if (c == '(' || c == '[' || c == '{') {
      open.push_back(c);
    } else if (c == ')' || c == ']' || c == '}') {
      if (open.empty()) {
        if (c == '}' && i + 1 < text.size() && text[i + 1] == '}') return i;
        *problem = absl::StrCat("`", std::string(1, c), "` closes nothing in this hole");
        return std::nullopt;
      }
      const char wanted = open.back() == '(' ? ')' : open.back() == '[' ? ']' : '}';
      if (c != wanted) {
        *problem =
            absl::StrCat("`", std::string(1, c), "` where `", std::string(1, wanted), "` should close a bracket");
        return std::nullopt;
      }
      open.pop_back();
    }
    if (open.size() > kDeepest) {
      *problem = "brackets are nested too deeply in this hole";
      return std::nullopt;
    }
  }
  if (!open.empty() && open.back() == '"') {
    *problem = "a string inside this hole is never closed";
  } else if (!open.empty()) {
    *problem = absl::StrCat("a `", std::string(1, open.back()), "` inside this hole is never closed");
  } else {
    *problem = "this hole is never closed with `}}`";
  }
  return std::nullopt;
}

}  // namespace

ParsedTemplate ParseTemplate(absl::string_view text) {
  ParsedTemplate out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t hole = text.find("{{", at);
    if (hole == absl::string_view::npos) {
      out.parts.push_back({false, std::string(text.substr(at)), at});
      break;
    }
    if (hole > at) out.parts.push_back({false, std::string(text.substr(at, hole - at)), at});
    std::string problem;
    const std::optional<std::size_t> end = EndOfHole(text, hole + 2, &problem);
    if (!end.has_value()) {
      out.error = TemplateError{hole, problem};
      return out;
    }
    const absl::string_view inside = text.substr(hole + 2, *end - hole - 2);
    const absl::string_view program = absl::StripAsciiWhitespace(inside);
    if (program.empty()) {
      out.error = TemplateError{hole, "this hole is empty"};
      return out;
    }
    out.parts.push_back({true, std::string(program), static_cast<std::size_t>(program.data() - text.data())});
    at = *end + 2;
  }
  return out;
}

bool IsOneHole(const v1::Template& text) { return text.parts_size() == 1 && text.parts(0).has_hole(); }

std::optional<std::string> LiteralText(const v1::Template& text) {
  std::string out;
  for (const v1::TemplatePart& part : text.parts()) {
    if (part.has_hole()) return std::nullopt;
    out += part.literal();
  }
  return out;
}

v1::SourcePosition PositionAt(const v1::SourcePosition& position, absl::string_view text, std::size_t offset) {
  v1::SourcePosition out = position;
  if (!position.verbatim()) return out;
  offset = std::min(offset, text.size());
  const absl::string_view before = text.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const absl::string_view line = newline == absl::string_view::npos ? before : before.substr(newline + 1);
  const auto characters =
      std::count_if(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
  out.set_line(position.line() + static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n')));
  out.set_column(position.column() + static_cast<std::uint32_t>(characters));
  return out;
}

std::string ToText(const v1::Plan& plan, const v1::SourcePosition& position) {
  if (position.line() == 0 || position.file() >= static_cast<std::uint32_t>(plan.source_files_size())) return "";
  return absl::StrCat(plan.source_files(static_cast<int>(position.file())), ":", position.line(), ":",
                      position.column());
}

}  // namespace puckdrop::plan
