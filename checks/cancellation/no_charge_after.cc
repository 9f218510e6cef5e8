#include "absl/strings/str_cat.h"
#include "checks/cancellation/shared_end.h"
#include "checks/words.h"

namespace puckdrop::checks::cancellation {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.journey();
  co_await journey.Cancel();
  const absl::Time end = co_await EndOfAccess(journey);
  // The positive control: charges are seen in this journey where one was due.
  if (!journey.charges_seen() || journey.charges_seen()->charges().empty()) {
    co_return Inconclusive("no charge was seen before the cancellation, so seeing none after it proves nothing");
  }
  const size_t before = static_cast<size_t>(journey.charges_seen()->charges_size());
  const double days = context.Parameter("days", 62);
  co_await journey.AdvanceClock(end + absl::Hours(24 * days));
  co_await journey.Sleep(absl::Seconds(context.Parameter("settle", 1)));
  journey.ForgetReads();
  const target::v1::ListChargesResponse charges = co_await journey.Charges();
  std::vector<v1::Finding> findings;
  if (static_cast<size_t>(charges.charges_size()) < before) {
    co_return Inconclusive(absl::StrCat("the list of charges became shorter: ", before, " before, ",
                                        charges.charges_size(), " now"),
                           v1::FAILURE_REASON_WRONG_ANSWER);
  }
  for (const target::v1::Charge& charge : charges.charges()) {
    bool known = charge.state() == target::v1::CHARGE_STATE_FAILED || charge.state() == target::v1::CHARGE_STATE_VOIDED;
    for (const target::v1::Charge& earlier : journey.charges_seen()->charges()) {
      known = known || earlier.charge_id() == charge.charge_id();
    }
    if (known) continue;
    const std::string when = charge.has_charge_time() ? journey.Date(TimeOf(charge.charge_time())) : "after it";
    findings.push_back(MakeFinding("charged_after_cancel",
                                   absl::StrCat("cancelled, and ", Words(charge.amount()), " was taken on ", when),
                                   "no charge after the cancellation", absl::StrCat(Words(charge.amount()), " on ", when)));
  }
  co_return FailedIfAny(std::move(findings),
                        absl::StrCat("no charge in the ", static_cast<int64_t>(days), " days after the end (",
                                     Count(static_cast<int64_t>(before), "charge"), " before it)"));
}

}  // namespace

CheckDefinition no_charge_after() {
  return {{.id = "cancellation.no_charge_after",
           .path = v1::PATH_CANCELLATION,
           .sentence = "I cancelled and they still take my money",
           .question = "Is nothing charged in the two periods after the end?",
           .stage = v1::STAGE_LEAVER,
           .order = 20,
           .operations = {"billing.list_charges", "cancellation.cancel_subscription"},
           .stands_on = {"cancellation.takes_effect", "billing.charged_once"},
           .source = "UOKiK and FTC cases on charges after cancellation; two periods are a default",
           .runbook = "Look at which system renews: a subscription may be ended in the shop and live on at the payment "
                      "provider."},
          &Judge};
}

}  // namespace puckdrop::checks::cancellation
