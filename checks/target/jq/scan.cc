#include "checks/target/jq/scan.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "checks/target/jq/reach.h"
#include "checks/target/jq/tokens.h"

namespace puckdrop::jq {
namespace {

struct Refused {
  std::string_view name;
  std::string_view why;
};

constexpr std::array<Refused, 20> kRefused = {{
    {"env", "expressions do not see the environment; the plan takes it in with ${NAME}"},
    {"input", "an expression has one input only"},
    {"inputs", "an expression has one input only"},
    {"debug", "an expression writes nothing"},
    {"stderr", "an expression writes nothing"},
    {"input_filename", "an expression reads no file"},
    {"input_line_number", "an expression reads no file"},
    {"halt", "an expression cannot end the program"},
    {"halt_error", "an expression cannot end the program; use error(\"why\")"},
    {"import", "expressions have no modules"},
    {"include", "expressions have no modules; the plan itself has include:"},
    {"modulemeta", "expressions have no modules"},
    {"get_search_list", "expressions have no modules"},
    {"get_jq_origin", "expressions have no modules"},
    {"get_prog_origin", "expressions have no modules"},
    {"localtime", "this machine's time zone says nothing about the launch; use in_zone(format; zone)"},
    {"strflocaltime", "this machine's time zone says nothing about the launch; use in_zone(format; zone)"},
    {"__loc__", "an expression's own line is not known to it"},
    {"ENV", "expressions do not see the environment; the plan takes it in with ${NAME}"},
    {"jq_debug", "an expression writes nothing"},
}};

const std::array<std::string_view, 10> kFormats = {"@text", "@json", "@csv",    "@tsv",     "@html",
                                                   "@uri",  "@sh",   "@base64", "@base64d", "@base32"};

ProgramError ErrorAt(std::string_view text, std::size_t begin, std::size_t end, std::string message) {
  ProgramError error;
  LocateOffset(text, begin, &error.line, &error.column);
  error.length = std::max<int>(1, static_cast<int>(end - begin));
  error.message = std::move(message);
  return error;
}

bool Contains(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace

void LocateOffset(std::string_view text, std::size_t offset, int* line, int* column) {
  offset = std::min(offset, text.size());
  *line = 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
  const std::size_t newline = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
  *column = static_cast<int>(newline == std::string_view::npos ? offset + 1 : offset - newline);
}

std::string TokenAt(std::string_view text, std::size_t offset) {
  const Lexed lexed = Lex(text);
  for (const Token& token : lexed.tokens) {
    if (token.begin <= offset && offset < token.end)
      return std::string(text.substr(token.begin, token.end - token.begin));
  }
  return "";
}

std::string NearestName(std::string_view name, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, (name.size() + 1) / 3) + 1;
  std::vector<std::size_t> before;
  std::vector<std::size_t> row;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > name.size() + best_distance || name.size() > candidate.size() + best_distance) continue;
    before.resize(candidate.size() + 1);
    for (std::size_t j = 0; j <= candidate.size(); ++j) before[j] = j;
    for (std::size_t i = 1; i <= name.size(); ++i) {
      row.assign(candidate.size() + 1, i);
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        const bool same = std::tolower(static_cast<unsigned char>(name[i - 1])) ==
                          std::tolower(static_cast<unsigned char>(candidate[j - 1]));
        row[j] = std::min({before[j] + 1, row[j - 1] + 1, before[j - 1] + (same ? 0U : 1U)});
      }
      std::swap(before, row);
    }
    if (before[candidate.size()] < best_distance && before[candidate.size()] < name.size()) {
      best_distance = before[candidate.size()];
      best = candidate;
    }
  }
  return best;
}

