#include "checks/target/http/redactor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"

namespace puckdrop::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RedactorTest, HidesASecretInEveryFormItTravelsIn) {
  Redactor redactor;
  ASSERT_TRUE(redactor.AddSecret("p/ss \"w\xc3\xb6rd\"\n&"));
  for (const char* text :
       {"p/ss \"w\xc3\xb6rd\"\n&", "p%2Fss%20%22w%C3%B6rd%22%0A%26", "p%2fss%20%22w%c3%b6rd%22%0a%26",
        "p%2Fss+%22w%C3%B6rd%22%0A%26", "p/ss \\\"w\xc3\xb6rd\\\"\\n&", "p\\/ss \\\"w\xc3\xb6rd\\\"\\n&",
        "p/ss \\\"w\\u00f6rd\\\"\\n&", "cC9zcyAid8O2cmQiCiY"}) {
    EXPECT_EQ(redactor.Redact(absl::StrCat("a ", text, " b")), "a <redacted> b") << text;
  }
}

TEST(RedactorTest, HidesAllOccurrencesAndPrefersTheLongest) {
  Redactor redactor;
  redactor.AddSecret("hunter22");
  redactor.AddSecret("hunter22-long");
  EXPECT_EQ(redactor.Redact("hunter22hunter22 hunter22-long hunter2"), "<redacted><redacted> <redacted> hunter2");
  EXPECT_EQ(redactor.Redact(""), "");
  EXPECT_EQ(redactor.size(), 2u);
}

TEST(RedactorTest, ShortValuesAreNotLookedFor) {
  Redactor redactor;
  EXPECT_FALSE(redactor.AddSecret("abc"));
  EXPECT_FALSE(redactor.AddSecret(""));
  EXPECT_EQ(redactor.Redact("abc"), "abc");
}

TEST(RedactorTest, PastItsBoundItHidesEverything) {
  Redactor redactor;
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(redactor.AddSecret(absl::StrCat("secret-", i)));
  EXPECT_EQ(redactor.Redact("secret-77 x"), "<redacted> x");
  EXPECT_FALSE(redactor.AddSecret("one too many"));
  EXPECT_EQ(redactor.Redact("harmless"), "<redacted>");
}

TEST(RedactorTest, HeadersAreAllowListed) {
  Redactor redactor;
  redactor.AddSecret("hunter22");
  EXPECT_EQ(redactor.HeaderValue("Content-Type", "text/plain"), "text/plain");
  EXPECT_EQ(redactor.HeaderValue("ETag", "\"hunter22\""), "\"<redacted>\"");
  for (const char* name : {"Authorization", "Cookie", "Set-Cookie", "X-Api-Key", "X-Unknown"}) {
    EXPECT_EQ(redactor.HeaderValue(name, "anything"), "<redacted>") << name;
  }
  EXPECT_EQ(redactor.HeaderValue("Location", "https://a.example/cb?code=abc&page=2"),
            "https://a.example/cb?code=<redacted>&page=2");
}

TEST(RedactorTest, UrlsLoseUserinfoUnknownQueryValuesAndFragments) {
  Redactor redactor;
  redactor.AddSecret("hunter22");
  EXPECT_EQ(redactor.Url("https://me:pw@a.example/x"), "https://a.example/x");
  EXPECT_EQ(redactor.Url("https://a.example/hunter22/x?limit=5&sig=abc&flag&e="),
            "https://a.example/<redacted>/x?limit=5&sig=<redacted>&flag&e=");
  EXPECT_EQ(redactor.Url("https://a.example/#access_token=abc"), "https://a.example/#<redacted>");
  EXPECT_EQ(redactor.Url("/relative?token=a"), "/relative?token=<redacted>");
}

TEST(RedactorTest, BodiesHideMembersByNameAlsoWhenCutOrBroken) {
  Redactor redactor;
  redactor.AddSecret("hunter22");
  EXPECT_EQ(redactor.Body("application/json",
                          R"({"user":"x","Access_Token": "abc\"d","n":1,"password":{"a":[1,"}"]},"z":true})", 500),
            R"({"user":"x","Access_Token": "<redacted>","n":1,"password":"<redacted>","z":true})");
  EXPECT_EQ(redactor.Body("application/json", R"({"cvc":123,"v":"hunter22"})", 500),
            R"({"cvc":"<redacted>","v":"<redacted>"})");
  EXPECT_EQ(redactor.Body("", R"({"password":"unterminated)", 500), R"({"password":"<redacted>")");
  EXPECT_EQ(redactor.Body("application/x-www-form-urlencoded", "user=x&password=y&a=1", 500),
            "user=x&password=<redacted>&a=1");
  EXPECT_EQ(redactor.Body("text/html", "<p>hunter22</p>", 500), "<p><redacted></p>");
}

TEST(RedactorTest, ACutBodyNeverShowsHalfASecret) {
  Redactor redactor;
  redactor.AddSecret("0123456789abcdef");
  for (size_t before = 0; before < 40; ++before) {
    std::string body = std::string(before, 'x') + "0123456789abcdef" + std::string(40, 'y');
    std::string shown = redactor.Body("text/plain", body, 20);
    EXPECT_THAT(shown, Not(HasSubstr("0123"))) << before;
    EXPECT_THAT(shown, HasSubstr("bytes more)"));
  }
  EXPECT_EQ(redactor.Body("text/plain", std::string(30, 'x') + "\xc3\xa4", 31).substr(0, 16), std::string(16, 'x'));
}

TEST(RedactorTest, SplitNamesTheSecretsThatStandAsTheyAre) {
  Redactor redactor;
  redactor.AddSecret("s3cret/1", "office token");
  auto pieces = redactor.Split("a s3cret/1 b s3cret%2F1");
  ASSERT_EQ(pieces.size(), 4u);
  EXPECT_EQ(pieces[1].placeholder, "OFFICE_TOKEN");
  EXPECT_TRUE(pieces[3].is_secret);
  EXPECT_EQ(pieces[3].placeholder, "");
}

TEST(RedactorTest, MayBeUsedByManyThreads) {
  Redactor redactor;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        std::string secret = absl::StrCat("secret-", t, "-", i, "-end");
        redactor.AddSecret(secret);
        EXPECT_EQ(redactor.Redact(secret), "<redacted>");
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace puckdrop::http
