#include "checks/target/jq/program.h"

#include "absl/strings/str_cat.h"

namespace puckdrop::jq {

std::string PlanPosition::ToString() const {
  std::string text = file;
  if (line > 0) absl::StrAppend(&text, text.empty() ? "" : ":", line);
  if (line > 0 && column > 0) absl::StrAppend(&text, ":", column);
  return text;
}

ProgramId ProgramSet::Add(Program program) {
  std::string key = absl::StrCat(static_cast<int>(program.scope), "\n", program.position.ToString(), "\n");
  for (const std::string& name : program.names) absl::StrAppend(&key, name, " ");
  absl::StrAppend(&key, "\n", program.text);
  const auto [at, is_new] = ids_.try_emplace(std::move(key), static_cast<ProgramId>(programs_.size()));
  if (is_new) programs_.push_back(std::move(program));
  return at->second;
}

}  // namespace puckdrop::jq
