#include "services/arena/faults.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace puckdrop::arena {
namespace {

size_t Distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

const std::vector<FaultInfo>& AllFaults() {
  static const auto& faults = *new std::vector<FaultInfo>{
      {Fault::kOffersEmpty, "ordering.offers_empty", "ordering.offer_visible",
       "the catalogue answers with an empty list"},
      {Fault::kOfferUnpurchasable, "ordering.offer_unpurchasable", "ordering.offer_visible",
       "every offer says purchasable: false"},
      {Fault::kCheckoutPriceDiffers, "ordering.checkout_price_differs", "ordering.offer_truthful",
       "the checkout shows a price 2.00 above the offer; what is charged follows the offer"},
      {Fault::kRenewalUndisclosed, "ordering.renewal_undisclosed", "ordering.offer_truthful",
       "offer, checkout and confirmation do not mention renewal or cancellation"},
      {Fault::kSignUpFails, "ordering.sign_up_fails", "ordering.sign_up", "signing up answers 500"},
      {Fault::kAccountUnreadable, "ordering.account_unreadable", "ordering.sign_up",
       "for 60 s a new account is 404 for every session but the one that made it"},
      {Fault::kSignInRejected, "ordering.sign_in_rejected", "ordering.sign_in",
       "the right password is refused on every device but the one the account was made with"},
      {Fault::kNeverActivated, "ordering.never_activated", "ordering.order_completes",
       "orders are accepted and charged but stay in processing"},
      {Fault::kActivationLate, "ordering.activation_late", "ordering.order_to_watch",
       "orders become active after 20 s instead of seconds"},
      {Fault::kOrderFails, "ordering.order_fails", "ordering.order_completes", "paying with a good card answers 500"},
      {Fault::kDoubleOrderOnRetry, "ordering.double_order_on_retry", "ordering.retry_safe",
       "the same idempotency key makes a second order"},
      {Fault::kDoubleChargeOnRetry, "ordering.double_charge_on_retry", "ordering.retry_safe",
       "the same idempotency key charges the order again"},
      {Fault::kDeclinedLeavesOrder, "ordering.declined_leaves_order", "ordering.declined_payment_leaves_no_trace",
       "a declined payment leaves an order in processing"},
      {Fault::kDeclinedEntitles, "ordering.declined_entitles", "ordering.declined_payment_leaves_no_trace",
       "a declined payment gives the entitlement all the same"},
      {Fault::kUnentitledPlays, "ordering.unentitled_plays", "ordering.unentitled_refused",
       "customers without an entitlement get the stream"},
      {Fault::kLevelTooHigh, "device_support.level_too_high", "device_support.codec_fit",
       "the multivariant playlist declares H.264 level 5.1 for the top variant"},
      {Fault::kFmp4ForTelevisions, "device_support.fmp4_for_televisions", "device_support.container_fit",
       "televisions are given fragmented MP4"},
      {Fault::kOldAppCrashes, "device_support.old_app_crashes", "device_support.app_minimum_version",
       "an app below the minimum version gets 500 instead of 426"},
      {Fault::kOldAppWelcome, "device_support.old_app_welcome", "device_support.app_minimum_version",
       "an app below the minimum version is told that it is fine"},
      {Fault::kStreamsUnlimited, "device_support.streams_unlimited", "device_support.concurrent_streams",
       "any number of streams at the same time is allowed"},
      {Fault::kSlotNeverFreed, "device_support.slot_never_freed", "device_support.concurrent_streams",
       "once the limit was reached, stopping a stream does not free its slot"},
      {Fault::kStartFails, "playback.start_fails", "playback.cold_start",
       "starting playback answers 500 to entitled customers"},
      {Fault::kManifestMissing, "playback.manifest_missing", "playback.cold_start", "every playlist is 404"},
      {Fault::kStale, "playback.stale", "playback.live_edge_fresh", "the media playlists stop being updated"},
      {Fault::kTopVariantMissing, "playback.top_variant_missing", "playback.every_variant_plays",
       "the newest segments of the top variant are 404"},
      {Fault::kSegmentsCorrupt, "playback.segments_corrupt", "playback.every_variant_plays",
       "the lowest variant's segments are garbage of the right type"},
      {Fault::kBlack, "playback.black", "playback.not_black", "the picture is black"},
      {Fault::kFrozen, "playback.frozen", "playback.not_frozen", "the picture stands still"},
      {Fault::kSilent, "playback.silent", "playback.not_silent", "every sound track is silent"},
      {Fault::kCommentaryMissing, "playback.commentary_missing", "playback.audio_tracks",
       "the commentary is not among the sound tracks"},
      {Fault::kCommentaryIsCrowd, "playback.commentary_is_crowd", "playback.audio_tracks",
       "the commentary track carries the crowd only"},
      {Fault::kInvoicePriceDiffers, "billing.invoice_price_differs", "billing.price_chain",
       "the invoice is 2.00 above what was charged"},
      {Fault::kChargePriceDiffers, "billing.charge_price_differs", "billing.price_chain",
       "the card is charged 1.00 more than was ordered"},
      {Fault::kChargedTwice, "billing.charged_twice", "billing.charged_once", "every capture is made twice"},
      {Fault::kNeverCharged, "billing.never_charged", "billing.charged_once", "nothing is charged although it is due"},
      {Fault::kChargedEarly, "billing.charged_early", "billing.first_charge_date",
       "the card is charged at the order although the first charge was promised for later"},
      {Fault::kWrongVat, "billing.wrong_vat", "billing.vat",
       "invoices compute VAT 1.5 percentage points below the country's rate, total unchanged"},
      {Fault::kCancelDoesNothing, "cancellation.does_nothing", "cancellation.takes_effect",
       "cancelling says done and gives a receipt, but the subscription goes on"},
      {Fault::kCancelSixSteps, "cancellation.six_steps", "cancellation.step_count", "cancelling takes four more pages"},
      {Fault::kCancelNoReceipt, "cancellation.no_receipt", "cancellation.receipt",
       "cancelling gives neither a receipt number nor a mail"},
      {Fault::kAccessLostAtOnce, "cancellation.access_lost_at_once", "cancellation.access_until_end",
       "the entitlement ends with the cancellation instead of with the paid period"},
      {Fault::kAccessNeverEnds, "cancellation.access_never_ends", "cancellation.access_until_end",
       "a cancelled customer can watch for ever"},
      {Fault::kChargedAfterCancel, "cancellation.charged_after", "cancellation.no_charge_after",
       "a cancelled subscription is charged at each renewal date"},
      {Fault::kWithdrawalMissing, "cancellation.withdrawal_missing", "cancellation.withdrawal_function",
       "the withdrawal page is 404"},
      {Fault::kWithdrawalUnacknowledged, "cancellation.withdrawal_unacknowledged", "cancellation.withdrawal_function",
       "a withdrawal is accepted without acknowledgement on the page or by mail"},
      {Fault::kHtmlError200, "target.html_error_200", "", "every /v1 answer is an HTML error page with status 200"},
      {Fault::kJsonError200, "target.json_error_200", "", "every /v1 answer is {\"error\": ...} with status 200"},
      {Fault::kSlow, "target.slow", "", "every answer takes 12 s"},
      {Fault::kResets, "target.resets", "", "every third request's connection is reset, and its immediate retry's too"},
      {Fault::kSessionsExpire, "target.sessions_expire", "", "a session is expired as soon as it is made"},
      {Fault::kUnavailable, "target.unavailable", "", "every answer is 503 with Retry-After"},
  };
  return faults;
}

absl::Status FindFault(const std::string& name, Fault* fault) {
  const FaultInfo* nearest = nullptr;
  size_t distance = std::min<size_t>(12, name.size() / 2 + 1);
  for (const FaultInfo& info : AllFaults()) {
    if (name == info.name) {
      *fault = info.fault;
      return absl::OkStatus();
    }
    if (name.size() > 100) continue;
    if (const size_t d = Distance(name, info.name); d < distance) {
      distance = d;
      nearest = &info;
    }
  }
  return absl::NotFoundError(absl::StrCat("there is no fault named \"", name.substr(0, 100), "\"",
                                          nearest ? absl::StrCat("; did you mean ", nearest->name, "?") : "",
                                          " (arena fault list prints all)"));
}

}  // namespace puckdrop::arena
