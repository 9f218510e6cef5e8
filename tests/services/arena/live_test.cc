#include <signal.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <tuple>

#include "services/arena/child_process.h"
#include "tests/services/arena/fixture.h"

namespace puckdrop::arena {
namespace {

namespace fs = std::filesystem;

// One arena with tiny pictures for all tests of this file: its stream takes six seconds to come up.
class LiveTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = ::testing::TempDir() + "arena-live-" + std::to_string(::getpid());
    ArenaOptions options;
    options.media_folder = folder_ + "/media";
    options.state_folder = ":memory:";
    options.recipe = TinyRecipe();
    options.shop.payment_time = 0;
    options.shop.activation_delay = 0;
    auto arena = Arena::Start(options);
    ASSERT_TRUE(arena.ok()) << arena.status();
    arena_ = std::move(*arena).release();
    Visitor visitor(arena_->base_url());
    visitor.SignUp("a@b.test");
    visitor.Ordered("season");
    television_ = Base(visitor.Play("samsung_2018_tizen4.0"));
    browser_ = Base(visitor.Play("chrome_desktop"));
  }

  static void TearDownTestSuite() {
    delete arena_;
    std::error_code error;
    fs::remove_all(folder_, error);
  }

  void TearDown() override { Switch({}); }

  static std::string Base(const Reply& reply) {
    const std::string url = reply.json["manifests"][0]["url"].get<std::string>();
    return url.substr(arena_->base_url().size(), url.rfind('/') + 1 - arena_->base_url().size());
  }

  static Reply Get(const std::string& path) { return Visitor(arena_->base_url()).Get(path); }

  static void Switch(const std::vector<std::string>& names) {
    Visitor office(arena_->base_url());
    office.token = "office-demo-token";
    const Reply reply = office.Post("/admin/faults", {{"set", names}});
    ASSERT_EQ(reply.status, 200) << reply.body;
  }

  static std::vector<std::string> Segments(const std::string& playlist) {
    std::vector<std::string> segments;
    std::istringstream lines(playlist);
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty() && line[0] != '#') segments.push_back(line);
    }
    return segments;
  }

  // Downloads the newest `count` segments of a rendition into one file.
  static std::string Download(const std::string& base, const std::string& rendition, size_t count) {
    return Download(base, rendition, count, Segments(Get(base + rendition + "/index.m3u8").body));
  }

  static std::string Download(const std::string& base, const std::string& rendition, size_t count,
                              const std::vector<std::string>& segments) {
    EXPECT_GE(segments.size(), count);
    const std::string path = folder_ + "/" + rendition + (base == television_ ? ".ts" : ".mp4");
    std::ofstream file(path, std::ios::binary);
    if (base == browser_) file << Get(base + rendition + "/init.mp4").body;
    for (size_t i = segments.size() - std::min(count, segments.size()); i < segments.size(); ++i) {
      const Reply reply = Get(base + rendition + "/" + segments[i]);
      EXPECT_EQ(reply.status, 200);
      file << reply.body;
    }
    return path;
  }

  static std::vector<std::string> Run(const std::vector<std::string>& argv) {
    std::vector<std::string> lines;
    const absl::Status status = RunToEnd(argv, folder_ + "/run.log", absl::Seconds(30),
                                         [&](const std::string& line) { lines.push_back(line); });
    EXPECT_TRUE(status.ok()) << status;
    return lines;
  }

  // The mean difference of block means between the pictures half a second apart, and the mean brightness.
  static std::pair<double, double> Picture(const std::string& file) {
    const std::string raw = folder_ + "/grey.raw";
    Run({"ffmpeg", "-v", "error", "-y", "-i", file, "-vf", "fps=2,scale=32:18:flags=area,format=gray", "-f", "rawvideo",
         raw});
    std::ifstream in(raw, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    constexpr size_t kFrame = 32 * 18;
    double difference = 0, brightness = 0;
    size_t pairs = 0;
    for (size_t i = 0; i < bytes.size(); ++i) brightness += static_cast<unsigned char>(bytes[i]);
    for (size_t i = kFrame; i + kFrame <= bytes.size(); i += kFrame, ++pairs) {
      for (size_t j = 0; j < kFrame; ++j) {
        difference +=
            std::abs(static_cast<unsigned char>(bytes[i + j]) - static_cast<unsigned char>(bytes[i + j - kFrame]));
      }
    }
    EXPECT_GT(pairs, 0u);
    return {difference / static_cast<double>(std::max<size_t>(1, pairs) * kFrame),
            brightness / static_cast<double>(std::max<size_t>(1, bytes.size()))};
  }

  static std::vector<double> Sound(const std::string& file) {
    const std::string raw = folder_ + "/sound.raw";
    Run({"ffmpeg", "-v", "error", "-y", "-i", file, "-ac", "1", "-ar", "8000", "-f", "s16le", raw});
    std::ifstream in(raw, std::ios::binary);
    std::vector<double> samples;
    for (int16_t sample; in.read(reinterpret_cast<char*>(&sample), sizeof(sample));)
      samples.push_back(sample / 32768.0);
    EXPECT_GT(samples.size(), 8000u);
    return samples;
  }

  static double Loudness(const std::vector<double>& samples) {
    double sum = 0;
    for (const double sample : samples) sum += sample * sample;
    return 10 * std::log10(sum / static_cast<double>(samples.size()) + 1e-12);
  }

  static double Correlation(const std::vector<double>& a, const std::vector<double>& b) {
    double aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      aa += a[i] * a[i];
      bb += b[i] * b[i];
      ab += a[i] * b[i];
    }
    return ab / std::sqrt(aa * bb + 1e-12);
  }

  static inline std::string folder_, television_, browser_;
  static inline Arena* arena_ = nullptr;
};

