#include "absl/strings/str_cat.h"
#include "checks/check_context.h"
#include "checks/words.h"

namespace puckdrop::checks::ordering {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.journey();
  const v1::OrderFact order = co_await journey.Order();
  const double seconds = absl::ToDoubleSeconds(journey.clock_now() - TimeOf(order.commit_time()));
  const std::string state = target::v1::OrderState_Name(order.order().state()).substr(12);
  switch (order.order().state()) {
    case target::v1::ORDER_STATE_ACTIVE: {
      Judgement judgement = AgainstThresholds(seconds, context.thresholds(), "from paying to an active order it took");
      co_return judgement;
    }
    case target::v1::ORDER_STATE_FAILED:
    case target::v1::ORDER_STATE_CANCELLED:
      co_return Failed("order_failed", absl::StrCat("the order was accepted and then became ", state), "ACTIVE", state);
    default:
      co_return Failed("not_active",
                       absl::StrCat("the customer paid, and the order is still ", state, " after ",
                                    static_cast<int64_t>(seconds), " s"),
                       absl::StrCat("ACTIVE within ", static_cast<int64_t>(context.thresholds().fail()), " s"), state);
  }
}

}  // namespace

CheckDefinition order_completes() {
  return {{.id = "ordering.order_completes",
           .path = v1::PATH_ORDERING,
           .sentence = "My order does not go through",
           .question = "Does an order with an accepted payment become active?",
           .stage = v1::STAGE_VISITOR,
           .order = 40,
           .operations = {"ordering.place_order"},
           .stands_on = {"ordering.sign_up"},
           .fail = 60,
           .unit = "s",
           .source = "Directive 2011/83/EU Art 8(7) asks for a confirmation in reasonable time; 60 s is a default",
           .runbook = "Look at the order's state in the back office, then at the activation queue and the payment "
                      "provider's webhooks.",
           .renews_journey = true},
          &Judge};
}

}  // namespace puckdrop::checks::ordering
