#include "checks/media/live_monitor.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "checks/media/url.h"

namespace puckdrop::media {
namespace {

constexpr size_t kMostDriftPoints = 512;

int64_t FirstSequence(const HlsMediaPlaylist& list) { return list.media_sequence; }
int64_t NewestSequence(const HlsMediaPlaylist& list) {
  return list.segments.empty() ? list.media_sequence + list.skipped_segments - 1 : list.segments.back().media_sequence;
}

const HlsSegment* BySequence(const HlsMediaPlaylist& list, int64_t sequence) {
  if (list.segments.empty()) return nullptr;
  const int64_t index = sequence - list.segments.front().media_sequence;
  if (index < 0 || index >= static_cast<int64_t>(list.segments.size())) return nullptr;
  return &list.segments[static_cast<size_t>(index)];
}

// Services sign their URLs anew in each playlist: the query is no part of what a segment is.
std::string Identity(const HlsUri& uri) {
  UrlParts parts = SplitUrl(uri.text);
  parts.query.reset();
  parts.fragment.reset();
  return JoinUrl(parts);
}

bool SameRange(const std::optional<HlsByteRange>& a, const std::optional<HlsByteRange>& b) {
  if (a.has_value() != b.has_value()) return false;
  return !a || (a->length == b->length && a->offset == b->offset);
}

bool SameUri(const HlsSegment& a, const HlsSegment& b) {
  return Identity(a.uri) == Identity(b.uri) && SameRange(a.byte_range, b.byte_range);
}

std::string KeyText(const HlsSegment& segment) {
  std::string text;
  if (!segment.keys) return text;
  for (const HlsKey& key : *segment.keys)
    absl::StrAppend(&text, key.method, " ", Identity(key.uri), " ", key.keyformat, ";");
  return text;
}

// The part of a listed segment that changed, or empty (RFC 8216 section 6.2.1: it must not).
std::string Difference(const HlsSegment& before, const HlsSegment& after) {
  if (!SameUri(before, after)) return absl::StrCat("its URI from ", before.uri.text, " to ", after.uri.text);
  if (std::fabs(before.duration_seconds - after.duration_seconds) > 0.001) {
    return absl::StrFormat("its duration from %.3f to %.3f s", before.duration_seconds, after.duration_seconds);
  }
  if (KeyText(before) != KeyText(after)) return "its key";
  if ((before.map != nullptr) != (after.map != nullptr) ||
      (before.map && Identity(before.map->uri) != Identity(after.map->uri))) {
    return "its initialisation segment";
  }
  if (before.discontinuity != after.discontinuity) return "its discontinuity";
  return "";
}

}  // namespace

class LiveMonitor::Report {
 public:
  explicit Report(absl::Time at) : at_(at) {}
  void Add(const char* id, Severity severity, std::string message) {
    raised_.push_back({at_, {id, 0, 0, std::move(message), severity}});
  }
  std::vector<LiveFinding> Take() { return std::move(raised_); }

