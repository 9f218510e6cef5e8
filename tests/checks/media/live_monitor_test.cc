#include "checks/media/live_monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace puckdrop::media {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kStart = absl::FromUnixSeconds(1'773'513'000);

struct ListSpec {
  int64_t first = 100;
  int count = 5;
  std::string prefix = "s";
  int64_t name_offset = 0;  // file name minus media sequence
  std::string extra;        // tags before the first segment
  std::string tail;
  double date_shift = 0;  // seconds added to PROGRAM-DATE-TIME
  std::string query;
  int gap = -1;  // media sequence marked as a gap
};

// Segments of 2 s; segment n begins at kStart + 2n - 200 on the clock.
HlsPlaylist List(const ListSpec& spec) {
  std::string text = absl::StrCat(
      "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:", spec.first, "\n", spec.extra);
  absl::Time date = kStart + absl::Seconds(2 * spec.first - 200 + spec.date_shift);
  absl::StrAppend(&text, "#EXT-X-PROGRAM-DATE-TIME:", absl::FormatTime(absl::RFC3339_full, date, absl::UTCTimeZone()),
                  "\n");
  for (int64_t i = spec.first; i < spec.first + spec.count; ++i) {
    if (i == spec.gap) absl::StrAppend(&text, "#EXT-X-GAP\n");
    absl::StrAppend(&text, "#EXTINF:2.000,\n", spec.prefix, i + spec.name_offset, ".ts", spec.query, "\n");
  }
  return ParseHlsPlaylist(absl::StrCat(text, spec.tail));
}

std::vector<std::string> Ids(const std::vector<LiveFinding>& findings) {
  std::vector<std::string> ids;
  for (const LiveFinding& finding : findings) ids.push_back(finding.finding.id);
  return ids;
}
std::vector<std::string> Ids(const LiveMonitor& monitor) {
  return Ids(std::vector<LiveFinding>(monitor.findings().begin(), monitor.findings().end()));
}
absl::Time At(double seconds) { return kStart + absl::Seconds(seconds); }

TEST(LiveMonitorTest, AMovingStreamHasNoFindings) {
  LiveMonitor monitor;
  absl::Time now = At(10);
  for (int poll = 0; poll < 200; ++poll) {
    // The newest segment is the last one that is complete.
    const auto done = static_cast<int64_t>(absl::ToDoubleSeconds(now - kStart) / 2) + 100;
    EXPECT_THAT(Ids(monitor.Observe(now, List({.first = done - 5}))), IsEmpty());
    EXPECT_GT(monitor.NextPoll(), now);
    now = monitor.NextPoll();
  }
  EXPECT_GT(monitor.segments_seen(), 100);
  EXPECT_EQ(monitor.states().size(), 32u);
  EXPECT_EQ(monitor.FreshnessAt(now), LiveMonitor::Freshness::kFresh);
}

TEST(LiveMonitorTest, AsksAgainAfterATargetDurationOrHalfOfIt) {
  LiveMonitor monitor;
  monitor.Observe(At(0), List({}));
  EXPECT_EQ(monitor.NextPoll(), At(2));
  monitor.Observe(At(2), List({}));
  EXPECT_EQ(monitor.NextPoll(), At(3));
  monitor.Observe(At(3), List({.first = 101}));
  EXPECT_EQ(monitor.NextPoll(), At(5));
  monitor.ObserveFailure(At(5), "timeout");
  EXPECT_EQ(monitor.NextPoll(), At(6));
}

