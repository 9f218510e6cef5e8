#include "absl/strings/str_cat.h"
#include "checks/billing/shared_money.h"
#include "checks/words.h"

namespace puckdrop::checks::billing {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.journey();
  const v1::OrderFact order = co_await journey.Order();
  const target::v1::Money& claimed = journey.Claim().price();

  std::vector<v1::Finding> findings;
  std::vector<std::string> links;
  // Judged where both sides are present; a link that is missing is not a zero.
  const auto link = [&](const std::string& name, const target::v1::Money& amount, const char* id) {
    links.push_back(name);
    if (Same(amount, claimed)) return;
    findings.push_back(MakeFinding(id,
                                   absl::StrCat("the launch claims ", Words(claimed), " and the ", name, " says ",
                                                Words(amount)),
                                   Words(claimed), Words(amount), name));
  };
  if (order.order().has_terms() && order.order().terms().has_total()) {
    link("order", order.order().terms().total().gross(), "order_differs");
  }
  if (order.order().has_authorised()) link("authorisation", order.order().authorised(), "authorisation_differs");
  const auto mapped = [&](const char* operation) {
    return journey.operations().Mapping(operation).state == OperationMapping::State::kMapped;
  };
  if (mapped("billing.list_charges")) {
    const std::vector<target::v1::Charge> charges = co_await WaitForCaptured(
        journey, order, ChargeIsDue(journey) ? 1 : 0, absl::Seconds(context.Parameter("settle", 10)));
    if (!charges.empty()) link("charge", charges.front().amount(), "charge_differs");
  }
  if (mapped("billing.list_invoices")) {
    const target::v1::ListInvoicesResponse invoices = co_await journey.Invoices();
    const std::vector<target::v1::Invoice> of_order = InvoicesOf(invoices, order);
    if (!of_order.empty()) {
      link("invoice", of_order.back().total(), "invoice_differs");
    } else if (ChargeIsDue(journey)) {
      findings.push_back(MakeFinding("no_invoice", "the customer was charged and has no invoice", "1 invoice", "none",
                                     "invoice"));
    }
  }
  if (links.empty() && findings.empty()) {
    co_return Skipped(v1::SKIP_CAUSE_NOT_TOLD, "the plan returns no amount of order, charge or invoice to compare");
  }
  std::string chain = "claim";
  for (const std::string& name : links) absl::StrAppend(&chain, " = ", name);
  co_return FailedIfAny(std::move(findings), absl::StrCat(chain, " = ", Words(claimed)));
}

}  // namespace

CheckDefinition price_chain() {
  return {{.id = "billing.price_chain",
           .path = v1::PATH_BILLING,
           .sentence = "I paid something else than I was shown",
           .question = "Are claim, order, authorisation, charge and invoice equal to the minor unit?",
           .stage = v1::STAGE_SUBSCRIBER,
           .order = 20,
           .operations = {"billing.list_invoices"},
           .stands_on = {"ordering.offer_truthful", "ordering.order_completes", "billing.charged_once"},
           .source = "the price that was claimed; ISO 4217 minor units",
           .runbook = "The first link that differs names the system: order, payment, invoicing. Look for rounding, a second "
                      "price list or a discount taken over in one place."},
          &Judge};
}

}  // namespace puckdrop::checks::billing