 private:
  absl::Time at_;
  std::vector<LiveFinding> raised_;
};

LiveMonitor::LiveMonitor(LiveMonitorOptions options) : options_(options) {}

std::vector<LiveFinding> LiveMonitor::Keep(Report& report, LiveState state) {
  states_.push_back(std::move(state));
  while (states_.size() > options_.max_states) states_.pop_front();
  std::vector<LiveFinding> raised = report.Take();
  for (const LiveFinding& finding : raised) findings_.push_back(finding);
  while (findings_.size() > options_.max_findings) findings_.pop_front();
  return raised;
}

std::vector<LiveFinding> LiveMonitor::ObserveFailure(absl::Time now, absl::string_view reason) {
  Report report(now);
  ++polls_;
  ++failures_;
  report.Add("L-FETCH", Severity::kWarning, absl::StrCat("the playlist could not be read: ", reason.substr(0, 300)));
  // Viewers got nothing new while it failed; after a long look away we cannot say so.
  if (!ended_ && now - last_poll_ <= absl::Seconds(2 * target_seconds_)) CheckStale(now - last_change_, report);
  last_poll_ = now;
  next_poll_ = now + (target_seconds_ > 0 ? absl::Seconds(target_seconds_ / 2) : options_.first_poll_interval);
  LiveState state;
  state.at = now;
  state.failure = std::string(reason.substr(0, 300));
  return Keep(report, std::move(state));
}

std::vector<LiveFinding> LiveMonitor::Observe(absl::Time now, const HlsPlaylist& playlist) {
  if (playlist.kind != HlsKind::kMedia) {
    return ObserveFailure(now, playlist.kind == HlsKind::kMultivariant
                                   ? "a multivariant playlist instead of a media playlist"
                                   : absl::StrCat(ContentKindWords(playlist.content), " instead of a media playlist"));
  }
  Report report(now);
  ++polls_;
  const HlsMediaPlaylist& list = playlist.media;
  if (list.target_duration_seconds > 0) target_seconds_ = list.target_duration_seconds;
  bool changed = true;
  if (last_) {
    changed = NewestSequence(list) != NewestSequence(*last_) || FirstSequence(list) != FirstSequence(*last_) ||
              list.trailing_parts.size() != last_->trailing_parts.size() || list.ended != last_->ended ||
              list.segments.size() != last_->segments.size();
    Compare(now, *last_, list, report);
    segments_seen_ += std::clamp<int64_t>(NewestSequence(list) - NewestSequence(*last_), 0, 100'000);
  }
  if (list.ended && !ended_ && options_.end_is_a_fault) {
    report.Add("H-ENDLIST", Severity::kError, "#EXT-X-ENDLIST in a live playlist: players stop at its end");
  }
  ended_ = list.ended;
  // A change came at some time after the poll before it: only up to that one the stream is known to have stood still.
  const bool progressed =
      !last_ || NewestSequence(list) > NewestSequence(*last_) ||
      (NewestSequence(list) == NewestSequence(*last_) && list.trailing_parts.size() > last_->trailing_parts.size());
  if (last_ && !ended_) CheckStale((progressed ? last_read_ : now) - last_change_, report);
  const bool gap = !list.segments.empty() && list.segments.back().gap;
  if (gap && !gap_reported_) {
    report.Add("H-GAP", Severity::kWarning,
               absl::StrCat("the newest segment ", list.segments.back().media_sequence, " is marked as a gap"));
  }
  gap_reported_ = gap;

  last_ = std::make_shared<const HlsMediaPlaylist>(list);
  // An edge that went back or was rewritten is a fault, not progress.
  if (progressed) {
    last_change_ = now;
    CheckDrift(now, report);
    stale_reported_ = 0;
  }
  last_poll_ = now;
  last_read_ = now;
  next_poll_ = ended_ ? absl::InfiniteFuture()
                      : now + (target_seconds_ > 0 ? absl::Seconds(changed ? target_seconds_ : target_seconds_ / 2)
                                                   : options_.first_poll_interval);
  LiveState state;
  state.at = now;
  state.fetched = true;
  state.changed = changed;
  state.media_sequence = list.media_sequence;
  state.segments = static_cast<int64_t>(list.segments.size());
  state.newest_media_sequence = NewestSequence(list);
  if (!list.segments.empty()) state.edge = list.segments.back().ends_at();
  return Keep(report, std::move(state));
}

void LiveMonitor::CheckStale(absl::Duration still, Report& report) {
  if (!last_ || target_seconds_ <= 0 || last_->ended) return;
  const absl::Duration warn = absl::Seconds(options_.stale_warn_target_durations * target_seconds_);
  const absl::Duration fail = absl::Seconds(options_.stale_fail_target_durations * target_seconds_);
  auto words = [&] {
    return absl::StrFormat("no new segment for %.1f s, target duration %.0f s; the newest is %d",
                           absl::ToDoubleSeconds(still), target_seconds_, NewestSequence(*last_));
  };
  if (still > fail && stale_reported_ < 2) {
    stale_reported_ = 2;
    stale_since_drift_point_ = true;
    report.Add("L-STALE", Severity::kError, words());
  } else if (still > warn && stale_reported_ < 1) {
    stale_reported_ = 1;
    stale_since_drift_point_ = true;
    report.Add("L-STALE", Severity::kWarning, words());
  }
}

void LiveMonitor::Compare(absl::Time now, const HlsMediaPlaylist& before, const HlsMediaPlaylist& after,
                          Report& report) {
  const int64_t old_first = FirstSequence(before);
  const int64_t old_newest = NewestSequence(before);
  const int64_t first = FirstSequence(after);
  if (first < old_first) {
    report.Add("L-MSN-BACK", Severity::kError,
               absl::StrCat("the media sequence went back from ", old_first, " to ", first));
    return;
  }
  if (before.type == "EVENT" && first > old_first) {
    report.Add("H-TYPE", Severity::kError,
               absl::StrCat("an EVENT playlist removed ", first - old_first, " segments from its beginning"));
  }
  if (NewestSequence(after) < old_newest) {
    report.Add("L-MSN-BACK", Severity::kError,
               absl::StrCat("the newest segment went back from ", old_newest, " to ", NewestSequence(after)));
    return;
  }
  if (first > old_newest + 1) {
    // Explained when we looked away for as long as the list covers.
    const double away = absl::ToDoubleSeconds(now - last_read_);
    if (away + target_seconds_ < before.duration_seconds()) {
      report.Add("L-MSN-JUMP", Severity::kError,
                 absl::StrFormat("the media sequence jumped from %d to %d in %.1f s, over %d segments nobody could see",
                                 old_first, first, away, first - old_newest - 1));
    }
    return;
  }
  CompareSegments(before, after, report);
}

void LiveMonitor::CompareSegments(const HlsMediaPlaylist& before, const HlsMediaPlaylist& after, Report& report) {
  const HlsSegment* rewritten_before = nullptr;
  std::string difference;
  int64_t rewritten = 0, common = 0, other_uris = 0;
  for (const HlsSegment& segment : after.segments) {
    const HlsSegment* old = BySequence(before, segment.media_sequence);
    if (old == nullptr) continue;
    ++common;
    other_uris += !SameUri(*old, segment);
    std::string changed = Difference(*old, segment);
    if (changed.empty()) {
      if (old->discontinuity_sequence != segment.discontinuity_sequence) {
        report.Add("L-DSEQ", Severity::kError,
                   absl::StrCat("the discontinuity sequence of segment ", segment.media_sequence, " changed from ",
                                old->discontinuity_sequence, " to ", segment.discontinuity_sequence));
        return;
      }
      continue;
    }
    if (++rewritten == 1) {
      rewritten_before = old;
      difference = std::move(changed);
    }
  }
  if (rewritten == 0) return;
  if (other_uris == common && common > 0) {
    // Every number names another file: did the list move while the numbers did not (or the other way round)?
    const HlsSegment& head = after.segments.front();
    for (const HlsSegment& old : before.segments) {
      if (!SameUri(old, head)) continue;
      report.Add("L-SKIPPED", Severity::kError,
                 absl::StrCat("the segments moved by ", old.media_sequence - FirstSequence(before),
                              ", the media sequence by ", head.media_sequence - FirstSequence(before), " (",
                              head.uri.text, " was ", old.media_sequence, ", is ", head.media_sequence, ")"));
      return;
    }
  }
  report.Add("L-REWRITE", Severity::kError,
             absl::StrCat("segment ", rewritten_before->media_sequence, " changed ", difference,
                          rewritten > 1 ? absl::StrCat("; ", rewritten - 1, " more changed") : ""));
}

void LiveMonitor::CheckDrift(absl::Time now, Report& report) {
  if (last_->segments.empty() || target_seconds_ <= 0 || ended_) return;
  const HlsSegment& newest = last_->segments.back();
  const auto edge = newest.ends_at();
  if (!edge) return;
  const bool first = drift_.empty();
  const DriftPoint point{now, (first ? now - absl::Seconds(target_seconds_) : last_poll_) - *edge, now - *edge,
                         newest.discontinuity_sequence};
  // A packager may finish a segment half a target duration early or late.
  const absl::Duration slack = absl::Seconds(target_seconds_ / 2);
  if (!first && !stale_since_drift_point_) {
    const DriftPoint& previous = drift_.back();
    const absl::Duration forward = point.low - previous.high - slack;
    const absl::Duration back = previous.low - point.high - slack;
    if (std::max(forward, back) > options_.drift_jump) {
      report.Add("L-DRIFT", Severity::kWarning,
                 absl::StrFormat("the stream's clock jumped %s by at least %.1f s against the wall clock",
                                 forward > back ? "behind" : "ahead", absl::ToDoubleSeconds(std::max(forward, back))));
      drift_.clear();
    }
  }
  // After a standstill the stream is later than before for a reason that was already reported.
  if (stale_since_drift_point_) drift_.clear();
  stale_since_drift_point_ = false;
  if (!drift_reported_) {
    for (const DriftPoint& old : drift_) {
      const double seconds = absl::ToDoubleSeconds(point.at - old.at);
      if (seconds <= 0) continue;
      const double rising = absl::ToDoubleSeconds(point.low - old.high - slack) / seconds;
      const double falling = absl::ToDoubleSeconds(old.low - point.high - slack) / seconds;
      const double slope = std::max(rising, falling);
      if (slope > options_.drift_seconds_per_second) {
        drift_reported_ = true;
        report.Add("L-DRIFT", Severity::kWarning,
                   absl::StrFormat("the stream's clock runs %s by at least %.1f ms in a second",
                                   rising > falling ? "slow" : "fast", slope * 1000));
        break;
      }
    }
  }
  drift_.push_back(point);
  // Thin out evenly when full: the oldest points give the longest base line and stay.
  if (drift_.size() > kMostDriftPoints) {
    std::deque<DriftPoint> thinned;
    for (size_t i = 0; i < drift_.size(); i += 2) thinned.push_back(drift_[i]);
    if (thinned.back().at != drift_.back().at) thinned.push_back(drift_.back());
    drift_ = std::move(thinned);
  }
}

std::optional<absl::Duration> LiveMonitor::SinceChange(absl::Time now) const {
  if (!last_ || ended_) return std::nullopt;
  return now - last_change_;
}

std::optional<absl::Duration> LiveMonitor::Latency(absl::Time now) const {
  if (!last_ || last_->segments.empty()) return std::nullopt;
  const auto edge = last_->segments.back().ends_at();
  if (!edge) return std::nullopt;
  return now - *edge;
}

LiveMonitor::Freshness LiveMonitor::FreshnessAt(absl::Time now) const {
  const auto since = SinceChange(now);
  if (!since || target_seconds_ <= 0) return Freshness::kUnknown;
  if (*since > absl::Seconds(options_.stale_fail_target_durations * target_seconds_)) return Freshness::kStale;
  if (*since > absl::Seconds(options_.stale_warn_target_durations * target_seconds_)) return Freshness::kLate;
  return Freshness::kFresh;
}

const HlsSegment* LiveMonitor::NewestSegment() const {
  if (!last_) return nullptr;
  for (auto segment = last_->segments.rbegin(); segment != last_->segments.rend(); ++segment) {
    if (!segment->gap) return &*segment;
  }
  return nullptr;
}

}  // namespace puckdrop::media