Scan ScanProgram(const Program& program) {
  Scan scan;
  const std::string_view text = program.text;
  const auto fail = [&](std::size_t begin, std::size_t end, std::string message) {
    scan.errors.push_back(ErrorAt(text, begin, end, std::move(message)));
  };
  if (text.size() > kMaxProgramBytes) {
    fail(0, 1, absl::StrCat("the expression is longer than ", kMaxProgramBytes, " bytes"));
    return scan;
  }
  for (const std::string& name : program.names) {
    if (name.empty() || name.size() > 200 || !IsNameStart(name[0]) ||
        !std::all_of(name.begin(), name.end(), IsNameChar) || name.substr(0, 2) == "__") {
      fail(0, 1,
           absl::StrCat("the saved name '", name.substr(0, 60),
                        "' cannot be used in expressions: names are letters, digits and '_'"));
      return scan;
    }
  }
  Lexed lexed = Lex(text);
  if (!lexed.bad.empty()) {
    fail(lexed.bad_offset, lexed.bad_offset + 1, std::move(lexed.bad));
    return scan;
  }
  if (lexed.tokens.empty()) {
    fail(0, 1, "the expression is empty");
    return scan;
  }

  scan.compilable = true;
  const std::vector<Token>& tokens = lexed.tokens;
  const std::vector<bool> keys = KeyPlaces(text, tokens);
  std::vector<std::string> known = StandardNames();
  known.insert(known.end(), program.names.begin(), program.names.end());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    const std::string_view word = text.substr(token.begin, token.end - token.begin);
    if (word == "$" && token.kind == Kind::kOther) {
      fail(token.begin, token.end, "a name must follow '$' at once");
      scan.compilable = false;
    }
    if (token.kind == Kind::kFormat && std::find(kFormats.begin(), kFormats.end(), word) == kFormats.end()) {
      const std::string near = NearestName(word, std::vector<std::string>(kFormats.begin(), kFormats.end()));
      fail(token.begin, token.end,
           absl::StrCat("unknown format '", std::string(word), "'",
                        near.empty() ? "" : absl::StrCat(": did you mean '", near, "'?")));
      continue;
    }
    if (token.kind == Kind::kVariable && Contains(known, word.substr(1)) && !Contains(scan.variables, word.substr(1))) {
      scan.variables.emplace_back(word.substr(1));
    }
    if ((token.kind == Kind::kName && !keys[i]) || token.kind == Kind::kVariable) {
      const std::string_view name = token.kind == Kind::kVariable ? word.substr(1) : word;
      const auto* refused =
          std::find_if(kRefused.begin(), kRefused.end(), [&](const Refused& r) { return r.name == name; });
      // `$input` is a variable like any other; `ENV` and `__loc__` exist as variables only.
      const bool special = name == "ENV" || name == "__loc__";
      if (refused != kRefused.end() && special == (token.kind == Kind::kVariable)) {
        fail(token.begin, token.end,
             absl::StrCat("'", std::string(word), "' cannot be used: ", std::string(refused->why)));
        scan.compilable = false;
      } else if (name.substr(0, 2) == "__") {
        fail(token.begin, token.end,
             absl::StrCat("'", std::string(word), "' cannot be used: names that begin with '__' are ours"));
        scan.compilable = false;
      } else if (name.find("::") != std::string_view::npos) {
        fail(token.begin, token.end, "expressions have no modules");
        scan.compilable = false;
      }
    }
  }
  // The first word of an expression is taken from the input, which holds the known names only: another one is always
  // null.
  if (program.scope == Scope::kContext && tokens[0].kind == Kind::kField) {
    const std::string name(text.substr(tokens[0].begin + 1, tokens[0].end - tokens[0].begin - 1));
    if (!Contains(known, name)) {
      const std::string near = NearestName(name, known);
      fail(tokens[0].begin, tokens[0].end,
           absl::StrCat("nothing is called '.", name, "' here",
                        near.empty() ? absl::StrCat(": an expression sees .", absl::StrJoin(known, " ."))
                                     : absl::StrCat(": did you mean '.", near, "'?")));
    }
  }

  bool whole = false;  // `.` alone, `..`, keys: may reach the body without naming it
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view word = text.substr(tokens[i].begin, tokens[i].end - tokens[i].begin);
    if (word == ".." || word == "recurse" || word == "to_entries" || word == "with_entries" || word == "walk")
      whole = true;
    // `.` as the very first word, or `.[`: the whole input is at hand.
    if (i == 0 && word == "." && program.scope == Scope::kContext) whole = true;
  }
  scan.reach = FindReach(text, tokens, program.scope);
  const auto reaches = [&](std::string_view name) {
    return scan.reach.everything ? text.find(name) != std::string_view::npos : scan.reach.Names(name);
  };
  scan.looks_at_body = (whole && scan.reach.everything) || reaches("body");
  scan.looks_at_body_base64 = reaches("body_base64");
  return scan;
}

