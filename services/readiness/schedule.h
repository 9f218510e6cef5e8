// When what is due: the plan's phases, the clocks and what ran last, turned into the next run of one lane.
//
// Pure: it is told the time. The wall clock chooses the phase and nothing else; pace is counted on the steady clock, so
// that a wall clock set back or forth by an hour neither stops it nor makes a burst. After a sleep of the machine, or
// behind slow probers, what was missed is made up for once.
#ifndef PUCKDROP_SERVICES_READINESS_SCHEDULE_H_
#define PUCKDROP_SERVICES_READINESS_SCHEDULE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/readiness/expectations.h"

namespace puckdrop::readiness {

// Two kinds of runs that may be under way side by side, because they share no account: journeys order and cancel,
// watches create nothing.
enum class Lane { kJourneys, kWatch };

// Both clocks at once: `wall` for phases, `steady` for pace.
struct Moment {
  absl::Time wall;
  absl::Duration steady;
};

// The pace of the plan at that time: the tightest phase wins. A plan without a schedule has watches every 30 s and
// journeys every ten minutes; one whose phases all lie elsewhere asks for nothing (nullopt).
std::optional<absl::Duration> PaceOf(const Subject& subject, Lane lane, absl::Time wall);
// When the next phase begins, if none applies at `wall` and one is to come.
std::optional<absl::Time> NextPhase(const Subject& subject, absl::Time wall);

// How long a run of this pace may take.
absl::Duration RunLimit(Lane lane, absl::Duration interval);

// How long a result counts that is taken at this time: 3 intervals and 2 deadlines of the pace in force. nullopt when
// nothing is due now. What the plan says for the check goes before (Instance::max_age).
std::optional<absl::Duration> AgeLimit(const Subject& subject, const Instance& instance, absl::Time wall);

// Whether the instance is watched at that time: the check can be, the customer has what it takes, the phase has a pace.
bool IsWatched(const Subject& subject, const Instance& instance, absl::Time wall);

// The schedule of one lane from one vantage.
class Schedule {
 public:
  // `expected` are all instances of the plan; the lane takes its own. Of two schedules with different seeds the runs do
  // not fall on the same moments.
  Schedule(std::shared_ptr<const Subject> subject, Lane lane, const std::vector<Instance>& expected, uint64_t seed,
           Moment now);

  Lane lane() const { return lane_; }

  struct Due {
    std::vector<Instance> instances;
    absl::Duration interval;  // the shortest of theirs
    absl::Duration limit;     // of the run
  };
  // What is due now; nullopt while a run of the lane is under way or nothing is due.
  std::optional<Due> Next(Moment now) const;
  // The run of `due` has begun.
  void Started(const Due& due, Moment now);
  // It has ended. `told`: it could say what is the matter; what could not, for a reason of ours, is looked at again
  // sooner than its pace, three times in a row with growing pauses.
  void Ended(Moment now, bool told);
  // Everything is due at once, as soon as no run of the lane is under way.
  void DueNow();
  bool running() const { return running_; }

 private:
  struct Cohort {
    absl::Duration every;  // its checks' own pace; zero: the phase's
    std::vector<Instance> instances;
    bool ran = false;
    absl::Duration started;  // last, steady
    double factor = 1;       // jitter of the interval that runs
    bool in_run = false;
    bool now = false;
  };
  std::optional<absl::Duration> Interval(const Cohort& cohort, absl::Time wall) const;
  absl::Duration DueAt(const Cohort& cohort, absl::Duration interval) const;

  const std::shared_ptr<const Subject> subject_;
  const Lane lane_;
  const uint64_t seed_;
  const absl::Duration begun_;
  std::vector<Cohort> cohorts_;
  uint64_t runs_ = 0;
  bool running_ = false;
  absl::Duration ended_ = -absl::InfiniteDuration();
  absl::Duration again_ = absl::InfiniteDuration();  // at the latest, after a run that could not tell
  int untold_ = 0;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_SCHEDULE_H_
