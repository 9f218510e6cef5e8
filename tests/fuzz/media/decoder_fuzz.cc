// A segment: two bytes of its initialisation segment's length (little endian), then that, then the segment.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "checks/media/decoder.h"
#include "checks/media/facts_json.h"
#include "tests/fuzz/require.h"

using namespace puckdrop::media;  // NOLINT: a fuzz target is all about it
using puckdrop::fuzz::AsText;
using puckdrop::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const size_t wanted = data[0] | static_cast<size_t>(data[1]) << 8;
  const size_t init_size = std::min(wanted, size - 2);
  DecodeOptions options;
  options.max_bytes = 1 << 20;
  options.cpu_budget = absl::Seconds(2);
  options.max_pixels = 640 * 480;
  options.max_pictures = 4;
  options.max_packets = 2000;
  options.max_audio_seconds = 2;
  options.make_jpeg = (size & 1) != 0;
  const SegmentFacts facts =
      DecodeSegment(AsText(data + 2, init_size), AsText(data + 2 + init_size, size - 2 - init_size), options);
  Require(facts.ok() || !facts.words.empty(), "a problem has words");
  Require(facts.pictures.size() <= 4, "pictures are bounded");
  for (const AudioBlock& block : facts.audio) Require(block.seconds() <= 2.0, "sound is bounded");
  FindBlack(facts.pictures);
  FindFrozen(facts.pictures);
  FindSilence(facts.audio);
  if (facts.audio.size() >= 2) {
    CompareTracks(absl::MakeConstSpan(&facts.audio[0], 1), absl::MakeConstSpan(&facts.audio[1], 1));
  }
  ToJson(facts).dump();
  return 0;
}
