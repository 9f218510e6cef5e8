#include "services/prober/check_runner.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "checks/check_context.h"
#include "checks/plan/settings.h"
#include "puckdrop/target/v1/target.pb.h"
#include "services/runtime/proto_time.h"

namespace puckdrop::prober {
namespace {

using checks::Judgement;
using checks::OperationEnd;
using checks::OperationMapping;
using runtime::OneShot;

constexpr size_t kLargestEvidence = 256 * 1024;
constexpr size_t kMostEvidence = 24;
constexpr char kConfigurationOperation[] = "target.get_configuration";
constexpr char kTimeEnded[] = "the run's time ended";

Judgement Blocked(const std::string& by, const std::string& why) {
  Judgement judgement;
  judgement.outcome = v1::OUTCOME_BLOCKED;
  judgement.blocked_by = by;
  judgement.summary = why;
  return judgement;
}

std::string EvidenceName(const std::string& content) {
  // Looking the algorithm up by name costs as much as a kilobyte of hashing.
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  unsigned char digest[SHA256_DIGEST_LENGTH] = {};
  EVP_Digest(content.data(), content.size(), digest, nullptr, sha256, nullptr);
  return absl::StrCat("evidence/", absl::BytesToHexString(
                                       absl::string_view(reinterpret_cast<const char*>(digest), SHA256_DIGEST_LENGTH)));
}

bool IsKept(const v1::Fact& fact) { return fact.name().ends_with(".kept"); }

// Sets when it goes, so also when a coroutine that owns it is dropped unrun.
class SetAtEnd {
 public:
  explicit SetAtEnd(std::shared_ptr<OneShot> done) : done_(std::move(done)) {}
  ~SetAtEnd() { done_->Set(); }
  SetAtEnd(const SetAtEnd&) = delete;
  SetAtEnd& operator=(const SetAtEnd&) = delete;

