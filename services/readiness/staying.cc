// A service that stays: its schedule, its house, pause, reload, and what it takes up after a restart.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/readiness/readiness.h"
#include "services/runtime/proto_time.h"
#include "services/runtime/status_convert.h"

namespace puckdrop::readiness {
namespace {

constexpr absl::Duration kTick = absl::Seconds(1);
constexpr absl::Duration kHousekeepingEvery = absl::Minutes(1);
constexpr absl::Duration kArchiveEvery = absl::Seconds(10);
constexpr absl::Duration kSettleAfterCancel = absl::Seconds(20);
constexpr absl::Duration kShortestObserve = absl::Seconds(4);
constexpr absl::Duration kLongestObserve = absl::Seconds(20);
constexpr size_t kLongestReason = 500;

v1::Run::Kind KindOf(Lane lane) { return lane == Lane::kWatch ? v1::Run::WATCH : v1::Run::JOURNEYS; }

}  // namespace

void Readiness::TakeSubject(std::shared_ptr<const Subject> subject) {
  subject_ = std::move(subject);
  expected_ = ExpectedInstances(*subject_);
  watches_ = std::any_of(expected_.begin(), expected_.end(), [&](const Instance& instance) {
    return instance.not_judged.empty() && CanBeWatched(*subject_, instance);
  });
  waivers_.SetPlan(*subject_);
  std::vector<std::string> vantages;
  if (options_.scheduled)
    vantages = {subject_->plan.vantages().names().begin(), subject_->plan.vantages().names().end()};
  known_.SetVantages(vantages);
  known_.Retain(expected_);
  lanes_.clear();
  if (!options_.scheduled) return;
  // A vantage that the plan names and nobody configured is asked all the same: what it should say is told as missing.
  if (vantages.empty() || options_.vantages.empty()) vantages = {""};
  int number = 0;
  for (const std::string& vantage : vantages) {
    for (const Lane lane : {Lane::kJourneys, Lane::kWatch}) {
      const uint64_t seed = options_.seed + static_cast<uint64_t>(number);
      lanes_.push_back(std::make_shared<LaneState>(Schedule(subject_, lane, expected_, seed, Now()), vantage, number));
    }
    ++number;
  }
}

bool Readiness::MayStart(const LaneState& lane) const {
  const v1::Run::Kind kind = KindOf(lane.schedule.lane());
  if (kind == v1::Run::JOURNEYS && !waiting_.empty()) return false;
  const v1::Plan::Limits& limits = subject().plan.target().limits();
  // What cannot be shared out is used in turns.
  const bool alone =
      limits.has_in_flight() && limits.in_flight() < 2 * std::max(1, static_cast<int>(lanes_.size()) / 2);
  return std::none_of(runs_.all().begin(), runs_.all().end(), [&](const RunPtr& run) {
    return !run->ended && (alone || (run->run.kind() == kind && run->run.vantage() == lane.vantage));
  });
}

void Readiness::StartDue() {
  for (const std::shared_ptr<LaneState>& lane : lanes_) {
    if (!MayStart(*lane)) continue;
    const Moment now = Now();
    std::optional<Schedule::Due> due = lane->schedule.Next(now);
    if (!due) continue;
    lane->schedule.Started(*due, now);
    RunOrder order;
    order.kind = KindOf(lane->schedule.lane());
    order.filtered = due->instances.size() < expected_.size();
    order.instances = std::move(due->instances);
    order.vantage = lane->vantage;
    order.timeout = due->limit;
    order.interval = due->interval;
    order.observe =
        order.kind == v1::Run::WATCH ? std::clamp(due->interval, kShortestObserve, kLongestObserve) : kLongestObserve;
    order.lane = lane;
    auto begin = [](Readiness* self, RunOrder what) -> awaitable<void> {
      const std::shared_ptr<LaneState> of = what.lane;
      absl::StatusOr<RunPtr> begun = co_await self->Begin(std::move(what));
      if (begun.ok()) co_return;
      spdlog::error("a run that was due did not begin: {}", std::string(begun.status().message()));
      of->schedule.Ended(self->Now(), false);
    };
    loop_.Detach(begin(this, std::move(order)));
  }
}

awaitable<void> Readiness::KeepSchedule() {
  while (!stopping_) {
    if (paused_.empty()) StartDue();
    // Time alone changes the verdict, too.
    Publish();
    absl::Status slept = co_await loop_.SleepFor(clock_, kTick);
    if (!slept.ok()) co_return;
  }
}

awaitable<void> Readiness::KeepHouse() {
  absl::Duration looked = -absl::InfiniteDuration();
  while (!stopping_) {
    if (clock_.Monotonic() - looked >= kHousekeepingEvery) {
      looked = clock_.Monotonic();
      const std::string launch = subject().plan.launch().id();
      absl::StatusOr<std::vector<v1::Obligation>> owed =
          co_await loop_.RunBlocking([this, launch] { return store_.Owed(launch); });
      if (owed.ok() && !owed->empty()) {
        v1::SettleObligationsRequest request;
        (void)co_await SettleObligations(std::move(request));
      } else if (owed.ok()) {
        obligations_open_ = 0;
      }
      co_await waivers_.LookAtNotices();
      Changed();
    }
    if (options_.archive != nullptr) {
      absl::StatusOr<bool> more = co_await loop_.RunBlocking([this] { return options_.archive->KeepHouse(); });
      if (!more.ok()) spdlog::warn("the archive could not be kept in bounds: {}", std::string(more.status().message()));
    }
    absl::Status slept = co_await loop_.SleepFor(clock_, kArchiveEvery);
    if (!slept.ok()) co_return;
  }
}

awaitable<void> Readiness::Stay() {
  std::vector<awaitable<void>> both;
  both.push_back(KeepSchedule());
  both.push_back(KeepHouse());
  co_await loop_.All(std::move(both));
}

awaitable<absl::Status> Readiness::LoadWaivers() {
  absl::StatusOr<std::vector<RuntimeWaiver>> waivers =
      co_await loop_.RunBlocking([this] { return options_.archive->ListWaivers(); });
  if (!waivers.ok()) co_return waivers.status();
  waivers_.SetRuntime(*waivers);
  co_return absl::OkStatus();
}

awaitable<absl::Status> Readiness::Restore() {
  if (options_.archive == nullptr) co_return absl::OkStatus();
  Archive* archive = options_.archive;
  std::vector<v1::Result> latest;
  std::optional<LastGo> last_go;
  std::optional<struct Pause> pause;
  std::vector<StandingSince> standings;
  absl::Status read = co_await loop_.RunBlocking([&]() -> absl::Status {
    absl::StatusOr<int> ended = archive->EndAbandonedRuns("the service died while it was under way");
    if (!ended.ok()) return ended.status();
    absl::StatusOr<std::vector<v1::Result>> results = archive->Latest();
    if (!results.ok()) return results.status();
    absl::StatusOr<std::optional<LastGo>> go = archive->GetLastGo();
    if (!go.ok()) return go.status();
    absl::StatusOr<std::optional<struct Pause>> paused = archive->GetPause();
    if (!paused.ok()) return paused.status();
    latest = std::move(*results);
    last_go = std::move(*go);
    pause = std::move(*paused);
    absl::StatusOr<std::vector<StandingSince>> stood = archive->Standings();
    if (!stood.ok()) return stood.status();
    standings = std::move(*stood);
    return absl::OkStatus();
  });
  if (!read.ok()) co_return read;
  absl::Status waivers = co_await LoadWaivers();
  if (!waivers.ok()) co_return waivers;
  known_.Restore(latest, clock_.Now(), clock_.Monotonic());
  known_.Retain(expected_);
  // The configuration in force was told with the newest result.
  const std::vector<const v1::Result*> results = known_.List("", "");
  for (auto result = results.begin(); result != results.end(); ++result) {
    if ((*result)->configuration().empty()) continue;
    (void)configuration_.Note((*result)->configuration(), clock_.Monotonic());
    break;
  }
  since_when_.Restore(standings);
  if (last_go) since_go_.Restore(last_go->time, last_go->plan_digest, last_go->configuration);
  if (pause) paused_ = pause->reason.empty() ? "no reason was given" : pause->reason;
  dirty_ = true;
  co_return absl::OkStatus();
}

awaitable<void> Readiness::Audit(std::string who, std::string method, std::string what, absl::Status outcome) {
  if (options_.archive == nullptr) co_return;
  AuditRow row;
  row.who = std::move(who);
  row.method = std::move(method);
  row.what = std::move(what);
  row.outcome = outcome.ok()
                    ? "OK"
                    : absl::StrCat(absl::StatusCodeToString(outcome.code()), ": ", std::string(outcome.message()));
  absl::Status written = co_await loop_.RunBlocking([this, &row] { return options_.archive->Audit(row); });
  if (!written.ok())
    spdlog::error("{} by {} is not in the audit log: {}", row.method, row.who, std::string(written.message()));
}

awaitable<absl::Status> Readiness::Pause(std::string reason, std::string who) {
  if (reason.size() > kLongestReason) {
    co_return runtime::WithReason(absl::InvalidArgumentError("the reason is longer than 500 bytes"), "BAD_REASON");
  }
  if (reason.empty()) reason = "no reason was given";
  // First the traffic, then the disk: a full one must not keep it going.
  paused_ = reason;
  for (const RunPtr& run : runs_.all()) {
    if (run->ended) continue;
    run->cancelled = true;
    if (run->walk != nullptr) run->walk->Cancel(kSettleAfterCancel);
  }
  turn_.NotifyAll();
  absl::Status kept;
  if (options_.archive != nullptr) {
    const std::optional<struct Pause> pause = {{who, reason, clock_.Now()}};
    kept = co_await loop_.RunBlocking([this, &pause] { return options_.archive->PutPause(pause); });
  }
  co_await Audit(who, "PauseProbing", reason, kept);
  Publish();
  if (!kept.ok()) {
    co_return absl::Status(
        kept.code(), absl::StrCat("probing is paused, but a restart would not know: ", std::string(kept.message())));
  }
  co_return absl::OkStatus();
}

awaitable<absl::Status> Readiness::Resume(std::string who) {
  absl::Status kept;
  if (options_.archive != nullptr) {
    kept = co_await loop_.RunBlocking([this] { return options_.archive->PutPause(std::nullopt); });
  }
  co_await Audit(who, "ResumeProbing", "", kept);
  if (!kept.ok()) co_return kept;
  paused_.clear();
  for (const std::shared_ptr<LaneState>& lane : lanes_) lane->schedule.DueNow();
  Publish();
  co_return absl::OkStatus();
}

awaitable<absl::StatusOr<std::string>> Readiness::ReloadPlan(std::string who) {
  if (!options_.load_plan) {
    co_return runtime::WithReason(absl::FailedPreconditionError("this readiness has no plan files to read again"),
                                  "NO_PLAN_FILES");
  }
  if (reloading_ || stopping_) {
    co_return runtime::WithReason(absl::AbortedError("the plan is being read already; ask again"), "RELOADING");
  }
  reloading_ = true;
  absl::StatusOr<std::shared_ptr<const Subject>> loaded = co_await loop_.RunBlocking(options_.load_plan);
  reloading_ = false;
  absl::Status status = loaded.status();
  if (status.ok() && (*loaded)->plan.launch().id() != subject().plan.launch().id()) {
    status = absl::InvalidArgumentError(
        absl::StrCat("the plan is now of another launch, '", (*loaded)->plan.launch().id(), "', not '",
                     subject().plan.launch().id(), "': start another readiness for it"));
  }
  if (!status.ok()) {
    spdlog::error("the plan stays as it was, because it cannot be read: {}", std::string(status.message()));
    co_await Audit(who, "ReloadPlan", "", status);
    co_return absl::IsInvalidArgument(status) ? runtime::WithReason(status, "INVALID_PLAN") : status;
  }
  if ((*loaded)->digest != subject().digest) {
    spdlog::info("the plan is now {}", (*loaded)->digest);
    // What the schedule began by the old plan is undone and begun anew; what somebody asked for goes on by it.
    for (const RunPtr& run : runs_.all()) {
      if (run->ended || !OnSchedule(run)) continue;
      run->cancelled = true;
      if (run->walk != nullptr) run->walk->Cancel(kSettleAfterCancel);
    }
    TakeSubject(std::move(*loaded));
    Publish();
    co_await waivers_.LookAtNotices();
    Publish();
  }
  co_await Audit(who, "ReloadPlan", subject().digest, status);
  co_return subject().digest;
}

}  // namespace puckdrop::readiness
