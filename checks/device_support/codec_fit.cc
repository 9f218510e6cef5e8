#include <algorithm>
#include "absl/strings/str_cat.h"
#include "checks/check_context.h"
#include "checks/device_support/shared_device.h"
#include "checks/words.h"

namespace puckdrop::checks::device_support {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  const media::DeviceProfile& profile = ProfileOf(context);
  const media::ManifestReport manifest = co_await ManifestFor(context);
  int promised_height = context.plan().claims().streams().best().height();
  int top_height = 0;
  for (const media::RenditionInfo& info : manifest.renditions) top_height = std::max(top_height, info.height);
  // Without a promise, what the service sends as its best is what it promises.
  if (promised_height == 0) promised_height = top_height;

  int variants = 0;
  int fitting = 0;
  bool best_fits = false;
  bool best_there = false;
  std::string first_sentence;
  std::string best_sentence;
  std::string best_dimension;
  for (const media::RenditionInfo& info : manifest.renditions) {
    if (info.kind != media::RenditionInfo::Kind::kVariant) continue;
    ++variants;
    // The container is asked by container_fit.
    const media::FitResult fit = media::Fit(profile, FactsOf(info, media::Container::kUnknown));
    fitting += fit.fits ? 1 : 0;
    if (!fit.fits && first_sentence.empty()) first_sentence = absl::StrCat(info.name, ": ", fit.sentence);
    if (info.height < promised_height) continue;
    best_there = true;
    best_fits = best_fits || fit.fits;
    if (!fit.fits) {
      best_sentence = absl::StrCat(info.name, ": ", fit.sentence);
      best_dimension = fit.dimension;
    }
  }
  if (variants == 0) {
    co_return Failed("no_variant", "the stream lists no variants, so no device can choose", "at least one variant", "none",
                     "", v1::FAILURE_REASON_MEDIA);
  }
  if (fitting == 0) {
    co_return Failed("no_variant_fits", absl::StrCat("a ", profile.name, " plays none of ", Count(variants, "variant"),
                                                     "; ", first_sentence),
                     "at least one variant that fits", "none", profile.id, v1::FAILURE_REASON_MEDIA);
  }
  if (!best_there) {
    co_return Failed("promised_quality_missing",
                     absl::StrCat("the launch promises ", promised_height, "p and the stream's best is ", top_height, "p"),
                     absl::StrCat(promised_height, "p"), absl::StrCat(top_height, "p"), profile.id,
                     v1::FAILURE_REASON_MEDIA);
  }
  if (!best_fits) {
    co_return Failed("best_does_not_fit", absl::StrCat("the promised ", promised_height, "p does not fit: ", best_sentence),
                     absl::StrCat(promised_height, "p plays"), best_dimension, profile.id, v1::FAILURE_REASON_MEDIA);
  }
  co_return Passed(absl::StrCat(fitting, " of ", Count(variants, "variant"), " fit a ", profile.name,
                                ", the promised ", promised_height, "p among them"));
}

}  // namespace

CheckDefinition codec_fit() {
  return {{.id = "device_support.codec_fit",
           .path = v1::PATH_DEVICE_SUPPORT,
           .sentence = "It does not play on my television",
           .question = "Does the device decode at least one variant, and the promised best?",
           .stage = v1::STAGE_SUBSCRIBER,
           .order = 10,
           .operations = {"playback.start_playback"},
           .stands_on = {"playback.cold_start"},
           .source = "RFC 6381; device makers' specifications (checks/media/profiles)",
           .runbook = "The sentence names the first dimension that fails. Lower the level at that resolution, or add a variant, or publish the notice.",
           .watch = v1::CheckDescription::WATCH_SUBSCRIBER},
          &Judge};
}

}  // namespace puckdrop::checks::device_support
