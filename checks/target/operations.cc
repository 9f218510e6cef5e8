#include "checks/target/operations.h"

#include <google/protobuf/descriptor.h>

#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "checks/plan/settings.h"
#include "checks/target/catalogue.h"
#include "checks/target/interpreter.h"
#include "checks/target/message_json.h"

namespace puckdrop::target {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using nlohmann::json;

class RunNames final : public NameSource {
 public:
  explicit RunNames(Run& run) : run_(run) {}

  std::optional<std::string> MakeName(absl::string_view name, Problem& problem) override {
    Operations::Impl& impl = *run_.impl;
    if (name == "request") return run_.request_json;
    if (name == "customer") return impl.CustomerJson(run_, problem);
    if (name == "device") return impl.DeviceJson(run_);
    if (name == "payment") return impl.PaymentJson(run_, problem);
    if (name == "launch") return impl.LaunchJson();
    if (name == "run") return absl::StrCat("{\"id\":", JsonText(impl.options.run_id), "}");
    return std::nullopt;
  }
  std::optional<std::string> SecretValue(absl::string_view name, Problem& problem) override {
    for (const auto& one : run_.impl->plan->plan().target().secrets()) {
      if (one.name() != std::string(name)) continue;
      std::optional<Problem> trouble;
      auto value = run_.impl->Secret(one.value(), one.name(), trouble);
      if (trouble) problem = *std::move(trouble);
      return value;
    }
    return std::nullopt;
  }
  std::vector<std::string> SecretNames() override {
    std::vector<std::string> out;
    for (const auto& one : run_.impl->plan->plan().target().secrets()) out.push_back(one.name());
    return out;
  }

 private:
  Run& run_;
};

awaitable<Ended> AtOnce(Ended ended) { co_return ended; }

// Texts of a request that may be secrets: what a customer types.
void HideRequest(const Message& request, http::Redactor& redactor) {
  std::vector<const FieldDescriptor*> fields;
  const auto& reflection = *request.GetReflection();
  reflection.ListFields(request, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->is_repeated() || field->type() != FieldDescriptor::TYPE_STRING ||
        !field->options().GetExtension(puckdrop::v1::may_hold_secret)) {
      continue;
    }
    redactor.AddSecret(reflection.GetString(request, field), field->name());
  }
}

}  // namespace

absl::string_view EndName(End end) {
  switch (end) {
    case End::kOk:
      return "OK";
    case End::kRefused:
      return "REFUSED";
    case End::kFault:
      return "FAULT";
    case End::kUnreadable:
      return "UNREADABLE";
    case End::kOurs:
      return "OURS";
  }
  return "OURS";
}

absl::string_view FailureKindName(FailureKind kind) {
  static constexpr absl::string_view kNames[] = {
      "NONE",          "STATUS", "EXPECTATION", "RESET",       "TLS",        "TIMEOUT",  "UNREACHABLE",
      "CONTENT",       "UNTIL",  "REDIRECTS",   "PAGES",       "EXPRESSION", "NULL",     "MISSING",
      "TYPE",          "FORM",   "DEADLINE",    "CANCELLED",   "LIMITER",    "RAN_AWAY", "MISSING_SECRET",
      "OUTSIDE_HOSTS", "LOCAL",  "NOT_MAPPED",  "NOT_OFFERED", "READ_ONLY"};
  return kNames[static_cast<size_t>(kind)];
}

std::string Ended::Words() const {
  switch (end) {
    case End::kOk:
      return absl::StrCat(operation, " went well");
    case End::kRefused: {
      std::string words = absl::StrCat("the target refused: ", v1::Reason_Name(refusal.reason()).substr(7));
      if (!refusal.code().empty()) absl::StrAppend(&words, " (", refusal.code(), ")");
      if (!refusal.text().empty()) absl::StrAppend(&words, ": ", refusal.text());
      return words;
    }
    default:
      return failure.words;
  }
}

Operations::Impl::Impl(Ports given_ports, std::shared_ptr<const TargetPlan> given_plan, RunOptions given_options)
    : ports(given_ports), plan(std::move(given_plan)), compiled(plan->compiled()), options(std::move(given_options)) {}

bool Operations::Impl::Stop(Run& run, End end, FailureKind kind, std::string words, const SourcePosition& position,
                            const std::string& host) {
  Problem problem{end, kind, std::move(words), position};
  run.ended->failure.host = host;
  return Stop(run, problem);
}

