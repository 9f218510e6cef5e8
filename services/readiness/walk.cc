#include "services/readiness/walk.h"

#include <algorithm>
#include <deque>
#include <exception>

#include "absl/strings/str_cat.h"
#include "services/runtime/proto_time.h"

namespace puckdrop::readiness {
namespace {

constexpr absl::Duration kRenewEvery = absl::Seconds(20);
constexpr absl::Duration kSettleAbandonedWithin = absl::Seconds(30);
// Between cutting off what a prober does and undoing it.
constexpr absl::Duration kAfterCut = absl::Milliseconds(300);
// How much longer than its deadline a prober may take to say so.
constexpr absl::Duration kStreamGrace = absl::Seconds(3);

const char* StageWord(v1::Stage stage) {
  switch (stage) {
    case v1::STAGE_VISITOR:
      return "visitor";
    case v1::STAGE_SUBSCRIBER:
      return "subscriber";
    default:
      return "leaver";
  }
}

// Why a stream brought less than it should, for people.
std::string WhyMissing(const std::string& path, const absl::Status& status, bool done) {
  if (absl::IsUnavailable(status)) {
    return absl::StrCat("the ", path, " prober cannot be reached: ", std::string(status.message()));
  }
  if (absl::IsDeadlineExceeded(status)) return absl::StrCat("the ", path, " prober did not answer in the run's time");
  if (absl::IsCancelled(status)) return "the run was ended before it was judged";
  if (!status.ok()) return absl::StrCat("the ", path, " prober refused: ", std::string(status.message()));
  if (!done) return absl::StrCat("the ", path, " prober ended before it had told all results");
  return absl::StrCat("the ", path, " prober told no result");
}

}  // namespace

// How many paths may be under way at once, so that each has at least one request in flight. Several customers on one
// path share its place.
class Walk::Slots {
 public:
  explicit Slots(int places) : places_(std::max(1, places)) {}

  // OK with a place; CANCELLED when the coroutine is.
  awaitable<absl::Status> Acquire(v1::Path path) {
    while (active_.count(path) == 0 && static_cast<int>(active_.size()) >= places_) {
      auto turn = std::make_shared<runtime::OneShot>();
      waiting_.push_back(turn);
      absl::Status waited = co_await turn->Wait();
      if (!waited.ok()) co_return waited;
    }
    ++active_[path];
    co_return absl::OkStatus();
  }

  void Release(v1::Path path) {
    if (--active_[path] > 0) return;
    active_.erase(path);
    // All look again: more than one may want the path that gets the place.
    for (const std::shared_ptr<runtime::OneShot>& turn : std::exchange(waiting_, {})) turn->Set();
  }

