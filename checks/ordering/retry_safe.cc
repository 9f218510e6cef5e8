#include <boost/asio/experimental/awaitable_operators.hpp>
#include <set>

#include "absl/strings/str_cat.h"
#include "checks/check_context.h"
#include "checks/words.h"

namespace puckdrop::checks::ordering {
namespace {

struct Books {
  std::set<std::string> orders;
  std::set<std::string> charges;
};

Task<Books> Read(Journey& journey) {
  journey.ForgetReads();
  Books books;
  const target::v1::ListOrdersResponse orders = co_await journey.Orders();
  for (const target::v1::Order& order : orders.orders()) books.orders.insert(order.order_id());
  if (journey.operations().Mapping("billing.list_charges").state == OperationMapping::State::kMapped) {
    const target::v1::ListChargesResponse charges = co_await journey.Charges();
    for (const target::v1::Charge& charge : charges.charges()) {
      if (charge.state() != target::v1::CHARGE_STATE_FAILED) books.charges.insert(charge.charge_id());
    }
  }
  co_return books;
}

Task<Judgement> Judge(CheckContext& context) {
  using boost::asio::experimental::awaitable_operators::operator&&;
  Journey& journey = context.SideJourney("retry");
  const v1::OrderFact order = co_await journey.Order();
  const Books before = co_await Read(journey);

  Journey::OrderOptions again;
  again.offer_id = order.offer_id();
  again.idempotency_key = order.idempotency_key();
  again.wait_for_activation = false;
  again.from_commit = true;
  const std::string how = journey.reached_commit(order.idempotency_key())
                              ? ""
                              : " (the plan marks no step `commit: true`, so the whole operation was repeated)";
  // The impatient second click, then two at once, as after a lost connection. What they answer is the target's own
  // choice (200, 400, 409, 422 or a refusal are all seen in right services); what they leave behind is not.
  std::vector<std::string> answers;
  Ended<target::v1::PlaceOrderResponse> second = co_await journey.PlaceOrder(again);
  auto [third, fourth] = co_await (journey.PlaceOrder(again) && journey.PlaceOrder(again));
  for (const Ended<target::v1::PlaceOrderResponse>* repeat : {&second, &third, &fourth}) {
    if (repeat->end.kind == OperationEnd::Kind::kOurs) throw OperationEnded(repeat->end);
    answers.push_back(repeat->ok() ? absl::StrCat("order ", repeat->response.order_id()) : repeat->end.words);
  }
  const Books after = co_await Read(journey);
  if (before.orders.empty() || !after.orders.contains(order.order().order_id())) {
    co_return Failed("order_not_listed", "an active order is not in the customer's list of orders",
                     order.order().order_id(), Count(static_cast<int64_t>(after.orders.size()), "order"));
  }
  std::vector<v1::Finding> findings;
  if (after.orders.size() > before.orders.size()) {
    findings.push_back(MakeFinding(
        "ordered_again", absl::StrCat("paying again with the same key made ",
                                      Count(static_cast<int64_t>(after.orders.size() - before.orders.size()),
                                            "more order"), how),
        "1 order", Count(static_cast<int64_t>(after.orders.size()), "order")));
  }
  if (after.charges.size() > before.charges.size()) {
    findings.push_back(MakeFinding(
        "charged_again", absl::StrCat("paying again with the same key made ",
                                      Count(static_cast<int64_t>(after.charges.size() - before.charges.size()),
                                            "more charge"), how),
        Count(static_cast<int64_t>(before.charges.size()), "charge"),
        Count(static_cast<int64_t>(after.charges.size()), "charge")));
  }
  co_return FailedIfAny(std::move(findings),
                        absl::StrCat("paid four times with one key: 1 order, ",
                                     Count(static_cast<int64_t>(after.charges.size()), "charge")));
}

}  // namespace

CheckDefinition retry_safe() {
  return {{.id = "ordering.retry_safe",
           .path = v1::PATH_ORDERING,
           .sentence = "I clicked twice and bought it twice",
           .question = "Does paying again with the same idempotency key leave one order and one charge?",
           .stage = v1::STAGE_VISITOR,
           .order = 60,
           .operations = {"ordering.place_order", "ordering.list_orders"},
           .stands_on = {"ordering.order_completes"},
           .source = "draft-ietf-httpapi-idempotency-key-header",
           .runbook = "Look at how the pay step stores its idempotency key: before or after the payment provider is called, "
                      "and with which uniqueness.",
           .own_account = true},
          &Judge};
}

}  // namespace puckdrop::checks::ordering
