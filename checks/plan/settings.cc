#include "checks/plan/settings.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "checks/plan/text_forms.h"

namespace puckdrop::plan {
namespace {

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

template <typename List>
auto FindByName(const List& list, absl::string_view name) -> decltype(&*list.begin()) {
  for (const auto& item : list) {
    if (item.name() == name) return &item;
  }
  return nullptr;
}

template <typename List>
auto FindById(const List& list, absl::string_view id) -> decltype(&*list.begin()) {
  for (const auto& item : list) {
    if (item.id() == id) return &item;
  }
  return nullptr;
}

}  // namespace

v1::Plan::CheckSettings SettingsFor(const v1::Plan& plan, absl::string_view check_id) {
  std::vector<std::pair<std::ptrdiff_t, int>> matching;
  for (int i = 0; i < plan.checks_size(); ++i) {
    const std::string& pattern = plan.checks(i).check();
    if (!MatchesPattern(pattern, check_id)) continue;
    matching.emplace_back(std::count_if(pattern.begin(), pattern.end(), [](char c) { return c != '*'; }), i);
  }
  // Their place in the plan decides between equals.
  std::sort(matching.begin(), matching.end());
  v1::Plan::CheckSettings out;
  for (const auto& [letters, index] : matching) {
    const v1::Plan::CheckSettings* settings = &plan.checks(index);
    // A merge would join a duration of one with a number of the other, and list a parameter twice.
    if (settings->has_warn()) out.clear_warn();
    if (settings->has_fail()) out.clear_fail();
    std::vector<v1::Plan::NamedThreshold> parameters(out.parameters().begin(), out.parameters().end());
    out.clear_parameters();
    // Durations merge field by field too: `1s` over `500ms` must not be 1.5 s.
    if (settings->has_every()) out.clear_every();
    if (settings->has_timeout()) out.clear_timeout();
    if (settings->has_max_age()) out.clear_max_age();
    if (settings->has_observe()) out.clear_observe();
    out.MergeFrom(*settings);
    for (const v1::Plan::NamedThreshold& parameter : parameters) {
      if (FindByName(settings->parameters(), parameter.name()) == nullptr) *out.add_parameters() = parameter;
    }
  }
  out.set_check(std::string(check_id));
  return out;
}

double ThresholdValue(const v1::Plan::Threshold& threshold) {
  return threshold.has_duration() ? absl::ToDoubleSeconds(ToDuration(threshold.duration())) : threshold.number();
}

const v1::Plan::NotJudged* FindNotJudged(const v1::Plan& plan, absl::string_view check_id, absl::string_view customer) {
  for (const v1::Plan::NotJudged& entry : plan.not_judged()) {
    if (MatchesPattern(entry.check(), check_id) && (entry.customer().empty() || entry.customer() == customer)) {
      return &entry;
    }
  }
  return nullptr;
}

const v1::Plan::Operation* FindOperation(const v1::Plan& plan, absl::string_view id) {
  return FindById(plan.operations(), id);
}
const v1::Plan::Host* FindHost(const v1::Plan& plan, absl::string_view name) {
  return FindByName(plan.target().hosts(), name);
}
const v1::Plan::Session* FindSession(const v1::Plan& plan, absl::string_view name) {
  return FindByName(plan.sessions(), name);
}
const v1::Plan::Fragment* FindFragment(const v1::Plan& plan, absl::string_view name) {
  return FindByName(plan.fragments(), name);
}
const v1::Plan::Customer* FindCustomer(const v1::Plan& plan, absl::string_view id) {
  return FindById(plan.customers(), id);
}
const v1::Plan::Payment* FindPayment(const v1::Plan& plan, absl::string_view name) {
  return FindByName(plan.payments(), name);
}

const v1::Plan::OfferClaim* OfferFor(const v1::Plan& plan, const v1::Plan::Customer& customer) {
  const v1::Plan::OfferClaim* elsewhere = nullptr;
  for (const v1::Plan::OfferClaim& offer : plan.claims().offers()) {
    if (!customer.offer_id().empty() && offer.offer_id() != customer.offer_id()) continue;
    if (offer.market() == customer.market()) return &offer;
    if (offer.market().empty() && elsewhere == nullptr) elsewhere = &offer;
  }
  return elsewhere;
}

std::optional<int> VatFor(const v1::Plan& plan, const v1::Plan::OfferClaim& offer, absl::string_view market) {
  if (offer.has_vat()) return offer.vat();
  for (const v1::Plan::VatClaim& vat : plan.claims().vat()) {
    if (vat.market() == market) return vat.rate();
  }
  return std::nullopt;
}

bool Returns(const v1::Plan::Operation& operation, absl::string_view field_path) {
  const v1::Plan::Mapping* mapping = &operation.returns();
  for (absl::string_view name : absl::StrSplit(field_path, '.')) {
    const auto found = std::find_if(mapping->fields().begin(), mapping->fields().end(),
                                    [&](const v1::Plan::MappedField& field) { return field.field() == name; });
    if (found == mapping->fields().end()) return false;
    if (!found->has_message()) return true;
    mapping = &found->message();
  }
  return true;
}

Pace PaceAt(const v1::Plan& plan, absl::Duration since_puck_drop) {
  Pace out;
  const auto shorten = [](std::optional<absl::Duration>* current, const google::protobuf::Duration& next) {
    const absl::Duration duration = ToDuration(next);
    if (!current->has_value() || duration < **current) *current = duration;
  };
  for (const v1::Plan::Phase& phase : plan.schedule()) {
    if (since_puck_drop < ToDuration(phase.from())) continue;
    if (phase.has_until() && since_puck_drop >= ToDuration(phase.until())) continue;
    if (phase.has_watch_every()) shorten(&out.watch_every, phase.watch_every());
    if (phase.has_journeys_every()) shorten(&out.journeys_every, phase.journeys_every());
  }
  return out;
}

}  // namespace puckdrop::plan