ProgramError HumanError(const Program& program, ProgramId id, std::string_view jq_message, std::size_t offset) {
  const std::string_view text = program.text;
  std::string message(jq_message);
  const auto strip = [&message](std::string_view what) {
    const std::size_t at = message.find(what);
    if (at != std::string::npos) message.erase(at, what.size());
  };
  strip("jq: error: ");
  strip(" (Unix shell quoting issues?)");
  const std::string token = TokenAt(text, offset);
  std::size_t length = std::max<std::size_t>(1, token.size());

  const std::size_t undefined = message.rfind(" is not defined");
  if (message.find("syntax error") == 0) {
    std::string expecting;
    const std::size_t at = message.find(", expecting ");
    // jq's names of its own tokens mean nothing to the reader; a sign between quotes does.
    if (at != std::string::npos && message[at + 12] == '\'' && message.find(" or ", at) == std::string::npos) {
      expecting = absl::StrCat("; here comes ", message.substr(at + 12));
    }
    if (offset >= text.size() || token.empty()) {
      message = "the expression ends too early";
    } else {
      message = absl::StrCat("unexpected '", token.substr(0, 40), "'", expecting);
    }
  } else if (message.find("Possibly unterminated") == 0) {
    message =
        absl::StrCat("this '", token, "' is not complete", token == "if" ? ": it needs 'then', 'else' and 'end'" : "");
  } else if (message.find("Division by zero") == 0) {
    message = "division by zero";
  } else if (undefined != std::string::npos) {
    const std::string name = message.substr(0, undefined);
    if (!name.empty() && name[0] == '$') {
      std::vector<std::string> known = StandardNames();
      known.insert(known.end(), program.names.begin(), program.names.end());
      const std::string near = NearestName(name.substr(1), known);
      message = absl::StrCat("nothing is called '", name, "'",
                             near.empty() ? "" : absl::StrCat(": did you mean '$", near, "'?"));
    } else {
      const std::size_t slash = name.rfind('/');
      const std::string bare = name.substr(0, slash);
      std::vector<std::string> arities;
      std::vector<std::string> names;
      for (const std::string& function : KnownFunctions()) {
        const std::size_t cut = function.rfind('/');
        names.push_back(function.substr(0, cut));
        if (names.back() == bare) arities.push_back(function.substr(cut + 1));
      }
      if (!arities.empty()) {
        message = absl::StrCat("'", bare, "' takes ", absl::StrJoin(arities, " or "),
                               arities == std::vector<std::string>{"1"} ? " argument" : " arguments", ", not ",
                               slash == std::string::npos ? "0" : name.substr(slash + 1));
      } else {
        const std::string near = NearestName(bare, names);
        message = absl::StrCat("unknown function '", bare, "'",
                               near.empty() ? "" : absl::StrCat(": did you mean '", near, "'?"));
      }
      length = std::max<std::size_t>(1, bare.size());
    }
  }
  ProgramError error =
      ErrorAt(text, std::min(offset, text.size()), std::min(offset, text.size()) + length, std::move(message));
  error.program = id;
  return error;
}

}  // namespace puckdrop::jq
