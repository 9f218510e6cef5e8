#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "checks/check_context.h"
#include "checks/words.h"

namespace puckdrop::checks::cancellation {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.journey();
  const v1::CancelledFact cancelled = co_await journey.Cancel();
  const v1::OrderFact order = co_await journey.Order();
  const int steps = cancelled.customer_steps_size();
  if (steps == 0) {
    co_return Skipped(v1::SKIP_CAUSE_NOT_TOLD,
                      "the plan marks no step of cancellation.cancel_subscription with customer_does");
  }
  const std::string walked = absl::StrJoin(cancelled.customer_steps(), ", ");
  Judgement judgement;
  if (context.thresholds().has_fail() && steps > context.thresholds().fail()) {
    const auto most = static_cast<int64_t>(context.thresholds().fail());
    judgement = Failed("too_many_steps", absl::StrCat("cancelling takes ", steps, " steps: ", walked),
                       absl::StrCat("at most ", Count(most, "step")), Count(steps, "step"));
  } else {
    judgement = Passed(absl::StrCat("cancelling takes ", Count(steps, "step"), ": ", walked));
    const int order_steps = order.customer_steps_size();
    if (order_steps > 0 && steps > order_steps) {
      judgement.warning = true;
      absl::StrAppend(&judgement.summary, "; ordering took ", order_steps);
    }
    if (context.thresholds().has_warn() && steps > context.thresholds().warn()) judgement.warning = true;
  }
  judgement.observed_value = steps;
  judgement.unit = "steps";
  co_return judgement;
}

}  // namespace

CheckDefinition step_count() {
  return {{.id = "cancellation.step_count",
           .path = v1::PATH_CANCELLATION,
           .sentence = "They make it hard to leave",
           .question = "How many steps does a customer take to cancel?",
           .stage = v1::STAGE_SUBSCRIBER,
           .order = 20,
           .operations = {"cancellation.cancel_subscription"},
           .stands_on = {"ordering.order_completes", "ordering.sign_in"},
           .warn = 3,
           .fail = 5,
           .unit = "steps",
           .source = "KKV against Ruutu (1+5+1 steps), FTC against Amazon (Iliad: 4 pages, 6 clicks, 15 options)",
           .runbook = "Walk the cancellation by hand and ask of each page whom it serves."},
          &Judge};
}

}  // namespace puckdrop::checks::cancellation
