#ifndef PUCKDROP_CHECKS_DEVICE_SUPPORT_SHARED_DEVICE_H_
#define PUCKDROP_CHECKS_DEVICE_SUPPORT_SHARED_DEVICE_H_

#include <string>
#include <vector>

#include "checks/check_context.h"
#include "checks/media/device_profile.h"
#include "checks/media/player.h"

// The customer's device, and what the target would send to it.
namespace puckdrop::checks::device_support {

// Throws Judged (SKIPPED, NOT_TOLD) when no profile has the customer's device id.
const media::DeviceProfile& ProfileOf(const CheckContext& context);
// The manifest this customer's device gets, read once for all checks of the journey; starts and stops a playback session.
// Throws Judged when it cannot be read.
Task<media::ManifestReport> ManifestFor(CheckContext& context);
// For Fit; `container` kUnknown is not judged.
media::VariantFacts FactsOf(const media::RenditionInfo& info, media::Container container);
// "ts" -> "MPEG-TS", "fmp4" -> "fragmented MP4".
std::string Spelled(const std::string& container);
std::string SpelledAll(const std::vector<std::string>& containers);

}  // namespace puckdrop::checks::device_support

#endif  // PUCKDROP_CHECKS_DEVICE_SUPPORT_SHARED_DEVICE_H_