 private:
  std::shared_ptr<OneShot> done_;
};

awaitable<void> Then(awaitable<void> work, std::unique_ptr<SetAtEnd> end) {
  co_await std::move(work);
  end = nullptr;
}

}  // namespace

CheckRunner::CheckRunner(RunnerParts parts, const v1::RunChecksRequest& request, absl::Time deadline)
    : parts_(std::move(parts)), request_(request), deadline_(deadline), operations_(*parts_.operations) {
  environment_.plan = parts_.plan;
  environment_.customer = plan::FindCustomer(*parts_.plan, request_.customer());
  environment_.operations = &operations_;
  environment_.obligations = parts_.obligations;
  environment_.clock = parts_.clock;
  environment_.run = request_.run();
  environment_.deadline = deadline_;
  environment_.pilot_key = parts_.pilot_key;
  environment_.standing_passwords = parts_.standing_passwords;
  environment_.path = parts_.path;
  environment_.account_counter = parts_.account_counter;
  if (const checks::CheckDefinition* order = parts_.find_check("ordering.order_completes")) {
    const Settings settings = SettingsInForce(*parts_.plan, order->info);
    if (settings.thresholds.has_fail()) environment_.activation_limit = absl::Seconds(settings.thresholds.fail());
  }
  environment_.sleep = [loop = parts_.loop, clock = parts_.clock](absl::Duration time) -> checks::Task<void> {
    absl::Status slept = co_await loop->SleepFor(*clock, time);
    if (!slept.ok()) {
      // Otherwise a check that polls would spin until its deadline.
      OperationEnd end;
      end.words = "cancelled while waiting";
      throw checks::OperationEnded(std::move(end));
    }
  };

  std::optional<absl::Duration> observe;
  if (request_.has_observe()) observe = runtime::FromProtoDuration(request_.observe());
  const auto add = [&](const std::string& check, bool supporting) {
    if (FindItem(check) != nullptr) return;
    for (const checks::CheckDefinition& definition : *parts_.checks) {
      if (definition.info.id != check) continue;
      auto item = std::make_unique<Item>();
      item->definition = &definition;
      item->supporting = supporting;
      item->settings = SettingsInForce(*parts_.plan, definition.info, observe);
      items_.push_back(std::move(item));
    }
  };
  for (const std::string& check : request_.checks()) add(check, false);
  for (const std::string& check : request_.supporting_checks()) add(check, true);
  std::sort(items_.begin(), items_.end(), [this](const auto& a, const auto& b) {
    return std::make_pair(info(*a).order, info(*a).id) < std::make_pair(info(*b).order, info(*b).id);
  });
  for (const v1::EarlierResult& earlier : request_.earlier()) earlier_[earlier.check()] = earlier;
}

CheckRunner::~CheckRunner() = default;

CheckRunner::Item* CheckRunner::FindItem(const std::string& check) {
  for (const auto& item : items_) {
    if (info(*item).id == check) return item.get();
  }
  return nullptr;
}

awaitable<absl::Status> CheckRunner::Run(EventSink& sink) {
  sink_ = &sink;
  main_ = std::make_unique<checks::Journey>(environment_, "");
  main_->Load({request_.facts().begin(), request_.facts().end()});
  configuration_ = co_await ReadConfiguration();
  for (const auto& item : items_) {
    co_await Ensure(*item);
    if (Stop()) co_return stopped_;
  }
  SendFacts(true);
  std::string configuration = co_await ReadConfiguration();
  co_await Room();
  if (Stop()) co_return stopped_;
  v1::RunChecksEvent done;
  done.mutable_done()->set_results(results_);
  done.mutable_done()->set_configuration(configuration);
  sink_->Push(std::move(done));
  co_return absl::OkStatus();
}

awaitable<void> CheckRunner::Room() {
  const bool cancelled = co_await runtime::EventLoop::IsCancelled();
  if (cancelled) stopped_ = absl::CancelledError("the run was cancelled");
  if (Stop()) co_return;
  stopped_ = co_await sink_->Room();
}

awaitable<std::string> CheckRunner::ReadConfiguration() {
  if (parts_.clock->Now() >= deadline_) co_return "";
  if (operations_.Mapping(kConfigurationOperation).state != OperationMapping::State::kMapped) co_return "";
  checks::Actor actor;
  actor.customer = request_.customer();
  actor.device_instance = absl::StrCat("pd-", request_.run(), "-", request_.customer(), "-configuration");
  checks::PerformOptions options;
  options.deadline = std::min(deadline_, parts_.clock->Now() + absl::Seconds(10));
  std::string kept = "{}";
  target::v1::GetConfigurationRequest request;
  OperationEnd end = co_await operations_.Perform(kConfigurationOperation, request, actor, options, kept);
  if (end.kind != OperationEnd::Kind::kOk || end.response == nullptr) co_return "";
  target::v1::GetConfigurationResponse response;
  response.CopyFrom(*end.response);
  co_return response.fingerprint();
}

awaitable<void> CheckRunner::Ensure(Item& item) {
  if (item.state != State::kWaiting || Stop()) co_return;
  item.state = State::kJudging;
  for (const std::string& check : info(item).stands_on) {
    if (Item* before = FindItem(check)) co_await Ensure(*before);
  }
  if (!Stop()) co_await Judge(item);
  item.state = State::kDone;
  co_await Room();
}

std::optional<Judgement> CheckRunner::Precondition(const Item& item) const {
  const checks::CheckInfo& about = info(item);
  if (!item.supporting) {
    if (const v1::Plan::NotJudged* not_judged = plan::FindNotJudged(*parts_.plan, about.id, request_.customer())) {
      return checks::Skipped(v1::SKIP_CAUSE_NOT_JUDGED,
                             absl::StrCat(not_judged->reason(), " (", not_judged->owner(), ")"));
    }
  }
  const auto not_mapped = [this](const std::string& operation) -> std::optional<Judgement> {
    const OperationMapping mapping = operations_.Mapping(operation);
    switch (mapping.state) {
      case OperationMapping::State::kMapped:
        return std::nullopt;
      case OperationMapping::State::kNotOffered:
        return checks::Skipped(v1::SKIP_CAUSE_NOT_OFFERED, absl::StrCat(operation, " is not offered: ", mapping.words));
      case OperationMapping::State::kReadOnly:
        return checks::Skipped(v1::SKIP_CAUSE_READ_ONLY,
                               absl::StrCat(operation, " creates something, and the plan is read only"));
      case OperationMapping::State::kNotMapped:
        break;
    }
    return checks::Skipped(v1::SKIP_CAUSE_NOT_MAPPED, absl::StrCat("the plan does not map ", operation));
  };
  for (const std::string& operation : about.operations) {
    if (std::optional<Judgement> skipped = not_mapped(operation)) return skipped;
  }
  for (const std::string& needed : about.needs_told) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(needed, absl::MaxSplits(':', 1));
    if (std::optional<Judgement> skipped = not_mapped(parts.first)) return skipped;
    if (!operations_.Returns(parts.first, parts.second)) {
      return checks::Skipped(v1::SKIP_CAUSE_NOT_TOLD, absl::StrCat("the plan's ", parts.first, " does not return ",
                                                                   parts.second, ", which this check compares"));
    }
  }
  return std::nullopt;
}

