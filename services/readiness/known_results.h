// The newest result of every instance, and how old it is: what the verdict of a service rests on.
#ifndef PUCKDROP_SERVICES_READINESS_KNOWN_RESULTS_H_
#define PUCKDROP_SERVICES_READINESS_KNOWN_RESULTS_H_

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/time/time.h"
#include "puckdrop/v1/result.pb.h"
#include "services/readiness/verdict.h"

namespace puckdrop::readiness {

// Bounded by the plan's instances and vantages. Ages are counted on the steady clock from a result's arrival, so that a
// wall clock that jumps, here or at a prober, makes nothing older or younger. Loop thread only.
class KnownResults {
 public:
  // Who counts as a vantage of its own; empty: all are one.
  void SetVantages(const std::vector<std::string>& names) { vantages_ = {names.begin(), names.end()}; }

  // `now` is steady. Later ones take the place of earlier ones, but:
  // - what a journey could not ask because it stands on something else does not take the place of what a standing
  //   subscriber saw, while that counts;
  // - a result of a run that began before the one whose result is known does not count any more (`run_began`, steady).
  void Keep(const v1::Result& result, absl::Duration now, absl::Duration run_began, bool watched);
  // Results of an earlier life: as old as their times say. One that lies in the future is as old as can be.
  void Restore(const std::vector<v1::Result>& results, absl::Time wall, absl::Duration now);
  // A run told its configuration after its results.
  void SetConfiguration(const v1::Result& result);
  // Forgets everything whose check and customer are not expected.
  void Retain(const std::vector<Instance>& expected);

  // Fills results and their ages. `age_limit` is what the pace in force now allows; a result counts as long as it may
  // by the pace it was taken at or by this one, whichever is longer: a shorter one counts only with the first result
  // taken at it.
  using AgeLimit = std::function<std::optional<absl::Duration>(const std::string& check, const std::string& customer)>;
  void Feed(absl::Duration now, const AgeLimit& age_limit, VerdictInput* input) const;

  // Newest first; those of one check and customer, or of all for "".
  std::vector<const v1::Result*> List(const std::string& check, const std::string& customer) const;
  size_t size() const { return known_.size(); }

 private:
  struct Known {
    v1::Result result;
    absl::Duration arrived;  // steady
    absl::Duration run_began;
    bool watched = false;
  };
  using Key = std::tuple<std::string, std::string, std::string>;  // check, customer, vantage
  Key KeyOf(const v1::Result& result) const;

  std::set<std::string> vantages_;
  std::map<Key, Known> known_;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_KNOWN_RESULTS_H_