TEST_F(LiveTest, TheMultivariantPlaylistTellsAllThatPlayersNeed) {
  const Reply reply = Get(television_ + "master.m3u8");
  ASSERT_EQ(reply.status, 200);
  EXPECT_EQ(reply.Header("Content-Type"), "application/vnd.apple.mpegurl");
  EXPECT_EQ(reply.Header("Access-Control-Allow-Origin"), "*");
  for (const char* part : {"CODECS=\"avc1.640020,mp4a.40.2\"", "RESOLUTION=160x90", "FRAME-RATE=25.000",
                           "AVERAGE-BANDWIDTH=", "LANGUAGE=\"fi\",DEFAULT=YES",
                           "NAME=\"No commentary\",LANGUAGE=\"zxx\",DEFAULT=NO", "AUDIO=\"sound\""}) {
    EXPECT_NE(reply.body.find(part), std::string::npos) << part << "\n" << reply.body;
  }
}

TEST_F(LiveTest, EveryVariantAndTrackDecodesInBothContainersAndStartsWithAKeyframe) {
  for (const std::string& base : {television_, browser_}) {
    std::vector<std::string> decode = {"ffmpeg", "-v", "error", "-xerror"}, maps;
    for (const char* rendition : {"v720", "v360", "v234", "audio_fi", "audio_none"}) {
      const std::string file = Download(base, rendition, 1);
      const auto packets = Run({"ffprobe", "-v", "error", "-show_entries", "packet=flags", "-read_intervals", "%+#1",
                                "-of", "csv=p=0", file});
      ASSERT_FALSE(packets.empty());
      EXPECT_EQ(packets[0][0], 'K') << rendition;
      maps.insert(maps.end(), {"-map", std::to_string(decode.size() / 2 - 2)});
      decode.insert(decode.end(), {"-i", file});
    }
    decode.insert(decode.end(), maps.begin(), maps.end());
    decode.insert(decode.end(), {"-f", "null", "-"});
    Run(decode);
  }
  const auto stream =
      Run({"ffprobe", "-v", "error", "-show_entries", "stream=profile,level", "-of", "csv=p=0", folder_ + "/v720.ts"});
  EXPECT_EQ(stream[0], "High,32");
}