 private:
  const int places_;
  std::map<v1::Path, int> active_;
  std::deque<std::shared_ptr<runtime::OneShot>> waiting_;
};

Walk::Walk(runtime::EventLoop& loop, const runtime::Clock& clock, Store& store, std::shared_ptr<const Subject> subject,
           Probers probers, WalkRequest request, WalkEvents events)
    : loop_(loop),
      clock_(clock),
      store_(store),
      kept_subject_(std::move(subject)),
      subject_(*kept_subject_),
      probers_(std::move(probers)),
      request_(std::move(request)),
      events_(std::move(events)),
      end_(clock.Monotonic() + (request_.deadline - clock.Now())),
      settler_(loop, clock, store, probers_, subject_.digest),
      slots_(std::make_unique<Slots>(request_.limits.paths_at_once)) {}

Walk::~Walk() = default;

std::string Walk::Ended() const {
  if (cancelled_) return "the run was ended before it was judged";
  if (OutOfTime()) return "the run's time ran out before it was judged";
  return "";
}

absl::Time Walk::SettleDeadline() const {
  // A journey that ends early may take what is left of the run as well.
  const absl::Duration now = clock_.Monotonic();
  const absl::Duration end = std::min(std::max(now, end_) + request_.settle_within, cancel_settle_end_);
  return clock_.Now() + (end - now);
}

void Walk::Cancel(absl::Duration settle_within) {
  cancel_settle_end_ = std::min(cancel_settle_end_, clock_.Monotonic() + settle_within);
  if (cancelled_) return;
  cancelled_ = true;
  // Ending one may start nothing new, but it changes the map.
  const auto streams = streams_;
  for (const auto& [id, cancel] : streams) cancel();
}

void Walk::NoteConfiguration(const std::string& configuration) {
  if (!configuration.empty() && events_.configuration) events_.configuration(configuration);
  if (configuration.empty() || (!configurations_.empty() && configurations_.back() == configuration)) return;
  if (std::find(configurations_.begin(), configurations_.end(), configuration) != configurations_.end()) {
    causes_.insert("the target's configuration alternates: two versions are answering at once");
  } else if (!configurations_.empty()) {
    causes_.insert(absl::StrCat("the target's configuration changed during the run, from ", configurations_.back(),
                                " to ", configuration));
  }
  configurations_.push_back(configuration);
}

void Walk::Take(v1::Result result, Traveller& traveller, v1::Stage stage, bool supporting) {
  const v1::CheckDescription* description = subject_.Find(result.check());
  if (description == nullptr) return;  // of another version: the verdict expects nothing of it
  result.set_customer(description->per_launch() ? kAnyCustomer : traveller.journey->customer);
  result.set_run(request_.run);
  result.set_name(absl::StrCat("runs/", request_.run, "/results/", result.check(), ":", result.customer()));
  result.set_plan_digest(subject_.digest);
  if (result.stage() == v1::STAGE_UNSPECIFIED) result.set_stage(stage);
  result.set_supporting(supporting);
  if (result.vantage().empty()) result.set_vantage(request_.vantage);
  // What says nothing proves nothing.
  if (result.outcome() == v1::OUTCOME_UNSPECIFIED) result.set_outcome(v1::OUTCOME_INCONCLUSIVE);
  if (!result.has_end_time()) *result.mutable_end_time() = runtime::ToTimestamp(clock_.Now());
  if (result.severity() == v1::SEVERITY_UNSPECIFIED) result.set_severity(description->severity());
  if (request_.max_age) {
    const std::optional<absl::Duration> max_age = request_.max_age(result.check(), result.customer());
    if (max_age) *result.mutable_max_age() = runtime::ToProtoDuration(*max_age);
  }
  v1::EarlierResult& earlier = traveller.earlier[result.check()];
  earlier.set_check(result.check());
  earlier.set_outcome(result.outcome());
  earlier.set_blocked_by(result.blocked_by());
  earlier.set_confirmed(result.confirmed());
  if (events_.result) events_.result(result);
  results_[{result.check(), result.customer()}] = std::move(result);
}

awaitable<absl::Status> Walk::Stream(v1::Path path, v1::RunChecksRequest request, ProberClient::OnEvent on_event) {
  // A task of its own, because only a task can be cancelled from outside.
  struct State {
    runtime::OneShot ended;
    absl::Status status = absl::CancelledError("the call was dropped");
  };
  auto state = std::make_shared<State>();
  ProberClient* prober = probers_.at(path);
  const absl::Time until = Deadline() + kStreamGrace;
  auto work = [](std::shared_ptr<State> kept, ProberClient* to, v1::RunChecksRequest what, absl::Time by,
                 ProberClient::OnEvent each) -> awaitable<void> {
    try {
      kept->status = co_await to->RunChecks(std::move(what), by, std::move(each));
    } catch (const std::exception& error) {
      kept->status = absl::InternalError(error.what());
    }
    kept->ended.Set();
  };
  auto task = std::make_shared<runtime::Task<void>>(
      loop_.Spawn(work(state, prober, std::move(request), until, std::move(on_event))));
  const uint64_t id = next_stream_++;
  streams_[id] = [task] { task->Cancel(); };
  if (cancelled_) task->Cancel();
  co_await state->ended.WaitRegardless();
  streams_.erase(id);
  co_return state->status;
}

awaitable<void> Walk::WalkStep(Traveller& traveller, v1::Stage stage, const Step& step) {
  const std::string path = PathName(step.path);
  const std::string& customer = traveller.journey->customer;
  std::set<std::string> supporting(step.supporting.begin(), step.supporting.end());
  std::set<std::string> missing(step.checks.begin(), step.checks.end());
  missing.insert(step.supporting.begin(), step.supporting.end());
  std::vector<std::pair<std::string, std::string>> unstamped;

  std::string why = Ended();
  const auto prober = probers_.find(step.path);
  if (why.empty() && (prober == probers_.end() || prober->second == nullptr)) {
    why = absl::StrCat("the ", path, " prober cannot be reached: none is configured");
  }
  if (why.empty()) {
    absl::Status place = co_await slots_->Acquire(step.path);
    if (!place.ok()) why = "the run was ended before it was judged";
    if (place.ok()) {
      why = Ended();
      if (why.empty()) {
        v1::RunChecksRequest request;
        request.set_run(request_.run);
        request.set_plan_digest(subject_.digest);
        request.set_customer(customer);
        request.set_stage(stage);
        for (const std::string& check : step.checks) request.add_checks(check);
        for (const std::string& check : step.supporting) request.add_supporting_checks(check);
        for (const auto& [name, fact] : traveller.facts) *request.add_facts() = fact;
        for (const auto& [check, earlier] : traveller.earlier) *request.add_earlier() = earlier;
        const auto share = request_.limits.by_path.find(step.path);
        if (share != request_.limits.by_path.end()) *request.mutable_limits() = share->second;
        *request.mutable_observe() = runtime::ToProtoDuration(request_.observe);
        *request.mutable_deadline() = runtime::ToTimestamp(Deadline());
        *request.mutable_time_left() = runtime::ToProtoDuration(end_ - clock_.Monotonic());
        request.set_watch(request_.watch);
        request.set_session(request_.session);
        if (request_.interval > absl::ZeroDuration()) {
          *request.mutable_interval() = runtime::ToProtoDuration(request_.interval);
          *request.mutable_limit() = runtime::ToProtoDuration(request_.limit);
        }
        for (const Journey& journey : request_.journeys) {
          if (journey.stages.count(stage) > 0) request.add_companions(journey.customer);
        }
        if (events_.progress) events_.progress(absl::StrCat(customer, ": ", path, " as ", StageWord(stage)));

        bool done = false;
        std::string configuration;
        ProberClient::OnEvent on_event = [&](v1::RunChecksEvent event) {
          switch (event.event_case()) {
            case v1::RunChecksEvent::kResult: {
              // What was not asked for is not ours to count.
              const std::string check = event.result().check();
              if (missing.erase(check) == 0 && traveller.earlier.count(check) == 0) break;
              const bool told = !event.result().configuration().empty();
              if (told) NoteConfiguration(event.result().configuration());
              Take(std::move(*event.mutable_result()), traveller, stage, supporting.count(check) > 0);
              const v1::CheckDescription* description = subject_.Find(check);
              if (!told && description != nullptr) {
                unstamped.emplace_back(check, description->per_launch() ? kAnyCustomer : customer);
              }
              break;
            }
            case v1::RunChecksEvent::kFact: {
              // Each path writes under its own name, so a union loses nothing.
              v1::Fact* fact = event.mutable_fact();
              if (PathOfCheck(fact->name()) != step.path || fact->customer() != customer) break;
              traveller.facts[fact->name()] = std::move(*fact);
              break;
            }
            case v1::RunChecksEvent::kOperation:
              if (events_.operation) events_.operation(event.operation());
              break;
            case v1::RunChecksEvent::kEvidence:
              if (events_.evidence) events_.evidence(event.evidence());
              break;
            case v1::RunChecksEvent::kProgress:
              if (events_.progress) {
                events_.progress(absl::StrCat(customer, ": ", event.progress().check(),
                                              event.progress().text().empty() ? "" : ", ", event.progress().text()));
              }
              break;
            case v1::RunChecksEvent::kDone:
              done = true;
              configuration = event.done().configuration();
              break;
            default:
              break;
          }
        };
        absl::Status status = co_await Stream(step.path, std::move(request), std::move(on_event));
        NoteConfiguration(configuration);
        if (!configuration.empty()) {
          for (const auto& key : unstamped) results_[key].set_configuration(configuration);
        }
        if (!missing.empty()) {
          why = WhyMissing(path, status, done);
          if (absl::IsDeadlineExceeded(status)) out_of_time_ = true;
          if (absl::IsUnavailable(status) || absl::IsFailedPrecondition(status)) causes_.insert(why);
        }
      }
      slots_->Release(step.path);
    }
  }
  if (!cancelled_ && !missing.empty() && OutOfTime()) out_of_time_ = true;
  for (const std::string& check : missing) {
    v1::Result result;
    result.set_check(check);
    result.set_outcome(v1::OUTCOME_INCONCLUSIVE);
    result.set_reason(v1::FAILURE_REASON_OURS);
    result.set_summary(why);
    *result.mutable_start_time() = runtime::ToTimestamp(clock_.Now());
    *result.mutable_end_time() = runtime::ToTimestamp(clock_.Now());
    Take(std::move(result), traveller, stage, supporting.count(check) > 0);
  }
}

awaitable<void> Walk::WalkStage(Traveller& traveller, v1::Stage stage) {
  const auto layers = traveller.journey->stages.find(stage);
  if (layers == traveller.journey->stages.end()) co_return;
  for (const std::vector<Step>& layer : layers->second) {
    std::vector<awaitable<void>> steps;
    for (const Step& step : layer) steps.push_back(WalkStep(traveller, stage, step));
    co_await loop_.All(std::move(steps));
  }
}

awaitable<void> Walk::WalkJourney(Traveller& traveller) {
  const bool global = subject_.plan.target().clock() == v1::CLOCK_CONTROL_GLOBAL;
  co_await WalkStage(traveller, v1::STAGE_VISITOR);
  co_await WalkStage(traveller, v1::STAGE_SUBSCRIBER);
  // A clock for all moves once, when all are there: the caller waits for everybody.
  if (global) co_return;
  co_await WalkStage(traveller, v1::STAGE_LEAVER);
  if (cancelled_ || out_of_time_) co_return;
  Settled own = co_await settler_.SettleOwn(request_.run, traveller.journey->customer, SettleDeadline());
  settled_.settled += own.settled;
}

awaitable<void> Walk::Bounded(std::vector<awaitable<void>> work, int at_once) {
  // As many runners as may run at once, each taking the next piece.
  auto next = std::make_shared<size_t>(0);
  auto pieces = std::make_shared<std::vector<awaitable<void>>>(std::move(work));
  auto runner = [](std::shared_ptr<size_t> index,
                   std::shared_ptr<std::vector<awaitable<void>>> all) -> awaitable<void> {
    while (*index < all->size()) {
      const size_t mine = (*index)++;
      co_await std::move((*all)[mine]);
    }
  };
  std::vector<awaitable<void>> runners;
  const size_t count = std::min(pieces->size(), static_cast<size_t>(std::max(1, at_once)));
  for (size_t i = 0; i < count; ++i) runners.push_back(runner(next, pieces));
  co_await loop_.All(std::move(runners));
}

awaitable<void> Walk::RenewLeases() {
  while (true) {
    absl::Status slept = co_await loop_.SleepFor(clock_, kRenewEvery);
    if (!slept.ok()) co_return;
    const std::string run = request_.run;
    absl::StatusOr<int> renewed = co_await loop_.RunBlocking([this, run] { return store_.RenewObligations(run); });
    if (absl::IsCancelled(renewed.status())) co_return;
  }
}

awaitable<WalkOutcome> Walk::Run() {
  auto renewing_ended = std::make_shared<runtime::OneShot>();
  auto renewing = [](Walk* walk, std::shared_ptr<runtime::OneShot> ended) -> awaitable<void> {
    co_await walk->RenewLeases();
    ended->Set();
  };
  runtime::Task<void> renew = loop_.Spawn(renewing(this, renewing_ended));

  // First what others left: an order still owed on a standing account would stand in our way.
  // What only watches stands in nobody's way.
  Settled abandoned;
  if (!request_.watch) {
    const absl::Time abandoned_by = std::min(Deadline(), clock_.Now() + kSettleAbandonedWithin);
    abandoned = co_await settler_.SettleAbandoned(request_.run, subject_.plan.launch().id(), abandoned_by);
  }
  if (abandoned.settled > 0 && events_.progress) {
    events_.progress(absl::StrCat("undid ", abandoned.settled, " thing(s) an earlier run had left"));
  }
  settled_.settled += abandoned.settled;

  std::vector<Traveller> travellers(request_.journeys.size());
  std::vector<awaitable<void>> journeys;
  for (size_t i = 0; i < travellers.size(); ++i) {
    travellers[i].journey = &request_.journeys[i];
    for (const v1::Fact& fact : request_.journeys[i].facts) travellers[i].facts[fact.name()] = fact;
    journeys.push_back(WalkJourney(travellers[i]));
  }
  co_await Bounded(std::move(journeys), request_.customers_at_once);
  if (subject_.plan.target().clock() == v1::CLOCK_CONTROL_GLOBAL) {
    std::vector<awaitable<void>> leaving;
    for (Traveller& traveller : travellers) leaving.push_back(WalkStage(traveller, v1::STAGE_LEAVER));
    co_await loop_.All(std::move(leaving));
  }
  // An act that was under way when it was cut off may still arrive at the target; undoing waits for it a moment.
  if (cancelled_ || out_of_time_) (void)co_await loop_.SleepFor(clock_, kAfterCut);
  // Whatever is left: of a journey that was cut short, or opened late.
  Settled rest = co_await settler_.SettleOwn(request_.run, "", SettleDeadline());
  settled_.settled += rest.settled;
  settled_.open = std::move(rest.open);
  renew.Cancel();
  co_await renewing_ended->WaitRegardless();

  WalkOutcome outcome;
  // One configuration all along is also that of the results whose stream did not tell it.
  if (configurations_.size() == 1) {
    for (auto& [key, result] : results_) {
      if (result.configuration().empty()) result.set_configuration(configurations_.front());
    }
  }
  if (!configurations_.empty()) outcome.configuration = configurations_.back();
  for (auto& [key, result] : results_) outcome.results.push_back(std::move(result));
  if (cancelled_) {
    causes_.insert("the run was ended early");
  } else if (out_of_time_) {
    causes_.insert("the run's time ran out");
  }
  outcome.causes.assign(causes_.begin(), causes_.end());
  outcome.settled = std::move(settled_);
  outcome.cancelled = cancelled_;
  outcome.out_of_time = out_of_time_;
  outcome.untold = out_of_time_;
  for (const v1::Result& result : outcome.results) {
    outcome.untold = outcome.untold || (result.outcome() == v1::OUTCOME_INCONCLUSIVE &&
                                        result.reason() == v1::FAILURE_REASON_OURS && !result.supporting());
  }
  co_return outcome;
}

}  // namespace puckdrop::readiness
