#include "absl/strings/str_cat.h"
#include "checks/check_context.h"
#include "checks/words.h"

namespace puckdrop::checks::cancellation {
namespace {

bool Ends(const target::v1::Subscription& subscription) {
  if (subscription.has_auto_renews()) return !subscription.auto_renews();
  return subscription.state() == target::v1::SUBSCRIPTION_STATE_ENDING ||
         subscription.state() == target::v1::SUBSCRIPTION_STATE_ENDED;
}

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.journey();
  const v1::CancelledFact cancelled = co_await journey.Cancel();
  const absl::Time done = TimeOf(cancelled.time());
  const absl::Time limit = journey.clock_now() + absl::Seconds(context.thresholds().fail());
  for (;;) {
    const target::v1::Subscription subscription = co_await journey.SubscriptionFromElsewhere();
    if (Ends(subscription)) {
      const std::string& paid_through = cancelled.subscription().paid_through_date();
      if (subscription.has_end_date() && !paid_through.empty() && subscription.end_date() != paid_through) {
        co_return Failed("wrong_end_date",
                         absl::StrCat("paid through ", paid_through, ", and the subscription ends ",
                                      subscription.end_date()),
                         paid_through, subscription.end_date());
      }
      journey.LearnEnd(subscription);
      co_return AgainstThresholds(std::max(0.0, absl::ToDoubleSeconds(journey.clock_now() - done)), context.thresholds(),
                                  "the cancellation showed on another device after");
    }
    if (journey.clock_now() + absl::Milliseconds(500) > limit) {
      co_return Failed("still_renews",
                       absl::StrCat("the customer was told it is cancelled, and another device still shows ",
                                    target::v1::SubscriptionState_Name(subscription.state()).substr(19),
                                    subscription.auto_renews() ? ", renewing" : ""),
                       "ending, not renewing",
                       subscription.has_next_charge_date()
                           ? absl::StrCat("renews on ", subscription.next_charge_date())
                           : "renews");
    }
    co_await journey.Sleep(absl::Milliseconds(500));
  }
}

}  // namespace

CheckDefinition takes_effect() {
  return {{.id = "cancellation.takes_effect",
           .path = v1::PATH_CANCELLATION,
           .sentence = "I cancelled and it goes on",
           .question = "After cancelling, does another device show that it ends with the paid period?",
           .stage = v1::STAGE_SUBSCRIBER,
           .order = 10,
           .operations = {"cancellation.cancel_subscription", "cancellation.list_subscriptions"},
           .stands_on = {"ordering.order_completes", "ordering.sign_in"},
           .fail = 10,
           .unit = "s",
           .source = "10 s is a default",
           .runbook = "Follow the cancellation from the web shop to the subscription system; look for a queue or a batch job "
                      "in between."},
          &Judge};
}

}  // namespace puckdrop::checks::cancellation
