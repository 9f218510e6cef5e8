// A media or master playlist, and a live one that comes back changed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "checks/media/facts_json.h"
#include "checks/media/hls_playlist.h"
#include "checks/media/live_monitor.h"
#include "tests/fuzz/require.h"

using namespace puckdrop::media;  // NOLINT: a fuzz target is all about it
using puckdrop::fuzz::AsText;
using puckdrop::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const absl::string_view text = AsText(data, size);
  HlsOptions options;
  options.base_url = "https://cdn.example.com/a/b/c.m3u8?token=1";
  options.allowed_hosts = {"cdn.example.com"};
  options.expect_live = true;
  options.max_bytes = 1 << 20;
  const HlsPlaylist playlist = ParseHlsPlaylist(text, options);
  const auto lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const Finding& finding : playlist.findings) {
    Require(finding.line >= 0 && finding.line <= lines, "a finding's line is in the text");
    Require(!finding.id.empty() && !finding.message.empty(), "a finding says what it is");
    FindingText(finding);
  }
  Require(playlist.IsPlaylist() || !playlist.findings.empty(), "what is no playlist has a finding");
  Require(playlist.findings.size() <= options.max_findings, "findings are bounded");
  ToJson(playlist).dump();
  // Whatever was read can be watched, also when it comes back changed.
  LiveMonitor monitor;
  const absl::Time start = absl::FromUnixSeconds(1'773'513'000);
  monitor.Observe(start, playlist);
  monitor.Observe(start + absl::Seconds(5), ParseHlsPlaylist(text.substr(0, size / 2), options));
  monitor.Observe(start + absl::Seconds(30), playlist);
  ToJson(monitor, start + absl::Seconds(31)).dump();
  return 0;
}
