// What a plan expects of the catalogue of checks: every instance, and of a run which steps walk through them.
#ifndef PUCKDROP_SERVICES_READINESS_EXPECTATIONS_H_
#define PUCKDROP_SERVICES_READINESS_EXPECTATIONS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "puckdrop/v1/fact.pb.h"
#include "puckdrop/v1/plan.pb.h"
#include "puckdrop/v1/prober_service.pb.h"
#include "puckdrop/v1/readiness_service.pb.h"
#include "services/readiness/verdict.h"

namespace puckdrop::readiness {

// What readiness judges by. Immutable.
struct Subject {
  v1::Plan plan;
  std::string digest;
  std::vector<v1::CheckDescription> catalogue;

  const v1::CheckDescription* Find(const std::string& check) const;
};

// Every instance of the plan in the order of the catalogue and of the plan's customers. A per-launch check has one.
std::vector<Instance> ExpectedInstances(const Subject& subject);

// Those of `all` that the selection names. INVALID_ARGUMENT with the word in question when a check, path or customer of
// it names nothing at all.
absl::StatusOr<std::vector<Instance>> Select(const std::vector<Instance>& all, const v1::Selection& selection);

// What one prober is asked at once: one customer, one stage.
struct Step {
  v1::Path path = v1::PATH_UNSPECIFIED;
  std::vector<std::string> checks;
  std::vector<std::string> supporting;
};

// One stage of a customer: the steps of a layer run side by side, the layers one after another.
using Layers = std::vector<std::vector<Step>>;

struct Journey {
  std::string customer;
  std::map<v1::Stage, Layers> stages;
  // Known before it begins: the standing account that is watched.
  std::vector<v1::Fact> facts;
};

// The journeys that judge `selected`, with the checks these stand on as supporting ones. What is not judged is walked
// only where something judged stands on it. A per-launch check is walked with the first journey.
std::vector<Journey> PlanJourneys(const Subject& subject, const std::vector<Instance>& selected);

// Whether an instance can be asked without creating anything: the check says so, and its customer has a standing
// account with a subscription where it needs one.
bool CanBeWatched(const Subject& subject, const Instance& instance);

// The walks that watch those of `selected` that can be: as visitors, or as the standing account that has a
// subscription. What only an order can tell is neither walked nor stood on.
std::vector<Journey> PlanWatches(const Subject& subject, const std::vector<Instance>& selected);

// Each path's static share of the plan's limits, weighted by what it is asked: their sum never exceeds the plan's. A
// limit the plan does not set is the tool's default. `at_once` is how many paths may be under way at a time: fewer than
// there are when the plan allows fewer requests in flight than paths. `portion` of them all is shared out, where other
// runs have the rest.
struct LimitShares {
  std::map<v1::Path, v1::LimitShare> by_path;
  int paths_at_once = 0;
};
LimitShares ShareLimits(const Subject& subject, const std::vector<Journey>& journeys, double portion = 1,
                        double orders_portion = 1);

// The verdict's input that the plan alone decides: launch, expectations, promises, waivers (not looked at), coverage,
// vantages.
// `expected_of_plan` is how many instances the plan has, where the caller knows.
VerdictInput InputOf(const Subject& subject, std::vector<Instance> expected, bool filtered, int expected_of_plan = -1);

// As the verdict wants a waiver; `number` is what it is known by (WaiverState.waiver).
WaiverInput InputOf(const v1::Waiver& waiver, const std::string& time_zone, int number);

// The first moment after that day ends in that time zone; InfinitePast when either is not one.
absl::Time EndOfDay(const std::string& date, const std::string& time_zone);

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_EXPECTATIONS_H_
