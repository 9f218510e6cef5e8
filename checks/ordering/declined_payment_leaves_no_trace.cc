#include "absl/strings/str_cat.h"
#include "checks/check_context.h"
#include "checks/words.h"

namespace puckdrop::checks::ordering {
namespace {

bool IsDecline(target::v1::Reason reason) {
  return reason == target::v1::REASON_DECLINED || reason == target::v1::REASON_INSUFFICIENT_FUNDS;
}

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.SideJourney("declined");
  Journey::OrderOptions options;
  options.payment_case = target::v1::PAYMENT_CASE_DECLINED_CARD;
  options.wait_for_activation = false;
  Ended<target::v1::PlaceOrderResponse> declined = co_await journey.PlaceOrder(options);
  if (declined.ok() && declined.response.state() != target::v1::ORDER_STATE_FAILED) {
    co_return Failed("declined_card_accepted", "an order with a card that the bank declines was accepted", "DECLINED",
                     target::v1::OrderState_Name(declined.response.state()).substr(12));
  }
  if (declined.end.kind != OperationEnd::Kind::kOk && declined.end.kind != OperationEnd::Kind::kRefused) {
    throw OperationEnded(std::move(declined.end));
  }
  if (declined.end.kind == OperationEnd::Kind::kRefused && !IsDecline(declined.end.refusal.reason())) {
    co_return Failed("refused_for_another_reason",
                     absl::StrCat("a declined card is answered with another reason: ", declined.end.words), "DECLINED",
                     declined.end.words, "", v1::FAILURE_REASON_UNEXPECTED_REFUSAL);
  }

  // Long enough for what is done asynchronously to show.
  co_await journey.Sleep(absl::Seconds(context.Parameter("settle", 2)));
  journey.ForgetReads();
  std::vector<v1::Finding> findings;
  OperationPort& operations = journey.operations();
  const auto mapped = [&](const char* operation) {
    return operations.Mapping(operation).state == OperationMapping::State::kMapped;
  };
  int looked = 0;
  if (mapped("ordering.list_orders")) {
    ++looked;
    const target::v1::ListOrdersResponse orders = co_await journey.Orders();
    for (const target::v1::Order& order : orders.orders()) {
      if (order.state() == target::v1::ORDER_STATE_FAILED || order.state() == target::v1::ORDER_STATE_CANCELLED) continue;
      findings.push_back(MakeFinding("order_left", absl::StrCat("a declined payment left the order ", order.order_id(),
                                                                " in state ",
                                                                target::v1::OrderState_Name(order.state()).substr(12)),
                                     "no live order", order.order_id()));
    }
  }
  if (mapped("ordering.list_entitlements")) {
    ++looked;
    const target::v1::ListEntitlementsResponse entitlements = co_await journey.Entitlements();
    for (const target::v1::Entitlement& entitlement : entitlements.entitlements()) {
      if (!entitlement.active()) continue;
      findings.push_back(MakeFinding("entitled", "a declined payment gave the right to watch", "no entitlement",
                                     absl::StrCat("an active entitlement to ", entitlement.offer_id())));
    }
  }
  if (mapped("billing.list_charges")) {
    ++looked;
    const target::v1::ListChargesResponse charges = co_await journey.Charges();
    for (const target::v1::Charge& charge : charges.charges()) {
      if (charge.state() != target::v1::CHARGE_STATE_SUCCEEDED && charge.state() != target::v1::CHARGE_STATE_AUTHORISED) {
        continue;
      }
      findings.push_back(MakeFinding("money_held", absl::StrCat("a declined payment holds ", Words(charge.amount())),
                                     "no charge", Words(charge.amount())));
    }
  }
  if (looked == 0) {
    co_return Skipped(v1::SKIP_CAUSE_NOT_MAPPED,
                      "what a decline leaves behind cannot be seen: map ordering.list_orders, ordering.list_entitlements or "
                      "billing.list_charges");
  }
  co_return FailedIfAny(std::move(findings), absl::StrCat("declined (", declined.end.refusal.code().empty()
                                                                            ? "DECLINED"
                                                                            : declined.end.refusal.code(),
                                                          "), and nothing was left behind"));
}

}  // namespace

CheckDefinition declined_payment_leaves_no_trace() {
  return {{.id = "ordering.declined_payment_leaves_no_trace",
           .path = v1::PATH_ORDERING,
           .sentence = "My card was declined and I still have an order",
           .question = "Does a declined card leave no order, no entitlement and no money held?",
           .stage = v1::STAGE_VISITOR,
           .order = 70,
           .operations = {"ordering.place_order"},
           .stands_on = {"ordering.order_completes"},
           .source = "payment providers' test cards; the customer's bank statement",
           .runbook = "Look for an order written before the payment answer, and for a hold that is never released.",
           .own_account = true},
          &Judge};
}

}  // namespace puckdrop::checks::ordering
