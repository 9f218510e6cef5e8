#include "checks/plan/coverage.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "checks/plan/settings.h"

namespace puckdrop::plan {
namespace {

// The part of a field's path that a person would look for: the last two names.
std::string ShortField(const std::string& field) {
  const std::vector<std::string> parts = absl::StrSplit(field, '.');
  if (parts.size() <= 2) return field;
  return absl::StrCat(parts[parts.size() - 2], ".", parts.back());
}

// What a check lacks. An operation that is not mapped stands for its fields too: whoever maps it can return them.
struct Lack {
  std::set<std::string> operations;
  std::set<std::pair<std::string, std::string>> fields;
  bool not_asked = false;
  std::string why;  // not asked

  std::size_t size() const { return operations.size() + fields.size(); }
};

Lack LackOf(const v1::Plan& plan, const CheckNeeds& check) {
  Lack out;
  // An entry for one customer leaves the check to the others.
  if (const v1::Plan::NotJudged* entry = FindNotJudged(plan, check.id, "")) {
    out.not_asked = true;
    out.why = entry->reason();
  }
  std::set<std::string> operations(check.operations.begin(), check.operations.end());
  for (const std::string& field : check.fields) {
    operations.insert(std::string(absl::string_view(field).substr(0, field.find(':'))));
  }
  for (const std::string& id : operations) {
    const v1::Plan::Operation* operation = FindOperation(plan, id);
    if (operation == nullptr) {
      out.operations.insert(id);
    } else if (!operation->not_offered().empty()) {
      if (!out.not_asked) out.why = operation->not_offered();
      out.not_asked = true;
    }
  }
  for (const std::string& field : check.fields) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(field, absl::MaxSplits(':', 1));
    const v1::Plan::Operation* operation = FindOperation(plan, parts.first);
    if (operation != nullptr && operation->not_offered().empty() && !Returns(*operation, parts.second))
      out.fields.insert(parts);
  }
  return out;
}

}  // namespace

Coverage ComputeCoverage(const v1::Plan& plan, const std::vector<CheckNeeds>& checks) {
  Coverage out;
  std::map<std::pair<std::string, std::string>, int> gains;
  std::optional<Lack> smallest;
  for (const CheckNeeds& check : checks) {
    if (check.severity != v1::SEVERITY_BLOCKING) continue;
    ++out.blocking;
    const Lack lack = LackOf(plan, check);
    if (lack.not_asked) {
      ++out.not_asked;
      out.left_out[lack.why].push_back(check.id);
      continue;
    }
    if (lack.size() == 0) {
      ++out.judged;
      continue;
    }
    out.missing.push_back(check.id);
    std::vector<std::string>& lacks = out.lacks[check.id];
    lacks.assign(lack.operations.begin(), lack.operations.end());
    for (const auto& [operation, field] : lack.fields) lacks.push_back(absl::StrCat(operation, ":", field));
    if (!smallest.has_value() || lack.size() < smallest->size()) smallest = lack;
    if (lack.size() != 1) continue;
    if (!lack.operations.empty()) {
      ++gains[{*lack.operations.begin(), ""}];
    } else {
      ++gains[*lack.fields.begin()];
    }
  }
  std::sort(out.missing.begin(), out.missing.end());
  for (auto& [why, ids] : out.left_out) std::sort(ids.begin(), ids.end());
  for (const auto& [what, gain] : gains) out.next.push_back({what.first, what.second, gain});
  std::sort(out.next.begin(), out.next.end(), [](const NextStep& a, const NextStep& b) {
    return std::tie(b.gain, a.operation, a.field) < std::tie(a.gain, b.operation, b.field);
  });
  if (out.next.empty() && smallest.has_value()) {
    for (const std::string& operation : smallest->operations) out.next.push_back({operation, "", 0});
    for (const auto& [operation, field] : smallest->fields) out.next.push_back({operation, field, 0});
    out.next.back().gain = 1;
  }
  return out;
}

std::string ToText(const Coverage& coverage, int most) {
  std::string out = absl::StrCat(coverage.judged, " of ", coverage.blocking, " blocking checks can be judged.");
  if (coverage.not_asked > 0) {
    absl::StrAppend(&out, " ", coverage.not_asked, coverage.not_asked == 1 ? " is" : " are", " left out on purpose.");
  }
  bool first_operation = true;
  for (std::size_t i = 0; i < coverage.next.size() && i < static_cast<std::size_t>(most); ++i) {
    const NextStep& step = coverage.next[i];
    const std::string gain = step.gain > 0 ? absl::StrCat(": +", step.gain) : "";
    if (step.field.empty()) {
      absl::StrAppend(&out, first_operation ? " Map " : " Then map ", step.operation, first_operation ? " next" : "",
                      gain, ".");
      first_operation = false;
    } else {
      absl::StrAppend(&out, " Add ", ShortField(step.field), gain, ".");
    }
  }
  return out;
}

std::string Details(const Coverage& coverage) {
  std::string out;
  if (!coverage.missing.empty()) out.append("\nnot yet:\n");
  for (const std::string& id : coverage.missing) {
    std::vector<std::string> map, add;
    for (const std::string& what : coverage.lacks.at(id)) {
      const std::pair<std::string, std::string> parts = absl::StrSplit(what, absl::MaxSplits(':', 1));
      parts.second.empty() ? map.push_back(what) : add.push_back(absl::StrCat(parts.second, " of ", parts.first));
    }
    absl::StrAppend(&out, "  ", id, ": ", map.empty() ? "" : absl::StrCat("map ", absl::StrJoin(map, ", ")),
                    map.empty() || add.empty() ? "" : "; ",
                    add.empty() ? "" : absl::StrCat("return ", absl::StrJoin(add, ", ")), "\n");
  }
  if (!coverage.left_out.empty()) out.append("\nleft out on purpose:\n");
  for (const auto& [why, ids] : coverage.left_out) {
    absl::StrAppend(&out, "  ", why, "\n");
    constexpr size_t kWidth = 100;
    std::string line = "   ";
    for (size_t i = 0; i < ids.size(); ++i) {
      if (line.size() > 3 && line.size() + ids[i].size() + 2 > kWidth) {
        absl::StrAppend(&out, line, "\n");
        line = "   ";
      }
      absl::StrAppend(&line, " ", ids[i], i + 1 < ids.size() ? "," : "");
    }
    absl::StrAppend(&out, line, "\n");
  }
  return out;
}

}  // namespace puckdrop::plan
