#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "checks/billing/shared_money.h"
#include "checks/words.h"

namespace puckdrop::checks::billing {
namespace {

std::string Percent(int64_t basis_points) {
  std::string text = absl::StrFormat("%.2f", static_cast<double>(basis_points) / 100);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text + " %";
}

// The tax inside a gross amount, rounded half up to the minor unit.
int64_t TaxIn(int64_t gross, int64_t basis_points) {
  const int64_t divisor = 10'000 + basis_points;
  return (gross * basis_points + divisor / 2) / divisor;
}

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.journey();
  const std::string& market = context.customer().market();
  int64_t rate = -1;
  for (const v1::Plan::VatClaim& claim : context.plan().claims().vat()) {
    if (claim.market() == market) rate = claim.rate();
  }
  if (journey.Claim().has_vat()) rate = journey.Claim().vat();
  if (rate < 0) {
    co_return Skipped(v1::SKIP_CAUSE_NOT_TOLD,
                      absl::StrCat("the plan does not say the VAT rate of ", market, "; add it under claims: vat:"));
  }
  OperationPort& operations = journey.operations();
  const bool lines_rate = operations.Returns("billing.list_invoices", "invoices.lines.vat_basis_points");
  const bool lines_tax = operations.Returns("billing.list_invoices", "invoices.lines.vat_minor_units");
  const bool total_tax = operations.Returns("billing.list_invoices", "invoices.vat_minor_units");
  if (!lines_rate && !lines_tax && !total_tax) {
    co_return Skipped(v1::SKIP_CAUSE_NOT_TOLD,
                      "the plan returns no tax of an invoice: add lines.vat_basis_points to billing.list_invoices");
  }
  const v1::OrderFact order = co_await journey.Order();
  const target::v1::ListInvoicesResponse all = co_await journey.Invoices();
  const std::vector<target::v1::Invoice> invoices = InvoicesOf(all, order);
  if (invoices.empty()) {
    if (ChargeIsDue(journey)) {
      co_return Failed("no_invoice", "the customer was charged and has no invoice to read the tax from", "an invoice",
                       "none");
    }
    co_return Skipped(v1::SKIP_CAUSE_DOES_NOT_APPLY, "nothing is due before the first charge date, so no invoice is");
  }

  std::vector<v1::Finding> findings;
  for (const target::v1::Invoice& invoice : invoices) {
    int64_t tax_of_lines = 0;
    bool every_line_told = invoice.lines_size() > 0;
    for (const target::v1::InvoiceLine& line : invoice.lines()) {
      const std::string where = absl::StrCat("invoice ", invoice.number(), ", line '", line.text(), "'");
      if (lines_rate) {
        if (!line.has_vat_basis_points()) {
          findings.push_back(MakeFinding("rate_not_shown", absl::StrCat(where, " does not show its VAT rate"),
                                         Percent(rate), "not shown", where));
        } else if (line.vat_basis_points() != rate) {
          findings.push_back(MakeFinding("wrong_rate",
                                         absl::StrCat("VAT in ", market, " is ", Percent(rate), ", and the invoice says ",
                                                      Percent(line.vat_basis_points())),
                                         Percent(rate), Percent(line.vat_basis_points()), where));
          continue;
        }
      }
      if (!line.has_vat_minor_units()) {
        every_line_told = false;
        continue;
      }
      tax_of_lines += line.vat_minor_units();
      const int64_t expected = TaxIn(line.gross().minor_units(), rate);
      // A minor unit either way: rounding may be per line or per invoice.
      if (std::llabs(line.vat_minor_units() - expected) > 1) {
        target::v1::Money right = line.gross();
        target::v1::Money wrong = line.gross();
        right.set_minor_units(expected);
        wrong.set_minor_units(line.vat_minor_units());
        findings.push_back(MakeFinding("wrong_tax",
                                       absl::StrCat("VAT at ", Percent(rate), " in ", Words(line.gross()), " is ",
                                                    Words(right), ", and the invoice says ", Words(wrong)),
                                       Words(right), Words(wrong), where));
      }
      if (line.has_net_minor_units() &&
          line.net_minor_units() + line.vat_minor_units() != line.gross().minor_units()) {
        findings.push_back(MakeFinding("does_not_add_up", absl::StrCat(where, ": net and tax do not add up to the gross"),
                                       absl::StrCat(line.gross().minor_units()),
                                       absl::StrCat(line.net_minor_units() + line.vat_minor_units()), where));
      }
    }
    if (!invoice.has_vat_minor_units()) continue;
    const int64_t expected = TaxIn(invoice.total().minor_units(), rate);
    const int64_t leeway = std::max<int64_t>(1, invoice.lines_size());
    if (findings.empty() && std::llabs(invoice.vat_minor_units() - expected) > leeway) {
      findings.push_back(MakeFinding("wrong_tax",
                                     absl::StrCat("the invoice's VAT is ", invoice.vat_minor_units(),
                                                  " minor units where ", Percent(rate), " is ", expected),
                                     absl::StrCat(expected), absl::StrCat(invoice.vat_minor_units()), invoice.number()));
    }
    if (every_line_told && findings.empty() && std::llabs(tax_of_lines - invoice.vat_minor_units()) > leeway) {
      findings.push_back(MakeFinding("does_not_add_up", "the VAT of the lines is not the VAT of the invoice",
                                     absl::StrCat(invoice.vat_minor_units()), absl::StrCat(tax_of_lines),
                                     invoice.number()));
    }
  }
  co_return FailedIfAny(std::move(findings), absl::StrCat("VAT ", Percent(rate), " of ", market, " on ",
                                                          Count(static_cast<int64_t>(invoices.size()), "invoice")));
}

}  // namespace

CheckDefinition vat() {
  return {{.id = "billing.vat",
           .path = v1::PATH_BILLING,
           .sentence = "The tax on my bill is wrong",
           .question = "Is the VAT on the invoice the rate of the customer's country, and does it add up?",
           .stage = v1::STAGE_SUBSCRIBER,
           .order = 30,
           .operations = {"billing.list_invoices"},
           .stands_on = {"ordering.order_completes", "billing.charged_once"},
           .source = "Directive 2006/112/EC Art 58; the rates are the plan's (claims: vat), because they change",
           .runbook = "Check the customer's country evidence and the rate table of the invoicing system, with its dates."},
          &Judge};
}

}  // namespace puckdrop::checks::billing
