#include "absl/strings/str_cat.h"
#include "checks/check_context.h"
#include "checks/words.h"

namespace puckdrop::checks::ordering {
namespace {

// One thing a customer must be told before paying, in the three places it stands.
struct Told {
  std::string what;
  // Field names in the offer and in the terms, for asking whether the plan returns them.
  std::string field;
  std::string offer;
  std::string checkout;
  std::string confirmation;
};

std::string YesNo(bool value) { return value ? "renews by itself" : "does not renew by itself"; }

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.journey();
  const v1::OrderFact order = co_await journey.Order();
  const target::v1::Offer offer = co_await journey.Offer();
  target::v1::PreviewOrderRequest request;
  request.set_offer_id(order.offer_id());
  request.set_payment_method(context.customer().payment());
  const target::v1::PreviewOrderResponse preview =
      co_await journey.Perform<target::v1::PreviewOrderResponse>("ordering.preview_order", request);
  const target::v1::OrderTerms& checkout = preview.terms();
  const target::v1::OrderTerms& confirmation = order.order().terms();

  std::vector<v1::Finding> findings;
  const auto price = [&](const target::v1::Money& shown, const char* where, const char* id) {
    if (Same(shown, offer.price().gross())) return;
    findings.push_back(MakeFinding(id,
                                   absl::StrCat("the offer says ", Words(offer.price().gross()), " and the ", where,
                                                " says ", Words(shown)),
                                   Words(offer.price().gross()), Words(shown), where));
  };
  price(checkout.total().gross(), "checkout", "checkout_price_differs");
  if (confirmation.has_total()) price(confirmation.total().gross(), "confirmation", "confirmation_price_differs");

  std::vector<Told> facts;
  facts.push_back({"how long a period is", "billing_period", offer.billing_period(), checkout.billing_period(),
                   confirmation.billing_period()});
  facts.push_back({"whether it renews", "auto_renews", offer.has_auto_renews() ? YesNo(offer.auto_renews()) : "",
                   checkout.has_auto_renews() ? YesNo(checkout.auto_renews()) : "",
                   confirmation.has_auto_renews() ? YesNo(confirmation.auto_renews()) : ""});
  facts.push_back({"how long it binds", "minimum_term", offer.minimum_term(), checkout.minimum_term(),
                   confirmation.minimum_term()});
  facts.push_back({"how to cancel", "cancellation_text", offer.cancellation_text(), checkout.cancellation_text(),
                   confirmation.cancellation_text()});
  // A single purchase has no period, so nothing renews and nothing is cancelled.
  const bool recurring = !context.journey().Claim().billing_period().empty() || !offer.billing_period().empty();
  int compared = 0;
  for (const Told& fact : facts) {
    if (!recurring) break;
    struct Place {
      const char* name;
      const std::string& value;
      bool mapped;
    };
    OperationPort& operations = journey.operations();
    const Place places[] = {
        {"offer", fact.offer, operations.Returns("ordering.list_offers", "offers." + fact.field)},
        {"checkout", fact.checkout, operations.Returns("ordering.preview_order", "terms." + fact.field)},
        {"confirmation", fact.confirmation,
         confirmation.has_total() && operations.Returns("ordering.place_order", "terms." + fact.field)}};
    const std::string* first = nullptr;
    for (const Place& place : places) {
      if (!place.mapped) continue;
      if (place.value.empty()) {
        findings.push_back(MakeFinding("not_disclosed", absl::StrCat("the ", place.name, " does not say ", fact.what),
                                       fact.field, "not told", place.name));
        continue;
      }
      // The words about cancelling may differ from place to place; the terms themselves may not.
      if (first != nullptr && fact.field != "cancellation_text" && *first != place.value) {
        findings.push_back(MakeFinding("terms_differ",
                                       absl::StrCat("the ", place.name, " says '", place.value, "' about ", fact.what,
                                                    ", and before it was '", *first, "'"),
                                       *first, place.value, place.name));
      }
      if (first == nullptr) first = &place.value;
      ++compared;
    }
  }
  co_return FailedIfAny(std::move(findings), absl::StrCat("offer, checkout and confirmation all say ",
                                                          Words(offer.price().gross()), " and the same terms (", compared,
                                                          " compared)"));
}

}  // namespace

CheckDefinition offer_truthful() {
  return {{.id = "ordering.offer_truthful",
           .path = v1::PATH_ORDERING,
           .sentence = "The price at the checkout is not the one I was shown",
           .question = "Are price, period, renewal, term and way to cancel told and equal in offer, checkout and "
                       "confirmation?",
           .stage = v1::STAGE_VISITOR,
           .order = 50,
           .operations = {"ordering.preview_order", "ordering.list_offers", "ordering.place_order"},
           .stands_on = {"ordering.offer_visible", "ordering.sign_up", "ordering.order_completes"},
           .source = "Directive 2011/83/EU Art 6 and 8(2)",
           .runbook = "Compare the three texts in the evidence; look for a price list that only one of catalogue and "
                      "checkout has taken over."},
          &Judge};
}

}  // namespace puckdrop::checks::ordering