bool Operations::Impl::Stop(Run& run, const Problem& problem) {
  Ended& ended = *run.ended;
  ended.end = problem.end;
  Failure& failure = ended.failure;
  failure.kind = problem.kind;
  failure.position = Where(problem.position);
  failure.step = run.step;
  failure.steps = run.steps;
  std::string words = problem.words;
  if (!run.opening.empty()) words = absl::StrCat("while opening the session ", run.opening.back(), ": ", words);
  std::string place;
  if (failure.step > 0 && failure.steps > 1) absl::StrAppend(&place, "step ", failure.step, " of ", failure.steps);
  if (!failure.position.empty()) absl::StrAppend(&place, place.empty() ? "" : ", ", failure.position);
  if (!place.empty()) absl::StrAppend(&words, " (", place, ")");
  if (problem.end == End::kUnreadable) {
    words.append("; the answer changed or the plan is wrong");
    if (const auto last = ports.memory.LastReadWell(run.id)) {
      absl::StrAppend(&words, "; last read well at ", absl::FormatTime(absl::RFC3339_sec, *last, absl::UTCTimeZone()));
    }
  }
  failure.words = ports.redactor.Redact(words);
  return false;
}

bool Operations::Impl::Refuse(Run& run, v1::Refusal refusal) {
  refusal.set_text(ports.redactor.Redact(refusal.text()));
  refusal.set_link(ports.redactor.Redact(refusal.link()));
  run.ended->end = End::kRefused;
  run.ended->refusal = std::move(refusal);
  run.ended->failure.step = run.step;
  run.ended->failure.steps = run.steps;
  return false;
}

awaitable<bool> Operations::Impl::Prepare(Run& run) {
  run.names = std::make_unique<RunNames>(run);
  run.scope = std::make_unique<Scope>(*run.names, run.options.journey);
  if (!run.actor.password.empty() && hidden.insert(run.actor.password).second) {
    ports.redactor.AddSecret(run.actor.password, "password");
  }
  // Details and payment data may have holes themselves; a few plans do.
  std::vector<const Expr*> exprs;
  if (const auto found = compiled.customers.find(run.actor.customer); found != compiled.customers.end()) {
    for (const auto& one : found->second->details()) CollectHoles(compiled, one.value(), exprs);
    const auto payment = compiled.payments.find(found->second->payment());
    if (payment != compiled.payments.end()) {
      for (const auto& one : payment->second->cases()) {
        for (const auto& data : one.data()) CollectHoles(compiled, data.value(), exprs);
      }
    }
  }
  if (exprs.empty()) co_return true;
  // They cannot see what they are part of.
  run.scope->Set("customer", "{}");
  run.scope->Set("payment", "{}");
  if (!co_await Evaluate(run, exprs, run.prepared)) co_return false;
  run.scope->Unset("customer");
  run.scope->Unset("payment");
  co_return true;
}

void Operations::Impl::Finish(Run& run) {
  Ended& ended = *run.ended;
  ended.finish_time = Now();
  const bool quiet = !run.options.record && (ended.end == End::kOk || ended.end == End::kRefused);
  if (quiet) return;
  for (RawExchange& raw : *run.raw) {
    ExchangeRecord record;
    record.exchange = http::RecordExchange(raw.request, raw.answer, ports.redactor);
    record.exchange.response_body_bytes = static_cast<int64_t>(raw.answer_body_bytes);
    record.exchange.note = absl::StrCat(ended.operation, raw.step > 0 ? absl::StrCat(" step ", raw.step) : "",
                                        raw.of_session ? " (opening a session)" : "", ", ", raw.position);
    record.host = std::move(raw.host);
    record.position = std::move(raw.position);
    record.step = raw.step;
    record.of_session = raw.of_session;
    record.saved = std::move(raw.saved);
    ended.exchanges.push_back(std::move(record));
  }
}

