#include "checks/media/decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "checks/media/hls_playlist.h"
#include "clips.h"

namespace puckdrop::media {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kTone[] = "sine=f=440:r=48000";

class DecoderTest : public testing::TestWithParam<ClipKind> {};
INSTANTIATE_TEST_SUITE_P(Containers, DecoderTest, testing::Values(ClipKind::kTs, ClipKind::kFmp4),
                         [](const auto& param) { return param.param == ClipKind::kTs ? "Ts" : "Fmp4"; });

TEST_P(DecoderTest, TellsWhatASegmentHolds) {
  const Clip& clip = MakeClip(kMovingVideo, kTone, 6, GetParam());
  ASSERT_EQ(clip.segments.size(), 3u);
  SegmentDecoder decoder({.make_jpeg = true});
  double previous_end = -1;
  for (const std::string& segment : clip.segments) {
    SegmentFacts facts = decoder.Decode(clip.init, segment);
    ASSERT_TRUE(facts.ok()) << facts.words;
    EXPECT_EQ(facts.container, GetParam() == ClipKind::kTs ? Container::kMpegTs : Container::kFmp4);
    const StreamFacts* video = facts.First(MediaKind::kVideo);
    ASSERT_NE(video, nullptr);
    EXPECT_EQ(video->codec.family, CodecFamily::kAvc);
    EXPECT_EQ(video->codec.words, "H.264 Constrained Baseline level 1.2") << video->codec.text;
    EXPECT_EQ(video->width, 320);
    EXPECT_EQ(video->height, 180);
    EXPECT_NEAR(video->frame_rate, 25, 0.1);
    EXPECT_EQ(video->packets, 50);
    EXPECT_EQ(video->keyframes, 1);
    EXPECT_TRUE(video->starts_with_keyframe);
    EXPECT_EQ(video->decode_errors, 0);
    EXPECT_NEAR(*video->end_pts_seconds - *video->first_pts_seconds, 2.0, 0.05);
    if (previous_end >= 0) EXPECT_NEAR(*video->first_pts_seconds, previous_end, 0.05);
    previous_end = *video->end_pts_seconds;
    ASSERT_EQ(facts.pictures.size(), 1u);
    EXPECT_NEAR(facts.pictures[0].pts_seconds, *video->first_pts_seconds, 0.05);
    EXPECT_LT(facts.pictures[0].dark_ratio, 0.9);
    EXPECT_GT(facts.pictures[0].mean_luma, 30);
    EXPECT_EQ(facts.pictures[0].blocks.size(), size_t{kBlockColumns} * kBlockRows);
    const StreamFacts* audio = facts.First(MediaKind::kAudio);
    ASSERT_NE(audio, nullptr);
    EXPECT_EQ(audio->codec.text, "mp4a.40.2");
    EXPECT_EQ(audio->sample_rate, 48000);
    EXPECT_EQ(audio->channels, 1);
    ASSERT_EQ(facts.audio.size(), 1u);
    EXPECT_NEAR(facts.audio[0].seconds(), 2.0, 0.1);
    EXPECT_NEAR(RmsDbfs(facts.audio[0]), -21.1, 1.0);  // sine makes a tone of amplitude 1/8
    EXPECT_EQ(facts.jpeg.substr(0, 2), "\xff\xd8");
    EXPECT_EQ(facts.jpeg.substr(facts.jpeg.size() - 2), "\xff\xd9");
  }
}

TEST_P(DecoderTest, AgreesWithThePlaylistThatNamesTheSegments) {
  const Clip& clip = MakeClip(kMovingVideo, kTone, 6, GetParam());
  HlsPlaylist playlist = ParseHlsPlaylist(clip.playlist);
  EXPECT_THAT(playlist.findings, IsEmpty());
  ASSERT_EQ(playlist.media.segments.size(), clip.segments.size());
  EXPECT_EQ(playlist.media.segments[0].map != nullptr, GetParam() == ClipKind::kFmp4);
}

TEST_P(DecoderTest, DecodesEveryPictureWhenAsked) {
  const Clip& clip = MakeClip(kMovingVideo, kTone, 6, GetParam());
  SegmentFacts facts = DecodeSegment(clip.init, clip.segments[0], {.every_picture = true});
  EXPECT_EQ(facts.pictures.size(), 50u);
  EXPECT_TRUE(facts.ok()) << facts.words;
}

TEST_P(DecoderTest, NamesATruncatedSegmentAndKeepsWhatItHolds) {
  const Clip& clip = MakeClip(kMovingVideo, kTone, 6, GetParam());
  const std::string& whole = clip.segments[1];
  SegmentFacts facts = DecodeSegment(clip.init, whole.substr(0, whole.size() * 3 / 4 + 7));
  EXPECT_EQ(facts.problem, SegmentProblem::kTruncated);
  EXPECT_THAT(facts.words, HasSubstr("truncated: "));
  EXPECT_FALSE(facts.streams.empty());
}

TEST_P(DecoderTest, EndsOnItsCpuBudgetAndSaysThatItIsOurs) {
  const Clip& clip = MakeClip(kMovingVideo, kTone, 6, GetParam());
  SegmentFacts facts = DecodeSegment(clip.init, clip.segments[0], {.cpu_budget = absl::ZeroDuration()});
  EXPECT_EQ(facts.problem, SegmentProblem::kOutOfTime);
  EXPECT_TRUE(IsOurs(facts.problem));
}

TEST_P(DecoderTest, RefusesPicturesAboveThePixelBound) {
  const Clip& clip = MakeClip(kMovingVideo, kTone, 6, GetParam());
  SegmentFacts facts = DecodeSegment(clip.init, clip.segments[0], {.max_pixels = 1000});
  EXPECT_THAT(facts.pictures, IsEmpty());
  EXPECT_EQ(facts.problem, SegmentProblem::kUndecodable) << facts.words;
}

TEST_P(DecoderTest, BoundsTheSoundItKeeps) {
  const Clip& clip = MakeClip(kMovingVideo, kTone, 6, GetParam());
  SegmentFacts facts = DecodeSegment(clip.init, clip.segments[0], {.max_audio_seconds = 0.5});
  ASSERT_EQ(facts.audio.size(), 1u);
  EXPECT_LE(facts.audio[0].seconds(), 0.5);
  EXPECT_TRUE(facts.audio[0].cut);
}

TEST_P(DecoderTest, SurvivesCorruptBytes) {
  const Clip& clip = MakeClip(kMovingVideo, kTone, 6, GetParam());
  std::mt19937 random(20260314);
  for (int round = 0; round < 60; ++round) {
    std::string init = clip.init;
    std::string segment = clip.segments[static_cast<size_t>(round) % 3];
    const int flips = 1 << (round % 12);
    for (int i = 0; i < flips; ++i) segment[random() % segment.size()] = static_cast<char>(random());
    if (round % 4 == 0 && !init.empty()) init[random() % init.size()] = static_cast<char>(random());
    if (round % 5 == 0) segment.resize(random() % segment.size());
    SegmentFacts facts = DecodeSegment(init, segment, {.make_jpeg = true});
    EXPECT_LT(facts.cpu_time, absl::Seconds(10));
    if (!facts.ok()) EXPECT_FALSE(facts.words.empty());
  }
}

TEST(DecodeSegmentTest, TellsWhatCameInsteadOfMedia) {
  struct Row {
    std::string segment;
    SegmentProblem problem;
    const char* words;
  };
  std::string noise(20'000, '\0');
  std::mt19937 random(1);
  for (char& c : noise) c = static_cast<char>(random() % 0x46 + 1);
  for (const Row& row : std::vector<Row>{
           {"", SegmentProblem::kEmpty, "zero bytes"},
           {"<!DOCTYPE html><html><body>Not found</body></html>", SegmentProblem::kNotMedia,
            "an HTML page instead of a segment"},
           {"{\"error\":\"token expired\"}", SegmentProblem::kNotMedia, "a JSON document instead of a segment"},
           {noise, SegmentProblem::kNotMedia, "garbage bytes: not MPEG-TS"}}) {
    SegmentFacts facts = DecodeSegment("", row.segment);
    EXPECT_EQ(facts.problem, row.problem) << facts.words;
    EXPECT_THAT(facts.words, HasSubstr(row.words));
    EXPECT_FALSE(IsOurs(facts.problem));
  }
}

TEST(DecodeSegmentTest, NamesAMissingInitialisationSegment) {
  const Clip& clip = MakeClip(kMovingVideo, kTone, 6, ClipKind::kFmp4);
  SegmentFacts facts = DecodeSegment("", clip.segments[0]);
  EXPECT_EQ(facts.problem, SegmentProblem::kNoInit);
  EXPECT_THAT(facts.words, HasSubstr("no moov"));
  facts = DecodeSegment(clip.segments[1], clip.segments[0]);
  EXPECT_EQ(facts.problem, SegmentProblem::kNoInit);
}

TEST(DecodeSegmentTest, NamesGarbageBeforeATransportStream) {
  const Clip& clip = MakeClip(kMovingVideo, kTone, 6, ClipKind::kTs);
  SegmentFacts facts = DecodeSegment("", std::string(100, '\x01') + clip.segments[0]);
  EXPECT_EQ(facts.problem, SegmentProblem::kNotMedia);
  EXPECT_THAT(facts.words, HasSubstr("100 garbage bytes before the first MPEG-TS packet"));
  EXPECT_EQ(facts.pictures.size(), 1u);
}

TEST(DecodeSegmentTest, SeesASegmentThatDoesNotStartWithAKeyframe) {
  const Clip& clip = MakeClip(kMovingVideo, kTone, 6, ClipKind::kTs);
  // Cut in the middle of a GOP at a packet border, with the tables of the beginning kept.
  std::string late = clip.segments[0].substr(0, 188 * 3) +
                     clip.segments[0].substr(clip.segments[0].size() / 188 / 2 * 188) + clip.segments[1];
  SegmentFacts facts = DecodeSegment("", late);
  ASSERT_NE(facts.First(MediaKind::kVideo), nullptr);
  EXPECT_FALSE(facts.First(MediaKind::kVideo)->starts_with_keyframe);
  EXPECT_EQ(facts.First(MediaKind::kVideo)->keyframes, 1);
}

TEST(DecodeSegmentTest, DecodesSoundAloneAndSeveralChannels) {
  const Clip& clip = MakeClip("", "sine=f=300:r=48000,pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0", 4, ClipKind::kFmp4);
  SegmentFacts facts = DecodeSegment(clip.init, clip.segments[0]);
  ASSERT_TRUE(facts.ok()) << facts.words;
  ASSERT_EQ(facts.streams.size(), 1u);
  EXPECT_EQ(facts.streams[0].channels, 6);
  ASSERT_EQ(facts.audio.size(), 1u);
  EXPECT_EQ(facts.audio[0].channels, 2);
  EXPECT_GT(RmsDbfs(facts.audio[0]), -30);
}

TEST(DecodeSegmentTest, ReadsHevcTenBit) {
  const Clip& clip = MakeClip("testsrc2=s=320x180:r=50", "", 2, ClipKind::kFmp4,
                              "-c:v libx265 -pix_fmt yuv420p10le -tag:v hvc1 -x265-params log-level=none:pools=1");
  SegmentFacts facts = DecodeSegment(clip.init, clip.segments[0]);
  ASSERT_TRUE(facts.ok()) << facts.words;
  const StreamFacts* video = facts.First(MediaKind::kVideo);
  EXPECT_THAT(video->codec.words, HasSubstr("HEVC Main 10 level"));
  EXPECT_NEAR(video->frame_rate, 50, 0.2);
  ASSERT_FALSE(facts.pictures.empty());
  EXPECT_NEAR(facts.pictures[0].mean_luma, 110, 40);
}

TEST(DecodeSegmentTest, DoesNotDecodeWhatIsEncrypted) {
  const Clip& clip = MakeClip(kMovingVideo, "", 2, ClipKind::kFmp4);
  // The same initialisation segment as a packager would write it for CENC: encv with a sinf box at its end.
  std::string init = clip.init;
  const size_t avc1 = init.find("avc1", init.find("stsd"));
  ASSERT_NE(avc1, std::string::npos);
  auto box = [](const std::string& type, const std::string& body) {
    const auto size = static_cast<uint32_t>(body.size() + 8);
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(size >> shift));
    return out + type + body;
  };
  const std::string zeros(4, '\0');
  const std::string tenc = box("tenc", zeros + std::string("\0\0\1\x08", 4) + std::string(16, '\x11'));
  const std::string sinf =
      box("sinf", box("frma", "avc1") + box("schm", zeros + "cbcs" + std::string("\0\1\0\0", 4)) + box("schi", tenc));
  auto size_at = [&init](size_t at) {
    uint32_t value = 0;
    for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(init[at + i]);
    return value;
  };
  const size_t entry_end = avc1 - 4 + size_at(avc1 - 4);
  init.replace(avc1, 4, "encv");
  init.insert(entry_end, sinf);
  size_t from = 0;
  std::vector<size_t> sizes = {avc1 - 4};
  for (const char* name : {"moov", "trak", "mdia", "minf", "stbl", "stsd"}) {
    from = init.find(name, from);
    ASSERT_NE(from, std::string::npos);
    sizes.push_back(from - 4);
  }
  for (size_t at : sizes) {
    const uint32_t grown = size_at(at) + static_cast<uint32_t>(sinf.size());
    for (size_t i = 0; i < 4; ++i) init[at + i] = static_cast<char>(grown >> (24 - 8 * i));
  }
  SegmentFacts facts = DecodeSegment(init, clip.segments[0]);
  ASSERT_FALSE(facts.streams.empty()) << facts.words;
  EXPECT_TRUE(facts.streams[0].encrypted);
  EXPECT_EQ(facts.streams[0].encryption_scheme, "cbcs");
  EXPECT_THAT(facts.pictures, IsEmpty());
  EXPECT_TRUE(facts.ok()) << facts.words;
  ContainerFacts container = InspectContainer(init, clip.segments[0]);
  EXPECT_EQ(container.default_key_id.begin()->second, std::string(32, '1'));
}

TEST(DecodeSegmentTest, RefusesMoreBytesThanItsBound) {
  SegmentFacts facts = DecodeSegment("", std::string(2000, 'G'), {.max_bytes = 1000});
  EXPECT_EQ(facts.problem, SegmentProblem::kTooLarge);
}

}  // namespace
}  // namespace puckdrop::media
