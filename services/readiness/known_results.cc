#include "services/readiness/known_results.h"

#include <algorithm>

#include "services/runtime/proto_time.h"

namespace puckdrop::readiness {
namespace {

// The wall clocks of two machines differ by less.
constexpr absl::Duration kSkew = absl::Minutes(1);

absl::Duration LimitOf(const v1::Result& result) {
  return result.has_max_age() ? runtime::FromProtoDuration(result.max_age()) : absl::InfiniteDuration();
}

}  // namespace

KnownResults::Key KnownResults::KeyOf(const v1::Result& result) const {
  return {result.check(), result.customer(), vantages_.empty() ? "" : result.vantage()};
}

void KnownResults::Keep(const v1::Result& result, absl::Duration now, absl::Duration run_began, bool watched) {
  // A vantage that the plan does not name has no say, and must not fill the memory either.
  if (!vantages_.empty() && vantages_.count(result.vantage()) == 0) return;
  Known& known = known_[KeyOf(result)];
  if (!known.result.check().empty()) {
    // A watch and a journey side by side are no order of time: of those the later answer counts.
    if (known.watched == watched && run_began < known.run_began) return;
    const bool counts = known.watched && now - known.arrived <= LimitOf(known.result);
    if (!watched && counts && result.outcome() == v1::OUTCOME_BLOCKED) return;
  }
  known.result = result;
  known.arrived = now;
  known.run_began = run_began;
  known.watched = watched;
}

void KnownResults::Restore(const std::vector<v1::Result>& results, absl::Time wall, absl::Duration now) {
  for (const v1::Result& result : results) {
    if (!vantages_.empty() && vantages_.count(result.vantage()) == 0) continue;
    absl::Duration age = wall - runtime::FromTimestamp(result.end_time());
    if (age < -kSkew) age = absl::InfiniteDuration();
    const absl::Duration arrived = now - std::max(age, absl::ZeroDuration());
    Known& known = known_[KeyOf(result)];
    if (!known.result.check().empty() && known.arrived >= arrived) continue;
    known.result = result;
    known.arrived = arrived;
    known.run_began = arrived;
    known.watched = false;
  }
}

void KnownResults::SetConfiguration(const v1::Result& result) {
  const auto found = known_.find(KeyOf(result));
  if (found == known_.end() || found->second.result.run() != result.run()) return;
  if (found->second.result.configuration().empty()) {
    found->second.result.set_configuration(result.configuration());
  }
}

void KnownResults::Retain(const std::vector<Instance>& expected) {
  std::set<std::pair<std::string, std::string>> stay;
  for (const Instance& instance : expected) stay.insert({instance.check, instance.customer});
  for (auto entry = known_.begin(); entry != known_.end();) {
    const v1::Result& result = entry->second.result;
    const bool vantage = vantages_.empty() || vantages_.count(result.vantage()) > 0;
    const bool keyed = std::get<2>(entry->first) == (vantages_.empty() ? "" : result.vantage());
    const bool keep = stay.count({result.check(), result.customer()}) > 0 && vantage && keyed;
    entry = keep ? std::next(entry) : known_.erase(entry);
  }
}

void KnownResults::Feed(absl::Duration now, const AgeLimit& age_limit, VerdictInput* input) const {
  input->results.reserve(known_.size());
  input->ages.reserve(known_.size());
  for (const auto& [key, known] : known_) {
    v1::Result& result = input->results.emplace_back(known.result);
    input->ages.push_back(now - known.arrived);
    if (!result.has_max_age()) continue;
    const std::optional<absl::Duration> present = age_limit(result.check(), result.customer());
    if (present && *present > runtime::FromProtoDuration(result.max_age())) {
      *result.mutable_max_age() = runtime::ToProtoDuration(*present);
    }
  }
}

std::vector<const v1::Result*> KnownResults::List(const std::string& check, const std::string& customer) const {
  std::vector<const Known*> wanted;
  for (const auto& [key, known] : known_) {
    if (!check.empty() && known.result.check() != check) continue;
    if (!customer.empty() && known.result.customer() != customer) continue;
    wanted.push_back(&known);
  }
  std::sort(wanted.begin(), wanted.end(), [](const Known* a, const Known* b) {
    const auto key = [](const Known* one) {
      return std::tie(one->result.check(), one->result.customer(), one->result.vantage());
    };
    return a->arrived != b->arrived ? a->arrived > b->arrived : key(a) < key(b);
  });
  std::vector<const v1::Result*> results;
  for (const Known* known : wanted) results.push_back(&known->result);
  return results;
}

}  // namespace puckdrop::readiness
