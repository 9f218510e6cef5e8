#include "checks/target/http/host_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puckdrop::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ParseUrlTest, NormalisesWhatWillBeSent) {
  struct Case {
    const char* url;
    const char* normalised;
  };
  for (const Case& c : std::vector<Case>{
           {"http://Shop.Example", "http://shop.example/"},
           {"HTTP://shop.example:80/a?b=c#d", "http://shop.example/a?b=c"},
           {"https://shop.example:443/", "https://shop.example/"},
           {"https://shop.example:8443", "https://shop.example:8443/"},
           {"http://shop.example/a/../b/./c", "http://shop.example/b/c"},
           {"http://shop.example/a/%2e%2E/b", "http://shop.example/b"},
           {"http://shop.example/a/.%2e", "http://shop.example/"},
           {"http://shop.example/../../..", "http://shop.example/"},
           {"http://shop.example./x", "http://shop.example/x"},
           {"http://[0:0:0:0:0:0:0:1]:8080/x", "http://[::1]:8080/x"},
           {"http://2130706433/", "http://127.0.0.1/"},
           {"http://0x7f.1/", "http://127.0.0.1/"},
           {"http://0x7f.1./", "http://127.0.0.1/"},
           {"http://shop.example/a b?c d", "http://shop.example/a%20b?c+d"},
           {"http://shop.example/%61%2f?x=%26", "http://shop.example/%61%2f?x=%26"},
       }) {
    auto parts = ParseUrl(c.url);
    ASSERT_TRUE(parts.ok()) << c.url << ": " << parts.status();
    EXPECT_EQ(parts->normalised, c.normalised) << c.url;
  }
}

TEST(ParseUrlTest, RefusesWhatIsReadDifferentlyByOthers) {
  for (const char* url : {"",
                          "shop.example/x",
                          "//shop.example",
                          "ftp://shop.example/",
                          "javascript:alert(1)",
                          "http://",
                          "http:///path",
                          "http://user@evil.example/",
                          "http://shop.example:80@evil.example/",
                          "http://a:b@c/",
                          "http://shop.example\\@evil.example/",
                          "http://shop.example/\\..\\x",
                          "http://shop.example:99999/",
                          "http://shop.example:-1/",
                          "http://shop.example\r\nx/",
                          "http://shop .example/",
                          "http://shop%2eexample/",
                          "http://[::1/",
                          "http://[::zz]/",
                          "http://a..b/",
                          "http://a../",
                          "http://[fe80::1%25eth0]/"}) {
    EXPECT_FALSE(ParseUrl(url).ok()) << url;
  }
  EXPECT_FALSE(ParseUrl("http://shop.example/" + std::string(9000, 'x')).ok());
}

TEST(ParseUrlTest, MessagesHoldNoSecrets) {
  EXPECT_THAT(std::string(ParseUrl("http://user:hunter22@c/").status().message()), Not(HasSubstr("hunter22")));
}

TEST(ResolveUrlTest, FollowsRfc3986) {
  const std::string base = "https://shop.example/a/b?q";
  EXPECT_EQ(ResolveUrl(base, "/c")->normalised, "https://shop.example/c");
  EXPECT_EQ(ResolveUrl(base, "c")->normalised, "https://shop.example/a/c");
  EXPECT_EQ(ResolveUrl(base, "../../../c")->normalised, "https://shop.example/c");
  EXPECT_EQ(ResolveUrl(base, "?x=1")->normalised, "https://shop.example/a/b?x=1");
  EXPECT_EQ(ResolveUrl(base, "")->normalised, base);
  EXPECT_EQ(ResolveUrl(base, "#top")->normalised, base);
  EXPECT_EQ(ResolveUrl(base, "//cdn.example/x")->normalised, "https://cdn.example/x");
  EXPECT_EQ(ResolveUrl(base, "http://other.example")->normalised, "http://other.example/");
  EXPECT_FALSE(ResolveUrl(base, "fi.example:/cb").ok());
  EXPECT_FALSE(ResolveUrl(base, "\\\\evil.example/x").ok());
  EXPECT_FALSE(ResolveUrl("nonsense", "/x").ok());
}