TEST_F(LiveTest, PlaylistsMoveOnAndTimestampsRunOnOverTheLoop) {
  const std::string before = Segments(Get(television_ + "v720/index.m3u8").body).back();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  // Five segments of 2 s hold the seam of an 8 s loop.
  std::vector<std::string> now;
  do {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    now = Segments(Get(television_ + "v720/index.m3u8").body);
  } while ((now.back() == before || now.size() < 6) && std::chrono::steady_clock::now() < until);
  EXPECT_NE(now.back(), before);
  ASSERT_EQ(now.size(), 6u);
  for (const auto& [rendition, step] : {std::pair{"v720", 3600}, std::pair{"audio_fi", 1920}}) {
    std::vector<int64_t> times;
    for (const std::string& line : Run({"ffprobe", "-v", "error", "-show_entries", "packet=pts", "-of", "csv=p=0",
                                        Download(television_, rendition, 6)})) {
      if (!line.empty() && std::isdigit(static_cast<unsigned char>(line[0])) != 0) times.push_back(std::stoll(line));
    }
    ASSERT_GT(times.size(), 100u);
    for (size_t i = 1; i < times.size(); ++i) {
      ASSERT_NEAR(static_cast<double>(times[i] - times[i - 1]), step, 20) << rendition << " packet " << i;
    }
  }
}

TEST_F(LiveTest, ThePictureMovesAndTheTracksDiffer) {
  const auto [movement, brightness] = Picture(Download(television_, "v360", 2));
  EXPECT_GT(movement, 8);
  EXPECT_GT(brightness, 60);
  const auto commentary = Sound(Download(television_, "audio_fi", 3)),
             crowd = Sound(Download(television_, "audio_none", 3));
  EXPECT_GT(Loudness(commentary), -40);
  EXPECT_GT(Loudness(crowd), -40);
  EXPECT_LT(std::abs(Correlation(commentary, crowd)), 0.5);
}

TEST_F(LiveTest, BlackFrozenAndSilentShowExactlyThat) {
  // All at once first, so that their packagers come up together.
  Switch({"playback.black", "playback.frozen", "playback.silent"});
  auto [movement, brightness] = Picture(Download(television_, "v720", 2));
  EXPECT_LT(brightness, 20);
  const auto commentary = Sound(Download(television_, "audio_fi", 2)),
             crowd = Sound(Download(television_, "audio_none", 2));
  EXPECT_LT(Loudness(commentary), -65);
  EXPECT_LT(Loudness(crowd), -65);
  EXPECT_LT(std::abs(Correlation(commentary, crowd)), 0.5) << "silent, and still two tracks";
  Switch({"playback.frozen", "playback.silent"});
  std::tie(movement, brightness) = Picture(Download(browser_, "v720", 2));
  EXPECT_LT(movement, 1);
  EXPECT_GT(brightness, 60);
  Switch({"playback.silent"});
  EXPECT_GT(Picture(Download(television_, "v720", 2)).first, 8);
  EXPECT_LT(Loudness(Sound(Download(browser_, "audio_fi", 2))), -65);
  Switch({});
  EXPECT_GT(Loudness(Sound(Download(television_, "audio_fi", 2))), -40);
}

TEST_F(LiveTest, CommentaryIsCrowdOrMissing) {
  Switch({"playback.commentary_is_crowd"});
  const auto segments = Segments(Get(television_ + "audio_fi/index.m3u8").body);
  EXPECT_GT(Correlation(Sound(Download(television_, "audio_fi", 2, segments)),
                        Sound(Download(television_, "audio_none", 2, segments))),
            0.99);
  Switch({"playback.commentary_missing"});
  EXPECT_EQ(Get(television_ + "master.m3u8").body.find("LANGUAGE=\"fi\""), std::string::npos);
}

TEST_F(LiveTest, LevelTooHighIsDeclaredForTheTopVariantOnly) {
  Switch({"device_support.level_too_high"});
  const std::string body = Get(television_ + "master.m3u8").body;
  EXPECT_NE(body.find("CODECS=\"avc1.640033,mp4a.40.2\",RESOLUTION=160x90"), std::string::npos) << body;
  EXPECT_NE(body.find("CODECS=\"avc1.64001e,mp4a.40.2\",RESOLUTION=128x72"), std::string::npos) << body;
}