std::optional<Judgement> CheckRunner::BlockedBefore(const Item& item) const {
  std::optional<Judgement> unknown;
  for (const std::string& check : info(item).stands_on) {
    v1::Outcome outcome = v1::OUTCOME_UNSPECIFIED;
    std::string root;
    if (auto earlier = earlier_.find(check); earlier != earlier_.end()) {
      outcome = earlier->second.outcome();
      root = earlier->second.blocked_by();
    }
    for (const auto& other : items_) {
      if (info(*other).id != check || other->state != State::kDone) continue;
      outcome = other->result.outcome();
      root = other->result.blocked_by();
    }
    if (outcome == v1::OUTCOME_FAILED) return Blocked(check, absl::StrCat("stands on ", check, ", which failed"));
    if (outcome == v1::OUTCOME_BLOCKED) {
      if (root.empty()) root = check;
      return Blocked(root, absl::StrCat("stands on ", check, ", which is blocked by ", root));
    }
    if (outcome == v1::OUTCOME_INCONCLUSIVE && !unknown) {
      unknown = Blocked(check, absl::StrCat("stands on ", check, ", which could not be told"));
    }
  }
  return unknown;
}

std::string CheckRunner::KnownReporter(const Item& item, const std::string& operation) const {
  for (const auto& other : items_) {
    if (other.get() == &item || other->state != State::kDone) continue;
    const auto& operations = info(*other).operations;
    if (other->result.outcome() == v1::OUTCOME_FAILED && !operations.empty() && operations.front() == operation &&
        other->failed_operation == operation) {
      return info(*other).id;
    }
  }
  for (const auto& [check, earlier] : earlier_) {
    if (earlier.outcome() != v1::OUTCOME_FAILED || check == info(item).id) continue;
    const checks::CheckDefinition* definition = parts_.find_check(check);
    if (definition != nullptr && !definition->info.operations.empty() &&
        definition->info.operations.front() == operation) {
      return check;
    }
  }
  return "";
}

awaitable<std::string> CheckRunner::ReporterOf(Item& item, const std::string& operation) {
  const auto& own = info(item).operations;
  if (operation.empty() || (!own.empty() && own.front() == operation)) co_return "";
  std::string reporter = KnownReporter(item, operation);
  if (!reporter.empty()) co_return reporter;
  // The one whose question this is comes later in the order: it is asked now, so that one tile is red and not two.
  for (const auto& other : items_) {
    const checks::CheckInfo& about = info(*other);
    if (other->state != State::kWaiting || about.operations.empty() || about.operations.front() != operation) continue;
    if (std::find(about.stands_on.begin(), about.stands_on.end(), info(item).id) != about.stands_on.end()) continue;
    co_await Ensure(*other);
    break;
  }
  co_return KnownReporter(item, operation);
}

bool CheckRunner::ShouldRenew(const Item& item, const Look& look) const {
  // Only the ordering path makes the customer's own account, and what others were told already stays true.
  if (parts_.path != v1::PATH_ORDERING || !facts_sent_.empty() || info(item).own_account) return false;
  return info(item).renews_journey || (look.thrown && operations_.Creates(look.thrown->operation));
}

