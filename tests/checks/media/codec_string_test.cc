#include "checks/media/codec_string.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace puckdrop::media {
namespace {

struct Row {
  const char* text;
  CodecFamily family;
  int profile;
  int level;
  int bit_depth;
  const char* words;
};

TEST(CodecStringTest, ReadsTheStringsOfRealLadders) {
  const std::vector<Row> table = {
      {"avc1.42c01e", CodecFamily::kAvc, 66, 30, 8, "H.264 Constrained Baseline level 3"},
      {"avc1.42001e", CodecFamily::kAvc, 66, 30, 8, "H.264 Baseline level 3"},
      {"avc1.4D401F", CodecFamily::kAvc, 77, 31, 8, "H.264 Main level 3.1"},
      {"avc1.640028", CodecFamily::kAvc, 100, 40, 8, "H.264 High level 4"},
      {"avc3.640033", CodecFamily::kAvc, 100, 51, 8, "H.264 High level 5.1"},
      {"avc1.6E0033", CodecFamily::kAvc, 110, 51, 10, "H.264 High 10 level 5.1"},
      {"avc1.42100b", CodecFamily::kAvc, 66, 9, 8, "H.264 Baseline level 1b"},
      {"avc1.66.30", CodecFamily::kAvc, 66, 30, 8, "H.264 Baseline level 3"},
      {"hvc1.1.6.L123.B0", CodecFamily::kHevc, 1, 41, 8, "HEVC Main level 4.1"},
      {"hev1.2.4.L153.B0", CodecFamily::kHevc, 2, 51, 10, "HEVC Main 10 level 5.1"},
      {"hvc1.2.20000000.H150.90", CodecFamily::kHevc, 2, 50, 10, "HEVC Main 10 level 5 (high tier)"},
      {"hvc1.A4.41.H120.B0.23", CodecFamily::kHevc, 4, 40, 0, "HEVC Range Extensions level 4 (high tier)"},
      {"hvc1.1.80000000.L93", CodecFamily::kHevc, 1, 31, 8, "HEVC Main level 3.1"},
      {"dvh1.05.06", CodecFamily::kDolbyVision, 5, -1, 10, "Dolby Vision profile 5 level 6"},
      {"av01.0.04M.10", CodecFamily::kAv1, 0, 30, 10, "AV1 Main level 3 10-bit"},
      {"av01.0.13M.08.0.110.01.01.01.0", CodecFamily::kAv1, 0, 51, 8, "AV1 Main level 5.1 8-bit"},
      {"vp09.02.51.10", CodecFamily::kVp9, 2, 51, 10, "VP9 profile 2 level 5.1 10-bit"},
      {"vp9", CodecFamily::kVp9, -1, -1, 0, "VP9"},
      {"mp4a.40.2", CodecFamily::kAac, 2, -1, 0, "AAC-LC"},
      {"mp4a.40.5", CodecFamily::kAac, 5, -1, 0, "HE-AAC"},
      {"mp4a.40.29", CodecFamily::kAac, 29, -1, 0, "HE-AAC v2"},
      {"mp4a.40.34", CodecFamily::kMp3, 34, -1, 0, "MP3"},
      {"mp4a.a6", CodecFamily::kEac3, -1, -1, 0, "Dolby Digital Plus (E-AC-3)"},
      {"ac-3", CodecFamily::kAc3, -1, -1, 0, "Dolby Digital (AC-3)"},
      {"ec-3", CodecFamily::kEac3, -1, -1, 0, "Dolby Digital Plus (E-AC-3)"},
      {"Opus", CodecFamily::kOpus, -1, -1, 0, "Opus"},
      {"fLaC", CodecFamily::kFlac, -1, -1, 0, "FLAC"},
      {"stpp.ttml.im1t", CodecFamily::kTtml, -1, -1, 0, "TTML"},
      {"wvtt", CodecFamily::kWebVtt, -1, -1, 0, "WebVTT"},
      {"xyz9.1", CodecFamily::kUnknown, -1, -1, 0, "unknown codec xyz9.1"},
  };
  for (const Row& row : table) {
    auto info = ParseCodecString(row.text);
    ASSERT_TRUE(info.ok()) << row.text << ": " << info.status();
    EXPECT_EQ(info->family, row.family) << row.text;
    EXPECT_EQ(info->profile, row.profile) << row.text;
    EXPECT_EQ(info->level, row.level) << row.text;
    EXPECT_EQ(info->bit_depth, row.bit_depth) << row.text;
    EXPECT_EQ(info->words, row.words) << row.text;
  }
}

TEST(CodecStringTest, RefusesWhatNoPlayerCouldRead) {
  for (const char* text : {"",
                           "avc1.64",
                           "avc1.64002",
                           "avc1.64002g",
                           "avc1.6400288",
                           "hvc1.1.6",
                           "hvc1.1.6.M93.B0",
                           "hvc1.x.6.L93",
                           "hvc1.1.6.L93.1234",
                           "av01.0.4M.10",
                           "av01.3.04M.10",
                           "av01.0.04M.9",
                           "vp09.02",
                           "vp09.04.10.08",
                           "mp4a.40.x",
                           "mp4a.40.0",
                           "mp4a.zz",
                           "dvh1.5",
                           "a b",
                           "a\nb"}) {
    EXPECT_FALSE(ParseCodecString(text).ok()) << text;
  }
  EXPECT_EQ(ParseCodecString("avc1.64").status().message(),
            "codec \"avc1.64\": expected six hexadecimal digits: profile, constraints, level");
}

TEST(CodecStringTest, ReadsAListAndKeepsWhatItCannotRead) {
  auto codecs = ParseCodecList("avc1.640028, mp4a.40.2,avc1.zz");
  ASSERT_EQ(codecs.size(), 3u);
  EXPECT_EQ(codecs[0].kind, MediaKind::kVideo);
  EXPECT_EQ(codecs[1].kind, MediaKind::kAudio);
  EXPECT_EQ(codecs[2].family, CodecFamily::kUnknown);
  EXPECT_EQ(codecs[2].words, "unreadable codec \"avc1.zz\"");
}

TEST(CodecStringTest, WritesWhatItReads) {
  for (const CodecInfo& made : {MakeAvcCodec(100, 0, 51), MakeHevcCodec(2, false, 153), MakeAacCodec(2)}) {
    auto read = ParseCodecString(made.text);
    ASSERT_TRUE(read.ok()) << made.text;
    EXPECT_EQ(read->words, made.words);
    EXPECT_EQ(read->level, made.level);
  }
}

TEST(CodecStringTest, NamesEveryFamilyBothWays) {
  EXPECT_EQ(CodecFamilyOf(CodecFamilyId(CodecFamily::kHevc)), CodecFamily::kHevc);
  EXPECT_EQ(CodecFamilyOf("no such"), CodecFamily::kUnknown);
}

}  // namespace
}  // namespace puckdrop::media
