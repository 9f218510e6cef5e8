// What a journey knows how to ask, each once: the accessors of Journey that only put requests together.
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/journey.h"

namespace puckdrop::checks {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(400);

void SetTimestamp(absl::Time time, google::protobuf::Timestamp* out) {
  const int64_t nanos = absl::ToUnixNanos(time);
  out->set_seconds(nanos / 1'000'000'000);
  out->set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
}

absl::Time FromTimestamp(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

Judgement BlockedBy(std::string check, std::string summary) {
  Judgement judgement;
  judgement.outcome = v1::OUTCOME_BLOCKED;
  judgement.blocked_by = std::move(check);
  judgement.summary = std::move(summary);
  return judgement;
}

}  // namespace

const v1::Plan::OfferClaim& Journey::Claim() const {
  const v1::Plan& plan = *environment_.plan;
  const v1::Plan::Customer& customer = *environment_.customer;
  const v1::Plan::OfferClaim* any_market = nullptr;
  for (const v1::Plan::OfferClaim& claim : plan.claims().offers()) {
    if (!customer.offer_id().empty() && claim.offer_id() != customer.offer_id()) continue;
    if (claim.market() == customer.market()) return claim;
    if (claim.market().empty() && any_market == nullptr) any_market = &claim;
  }
  if (any_market != nullptr) return *any_market;
  throw Judged(Skipped(v1::SKIP_CAUSE_NOT_TOLD,
                       absl::StrCat("the plan claims no offer",
                                    customer.offer_id().empty() ? "" : absl::StrCat(" '", customer.offer_id(), "'"),
                                    " for market ", customer.market(), "; add one under claims: offers:")));
}

Task<target::v1::ListOffersResponse> Journey::Offers() {
  target::v1::ListOffersRequest request;
  request.set_market(environment_.customer->market());
  request.set_language(environment_.customer->language());
  // As somebody who is not signed in: what is shown to a visitor is what is promised.
  Actor signed_in = std::exchange(actor_, VisitorActor());
  OperationEnd end;
  std::exception_ptr thrown;
  try {
    end = co_await OnceErased("ordering.list_offers", request, {});
  } catch (...) {
    thrown = std::current_exception();
  }
  actor_ = std::move(signed_in);
  if (thrown) std::rethrow_exception(thrown);
  if (end.kind != OperationEnd::Kind::kOk) throw OperationEnded(std::move(end));
  target::v1::ListOffersResponse response;
  response.CopyFrom(*end.response);
  co_return response;
}

Task<target::v1::Offer> Journey::Offer() {
  const std::string wanted = Claim().offer_id();
  const target::v1::ListOffersResponse offers = co_await Offers();
  for (const target::v1::Offer& offer : offers.offers()) {
    if (offer.offer_id() == wanted) co_return offer;
  }
  throw Judged(BlockedBy("ordering.offer_visible", absl::StrCat("the offer '", wanted, "' is not listed")));
}

bool Journey::has_active_order() const {
  return order_ && order_->order().state() == target::v1::ORDER_STATE_ACTIVE;
}

Task<v1::OrderFact> Journey::Order() { co_return co_await Order(OrderOptions()); }

Task<v1::OrderFact> Journey::Order(OrderOptions options) {
  if (order_) co_return *order_;
  if (label_.empty() && environment_.path != v1::PATH_ORDERING) {
    throw Judged(BlockedBy("ordering.order_completes", "this customer has no order: ordering.order_completes left none"));
  }
  v1::OrderFact fact;
  fact.set_offer_id(options.offer_id.empty() ? Claim().offer_id() : options.offer_id);
  if (options.idempotency_key.empty()) options.idempotency_key = NewKey();
  fact.set_idempotency_key(options.idempotency_key);
  const bool wait = options.wait_for_activation;
  Ended<target::v1::PlaceOrderResponse> placed = co_await PlaceOrder(std::move(options));
  if (!placed.ok()) throw OperationEnded(std::move(placed.end));
  *fact.mutable_order() = placed.response;
  SetTimestamp(placed.end.commit, fact.mutable_commit_time());
  SetTimestamp(placed.end.finish, fact.mutable_answer_time());
  for (const std::string& step : placed.end.customer_steps) fact.add_customer_steps(step);

  if (wait && environment_.operations->Mapping("ordering.get_order").state == OperationMapping::State::kMapped) {
    target::v1::GetOrderRequest request;
    request.set_order_id(placed.response.order_id());
    const absl::Time limit = placed.end.commit + environment_.activation_limit;
    while (fact.order().state() == target::v1::ORDER_STATE_PENDING ||
           fact.order().state() == target::v1::ORDER_STATE_CONFIRMED) {
      if (environment_.clock->Now() + kPoll > limit) break;
      co_await Sleep(kPoll);
      const target::v1::GetOrderResponse read =
          co_await Perform<target::v1::GetOrderResponse>("ordering.get_order", request);
      fact.mutable_order()->set_state(read.order().state());
      if (!read.order().subscription_id().empty()) {
        fact.mutable_order()->set_subscription_id(read.order().subscription_id());
      }
    }
  }
  order_ = fact;
  AddFact("ordering.order", fact);
  co_return fact;
}

Task<target::v1::ListChargesResponse> Journey::Charges() {
  target::v1::ListChargesResponse charges =
      co_await Once<target::v1::ListChargesResponse>("billing.list_charges", target::v1::ListChargesRequest());
  if (charges.charges_size() > 0 && environment_.path == v1::PATH_BILLING && !charges_seen_) {
    v1::ChargesFact fact;
    *fact.mutable_charges() = charges.charges();
    charges_seen_ = fact;
    AddFact("billing.charges", fact);
  }
  co_return charges;
}

Task<target::v1::ListInvoicesResponse> Journey::Invoices() {
  co_return co_await Once<target::v1::ListInvoicesResponse>("billing.list_invoices", target::v1::ListInvoicesRequest());
}

Task<target::v1::ListEntitlementsResponse> Journey::Entitlements() {
  target::v1::ListEntitlementsRequest request;
  *request.mutable_device() = Device();
  co_return co_await Once<target::v1::ListEntitlementsResponse>("ordering.list_entitlements", request);
}

Task<target::v1::ListSubscriptionsResponse> Journey::Subscriptions() {
  co_return co_await Once<target::v1::ListSubscriptionsResponse>("cancellation.list_subscriptions",
                                                                 target::v1::ListSubscriptionsRequest());
}

Task<target::v1::Subscription> Journey::Subscription() {
  const v1::OrderFact order = co_await Order();
  const target::v1::ListSubscriptionsResponse list = co_await Subscriptions();
  for (const target::v1::Subscription& subscription : list.subscriptions()) {
    const std::string& wanted = order.order().subscription_id();
    if (wanted.empty() ? subscription.offer_id() == order.offer_id() : subscription.subscription_id() == wanted) {
      co_return subscription;
    }
  }
  throw Judged(Failed("no_subscription", "the account page shows no subscription for an order that is active",
                      absl::StrCat("a subscription to ", order.offer_id()),
                      absl::StrCat(list.subscriptions_size(), " subscriptions, none to it")));
}

Task<target::v1::Subscription> Journey::SubscriptionFromElsewhere() {
  // Somebody else's screen: what one session believes of itself proves nothing.
  const std::string before = UseDevice(NewDevice());
  std::exception_ptr thrown;
  target::v1::Subscription subscription;
  ForgetReads();
  try {
    subscription = co_await Subscription();
  } catch (...) {
    thrown = std::current_exception();
  }
  UseDevice(before);
  if (thrown) std::rethrow_exception(thrown);
  co_return subscription;
}

Task<v1::CancelledFact> Journey::Cancel() {
  if (cancelled_) co_return *cancelled_;
  const target::v1::Subscription subscription = co_await Subscription();
  v1::CancelledFact fact;
  // An instant is better than a date: markets of one launch may lie in several time zones.
  if (environment_.operations->Mapping("ordering.list_entitlements").state == OperationMapping::State::kMapped) {
    const target::v1::ListEntitlementsResponse entitlements = co_await Entitlements();
    for (const target::v1::Entitlement& entitlement : entitlements.entitlements()) {
      if (!entitlement.active() || !entitlement.has_end_time()) continue;
      *fact.mutable_access_end_time() = entitlement.end_time();
    }
  }
  target::v1::CancelSubscriptionRequest request;
  request.set_subscription_id(subscription.subscription_id());
  request.set_idempotency_key(NewKey());
  request.set_language(environment_.customer->language());
  Ended<target::v1::CancelSubscriptionResponse> ended =
      co_await Try<target::v1::CancelSubscriptionResponse>("cancellation.cancel_subscription", request);
  if (!ended.ok()) throw OperationEnded(std::move(ended.end));
  *fact.mutable_subscription() = subscription;
  fact.set_receipt_id(ended.response.receipt_id());
  for (const std::string& step : ended.end.customer_steps) fact.add_customer_steps(step);
  SetTimestamp(ended.end.finish, fact.mutable_time());
  cancelled_ = fact;
  AddFact("cancellation.cancelled", fact);
  ForgetReads();
  co_return fact;
}

void Journey::LearnEnd(const target::v1::Subscription& subscription) {
  if (!cancelled_) return;
  const std::string paid_through = cancelled_->subscription().paid_through_date();
  *cancelled_->mutable_subscription() = subscription;
  if (!subscription.has_paid_through_date() && !paid_through.empty()) {
    cancelled_->mutable_subscription()->set_paid_through_date(paid_through);
  }
  AddFact("cancellation.cancelled", *cancelled_);
}

Task<target::v1::ListOrdersResponse> Journey::Orders() {
  co_return co_await Once<target::v1::ListOrdersResponse>("ordering.list_orders", target::v1::ListOrdersRequest());
}

Task<target::v1::ListMessagesResponse> Journey::Messages() {
  target::v1::ListMessagesRequest request;
  request.set_to(actor_.email);
  co_return co_await Once<target::v1::ListMessagesResponse>("ordering.list_messages", request);
}

Task<absl::Time> Journey::Now() {
  if (environment_.operations->Mapping("target.get_clock").state != OperationMapping::State::kMapped) {
    co_return std::max(environment_.clock->Now(), advanced_to_);
  }
  const target::v1::GetClockResponse clock =
      co_await Perform<target::v1::GetClockResponse>("target.get_clock", target::v1::GetClockRequest());
  co_return FromTimestamp(clock.now());
}

Task<absl::Time> Journey::AdvanceClock(absl::Time to) {
  const v1::ClockControl control = environment_.plan->target().clock();
  if (control == v1::CLOCK_CONTROL_NONE || control == v1::CLOCK_CONTROL_UNSPECIFIED) {
    throw Judged(Skipped(v1::SKIP_CAUSE_NOT_MAPPED, "the target's time cannot be moved (target: clock: none)"));
  }
  if (to <= advanced_to_) co_return advanced_to_;
  target::v1::AdvanceClockRequest request;
  SetTimestamp(to, request.mutable_to());
  const target::v1::AdvanceClockResponse response =
      co_await Perform<target::v1::AdvanceClockResponse>("target.advance_clock", request);
  advanced_to_ = std::max(advanced_to_, FromTimestamp(response.now()));
  ForgetReads();
  co_return advanced_to_;
}

}  // namespace puckdrop::checks
