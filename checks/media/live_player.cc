#include "checks/media/live_player.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "checks/media/container.h"
#include "checks/media/decoder.h"
#include "checks/media/live_monitor.h"
#include "checks/media/renditions.h"

namespace puckdrop::media {
namespace {

// A player fills its buffer with this many segments before the edge.
constexpr int kStartSegments = 3;
constexpr std::size_t kMaxWatched = 64;
// Sound kept for telling tracks apart: enough to hear a sentence.
constexpr double kComparedSeconds = 30;

v1::Evidence Picture(const std::string& jpeg, const std::string& title) {
  v1::Evidence evidence;
  if (jpeg.empty()) return evidence;
  evidence.set_kind(v1::Evidence::KIND_PICTURE);
  evidence.set_media_type("image/jpeg");
  evidence.set_title(title);
  evidence.set_content(jpeg);
  return evidence;
}

v1::Evidence PlaylistEvidence(const StreamFetcher& fetcher, const std::string& text, const std::string& url) {
  v1::Evidence evidence;
  evidence.set_kind(v1::Evidence::KIND_PLAYLIST);
  evidence.set_media_type("application/vnd.apple.mpegurl");
  evidence.set_title(fetcher.Shown(url));
  evidence.set_content(fetcher.ports().redactor->Redact(text.substr(0, 64u << 10)));
  evidence.set_truncated(text.size() > (64u << 10));
  return evidence;
}

Trouble SegmentTrouble(const SegmentFacts& facts, const std::string& shown) {
  Trouble trouble;
  trouble.kind = IsOurs(facts.problem) ? Trouble::Kind::kOurs : Trouble::Kind::kTarget;
  trouble.id = "segment_broken";
  trouble.words = absl::StrCat("the segment ", shown, " does not decode: ", facts.words);
  trouble.status = 200;
  return trouble;
}

// Streams are often signed in their path. A folder of the address that looks like a token (16 or more characters with a
// digit and a letter) must not be shown, and every address of the stream repeats it.
void HideTokens(const PlayerPorts& ports, const std::string& url) {
  const std::vector<std::string> parts = absl::StrSplit(url.substr(0, url.find_first_of("?#")), '/');
  // Scheme, empty and host come first; the file's name comes last.
  for (std::size_t i = 3; i + 1 < parts.size(); ++i) {
    const auto is_digit = [](unsigned char c) { return absl::ascii_isdigit(c); };
    const auto is_letter = [](unsigned char c) { return absl::ascii_isalpha(c); };
    const bool mixed = std::any_of(parts[i].begin(), parts[i].end(), is_digit) &&
                       std::any_of(parts[i].begin(), parts[i].end(), is_letter);
    if (parts[i].size() >= 16 && mixed) (void)ports.redactor->AddSecret(parts[i]);
  }
}

struct Segment {
  std::optional<Trouble> trouble;
  std::string init;
  std::string bytes;
};

// The segment and, for fragmented MP4, its initialisation; `init_url` remembers what `init` holds.
awaitable<Segment> FetchSegment(StreamFetcher& fetcher, const HlsSegment& segment, std::string& init_url,
                                std::string& init, absl::Time deadline) {
  Segment result;
  if (segment.map != nullptr && segment.map->uri.resolved != init_url) {
    Fetched fetched = co_await fetcher.Fetch(segment.map->uri.resolved, "init", deadline);
    if (fetched.trouble) {
      result.trouble = std::move(fetched.trouble);
      co_return result;
    }
    init = std::move(fetched.body);
    init_url = segment.map->uri.resolved;
  }
  if (segment.map == nullptr) init.clear();
  Fetched fetched = co_await fetcher.Fetch(segment.uri.resolved, "segment", deadline);
  if (fetched.trouble && fetched.trouble->status == 404) {
    // A player asks again once before it gives up on a segment that the playlist has just named.
    (void)co_await fetcher.ports().loop->SleepUntil(*fetcher.ports().clock,
                                                    fetcher.ports().clock->Now() + absl::Milliseconds(500));
    fetched = co_await fetcher.Fetch(segment.uri.resolved, "segment", deadline);
  }
  result.trouble = std::move(fetched.trouble);
  result.init = init;
  result.bytes = std::move(fetched.body);
  co_return result;
}

// Watches one rendition to the end of the observation.
class RenditionWatch {
 public:
  RenditionWatch(StreamFetcher& fetcher, ListedRendition listed, absl::Time until, absl::Time deadline)
      : fetcher_(fetcher), listed_(std::move(listed)), until_(until), deadline_(deadline) {
    report.info = listed_.info;
    DecodeOptions options;
    options.make_jpeg = listed_.info.kind == RenditionInfo::Kind::kVariant;
    decoder_ = std::make_unique<SegmentDecoder>(options);
  }

