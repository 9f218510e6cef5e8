#include "services/readiness/readiness.h"

#include <algorithm>
#include <random>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "services/runtime/proto_time.h"
#include "services/runtime/status_convert.h"

namespace puckdrop::readiness {
namespace {

constexpr absl::Duration kObserve = absl::Seconds(20);
constexpr absl::Duration kTimeout = absl::Minutes(10);
constexpr absl::Duration kLongestTimeout = absl::Hours(6);
constexpr absl::Duration kNoticeTimeout = absl::Seconds(10);
constexpr absl::Duration kHousekeepingEvery = absl::Minutes(1);
constexpr absl::Duration kSettleAfterCancel = absl::Seconds(5);

// The page of a list that begins at the token's index.
absl::StatusOr<std::pair<size_t, size_t>> Page(int size, int default_size, int most, const std::string& token,
                                               size_t count) {
  uint64_t begin = 0;
  if (size < 0 || (!token.empty() && !absl::SimpleAtoi(token, &begin))) {
    return runtime::WithReason(
        absl::InvalidArgumentError("page_size must not be negative, and page_token must come from the last answer"),
        "BAD_PAGE");
  }
  const size_t wanted = static_cast<size_t>(size == 0 ? default_size : std::min(size, most));
  const size_t first = std::min<size_t>(begin, count);
  return std::make_pair(first, std::min(count, first + wanted));
}

}  // namespace

std::string NewRunId(absl::Time now) {
  std::random_device device;
  return absl::StrCat(absl::FormatTime("%Y%m%d-%H%M%S", now, absl::UTCTimeZone()), "-",
                      absl::StrFormat("%06x", device() & 0xffffff));
}

struct Readiness::RunRecord {
  v1::Run run;
  std::string id;
  std::vector<Instance> expected;
  bool filtered = false;
  std::unique_ptr<Walk> walk;
  std::deque<std::shared_ptr<const v1::WatchRunEvent>> events;
  Notifier more;
  bool ended = false;
};

Readiness::Readiness(runtime::EventLoop& loop, const runtime::Clock& clock, Store& store, NoticeReader& notices,
                     ReadinessOptions options)
    : loop_(loop),
      clock_(clock),
      store_(store),
      notices_(notices),
      options_(std::move(options)),
      expected_(ExpectedInstances(*options_.subject)),
      looked_at_(InputOf(*options_.subject, {}, false).waivers) {}

Readiness::~Readiness() = default;

absl::Status Readiness::CheckLaunch(const std::string& launch) const {
  const std::string& ours = subject().plan.launch().id();
  if (launch.empty() || launch == ours) return absl::OkStatus();
  return runtime::WithReason(
      absl::NotFoundError(absl::StrCat("there is no launch '", launch, "' here; this is '", ours, "'")),
      "UNKNOWN_LAUNCH", {{"launch", launch}});
}

absl::StatusOr<Readiness::RunPtr> Readiness::Find(const std::string& name) const {
  const std::string id(absl::StripPrefix(name, "runs/"));
  for (const RunPtr& run : runs_) {
    if (run->id == id) return run;
  }
  return runtime::WithReason(absl::NotFoundError(absl::StrCat("there is no run '", name, "' (old ones are forgotten)")),
                             "UNKNOWN_RUN", {{"run", name}});
}

awaitable<absl::StatusOr<v1::Run>> Readiness::StartRun(v1::StartRunRequest request) {
  if (stopping_) {
    co_return runtime::WithReason(absl::FailedPreconditionError("readiness is shutting down"), "SHUTTING_DOWN");
  }
  if (paused_) {
    co_return runtime::WithReason(absl::FailedPreconditionError("probing is paused; run `puckdrop resume` first"),
                                  "PAUSED");
  }
  if (!request.plan_digest().empty() && request.plan_digest() != subject().digest) {
    co_return runtime::WithReason(
        absl::FailedPreconditionError(absl::StrCat("readiness judges by the plan ", subject().digest, ", you have ",
                                                   request.plan_digest(), "; give both the same plan")),
        "PLAN_DIGEST_MISMATCH", {{"digest", subject().digest}});
  }
  const absl::Duration timeout =
      request.has_timeout() && runtime::FromProtoDuration(request.timeout()) > absl::ZeroDuration()
          ? std::min(runtime::FromProtoDuration(request.timeout()), kLongestTimeout)
          : kTimeout;
  absl::StatusOr<std::vector<Instance>> selected = Select(expected_, request.selection());
  if (!selected.ok()) co_return runtime::WithReason(selected.status(), "EMPTY_SELECTION");
  if (selected->empty()) {
    co_return runtime::WithReason(absl::InvalidArgumentError("the selection names no check of any customer"),
                                  "EMPTY_SELECTION");
  }

  auto run = std::make_shared<RunRecord>();
  run->id = NewRunId(clock_.Now());
  run->expected = std::move(*selected);
  run->filtered = run->expected.size() < expected_.size();
  run->run.set_name("runs/" + run->id);
  *run->run.mutable_selection() = request.selection();
  run->run.set_state(v1::Run::RUNNING);
  run->run.set_expected(static_cast<int>(run->expected.size()));
  *run->run.mutable_start_time() = runtime::ToTimestamp(clock_.Now());
  *run->run.mutable_timeout() = runtime::ToProtoDuration(timeout);

  // The lock comes first: from the first obligation on, who owns it must be seen to be alive.
  const std::string id = run->id;
  absl::Status claimed = co_await loop_.RunBlocking([this, id] { return store_.ClaimRun(id); });
  if (!claimed.ok()) co_return claimed;

  WalkRequest walk;
  walk.run = run->id;
  walk.journeys = PlanJourneys(subject(), run->expected);
  walk.limits = ShareLimits(subject(), walk.journeys);
  walk.observe = request.has_observe() && runtime::FromProtoDuration(request.observe()) > absl::ZeroDuration()
                     ? runtime::FromProtoDuration(request.observe())
                     : kObserve;
  // Undoing is part of the run's time.
  walk.settle_within = std::min(absl::Seconds(20), timeout / 10);
  walk.deadline = clock_.Now() + timeout - walk.settle_within;
  walk.vantage = options_.vantage;
  std::weak_ptr<RunRecord> weak = run;
  WalkEvents events;
  events.result = [this, weak](const v1::Result& result) {
    RunPtr kept = weak.lock();
    if (!kept) return;
    if (!result.supporting()) kept->run.set_done(kept->run.done() + 1);
    v1::WatchRunEvent event;
    *event.mutable_result() = result;
    Emit(kept, std::move(event));
    v1::WatchRunEvent progress;
    *progress.mutable_run() = kept->run;
    Emit(kept, std::move(progress));
  };
  events.evidence = [this, weak](const v1::Evidence& evidence) {
    Remember(evidence);
    v1::WatchRunEvent event;
    *event.mutable_evidence() = evidence;
    if (RunPtr kept = weak.lock()) Emit(kept, std::move(event));
  };
  events.operation = [this, weak](const v1::OperationRecord& operation) {
    v1::WatchRunEvent event;
    *event.mutable_operation() = operation;
    if (RunPtr kept = weak.lock()) Emit(kept, std::move(event));
  };
  events.progress = [this, weak](const std::string& words) {
    RunPtr kept = weak.lock();
    if (!kept) return;
    kept->run.set_progress(words);
    v1::WatchRunEvent event;
    *event.mutable_run() = kept->run;
    Emit(kept, std::move(event));
  };
  run->walk =
      std::make_unique<Walk>(loop_, clock_, store_, subject(), options_.probers, std::move(walk), std::move(events));

  runs_.push_back(run);
  for (auto old = runs_.begin(); runs_.size() > options_.runs_kept && old != runs_.end();) {
    old = (*old)->ended ? runs_.erase(old) : old + 1;
  }
  v1::WatchRunEvent first;
  *first.mutable_run() = run->run;
  Emit(run, std::move(first));
  v1::Run answer = run->run;
  loop_.Detach(RunToItsEnd(run));
  co_return answer;
}

awaitable<void> Readiness::RunToItsEnd(RunPtr run) {
  WalkOutcome outcome = co_await run->walk->Run();
  co_await LookAtNotices();

  for (const v1::Result& result : outcome.results) Remember(result);
  if (!outcome.configuration.empty()) configuration_ = outcome.configuration;
  absl::StatusOr<std::vector<v1::Obligation>> owed =
      co_await loop_.RunBlocking([this] { return store_.Owed(subject().plan.launch().id()); });
  if (owed.ok()) obligations_open_ = static_cast<int>(owed->size());

  v1::Verdict verdict = Judge(run->expected, run->filtered, outcome.results, outcome.configuration, outcome.causes);
  verdict.set_run(run->run.name());
  *verdict.mutable_duration() = runtime::ToProtoDuration(clock_.Now() - runtime::FromTimestamp(run->run.start_time()));
  *run->run.mutable_verdict() = std::move(verdict);
  run->run.set_state(outcome.cancelled ? v1::Run::CANCELLED : v1::Run::SUCCEEDED);
  run->run.clear_progress();
  *run->run.mutable_end_time() = runtime::ToTimestamp(clock_.Now());
  const std::string id = run->id;
  (void)co_await loop_.RunBlocking([this, id] { store_.ReleaseRun(id); });
  v1::WatchRunEvent last;
  *last.mutable_run() = run->run;
  run->ended = true;
  Emit(run, std::move(last));
  Changed();
}

void Readiness::Emit(const RunPtr& run, v1::WatchRunEvent event) {
  // Progress is only of use when it is fresh.
  if (event.has_run() && !run->ended && !run->events.empty() && run->events.size() > 1 &&
      run->events.back()->has_run()) {
    run->events.back() = std::make_shared<const v1::WatchRunEvent>(std::move(event));
  } else {
    run->events.push_back(std::make_shared<const v1::WatchRunEvent>(std::move(event)));
  }
  run->more.NotifyAll();
}

awaitable<absl::Status> Readiness::WatchRun(std::string name, OnRunEvent on_event) {
  absl::StatusOr<RunPtr> run = Find(name);
  if (!run.ok()) co_return run.status();
  RunPtr kept = *run;
  size_t next = 0;
  std::shared_ptr<const v1::WatchRunEvent> handed;
  while (true) {
    // The last one may have been replaced by newer progress since it was handed over.
    if (next > 0 && next == kept->events.size() && kept->events[next - 1] != handed) --next;
    if (next < kept->events.size()) {
      handed = kept->events[next++];
      absl::Status taken = co_await on_event(*handed);
      if (!taken.ok()) co_return taken;
      continue;
    }
    if (kept->ended) co_return absl::OkStatus();
    absl::Status waited = co_await kept->more.Wait();
    if (!waited.ok()) co_return waited;
  }
}

absl::StatusOr<v1::Run> Readiness::GetRun(const std::string& name) const {
  absl::StatusOr<RunPtr> run = Find(name);
  if (!run.ok()) return run.status();
  return (*run)->run;
}

absl::StatusOr<v1::ListRunsResponse> Readiness::ListRuns(const v1::ListRunsRequest& request) const {
  auto page = Page(request.page_size(), 50, 500, request.page_token(), runs_.size());
  if (!page.ok()) return page.status();
  v1::ListRunsResponse response;
  for (size_t i = page->first; i < page->second; ++i) *response.add_runs() = runs_[runs_.size() - 1 - i]->run;
  if (page->second < runs_.size()) response.set_next_page_token(absl::StrCat(page->second));
  return response;
}

absl::StatusOr<v1::Run> Readiness::CancelRun(const v1::CancelRunRequest& request) {
  absl::StatusOr<RunPtr> run = Find(request.name());
  if (!run.ok()) return run.status();
  if (!(*run)->ended) {
    (*run)->walk->Cancel(request.has_settle_within() ? runtime::FromProtoDuration(request.settle_within())
                                                     : kSettleAfterCancel);
  }
  return (*run)->run;
}

awaitable<void> Readiness::LookAtNotices() {
  std::vector<awaitable<void>> looks;
  for (WaiverInput& waiver : looked_at_) {
    if (clock_.Now() >= waiver.expires) continue;
    auto look = [](Readiness* self, WaiverInput* at) -> awaitable<void> {
      const absl::Time deadline = self->clock_.Now() + kNoticeTimeout;
      absl::StatusOr<std::string> text = co_await self->notices_.Read(at->notice_url, deadline);
      if (!text.ok()) {
        at->notice = WaiverInput::Notice::kUnreachable;
        at->notice_error = std::string(text.status().message());
      } else if (Says(*text, at->notice_says)) {
        at->notice = WaiverInput::Notice::kSaid;
        at->notice_seen = self->clock_.Now();
      } else {
        at->notice = WaiverInput::Notice::kDidNotSay;
      }
    };
    looks.push_back(look(this, &waiver));
  }
  if (!looks.empty()) co_await loop_.All(std::move(looks));
}

void Readiness::Remember(const v1::Result& result) {
  v1::Result& latest = latest_[{result.check(), result.customer(), result.vantage()}];
  // Of a run that was overtaken by a later one the older result must not win.
  const auto at = [](const v1::Result& r) { return std::make_pair(r.end_time().seconds(), r.end_time().nanos()); };
  if (latest.check().empty() || at(result) >= at(latest)) latest = result;
}

void Readiness::Remember(const v1::Evidence& evidence) {
  if (evidence_.count(evidence.name()) > 0) return;
  evidence_bytes_ += evidence.content().size();
  evidence_[evidence.name()] = std::make_shared<const v1::Evidence>(evidence);
  evidence_order_.push_back(evidence.name());
  while (evidence_bytes_ > options_.evidence_bytes_kept && !evidence_order_.empty()) {
    const auto oldest = evidence_.find(evidence_order_.front());
    evidence_bytes_ -= oldest->second->content().size();
    evidence_.erase(oldest);
    evidence_order_.pop_front();
  }
}

v1::Verdict Readiness::Judge(const std::vector<Instance>& expected, bool filtered, std::vector<v1::Result> results,
                             std::string configuration, std::vector<std::string> causes) const {
  VerdictInput input = InputOf(subject(), expected, filtered);
  input.results = std::move(results);
  input.waivers = looked_at_;
  input.now = clock_.Now();
  input.configuration = std::move(configuration);
  input.causes = std::move(causes);
  input.obligations_open = obligations_open_;
  // One gate is one vantage, whatever the plan asks of the probers of a launch night.
  if (!input.vantages.empty() &&
      std::find(input.vantages.begin(), input.vantages.end(), options_.vantage) == input.vantages.end()) {
    input.vantages.clear();
    input.vantages_required = 0;
  }
  return ComputeVerdict(input);
}

v1::Verdict Readiness::CurrentVerdict() const {
  std::vector<v1::Result> results;
  for (const auto& [key, result] : latest_) results.push_back(result);
  v1::Verdict verdict = Judge(expected_, false, std::move(results), configuration_, {});
  verdict.set_revision(revision_);
  return verdict;
}

void Readiness::Changed() {
  ++revision_;
  if (listener_) listener_(CurrentVerdict());
  changed_.NotifyAll();
}

absl::StatusOr<v1::Verdict> Readiness::GetVerdict(const std::string& launch) const {
  absl::Status known = CheckLaunch(launch);
  if (!known.ok()) return known;
  return CurrentVerdict();
}

awaitable<absl::Status> Readiness::WatchVerdict(std::string launch,
                                                std::function<awaitable<absl::Status>(v1::Verdict)> on_verdict) {
  absl::Status known = CheckLaunch(launch);
  if (!known.ok()) co_return known;
  while (!stopping_) {
    const int64_t seen = revision_;
    v1::Verdict verdict = CurrentVerdict();
    absl::Status taken = co_await on_verdict(std::move(verdict));
    if (!taken.ok()) co_return taken;
    while (revision_ == seen && !stopping_) {
      absl::Status waited = co_await changed_.Wait();
      if (!waited.ok()) co_return waited;
    }
  }
  co_return runtime::WithReason(absl::UnavailableError("readiness is shutting down"), "SHUTTING_DOWN");
}

absl::StatusOr<v1::PlanCheck> Readiness::GetCheck(const std::string& check) const {
  const v1::CheckDescription* description = subject().Find(check);
  if (description == nullptr) {
    return runtime::WithReason(
        absl::NotFoundError(absl::StrCat("there is no check '", check, "'; `puckdrop checks` lists them")),
        "UNKNOWN_CHECK", {{"check", check}});
  }
  v1::PlanCheck answer;
  *answer.mutable_description() = *description;
  for (const v1::InstanceStanding& instance : CurrentVerdict().instances()) {
    if (instance.check() == check) *answer.add_instances() = instance;
  }
  return answer;
}

absl::StatusOr<v1::ListPlanChecksResponse> Readiness::ListChecks(const v1::ListPlanChecksRequest& request) const {
  const std::vector<v1::CheckDescription>& all = subject().catalogue;
  auto page = Page(request.page_size(), 200, 1000, request.page_token(), all.size());
  if (!page.ok()) return page.status();
  std::map<std::string, std::vector<v1::InstanceStanding>> instances;
  for (const v1::InstanceStanding& instance : CurrentVerdict().instances())
    instances[instance.check()].push_back(instance);
  v1::ListPlanChecksResponse response;
  for (size_t i = page->first; i < page->second; ++i) {
    v1::PlanCheck* check = response.add_checks();
    *check->mutable_description() = all[i];
    for (const v1::InstanceStanding& instance : instances[all[i].check()]) *check->add_instances() = instance;
  }
  if (page->second < all.size()) response.set_next_page_token(absl::StrCat(page->second));
  return response;
}

absl::StatusOr<v1::ListResultsResponse> Readiness::ListResults(const v1::ListResultsRequest& request) const {
  std::vector<const v1::Result*> wanted;
  for (const auto& [key, result] : latest_) {
    if (!request.check().empty() && request.check() != result.check()) continue;
    if (!request.customer().empty() && request.customer() != result.customer()) continue;
    wanted.push_back(&result);
  }
  std::sort(wanted.begin(), wanted.end(), [](const v1::Result* a, const v1::Result* b) {
    const auto key = [](const v1::Result* r) {
      return std::make_tuple(-r->end_time().seconds(), -r->end_time().nanos(), r->check(), r->customer(), r->vantage());
    };
    return key(a) < key(b);
  });
  auto page = Page(request.page_size(), 50, 1000, request.page_token(), wanted.size());
  if (!page.ok()) return page.status();
  v1::ListResultsResponse response;
  for (size_t i = page->first; i < page->second; ++i) *response.add_results() = *wanted[i];
  if (page->second < wanted.size()) response.set_next_page_token(absl::StrCat(page->second));
  return response;
}

absl::StatusOr<v1::Evidence> Readiness::GetEvidence(const std::string& name) const {
  const auto found = evidence_.find(name);
  if (found == evidence_.end()) {
    return runtime::WithReason(absl::NotFoundError(absl::StrCat("there is no evidence '", name, "' (any more)")),
                               "UNKNOWN_EVIDENCE", {{"name", name}});
  }
  return *found->second;
}

absl::Status Readiness::MayAct(const std::string& owner) const {
  for (const RunPtr& run : runs_) {
    if (run->id == owner && (run->ended || stopping_ || run->walk->cancelled())) {
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

awaitable<void> Readiness::KeepHouse() {
  while (!stopping_) {
    const std::string launch = subject().plan.launch().id();
    absl::StatusOr<std::vector<v1::Obligation>> owed =
        co_await loop_.RunBlocking([this, launch] { return store_.Owed(launch); });
    if (owed.ok() && !owed->empty()) {
      v1::SettleObligationsRequest request;
      (void)co_await SettleObligations(std::move(request));
    } else if (owed.ok()) {
      obligations_open_ = 0;
    }
    co_await LookAtNotices();
    Changed();
    absl::Status slept = co_await loop_.SleepFor(clock_, kHousekeepingEvery);
    if (!slept.ok()) co_return;
  }
}

awaitable<void> Readiness::Shutdown(absl::Duration grace) {
  stopping_ = true;
  const absl::Time until = clock_.Now() + grace;
  const std::deque<RunPtr> runs = runs_;
  for (const RunPtr& run : runs) {
    if (!run->ended) run->walk->Cancel(grace);
  }
  for (const RunPtr& run : runs) {
    while (!run->ended && clock_.Now() < until + absl::Seconds(2)) {
      absl::Status waited = co_await run->more.Wait();
      if (!waited.ok()) break;
    }
  }
  changed_.NotifyAll();
}

}  // namespace puckdrop::readiness
