#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "checks/plan/semantics.h"
#include "checks/plan/suggest.h"
#include "checks/plan/template.h"

namespace puckdrop::plan {
namespace {

// What the compiler takes at once, with room for what others add.
constexpr std::size_t kMostExpressions = 4000;

bool IsNameCharacter(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// The names that something with steps may use: the standard ones, its own, and those of the fragments it uses.
class NamesOfScopes {
 public:
  explicit NamesOfScopes(const Reading& reading) : reading_(reading) {
    for (const auto& [path, scope] : reading.scopes) everywhere_.insert(scope.saved.begin(), scope.saved.end());
    everywhere_.insert(reading.arguments.begin(), reading.arguments.end());
  }

  const std::vector<std::string>& Of(const std::string& scope) {
    const auto known = cache_.find(scope);
    if (known != cache_.end()) return known->second;
    std::set<std::string> names;
    if (absl::StartsWith(scope, "fragments.")) {
      // A fragment sees its arguments and what its users saved, and who uses it may be another file's business.
      names = everywhere_;
    } else {
      std::set<std::string> seen;
      Collect(scope, &names, &seen);
    }
    std::vector<std::string> list = StandardNames();
    for (const std::string& name : names) {
      if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
    }
    return cache_.emplace(scope, std::move(list)).first->second;
  }

 private:
  void Collect(const std::string& scope, std::set<std::string>* names, std::set<std::string>* seen) {
    if (!seen->insert(scope).second) return;
    const auto found = reading_.scopes.find(scope);
    if (found == reading_.scopes.end()) return;
    names->insert(found->second.saved.begin(), found->second.saved.end());
    for (const auto& [fragment, at] : found->second.uses) Collect(absl::StrCat("fragments.", fragment), names, seen);
    // A fragment given as an argument may save names too.
    if (!found->second.uses.empty()) names->insert(reading_.arguments.begin(), reading_.arguments.end());
  }

  const Reading& reading_;
  std::set<std::string> everywhere_;
  std::map<std::string, std::vector<std::string>> cache_;
};

}  // namespace

const std::vector<std::string>& StandardNames() {
  static const auto* const kNames =
      new std::vector<std::string>{"status",   "headers", "cookies", "body",     "body_base64", "page",     "url",
                                   "location", "hops",    "items",   "trailers", "request",     "customer", "device",
                                   "payment",  "journey", "secrets", "launch",   "run",         "each",     "session"};
  return *kNames;
}

void CheckExpressions(const v1::Plan& plan, const Reading& reading, const CompileExpressions& compile,
                      Mistakes* mistakes) {
  NamesOfScopes names(reading);
  const auto place = [](const ExpressionUse& use, std::size_t offset) {
    return ToLocation(PositionAt(use.position, use.program, offset));
  };
  std::vector<ExpressionSource> sources;
  if (reading.expressions.size() > kMostExpressions) {
    mistakes->Add(place(reading.expressions[kMostExpressions], 0),
                  absl::StrCat("a plan may have at most ", kMostExpressions, " expressions; this one is beyond"));
    return;
  }
  for (const ExpressionUse& use : reading.expressions) {
    const std::vector<std::string>& known = names.Of(use.scope);
    sources.push_back({use.program, known, use.of_item});
    if (use.of_item || reading.unsure.contains(ToLocation(use.position))) continue;
    // Only at the very beginning is `.` surely the object of all names.
    const std::size_t begin = use.program.find_first_not_of(" \t\r\n(");
    if (begin == std::string::npos || use.program[begin] != '.') continue;
    std::size_t end = begin + 1;
    while (end < use.program.size() && IsNameCharacter(use.program[end])) ++end;
    const std::string name = use.program.substr(begin + 1, end - begin - 1);
    if (name.empty() || absl::ascii_isdigit(static_cast<unsigned char>(name[0]))) continue;
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      mistakes->Add(place(use, begin), absl::StrCat("`.", name, "` is nothing an expression sees here"),
                    DidYouMean(name, known));
    }
  }
  if (!compile || sources.empty()) return;
  for (const ExpressionError& error : compile(sources)) {
    if (error.expression >= reading.expressions.size()) continue;
    const ExpressionUse& use = reading.expressions[error.expression];
    mistakes->Add(place(use, error.offset), error.message);
  }
}

}  // namespace puckdrop::plan
