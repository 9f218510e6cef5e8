#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "checks/media/decoder.h"
#include "checks/media/picture.h"
#include "checks/media/sound.h"
#include "clips.h"

namespace puckdrop::media {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Decoded {
  std::vector<PictureFacts> pictures;
  std::vector<AudioBlock> audio;
};

Decoded DecodeAll(const Clip& clip) {
  Decoded all;
  SegmentDecoder decoder;
  for (const std::string& segment : clip.segments) {
    SegmentFacts facts = decoder.Decode(clip.init, segment);
    EXPECT_TRUE(facts.ok()) << facts.words;
    for (auto& picture : facts.pictures) all.pictures.push_back(std::move(picture));
    for (auto& block : facts.audio) all.audio.push_back(std::move(block));
  }
  return all;
}

AudioBlock Tone(double pts, double seconds, double amplitude, double frequency = 500, int rate = 48000) {
  AudioBlock block;
  block.sample_rate = rate;
  block.channels = 1;
  block.pts_seconds = pts;
  const auto count = static_cast<size_t>(seconds * rate);
  for (size_t i = 0; i < count; ++i) {
    block.samples.push_back(
        static_cast<float>(amplitude * std::sin(2 * M_PI * frequency * (pts + static_cast<double>(i) / rate))));
  }
  return block;
}

PictureFacts Flat(double pts, uint8_t luma) {
  std::vector<uint8_t> plane(static_cast<size_t>(160 * 90), luma);
  PictureFacts picture = ReduceLuma(plane.data(), 160, 160, 90, 8, false);
  picture.pts_seconds = pts;
  return picture;
}

TEST(ReduceLumaTest, GivesMeansOfAnyShapeAndDepth) {
  std::vector<uint8_t> plane(static_cast<size_t>(64 * 40));
  for (size_t i = 0; i < plane.size(); ++i) plane[i] = i % 64 < 32 ? 16 : 200;
  PictureFacts small = ReduceLuma(plane.data(), 64, 64, 40, 8, false);
  EXPECT_NEAR(small.mean_luma, 108, 0.01);
  EXPECT_NEAR(small.dark_ratio, 0.5, 0.001);
  ASSERT_EQ(small.blocks.size(), size_t{kBlockColumns} * kBlockRows);
  EXPECT_EQ(small.blocks[0], 16 * 256);
  EXPECT_EQ(small.blocks[kBlockColumns - 1], 200 * 256);
  std::vector<uint16_t> deep(plane.size());
  for (size_t i = 0; i < plane.size(); ++i) deep[i] = static_cast<uint16_t>(plane[i] * 4);
  PictureFacts ten_bit = ReduceLuma(reinterpret_cast<const uint8_t*>(deep.data()), 128, 64, 40, 10, false);
  EXPECT_NEAR(ten_bit.mean_luma, small.mean_luma, 0.01);
  EXPECT_NEAR(ten_bit.dark_ratio, small.dark_ratio, 0.001);
  EXPECT_EQ(BlockDifference(small, ten_bit), 0);
  EXPECT_THAT(ReduceLuma(nullptr, 0, 0, 0, 8, false).blocks, IsEmpty());
}

TEST(ReduceLumaTest, KnowsBlackOfFullAndLimitedRange) {
  std::vector<uint8_t> plane(static_cast<size_t>(160 * 90), 30);
  EXPECT_EQ(ReduceLuma(plane.data(), 160, 160, 90, 8, false).dark_ratio, 1);
  EXPECT_EQ(ReduceLuma(plane.data(), 160, 160, 90, 8, true).dark_ratio, 0);
}

TEST(PictureTest, ShortBlackIsNotReportedAndLongBlackIsTo) {
  std::vector<PictureFacts> pictures;
  for (int i = 0; i < 10; ++i) pictures.push_back(Flat(i, i == 2 || (i >= 5 && i <= 8) ? 16 : 120));
  auto black = FindBlack(pictures);
  ASSERT_THAT(black, SizeIs(1));
  EXPECT_EQ(black[0].begin, 5);
  EXPECT_EQ(black[0].end, 8);
  EXPECT_EQ(black[0].before_end, 9);
}

TEST(PictureTest, AHoleOrAClockThatGoesBackEndsAStretch) {
  std::vector<PictureFacts> pictures = {Flat(0, 16),   Flat(1, 16),  Flat(100, 16),
                                        Flat(101, 16), Flat(50, 16), Flat(51, 16)};
  EXPECT_THAT(FindBlack(pictures), IsEmpty());
}

class MediaTest : public testing::TestWithParam<ClipKind> {};
INSTANTIATE_TEST_SUITE_P(Containers, MediaTest, testing::Values(ClipKind::kTs, ClipKind::kFmp4),
                         [](const auto& param) { return param.param == ClipKind::kTs ? "Ts" : "Fmp4"; });

TEST_P(MediaTest, MovingPicturesAndSoundHaveNoFault) {
  Decoded all = DecodeAll(MakeClip(kMovingVideo, CrowdSource(), 12, GetParam()));
  ASSERT_EQ(all.pictures.size(), 6u);
  for (size_t i = 1; i < all.pictures.size(); ++i) {
    EXPECT_GE(BlockDifference(all.pictures[i - 1], all.pictures[i]), 8) << i;
  }
  EXPECT_THAT(FindBlack(all.pictures), IsEmpty());
  EXPECT_THAT(FindFrozen(all.pictures), IsEmpty());
  EXPECT_THAT(FindSilence(all.audio), IsEmpty());
}

TEST_P(MediaTest, FindsBlackAndDoesNotCallItFrozen) {
  Decoded all = DecodeAll(MakeClip("color=black:s=320x180:r=25", CrowdSource(), 8, GetParam()));
  auto black = FindBlack(all.pictures);
  ASSERT_THAT(black, SizeIs(1));
  EXPECT_NEAR(black[0].seconds(), 6, 0.1);
  EXPECT_THAT(FindFrozen(all.pictures), IsEmpty());
}

TEST_P(MediaTest, FindsAReencodedStillWithNoise) {
  // A still with fresh camera noise in every picture: what an encoder makes of a frozen source.
  Decoded all =
      DecodeAll(MakeClip("testsrc2=s=320x180:r=25,trim=end_frame=100,loop=loop=-1:size=1:start=99,noise=alls=4:allf=t",
                         CrowdSource(), 14, GetParam()));
  auto frozen = FindFrozen(all.pictures);
  ASSERT_THAT(frozen, SizeIs(1));
  EXPECT_GE(frozen[0].seconds(), 7.9);
  EXPECT_THAT(FindBlack(all.pictures), IsEmpty());
}

TEST_P(MediaTest, FindsSilenceAndItsPlace) {
  Decoded all =
      DecodeAll(MakeClip(kMovingVideo, CrowdSource() + ",volume=0:enable=between(t\\,3\\,10)", 12, GetParam()));
  auto silent = FindSilence(all.audio);
  ASSERT_THAT(silent, SizeIs(1));
  EXPECT_NEAR(silent[0].seconds(), 7, 0.3);
  EXPECT_NEAR(silent[0].begin - all.audio[0].pts_seconds, 3, 0.2);
}

TEST_P(MediaTest, TellsCommentaryFromACopyOfTheCrowd) {
  const Clip& crowd = MakeClip("", CrowdSource(), 10, GetParam());
  const Clip& copy = MakeClip("", CrowdSource(), 10, GetParam(), "-b:a 96k");
  const Clip& commentary = MakeClip("", CommentarySource(), 10, GetParam());
  Decoded a = DecodeAll(crowd);
  TrackLikeness same = CompareTracks(a.audio, DecodeAll(crowd).audio);
  ASSERT_TRUE(same.comparable) << same.reason;
  EXPECT_GT(same.correlation, 0.9999);
  EXPECT_TRUE(same.IdenticalCopy());
  TrackLikeness reencoded = CompareTracks(a.audio, DecodeAll(copy).audio);
  EXPECT_GT(reencoded.correlation, 0.98);
  TrackLikeness spoken = CompareTracks(a.audio, DecodeAll(commentary).audio);
  ASSERT_TRUE(spoken.comparable) << spoken.reason;
  EXPECT_LT(spoken.correlation, 0.9);
  EXPECT_GT(spoken.correlation, 0.1);  // the crowd under it is the same
  EXPECT_LT(spoken.lowest_window, spoken.correlation);
  EXPECT_FALSE(spoken.IdenticalCopy());
  RecordProperty("reencoded", std::to_string(reencoded.correlation));
  RecordProperty("spoken", std::to_string(spoken.correlation));
}

TEST(SoundTest, FindsTheLagOfADelayedCopy) {
  Decoded crowd = DecodeAll(MakeClip("", CrowdSource(), 6, ClipKind::kTs));
  std::vector<AudioBlock> late = crowd.audio;
  for (AudioBlock& block : late) block.pts_seconds += 0.12;
  TrackLikeness likeness = CompareTracks(crowd.audio, late);
  EXPECT_GT(likeness.correlation, 0.98);
  EXPECT_NEAR(likeness.lag_seconds, 0.12, 0.001);
  for (AudioBlock& block : late) block.pts_seconds += 0.4;
  EXPECT_LT(CompareTracks(crowd.audio, late).correlation, 0.3);
}

TEST(SoundTest, DoesNotCompareSilenceOrTracksWithoutCommonTime) {
  std::vector<AudioBlock> tone = {Tone(0, 3, 0.5)};
  std::vector<AudioBlock> silence = {Tone(0, 3, 0)};
  std::vector<AudioBlock> later = {Tone(100, 3, 0.5)};
  EXPECT_FALSE(CompareTracks(tone, silence).comparable);
  EXPECT_FALSE(CompareTracks(tone, later).comparable);
  EXPECT_FALSE(CompareTracks({}, tone).IdenticalCopy());
}

TEST(SoundTest, ComparesTracksOfDifferentRates) {
  std::vector<AudioBlock> a = {Tone(10.0, 4, 0.5, 300, 48000)};
  std::vector<AudioBlock> b = {Tone(10.0, 4, 0.3, 300, 44100)};
  EXPECT_GT(CompareTracks(a, b).correlation, 0.98);
}

TEST(SoundTest, JoinsSilenceOverSegmentsButNotOverHoles) {
  std::vector<AudioBlock> blocks = {Tone(0, 2, 0), Tone(2, 2, 0.0002), Tone(4, 2, 0)};
  ASSERT_THAT(FindSilence(blocks), SizeIs(1));
  EXPECT_NEAR(FindSilence(blocks)[0].seconds(), 6, 0.01);
  blocks[2].pts_seconds = 40;
  EXPECT_THAT(FindSilence(blocks), IsEmpty());
}

TEST(SoundTest, MeasuresLoudnessAsTheStandardDefinesIt) {
  // EBU Tech 3341 case 1: a stereo tone of 1 kHz at -23 dBFS has -23 LUFS.
  AudioBlock block = Tone(0, 20, std::pow(10, -23.0 / 20), 1000);
  block.channels = 2;
  std::vector<float> stereo;
  for (float sample : block.samples) stereo.insert(stereo.end(), {sample, sample});
  block.samples = std::move(stereo);
  LoudnessMeter meter;
  EXPECT_FALSE(meter.Result());
  ASSERT_TRUE(meter.Add(block));
  auto loudness = meter.Result();
  ASSERT_TRUE(loudness);
  EXPECT_NEAR(loudness->integrated_lufs, -23, 0.1);
  EXPECT_NEAR(loudness->true_peak_dbtp, -23, 0.2);
  EXPECT_NEAR(loudness->seconds, 20, 0.01);
  EXPECT_FALSE(meter.Add(Tone(0, 1, 0.1)));  // mono after stereo
}

}  // namespace
}  // namespace puckdrop::media
