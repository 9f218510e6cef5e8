#include "checks/billing/shared_money.h"

#include <algorithm>

#include "checks/words.h"

namespace puckdrop::checks::billing {
namespace {

bool BelongsTo(const std::string& order_id, const v1::OrderFact& order) {
  return order_id.empty() || order_id == order.order().order_id();
}

}  // namespace

std::vector<target::v1::Charge> Captured(const target::v1::ListChargesResponse& charges, const v1::OrderFact& order,
                                         bool standing_account) {
  std::vector<target::v1::Charge> captured;
  for (const target::v1::Charge& charge : charges.charges()) {
    if (charge.state() != target::v1::CHARGE_STATE_SUCCEEDED && charge.state() != target::v1::CHARGE_STATE_DISPUTED) {
      continue;
    }
    if (!BelongsTo(charge.order_id(), order)) continue;
    // A few seconds of leeway: two machines' clocks.
    if (standing_account && charge.has_charge_time() &&
        TimeOf(charge.charge_time()) < TimeOf(order.commit_time()) - absl::Seconds(5)) {
      continue;
    }
    captured.push_back(charge);
  }
  std::stable_sort(captured.begin(), captured.end(), [](const auto& a, const auto& b) {
    return TimeOf(a.charge_time()) < TimeOf(b.charge_time());
  });
  return captured;
}

std::vector<target::v1::Charge> Held(const target::v1::ListChargesResponse& charges, const v1::OrderFact& order) {
  std::vector<target::v1::Charge> held;
  for (const target::v1::Charge& charge : charges.charges()) {
    if (charge.state() == target::v1::CHARGE_STATE_AUTHORISED && BelongsTo(charge.order_id(), order)) {
      held.push_back(charge);
    }
  }
  return held;
}

std::vector<target::v1::Invoice> InvoicesOf(const target::v1::ListInvoicesResponse& invoices,
                                            const v1::OrderFact& order) {
  std::vector<target::v1::Invoice> of_order;
  for (const target::v1::Invoice& invoice : invoices.invoices()) {
    if (BelongsTo(invoice.order_id(), order)) of_order.push_back(invoice);
  }
  return of_order;
}

Task<std::vector<target::v1::Charge>> WaitForCaptured(Journey& journey, const v1::OrderFact& order, size_t enough,
                                                      absl::Duration limit) {
  const absl::Time until = journey.clock_now() + limit;
  const bool standing = (co_await journey.Account()).standing();
  for (;;) {
    const target::v1::ListChargesResponse charges = co_await journey.Charges();
    std::vector<target::v1::Charge> captured = Captured(charges, order, standing);
    if (captured.size() >= enough || journey.clock_now() + absl::Milliseconds(500) > until) co_return captured;
    co_await journey.Sleep(absl::Milliseconds(500));
    journey.ForgetReads();
  }
}

bool ChargeIsDue(const Journey& journey) {
  const v1::Plan::OfferClaim& claim = journey.Claim();
  if (claim.price().minor_units() == 0) return false;
  const std::optional<absl::Time> first = journey.StartOfDay(claim.first_charge_date());
  return !first || *first <= journey.clock_now();
}

}  // namespace puckdrop::checks::billing