  awaitable<void> Run() {
    const PlayerPorts& ports = fetcher_.ports();
    const absl::Time start = ports.clock->Now();
    absl::Time last_change = start;
    int64_t newest = -1;
    bool first = true;
    while (ports.clock->Now() < until_) {
      FetchedPlaylist fetched = co_await fetcher_.FetchPlaylist(listed_.url, "playlist", deadline_);
      const absl::Time now = ports.clock->Now();
      if (fetched.trouble) {
        (void)monitor_.ObserveFailure(now, fetched.trouble->words);
        if (!report.trouble) report.trouble = fetched.trouble;
        if (fetched.trouble->kind != Trouble::Kind::kTarget || first) break;
      } else if (fetched.playlist->kind == HlsKind::kMedia) {
        if (first) report.findings = ToResultFindings(fetched.playlist->findings, report.info.name);
        (void)monitor_.Observe(now, *fetched.playlist);
        const HlsMediaPlaylist& media = fetched.playlist->media;
        const int64_t before = newest;
        for (const HlsSegment& segment : media.segments) newest = std::max(newest, segment.media_sequence);
        if (!first && newest > before) {
          report.new_segments += static_cast<int>(newest - before);
          Silence(now - last_change);
          last_change = now;
        }
        co_await Decode(media, first ? newest - kStartSegments : before);
        first = false;
      } else if (!report.trouble) {
        Trouble trouble;
        trouble.id = "not_a_playlist";
        trouble.words = absl::StrCat("the playlist ", fetcher_.Shown(listed_.url), " lists no segments");
        report.trouble = trouble;
        break;
      }
      const absl::Time next = std::min(std::max(monitor_.NextPoll(), ports.clock->Now() + absl::Milliseconds(100)), until_);
      if (!(co_await ports.loop->SleepUntil(*ports.clock, next)).ok()) break;
    }
    const absl::Time end = ports.clock->Now();
    report.watched_seconds = absl::ToDoubleSeconds(end - start);
    report.target_duration_seconds = monitor_.target_duration_seconds();
    Silence(end - last_change);
    if (report.target_duration_seconds > 0) {
      report.longest_silence_in_target_durations = report.longest_silence_seconds / report.target_duration_seconds;
    }
    for (const LiveFinding& live : monitor_.findings()) {
      if (report.findings.size() >= 40) break;
      for (v1::Finding& finding : ToResultFindings({live.finding}, report.info.name)) {
        report.findings.push_back(std::move(finding));
      }
    }
  }

  RenditionReport report;
  std::vector<PictureFacts> pictures;
  std::vector<AudioBlock> audio;

 private:
  void Silence(absl::Duration duration) {
    report.longest_silence_seconds = std::max(report.longest_silence_seconds, absl::ToDoubleSeconds(duration));
  }

  awaitable<void> Decode(const HlsMediaPlaylist& media, int64_t after) {
    if (report.info.kind == RenditionInfo::Kind::kSubtitles) co_return;
    for (const HlsSegment& segment : media.segments) {
      if (segment.media_sequence <= after || segment.gap || report.trouble) continue;
      Segment fetched = co_await FetchSegment(fetcher_, segment, init_url_, init_, deadline_);
      if (fetched.trouble) {
        report.trouble = std::move(fetched.trouble);
        co_return;
      }
      const std::string shown = fetcher_.Shown(segment.uri.resolved);
      SegmentDecoder* decoder = decoder_.get();
      absl::StatusOr<SegmentFacts> decoded = co_await fetcher_.ports().loop->RunBlocking(
          [decoder, &fetched]() -> SegmentFacts { return decoder->Decode(fetched.init, fetched.bytes); });
      if (!decoded.ok()) {
        Trouble trouble;
        trouble.kind = Trouble::Kind::kOurs;
        trouble.id = "decoder_busy";
        trouble.words = std::string(decoded.status().message());
        report.trouble = trouble;
        co_return;
      }
      Take(*decoded, shown);
    }
  }