awaitable<void> CheckRunner::Judge(Item& item) {
  const absl::Time start = parts_.clock->Now();
  Looks looks(item.settings.attempts);
  Look told;
  std::optional<Judgement> known = Precondition(item);
  if (!known) known = BlockedBefore(item);
  if (!known && start >= deadline_) known = checks::Inconclusive(absl::StrCat(kTimeEnded, " before it was judged"));
  if (known) {
    looks.Add(*known);
    co_await Send(item, looks.Take(), std::move(told), start);
    co_return;
  }

  v1::RunChecksEvent progress;
  progress.mutable_progress()->set_check(info(item).id);
  progress.mutable_progress()->set_text(info(item).question);
  sink_->Push(std::move(progress));

  bool renew = false;
  while (true) {
    std::unique_ptr<checks::Journey> fresh;
    if (renew) fresh = main_->Renewed();
    Look look = co_await LookOnce(item, fresh ? *fresh : *main_, looks.taken() + 1);
    if (look.thrown && look.judgement.outcome == v1::OUTCOME_FAILED) {
      std::string reporter = co_await ReporterOf(item, look.thrown->operation);
      if (!reporter.empty()) {
        const std::string words = absl::StrCat(look.thrown->operation, " failed, which ", reporter, " reports");
        look.judgement = Blocked(reporter, words);
      }
    }
    const Looks::Next next = looks.Add(look.judgement);
    if (fresh && look.judgement.outcome == v1::OUTCOME_PASSED) main_ = std::move(fresh);

    // The evidence of every look counts; the newest one decides how it is told, unless it could not tell.
    std::vector<v1::Evidence> evidence = std::move(told.evidence);
    std::vector<v1::OperationRecord> records = std::move(told.records);
    std::move(look.evidence.begin(), look.evidence.end(), std::back_inserter(evidence));
    std::move(look.records.begin(), look.records.end(), std::back_inserter(records));
    const bool tells = looks.taken() == 1 || look.judgement.outcome == v1::OUTCOME_PASSED ||
                       looks.Take().judgement.outcome == look.judgement.outcome;
    if (tells) told = std::move(look);
    told.evidence = std::move(evidence);
    told.records = std::move(records);

    if (next == Looks::Next::kDone || parts_.clock->Now() >= deadline_) break;
    const bool cancelled = co_await runtime::EventLoop::IsCancelled();
    if (cancelled) break;
    renew = next == Looks::Next::kSecondLook && ShouldRenew(item, told);
    if (!renew) main_->ForgetReads();
    if (next == Looks::Next::kRetry) {
      absl::Status slept = co_await parts_.loop->SleepFor(*parts_.clock, parts_.retry_pause);
      if (!slept.ok()) break;
    }
  }
  co_await Send(item, looks.Take(), std::move(told), start);
}

awaitable<void> CheckRunner::CallJudge(Item& item, checks::CheckContext& context, Look& look) {
  // What leaves a check as an exception is told by this table, so that no check decides it for itself.
  try {
    look.judgement = co_await item.definition->judge(context);
  } catch (const checks::OperationEnded& ended) {
    look.thrown = ended.end();
    look.judgement = JudgementOf(ended.end());
  } catch (const checks::Judged& judged) {
    look.judgement = judged.judgement();
  } catch (const std::exception& e) {
    look.judgement = checks::Inconclusive(absl::StrCat("the check itself broke: ", e.what()));
  } catch (...) {
    look.judgement = checks::Inconclusive("the check itself broke");
  }
}

awaitable<bool> CheckRunner::Within(absl::Time deadline, awaitable<void> work) {
  std::shared_ptr<OneShot> done = std::make_shared<OneShot>();
  auto task = std::make_shared<runtime::Task<void>>(
      parts_.loop->Spawn(Then(std::move(work), std::make_unique<SetAtEnd>(done))));
  std::shared_ptr<bool> late = std::make_shared<bool>(false);
  const uint64_t timer = parts_.loop->CallAt(*parts_.clock, deadline, [task, late] {
    *late = true;
    task->Cancel();
  });
  absl::Status waited = co_await done->Wait();
  if (!waited.ok()) {
    task->Cancel();
    co_await done->WaitRegardless();
  }
  parts_.loop->CancelCall(timer);
  co_return *late;
}