awaitable<Ended> Operations::Impl::Perform(OperationId id, std::string request_json, Actor actor,
                                           CallOptions call_options) {
  Ended ended;
  ended.operation = id;
  ended.start_time = Now();
  std::vector<RawExchange> raw;
  Run run;
  run.impl = this;
  run.id = id;
  run.actor = std::move(actor);
  run.options = std::move(call_options);
  run.request_json = std::move(request_json);
  run.ended = &ended;
  run.raw = &raw;
  const auto finish = [&]() -> Ended&& {
    Finish(run);
    return std::move(ended);
  };
  const auto found = compiled.operations.find(id);
  const plan::OperationInfo& info = *Catalogue().Find(id);  // the caller has looked
  ended.by = ByOf(id);
  if (found == compiled.operations.end()) {
    Stop(run, End::kOurs, FailureKind::kNotMapped, absl::StrCat("the plan does not map ", id), {});
    co_return finish();
  }
  const Plan::Operation& operation = *found->second;
  run.operation = &operation;
  if (!operation.not_offered().empty()) {
    Stop(run, End::kOurs, FailureKind::kNotOffered, absl::StrCat("the target has none: ", operation.not_offered()),
         operation.position());
    co_return finish();
  }
  if (info.creates && plan->plan().target().read_only()) {
    Stop(run, End::kOurs, FailureKind::kReadOnly, absl::StrCat("the plan is read-only, and ", id, " creates something"),
         operation.position());
    co_return finish();
  }
  if (info.creates) {
    // What could not be undone afterwards is not begun.
    if (const std::optional<Problem> lacks = UndoLacks(id)) {
      Stop(run, *lacks);
      co_return finish();
    }
  }
  if (id == "ordering.place_order") {
    absl::StatusOr<http::Limiter::Permit> permit =
        co_await ports.limiter.Acquire(http::Limiter::Kind::kOrder, "", run.options.deadline);
    absl::Status allowed = permit.status();
    if (allowed.ok() && run.options.spends) {
      allowed = ports.limiter.SpendMoney(run.options.spends->currency_code(), run.options.spends->minor_units());
    }
    if (!allowed.ok()) {
      Stop(run, End::kOurs, absl::IsCancelled(allowed) ? FailureKind::kCancelled : FailureKind::kLimiter,
           absl::StrCat("our own limit held the order back: ", allowed.message()), operation.position());
      co_return finish();
    }
  }
  run.steps = operation.steps_size();
  run.returns_wanted = true;
  if (run.options.from != nullptr && run.options.from->operation == id) run.resumes = run.options.from;
  bool well = co_await Prepare(run);
  if (well) well = co_await RunSteps(run, operation.steps());
  if (well) well = co_await FillResponse(run);
  if (well) {
    ended.end = End::kOk;
    ports.memory.ReadWell(id, Now());
    if (id == "ordering.sign_out") Forget(run.actor);
  }
  co_return finish();
}