  void Take(SegmentFacts& facts, const std::string& shown) {
    const std::string container = ContainerId(facts.container);
    report.info.container = container == "mp4" ? "fmp4" : container;
    if (!facts.ok()) {
      report.trouble = SegmentTrouble(facts, shown);
      return;
    }
    const bool video = report.info.kind == RenditionInfo::Kind::kVariant;
    const StreamFacts* main = facts.First(video ? MediaKind::kVideo : MediaKind::kAudio);
    if (main == nullptr) {
      Trouble trouble;
      trouble.id = video ? "no_picture_in_segment" : "no_sound_in_segment";
      trouble.words = absl::StrCat("the segment ", shown, video ? " holds no picture" : " holds no sound");
      report.trouble = trouble;
      return;
    }
    if (video && !main->starts_with_keyframe) {
      Trouble trouble;
      trouble.id = "no_keyframe";
      trouble.words = absl::StrCat("the segment ", shown, " does not start with a keyframe");
      report.trouble = trouble;
      return;
    }
    if (main->first_pts_seconds && main->end_pts_seconds) {
      report.decoded_seconds += std::max(0.0, *main->end_pts_seconds - *main->first_pts_seconds);
    }
    for (PictureFacts& picture : facts.pictures) pictures.push_back(std::move(picture));
    for (AudioBlock& block : facts.audio) {
      if (heard_seconds_ > 10 * kComparedSeconds) break;
      // Tracks inside one segment: the first is what plays.
      if (!audio.empty() && block.stream_index != audio.front().stream_index) continue;
      heard_seconds_ += block.seconds();
      audio.push_back(std::move(block));
    }
    if (!facts.jpeg.empty()) report.picture = Picture(facts.jpeg, report.info.name);
  }

