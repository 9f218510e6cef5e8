#include "checks/media/facts_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace puckdrop::media {
namespace {

TEST(FactsJsonTest, DumpsWhateverAPlaylistHolds) {
  HlsPlaylist playlist = ParseHlsPlaylist("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n\xff\xfe.ts\n");
  nlohmann::json out = ToJson(playlist);
  EXPECT_EQ(out["kind"], "media");
  EXPECT_EQ(out["segments"], 1);
  EXPECT_EQ(out["findings"][0]["id"], "H-UTF8");
  EXPECT_EQ(out["findings"][0]["line"], 4);
  EXPECT_NO_THROW(out.dump());
}

TEST(FactsJsonTest, DumpsASegmentAndAMonitor) {
  SegmentFacts segment = DecodeSegment("", "<html>");
  EXPECT_EQ(ToJson(segment)["problem"], "not_media");
  LiveMonitor monitor;
  const absl::Time now = absl::FromUnixSeconds(1'773'513'000);
  monitor.ObserveFailure(now, "status 500");
  nlohmann::json out = ToJson(monitor, now);
  EXPECT_EQ(out["failures"], 1);
  EXPECT_EQ(out["findings"][0]["at"], "2026-03-14T18:30:00.000Z");
}

}  // namespace
}  // namespace puckdrop::media