TEST(LiveMonitorTest, AStandingStreamWarnsAndThenFailsOnceEach) {
  LiveMonitor monitor;
  monitor.Observe(At(0), List({}));
  for (int i = 2; i <= 12; ++i) monitor.Observe(At(i), List({}));
  ASSERT_THAT(Ids(monitor), ElementsAre("L-STALE", "L-STALE"));
  EXPECT_EQ(monitor.findings()[0].finding.severity, Severity::kWarning);
  EXPECT_EQ(monitor.findings()[0].at, At(4));
  EXPECT_EQ(monitor.findings()[1].finding.severity, Severity::kError);
  EXPECT_EQ(monitor.findings()[1].at, At(7));
  EXPECT_THAT(monitor.findings()[1].finding.message,
              HasSubstr("no new segment for 7.0 s, target duration 2 s; the newest is 104"));
  EXPECT_EQ(monitor.FreshnessAt(At(12)), LiveMonitor::Freshness::kStale);
  EXPECT_EQ(monitor.SinceChange(At(12)), absl::Seconds(12));
  // It goes on where it stopped: no new finding, and fresh again.
  EXPECT_THAT(Ids(monitor.Observe(At(13), List({.first = 101}))), IsEmpty());
  EXPECT_EQ(monitor.FreshnessAt(At(13)), LiveMonitor::Freshness::kFresh);
}

TEST(LiveMonitorTest, ALongLookAwayIsNoStandstillAndNoJump) {
  LiveMonitor monitor;
  monitor.Observe(At(0), List({}));
  EXPECT_THAT(Ids(monitor.Observe(At(60), List({.first = 130}))), IsEmpty());
}

TEST(LiveMonitorTest, SeesTheSequenceGoBack) {
  LiveMonitor monitor;
  monitor.Observe(At(0), List({.first = 100}));
  monitor.Observe(At(2), List({.first = 101}));
  EXPECT_THAT(Ids(monitor.Observe(At(4), List({.first = 99}))), ElementsAre("L-MSN-BACK"));
  EXPECT_THAT(Ids(monitor.Observe(At(4.5), List({.first = 99, .count = 4}))), ElementsAre("L-MSN-BACK"));
}

TEST(LiveMonitorTest, SeesAnUnexplainedJump) {
  LiveMonitor monitor;
  monitor.Observe(At(0), List({.first = 100}));
  auto raised = monitor.Observe(At(2), List({.first = 120, .date_shift = -38}));
  EXPECT_THAT(Ids(raised), ElementsAre("L-MSN-JUMP"));
  EXPECT_THAT(raised[0].finding.message, HasSubstr("over 15 segments"));
}

TEST(LiveMonitorTest, SeesRewrittenSegmentsButNotNewSignatures) {
  LiveMonitor monitor;
  monitor.Observe(At(0), List({.query = "?token=1"}));
  EXPECT_THAT(Ids(monitor.Observe(At(2), List({.first = 101, .query = "?token=2"}))), IsEmpty());
  auto raised = monitor.Observe(At(4), List({.first = 102, .prefix = "other"}));
  EXPECT_THAT(Ids(raised), ElementsAre("L-REWRITE"));
  EXPECT_THAT(raised[0].finding.message, HasSubstr("segment 102 changed its URI from s102.ts?token=2 to other102.ts"));
}

TEST(LiveMonitorTest, SeesNumbersAndFilesMoveApart) {
  LiveMonitor monitor;
  monitor.Observe(At(0), List({.first = 100}));
  EXPECT_THAT(Ids(monitor.Observe(At(2), List({.first = 101, .name_offset = 1}))), ElementsAre("L-SKIPPED"));
}

TEST(LiveMonitorTest, SeesTheDiscontinuitySequenceChange) {
  LiveMonitor monitor;
  monitor.Observe(At(0), List({.first = 100, .extra = "#EXT-X-DISCONTINUITY-SEQUENCE:4\n"}));
  EXPECT_THAT(Ids(monitor.Observe(At(2), List({.first = 101, .extra = "#EXT-X-DISCONTINUITY-SEQUENCE:5\n"}))),
              ElementsAre("L-DSEQ"));
}

TEST(LiveMonitorTest, SeesAnEventLoseItsBeginning) {
  LiveMonitor monitor;
  const std::string event = "#EXT-X-PLAYLIST-TYPE:EVENT\n";
  monitor.Observe(At(0), List({.first = 100, .extra = event}));
  EXPECT_THAT(Ids(monitor.Observe(At(2), List({.first = 101, .extra = event}))), ElementsAre("H-TYPE"));
}