awaitable<CheckRunner::Look> CheckRunner::LookOnce(Item& item, checks::Journey& journey, int look_number) {
  Look look;
  look.taken = true;
  look.judgement = checks::Inconclusive("the check did not end");
  operations_.BeginLook();
  journey.set_check(info(item).id);
  (void)journey.TakeEvidence();
  checks::CheckContext::Parts parts;
  parts.info = &info(item);
  parts.journey = &journey;
  parts.thresholds = item.settings.thresholds;
  parts.observe = item.settings.observe;
  parts.look = look_number;
  parts.player = parts_.player;
  parts.progress = [this, check = info(item).id](const std::string& text) {
    v1::RunChecksEvent event;
    event.mutable_progress()->set_check(check);
    event.mutable_progress()->set_text(text);
    sink_->Push(std::move(event));
  };
  checks::CheckContext context(std::move(parts));
  const absl::Time limit = std::min(deadline_, parts_.clock->Now() + item.settings.timeout);
  look.out_of_time = co_await Within(limit, CallJudge(item, context, look));
  const bool told =
      look.judgement.outcome == v1::OUTCOME_PASSED || (look.judgement.outcome == v1::OUTCOME_FAILED && !look.thrown);
  if (look.out_of_time && !told) {
    look.thrown = std::nullopt;
    look.judgement = checks::Inconclusive(limit >= deadline_ ? absl::StrCat(kTimeEnded, " while it was judged")
                                                             : absl::StrCat("it took longer than the ",
                                                                            absl::FormatDuration(item.settings.timeout),
                                                                            " that the plan gives it"));
  }

  const auto take = [&look](checks::Journey& walked) {
    for (v1::Evidence& one : walked.TakeEvidence()) look.evidence.push_back(std::move(one));
    for (v1::OperationRecord& one : walked.TakeRecords()) look.records.push_back(std::move(one));
  };
  take(journey);
  for (const auto& side : context.side_journeys()) take(*side);
  for (v1::Evidence& one : context.TakeEvidence()) look.evidence.push_back(std::move(one));
  for (const OperationEnd& end : operations_.look()) {
    look.through_back_office = look.through_back_office || end.through_back_office;
  }
  for (const std::string& operation : info(item).operations) {
    const OperationEnd* last = operations_.Last(operation);
    look.through_back_office = look.through_back_office || (last != nullptr && last->through_back_office);
  }
  co_return look;
}

void CheckRunner::FillDecidingOperation(const Item& item, const Look& look, v1::Result& result) const {
  const OperationEnd* deciding = nullptr;
  if (look.thrown) {
    deciding = &*look.thrown;
  } else if (!info(item).operations.empty()) {
    deciding = operations_.Last(info(item).operations.front());
  }
  if (deciding == nullptr && !operations_.look().empty()) deciding = &operations_.look().back();
  if (deciding == nullptr) {
    if (!info(item).operations.empty()) result.set_operation(info(item).operations.front());
    return;
  }
  result.set_operation(deciding->operation);
  result.set_step(deciding->step);
  result.set_steps(deciding->steps);
  result.set_plan_position(deciding->plan_position);
  if (result.outcome() == v1::OUTCOME_FAILED || result.outcome() == v1::OUTCOME_INCONCLUSIVE) {
    result.set_reproduce(deciding->reproduce);
  }
}

void CheckRunner::SendEvidence(std::vector<v1::Evidence> evidence, v1::Result& result) {
  // The newest exchanges are the ones that decided.
  const size_t skip = evidence.size() > kMostEvidence ? evidence.size() - kMostEvidence : 0;
  std::set<std::string> named;
  for (size_t i = skip; i < evidence.size(); ++i) {
    v1::Evidence& one = evidence[i];
    if (one.content().empty()) continue;
    if (one.content().size() > kLargestEvidence) {
      one.mutable_content()->resize(kLargestEvidence);
      one.set_truncated(true);
    }
    one.set_name(EvidenceName(one.content()));
    if (named.insert(one.name()).second) result.add_evidence(one.name());
    if (!evidence_sent_.insert(one.name()).second) continue;
    v1::RunChecksEvent event;
    *event.mutable_evidence() = std::move(one);
    sink_->Push(std::move(event));
  }
}

void CheckRunner::SendFacts(bool last) {
  for (v1::Fact& fact : main_->TakeNewFacts()) facts_[fact.name()] = std::move(fact);
  if (!last && parts_.path == v1::PATH_ORDERING) {
    // A check that may still walk the journey anew would make them untrue.
    for (const auto& item : items_) {
      if (item->state != State::kDone && info(*item).renews_journey) return;
    }
  }
  for (auto entry = facts_.begin(); entry != facts_.end();) {
    // What the plan keeps grows until the end, and a fact is written once.
    if (IsKept(entry->second) && !last) {
      ++entry;
      continue;
    }
    // Written once: the first one that was definitive stays.
    if (facts_sent_.insert(entry->first).second) {
      v1::RunChecksEvent event;
      *event.mutable_fact() = std::move(entry->second);
      sink_->Push(std::move(event));
    }
    entry = facts_.erase(entry);
  }
}

