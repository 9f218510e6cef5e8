#ifndef PUCKDROP_CHECKS_MEDIA_PLAYER_H_
#define PUCKDROP_CHECKS_MEDIA_PLAYER_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "puckdrop/v1/result.pb.h"

// What a viewer's player does with a stream, as facts for checks to judge: it fetches like a player and decodes what it
// fetched. The real one is LivePlayer (live_player.h); tests of checks use a scripted one.
namespace puckdrop::media {

// Where a stream is, as `playback.start_playback` told.
struct Stream {
  // Absolute URL of the multivariant (or single media) playlist. May hold a token: never printed.
  std::string url;
  // To send with every request for it.
  std::vector<std::pair<std::string, std::string>> headers;
  // On whose behalf.
  std::string customer;
  std::string device_profile;
};

// Why a stream, rendition or segment could not be had.
struct Trouble {
  enum class Kind {
    // The target's: a status, a reset, a body that is not what it should be.
    kTarget,
    // Ours: deadline, limiter, resolver, an address outside the plan's hosts.
    kOurs,
    // A host that cannot be reached from here and never answered in this run.
    kUnreachable,
  };
  Kind kind = Kind::kTarget;
  // Stable id for a finding: `manifest_missing`, `not_a_playlist`, `segment_missing`, `segment_broken`, `no_keyframe`,
  // `too_slow`, `outside_plan`, `refused`, ….
  std::string id;
  // One sentence for people, with status and URL without its query.
  std::string words;
  // HTTP status, 0 if none.
  int status = 0;
};

// A stretch of a stream, in seconds of stream time from where watching began.
struct WatchedStretch {
  double start_seconds = 0;
  double end_seconds = 0;
  double length() const { return end_seconds - start_seconds; }
};

// From the first request to a decoded picture on fresh connections.
struct FirstPicture {
  std::optional<Trouble> trouble;
  // When the picture was decoded; valid without trouble.
  absl::Time time;
  // How long each part took.
  absl::Duration manifest;
  absl::Duration playlist;
  absl::Duration segment;
  absl::Duration decode;
  // The picture as JPEG; kind KIND_UNSPECIFIED if there is none.
  v1::Evidence picture;
};

// What a multivariant playlist says of one of its renditions, before anything else is fetched.
struct RenditionInfo {
  enum class Kind { kVariant, kAudio, kSubtitles };
  Kind kind = Kind::kVariant;
  // For people and findings: `1280x720@50`, `audio fi "Commentary"`.
  std::string name;
  // As declared; empty or 0 if not.
  std::string codecs;
  int width = 0;
  int height = 0;
  double frame_rate = 0;
  int64_t bandwidth = 0;
  std::string video_range;
  std::string group_id;
  std::string audio_group;
  // BCP 47; empty if not declared.
  std::string language;
  // NAME of EXT-X-MEDIA.
  std::string label;
  bool is_default = false;
  std::string characteristics;
  // Line of the playlist.
  int line = 0;
  // `ts`, `fmp4` or `aac`, by the media playlist and its newest segment; empty if it could not be read.
  std::string container;
};

// The multivariant playlist and the head of each of its media playlists: what device support needs.
struct ManifestReport {
  std::optional<Trouble> trouble;
  std::vector<RenditionInfo> renditions;
  // Findings of the parser (catalogue ids H-…), worst first.
  std::vector<v1::Finding> findings;
  // As received, redacted.
  v1::Evidence playlist;
};

// One rendition, watched.
struct RenditionReport {
  RenditionInfo info;
  // The newest segment (or the playlist itself) could not be had, decoded, or does not start with a keyframe.
  std::optional<Trouble> trouble;
  double target_duration_seconds = 0;
  // New segments that appeared while watching.
  int new_segments = 0;
  // The longest time without a change while watching (to the end of watching), and its multiple of the target duration.
  double longest_silence_seconds = 0;
  double longest_silence_in_target_durations = 0;
  // How long it was watched.
  double watched_seconds = 0;
  // Seconds of stream time decoded: picture (key frames) or sound.
  double decoded_seconds = 0;
  std::vector<WatchedStretch> black;
  std::vector<WatchedStretch> frozen;
  std::vector<WatchedStretch> silent;
  // Mean level of the sound; -inf written as -200.
  double loudness_dbfs = -200;
  // Findings of the live monitor and of the media playlist (catalogue ids).
  std::vector<v1::Finding> findings;
  // A frame of a video rendition; kind KIND_UNSPECIFIED if there is none.
  v1::Evidence picture;
};

// How alike two sound renditions are over the same stretch of time: 1 is the same sound.
struct AudioLikeness {
  // Indexes into Watched::renditions.
  int first = 0;
  int second = 0;
  double correlation = 0;
};

// A live stream, watched for a while.
struct Watched {
  // Nothing could be watched at all.
  std::optional<Trouble> trouble;
  // Variants by bandwidth, highest first, then audio, then subtitles. Sound muxed into the variants is reported as one
  // audio rendition with an empty language.
  std::vector<RenditionReport> renditions;
  std::vector<AudioLikeness> likeness;
  std::vector<v1::Finding> findings;
  v1::Evidence playlist;
};

// Lives on the loop's thread; everything ends by the deadline. Requests stay inside the plan's hosts and limits.
class Player {
 public:
  virtual ~Player() = default;

  // Cold: new connections, from the multivariant playlist to one decoded picture of the variant a player starts with.
  virtual boost::asio::awaitable<FirstPicture> ShowFirstPicture(const Stream& stream, absl::Time deadline) = 0;
  // The multivariant playlist and what it promises.
  virtual boost::asio::awaitable<ManifestReport> ReadManifest(const Stream& stream, absl::Time deadline) = 0;
  // Polls every rendition as a player would for `observe`, fetches and decodes. Watching the same stream (URL without
  // query) again in the same run gives the report that is there.
  virtual boost::asio::awaitable<std::shared_ptr<const Watched>> Watch(const Stream& stream, absl::Duration observe,
                                                                       absl::Time deadline) = 0;
  // Forgets what was watched of this stream, for a second look.
  virtual void Forget(const Stream& stream) = 0;
};

}  // namespace puckdrop::media

#endif  // PUCKDROP_CHECKS_MEDIA_PLAYER_H_
