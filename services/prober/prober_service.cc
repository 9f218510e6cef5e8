#include "services/prober/prober_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/plan/settings.h"
#include "services/prober/outbox.h"
#include "services/prober/prober.h"
#include "services/runtime/logging.h"
#include "services/runtime/proto_time.h"
#include "services/runtime/status_convert.h"

namespace puckdrop::prober {
namespace {

using runtime::WithReason;

constexpr int kMostChecks = 1000;
constexpr int kMostFacts = 1000;
constexpr size_t kLongestRun = 40;
constexpr absl::Duration kLongestUndo = absl::Seconds(60);
constexpr size_t kGenerations = 4;
constexpr absl::Duration kReloadEvery = absl::Seconds(2);
constexpr int kMostAccounts = 1'000'000;

// What only watches writes nothing down, so it can create nothing.
class NoObligations final : public checks::ObligationPort {
 public:
  awaitable<absl::StatusOr<std::string>> Open(v1::Obligation) override {
    co_return absl::FailedPreconditionError("this run watches, and creates nothing");
  }
  awaitable<absl::Status> Update(v1::Obligation) override {
    co_return absl::FailedPreconditionError("this run watches, and creates nothing");
  }
};

bool IsRunId(const std::string& run) {
  return !run.empty() && run.size() <= kLongestRun &&
         run.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

// JSON that a caller hands in is walked recursively further on: what nests deeper than anything of ours would end the
// process there.
constexpr int kDeepestJson = 64;

bool TooDeep(const std::string& json) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDeepestJson) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

absl::Status JsonTooDeep(const std::string& what) {
  return WithReason(
      absl::InvalidArgumentError(absl::StrCat(what, " holds JSON nested deeper than ", kDeepestJson, " levels")),
      "JSON_TOO_DEEP");
}

// Writes what the runner sends until there is no more.
awaitable<void> Drain(Outbox& outbox, runtime::Writer<v1::RunChecksEvent>& writer) {
  while (true) {
    std::optional<v1::RunChecksEvent> event = co_await outbox.Next();
    if (!event) co_return;
    absl::Status written = co_await writer.Write(std::move(*event));
    if (!written.ok()) {
      outbox.Abandon(std::move(written));
      co_return;
    }
  }
}

awaitable<void> RunInto(CheckRunner& runner, Outbox& outbox, absl::Status& ended) {
  ended = co_await runner.Run(outbox);
  outbox.Close();
}

std::string ManualAction(const v1::Obligation& obligation) {
  std::string action = absl::StrCat("undo ", obligation.operation(), " of the account ", obligation.account(),
                                    " at the target by hand (our key: ", obligation.idempotency_key());
  std::vector<std::pair<std::string, std::string>> ids(obligation.target_ids().begin(), obligation.target_ids().end());
  std::sort(ids.begin(), ids.end());
  for (const auto& [name, id] : ids) absl::StrAppend(&action, ", ", name, ": ", id);
  return absl::StrCat(action, "), then close ", obligation.name());
}

}  // namespace

ProberService::ProberService(ServiceParts parts)
    : parts_(std::move(parts)),
      bridge_(*parts_.loop, *parts_.clock, {.guard = parts_.guard}),
      generations_({parts_.generation}) {}

ProberService::~ProberService() = default;

const checks::CheckDefinition* ProberService::Find(const std::string& check) const {
  for (const checks::CheckDefinition& definition : parts_.checks) {
    if (definition.info.id == check) return &definition;
  }
  return nullptr;
}

grpc::ServerUnaryReactor* ProberService::ListChecks(grpc::CallbackServerContext* context,
                                                    const v1::ListChecksRequest* request,
                                                    v1::ListChecksResponse* response) {
  return bridge_.Unary<v1::ListChecksRequest, v1::ListChecksResponse>(
      context, request, response,
      [this](runtime::CallContext&, const v1::ListChecksRequest&,
             v1::ListChecksResponse& answer) -> awaitable<absl::Status> {
        for (const checks::CheckDefinition& check : parts_.checks) *answer.add_checks() = checks::Describe(check.info);
        co_return absl::OkStatus();
      });
}

grpc::ServerWriteReactor<v1::RunChecksEvent>* ProberService::RunChecks(grpc::CallbackServerContext* context,
                                                                       const v1::RunChecksRequest* request) {
  return bridge_.Stream<v1::RunChecksRequest, v1::RunChecksEvent>(
      context, request,
      [this](runtime::CallContext& call, const v1::RunChecksRequest& asked,
             runtime::Writer<v1::RunChecksEvent>& writer) { return HandleRunChecks(call, asked, writer); });
}

grpc::ServerUnaryReactor* ProberService::SettleObligation(grpc::CallbackServerContext* context,
                                                          const v1::SettleObligationRequest* request,
                                                          v1::SettleObligationResponse* response) {
  return bridge_.Unary<v1::SettleObligationRequest, v1::SettleObligationResponse>(
      context, request, response,
      [this](runtime::CallContext& call, const v1::SettleObligationRequest& asked,
             v1::SettleObligationResponse& answer) { return HandleSettle(call, asked, answer); });
}

void ProberService::Use(std::shared_ptr<Generation> generation) {
  std::erase_if(generations_, [&](const auto& known) { return known->digest == generation->digest; });
  generations_.push_front(std::move(generation));
  if (generations_.size() > kGenerations) generations_.pop_back();
}

awaitable<absl::StatusOr<std::shared_ptr<Generation>>> ProberService::GenerationOf(std::string digest) {
  const auto find = [this, &digest]() -> std::shared_ptr<Generation> {
    for (const std::shared_ptr<Generation>& known : generations_) {
      if (known->digest == digest) return known;
    }
    return nullptr;
  };
  if (std::shared_ptr<Generation> known = find()) co_return known;
  // Readiness may have read its files again before us. Who asks for what is not there does not make us read for ever.
  if (parts_.reload && parts_.clock->Monotonic() - reloaded_ >= kReloadEvery) {
    reloaded_ = parts_.clock->Monotonic();
    (void)co_await parts_.reload();
    if (std::shared_ptr<Generation> known = find()) co_return known;
  }
  co_return WithReason(
      absl::FailedPreconditionError(absl::StrCat("this prober has another plan (", plan_digest().substr(0, 12),
                                                 ", the request says ", runtime::Printable(digest.substr(0, 12), 24),
                                                 "): start both with the same files and overlays")),
      "PLAN_DIGEST_MISMATCH", {{"ours", plan_digest()}, {"theirs", digest.substr(0, 100)}});
}

absl::Status ProberService::Validate(const v1::Plan& plan, const v1::RunChecksRequest& request) const {
  if (!IsRunId(request.run()) || (!request.session().empty() && !IsRunId(request.session()))) {
    return WithReason(absl::InvalidArgumentError("run and session must be 1 to 40 of a-z, 0-9 and -"), "BAD_RUN_ID");
  }
  if (plan::FindCustomer(plan, request.customer()) == nullptr) {
    const std::string customer = runtime::Printable(request.customer(), 80);
    return WithReason(absl::InvalidArgumentError(absl::StrCat("the plan has no customer \"", customer, "\"")),
                      "NO_SUCH_CUSTOMER", {{"customer", customer}});
  }
  if (request.stage() == v1::STAGE_UNSPECIFIED || !v1::Stage_IsValid(request.stage())) {
    return WithReason(absl::InvalidArgumentError("stage must be VISITOR, SUBSCRIBER or LEAVER"), "BAD_STAGE");
  }
  if (request.checks_size() + request.supporting_checks_size() > kMostChecks || request.facts_size() > kMostFacts ||
      request.earlier_size() > kMostChecks) {
    return WithReason(absl::InvalidArgumentError(absl::StrCat("a request may have ", kMostChecks, " checks, ",
                                                              kMostFacts, " facts and as many earlier results")),
                      "TOO_MANY");
  }
  for (const v1::Fact& fact : request.facts()) {
    v1::KeptFact kept;
    if (fact.value().UnpackTo(&kept) && TooDeep(kept.json())) {
      return JsonTooDeep(absl::StrCat("the fact ", runtime::Printable(fact.name(), 80)));
    }
  }
  for (const auto* list : {&request.checks(), &request.supporting_checks()}) {
    for (const std::string& check : *list) {
      if (Find(check) != nullptr) continue;
      const std::string name = runtime::Printable(check, 80);
      return WithReason(
          absl::InvalidArgumentError(absl::StrCat("the ", PathWord(parts_.path), " prober has no check \"", name,
                                                  "\"; ListChecks has them all")),
          "NO_SUCH_CHECK", {{"check", name}});
    }
  }
  if (request.has_limits() && (request.limits().requests_per_second() <= 0 || request.limits().in_flight() <= 0)) {
    return WithReason(
        absl::ResourceExhaustedError("the run's share of the plan's limits lets this prober send nothing: raise "
                                     "target.limits in the plan, or wait for another run to end"),
        "NO_SHARE");
  }
  return absl::OkStatus();
}

absl::Time ProberService::DeadlineOf(const runtime::CallContext& call, const v1::RunChecksRequest& request) const {
  const absl::Time now = parts_.clock->Now();
  absl::Time deadline = absl::InfiniteFuture();
  if (request.has_time_left()) {
    deadline = now + runtime::FromProtoDuration(request.time_left());
  } else if (request.has_deadline())
    deadline = runtime::FromTimestamp(request.deadline());
  if (call.deadline() != absl::InfiniteFuture()) {
    // What is known by then must still be sent.
    const absl::Duration left = call.deadline() - now;
    deadline = std::min(deadline, call.deadline() - std::min(absl::Seconds(2), left / 10));
  }
  return deadline == absl::InfiniteFuture() ? now + kDefaultRun : deadline;
}

awaitable<absl::Status> ProberService::HandleRunChecks(runtime::CallContext& call, const v1::RunChecksRequest& request,
                                                       runtime::Writer<v1::RunChecksEvent>& writer) {
  absl::StatusOr<std::shared_ptr<Generation>> generation = co_await GenerationOf(request.plan_digest());
  if (!generation.ok()) co_return generation.status();
  const std::shared_ptr<Generation> by = *generation;
  absl::Status valid = Validate(*by->plan, request);
  if (!valid.ok()) co_return valid;
  // Runs of one session are one to the target.
  v1::RunChecksRequest asked = request;
  if (!request.session().empty()) asked.set_run(request.session());
  absl::StatusOr<std::shared_ptr<RunState>> run = by->runs.Get(asked.run());
  if (!run.ok()) co_return WithReason(run.status(), "NO_RUN");
  std::shared_ptr<RunState> state = *run;
  state->target->SetLimits(request.has_limits() ? &request.limits() : nullptr);

  const absl::Time begin = parts_.clock->Now();
  const absl::Time deadline = DeadlineOf(call, request);
  RunnerParts parts;
  absl::StatusOr<std::string> pilot_key = by->target->PilotKey();
  if (!pilot_key.ok()) co_return WithReason(pilot_key.status(), "MISSING_SECRET");
  absl::StatusOr<std::vector<std::string>> passwords = by->target->StandingPasswords(request.customer());
  if (!passwords.ok()) co_return WithReason(passwords.status(), "MISSING_SECRET");
  parts.loop = parts_.loop;
  parts.clock = parts_.clock;
  parts.plan = by->plan.get();
  parts.operations = &state->target->operations();
  NoObligations nothing;
  parts.obligations = request.watch() ? &nothing : parts_.obligations;
  parts.player = state->target->player();
  parts.checks = &parts_.checks;
  parts.find_check = parts_.find_check;
  parts.path = parts_.path;
  parts.vantage = parts_.vantage;
  parts.pilot_key = *pilot_key;
  parts.standing_passwords = *passwords;
  int& accounts = state->account_counters[request.customer()];
  accounts = std::max(accounts, std::clamp(request.first_account(), 0, kMostAccounts));
  parts.account_counter = &accounts;
  std::optional<absl::Duration> interval;
  absl::Duration limit = deadline - begin;
  if (request.has_interval()) {
    interval = runtime::FromProtoDuration(request.interval());
    limit = runtime::FromProtoDuration(request.limit());
  }
  parts.on_result = [this, by, begin, limit, interval, watch = request.watch()](const v1::Result& result,
                                                                                const checks::CheckDefinition& check) {
    const absl::Duration max_age = MaxAge(*by->plan, check.info, begin, limit, interval);
    parts_.metrics->Record(result, max_age, interval ? limit : absl::ZeroDuration(), watch);
  };
  spdlog::debug("run {}: {} checks of {} for {}", request.run(), request.checks_size(), PathWord(parts_.path),
                request.customer());

  CheckRunner runner(std::move(parts), asked, deadline);
  Outbox outbox;
  absl::Status ended = absl::CancelledError("cancelled");
  std::vector<awaitable<void>> both;
  both.push_back(Drain(outbox, writer));
  both.push_back(RunInto(runner, outbox, ended));
  co_await parts_.loop->All(std::move(both));
  state->last_used = parts_.clock->Now();
  co_return ended;
}

awaitable<absl::Status> ProberService::HandleSettle(runtime::CallContext& call,
                                                    const v1::SettleObligationRequest& request,
                                                    v1::SettleObligationResponse& response) {
  absl::StatusOr<std::shared_ptr<Generation>> generation = co_await GenerationOf(request.plan_digest());
  if (!generation.ok()) co_return generation.status();
  const std::shared_ptr<Generation> by = *generation;
  const v1::Obligation& obligation = request.obligation();
  if (!IsRunId(obligation.owner()) || obligation.operation().empty()) {
    co_return WithReason(absl::InvalidArgumentError("the obligation needs its operation and the run that owns it"),
                         "BAD_OBLIGATION");
  }
  if (TooDeep(obligation.request_json())) co_return JsonTooDeep("the obligation's request");
  if (plan::FindCustomer(*by->plan, obligation.customer()) == nullptr) {
    response.set_words(absl::StrCat("the plan has no customer \"", runtime::Printable(obligation.customer(), 80),
                                    "\" any more, so nobody can sign in to undo it"));
    response.set_manual_action(ManualAction(obligation));
    co_return absl::OkStatus();
  }
  absl::StatusOr<std::shared_ptr<RunState>> run = by->runs.Get(obligation.owner());
  if (!run.ok()) co_return WithReason(run.status(), "NO_RUN");
  std::shared_ptr<RunState> state = *run;
  const absl::Time deadline = std::min(call.deadline(), parts_.clock->Now() + kLongestUndo);
  absl::StatusOr<std::string> undone = co_await state->target->operations().Undo(obligation, deadline);
  state->last_used = parts_.clock->Now();
  if (undone.ok()) {
    response.set_settled(true);
    response.set_words(*undone);
  } else {
    response.set_words(std::string(undone.status().message()));
    response.set_manual_action(ManualAction(obligation));
  }
  co_return absl::OkStatus();
}

}  // namespace puckdrop::prober
