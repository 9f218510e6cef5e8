// The verdict of a run and of the launch, and who is told of it.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/readiness/readiness.h"
#include "services/runtime/proto_time.h"
#include "services/runtime/status_convert.h"

namespace puckdrop::readiness {
namespace {

// Results come in hundreds a second; nobody reads verdicts that fast.
constexpr absl::Duration kPublishEvery = absl::Milliseconds(200);
// How long ago the launch was GO is known to so long after a restart.
constexpr absl::Duration kRecordEvery = absl::Seconds(30);
// Ages are told in seconds.
constexpr absl::Duration kVerdictFresh = absl::Seconds(1);

// What a watcher would call a change: where things stand, not how old they are.
std::string WhatMatters(const v1::Verdict& verdict) {
  std::string words = absl::StrCat(verdict.state(), "|", verdict.plan_digest(), "|", verdict.configuration(), "|",
                                   verdict.obligations_open(), "|", verdict.paused());
  for (const v1::PathVerdict& path : verdict.paths()) {
    absl::StrAppend(&words, "|", path.path(), ":", path.state(), ":", path.left_out());
  }
  for (const v1::InstanceStanding& instance : verdict.instances()) {
    absl::StrAppend(&words, "|", instance.check(), ":", instance.customer(), ":", instance.standing(), ":",
                    instance.root());
    const bool bad = instance.standing() == v1::STANDING_FAILED || instance.standing() == v1::STANDING_WAIVED;
    if (bad) absl::StrAppend(&words, ":", instance.why());
  }
  for (const v1::PromiseState& promise : verdict.promises()) absl::StrAppend(&words, "|", promise.state());
  for (const v1::WaiverState& waiver : verdict.waivers()) {
    absl::StrAppend(&words, "|", waiver.waiver(), ":", waiver.state());
  }
  for (const std::string& cause : verdict.causes()) absl::StrAppend(&words, "|", cause);
  for (const std::string& changed : verdict.changed()) absl::StrAppend(&words, "|", changed);
  return words;
}

void Describe(const Subject& subject, v1::Verdict* verdict) {
  const v1::Plan::Launch& launch = subject.plan.launch();
  verdict->set_launch_title(launch.title());
  *verdict->mutable_puck_drop_time() = launch.puck_drop();
  verdict->set_time_zone(launch.time_zone());
}

}  // namespace

absl::Status Readiness::CheckLaunch(const std::string& launch) const {
  const std::string& ours = subject().plan.launch().id();
  if (launch.empty() || launch == ours) return absl::OkStatus();
  return runtime::WithReason(
      absl::NotFoundError(absl::StrCat("there is no launch '", launch, "' here; this is '", ours, "'")),
      "UNKNOWN_LAUNCH", {{"launch", launch}});
}

v1::Verdict Readiness::JudgeRun(const RunPtr& run, const WalkOutcome& outcome) const {
  VerdictInput input = InputOf(*run->subject, run->expected, run->filtered);
  input.results = outcome.results;
  // A run judges what it saw itself, just now.
  for (v1::Result& result : input.results) result.clear_max_age();
  input.waivers = waivers_.Inputs();
  input.now = clock_.Now();
  input.configuration = outcome.configuration;
  input.causes = outcome.causes;
  input.obligations_open = obligations_open_;
  // One run is one vantage, whatever the plan asks of the probers of a launch night.
  if (options_.scheduled ||
      std::find(input.vantages.begin(), input.vantages.end(), options_.vantage) == input.vantages.end()) {
    input.vantages.clear();
    input.vantages_required = 0;
  }
  v1::Verdict verdict = ComputeVerdict(input);
  Describe(*run->subject, &verdict);
  return verdict;
}

v1::Verdict Readiness::JudgeLaunch() {
  const Moment now = Now();
  VerdictInput input = InputOf(*subject_, expected_, false, static_cast<int>(expected_.size()));
  std::map<std::pair<std::string, std::string>, std::optional<absl::Duration>> limits;
  if (options_.scheduled) {
    for (const Instance& instance : expected_) {
      limits[{instance.check, instance.customer}] = AgeLimit(*subject_, instance, now.wall);
    }
  }
  known_.Feed(
      now.steady,
      [&](const std::string& check, const std::string& customer) -> std::optional<absl::Duration> {
        const auto found = limits.find({check, customer});
        return found == limits.end() ? std::nullopt : found->second;
      },
      &input);
  input.waivers = waivers_.Inputs();
  input.now = now.wall;
  input.configuration = configuration_.current();
  const std::string alternates = configuration_.Cause(now.steady);
  if (!alternates.empty()) input.causes.push_back(alternates);
  if (options_.scheduled) {
    const std::optional<absl::Time> next = NextPhase(*subject_, now.wall);
    const bool idle = !PaceOf(*subject_, Lane::kJourneys, now.wall) && !PaceOf(*subject_, Lane::kWatch, now.wall);
    if (idle) {
      for (const v1::Path path : {v1::PATH_ORDERING, v1::PATH_CANCELLATION, v1::PATH_DEVICE_SUPPORT, v1::PATH_PLAYBACK,
                                  v1::PATH_BILLING, v1::PATH_NOTICES}) {
        input.missing_because[path] =
            next ? absl::StrCat("never ran: the plan's schedule begins at ",
                                absl::FormatTime("%Y-%m-%d %H:%M UTC", *next, absl::UTCTimeZone()))
                 : "never ran: the plan's schedule is over";
      }
    }
  }
  input.obligations_open = obligations_open_;
  input.paused = paused_;
  if (!options_.scheduled && !input.vantages.empty() &&
      std::find(input.vantages.begin(), input.vantages.end(), options_.vantage) == input.vantages.end()) {
    // One gate is one vantage.
    input.vantages.clear();
    input.vantages_required = 0;
  }
  return ComputeVerdict(input);
}

void Readiness::Publish() {
  v1::Verdict verdict = JudgeLaunch();
  Describe(*subject_, &verdict);
  since_go_.Observe(&verdict);
  since_when_.Observe(&verdict);
  std::string matters = WhatMatters(verdict);
  const bool changed = matters != seen_;
  if (changed) {
    ++revision_;
    seen_ = std::move(matters);
  }
  verdict.set_revision(revision_);
  verdict_ = std::move(verdict);
  computed_ = clock_.Monotonic();
  dirty_ = false;
  if (listener_) listener_(subject_, *verdict_);
  if (options_.archive != nullptr && (changed || computed_ - recorded_ >= kRecordEvery)) {
    recorded_ = computed_;
    unrecorded_ = *verdict_;
    StartFlushing();
  }
  if (changed) changed_.NotifyAll();
}

void Readiness::Changed() {
  dirty_ = true;
  if (stopping_ || publish_call_ != 0) return;
  const absl::Duration wait = computed_ + kPublishEvery - clock_.Monotonic();
  if (wait <= absl::ZeroDuration() || !options_.scheduled) {
    Publish();
    return;
  }
  publish_call_ = loop_.CallAt(clock_, clock_.Now() + wait, [this] {
    publish_call_ = 0;
    Publish();
  });
}

absl::StatusOr<v1::Verdict> Readiness::GetVerdict(const std::string& launch) {
  absl::Status known = CheckLaunch(launch);
  if (!known.ok()) return known;
  const absl::Duration age = clock_.Monotonic() - computed_;
  // Beside a schedule it is computed often enough, and a crowd that asks costs nothing.
  const bool fresh =
      verdict_.has_value() &&
      (options_.scheduled ? age < kVerdictFresh && (!dirty_ || publish_call_ != 0) : !dirty_ && age < kVerdictFresh);
  if (!fresh) Publish();
  return *verdict_;
}

awaitable<absl::Status> Readiness::WatchVerdict(std::string launch,
                                                std::function<awaitable<absl::Status>(v1::Verdict)> on_verdict) {
  absl::Status known = CheckLaunch(launch);
  if (!known.ok()) co_return known;
  while (!stopping_) {
    absl::StatusOr<v1::Verdict> verdict = GetVerdict(launch);
    if (!verdict.ok()) co_return verdict.status();
    const int64_t seen = verdict->revision();
    absl::Status taken = co_await on_verdict(std::move(*verdict));
    if (!taken.ok()) co_return taken;
    while (revision_ == seen && !stopping_) {
      absl::Status waited = co_await changed_.Wait();
      if (!waited.ok()) co_return waited;
    }
  }
  co_return runtime::WithReason(absl::UnavailableError("readiness is shutting down"), "SHUTTING_DOWN");
}

}  // namespace puckdrop::readiness
