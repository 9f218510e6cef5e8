#include "checks/media/device_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace puckdrop::media {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const DeviceProfiles& Profiles() {
  static const auto* const profiles = [] {
    auto loaded = LoadBuiltInDeviceProfiles();
    if (!loaded.ok()) ADD_FAILURE() << loaded.status();
    return new DeviceProfiles(loaded.ok() ? *std::move(loaded) : DeviceProfiles({}));
  }();
  return *profiles;
}

VariantFacts Facts(const char* codecs, int width, int height, double rate, Container container) {
  VariantFacts facts;
  facts.codecs = ParseCodecList(codecs);
  facts.width = width;
  facts.height = height;
  facts.frame_rate = rate;
  facts.container = container;
  return facts;
}

TEST(DeviceProfilesTest, EveryBuiltInRowIsReadableAndNamesItsSource) {
  ASSERT_GE(Profiles().all().size(), 40u);
  for (const DeviceProfile& profile : Profiles().all()) {
    EXPECT_FALSE(profile.source.empty()) << profile.id;
    EXPECT_EQ(profile.date.size(), 10u) << profile.id;
    EXPECT_FALSE(profile.video.empty()) << profile.id;
    EXPECT_THAT(profile.audio, Contains(CodecFamily::kAac)) << profile.id;
    // The plainest sports variant plays everywhere in TS; whoever cannot is no device of ours.
    FitResult fit = Fit(profile, Facts("avc1.64001f,mp4a.40.2", 1280, 720, 25, Container::kMpegTs));
    EXPECT_TRUE(fit.fits) << fit.sentence;
  }
  EXPECT_NE(Profiles().Find("samsung_2018_tizen4.0"), nullptr);
  EXPECT_NE(Profiles().Find("chrome_desktop"), nullptr);
  EXPECT_EQ(Profiles().Find("nokia_3310"), nullptr);
}

struct Row {
  const char* device;
  const char* codecs;
  int width, height;
  double rate;
  Container container;
  const char* dimension;  // "" fits
};

