#include "checks/media/hls_playlist.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace puckdrop::media {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kMultivariant[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:6\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac\",NAME=\"Suomi\",LANGUAGE=\"fi\",DEFAULT=YES,AUTOSELECT=YES,URI=\"a/"
    "fi.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac\",NAME=\"Crowd\",LANGUAGE=\"zxx\",DEFAULT=NO,AUTOSELECT=NO,URI=\"a/"
    "zxx.m3u8\"\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=2800000,AVERAGE-BANDWIDTH=2500000,CODECS=\"avc1.640020,mp4a.40.2\","
    "RESOLUTION=1280x720,FRAME-RATE=50.000,AUDIO=\"aac\"\n"
    "720p.m3u8\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=5800000,CODECS=\"avc1.64002a,mp4a.40.2\",RESOLUTION=1920x1080,FRAME-RATE=50.000,"
    "AUDIO=\"aac\"\n"
    "1080p.m3u8\n"
    "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=180000,CODECS=\"avc1.640020\",RESOLUTION=1280x720,URI=\"720p_i.m3u8\"\n";

constexpr char kLive[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:6\n"
    "#EXT-X-TARGETDURATION:4\n"
    "#EXT-X-MEDIA-SEQUENCE:1200\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:2\n"
    "#EXT-X-KEY:METHOD=AES-128,URI=\"key/7\"\n"
    "#EXT-X-MAP:URI=\"init.mp4\"\n"
    "#EXT-X-DATERANGE:ID=\"ad1\",START-DATE=\"2026-03-14T18:30:00Z\",END-DATE=\"2026-03-14T18:30:30Z\",SCTE35-OUT="
    "0xFC\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-03-14T18:30:00.000Z\n"
    "#EXTINF:4.000,\n"
    "seg1200.m4s\n"
    "#EXTINF:4.000,\n"
    "seg1201.m4s\n"
    "#EXTINF:4.000,\n"
    "seg1202.m4s\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-03-14T18:30:12.000Z\n"
    "#EXTINF:4.000,\n"
    "seg1203.m4s\n";

HlsOptions LiveOptions() {
  HlsOptions options;
  options.base_url = "https://cdn.example.com/live/main.m3u8";
  options.allowed_hosts = {"cdn2.example.com"};
  options.content_type = "application/vnd.apple.mpegurl";
  options.expect_live = true;
  return options;
}

std::set<std::string> Ids(const HlsPlaylist& playlist) {
  std::set<std::string> ids;
  for (const Finding& finding : playlist.findings) ids.insert(finding.id);
  return ids;
}

std::string Texts(const HlsPlaylist& playlist) {
  std::string texts;
  for (const Finding& finding : playlist.findings) absl::StrAppend(&texts, FindingText(finding), "\n");
  return texts;
}

TEST(HlsPlaylistTest, FindsNothingWrongWithCleanPlaylists) {
  for (const char* text : {kMultivariant, kLive}) {
    HlsPlaylist playlist = ParseHlsPlaylist(text, LiveOptions());
    EXPECT_THAT(playlist.findings, IsEmpty()) << Texts(playlist);
  }
}

TEST(HlsPlaylistTest, ReadsAMultivariantPlaylist) {
  HlsPlaylist playlist = ParseHlsPlaylist(kMultivariant, LiveOptions());
  ASSERT_EQ(playlist.kind, HlsKind::kMultivariant);
  EXPECT_TRUE(playlist.independent_segments);
  const auto& list = playlist.multivariant;
  ASSERT_EQ(list.variants.size(), 2u);
  EXPECT_EQ(list.variants[0].bandwidth, 2800000);
  EXPECT_EQ(list.variants[0].average_bandwidth, 2500000);
  EXPECT_THAT(list.variants[0].codecs, ElementsAre("avc1.640020", "mp4a.40.2"));
  EXPECT_EQ(list.variants[0].width, 1280);
  EXPECT_EQ(list.variants[0].height, 720);
  EXPECT_EQ(list.variants[0].frame_rate, 50.0);
  EXPECT_EQ(list.variants[0].uri.resolved, "https://cdn.example.com/live/720p.m3u8");
  EXPECT_EQ(list.variants[1].line, 8);
  EXPECT_EQ(list.variants[0].Words(), "1280x720 2.8 Mb/s");
  EXPECT_EQ(list.variants[0].tag.Find("CODECS")->column, 63);
  ASSERT_EQ(list.Group("AUDIO", "aac").size(), 2u);
  EXPECT_EQ(list.Group("AUDIO", "aac")[1]->language, "zxx");
  EXPECT_TRUE(list.Group("AUDIO", "aac")[0]->is_default);
  ASSERT_EQ(list.i_frame_variants.size(), 1u);
}

TEST(HlsPlaylistTest, ReadsALiveMediaPlaylist) {
  HlsPlaylist playlist = ParseHlsPlaylist(kLive, LiveOptions());
  ASSERT_EQ(playlist.kind, HlsKind::kMedia);
  const auto& media = playlist.media;
  ASSERT_EQ(media.segments.size(), 4u);
  EXPECT_EQ(media.target_duration_seconds, 4);
  EXPECT_EQ(media.segments[3].media_sequence, 1203);
  EXPECT_EQ(media.segments[3].discontinuity_sequence, 2);
  ASSERT_TRUE(media.segments[2].keys);
  EXPECT_EQ(media.segments[2].keys->at(0).uri.resolved, "https://cdn.example.com/live/key/7");
  EXPECT_EQ(media.segments[2].map->uri.text, "init.mp4");
  EXPECT_EQ(media.segments[2].starts_at, absl::FromUnixSeconds(1773513008));
  EXPECT_EQ(media.segments[3].ends_at(), absl::FromUnixSeconds(1773513016));
  EXPECT_DOUBLE_EQ(media.duration_seconds(), 16);
  EXPECT_FALSE(media.ended);
}

TEST(HlsPlaylistTest, TellsWhatCameInsteadOfAPlaylist) {
  struct Row {
    std::string text;
    ContentKind content;
    const char* words;
  };
  for (const Row& row :
       std::vector<Row>{{"<!DOCTYPE html><html><body>502</body></html>", ContentKind::kHtml, "an HTML page"},
                        {"{\"error\":{\"code\":\"internal\"}}", ContentKind::kJson, "a JSON document"},
                        {"", ContentKind::kEmpty, "zero bytes"},
                        {"<?xml version=\"1.0\"?><MPD/>", ContentKind::kDashManifest, "a DASH manifest"},
                        {"upstream error", ContentKind::kText, "plain text"},
                        {std::string("\x01\x02\x03\x04", 4), ContentKind::kBinary, "no known format"}}) {
    HlsPlaylist playlist = ParseHlsPlaylist(row.text, LiveOptions());
    EXPECT_FALSE(playlist.IsPlaylist());
    EXPECT_EQ(playlist.content, row.content);
    EXPECT_EQ(Ids(playlist), std::set<std::string>{"H-MAGIC"});
    ASSERT_EQ(playlist.findings.size(), 1u);
    EXPECT_THAT(playlist.findings[0].message, HasSubstr(row.words));
  }
  // A flawed playlist is still one: what can be read is.
  HlsPlaylist bom = ParseHlsPlaylist(absl::StrCat("\xef\xbb\xbf", kLive), LiveOptions());
  EXPECT_EQ(bom.kind, HlsKind::kMedia);
  EXPECT_EQ(bom.media.segments.size(), 4u);
}

struct Mutation {
  const char* name;
  const char* id;  // exactly this one
  const char* base;
  std::vector<std::pair<std::string, std::string>> replace;
};

// Faults 1 to 19 of the catalogue: each mutation of a clean playlist gives exactly its own id.
std::vector<Mutation> Mutations() {
  const std::string pdt = "#EXT-X-PROGRAM-DATE-TIME:2026-03-14T18:30:12.000Z";
  return {
      {"byte order mark", "H-MAGIC", kLive, {{"#EXTM3U", "\xef\xbb\xbf#EXTM3U"}}},
      {"no header", "H-MAGIC", kLive, {{"#EXTM3U\n", ""}}},
      {"control character in a title", "H-UTF8", kLive, {{"#EXTINF:4.000,\nseg1201", "#EXTINF:4.000,x\x01y\nseg1201"}}},
      {"latin1 in a title", "H-UTF8", kLive, {{"#EXTINF:4.000,\nseg1201", "#EXTINF:4.000,J\xe4\xe4\nseg1201"}}},
      {"map needs version 6", "H-VERSION", kLive, {{"VERSION:6", "VERSION:5"}}},
      {"version twice", "H-VERSION", kLive, {{"#EXT-X-VERSION:6\n", "#EXT-X-VERSION:6\n#EXT-X-VERSION:6\n"}}},
      {"version is no number", "H-VERSION", kMultivariant, {{"VERSION:6", "VERSION:six"}}},
      {"no target duration", "H-TD", kLive, {{"#EXT-X-TARGETDURATION:4\n", ""}}},
      {"target duration twice",
       "H-TD",
       kLive,
       {{"#EXT-X-TARGETDURATION:4\n", "#EXT-X-TARGETDURATION:4\n#EXT-X-TARGETDURATION:4\n"}}},
      {"negative target duration", "H-TD", kLive, {{"#EXT-X-TARGETDURATION:4\n", "#EXT-X-TARGETDURATION:-4\n"}}},
      {"segment too long",
       "H-EXTINF",
       kLive,
       {{"18:30:12.000Z", "18:30:12.600Z"}, {"4.000,\nseg1202", "4.600,\nseg1202"}}},
      {"no EXTINF", "H-EXTINF", kLive, {{"#EXTINF:4.000,\nseg1203", "seg1203"}}},
      {"EXTINF is no number", "H-EXTINF", kLive, {{"#EXTINF:4.000,\nseg1203", "#EXTINF:four,\nseg1203"}}},
      {"undefined audio group",
       "H-MEDIAGROUP",
       kMultivariant,
       {{"FRAME-RATE=50.000,AUDIO=\"aac\"\n720p", "FRAME-RATE=50.000,AUDIO=\"ac3\"\n720p"}}},
      {"same name twice", "H-MEDIAGROUP", kMultivariant, {{"NAME=\"Crowd\"", "NAME=\"Suomi\""}}},
      {"two defaults", "H-MEDIAGROUP", kMultivariant, {{"DEFAULT=NO,AUTOSELECT=NO", "DEFAULT=YES,AUTOSELECT=YES"}}},
      {"rendition without a name", "H-MEDIAGROUP", kMultivariant, {{"NAME=\"Crowd\",", ""}}},
      {"no bandwidth", "H-STREAMINF", kMultivariant, {{"BANDWIDTH=5800000,", ""}}},
      {"no codecs", "H-STREAMINF", kMultivariant, {{"CODECS=\"avc1.64002a,mp4a.40.2\",", ""}}},
      {"no resolution", "H-STREAMINF", kMultivariant, {{"RESOLUTION=1920x1080,", ""}}},
      {"bad resolution", "H-STREAMINF", kMultivariant, {{"RESOLUTION=1920x1080,", "RESOLUTION=1080p,"}}},
      {"no URI", "H-STREAMINF", kMultivariant, {{"1080p.m3u8\n", ""}}},
      {"unclosed quote",
       "H-STREAMINF",
       kMultivariant,
       {{"AUDIO=\"aac\"\n1080p", "AUDIO=\"aac\n1080p"}, {",AUDIO=\"aac\n", ",NAME=\"x\n"}}},
      {"http inside https", "H-URI", kLive, {{"seg1202.m4s", "http://cdn.example.com/seg1202.m4s"}}},
      {"host outside the plan", "H-URI", kLive, {{"seg1202.m4s", "https://other.example.net/seg1202.m4s"}}},
      {"private address", "H-URI", kLive, {{"seg1202.m4s", "https://10.0.0.7/seg1202.m4s"}}},
      {"staging host", "H-URI", kMultivariant, {{"1080p.m3u8", "https://cdn-staging.example.com/1080p.m3u8"}}},
      {"key without URI", "H-KEY", kLive, {{"METHOD=AES-128,URI=\"key/7\"", "METHOD=AES-128"}}},
      {"short IV", "H-KEY", kLive, {{"URI=\"key/7\"", "URI=\"key/7\",IV=0x1234"}}},
      {"reused IV", "H-KEY", kLive, {{"URI=\"key/7\"", "URI=\"key/7\",IV=0x000102030405060708090a0b0c0d0e0f"}}},
      {"unknown key format", "H-KEY", kLive, {{"URI=\"key/7\"", "URI=\"key/7\",KEYFORMAT=\"com.example.lock\""}}},
      {"unknown method", "H-KEY", kLive, {{"METHOD=AES-128", "METHOD=ROT13"}}},
      {"no map", "H-MAP", kLive, {{"#EXT-X-MAP:URI=\"init.mp4\"\n", ""}}},
      {"map without URI", "H-MAP", kLive, {{"#EXT-X-MAP:URI=\"init.mp4\"\n", "#EXT-X-MAP:BYTERANGE=\"700@0\"\n"}}},
      {"variant in a media playlist",
       "H-MIXED",
       kLive,
       {{"#EXTINF:4.000,\nseg1202", "#EXT-X-STREAM-INF:BANDWIDTH=1\nx.m3u8\n#EXTINF:4.000,\nseg1202"}}},
      {"segment in a multivariant playlist",
       "H-MIXED",
       kMultivariant,
       {{"#EXT-X-STREAM-INF:BANDWIDTH=5", "#EXTINF:4,\nseg.ts\n#EXT-X-STREAM-INF:BANDWIDTH=5"}}},
      {"ended", "H-ENDLIST", kLive, {{"seg1203.m4s\n", "seg1203.m4s\n#EXT-X-ENDLIST\n"}}},
      {"type of no kind",
       "H-TYPE",
       kLive,
       {{"#EXT-X-MEDIA-SEQUENCE", "#EXT-X-PLAYLIST-TYPE:LIVE\n#EXT-X-MEDIA-SEQUENCE"}}},
      {"recording without end",
       "H-TYPE",
       kLive,
       {{"#EXT-X-MEDIA-SEQUENCE", "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MEDIA-SEQUENCE"}}},
      {"end before start",
       "H-DATERANGE",
       kLive,
       {{"END-DATE=\"2026-03-14T18:30:30Z\"", "END-DATE=\"2026-03-14T18:29:30Z\""}}},
      {"same id changed",
       "H-DATERANGE",
       kLive,
       {{"#EXTINF:4.000,\nseg1202",
         "#EXT-X-DATERANGE:ID=\"ad1\",START-DATE=\"2026-03-14T18:30:01Z\"\n#EXTINF:4.000,\nseg1202"}}},
      {"break never closed", "H-DATERANGE", kLive, {{"END-DATE=\"2026-03-14T18:30:30Z\"", "PLANNED-DURATION=2"}}},
      {"no id", "H-DATERANGE", kLive, {{"ID=\"ad1\",", ""}}},
      {"gap at the live edge", "H-GAP", kLive, {{"#EXTINF:4.000,\nseg1203", "#EXT-X-GAP\n#EXTINF:4.000,\nseg1203"}}},
      {"no dates", "H-PDT", kLive, {{"#EXT-X-PROGRAM-DATE-TIME:2026-03-14T18:30:00.000Z\n", ""}, {pdt + "\n", ""}}},
      {"dates go back", "H-PDT", kLive, {{"18:30:12.000Z", "18:29:12.000Z"}}},
      {"dates disagree with durations", "H-PDT", kLive, {{"18:30:12.000Z", "18:30:12.150Z"}}},
      {"no zone", "H-PDT", kLive, {{"18:30:12.000Z", "18:30:12.000"}}},
      {"no date", "H-PDT", kLive, {{pdt, "#EXT-X-PROGRAM-DATE-TIME:yesterday"}}},
      {"too short a window",
       "H-SIZE",
       kLive,
       {{"#EXTINF:4.000,\nseg1201.m4s\n#EXTINF:4.000,\nseg1202.m4s\n", ""}, {"18:30:12.000Z", "18:30:04.000Z"}}},
      {"no I-frame playlist",
       "H-IFRAME",
       kMultivariant,
       {{"#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=180000,CODECS=\"avc1.640020\",RESOLUTION=1280x720,URI=\"720p_i.m3u8\"\n",
         ""}}},
      {"I-frame playlist without URI", "H-IFRAME", kMultivariant, {{",URI=\"720p_i.m3u8\"", ""}}},
      {"white space", "H-SYNTAX", kLive, {{"#EXT-X-TARGETDURATION:4\n", "#EXT-X-TARGETDURATION:4 \n"}}},
      {"part longer than its target",
       "LL-PART",
       kLive,
       {{"#EXTINF:4.000,\nseg1203",
         "#EXT-X-PART-INF:PART-TARGET=1.0\n#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=3.0\n#EXT-X-PART:DURATION=1.2,URI=\"p."
         "m4s\"\n#EXTINF:4.000,\nseg1203"}}},
      {"hold back too short", "LL-HOLDBACK", kLive, {{"#EXT-X-MAP", "#EXT-X-SERVER-CONTROL:HOLD-BACK=11\n#EXT-X-MAP"}}},
  };
}

TEST(HlsPlaylistTest, EveryMutationGivesExactlyItsOwnFault) {
  for (const Mutation& mutation : Mutations()) {
    std::string text = mutation.base;
    for (const auto& [from, to] : mutation.replace) {
      size_t at = text.find(from);
      ASSERT_NE(at, std::string::npos) << mutation.name << ": " << from;
      text.replace(at, from.size(), to);
    }
    HlsPlaylist playlist = ParseHlsPlaylist(text, LiveOptions());
    EXPECT_EQ(Ids(playlist), std::set<std::string>{mutation.id}) << mutation.name << "\n" << Texts(playlist);
  }
  HlsOptions wrong_type = LiveOptions();
  wrong_type.content_type = "text/plain";
  EXPECT_EQ(Ids(ParseHlsPlaylist(kLive, wrong_type)), std::set<std::string>{"H-MIME"});
}

TEST(HlsPlaylistTest, MutationsCoverTheCataloguesStaticFaults) {
  std::set<std::string> covered = {"H-MIME"};
  for (const Mutation& mutation : Mutations()) covered.insert(mutation.id);
  for (const char* id :
       {"H-MAGIC", "H-MIME", "H-UTF8", "H-VERSION", "H-TD", "H-EXTINF", "H-MEDIAGROUP", "H-STREAMINF", "H-URI", "H-KEY",
        "H-MAP", "H-MIXED", "H-ENDLIST", "H-TYPE", "H-DATERANGE", "H-GAP", "H-PDT", "H-SIZE", "H-IFRAME"}) {
    EXPECT_TRUE(covered.contains(id)) << id;
  }
}

TEST(HlsPlaylistTest, NamesThePlaceOfAFault) {
  HlsPlaylist playlist = ParseHlsPlaylist(
      "#EXTM3U\r\n#EXT-X-TARGETDURATION:4\r\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=12\r\n"
      "#EXTINF:4,\r\na.ts\r\n");
  ASSERT_EQ(playlist.findings.size(), 2u) << Texts(playlist);
  EXPECT_EQ(FindingText(playlist.findings[0]), "line 3:35: H-KEY: IV must be 0x and 32 hexadecimal digits, not \"12\"");
  EXPECT_EQ(playlist.media.segments.at(0).uri.text, "a.ts");
}

TEST(HlsPlaylistTest, SubstitutesVariablesAndRefusesUndefinedOnes) {
  HlsOptions options;
  options.base_url = "https://cdn.example.com/x.m3u8?token=abc";
  options.imported_variables = {{"root", "https://cdn.example.com/m"}};
  HlsPlaylist playlist = ParseHlsPlaylist(
      "#EXTM3U\n#EXT-X-VERSION:11\n#EXT-X-TARGETDURATION:4\n#EXT-X-DEFINE:NAME=\"day\",VALUE=\"monday\"\n"
      "#EXT-X-DEFINE:IMPORT=\"root\"\n#EXT-X-DEFINE:QUERYPARAM=\"token\"\n"
      "#EXTINF:4,\n{$root}/{$day}/1.ts?t={$token}\n#EXTINF:4,\n{$nope}/2.ts\n",
      options);
  EXPECT_EQ(playlist.media.segments.at(0).uri.resolved, "https://cdn.example.com/m/monday/1.ts?t=abc");
  ASSERT_EQ(playlist.findings.size(), 1u) << Texts(playlist);
  EXPECT_THAT(playlist.findings[0].message, HasSubstr("\"nope\" is not defined"));
}

TEST(HlsPlaylistTest, BoundsWhatVariablesCanGrowTo) {
  std::string text = "#EXTM3U\n#EXT-X-VERSION:8\n#EXT-X-TARGETDURATION:4\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"";
  text += std::string(60'000, 'x') + "\"\n";
  for (int i = 0; i < 1000; ++i) text += "#EXTINF:4,\n{$a}{$a}{$a}\n";
  HlsPlaylist playlist = ParseHlsPlaylist(text);
  EXPECT_TRUE(playlist.truncated);
  size_t bytes = 0;
  for (const HlsSegment& segment : playlist.media.segments) bytes += segment.uri.text.size();
  EXPECT_LT(bytes, 5u << 20);
}

TEST(HlsPlaylistTest, BoundsSizeAndLines) {
  HlsOptions options;
  options.max_lines = 10;
  std::string text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n";
  for (int i = 0; i < 100; ++i) absl::StrAppend(&text, "#EXTINF:4,\n", i, ".ts\n");
  HlsPlaylist cut = ParseHlsPlaylist(text, options);
  EXPECT_TRUE(cut.truncated);
  EXPECT_EQ(cut.media.segments.size(), 4u);
  EXPECT_TRUE(Ids(cut).contains("H-SIZE"));
  options = {};
  options.max_bytes = 100;
  EXPECT_TRUE(ParseHlsPlaylist(text, options).truncated);
}

TEST(HlsPlaylistTest, KeepsKeysOfSeveralSystemsSideBySide) {
  HlsPlaylist playlist = ParseHlsPlaylist(
      "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI=\"i.mp4\"\n"
      "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://"
      "1\",KEYFORMAT=\"com.apple.streamingkeydelivery\",KEYFORMATVERSIONS=\"1\"\n"
      "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"data:x\",KEYFORMAT=\"urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed\"\n"
      "#EXTINF:4,\n1.m4s\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:4,\n2.m4s\n");
  EXPECT_THAT(playlist.findings, IsEmpty()) << Texts(playlist);
  ASSERT_EQ(playlist.media.segments.size(), 2u);
  EXPECT_EQ(playlist.media.segments[0].keys->size(), 2u);
  EXPECT_FALSE(playlist.media.segments[1].keys);
}

TEST(HlsPlaylistTest, CountsDiscontinuitiesAndRestartsTheClock) {
  HlsPlaylist playlist = ParseHlsPlaylist(
      "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-DISCONTINUITY-SEQUENCE:7\n"
      "#EXT-X-PROGRAM-DATE-TIME:2026-03-14T18:30:00+0200\n#EXTINF:4,\n1.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:4,\n2.ts\n");
  EXPECT_THAT(playlist.findings, IsEmpty()) << Texts(playlist);
  EXPECT_EQ(playlist.media.segments[0].starts_at, absl::FromUnixSeconds(1773505800));
  EXPECT_EQ(playlist.media.segments[1].discontinuity_sequence, 8);
  EXPECT_FALSE(playlist.media.segments[1].starts_at);
}

// Playlists and values of m3u8-parser's own tests (see fixtures/m3u8_parser/NOTICE).
TEST(HlsPlaylistTest, AgreesWithAnotherParserOnItsFixtures) {
  const std::string folder = std::string(std::getenv("PUCKDROP_SOURCE")) + "/tests/checks/media/fixtures/m3u8_parser/";
  nlohmann::json expected = nlohmann::json::parse(std::ifstream(folder + "expected.json"));
  ASSERT_GE(expected.size(), 12u);
  for (const auto& [name, want] : expected.items()) {
    std::ifstream file(folder + name + ".m3u8");
    ASSERT_TRUE(file) << name;
    std::stringstream text;
    text << file.rdbuf();
    HlsPlaylist playlist = ParseHlsPlaylist(text.str());
    SCOPED_TRACE(name);
    if (want.contains("variants")) {
      ASSERT_EQ(playlist.kind, HlsKind::kMultivariant);
      ASSERT_EQ(playlist.multivariant.variants.size(), want["variants"].size());
      for (size_t i = 0; i < want["variants"].size(); ++i) {
        const auto& variant = playlist.multivariant.variants[i];
        EXPECT_EQ(variant.uri.text, want["variants"][i]["uri"].get<std::string>());
        EXPECT_EQ(variant.bandwidth, want["variants"][i]["bandwidth"].get<int64_t>());
        EXPECT_EQ(variant.width, want["variants"][i]["width"].get<int>());
        EXPECT_EQ(variant.tag.Get("CODECS"), want["variants"][i]["codecs"].get<std::string>());
      }
      continue;
    }
    ASSERT_EQ(playlist.kind, HlsKind::kMedia);
    const HlsMediaPlaylist& media = playlist.media;
    EXPECT_EQ(media.target_duration_seconds, want["target_duration"].get<double>());
    EXPECT_EQ(media.media_sequence, want["media_sequence"].get<int64_t>());
    EXPECT_EQ(media.discontinuity_sequence, want["discontinuity_sequence"].get<int64_t>());
    EXPECT_EQ(media.ended, want["ended"].get<bool>());
    if (want.contains("skipped")) EXPECT_EQ(media.skipped_segments, want["skipped"].get<int64_t>());
    ASSERT_EQ(media.segments.size(), want["segments"].size());
    for (size_t i = 0; i < media.segments.size(); ++i) {
      const HlsSegment& segment = media.segments[i];
      const auto& other = want["segments"][i];
      EXPECT_EQ(segment.uri.text, other["uri"].get<std::string>());
      EXPECT_NEAR(segment.duration_seconds, other["duration"].get<double>(), 0.011);
      EXPECT_EQ(segment.discontinuity, other["discontinuity"].get<bool>());
      if (other.contains("byterange")) {
        ASSERT_TRUE(segment.byte_range);
        EXPECT_EQ(segment.byte_range->length, other["byterange"][0].get<uint64_t>());
        EXPECT_EQ(segment.byte_range->offset, other["byterange"][1].get<uint64_t>());
      }
      if (other.contains("map")) EXPECT_EQ(segment.map->uri.text, other["map"].get<std::string>());
      if (other.contains("key")) EXPECT_EQ(segment.keys->at(0).uri.text, other["key"].get<std::string>());
      if (other.contains("parts")) EXPECT_EQ(segment.parts.size(), other["parts"].get<uint64_t>());
    }
  }
}

}  // namespace
}  // namespace puckdrop::media