awaitable<Undone> Operations::Impl::Undo(UndoRequest request, Actor actor, CallOptions call_options) {
  Undone undone;
  undone.ended.operation = request.operation;
  undone.ended.start_time = Now();
  const auto found = compiled.operations.find(request.operation);
  if (found == compiled.operations.end() || !found->second->has_undo()) {
    undone.words = absl::StrCat("the plan does not say how ", request.operation, " is undone");
    undone.ended.failure.kind = FailureKind::kNotMapped;
    undone.ended.failure.words = undone.words;
    undone.ended.finish_time = Now();
    co_return undone;
  }
  const Plan::Undo& undo = found->second->undo();
  if (!undo.nothing().empty()) {
    undone.done = true;
    undone.words = absl::StrCat("nothing is left behind: ", undo.nothing());
    undone.ended.end = End::kOk;
    undone.ended.finish_time = Now();
    co_return undone;
  }
  json original = json::parse(request.request_json, nullptr, /*allow_exceptions=*/false);
  if (!original.is_object()) original = json::object();
  if (!request.idempotency_key.empty()) original["idempotency_key"] = request.idempotency_key;
  if (!original.contains("key") || original["key"].is_null()) original["key"] = original["idempotency_key"];

  JourneyScope journey;
  for (const auto& [name, value] : request.target_ids) journey.kept[name] = JsonText(value);
  std::vector<RawExchange> raw;
  Run run;
  run.impl = this;
  run.id = request.operation;
  run.actor = std::move(actor);
  run.options = std::move(call_options);
  run.options.journey = &journey;
  run.request_json = original.dump(-1, ' ', false, json::error_handler_t::replace);
  run.ended = &undone.ended;
  run.raw = &raw;
  run.is_undo = true;
  bool well = co_await Prepare(run);
  if (well && undo.has_by_operation()) {
    std::vector<const Expr*> exprs;
    for (const auto& one : undo.by_operation().request()) CollectHoles(compiled, one.value(), exprs);
    ExprResults results;
    well = co_await Evaluate(run, exprs, results);
    std::optional<Problem> problem;
    const SecretValueOf secret = [&](const puckdrop::v1::Secret& one, std::optional<Problem>& trouble) {
      return Secret(one, "", trouble);
    };
    std::string made = "{";
    for (const auto& one : undo.by_operation().request()) {
      if (!well || problem) break;
      const auto value = RenderValue(compiled, one.value(), results, secret, problem);
      if (value) absl::StrAppend(&made, made.size() > 1 ? "," : "", JsonText(one.name()), ":", *value);
    }
    const plan::OperationInfo* info = Catalogue().Find(undo.by_operation().operation());
    if (well && problem) {
      well = Stop(run, *problem);
    } else if (well && info == nullptr) {
      well = Stop(run, End::kOurs, FailureKind::kLocal,
                  absl::StrCat("there is no operation ", undo.by_operation().operation()), undo.position());
    } else if (well) {
      std::unique_ptr<Message> message(
          google::protobuf::MessageFactory::generated_factory()->GetPrototype(info->request)->New());
      std::set<std::string> told;
      const Put put = PutMessage(*message, json::parse(made + "}", nullptr, false), "", told);
      if (!put.status.ok()) {
        well = Stop(run, End::kUnreadable, FailureKind::kType, absl::StrCat("undo's request ", put.status.message()),
                    undo.position());
      } else {
        CallOptions inner = run.options;
        undone.ended = co_await Perform(undo.by_operation().operation(), RequestJson(*message), run.actor, inner);
        // What is not there any more needs no undoing.
        undone.done = undone.ended.ok() || undone.ended.refused(v1::REASON_NOT_FOUND);
        undone.words = undone.done ? absl::StrCat("undone by ", undo.by_operation().operation()) : undone.ended.Words();
        co_return undone;
      }
    }
  } else if (well) {
    run.steps = undo.by_steps().steps_size();
    well = co_await RunSteps(run, undo.by_steps().steps());
    if (well) {
      const Expr& done = compiled.Of(undo.by_steps().done());
      std::vector<const Expr*> exprs{&done};
      ExprResults results;
      well = co_await Evaluate(run, exprs, results);
      const ExprResult& result = results.Of(done);
      if (well && result.is_true()) {
        undone.done = true;
        undone.words = "undone, and the target says so";
      } else if (well && run.each_steps > 0 && run.each_empty == run.each_steps) {
        undone.done = true;
        undone.words = "nothing of ours was found at the target";
      } else if (well && !result.ok()) {
        well = Stop(run, ExpressionProblem(done, result, run.scope->answer().get()));
      } else if (well) {
        well = Stop(run, End::kFault, FailureKind::kExpectation, absl::StrCat("`done: ", done.text, "` is not true"),
                    done.position);
      }
    }
  }
  if (well) undone.ended.end = End::kOk;
  Finish(run);
  if (!undone.done) undone.words = undone.ended.Words();
  co_return undone;
}

Operations::Operations(Ports ports, std::shared_ptr<const TargetPlan> plan, RunOptions options)
    : impl_(std::make_unique<Impl>(ports, std::move(plan), std::move(options))) {}
Operations::~Operations() = default;

OperationId Operations::OperationOf(const google::protobuf::Descriptor& request,
                                    const google::protobuf::Descriptor& response) {
  const std::string id = OperationOfRequest(request.full_name());
  const plan::OperationInfo* info = Catalogue().Find(id);
  return info != nullptr && info->response == &response ? id : "";
}

awaitable<Ended> Operations::Perform(OperationId operation, const Message& request, Actor actor, CallOptions options) {
  const plan::OperationInfo* info = Catalogue().Find(operation);
  if (info == nullptr || info->request != request.GetDescriptor()) {
    Ended ended;
    ended.operation = operation;
    ended.start_time = ended.finish_time = impl_->Now();
    ended.failure.kind = FailureKind::kLocal;
    ended.failure.words = info == nullptr ? absl::StrCat("there is no operation \"", operation, "\"")
                                          : absl::StrCat(operation, " takes no ", request.GetDescriptor()->name());
    return AtOnce(std::move(ended));
  }
  HideRequest(request, impl_->ports.redactor);
  return impl_->Perform(std::move(operation), RequestJson(request), std::move(actor), std::move(options));
}

awaitable<Undone> Operations::Undo(UndoRequest request, Actor actor, CallOptions options) {
  return impl_->Undo(std::move(request), std::move(actor), std::move(options));
}

