// Runs: how they begin, what they learn, how they end.
#include "services/readiness/readiness.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/runtime/proto_time.h"
#include "services/runtime/status_convert.h"

namespace puckdrop::readiness {
namespace {

constexpr absl::Duration kObserve = absl::Seconds(20);
constexpr absl::Duration kTimeout = absl::Minutes(10);
constexpr absl::Duration kLongestTimeout = absl::Hours(6);
constexpr absl::Duration kSettleAfterCancel = absl::Seconds(5);
// Of the plan's limits, while some of them are kept for watching.
constexpr double kPortionOfWatching = 0.3;
// What the archive refused and waits to be tried again.
constexpr size_t kMostRefused = 5000;

// What the run itself filled in because it was ended, and what says nothing of the target.
bool SaysNothing(const RunPtr& run, const v1::Result& result) {
  return result.outcome() == v1::OUTCOME_INCONCLUSIVE && result.reason() == v1::FAILURE_REASON_OURS &&
         run->walk != nullptr && run->walk->cancelled();
}

}  // namespace

Readiness::Readiness(runtime::EventLoop& loop, const runtime::Clock& clock, Store& store, NoticeReader& notices,
                     ReadinessOptions options)
    : loop_(loop),
      clock_(clock),
      store_(store),
      options_(std::move(options)),
      runs_(options_.runs_kept),
      waivers_(loop, clock, notices),
      evidence_(options_.evidence_bytes_kept),
      since_go_(options_.subject->plan.launch().time_zone()) {
  TakeSubject(options_.subject);
}

Readiness::~Readiness() = default;

awaitable<absl::StatusOr<v1::Run>> Readiness::StartRun(v1::StartRunRequest request) {
  if (stopping_) {
    co_return runtime::WithReason(absl::FailedPreconditionError("readiness is shutting down"), "SHUTTING_DOWN");
  }
  if (!paused_.empty()) {
    co_return runtime::WithReason(
        absl::FailedPreconditionError(absl::StrCat("probing is paused (", paused_, "); run `puckdrop resume` first")),
        "PAUSED");
  }
  if (!request.plan_digest().empty() && request.plan_digest() != subject().digest) {
    co_return runtime::WithReason(
        absl::FailedPreconditionError(absl::StrCat("readiness judges by the plan ", subject().digest, ", you have ",
                                                   request.plan_digest(), "; give both the same plan")),
        "PLAN_DIGEST_MISMATCH", {{"digest", subject().digest}});
  }
  absl::StatusOr<std::vector<Instance>> selected = Select(expected_, request.selection());
  if (!selected.ok()) co_return runtime::WithReason(selected.status(), "EMPTY_SELECTION");
  if (selected->empty()) {
    co_return runtime::WithReason(absl::InvalidArgumentError("the selection names no check of any customer"),
                                  "EMPTY_SELECTION");
  }
  RunOrder order;
  order.selection = request.selection();
  order.timeout = request.has_timeout() && runtime::FromProtoDuration(request.timeout()) > absl::ZeroDuration()
                      ? std::min(runtime::FromProtoDuration(request.timeout()), kLongestTimeout)
                      : kTimeout;
  order.observe = request.has_observe() && runtime::FromProtoDuration(request.observe()) > absl::ZeroDuration()
                      ? runtime::FromProtoDuration(request.observe())
                      : kObserve;
  order.instances = std::move(*selected);
  order.filtered = order.instances.size() < expected_.size();
  absl::StatusOr<RunPtr> run = co_await Begin(std::move(order));
  if (!run.ok()) co_return run.status();
  co_return (*run)->run;
}

awaitable<absl::StatusOr<RunPtr>> Readiness::Begin(RunOrder order) {
  auto run = std::make_shared<RunRecord>();
  run->id = NewRunId(clock_.Now());
  run->subject = subject_;
  run->expected = order.instances;
  run->filtered = order.filtered;
  run->keeps_events = order.kind == v1::Run::ON_DEMAND;
  run->run.set_name("runs/" + run->id);
  *run->run.mutable_selection() = order.selection;
  run->run.set_state(v1::Run::RUNNING);
  run->run.set_kind(order.kind);
  run->run.set_plan_digest(subject().digest);
  run->run.set_vantage(order.vantage);
  run->run.set_expected(static_cast<int>(run->expected.size()));
  *run->run.mutable_start_time() = runtime::ToTimestamp(clock_.Now());
  *run->run.mutable_timeout() = runtime::ToProtoDuration(order.timeout);
  run->began = clock_.Monotonic();
  runs_.Add(run);
  if (options_.scheduled && order.kind == v1::Run::ON_DEMAND) waiting_.push_back(run);
  v1::WatchRunEvent first;
  *first.mutable_run() = run->run;
  RunBook::Emit(run, std::move(first));

  // The lock comes first: from the first obligation on, who owns it must be seen to be alive. What creates nothing owes
  // nothing.
  if (order.kind != v1::Run::WATCH) {
    const std::string id = run->id;
    absl::Status claimed = co_await loop_.RunBlocking([this, id] { return store_.ClaimRun(id); });
    if (!claimed.ok()) {
      run->ended = true;
      run->run.set_state(v1::Run::CANCELLED);
      run->run.set_progress(std::string(claimed.message()));
      std::erase(waiting_, run);
      turn_.NotifyAll();
      co_return claimed;
    }
  }
  if (options_.archive != nullptr && order.kind != v1::Run::WATCH) {
    const v1::Run message = run->run;
    absl::Status put = co_await loop_.RunBlocking([this, &message] { return options_.archive->PutRun(message); });
    if (!put.ok()) spdlog::warn("the run {} is not written down: {}", run->id, std::string(put.message()));
  }
  loop_.Detach(RunToItsEnd(run, std::move(order)));
  co_return run;
}

WalkRequest Readiness::WalkOf(const RunPtr& run, const RunOrder& order) const {
  const bool watch = order.kind == v1::Run::WATCH;
  WalkRequest walk;
  walk.run = run->id;
  walk.journeys = watch ? PlanWatches(*run->subject, run->expected) : PlanJourneys(*run->subject, run->expected);
  double portion = 1, orders = 1;
  if (options_.scheduled) {
    portion = watch ? kPortionOfWatching : watches_ ? 1 - kPortionOfWatching : 1;
    if (order.kind != v1::Run::ON_DEMAND && options_.vantages.size() > 1) {
      portion /= static_cast<double>(options_.vantages.size());
      orders = 1.0 / static_cast<double>(options_.vantages.size());
    }
  }
  walk.limits = ShareLimits(*run->subject, walk.journeys, portion, orders);
  walk.observe = order.observe;
  // Undoing is part of the run's time.
  walk.settle_within = std::min(absl::Seconds(20), order.timeout / 10);
  walk.deadline = clock_.Now() + order.timeout - walk.settle_within;
  walk.vantage = order.vantage.empty() ? options_.vantage : order.vantage;
  walk.watch = watch;
  // One session an hour: nobody signs in every few seconds, and nothing that a prober keeps of it grows for ever.
  if (watch) {
    walk.session = absl::StrCat("watch-", absl::FormatTime("%Y%m%d-%H", clock_.Now(), absl::UTCTimeZone()));
    if (!order.vantage.empty()) absl::StrAppend(&walk.session, "-", order.lane == nullptr ? 0 : order.lane->number);
  }
  if (options_.scheduled) {
    walk.interval = order.interval;
    walk.limit = order.timeout;
    std::map<std::pair<std::string, std::string>, absl::Duration> ages;
    for (const Instance& instance : run->expected) {
      // What the plan says for the check is in the expectation.
      if (instance.max_age < absl::InfiniteDuration()) continue;
      const std::optional<absl::Duration> age = AgeLimit(*run->subject, instance, clock_.Now());
      if (age) ages[{instance.check, instance.customer}] = *age;
    }
    walk.max_age = [ages = std::move(ages)](const std::string& check,
                                            const std::string& customer) -> std::optional<absl::Duration> {
      const auto found = ages.find({check, customer});
      if (found == ages.end()) return std::nullopt;
      return found->second;
    };
  }
  return walk;
}

WalkEvents Readiness::EventsOf(const RunPtr& run) {
  std::weak_ptr<RunRecord> weak = run;
  WalkEvents events;
  events.result = [this, weak](const v1::Result& result) {
    if (RunPtr kept = weak.lock()) TakeResult(kept, result);
  };
  events.evidence = [this, weak](const v1::Evidence& evidence) {
    evidence_.Keep(evidence);
    if (options_.archive != nullptr) unsaved_evidence_.push_back(evidence);
    v1::WatchRunEvent event;
    *event.mutable_evidence() = evidence;
    if (RunPtr kept = weak.lock()) RunBook::Emit(kept, std::move(event));
  };
  events.operation = [weak](const v1::OperationRecord& operation) {
    v1::WatchRunEvent event;
    *event.mutable_operation() = operation;
    if (RunPtr kept = weak.lock()) RunBook::Emit(kept, std::move(event));
  };
  events.progress = [weak](const std::string& words) {
    RunPtr kept = weak.lock();
    if (!kept) return;
    kept->run.set_progress(words);
    v1::WatchRunEvent event;
    *event.mutable_run() = kept->run;
    RunBook::Emit(kept, std::move(event));
  };
  events.configuration = [this](const std::string& fingerprint) { TakeConfiguration(fingerprint); };
  return events;
}

void Readiness::TakeResult(const RunPtr& run, const v1::Result& result) {
  if (options_.archive == nullptr || SaysNothing(run, result)) {
    Learn(run, result);
    return;
  }
  // Nobody is told of a result before it is sure to survive us.
  ++run->unsaved;
  unsaved_.push_back({run, result});
  StartFlushing();
}

void Readiness::Learn(const RunPtr& run, const v1::Result& result) {
  if (!result.supporting()) run->run.set_done(run->run.done() + 1);
  v1::WatchRunEvent event;
  *event.mutable_result() = result;
  RunBook::Emit(run, std::move(event));
  v1::WatchRunEvent progress;
  *progress.mutable_run() = run->run;
  RunBook::Emit(run, std::move(progress));
  // A plan that was replaced meanwhile may expect other things; a gate's launch is judged by its run.
  const bool expected = std::any_of(expected_.begin(), expected_.end(), [&](const Instance& instance) {
    return instance.check == result.check() && instance.customer == result.customer();
  });
  if (!expected || SaysNothing(run, result)) return;
  known_.Keep(result, clock_.Monotonic(), run->began, run->run.kind() == v1::Run::WATCH);
  dirty_ = true;
  if (options_.scheduled) Changed();
}

void Readiness::TakeConfiguration(const std::string& fingerprint) {
  const bool first = configuration_.current().empty();
  switch (configuration_.Note(fingerprint, clock_.Monotonic())) {
    case Configuration::Seen::kSame:
      return;
    case Configuration::Seen::kNew:
      // What was judged under another one is unknown: it is judged anew, at once.
      if (!first) {
        for (const std::shared_ptr<LaneState>& lane : lanes_) lane->schedule.DueNow();
      }
      break;
    case Configuration::Seen::kBack:
      break;
  }
  dirty_ = true;
  if (options_.scheduled) Changed();
}

void Readiness::StartFlushing() {
  if (flushing_) return;
  flushing_ = true;
  loop_.Detach(Flush());
}

awaitable<void> Readiness::Flush() {
  Archive* archive = options_.archive;
  while (!unsaved_.empty() || !unsaved_evidence_.empty() || unrecorded_.has_value()) {
    const std::vector<Unsaved> taken = std::exchange(unsaved_, {});
    const std::vector<v1::Evidence> evidence = std::exchange(unsaved_evidence_, {});
    const std::optional<v1::Verdict> verdict = std::exchange(unrecorded_, std::nullopt);
    std::vector<v1::Result> results = std::exchange(refused_, {});
    for (const Unsaved& one : taken) results.push_back(one.result);
    absl::Status kept = co_await loop_.RunBlocking([&] {
      absl::Status status = results.empty() && evidence.empty() ? absl::OkStatus() : archive->Keep(evidence, results);
      if (verdict.has_value()) status.Update(archive->Record(*verdict));
      return status;
    });
    if (!kept.ok()) {
      // The verdict stays right without the disk; what it would not take is offered again with the next.
      spdlog::error("{} results are not written down: {}", results.size(), std::string(kept.message()));
      if (results.size() > kMostRefused) {
        results.erase(results.begin(), results.end() - static_cast<ptrdiff_t>(kMostRefused));
      }
      if (!absl::IsInvalidArgument(kept)) refused_ = std::move(results);
    }
    for (const Unsaved& one : taken) {
      --one.run->unsaved;
      Learn(one.run, one.result);
    }
    flushed_.NotifyAll();
  }
  flushing_ = false;
  flushed_.NotifyAll();
}

awaitable<absl::Status> Readiness::WaitForTurn(RunPtr run) {
  const auto busy = [&] {
    if (waiting_.front() != run) return true;
    return std::any_of(runs_.all().begin(), runs_.all().end(),
                       [&](const RunPtr& other) { return !other->ended && other->run.kind() == v1::Run::JOURNEYS; });
  };
  if (busy()) {
    run->run.set_progress("waiting for the journeys under way to end");
    v1::WatchRunEvent event;
    *event.mutable_run() = run->run;
    RunBook::Emit(run, std::move(event));
  }
  while (!run->cancelled && busy()) {
    absl::Status waited = co_await turn_.Wait();
    if (!waited.ok()) co_return waited;
  }
  if (run->cancelled) co_return absl::CancelledError("the run was ended before it began");
  co_return absl::OkStatus();
}

awaitable<void> Readiness::RunToItsEnd(RunPtr run, RunOrder order) {
  absl::Status turn;
  if (options_.scheduled && order.kind == v1::Run::ON_DEMAND) turn = co_await WaitForTurn(run);
  WalkOutcome outcome;
  if (turn.ok()) {
    run->began = clock_.Monotonic();
    const auto vantage = options_.vantages.find(order.vantage);
    const Probers& probers = vantage == options_.vantages.end() ? options_.probers : vantage->second;
    run->walk = std::make_unique<Walk>(loop_, clock_, store_, run->subject, probers, WalkOf(run, order), EventsOf(run));
    if (run->cancelled) run->walk->Cancel(kSettleAfterCancel);
    outcome = co_await run->walk->Run();
  } else {
    outcome.cancelled = true;
    outcome.causes.emplace_back("the run was ended before it began");
  }
  while (run->unsaved > 0) {
    absl::Status waited = co_await flushed_.Wait();
    if (!waited.ok()) break;
  }
  for (const v1::Result& result : outcome.results) known_.SetConfiguration(result);
  if (order.kind == v1::Run::ON_DEMAND) co_await waivers_.LookAtNotices();
  if (order.kind != v1::Run::WATCH) {
    const std::string launch = run->subject->plan.launch().id();
    absl::StatusOr<std::vector<v1::Obligation>> owed =
        co_await loop_.RunBlocking([this, launch] { return store_.Owed(launch); });
    if (owed.ok()) obligations_open_ = static_cast<int>(owed->size());
    v1::Verdict verdict = JudgeRun(run, outcome);
    verdict.set_run(run->run.name());
    *verdict.mutable_duration() =
        runtime::ToProtoDuration(clock_.Now() - runtime::FromTimestamp(run->run.start_time()));
    *run->run.mutable_verdict() = std::move(verdict);
  }
  run->run.set_state(outcome.cancelled ? v1::Run::CANCELLED : v1::Run::SUCCEEDED);
  run->run.clear_progress();
  *run->run.mutable_end_time() = runtime::ToTimestamp(clock_.Now());
  if (order.kind != v1::Run::WATCH) {
    const v1::Run message = run->run;
    const std::string id = run->id;
    absl::Status put = co_await loop_.RunBlocking([this, id, &message] {
      store_.ReleaseRun(id);
      return options_.archive == nullptr ? absl::OkStatus() : options_.archive->PutRun(message);
    });
    if (!put.ok()) spdlog::warn("the run {} is not written down: {}", id, std::string(put.message()));
  }
  v1::WatchRunEvent last;
  *last.mutable_run() = run->run;
  run->ended = true;
  RunBook::Emit(run, std::move(last));
  if (order.lane != nullptr) order.lane->schedule.Ended(Now(), !outcome.untold || outcome.cancelled);
  // The facts of the walk are no longer needed by anybody.
  if (OnSchedule(run)) run->walk = nullptr;
  std::erase(waiting_, run);
  turn_.NotifyAll();
  Changed();
}

awaitable<absl::Status> Readiness::WatchRun(std::string name, OnRunEvent on_event) {
  absl::StatusOr<RunPtr> run = runs_.Find(name);
  if (!run.ok()) co_return run.status();
  absl::Status ended = co_await RunBook::Watch(*run, std::move(on_event));
  co_return ended;
}

absl::StatusOr<v1::Run> Readiness::CancelRun(const v1::CancelRunRequest& request) {
  absl::StatusOr<RunPtr> run = runs_.Find(request.name());
  if (!run.ok()) return run.status();
  if (!(*run)->ended) {
    (*run)->cancelled = true;
    if ((*run)->walk != nullptr) {
      (*run)->walk->Cancel(request.has_settle_within() ? runtime::FromProtoDuration(request.settle_within())
                                                       : kSettleAfterCancel);
    }
    turn_.NotifyAll();
  }
  return (*run)->run;
}

absl::Status Readiness::MayAct(const std::string& owner) const {
  for (const RunPtr& run : runs_.all()) {
    if (run->id != owner) continue;
    if (run->ended || stopping_ || run->cancelled || (run->walk != nullptr && run->walk->cancelled())) {
      return runtime::WithReason(absl::FailedPreconditionError(absl::StrCat("the run ", owner, " is ending")),
                                 "RUN_ENDING", {{"run", owner}});
    }
  }
  return absl::OkStatus();
}

awaitable<absl::StatusOr<v1::SettleObligationsResponse>> Readiness::SettleObligations(
    v1::SettleObligationsRequest request) {
  const absl::Duration within =
      request.has_timeout() && runtime::FromProtoDuration(request.timeout()) > absl::ZeroDuration()
          ? std::min(runtime::FromProtoDuration(request.timeout()), absl::Minutes(10))
          : absl::Seconds(30);
  const absl::Time deadline = clock_.Now() + within;
  const std::string owner = request.owner().empty() ? NewRunId(clock_.Now()) : request.owner();
  const bool ours = !request.owner().empty();
  if (!ours) {
    absl::Status claimed = co_await loop_.RunBlocking([this, owner] { return store_.ClaimRun(owner); });
    if (!claimed.ok()) co_return claimed;
  }
  Settler settler(loop_, clock_, store_, options_.probers, subject().digest);
  const std::string launch = subject().plan.launch().id();
  Settled done = co_await settler.SettleAbandoned(owner, launch, deadline);
  absl::StatusOr<std::vector<v1::Obligation>> owed = co_await loop_.RunBlocking([this, launch, owner, ours] {
    if (!ours) store_.ReleaseRun(owner);
    return store_.Owed(launch);
  });
  if (!owed.ok()) co_return owed.status();
  v1::SettleObligationsResponse response;
  response.set_settled(done.settled);
  for (const v1::Obligation& obligation : *owed) *response.add_open() = obligation;
  obligations_open_ = response.open_size();
  Changed();
  co_return response;
}

awaitable<void> Readiness::Shutdown(absl::Duration grace) {
  stopping_ = true;
  if (publish_call_ != 0) loop_.CancelCall(std::exchange(publish_call_, 0));
  const absl::Duration until = clock_.Monotonic() + grace + absl::Seconds(2);
  const std::deque<RunPtr> runs = runs_.all();
  for (const RunPtr& run : runs) {
    if (run->ended) continue;
    run->cancelled = true;
    if (run->walk != nullptr) run->walk->Cancel(grace);
  }
  turn_.NotifyAll();
  for (const RunPtr& run : runs) {
    while (!run->ended && clock_.Monotonic() < until) {
      absl::Status waited = co_await run->more.Wait();
      if (!waited.ok()) break;
    }
  }
  while (flushing_ && clock_.Monotonic() < until) {
    absl::Status waited = co_await flushed_.Wait();
    if (!waited.ok()) break;
  }
  changed_.NotifyAll();
}

}  // namespace puckdrop::readiness