awaitable<void> CheckRunner::Send(Item& item, const Looks::Final& final, Look look, absl::Time start) {
  const checks::CheckInfo& about = info(item);
  const bool cancelled = co_await runtime::EventLoop::IsCancelled();
  if (cancelled) {
    // What was cut short by the caller is no judgement.
    stopped_ = absl::CancelledError("the run was cancelled");
    co_return;
  }
  v1::Result& result = item.result;
  const absl::Time end = parts_.clock->Now();
  const std::string customer = about.per_launch ? "any" : request_.customer();
  result.set_name(absl::StrCat("runs/", request_.run(), "/results/", about.id, ":", customer));
  result.set_run(request_.run());
  result.set_check(about.id);
  result.set_customer(customer);
  result.set_stage(request_.stage());
  result.set_outcome(final.judgement.outcome == v1::OUTCOME_UNSPECIFIED ? v1::OUTCOME_INCONCLUSIVE
                                                                        : final.judgement.outcome);
  result.set_severity(item.settings.severity);
  result.set_warning(result.outcome() == v1::OUTCOME_PASSED && final.judgement.warning);
  result.set_flaky(final.flaky);
  result.set_confirmed(final.confirmed);
  result.set_attempts(final.attempts);
  if (result.outcome() == v1::OUTCOME_SKIPPED) result.set_skip_cause(final.judgement.skip_cause);
  if (result.outcome() == v1::OUTCOME_BLOCKED) result.set_blocked_by(final.judgement.blocked_by);
  if (result.outcome() == v1::OUTCOME_FAILED) {
    result.set_reason(final.judgement.reason == v1::FAILURE_REASON_UNSPECIFIED ? v1::FAILURE_REASON_WRONG_ANSWER
                                                                               : final.judgement.reason);
  } else if (result.outcome() == v1::OUTCOME_INCONCLUSIVE) {
    result.set_reason(final.judgement.reason == v1::FAILURE_REASON_UNSPECIFIED ? v1::FAILURE_REASON_OURS
                                                                               : final.judgement.reason);
  }
  result.set_summary(final.judgement.summary);
  for (const v1::Finding& finding : final.judgement.findings) *result.add_findings() = finding;
  if (result.summary().empty() && result.findings_size() > 0) result.set_summary(result.findings(0).text());
  if (final.judgement.observed_value) {
    result.set_observed_value(*final.judgement.observed_value);
    result.set_unit(final.judgement.unit.empty() ? about.unit : final.judgement.unit);
  }
  *result.mutable_start_time() = runtime::ToTimestamp(start);
  *result.mutable_end_time() = runtime::ToTimestamp(end);
  *result.mutable_duration() = runtime::ToProtoDuration(end - start);
  result.set_vantage(parts_.vantage);
  result.set_configuration(configuration_);
  result.set_plan_digest(request_.plan_digest());
  result.set_supporting(item.supporting);
  const bool judged = result.outcome() != v1::OUTCOME_SKIPPED;
  if (judged && look.through_back_office) {
    result.set_through_back_office(true);
    result.set_severity(v1::SEVERITY_ADVISORY);
    result.set_summary(absl::StrCat(result.summary(), " (judged through the back office)"));
  }
  if (judged && look.taken) FillDecidingOperation(item, look, result);
  if (result.outcome() == v1::OUTCOME_FAILED && look.thrown) item.failed_operation = look.thrown->operation;

  for (v1::OperationRecord& record : look.records) {
    v1::RunChecksEvent event;
    *event.mutable_operation() = std::move(record);
    sink_->Push(std::move(event));
  }
  if (look.evidence.empty() && result.outcome() == v1::OUTCOME_FAILED) {
    // It judged answers that others had fetched: theirs is the evidence.
    for (const std::string& operation : about.operations) {
      if (const OperationEnd* last = operations_.Last(operation)) {
        look.evidence.insert(look.evidence.end(), last->evidence.begin(), last->evidence.end());
      }
    }
  }
  SendEvidence(std::move(look.evidence), result);
  // Done before the facts are looked at, so that this check does not hold its own back.
  item.state = State::kDone;
  ++results_;
  if (parts_.on_result) parts_.on_result(result, *item.definition);
  v1::RunChecksEvent event;
  *event.mutable_result() = result;
  sink_->Push(std::move(event));
  SendFacts(false);
}

}  // namespace puckdrop::prober