TEST(FitTest, NamesTheFirstDimensionThatFails) {
  const Container ts = Container::kMpegTs;
  const Container mp4 = Container::kFmp4;
  const std::vector<Row> table = {
      // The freeze that a naive comparison with the highest level passes: 5.1 belongs to UHD.
      {"samsung_2018_tizen4.0", "avc1.640033,mp4a.40.2", 1920, 1080, 50, ts, "level"},
      {"samsung_2018_tizen4.0", "avc1.640029,mp4a.40.2", 1920, 1080, 50, ts, ""},
      {"samsung_2018_tizen4.0", "avc1.64002a,mp4a.40.2", 1920, 1080, 50, ts, "level"},
      {"samsung_2020_tizen5.5", "avc1.64002a,mp4a.40.2", 1920, 1080, 50, ts, ""},
      {"samsung_2018_tizen4.0", "avc1.640033,mp4a.40.2", 3840, 2160, 50, ts, ""},
      {"samsung_2018_tizen4.0", "hvc1.2.4.L153.B0,mp4a.40.2", 7680, 4320, 50, ts, "resolution"},
      // fMP4 only from Tizen 5, webOS 3.5 and iOS 11.
      {"samsung_2018_tizen4.0", "avc1.640028,mp4a.40.2", 1920, 1080, 50, mp4, "container"},
      {"samsung_2019_tizen5.0", "avc1.640028,mp4a.40.2", 1920, 1080, 50, mp4, ""},
      {"lg_webos3.0_2016", "avc1.640028,mp4a.40.2", 1920, 1080, 50, mp4, "container"},
      {"lg_webos3.5_2017", "avc1.640028,mp4a.40.2", 1920, 1080, 50, mp4, ""},
      {"iphone_ios11", "avc1.640028,mp4a.40.2", 1920, 1080, 50, mp4, ""},
      // hls.js remultiplexes TS, so Chrome plays both.
      {"chrome_desktop", "avc1.64002a,mp4a.40.2", 1920, 1080, 60, ts, ""},
      {"chrome_desktop", "avc1.64002a,mp4a.40.2", 1920, 1080, 60, mp4, ""},
      {"chrome_desktop", "avc1.64002a,ac-3", 1920, 1080, 60, mp4, "audio_codec"},
      {"chrome_desktop", "avc1.6e0033,mp4a.40.2", 1920, 1080, 60, mp4, "profile"},
      {"iphone_ios11", "hvc1.1.6.L123.B0,mp4a.40.2", 1920, 1080, 50, ts, "container"},
      {"iphone_ios11", "hvc1.1.6.L123.B0,mp4a.40.2", 1920, 1080, 50, mp4, ""},
      {"xbox_series_x", "avc1.640033,mp4a.40.2", 3840, 2160, 50, mp4, "resolution"},
      {"xbox_one_2013", "hvc1.1.6.L123.B0,mp4a.40.2", 1920, 1080, 50, mp4, "codec"},
      {"firetv_stick_2", "hvc1.2.4.L120.B0,mp4a.40.2", 1920, 1080, 25, ts, "profile"},
      {"chromecast_gen1_2", "avc1.640029,mp4a.40.2", 1920, 1080, 50, ts, "frame_rate"},
      {"chromecast_gen1_2", "avc1.640029,mp4a.40.2", 1280, 720, 50, ts, ""},
      {"lg_webos4.x_2018_19", "avc1.640033,mp4a.40.2", 3840, 2160, 50, mp4, "frame_rate"},
      {"samsung_2022_tizen6.5", "dvh1.05.06,ec-3", 3840, 2160, 50, mp4, "codec"},
      {"apple_tv_hd", "av01.0.08M.08,mp4a.40.2", 1920, 1080, 30, mp4, "codec"},
      {"ps5", "xyz1.2,mp4a.40.2", 1920, 1080, 30, mp4, "codec"},
  };
  for (const Row& row : table) {
    const DeviceProfile* profile = Profiles().Find(row.device);
    ASSERT_NE(profile, nullptr) << row.device;
    FitResult fit = Fit(*profile, Facts(row.codecs, row.width, row.height, row.rate, row.container));
    EXPECT_EQ(fit.dimension, row.dimension) << row.device << " " << row.codecs << ": " << fit.sentence;
    EXPECT_EQ(fit.fits, std::string(row.dimension).empty());
    EXPECT_EQ(fit.sentence.empty(), fit.fits);
  }
}

TEST(FitTest, SpeaksForANotice) {
  FitResult fit = Fit(*Profiles().Find("samsung_2018_tizen4.0"),
                      Facts("avc1.640033,mp4a.40.2", 1920, 1080, 50, Container::kMpegTs));
  EXPECT_EQ(
      fit.sentence,
      "Does not play on Samsung television of 2018 (Tizen 4.0): the stream says H.264 level 5.1 at 1920x1080, and the "
      "device decodes at most level 4.1 at that size.");
}

TEST(FitTest, JudgesProtection) {
  VariantFacts facts = Facts("avc1.640028,mp4a.40.2", 1920, 1080, 50, Container::kFmp4);
  facts.drm_systems = {"widevine", "playready"};
  facts.encryption_scheme = "cbcs";
  EXPECT_EQ(Fit(*Profiles().Find("iphone_ios11"), facts).dimension, "drm");
  EXPECT_EQ(Fit(*Profiles().Find("samsung_2020_tizen5.5"), facts).dimension, "encryption_scheme");
  EXPECT_TRUE(Fit(*Profiles().Find("chrome_desktop"), facts).fits);
  facts.video_range = "PQ";
  EXPECT_EQ(Fit(*Profiles().Find("apple_tv_hd"), facts).dimension, "video_range");
}

TEST(FitTest, SaysWhatItCouldNotJudge) {
  FitResult fit = Fit(*Profiles().Find("chrome_desktop"), VariantFacts{});
  EXPECT_TRUE(fit.fits);
  EXPECT_THAT(fit.not_judged, Contains("codec"));
  EXPECT_THAT(fit.not_judged, Contains("container"));
  fit = Fit(*Profiles().Find("chrome_desktop"), Facts("hvc1.1.6.L123.B0", 1920, 1080, 50, Container::kFmp4));
  EXPECT_TRUE(fit.fits);
  EXPECT_THAT(fit.not_judged, Contains(HasSubstr("hardware decoder")));
}