TEST(LiveMonitorTest, SeesTheEndAndStopsAsking) {
  LiveMonitor monitor;
  monitor.Observe(At(0), List({}));
  EXPECT_THAT(Ids(monitor.Observe(At(2), List({.first = 101, .tail = "#EXT-X-ENDLIST\n"}))), ElementsAre("H-ENDLIST"));
  EXPECT_EQ(monitor.NextPoll(), absl::InfiniteFuture());
  EXPECT_THAT(Ids(monitor.Observe(At(60), List({.first = 101, .tail = "#EXT-X-ENDLIST\n"}))), IsEmpty());
  LiveMonitor expected({.end_is_a_fault = false});
  EXPECT_THAT(Ids(expected.Observe(At(0), List({.tail = "#EXT-X-ENDLIST\n"}))), IsEmpty());
}

TEST(LiveMonitorTest, SeesAGapAtTheEdgeAndOffersTheSegmentBeforeIt) {
  LiveMonitor monitor;
  EXPECT_THAT(Ids(monitor.Observe(At(0), List({.gap = 104}))), ElementsAre("H-GAP"));
  ASSERT_NE(monitor.NewestSegment(), nullptr);
  EXPECT_EQ(monitor.NewestSegment()->media_sequence, 103);
}

TEST(LiveMonitorTest, CountsAnswersThatAreNoPlaylist) {
  LiveMonitor monitor;
  EXPECT_EQ(monitor.NewestSegment(), nullptr);
  auto raised = monitor.Observe(At(0), ParseHlsPlaylist("<html>bad gateway</html>"));
  EXPECT_THAT(Ids(raised), ElementsAre("L-FETCH"));
  EXPECT_THAT(raised[0].finding.message, HasSubstr("an HTML page instead of a media playlist"));
  EXPECT_EQ(monitor.failures(), 1);
  EXPECT_FALSE(monitor.SinceChange(At(1)));
  EXPECT_EQ(monitor.FreshnessAt(At(1)), LiveMonitor::Freshness::kUnknown);
}

TEST(LiveMonitorTest, APlaylistThatOnlyFailsBecomesStale) {
  LiveMonitor monitor;
  monitor.Observe(At(0), List({}));
  for (int i = 2; i <= 7; ++i) monitor.ObserveFailure(At(i), "status 404");
  std::vector<std::string> ids = Ids(monitor);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), "L-STALE"), 2);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), "L-FETCH"), 6);
}

TEST(LiveMonitorTest, SeesTheClockJump) {
  LiveMonitor monitor;
  monitor.Observe(At(10), List({.first = 100}));
  monitor.Observe(At(12), List({.first = 101}));
  // Five seconds ahead at once, on a new segment after a discontinuity.
  auto raised = monitor.Observe(At(14), List({.first = 106, .count = 1, .date_shift = 6}));
  EXPECT_THAT(Ids(raised), ElementsAre("L-DRIFT"));
  EXPECT_THAT(raised[0].finding.message, HasSubstr("jumped ahead"));
}

TEST(LiveMonitorTest, SeesASlowClockButNotThePollingPattern) {
  for (double rate : {1.0, 0.99}) {
    LiveMonitor monitor;
    absl::Time now = At(10);
    while (now < At(1800)) {
      // At 0.99 the encoder makes 1.98 s of stream for each two seconds of wall clock and dates it by its own clock.
      const auto done = static_cast<int64_t>(absl::ToDoubleSeconds(now - kStart) * rate / 2) + 100;
      monitor.Observe(now, List({.first = done - 5}));
      now = monitor.NextPoll();
    }
    if (rate == 1.0) {
      EXPECT_THAT(Ids(monitor), IsEmpty());
    } else {
      EXPECT_THAT(Ids(monitor), ElementsAre("L-DRIFT"));
      EXPECT_THAT(monitor.findings()[0].finding.message, HasSubstr("runs slow"));
    }
  }
}

TEST(LiveMonitorTest, TellsTheLatencyOfTheEdge) {
  LiveMonitor monitor;
  monitor.Observe(At(16), List({.first = 100}));  // the last segment ends at +10 s
  EXPECT_EQ(monitor.Latency(At(16)), absl::Seconds(6));
}

}  // namespace
}  // namespace puckdrop::media
