#ifndef PUCKDROP_SERVICES_ARENA_FAULTS_H_
#define PUCKDROP_SERVICES_ARENA_FAULTS_H_

#include <atomic>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace puckdrop::arena {

// Every way the arena can be broken on purpose, each doing one thing.
enum class Fault {
  kOffersEmpty,
  kOfferUnpurchasable,
  kCheckoutPriceDiffers,
  kRenewalUndisclosed,
  kSignUpFails,
  kAccountUnreadable,
  kSignInRejected,
  kNeverActivated,
  kActivationLate,
  kOrderFails,
  kDoubleOrderOnRetry,
  kDoubleChargeOnRetry,
  kDeclinedLeavesOrder,
  kDeclinedEntitles,
  kUnentitledPlays,
  kLevelTooHigh,
  kFmp4ForTelevisions,
  kOldAppCrashes,
  kOldAppWelcome,
  kStreamsUnlimited,
  kSlotNeverFreed,
  kStartFails,
  kManifestMissing,
  kStale,
  kTopVariantMissing,
  kSegmentsCorrupt,
  kBlack,
  kFrozen,
  kSilent,
  kCommentaryMissing,
  kCommentaryIsCrowd,
  kInvoicePriceDiffers,
  kChargePriceDiffers,
  kChargedTwice,
  kNeverCharged,
  kChargedEarly,
  kWrongVat,
  kCancelDoesNothing,
  kCancelSixSteps,
  kCancelNoReceipt,
  kAccessLostAtOnce,
  kAccessNeverEnds,
  kChargedAfterCancel,
  kWithdrawalMissing,
  kWithdrawalUnacknowledged,
  kHtmlError200,
  kJsonError200,
  kSlow,
  kResets,
  kSessionsExpire,
  kUnavailable,
  kCount,
};

struct FaultInfo {
  Fault fault;
  const char* name;   // "<path>.<what>" or "target.<what>"
  const char* check;  // the check that must notice; empty for target.*, which several notice
  const char* text;   // what it does, one sentence
};

// All faults, in the order of the enum.
const std::vector<FaultInfo>& AllFaults();

// Finds a fault by name; an unknown one is NOT_FOUND and the message names the nearest known.
absl::Status FindFault(const std::string& name, Fault* fault);

// Which faults are on. Thread-safe.
class FaultSet {
 public:
  bool On(Fault fault) const { return on_[static_cast<int>(fault)].load(std::memory_order_relaxed); }
  void Set(Fault fault, bool on) { on_[static_cast<int>(fault)].store(on, std::memory_order_relaxed); }

 private:
  std::atomic<bool> on_[static_cast<int>(Fault::kCount)] = {};
};

}  // namespace puckdrop::arena

#endif  // PUCKDROP_SERVICES_ARENA_FAULTS_H_
