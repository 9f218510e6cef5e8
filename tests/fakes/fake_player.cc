#include "tests/fakes/fake_player.h"

#include <cstdlib>

namespace puckdrop::fakes {
namespace {

media::RenditionReport Variant(const std::string& name, int width, int height, double frame_rate,
                               const std::string& codecs, int64_t bandwidth) {
  media::RenditionReport report;
  report.info.kind = media::RenditionInfo::Kind::kVariant;
  report.info.name = name;
  report.info.width = width;
  report.info.height = height;
  report.info.frame_rate = frame_rate;
  report.info.codecs = codecs;
  report.info.bandwidth = bandwidth;
  report.info.audio_group = "audio";
  report.info.container = "ts";
  report.target_duration_seconds = 2;
  report.new_segments = 5;
  report.longest_silence_seconds = 2.1;
  report.longest_silence_in_target_durations = 1.05;
  report.watched_seconds = 10;
  report.decoded_seconds = 10;
  return report;
}

media::RenditionReport Audio(const std::string& name, const std::string& language, const std::string& label,
                             bool is_default) {
  media::RenditionReport report = Variant(name, 0, 0, 0, "mp4a.40.2", 0);
  report.info.kind = media::RenditionInfo::Kind::kAudio;
  report.info.audio_group.clear();
  report.info.group_id = "audio";
  report.info.language = language;
  report.info.label = label;
  report.info.is_default = is_default;
  report.loudness_dbfs = -20;
  return report;
}

}  // namespace

FakePlayer::FakePlayer(runtime::FakeClock* clock) : clock_(clock) {
  watched.renditions = {Variant("1280x720@50", 1280, 720, 50, "avc1.640020,mp4a.40.2", 2'400'000),
                        Variant("640x360@25", 640, 360, 25, "avc1.64001e,mp4a.40.2", 800'000),
                        Audio("audio fi \"Suomi\"", "fi", "Suomi", true),
                        Audio("audio zxx \"No commentary\"", "zxx", "No commentary", false)};
  media::AudioLikeness likeness;
  likeness.first = 2;
  likeness.second = 3;
  likeness.correlation = 0.4;
  watched.likeness = {likeness};
  for (const media::RenditionReport& report : watched.renditions) manifest.renditions.push_back(report.info);
}

media::RenditionReport& FakePlayer::Rendition(const std::string& name) {
  for (media::RenditionReport& report : watched.renditions) {
    if (report.info.name == name) return report;
  }
  std::abort();
}

boost::asio::awaitable<media::FirstPicture> FakePlayer::ShowFirstPicture(const media::Stream& stream,
                                                                         absl::Time deadline) {
  clock_->Advance(first_picture_takes);
  media::FirstPicture picture;
  picture.trouble = first_picture_trouble;
  picture.time = clock_->Now();
  co_return picture;
}

boost::asio::awaitable<media::ManifestReport> FakePlayer::ReadManifest(const media::Stream& stream,
                                                                       absl::Time deadline) {
  co_return manifest;
}

boost::asio::awaitable<std::shared_ptr<const media::Watched>> FakePlayer::Watch(const media::Stream& stream,
                                                                                absl::Duration observe,
                                                                                absl::Time deadline) {
  clock_->Advance(observe);
  co_return std::make_shared<const media::Watched>(watched);
}

}  // namespace puckdrop::fakes
