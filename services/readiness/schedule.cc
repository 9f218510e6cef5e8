#include "services/readiness/schedule.h"

#include <algorithm>

#include "checks/plan/settings.h"
#include "services/runtime/proto_time.h"

namespace puckdrop::readiness {
namespace {

constexpr absl::Duration kWatchEvery = absl::Seconds(30);
constexpr absl::Duration kJourneysEvery = absl::Minutes(10);
// No pace is shorter, whatever the plan says: a run must have time to begin.
constexpr absl::Duration kShortest = absl::Seconds(1);
// Between two runs of a lane: the target and the probers draw breath.
constexpr absl::Duration kBreath = absl::Milliseconds(500);
constexpr absl::Duration kFirstAgain = absl::Seconds(5);
constexpr int kMostAgain = 3;
constexpr double kJitter = 0.1;
// The first run of a lane begins within so long, so that lanes and services do not all begin at once.
constexpr absl::Duration kFirstWithin = absl::Seconds(1);

uint64_t Mix(uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// 0 up to 1.
double Fraction(uint64_t seed, uint64_t n) {
  return static_cast<double>(Mix(seed ^ Mix(n)) >> 11) / static_cast<double>(uint64_t{1} << 53);
}

absl::Duration SincePuckDrop(const Subject& subject, absl::Time wall) {
  return wall - runtime::FromTimestamp(subject.plan.launch().puck_drop());
}

std::optional<absl::Duration> OwnPace(const Subject& subject, const std::string& check) {
  const v1::Plan::CheckSettings settings = plan::SettingsFor(subject.plan, check);
  if (!settings.has_every()) return std::nullopt;
  return std::max(kShortest, runtime::FromProtoDuration(settings.every()));
}

}  // namespace

std::optional<absl::Duration> PaceOf(const Subject& subject, Lane lane, absl::Time wall) {
  if (subject.plan.schedule().empty()) return lane == Lane::kWatch ? kWatchEvery : kJourneysEvery;
  const plan::Pace pace = plan::PaceAt(subject.plan, SincePuckDrop(subject, wall));
  const std::optional<absl::Duration> every = lane == Lane::kWatch ? pace.watch_every : pace.journeys_every;
  if (!every) return std::nullopt;
  return std::max(kShortest, *every);
}

std::optional<absl::Time> NextPhase(const Subject& subject, absl::Time wall) {
  if (PaceOf(subject, Lane::kWatch, wall) || PaceOf(subject, Lane::kJourneys, wall)) return std::nullopt;
  std::optional<absl::Time> next;
  for (const v1::Plan::Phase& phase : subject.plan.schedule()) {
    const absl::Time from =
        runtime::FromTimestamp(subject.plan.launch().puck_drop()) + runtime::FromProtoDuration(phase.from());
    if (from > wall && (!next || from < *next)) next = from;
  }
  return next;
}

absl::Duration RunLimit(Lane lane, absl::Duration interval) {
  if (lane == Lane::kWatch) return std::clamp(3 * interval, absl::Seconds(20), absl::Minutes(2));
  return std::clamp(interval, absl::Minutes(2), absl::Minutes(10));
}

bool IsWatched(const Subject& subject, const Instance& instance, absl::Time wall) {
  return CanBeWatched(subject, instance) && PaceOf(subject, Lane::kWatch, wall).has_value();
}

std::optional<absl::Duration> AgeLimit(const Subject& subject, const Instance& instance, absl::Time wall) {
  const Lane lane = IsWatched(subject, instance, wall) ? Lane::kWatch : Lane::kJourneys;
  const std::optional<absl::Duration> pace = PaceOf(subject, lane, wall);
  if (!pace) return std::nullopt;
  const absl::Duration interval = OwnPace(subject, instance.check).value_or(*pace);
  return 3 * interval + 2 * RunLimit(lane, *pace);
}

Schedule::Schedule(std::shared_ptr<const Subject> subject, Lane lane, const std::vector<Instance>& expected,
                   uint64_t seed, Moment now)
    : subject_(std::move(subject)), lane_(lane), seed_(Mix(seed ^ (lane == Lane::kWatch ? 1 : 2))), begun_(now.steady) {
  std::map<absl::Duration, std::vector<Instance>> by_pace;
  for (const Instance& instance : expected) {
    if (!instance.not_judged.empty()) continue;
    if (lane == Lane::kWatch && !CanBeWatched(*subject_, instance)) continue;
    by_pace[OwnPace(*subject_, instance.check).value_or(absl::ZeroDuration())].push_back(instance);
  }
  for (auto& [every, instances] : by_pace) {
    Cohort& cohort = cohorts_.emplace_back();
    cohort.every = every;
    cohort.instances = std::move(instances);
  }
}

std::optional<absl::Duration> Schedule::Interval(const Cohort& cohort, absl::Time wall) const {
  const std::optional<absl::Duration> pace = PaceOf(*subject_, lane_, wall);
  // Where the phase asks for nothing, a check's own pace asks for nothing either.
  if (!pace || cohort.every == absl::ZeroDuration()) return pace;
  return cohort.every;
}

absl::Duration Schedule::DueAt(const Cohort& cohort, absl::Duration interval) const {
  if (!cohort.ran) return begun_ + Fraction(seed_, 0) * std::min(kFirstWithin, interval);
  // By the pace of now, so that a tighter phase takes effect in the middle of a longer interval.
  return cohort.started + cohort.factor * interval;
}

std::optional<Schedule::Due> Schedule::Next(Moment now) const {
  if (running_ || now.steady < ended_ + kBreath) return std::nullopt;
  Due due;
  due.interval = absl::InfiniteDuration();
  for (const Cohort& cohort : cohorts_) {
    const std::optional<absl::Duration> interval = Interval(cohort, now.wall);
    if (!interval) continue;
    const bool again = cohort.ran && now.steady >= again_ && cohort.in_run;
    if (!cohort.now && !again && now.steady < DueAt(cohort, *interval)) continue;
    due.instances.insert(due.instances.end(), cohort.instances.begin(), cohort.instances.end());
    due.interval = std::min(due.interval, *interval);
  }
  if (due.instances.empty()) return std::nullopt;
  due.limit = RunLimit(lane_, PaceOf(*subject_, lane_, now.wall).value_or(due.interval));
  return due;
}

void Schedule::Started(const Due& due, Moment now) {
  running_ = true;
  ++runs_;
  again_ = absl::InfiniteDuration();
  for (size_t i = 0; i < cohorts_.size(); ++i) {
    Cohort& cohort = cohorts_[i];
    cohort.in_run = std::any_of(due.instances.begin(), due.instances.end(), [&](const Instance& instance) {
      return instance.check == cohort.instances.front().check && instance.customer == cohort.instances.front().customer;
    });
    if (!cohort.in_run) continue;
    cohort.ran = true;
    cohort.now = false;
    cohort.started = now.steady;
    cohort.factor = 1 - kJitter + 2 * kJitter * Fraction(seed_, runs_ * 64 + i);
  }
}

void Schedule::Ended(Moment now, bool told) {
  running_ = false;
  ended_ = now.steady;
  if (told) {
    untold_ = 0;
    again_ = absl::InfiniteDuration();
    return;
  }
  // What stays as it is must not make the target pay for it.
  again_ = untold_ < kMostAgain ? now.steady + kFirstAgain * (1 << untold_) : absl::InfiniteDuration();
  ++untold_;
}

void Schedule::DueNow() {
  for (Cohort& cohort : cohorts_) cohort.now = true;
}

}  // namespace puckdrop::readiness