  StreamFetcher& fetcher_;
  ListedRendition listed_;
  absl::Time until_;
  absl::Time deadline_;
  LiveMonitor monitor_;
  std::unique_ptr<SegmentDecoder> decoder_;
  std::string init_url_;
  std::string init_;
  double heard_seconds_ = 0;
};

WatchedStretch From(double begin, double end, double origin) {
  WatchedStretch stretch;
  stretch.start_seconds = begin - origin;
  stretch.end_seconds = end - origin;
  return stretch;
}

void JudgePictures(RenditionWatch& watch) {
  std::stable_sort(watch.pictures.begin(), watch.pictures.end(),
                   [](const PictureFacts& a, const PictureFacts& b) { return a.pts_seconds < b.pts_seconds; });
  if (watch.pictures.empty()) return;
  const double origin = watch.pictures.front().pts_seconds;
  for (const Stretch& stretch : FindBlack(watch.pictures)) {
    watch.report.black.push_back(From(stretch.begin, stretch.end, origin));
  }
  for (const Stretch& stretch : FindFrozen(watch.pictures)) {
    watch.report.frozen.push_back(From(stretch.begin, stretch.end, origin));
  }
}

void JudgeSound(const std::vector<AudioBlock>& audio, RenditionReport& report) {
  if (audio.empty()) return;
  double power = 0;
  double seconds = 0;
  for (const AudioBlock& block : audio) {
    power += std::pow(10, RmsDbfs(block) / 10) * block.seconds();
    seconds += block.seconds();
  }
  if (seconds > 0 && power > 0) report.loudness_dbfs = 10 * std::log10(power / seconds);
  const double origin = audio.front().pts_seconds;
  for (const SilentStretch& stretch : FindSilence(audio)) {
    report.silent.push_back(From(stretch.begin, stretch.end, origin));
  }
}

void CompareSound(const std::vector<std::unique_ptr<RenditionWatch>>& watches, Watched& watched) {
  std::vector<int> audio;
  for (int i = 0; i < static_cast<int>(watches.size()); ++i) {
    if (watches[static_cast<std::size_t>(i)]->report.info.kind == RenditionInfo::Kind::kAudio) audio.push_back(i);
  }
  for (std::size_t a = 0; a < audio.size() && a < 8; ++a) {
    for (std::size_t b = a + 1; b < audio.size() && b < 8; ++b) {
      const TrackLikeness likeness = CompareTracks(watches[static_cast<std::size_t>(audio[a])]->audio,
                                                   watches[static_cast<std::size_t>(audio[b])]->audio);
      if (!likeness.comparable) continue;
      AudioLikeness pair;
      pair.first = audio[a];
      pair.second = audio[b];
      pair.correlation = likeness.correlation;
      watched.likeness.push_back(pair);
    }
  }
}

awaitable<void> RunWatch(RenditionWatch* watch) { co_await watch->Run(); }

}  // namespace

awaitable<FirstPicture> LivePlayer::ShowFirstPicture(const Stream& stream, absl::Time deadline) {
  StreamFetcher fetcher(ports_, stream);
  HideTokens(ports_, stream.url);
  FirstPicture first;
  const absl::Time start = ports_.clock->Now();
  FetchedPlaylist fetched = co_await fetcher.FetchPlaylist(stream.url, "manifest", deadline, true);
  first.manifest = ports_.clock->Now() - start;
  if (fetched.trouble) {
    first.trouble = std::move(fetched.trouble);
    co_return first;
  }
  if (fetched.playlist->kind == HlsKind::kMultivariant) {
    const std::string url = FirstVariantUrl(*fetched.playlist);
    const absl::Time asked = ports_.clock->Now();
    fetched = co_await fetcher.FetchPlaylist(url, "playlist", deadline, true);
    first.playlist = ports_.clock->Now() - asked;
    if (fetched.trouble) {
      first.trouble = std::move(fetched.trouble);
      co_return first;
    }
  }
  const std::vector<HlsSegment>& segments = fetched.playlist->media.segments;
  if (segments.empty()) {
    Trouble trouble;
    trouble.id = "no_segments";
    trouble.words = "the playlist lists no segments";
    first.trouble = trouble;
    co_return first;
  }
  // RFC 8216 6.3.3: a player starts no closer to the live edge than three target durations.
  const std::size_t back = std::min<std::size_t>(kStartSegments, segments.size());
  const HlsSegment& chosen = segments[segments.size() - back];
  std::string init_url;
  std::string init;
  const absl::Time asked = ports_.clock->Now();
  Segment segment = co_await FetchSegment(fetcher, chosen, init_url, init, deadline);
  first.segment = ports_.clock->Now() - asked;
  if (segment.trouble) {
    first.trouble = std::move(segment.trouble);
    co_return first;
  }
  const absl::Time got = ports_.clock->Now();
  absl::StatusOr<SegmentFacts> decoded = co_await ports_.loop->RunBlocking([&segment]() -> SegmentFacts {
    DecodeOptions options;
    options.max_pictures = 1;
    options.decode_audio = false;
    options.make_jpeg = true;
    return DecodeSegment(segment.init, segment.bytes, options);
  });
  first.decode = ports_.clock->Now() - got;
  first.time = ports_.clock->Now();
  if (!decoded.ok()) {
    Trouble trouble;
    trouble.kind = Trouble::Kind::kOurs;
    trouble.id = "decoder_busy";
    trouble.words = std::string(decoded.status().message());
    first.trouble = trouble;
  } else if (!decoded->ok()) {
    first.trouble = SegmentTrouble(*decoded, fetcher.Shown(chosen.uri.resolved));
  } else if (decoded->pictures.empty()) {
    Trouble trouble;
    trouble.id = "no_picture_in_segment";
    trouble.words = absl::StrCat("the segment ", fetcher.Shown(chosen.uri.resolved), " gives no picture");
    first.trouble = trouble;
  } else {
    first.picture = Picture(decoded->jpeg, "first picture");
  }
  co_return first;
}

awaitable<ManifestReport> LivePlayer::ReadManifest(const Stream& stream, absl::Time deadline) {
  StreamFetcher fetcher(ports_, stream);
  HideTokens(ports_, stream.url);
  ManifestReport report;
  FetchedPlaylist fetched = co_await fetcher.FetchPlaylist(stream.url, "manifest", deadline);
  if (fetched.trouble) {
    report.trouble = std::move(fetched.trouble);
    co_return report;
  }
  report.findings = ToResultFindings(fetched.playlist->findings, "manifest");
  report.playlist = PlaylistEvidence(fetcher, fetched.text, stream.url);
  std::string init_url;
  std::string init;
  for (ListedRendition& listed : ListRenditions(*fetched.playlist)) {
    if (listed.info.kind != RenditionInfo::Kind::kSubtitles) {
      FetchedPlaylist media = co_await fetcher.FetchPlaylist(listed.url, "playlist", deadline);
      if (!media.trouble && !media.playlist->media.segments.empty()) {
        const HlsSegment& newest = media.playlist->media.segments.back();
        Segment segment = co_await FetchSegment(fetcher, newest, init_url, init, deadline);
        if (!segment.trouble) {
          const std::string container = ContainerId(InspectContainer(segment.init, segment.bytes).container);
          listed.info.container = container == "mp4" ? "fmp4" : container == "unknown" ? "" : container;
        }
      }
    }
    report.renditions.push_back(std::move(listed.info));
  }
  co_return report;
}

void LivePlayer::Forget(const Stream& stream) { watched_.erase(stream.url.substr(0, stream.url.find('?'))); }

awaitable<std::shared_ptr<const Watched>> LivePlayer::Watch(const Stream& stream, absl::Duration observe,
                                                            absl::Time deadline) {
  const std::string key = stream.url.substr(0, stream.url.find('?'));
  if (auto found = watched_.find(key); found != watched_.end()) co_return found->second;
  HideTokens(ports_, stream.url);
  auto watched = std::make_shared<Watched>();
  StreamFetcher fetcher(ports_, stream);
  FetchedPlaylist fetched = co_await fetcher.FetchPlaylist(stream.url, "manifest", deadline);
  if (fetched.trouble) {
    watched->trouble = std::move(fetched.trouble);
    co_return watched;
  }
  std::vector<ListedRendition> listed;
  if (fetched.playlist->kind == HlsKind::kMultivariant) {
    listed = ListRenditions(*fetched.playlist);
  } else {
    ListedRendition only;
    only.url = stream.url;
    only.info.name = "the only variant";
    listed.push_back(std::move(only));
  }
  watched->findings = ToResultFindings(fetched.playlist->findings, "manifest");
  watched->playlist = PlaylistEvidence(fetcher, fetched.text, stream.url);

  const absl::Time until = std::min(ports_.clock->Now() + observe, deadline);
  std::vector<std::unique_ptr<RenditionWatch>> watches;
  std::vector<awaitable<void>> work;
  for (ListedRendition& rendition : listed) {
    watches.push_back(std::make_unique<RenditionWatch>(fetcher, std::move(rendition), until, deadline));
    work.push_back(RunWatch(watches.back().get()));
  }
  co_await ports_.loop->All(std::move(work));

  absl::Status judged = co_await ports_.loop->RunBlocking([&watches, &watched]() {
    bool sound = false;
    for (const std::unique_ptr<RenditionWatch>& watch : watches) {
      if (watch->report.info.kind == RenditionInfo::Kind::kVariant) JudgePictures(*watch);
      if (watch->report.info.kind == RenditionInfo::Kind::kAudio) {
        sound = true;
        JudgeSound(watch->audio, watch->report);
      }
    }
    CompareSound(watches, *watched);
    for (const std::unique_ptr<RenditionWatch>& watch : watches) watched->renditions.push_back(watch->report);
    if (sound) return;
    for (const std::unique_ptr<RenditionWatch>& watch : watches) {
      if (watch->audio.empty()) continue;
      // Sound inside the variants: all variants carry the same, the first that gave any is judged.
      RenditionReport inside;
      inside.info.kind = RenditionInfo::Kind::kAudio;
      inside.info.name = "sound inside the variants";
      for (const AudioBlock& block : watch->audio) inside.decoded_seconds += block.seconds();
      JudgeSound(watch->audio, inside);
      watched->renditions.push_back(std::move(inside));
      return;
    }
  });
  if (!judged.ok()) {
    Trouble trouble;
    trouble.kind = Trouble::Kind::kOurs;
    trouble.id = "decoder_busy";
    trouble.words = std::string(judged.message());
    watched->trouble = trouble;
    co_return watched;
  }
  if (watched_.size() >= kMaxWatched) watched_.erase(watched_.begin());
  watched_[key] = watched;
  co_return watched;
}

}  // namespace puckdrop::media