TEST_F(LiveTest, MissingThingsAreMissing) {
  Switch({"playback.manifest_missing"});
  EXPECT_EQ(Get(television_ + "master.m3u8").status, 404);
  EXPECT_EQ(Get(television_ + "v720/index.m3u8").status, 404);
  Switch({"playback.top_variant_missing"});
  const auto top = Segments(Get(television_ + "v720/index.m3u8").body),
             middle = Segments(Get(television_ + "v360/index.m3u8").body);
  EXPECT_EQ(Get(television_ + "v720/" + top.back()).status, 404);
  EXPECT_EQ(Get(television_ + "v720/" + top.front()).status, 200);
  EXPECT_EQ(Get(television_ + "v360/" + middle.back()).status, 200);
}

TEST_F(LiveTest, CorruptSegmentsHaveTheRightTypeAndNoContent) {
  Switch({"playback.segments_corrupt"});
  const auto segments = Segments(Get(television_ + "v234/index.m3u8").body);
  const Reply reply = Get(television_ + "v234/" + segments.back());
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.Header("Content-Type"), "video/mp2t");
  EXPECT_NE(reply.body[0], 0x47);
  const auto middle = Segments(Get(television_ + "v360/index.m3u8").body);
  EXPECT_EQ(Get(television_ + "v360/" + middle.back()).body[0], 0x47);
}

TEST_F(LiveTest, StalePlaylistsStandStillAndTheirSegmentsStay) {
  Switch({"playback.stale"});
  const std::string stale = Get(television_ + "v720/index.m3u8").body;
  // A healthy playlist changes within 2 s.
  for (const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(2500);
       std::chrono::steady_clock::now() < until;) {
    ASSERT_EQ(Get(television_ + "v720/index.m3u8").body, stale);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(Get(television_ + "v720/" + Segments(stale).front()).status, 200);
  Switch({});
  EXPECT_NE(Get(television_ + "v720/index.m3u8").body, stale);
}

TEST_F(LiveTest, OnlyPlainNamesReachTheFileSystem) {
  for (const char* path :
       {"v720/../v720/index.m3u8", "v720/..%2f..%2fffmpeg.log", "v720/ffmpeg.log", "v720/.ts", "v720/-1.ts",
        "v720/1.m4s", "nothing/index.m3u8", "v720", "index.m3u8", "v720/99999999999999999999999.ts"}) {
    EXPECT_EQ(Get(television_ + path).status, 404) << path;
  }
}

TEST_F(LiveTest, APackagerThatDiesIsStartedAgain) {
  const std::vector<pid_t> before = arena_->live()->Pids();
  ASSERT_EQ(before.size(), 1u);
  ::kill(before[0], SIGKILL);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::vector<pid_t> after;
  do {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    after = arena_->live()->Pids();
  } while ((after[0] <= 0 || after[0] == before[0]) && std::chrono::steady_clock::now() < until);
  EXPECT_GT(after[0], 0);
  EXPECT_NE(after[0], before[0]);
}

TEST(EncodeTest, AFailedEncodeSaysWhyAndLeavesNothing) {
  const std::string folder = ::testing::TempDir() + "arena-encode-" + std::to_string(::getpid());
  MediaRecipe recipe = TinyRecipe();
  recipe.variants[0].level = "nonsense";
  const auto file = EnsureMedia(recipe, Content::kBlack, folder);
  EXPECT_FALSE(file.ok());
  EXPECT_NE(std::string(file.status().message()).find("ffmpeg failed"), std::string::npos) << file.status();
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    EXPECT_EQ(entry.path().string().find(".mp4"), std::string::npos);
  fs::remove_all(folder);
}

TEST(ChildProcessTest, MissingProgramsAndEndlessOnesAreToldApart) {
  const std::string log = ::testing::TempDir() + "child.log";
  EXPECT_TRUE(absl::IsNotFound(RunToEnd({"no-such-program"}, log, absl::Seconds(5))));
  EXPECT_TRUE(absl::IsDeadlineExceeded(RunToEnd({"sleep", "60"}, log, absl::Milliseconds(100))));
  EXPECT_TRUE(absl::IsInternal(RunToEnd({"false"}, log, absl::Seconds(5))));
}

}  // namespace
}  // namespace puckdrop::arena
