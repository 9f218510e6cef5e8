#include "checks/target/http/cookie_jar.h"

#include <gtest/gtest.h>

namespace puckdrop::http {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'780'000'000);

struct Case {
  const char* what;
  const char* set_from;
  const char* set_cookie;
  const char* ask;
  const char* expected;
};

class CookieJarTableTest : public ::testing::TestWithParam<Case> {};

TEST_P(CookieJarTableTest, FollowsRfc6265) {
  CookieJar jar;
  jar.SetCookie(GetParam().set_from, GetParam().set_cookie, kNow);
  EXPECT_EQ(jar.CookieHeader(GetParam().ask, kNow), GetParam().expected) << GetParam().what;
}

INSTANTIATE_TEST_SUITE_P(
    Rfc6265, CookieJarTableTest,
    ::testing::Values(
        Case{"simple", "http://a.example/", "n=v", "http://a.example/", "n=v"},
        Case{"the port does not matter", "http://a.example:8080/", "n=v", "http://a.example:9090/", "n=v"},
        Case{"host only", "http://a.example/", "n=v", "http://b.a.example/", ""},
        Case{"domain reaches below", "http://a.example/", "n=v; Domain=a.example", "http://b.a.example/", "n=v"},
        Case{"a leading dot is ignored", "http://a.example/", "n=v; Domain=.A.Example", "http://b.a.example/", "n=v"},
        Case{"domain of the parent", "http://b.a.example/", "n=v; Domain=a.example", "http://a.example/", "n=v"},
        Case{"not of a stranger", "http://a.example/", "n=v; Domain=b.example", "http://b.example/", ""},
        Case{"not of a longer name", "http://a.example/", "n=v; Domain=b.a.example", "http://b.a.example/", ""},
        Case{"not of a suffix that is no label", "http://ba.example/", "n=v; Domain=a.example", "http://a.example/",
             ""},
        Case{"not of a top-level domain", "http://a.example/", "n=v; Domain=example", "http://b.example/", ""},
        Case{"an address has no domain below", "http://127.0.0.1/", "n=v; Domain=0.0.1", "http://127.0.0.1/", ""},
        Case{"own address as domain", "http://127.0.0.1/", "n=v; Domain=127.0.0.1", "http://127.0.0.1/", "n=v"},
        Case{"path matches", "http://a.example/", "n=v; Path=/x", "http://a.example/x/y", "n=v"},
        Case{"path is of whole segments", "http://a.example/", "n=v; Path=/x", "http://a.example/xy", ""},
        Case{"path with a slash", "http://a.example/", "n=v; Path=/x/", "http://a.example/x/y", "n=v"},
        Case{"path with a slash does not match without", "http://a.example/", "n=v; Path=/x/", "http://a.example/x",
             ""},
        Case{"default path", "http://a.example/x/y", "n=v", "http://a.example/x/z", "n=v"},
        Case{"default path does not reach up", "http://a.example/x/y", "n=v", "http://a.example/z", ""},
        Case{"a path that is none is the default", "http://a.example/x/y", "n=v; Path=nonsense", "http://a.example/x/",
             "n=v"},
        Case{"secure over https", "https://a.example/", "n=v; Secure", "https://a.example/", "n=v"},
        Case{"secure not over http", "https://a.example/", "n=v; Secure", "http://a.example/", ""},
        Case{"secure may not be set over http", "http://a.example/", "n=v; Secure", "https://a.example/", ""},
        Case{"loopback is secure", "http://127.0.0.1:8080/", "n=v; Secure", "http://127.0.0.1:8080/", "n=v"},
        Case{"localhost is secure", "http://localhost/", "n=v; Secure; HttpOnly", "http://localhost/", "n=v"},
        Case{"max-age of zero", "http://a.example/", "n=v; Max-Age=0", "http://a.example/", ""},
        Case{"max-age wins over expires", "http://a.example/", "n=v; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
             "http://a.example/", "n=v"},
        Case{"expires in the past", "http://a.example/", "n=v; Expires=Wed, 21 Oct 2015 07:28:00 GMT",
             "http://a.example/", ""},
        Case{"expires in the future", "http://a.example/", "n=v; Expires=Wednesday, 09-Nov-99 23:12:40 GMT",
             "http://a.example/", ""},
        Case{"expires with dashes", "http://a.example/", "n=v; expires=Fri, 31-Dec-2066 23:59:59 GMT",
             "http://a.example/", "n=v"},
        Case{"a date that is none is ignored", "http://a.example/", "n=v; Expires=soon", "http://a.example/", "n=v"},
        Case{"the 31st of February is ignored", "http://a.example/", "n=v; Expires=Wed, 31 Feb 2015 07:28:00 GMT",
             "http://a.example/", "n=v"},
        Case{"no name", "http://a.example/", "=v", "http://a.example/", ""},
        Case{"no equals", "http://a.example/", "nonsense", "http://a.example/", ""},
        Case{"empty value", "http://a.example/", "n=", "http://a.example/", "n="},
        Case{"value with equals and quotes", "http://a.example/", "n=\"a=b\"; Path=/", "http://a.example/",
             "n=\"a=b\""},
        Case{"control character", "http://a.example/", "n=a\rb", "http://a.example/", ""},
        Case{"host prefix", "https://a.example/", "__Host-n=v; Secure; Path=/", "https://a.example/", "__Host-n=v"},
        Case{"host prefix with a domain", "https://a.example/", "__Host-n=v; Secure; Path=/; Domain=a.example",
             "https://a.example/", ""},
        Case{"secure prefix without secure", "https://a.example/", "__Secure-n=v", "https://a.example/", ""}));

TEST(CookieJarTest, ReplacesDeletesAndExpires) {
  CookieJar jar;
  const char* url = "http://a.example/";
  EXPECT_TRUE(jar.SetCookie(url, "n=1; Max-Age=60", kNow));
  EXPECT_TRUE(jar.SetCookie(url, "n=2; Max-Age=60", kNow));
  EXPECT_EQ(jar.CookieHeader(url, kNow), "n=2");
  EXPECT_EQ(jar.CookieHeader(url, kNow + absl::Seconds(59)), "n=2");
  EXPECT_EQ(jar.CookieHeader(url, kNow + absl::Seconds(60)), "");
  EXPECT_EQ(jar.size(), 0u);
  jar.SetCookie(url, "n=3", kNow);
  jar.SetCookie(url, "n=; Max-Age=-1", kNow);
  EXPECT_EQ(jar.size(), 0u);
}

TEST(CookieJarTest, LongerPathsComeFirstThenOlderCookies) {
  CookieJar jar;
  jar.SetCookie("http://a.example/", "first=1; Path=/", kNow);
  jar.SetCookie("http://a.example/", "second=2; Path=/", kNow);
  jar.SetCookie("http://a.example/", "deep=3; Path=/x", kNow);
  jar.SetCookie("http://a.example/", "first=4; Path=/", kNow);
  EXPECT_EQ(jar.CookieHeader("http://a.example/x", kNow), "deep=3; first=4; second=2");
  auto all = jar.CookiesFor("http://a.example/", kNow);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0], (std::pair<std::string, std::string>("first", "4")));
}

