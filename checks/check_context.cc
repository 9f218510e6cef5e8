#include "checks/check_context.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace puckdrop::checks {
namespace {

double InNumbers(const v1::Plan::Threshold& threshold) {
  if (threshold.kind_case() == v1::Plan::Threshold::kDuration) {
    return static_cast<double>(threshold.duration().seconds()) + threshold.duration().nanos() / 1e9;
  }
  return threshold.number();
}

}  // namespace

CheckContext::CheckContext(Parts parts) : parts_(std::move(parts)) {}

double CheckContext::Parameter(std::string_view name, double otherwise) const {
  for (const v1::Plan::CheckSettings& settings : plan().checks()) {
    if (settings.check() != info().id) continue;
    for (const v1::Plan::NamedThreshold& parameter : settings.parameters()) {
      if (parameter.name() == name) return InNumbers(parameter.value());
    }
  }
  return otherwise;
}

Journey& CheckContext::SideJourney(std::string_view label) {
  side_journeys_.push_back(journey().Side(label));
  side_journeys_.back()->set_check(info().id);
  return *side_journeys_.back();
}

media::Player& CheckContext::player() const {
  if (parts_.player == nullptr) {
    throw Judged(Skipped(v1::SKIP_CAUSE_TOOL_MISSING, "this prober was built without a media player"));
  }
  return *parts_.player;
}

void CheckContext::Progress(const std::string& text) const {
  if (parts_.progress) parts_.progress(text);
}

void CheckContext::AddEvidence(v1::Evidence evidence) { evidence_.push_back(std::move(evidence)); }

void CheckContext::AddNumbers(std::string title, std::string json) {
  v1::Evidence evidence;
  evidence.set_kind(v1::Evidence::KIND_NUMBERS);
  evidence.set_media_type("application/json");
  evidence.set_title(std::move(title));
  evidence.set_content(std::move(json));
  AddEvidence(std::move(evidence));
}

std::vector<v1::Evidence> CheckContext::TakeEvidence() { return std::exchange(evidence_, {}); }

}  // namespace puckdrop::checks