class HostRulesTest : public ::testing::Test {
 protected:
  HostRulesTest() {
    for (auto [name, address] :
         std::vector<std::pair<const char*, const char*>>{{"shop", "http://127.0.0.1:8080"},
                                                          {"office", "http://127.0.0.1:8080/admin/"},
                                                          {"web", "https://Shop.Example"},
                                                          {"api", "https://shop.example/api"},
                                                          {"cdn", "*.cdn.example"},
                                                          {"edge", "https://*.edge.example:8443"},
                                                          {"special", "https://one.cdn.example"},
                                                          {"six", "http://[::1]:9000"},
                                                          {"plain", "plain.example"}}) {
      absl::Status added = rules_.Add(name, address);
      EXPECT_TRUE(added.ok()) << address << added;
    }
  }
  std::string Name(const std::string& url) { return rules_.Match(url).value_or("-"); }
  HostRules rules_;
};

TEST_F(HostRulesTest, SchemeHostAndPortDecideAndTheLongestPathNames) {
  EXPECT_EQ(Name("http://127.0.0.1:8080/v1/orders"), "shop");
  EXPECT_EQ(Name("http://127.0.0.1:8080/admin"), "office");
  EXPECT_EQ(Name("http://127.0.0.1:8080/admin/charges?x=1"), "office");
  EXPECT_EQ(Name("http://127.0.0.1:8080/administrators"), "shop");
  EXPECT_EQ(Name("http://127.0.0.1:8080/x/../admin/y"), "office");
  EXPECT_EQ(Name("http://127.0.0.1:8080/admin/%2e%2e/y"), "shop");
  EXPECT_EQ(Name("https://shop.example/api/x"), "api");
  EXPECT_EQ(Name("https://SHOP.example:443/"), "web");
  EXPECT_EQ(Name("http://[0::1]:9000/"), "six");
  EXPECT_EQ(Name("http://plain.example/"), "plain");
  EXPECT_EQ(Name("https://plain.example/"), "plain");
}

// A GraphQL shop has customers and back office at one address: the door that a step names is the one it goes through.
TEST_F(HostRulesTest, OfDoorsWithOneAddressTheOneAtHandIsMeant) {
  ASSERT_TRUE(rules_.Add("counter", "http://127.0.0.1:8080").ok());
  EXPECT_EQ(Name("http://127.0.0.1:8080/v1/orders"), "shop");
  EXPECT_EQ(rules_.Match("http://127.0.0.1:8080/v1/orders", "counter").value_or("-"), "counter");
  EXPECT_EQ(rules_.Match("http://127.0.0.1:8080/v1/orders", "six").value_or("-"), "shop");
  // A longer path still decides.
  EXPECT_EQ(rules_.Match("http://127.0.0.1:8080/admin/x", "counter").value_or("-"), "office");
}

TEST_F(HostRulesTest, AWildcardNeedsALabelInFront) {
  EXPECT_EQ(Name("https://a.cdn.example/seg.ts"), "cdn");
  EXPECT_EQ(Name("http://a.b.cdn.example/seg.ts"), "cdn");
  EXPECT_EQ(Name("https://one.cdn.example/seg.ts"), "special");
  EXPECT_EQ(Name("https://x.edge.example:8443/"), "edge");
  EXPECT_EQ(Name("https://cdn.example/"), "-");
  EXPECT_EQ(Name("https://evilcdn.example/"), "-");
  EXPECT_EQ(Name("https://a.cdn.example.evil.example/"), "-");
  EXPECT_EQ(Name("https://x.edge.example/"), "-");
}

TEST_F(HostRulesTest, NothingElseIsInside) {
  for (const char* url :
       {"https://127.0.0.1:8080/", "http://127.0.0.1:8081/", "http://127.0.0.1/", "http://shop.example/",
        "https://shop.example.evil.example/", "https://shop.example@evil.example/", "https://evil.example/shop.example",
        "https://evil.example#shop.example", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd"}) {
    EXPECT_EQ(Name(url), "-") << url;
  }
  auto outside = rules_.Match("https://evil.example/path?token=hunter22").status();
  EXPECT_EQ(outside.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(outside.message(), "https://evil.example is not a host of the plan");
}

TEST_F(HostRulesTest, AnAddressThatIsNoneIsRefusedWithTheReason) {
  for (const char* address : {"", "*", "*.", "*.com", "a.*.example", "ftp://x.example", "http://u:p@x.example",
                              "https://x/?q=1", "*.127.0.0.1"}) {
    EXPECT_EQ(rules_.Add("x", address).code(), absl::StatusCode::kInvalidArgument) << address;
  }
}

}  // namespace
}  // namespace puckdrop::http
