#ifndef PUCKDROP_TESTS_FAKES_CHECK_HARNESS_H_
#define PUCKDROP_TESTS_FAKES_CHECK_HARNESS_H_

#include <memory>
#include <string>
#include <vector>

#include "checks/check.h"
#include "checks/check_context.h"
#include "checks/journey.h"
#include "puckdrop/v1/plan.pb.h"
#include "services/runtime/clock.h"
#include "tests/fakes/fake_target.h"

namespace puckdrop::fakes {

// Takes one look with one check of the registry at the fake target, with time that moves only by sleeping. A new harness
// is a new customer of a new plan: market FI, device chrome_desktop, the claims of a launch that the fake target keeps.
class CheckHarness {
 public:
  CheckHarness();
  ~CheckHarness();

  runtime::FakeClock clock;
  FakeTarget target;
  FakeObligations obligations;
  // To change before Look.
  v1::Plan plan;
  media::Player* player = nullptr;

  // The main journey, made at first use as the path of `check`; in other paths than ordering it gets the facts of an
  // ordering journey that signed up and ordered.
  checks::Journey& journey();
  // Judges; an OperationEnded becomes FAILED with its words (INCONCLUSIVE for OURS), a Judged its judgement.
  checks::Judgement Look(const std::string& check);
  // Walks another check first, for what it leaves in the journey.
  void Walk(const std::string& check);
  // The next Look is by a prober of this path, which gets the facts of the journey so far.
  void GoTo(v1::Path path);
  std::vector<v1::Evidence> evidence;

 private:
  checks::JourneyEnvironment environment_;
  int account_counter_ = 0;
  std::unique_ptr<checks::Journey> journey_;
  std::vector<v1::Fact> facts_;
  bool path_set_ = false;
};

}  // namespace puckdrop::fakes

#endif  // PUCKDROP_TESTS_FAKES_CHECK_HARNESS_H_
