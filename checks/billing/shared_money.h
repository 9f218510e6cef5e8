#ifndef PUCKDROP_CHECKS_BILLING_SHARED_MONEY_H_
#define PUCKDROP_CHECKS_BILLING_SHARED_MONEY_H_

#include <vector>

#include "checks/check_context.h"

// What the billing checks read of the books, told apart from what does not belong to the order at hand.
namespace puckdrop::checks::billing {

// Charges of `order` that took money, oldest first. A charge that names no order counts, since the account is ours alone;
// for a standing account, only those since the order.
std::vector<target::v1::Charge> Captured(const target::v1::ListChargesResponse& charges, const v1::OrderFact& order,
                                         bool standing_account);
// Charges of `order` that hold money without taking it.
std::vector<target::v1::Charge> Held(const target::v1::ListChargesResponse& charges, const v1::OrderFact& order);
// Invoices of `order`.
std::vector<target::v1::Invoice> InvoicesOf(const target::v1::ListInvoicesResponse& invoices,
                                            const v1::OrderFact& order);
// Reads charges until `enough` of them took money or `limit` has passed; a charge may be booked after the order.
Task<std::vector<target::v1::Charge>> WaitForCaptured(Journey& journey, const v1::OrderFact& order, size_t enough,
                                                      absl::Duration limit);
// Whether the plan says that money is taken for this order by now: the first charge date it claims has come (a claim
// without one is charged at once) and the price is not zero.
bool ChargeIsDue(const Journey& journey);

}  // namespace puckdrop::checks::billing

#endif  // PUCKDROP_CHECKS_BILLING_SHARED_MONEY_H_
