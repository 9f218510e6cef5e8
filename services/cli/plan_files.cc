#include "services/cli/plan_files.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/media/device_profile.h"
#include "checks/plan/load.h"
#include "checks/registry.h"
#include "checks/target/catalogue.h"
#include "checks/target/jq/program.h"

namespace puckdrop::cli {
namespace {

// Byte offset of a line and column (both from 1) in a text.
size_t OffsetOf(const std::string& text, int line, int column) {
  size_t at = 0;
  for (int l = 1; l < line && at != std::string::npos; ++l) {
    const size_t end = text.find('\n', at);
    if (end == std::string::npos) return text.size();
    at = end + 1;
  }
  return std::min(text.size(), at + static_cast<size_t>(std::max(0, column - 1)));
}

}  // namespace

std::vector<v1::CheckDescription> Catalogue() {
  std::vector<v1::CheckDescription> catalogue;
  for (const checks::CheckDefinition& check : checks::AllChecks()) catalogue.push_back(checks::Describe(check.info));
  return catalogue;
}

absl::StatusOr<LoadedPlan> LoadPlan(const PlanFiles& files) {
  plan::LoadOptions options;
  options.operations = &target::Catalogue();
  for (const checks::CheckDefinition& check : checks::AllChecks()) options.check_ids.push_back(check.info.id);
  absl::StatusOr<media::DeviceProfiles> profiles = media::LoadBuiltInDeviceProfiles();
  if (!profiles.ok()) return profiles.status();
  for (const media::DeviceProfile& profile : profiles->all()) options.device_profiles.push_back(profile.id);
  absl::Status compiling;
  options.compile = [&compiling](const std::vector<plan::ExpressionSource>& sources) {
    // One set for all: the set gives the same id to what is the same, so ids are mapped back.
    jq::ProgramSet set;
    std::vector<jq::ProgramId> ids;
    for (const plan::ExpressionSource& source : sources) {
      jq::Program program;
      program.text = source.program;
      program.names = source.names;
      program.scope = source.of_item ? jq::Scope::kEach : jq::Scope::kContext;
      ids.push_back(set.Add(std::move(program)));
    }
    std::vector<plan::ExpressionError> errors;
    absl::StatusOr<std::vector<jq::ProgramError>> found = jq::CheckPrograms(set);
    if (!found.ok()) {
      compiling = found.status();
      return errors;
    }
    for (const jq::ProgramError& error : *found) {
      for (size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] != error.program) continue;
        errors.push_back({i, OffsetOf(sources[i].program, error.line, error.column), error.message});
      }
    }
    return errors;
  };

  plan::LoadResult loaded = plan::Load({files.plan}, files.overlays, options);
  if (!loaded.ok()) {
    std::string words = plan::ToText(loaded.mistakes);
    while (!words.empty() && words.back() == '\n') words.pop_back();
    return absl::InvalidArgumentError(words);
  }
  if (!compiling.ok()) {
    return absl::UnavailableError(
        absl::StrCat("the plan's expressions could not be checked: ", std::string(compiling.message())));
  }
  LoadedPlan result;
  auto subject = std::make_shared<readiness::Subject>();
  subject->plan = loaded.plan;
  subject->digest = loaded.digest;
  subject->catalogue = Catalogue();
  result.plan = std::make_shared<const v1::Plan>(std::move(loaded.plan));
  result.digest = loaded.digest;
  result.subject = std::move(subject);
  result.secrets = std::make_shared<plan::SecretStore>();
  result.files = files;
  result.forbidden_operations = std::move(loaded.forbidden_operations);
  return result;
}

}  // namespace puckdrop::cli
