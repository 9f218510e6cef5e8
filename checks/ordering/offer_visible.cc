#include <map>

#include "absl/strings/str_cat.h"
#include "checks/check_context.h"
#include "checks/words.h"

namespace puckdrop::checks::ordering {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.journey();
  const absl::Time start = journey.clock_now();
  const target::v1::ListOffersResponse offers = co_await journey.Offers();
  const double seconds = absl::ToDoubleSeconds(journey.clock_now() - start);

  const std::string& market = context.customer().market();
  if (offers.offers().empty()) {
    co_return Failed("empty_list", absl::StrCat("nobody in ", market, " can find anything to buy: the list is empty"),
                     "the claimed offers", "no offers");
  }
  std::map<std::string, int> seen;
  std::map<std::string, const target::v1::Offer*> listed;
  for (const target::v1::Offer& offer : offers.offers()) {
    ++seen[offer.offer_id()];
    listed[offer.offer_id()] = &offer;
  }
  std::vector<v1::Finding> findings;
  int claimed = 0;
  for (const v1::Plan::OfferClaim& claim : context.plan().claims().offers()) {
    if (!claim.market().empty() && claim.market() != market) continue;
    ++claimed;
    const auto found = listed.find(claim.offer_id());
    if (found == listed.end()) {
      findings.push_back(MakeFinding("offer_missing", absl::StrCat("the offer '", claim.offer_id(), "' is not listed in ",
                                                                   market),
                                     claim.offer_id(), absl::StrCat(Count(offers.offers_size(), "other offer")),
                                     claim.offer_id()));
      continue;
    }
    const target::v1::Offer& offer = *found->second;
    if (!offer.purchasable()) {
      findings.push_back(MakeFinding("not_purchasable", absl::StrCat("the offer '", claim.offer_id(), "' is listed in ",
                                                                     market, " but cannot be bought"),
                                     "purchasable", "not purchasable", claim.offer_id()));
    }
    if (!Same(offer.price().gross(), claim.price())) {
      findings.push_back(MakeFinding("price_differs_from_claim",
                                     absl::StrCat("the offer '", claim.offer_id(), "' is listed at ",
                                                  Words(offer.price().gross()), ", and the launch claims ",
                                                  Words(claim.price())),
                                     Words(claim.price()), Words(offer.price().gross()), claim.offer_id()));
    }
    if (seen[claim.offer_id()] > 1) {
      findings.push_back(MakeFinding("duplicate_offer", absl::StrCat("the offer '", claim.offer_id(), "' is listed ",
                                                                     seen[claim.offer_id()], " times"),
                                     "once", absl::StrCat(seen[claim.offer_id()], " times"), claim.offer_id()));
    }
  }
  if (claimed == 0) {
    co_return Skipped(v1::SKIP_CAUSE_NOT_TOLD,
                      absl::StrCat("the plan claims no offer for market ", market, "; add one under claims: offers:"));
  }
  if (!findings.empty()) co_return FailedIfAny(std::move(findings), "");
  Judgement judgement = AgainstThresholds(seconds, context.thresholds(), "the list of offers took");
  if (judgement.outcome == v1::OUTCOME_PASSED && !judgement.warning) {
    judgement.summary = absl::StrCat(Count(claimed, "claimed offer"), " listed in ", market, " at the claimed price");
  }
  co_return judgement;
}

}  // namespace

CheckDefinition offer_visible() {
  return {{.id = "ordering.offer_visible",
           .path = v1::PATH_ORDERING,
           .sentence = "I cannot find what was advertised",
           .question = "Is every claimed offer of the customer's market listed once, purchasable, at the claimed price?",
           .stage = v1::STAGE_VISITOR,
           .order = 10,
           .operations = {"ordering.list_offers"},
           .warn = 1.5,
           .unit = "s",
           .source = "the launch plan; 1.5 s is a default",
           .runbook = "Compare the catalogue of this market with the plan's claims; look for an unpublished offer, a cache "
                      "that is older than the release, or a price that was changed in one place only.",
           .watch = v1::CheckDescription::WATCH_VISITOR},
          &Judge};
}

}  // namespace puckdrop::checks::ordering