TEST(FitTest, TakesItsFactsFromAPlaylist) {
  HlsPlaylist playlist = ParseHlsPlaylist(
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1.640033,mp4a.40.2\",RESOLUTION=1920x1080,FRAME-RATE=50\nx."
      "m3u8\n");
  VariantFacts facts = FactsOf(playlist.multivariant.variants.at(0), Container::kMpegTs);
  EXPECT_EQ(Fit(*Profiles().Find("samsung_2018_tizen4.0"), facts).dimension, "level");
}

constexpr char kRow[] =
    "profiles:\n"
    "  - id: a_tv\n"
    "    name: A television\n"
    "    class: tv\n"
    "    source: \"somewhere & elsewhere\"\n"
    "    date: 2026-01-02\n"
    "    confidence: read\n"
    "    video:\n"
    "      - codec: avc\n"
    "        profiles: [100]\n"
    "        bands:\n"
    "          - {size: 1920x1080, fps: 60, level: \"4.1\"}\n"
    "    audio: [aac]\n"
    "    hls: {player: native, containers: [ts]}\n"
    "    video_ranges: [SDR]\n"
    "    dolby_vision_profiles: []\n"
    "    drm: []\n"
    "    encryption_schemes: [cenc]\n";

TEST(ParseDeviceProfilesTest, NamesFileLineAndFixOfAMistake) {
  ASSERT_TRUE(ParseDeviceProfiles(kRow, "x.yaml").ok()) << ParseDeviceProfiles(kRow, "x.yaml").status();
  struct Mistake {
    const char* from;
    const char* to;
    const char* message;
  };
  for (const Mistake& mistake : std::vector<Mistake>{
           {"id: a_tv", "id: A-TV", "x.yaml:2:9: the id \"A-TV\" may hold a-z, 0-9, _ and . only"},
           {"class: tv", "class: toaster", "x.yaml:4:12: \"class\" must be one of browser, console, phone, stick, tv"},
           {"    audio: [aac]\n", "", "x.yaml:2:5: \"audio\" is missing"},
           {"audio: [aac]", "audio: [mp7]", "x.yaml:13:12: unknown codec \"mp7\""},
           {"codec: avc", "codec: cinepak", "x.yaml:9:16: unknown codec \"cinepak\""},
           {"size: 1920x1080", "size: FHD", "x.yaml:12:20: \"size\" must be WIDTHxHEIGHT"},
           {"level: \"4.1\"", "level: high", "x.yaml:12:13: \"level\" must be a number like 5.1"},
           {"containers: [ts]", "containers: [avi]", "x.yaml:14:40: \"avi\" is not one of fmp4, ts"},
           {"date: 2026-01-02", "date: yesterday", "x.yaml:6:11: \"date\" must be YYYY-MM-DD"},
           {"    drm: []\n", "    drm: []\n    dmr: []\n", "x.yaml:18:5: unknown key \"dmr\" in a profile"},
           {"[100]", "[100", "x.yaml:"},
           {"drm: []", "drm: &x []", "x.yaml: anchors and aliases are not allowed"}}) {
    std::string text = kRow;
    size_t at = text.find(mistake.from);
    ASSERT_NE(at, std::string::npos) << mistake.from;
    text.replace(at, std::string(mistake.from).size(), mistake.to);
    auto parsed = ParseDeviceProfiles(text, "x.yaml");
    ASSERT_FALSE(parsed.ok()) << mistake.to;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(mistake.message));
  }
  auto twice = ParseDeviceProfiles(absl::StrCat(kRow, std::string(kRow).substr(10)), "x.yaml");
  EXPECT_THAT(std::string(twice.status().message()), HasSubstr("\"a_tv\" appears twice"));
}

}  // namespace
}  // namespace puckdrop::media
