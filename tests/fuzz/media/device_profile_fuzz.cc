// A file of device profiles.
#include <cstddef>
#include <cstdint>

#include "checks/media/codec_string.h"
#include "checks/media/device_profile.h"
#include "tests/fuzz/require.h"

using namespace puckdrop::media;  // NOLINT: a fuzz target is all about it
using puckdrop::fuzz::AsText;
using puckdrop::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto profiles = ParseDeviceProfiles(AsText(data, size), "fuzz.yaml");
  if (!profiles.ok()) {
    Require(!profiles.status().message().empty(), "a refusal has a reason");
    return 0;
  }
  VariantFacts facts;
  facts.codecs = ParseCodecList("avc1.640033,mp4a.40.2");
  facts.width = 1920;
  facts.height = 1080;
  facts.frame_rate = 50;
  facts.container = Container::kFmp4;
  for (const DeviceProfile& profile : *profiles) {
    const FitResult fit = Fit(profile, facts);
    Require(fit.fits == fit.sentence.empty(), "an unfit device has its sentence");
  }
  return 0;
}
