// Watches one live media playlist: given each poll's time and outcome, says what is wrong with the stream over time.
//
// A pure state machine: it fetches nothing and reads no clock. The caller polls when NextPoll says (RFC 8216
// section 6.3.4), hands each answer in, and gets the findings that this answer raised. Memory is bounded by
// LiveMonitorOptions. Not thread-safe; one object for one playlist (and, to tell edges apart, one for each edge).
//
// Finding ids are the catalogue's: L-STALE (warning past 1.5, error past 3 target durations without change),
// L-MSN-BACK, L-MSN-JUMP, L-SKIPPED (numbers and URIs moved apart), L-REWRITE (a listed segment changed), L-DSEQ,
// H-TYPE (an EVENT playlist lost segments), H-ENDLIST, H-GAP, L-DRIFT, and L-FETCH for a poll that gave no playlist. A
// condition that lasts is reported when it begins and, for L-STALE, again when it becomes an error; FreshnessAt says
// whether it still holds.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "checks/media/finding.h"
#include "checks/media/hls_playlist.h"

namespace puckdrop::media {

struct LiveMonitorOptions {
  double stale_warn_target_durations = 1.5;  // catalogue live_edge_fresh, RFC 8216 section 6.2.2
  double stale_fail_target_durations = 3.0;
  bool end_is_a_fault = true;  // #EXT-X-ENDLIST before the event is over
  double drift_seconds_per_second = 0.001;
  absl::Duration drift_jump = absl::Seconds(2);
  // Before a playlist was ever read there is no target duration.
  absl::Duration first_poll_interval = absl::Seconds(2);
  size_t max_states = 32;
  size_t max_findings = 256;
};

struct LiveFinding {
  absl::Time at;
  Finding finding;
};

// What is kept of one poll.
struct LiveState {
  absl::Time at;
  bool fetched = false;
  std::string failure;   // when not fetched
  bool changed = false;  // against the last playlist read
  int64_t media_sequence = 0;
  int64_t segments = 0;
  int64_t newest_media_sequence = 0;
  std::optional<absl::Time> edge;  // end of the newest segment by PROGRAM-DATE-TIME
};

class LiveMonitor {
 public:
  explicit LiveMonitor(LiveMonitorOptions options = {});

  // The poll that was answered at `now`; times never go back. Findings of the playlist's own text are not repeated
  // here. A text that is no media playlist counts as a failure.
  std::vector<LiveFinding> Observe(absl::Time now, const HlsPlaylist& playlist);
  std::vector<LiveFinding> ObserveFailure(absl::Time now, absl::string_view reason);

  // When a player would ask next: one target duration after a change, half of it after none or a failure. Long past
  // once the playlist has ended.
  absl::Time NextPoll() const { return next_poll_; }

  // Since the last change was seen. Nothing before the first playlist, or after the end.
  std::optional<absl::Duration> SinceChange(absl::Time now) const;
  // How far the newest segment's end is behind the wall clock; needs PROGRAM-DATE-TIME.
  std::optional<absl::Duration> Latency(absl::Time now) const;
  // Whether the stream stands still at `now`, between polls too.
  enum class Freshness { kUnknown, kFresh, kLate, kStale };
  Freshness FreshnessAt(absl::Time now) const;

  // The last playlist read; null before. Valid until the next Observe.
  const HlsMediaPlaylist* newest() const { return last_ ? last_.get() : nullptr; }
  // The newest segment that is not a gap; null when there is none.
  const HlsSegment* NewestSegment() const;
  double target_duration_seconds() const { return target_seconds_; }
  int64_t segments_seen() const { return segments_seen_; }  // that appeared while watching
  int64_t polls() const { return polls_; }
  int64_t failures() const { return failures_; }

  const std::deque<LiveState>& states() const { return states_; }        // oldest first
  const std::deque<LiveFinding>& findings() const { return findings_; }  // all that were raised, oldest first

 private:
  class Report;
  void CheckStale(absl::Duration still, Report& report);
  void Compare(absl::Time now, const HlsMediaPlaylist& before, const HlsMediaPlaylist& after, Report& report);
  void CompareSegments(const HlsMediaPlaylist& before, const HlsMediaPlaylist& after, Report& report);
  void CheckDrift(absl::Time now, Report& report);
  std::vector<LiveFinding> Keep(Report& report, LiveState state);

  LiveMonitorOptions options_;
  std::shared_ptr<const HlsMediaPlaylist> last_;
  double target_seconds_ = 0;
  absl::Time last_poll_ = absl::InfinitePast();
  absl::Time last_read_ = absl::InfinitePast();
  absl::Time last_change_ = absl::InfinitePast();
  absl::Time next_poll_ = absl::InfinitePast();
  int stale_reported_ = 0;  // 1 warning, 2 error
  bool stale_since_drift_point_ = false;
  bool ended_ = false;
  bool gap_reported_ = false;
  bool drift_reported_ = false;
  int64_t segments_seen_ = 0;
  int64_t polls_ = 0;
  int64_t failures_ = 0;

  // The newest segment's date against the wall clock at each change: the segment appeared between two polls, so the
  // offset is known as an interval, and what polling adds is never taken for drift.
  struct DriftPoint {
    absl::Time at;
    absl::Duration low;
    absl::Duration high;
    int64_t discontinuity_sequence = 0;
  };
  std::deque<DriftPoint> drift_;
  std::deque<LiveState> states_;
  std::deque<LiveFinding> findings_;
};

}  // namespace puckdrop::media
