#include "services/prober/target_operations.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/journey.h"
#include "checks/plan/settings.h"
#include "checks/target/catalogue.h"
#include "checks/target/http/exchange.h"
#include "checks/target/http/redactor.h"
#include "checks/target/target_plan.h"

namespace puckdrop::prober {
namespace {

using checks::OperationEnd;
using nlohmann::json;

constexpr size_t kLargestEvidence = 256 * 1024;

std::map<std::string, std::string> FromJsonObject(const std::string& text) {
  std::map<std::string, std::string> kept;
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return kept;
  for (const auto& [name, value] : object.items()) {
    kept[name] = value.dump(-1, ' ', false, json::error_handler_t::replace);
  }
  return kept;
}

std::string ToJsonObject(const std::map<std::string, std::string>& kept) {
  json object = json::object();
  for (const auto& [name, text] : kept) {
    json value = json::parse(text, nullptr, false);
    if (!value.is_discarded()) object[name] = std::move(value);
  }
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

OperationEnd::Kind KindOf(target::End end) {
  switch (end) {
    case target::End::kOk:
      return OperationEnd::Kind::kOk;
    case target::End::kRefused:
      return OperationEnd::Kind::kRefused;
    case target::End::kFault:
      return OperationEnd::Kind::kFault;
    case target::End::kUnreadable:
      return OperationEnd::Kind::kUnreadable;
    case target::End::kOurs:
      return OperationEnd::Kind::kOurs;
  }
  return OperationEnd::Kind::kOurs;
}

std::string TitleOf(const target::Ended& ended) {
  const http::Exchange& last = ended.exchanges.back().exchange;
  std::string title = absl::StrCat(ended.operation, ": ", last.method, " ", last.url.substr(0, 200), " -> ",
                                   last.status != 0 ? absl::StrCat(last.status) : "no answer");
  if (ended.exchanges.size() > 1) absl::StrAppend(&title, ", ", ended.exchanges.size(), " exchanges");
  return title;
}

v1::Evidence EvidenceOf(const target::Ended& ended) {
  v1::Evidence evidence;
  evidence.set_kind(v1::Evidence::KIND_EXCHANGES);
  evidence.set_media_type("application/json");
  evidence.set_title(TitleOf(ended));
  std::vector<http::Exchange> exchanges;
  for (const target::ExchangeRecord& record : ended.exchanges) exchanges.push_back(record.exchange);
  std::string har = http::HarJson(exchanges);
  // The last exchanges decided; half of a HAR is none.
  while (har.size() > kLargestEvidence && exchanges.size() > 1) {
    exchanges.erase(exchanges.begin(), exchanges.begin() + static_cast<long>((exchanges.size() + 1) / 2));
    evidence.set_truncated(true);
    har = http::HarJson(exchanges);
  }
  if (har.size() > kLargestEvidence) {
    har.resize(kLargestEvidence);
    evidence.set_truncated(true);
  }
  evidence.set_content(std::move(har));
  return evidence;
}

// The exchange that decided: the last one that was not about signing in, if there is one.
const target::ExchangeRecord* Deciding(const target::Ended& ended) {
  if (ended.exchanges.empty()) return nullptr;
  for (auto record = ended.exchanges.rbegin(); record != ended.exchanges.rend(); ++record) {
    if (!record->of_session) return &*record;
  }
  return &ended.exchanges.back();
}

}  // namespace

OperationEnd ToOperationEnd(target::Ended ended) {
  OperationEnd end;
  end.kind = KindOf(ended.end);
  end.operation = ended.operation;
  end.refusal = ended.refusal;
  end.plan_position = ended.failure.position;
  end.step = ended.failure.step;
  end.steps = ended.failure.steps;
  end.unreachable = ended.end == target::End::kOurs && ended.failure.kind == target::FailureKind::kUnreachable;
  end.certificate = ended.end == target::End::kFault && ended.failure.kind == target::FailureKind::kTls;
  end.deadline = ended.failure.kind == target::FailureKind::kDeadline;
  end.start = ended.start_time;
  end.commit = ended.commit_time.value_or(ended.start_time);
  end.finish = ended.finish_time;
  end.commit_point = ended.commit_point;
  end.customer_steps = ended.customer_steps;
  const plan::OperationInfo* info = target::Catalogue().Find(ended.operation);
  end.through_back_office = ended.by == v1::ACTOR_OPERATOR && info != nullptr && info->by != v1::ACTOR_OPERATOR;
  if (!ended.exchanges.empty()) end.evidence.push_back(EvidenceOf(ended));
  const target::ExchangeRecord* deciding = Deciding(ended);
  if (deciding != nullptr) {
    end.reproduce = deciding->exchange.curl;
    if (end.plan_position.empty()) end.plan_position = deciding->position;
    if (end.step == 0) end.step = deciding->step;
  }
  if (end.kind != OperationEnd::Kind::kOk) {
    end.words = ended.Words();
    end.expected = absl::StrCat(ended.operation, " ends well");
    end.actual = std::string(target::EndName(ended.end));
    if (end.kind == OperationEnd::Kind::kRefused) {
      absl::StrAppend(&end.actual, " ", target::v1::Reason_Name(ended.refusal.reason()).substr(7));
    } else {
      absl::StrAppend(&end.actual, " (", std::string(target::FailureKindName(ended.failure.kind)), ")");
    }
    if (deciding != nullptr && deciding->exchange.status != 0) {
      absl::StrAppend(&end.actual, ", status ", deciding->exchange.status);
    }
  }
  end.response = std::move(ended.response);
  return end;
}

boost::asio::awaitable<OperationEnd> TargetOperations::Perform(const std::string& operation,
                                                               const google::protobuf::Message& request,
                                                               const checks::Actor& actor,
                                                               const checks::PerformOptions& options,
                                                               std::string& kept_json) {
  target::Actor who;
  who.customer = actor.customer;
  who.email = actor.email;
  who.password = actor.password;
  who.account_id = actor.account_id;
  who.standing_index = actor.standing_index;
  who.device.set_profile(actor.device_profile);
  who.device.set_instance_id(actor.device_instance);
  who.device.set_app_version(actor.app_version);
  if (options.cold) who.session_scope = absl::StrCat("cold-", ++cold_starts_);
  if (!actor.password.empty()) redactor_.AddSecret(actor.password, "PASSWORD");

  target::JourneyScope scope;
  scope.kept = FromJsonObject(kept_json);
  target::CallOptions call;
  call.deadline = options.deadline;
  call.journey = &scope;
  call.fresh_connections = options.cold;
  call.from = std::static_pointer_cast<const target::CommitPoint>(options.from_commit);
  if (request.GetDescriptor()->full_name() == target::v1::PlaceOrderRequest::descriptor()->full_name()) {
    target::v1::PlaceOrderRequest order;
    order.CopyFrom(request);
    for (const v1::Plan::OfferClaim& offer : plan_.claims().offers()) {
      if (offer.offer_id() == order.offer_id() && !call.spends) call.spends = offer.price();
    }
  }
  target::Ended ended = co_await operations_.Perform(operation, request, std::move(who), call);
  kept_json = ToJsonObject(scope.kept);
  co_return ToOperationEnd(std::move(ended));
}

checks::OperationMapping TargetOperations::Mapping(const std::string& operation) const {
  checks::OperationMapping mapping;
  switch (operations_.OfferingOf(operation)) {
    case target::Offering::kMapped:
      mapping.state = plan_.target().read_only() && Creates(operation) ? checks::OperationMapping::State::kReadOnly
                                                                       : checks::OperationMapping::State::kMapped;
      break;
    case target::Offering::kNotOffered:
      mapping.state = checks::OperationMapping::State::kNotOffered;
      mapping.words = operations_.NotOfferedReason(operation);
      break;
    case target::Offering::kNotMapped:
      mapping.state = checks::OperationMapping::State::kNotMapped;
      break;
  }
  return mapping;
}

bool TargetOperations::Returns(const std::string& operation, const std::string& field) const {
  return operations_.Returns(operation, field);
}

bool TargetOperations::Creates(const std::string& operation) const {
  const plan::OperationInfo* info = target::Catalogue().Find(operation);
  return info != nullptr && info->creates;
}

bool TargetOperations::Acts(const std::string& operation) const {
  return Creates(operation) || target::Acts(operation);
}

bool TargetOperations::HasPaymentCase(const std::string& customer, target::v1::PaymentCase payment_case) const {
  const v1::Plan::Customer* of_plan = plan::FindCustomer(plan_, customer);
  const bool accepted =
      payment_case == target::v1::PAYMENT_CASE_ACCEPTED || payment_case == target::v1::PAYMENT_CASE_UNSPECIFIED;
  // A target without payment accepts every order.
  if (of_plan != nullptr && of_plan->payment().empty()) return accepted;
  return operations_.HasPaymentCase(customer, payment_case);
}

boost::asio::awaitable<absl::StatusOr<std::string>> TargetOperations::Undo(const v1::Obligation& obligation,
                                                                           absl::Time deadline) {
  absl::StatusOr<target::Actor> actor =
      operations_.AccountOf(obligation.customer(), obligation.account(), obligation.standing_index());
  if (!actor.ok()) co_return actor.status();
  if (obligation.standing_index() < 0) actor->password = checks::DerivePassword(pilot_key_, obligation.account());
  if (!actor->password.empty()) redactor_.AddSecret(actor->password, "PASSWORD");
  actor->account_id = obligation.account_id();
  target::UndoRequest undo;
  undo.operation = obligation.operation();
  undo.request_json = obligation.request_json();
  undo.idempotency_key = obligation.idempotency_key();
  undo.target_ids = {obligation.target_ids().begin(), obligation.target_ids().end()};
  target::CallOptions call;
  call.deadline = deadline;
  target::Undone undone = co_await operations_.Undo(std::move(undo), std::move(*actor), call);
  if (!undone.done) co_return absl::FailedPreconditionError(undone.words);
  co_return undone.words;
}

}  // namespace puckdrop::prober
