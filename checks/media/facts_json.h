// Small JSON of this library's facts, for evidence. No samples, no pixels: numbers, words and places.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "checks/media/decoder.h"
#include "checks/media/finding.h"
#include "checks/media/hls_playlist.h"
#include "checks/media/live_monitor.h"

namespace puckdrop::media {

nlohmann::json ToJson(const Finding& finding);
nlohmann::json ToJson(const Findings& findings);
// Kind, version, and either the variants and renditions or the window of the media playlist; at most 100 of each.
nlohmann::json ToJson(const HlsPlaylist& playlist);
nlohmann::json ToJson(const SegmentFacts& segment);
// The last states and findings of a monitor; ages as of `now`.
nlohmann::json ToJson(const LiveMonitor& monitor, absl::Time now);

}  // namespace puckdrop::media