Offering Operations::OfferingOf(absl::string_view operation) const {
  const auto found = impl_->compiled.operations.find(std::string(operation));
  if (found == impl_->compiled.operations.end()) return Offering::kNotMapped;
  return found->second->not_offered().empty() ? Offering::kMapped : Offering::kNotOffered;
}

std::string Operations::NotOfferedReason(absl::string_view operation) const {
  const auto found = impl_->compiled.operations.find(std::string(operation));
  return found == impl_->compiled.operations.end() ? "" : found->second->not_offered();
}

puckdrop::v1::Actor Operations::Impl::ByOf(absl::string_view operation) const {
  const auto found = compiled.operations.find(std::string(operation));
  const plan::OperationInfo* info = Catalogue().Find(operation);
  if (found == compiled.operations.end()) {
    return info == nullptr ? puckdrop::v1::ACTOR_UNSPECIFIED : info->by;
  }
  if (found->second->by() != puckdrop::v1::ACTOR_UNSPECIFIED) return found->second->by();
  puckdrop::v1::Actor by = info == nullptr ? puckdrop::v1::ACTOR_UNSPECIFIED : info->by;
  VisitSteps(compiled, found->second->steps(), [&](const Plan::Step& step) {
    if (!step.has_http()) return;
    const auto host = compiled.hosts.find(step.http().host());
    // One step through the back office, and it is no proof that customers can do it.
    if (host != compiled.hosts.end() && host->second->by() == puckdrop::v1::ACTOR_OPERATOR) {
      by = puckdrop::v1::ACTOR_OPERATOR;
    }
  });
  return by;
}

puckdrop::v1::Actor Operations::By(absl::string_view operation) const { return impl_->ByOf(operation); }

bool Operations::Returns(absl::string_view operation, absl::string_view field_path) const {
  const auto found = impl_->compiled.operations.find(std::string(operation));
  return found != impl_->compiled.operations.end() && found->second->not_offered().empty() &&
         plan::Returns(*found->second, field_path);
}

bool Operations::HasPaymentCase(absl::string_view customer, v1::PaymentCase payment_case,
                                absl::string_view payment_method) const {
  const auto* value = v1::PaymentCase_descriptor()->FindValueByNumber(payment_case);
  return value != nullptr && impl_->PaymentDataOf(customer, payment_method,
                                                  value->number() == 0 ? "ACCEPTED" : ShortEnumName(*value)) != nullptr;
}

bool Operations::HasCommit(absl::string_view operation) const {
  const auto found = impl_->compiled.operations.find(std::string(operation));
  if (found == impl_->compiled.operations.end()) return false;
  bool commits = false;
  VisitSteps(impl_->compiled, found->second->steps(),
             [&](const Plan::Step& step) { commits = commits || step.commit(); });
  return commits;
}

int Operations::CustomerSteps(absl::string_view operation) const {
  const auto found = impl_->compiled.operations.find(std::string(operation));
  if (found == impl_->compiled.operations.end()) return 0;
  int count = 0;
  VisitSteps(impl_->compiled, found->second->steps(),
             [&](const Plan::Step& step) { count += step.customer_does().empty() ? 0 : 1; });
  return count;
}

absl::Status Operations::CanUndo(absl::string_view operation) {
  const std::optional<Problem> lacks = impl_->UndoLacks(operation);
  if (!lacks) return absl::OkStatus();
  return absl::FailedPreconditionError(
      impl_->ports.redactor.Redact(absl::StrCat(lacks->words, " (", impl_->Where(lacks->position), ")")));
}

absl::StatusOr<std::shared_ptr<const http::HostSettings>> Operations::HostSettingsOf(absl::string_view host) {
  const auto found = impl_->compiled.hosts.find(host);
  if (found == impl_->compiled.hosts.end()) return absl::NotFoundError(absl::StrCat("the plan has no host ", host));
  std::optional<Problem> problem;
  std::shared_ptr<const http::HostSettings> settings = impl_->SettingsOf(*found->second, problem);
  if (problem) {
    return absl::FailedPreconditionError(absl::StrCat(problem->words, " (", impl_->Where(problem->position), ")"));
  }
  return settings;
}

void Operations::ForgetSessions(const Actor& actor) { impl_->Forget(actor); }

const TargetPlan& Operations::plan() const { return *impl_->plan; }

std::unique_ptr<jq::ExpressionPool> MakeExpressionPool(runtime::EventLoop& loop, const TargetPlan& plan) {
  return std::make_unique<jq::ExpressionPool>(loop.context().get_executor(), plan.programs());
}

}  // namespace puckdrop::target