TEST(CookieJarTest, IsBoundedPerDomainAndInAll) {
  CookieJar jar;
  for (int i = 0; i < 60; ++i)
    jar.SetCookie("http://a.example/", "n" + std::to_string(i) + "=v", kNow + absl::Seconds(i));
  EXPECT_EQ(jar.size(), 50u);
  auto kept = jar.CookiesFor("http://a.example/", kNow + absl::Seconds(100));
  EXPECT_EQ(kept.front().first, "n10");
  for (int i = 0; i < 400; ++i) {
    jar.SetCookie("http://h" + std::to_string(i) + ".example/", "n=v", kNow + absl::Seconds(200 + i));
  }
  EXPECT_EQ(jar.size(), 300u);
  EXPECT_FALSE(jar.SetCookie("http://a.example/", "n=" + std::string(5000, 'v'), kNow));
}

TEST(CookieJarsTest, OnePerHostCustomerAndDevice) {
  CookieJars jars(3);
  auto jar = jars.Get("shop", "living-room", "tv");
  EXPECT_EQ(jars.Get("shop", "living-room", "tv"), jar);
  EXPECT_NE(jars.Get("shop", "living-room", "phone"), jar);
  EXPECT_NE(jars.Get("office", "living-room", "tv"), jar);
  jars.Forget("shop", "living-room", "tv");
  auto again = jars.Get("shop", "living-room", "tv");
  EXPECT_NE(again, jar);
  jars.Get("shop", "b", "tv");
  EXPECT_EQ(jars.size(), 3u);
  EXPECT_EQ(jars.Get("shop", "living-room", "tv"), again);
}

}  // namespace
}  // namespace puckdrop::http
