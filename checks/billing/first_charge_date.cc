#include "absl/strings/str_cat.h"
#include "checks/billing/shared_money.h"
#include "checks/words.h"

namespace puckdrop::checks::billing {
namespace {

// The claim whose first charge lies furthest ahead: what was promised to somebody who orders before the season.
const v1::Plan::OfferClaim* PreSeasonClaim(const Journey& journey) {
  const v1::Plan::OfferClaim* chosen = nullptr;
  const std::string today = journey.Date(journey.clock_now());
  for (const v1::Plan::OfferClaim& claim : journey.plan().claims().offers()) {
    if (!claim.market().empty() && claim.market() != journey.customer().market()) continue;
    if (claim.price().minor_units() == 0 || claim.first_charge_date() <= today) continue;
    if (chosen == nullptr || claim.first_charge_date() > chosen->first_charge_date()) chosen = &claim;
  }
  return chosen;
}

Judgement Early(const target::v1::Charge& charge, const std::string& promised, const std::string& date) {
  return Failed("charged_early",
                absl::StrCat("the first bill was promised for ", promised, ", and ", Words(charge.amount()),
                             " was taken on ", date),
                absl::StrCat("nothing before ", promised), absl::StrCat(Words(charge.amount()), " on ", date));
}

Task<Judgement> Judge(CheckContext& context) {
  const v1::Plan::OfferClaim* claim = PreSeasonClaim(context.journey());
  if (claim == nullptr) {
    // Nothing lies ahead: what was promised for today or earlier must not have been taken before it.
    Journey& journey = context.journey();
    const std::string promised = journey.Claim().first_charge_date();
    if (promised.empty()) {
      co_return Skipped(v1::SKIP_CAUSE_DOES_NOT_APPLY, "the plan claims no first charge date");
    }
    const v1::OrderFact order = co_await journey.Order();
    const std::vector<target::v1::Charge> charges =
        co_await WaitForCaptured(journey, order, 1, absl::Seconds(context.Parameter("settle", 10)));
    if (charges.empty()) co_return Failed("never_charged", "no charge was made by the promised date", promised, "none");
    const std::string date = journey.Date(TimeOf(charges.front().charge_time()));
    if (date < promised) co_return Early(charges.front(), promised, date);
    co_return Passed(absl::StrCat("promised for ", promised, ", charged on ", date));
  }

  Journey& journey = context.SideJourney("first_charge");
  const std::string& promised = claim->first_charge_date();
  const std::optional<absl::Time> day = journey.StartOfDay(promised);
  if (!day) co_return Inconclusive(absl::StrCat("the plan's first_charge_date '", promised, "' is not a date"));
  Journey::OrderOptions options;
  options.offer_id = claim->offer_id();
  const v1::OrderFact order = co_await journey.Order(options);
  const auto captured = [&]() -> Task<std::vector<target::v1::Charge>> {
    journey.ForgetReads();
    const target::v1::ListChargesResponse charges = co_await journey.Charges();
    co_return Captured(charges, order, false);
  };
  // Right after ordering, then an hour before the day, then when the day has passed.
  co_await journey.Sleep(absl::Seconds(context.Parameter("settle", 2)));
  std::vector<target::v1::Charge> charges = co_await captured();
  if (!charges.empty()) {
    co_return Early(charges.front(), promised, journey.Date(TimeOf(charges.front().charge_time())));
  }
  co_await journey.AdvanceClock(*day - absl::Hours(1));
  charges = co_await captured();
  if (!charges.empty()) {
    co_return Early(charges.front(), promised, journey.Date(TimeOf(charges.front().charge_time())));
  }
  co_await journey.AdvanceClock(*day + absl::Hours(25));
  charges = co_await WaitForCaptured(journey, order, 1, absl::Seconds(context.Parameter("settle", 10)));
  if (charges.empty()) {
    co_return Failed("never_charged", absl::StrCat("the day of the first bill (", promised, ") passed without a charge"),
                     absl::StrCat("1 charge on ", promised), "none");
  }
  const std::string date = charges.front().has_charge_time() ? journey.Date(TimeOf(charges.front().charge_time())) : "";
  if (!date.empty() && date < promised) co_return Early(charges.front(), promised, date);
  co_return Passed(absl::StrCat("promised for ", promised, ": nothing an hour before, ", Words(charges.front().amount()),
                                " on ", date.empty() ? promised : date));
}

}  // namespace

CheckDefinition first_charge_date() {
  return {{.id = "billing.first_charge_date",
           .path = v1::PATH_BILLING,
           .sentence = "I was billed before the date I was promised",
           .question = "Is the first charge on or after the promised date?",
           .stage = v1::STAGE_LEAVER,
           .order = 10,
           .operations = {"billing.list_charges", "ordering.place_order"},
           .stands_on = {"ordering.order_completes", "billing.charged_once"},
           .source = "what was promised; Telia's pre-season customers were billed in summer",
           .runbook = "Look at when the capture is scheduled for orders before the season, and in which time zone.",
           .own_account = true},
          &Judge};
}

}  // namespace puckdrop::checks::billing
