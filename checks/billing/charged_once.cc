#include "absl/strings/str_cat.h"
#include "checks/billing/shared_money.h"
#include "checks/words.h"

namespace puckdrop::checks::billing {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.journey();
  const v1::OrderFact order = co_await journey.Order();
  const bool due = ChargeIsDue(journey);
  const std::vector<target::v1::Charge> charges =
      co_await WaitForCaptured(journey, order, due ? 1 : 0, absl::Seconds(context.Parameter("settle", 10)));
  const std::string actual = Count(static_cast<int64_t>(charges.size()), "charge");
  Judgement judgement;
  if (due && charges.empty()) {
    judgement = Failed("never_charged", "the customer ordered and was not charged, so nothing about the bill can be true",
                       "1 charge", actual);
  } else if (charges.size() > (due ? 1u : 0u)) {
    judgement = due ? Failed("charged_twice",
                             absl::StrCat("the customer ordered once and was charged ", charges.size(), " times"),
                             absl::StrCat("1 charge of ", Words(charges.front().amount())),
                             absl::StrCat(charges.size(), " charges of ", Words(charges.back().amount())))
                    : Failed("charged_though_not_due", "the customer was charged though nothing is due yet", "no charge",
                             actual);
  } else {
    judgement = Passed(due ? absl::StrCat("charged once, ", Words(charges.front().amount()))
                           : "nothing is due yet, and nothing was charged");
  }
  judgement.observed_value = static_cast<double>(charges.size());
  judgement.unit = "charges";
  co_return judgement;
}

}  // namespace

CheckDefinition charged_once() {
  return {{.id = "billing.charged_once",
           .path = v1::PATH_BILLING,
           .sentence = "I was charged twice",
           .question = "Is one order charged exactly once, when it is due?",
           .stage = v1::STAGE_SUBSCRIBER,
           .order = 10,
           .operations = {"billing.list_charges"},
           .stands_on = {"ordering.order_completes", "ordering.sign_in"},
           .unit = "charges",
           .source = "payment provider's ledger against orders",
           .runbook = "Find the charges of this order at the payment provider; look for a webhook handled twice or a capture "
                      "that was retried without its key."},
          &Judge};
}

}  // namespace puckdrop::checks::billing
