#include "checks/media/url.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace puckdrop::media {
namespace {

// RFC 3986 sections 5.4.1 and 5.4.2, with the strict reading.
TEST(ResolveUrlTest, FollowsTheTableOfTheStandard) {
  const std::string base = "http://a/b/c/d;p?q";
  const std::vector<std::pair<std::string, std::string>> table = {
      {"g:h", "g:h"},
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q#s"},
      {"g#s", "http://a/b/c/g#s"},
      {"g?y#s", "http://a/b/c/g?y#s"},
      {";x", "http://a/b/c/;x"},
      {"g;x", "http://a/b/c/g;x"},
      {"g;x?y#s", "http://a/b/c/g;x?y#s"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"../../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {".g", "http://a/b/c/.g"},
      {"g..", "http://a/b/c/g.."},
      {"..g", "http://a/b/c/..g"},
      {"./../g", "http://a/b/g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/./h", "http://a/b/c/g/h"},
      {"g/../h", "http://a/b/c/h"},
      {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/./x", "http://a/b/c/g?y/./x"},
      {"g?y/../x", "http://a/b/c/g?y/../x"},
      {"g#s/./x", "http://a/b/c/g#s/./x"},
      {"g#s/../x", "http://a/b/c/g#s/../x"},
      {"http:g", "http:g"},
  };
  for (const auto& [reference, expected] : table) EXPECT_EQ(ResolveUrl(base, reference), expected) << reference;
}

TEST(ResolveUrlTest, KeepsAQueryTokenOutOfARelativePath) {
  EXPECT_EQ(ResolveUrl("https://cdn.example/live/main.m3u8?token=a/b", "720p/seg1.ts"),
            "https://cdn.example/live/720p/seg1.ts");
  EXPECT_EQ(ResolveUrl("https://cdn.example", "x.ts"), "https://cdn.example/x.ts");
}

TEST(UrlTest, ReadsTheHostWithoutUserAndPort) {
  EXPECT_EQ(HostOf("https://user:secret@CDN.Example:8443/x"), "cdn.example");
  EXPECT_EQ(HostOf("http://[::1]:8080/x"), "::1");
  EXPECT_EQ(HostOf("relative/path"), "");
}

TEST(UrlTest, ReadsQueryParameters) {
  EXPECT_EQ(QueryParameter("http://a/b?x=1&name=a%20b", "name"), "a b");
  EXPECT_EQ(QueryParameter("http://a/b?x", "x"), "");
  EXPECT_FALSE(QueryParameter("http://a/b?x", "y"));
}

TEST(UrlTest, KnowsPrivateAndStagingHosts) {
  for (const char* host : {"localhost", "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.9.9", "169.254.1.1", "::1",
                           "fd00::1", "origin.internal"}) {
    EXPECT_TRUE(IsPrivateHost(host)) << host;
  }
  for (const char* host : {"cdn.example.com", "8.8.8.8", "172.32.0.1", "fda.gov", "1.2.3"}) {
    EXPECT_FALSE(IsPrivateHost(host)) << host;
  }
  EXPECT_TRUE(IsStagingHost("cdn-staging.example.com"));
  EXPECT_TRUE(IsStagingHost("uat.example.com"));
  EXPECT_FALSE(IsStagingHost("contest.example.com"));
}

TEST(ContentTest, SniffsWhatServersSendInsteadOfMedia) {
  EXPECT_EQ(SniffContent(""), ContentKind::kEmpty);
  EXPECT_EQ(SniffContent("  <!DOCTYPE html><html>"), ContentKind::kHtml);
  EXPECT_EQ(SniffContent("{\"error\":\"no\"}"), ContentKind::kJson);
  EXPECT_EQ(SniffContent("<?xml version=\"1.0\"?><MPD xmlns=\"x\">"), ContentKind::kDashManifest);
  EXPECT_EQ(SniffContent("\xef\xbb\xbf#EXTM3U\n"), ContentKind::kHlsPlaylist);
  EXPECT_EQ(SniffContent("Not found"), ContentKind::kText);
  EXPECT_EQ(SniffContent(std::string("\0\0\0\x18"
                                     "ftypiso5",
                                     12)),
            ContentKind::kMp4);
  EXPECT_EQ(SniffContent(std::string("\x01\x02\x03", 3)), ContentKind::kBinary);
  std::string ts(188 * 3, '\0');
  ts[0] = ts[188] = ts[376] = 0x47;
  EXPECT_EQ(SniffContent(ts), ContentKind::kMpegTs);
}

TEST(ContentTest, JudgesContentTypes) {
  EXPECT_FALSE(ContentTypeMismatch("application/vnd.apple.mpegurl; charset=utf-8", ContentKind::kHlsPlaylist));
  EXPECT_FALSE(ContentTypeMismatch("Audio/MPEGURL", ContentKind::kHlsPlaylist));
  EXPECT_TRUE(ContentTypeMismatch("text/plain", ContentKind::kHlsPlaylist));
  EXPECT_TRUE(ContentTypeMismatch("", ContentKind::kHlsPlaylist));
  EXPECT_FALSE(ContentTypeMismatch("video/mp2t", ContentKind::kMpegTs));
  EXPECT_FALSE(ContentTypeMismatch("video/iso.segment", ContentKind::kMp4));
  EXPECT_TRUE(ContentTypeMismatch("application/octet-stream", ContentKind::kMp4));
}

}  // namespace
}  // namespace puckdrop::media
