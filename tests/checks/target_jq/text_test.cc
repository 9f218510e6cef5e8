#include "checks/target/jq/worker/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puckdrop::jq::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(UrlTest, EncodesForItsPlace) {
  EXPECT_EQ(PercentEncode("a b&c=d/é~", Escaping::kQuery), "a%20b%26c%3Dd%2F%C3%A9~");
  EXPECT_EQ(PercentEncode("a b&c=d/é~*", Escaping::kForm), "a+b%26c%3Dd%2F%C3%A9%7E*");
  EXPECT_EQ(PercentDecode("a%20b+c%2"), "a b c%2");
}

TEST(UrlTest, FindsTheQuery) {
  EXPECT_THAT(QueryPairs("https://x.example/cb?code=a%2Fb&state=1#top"),
              ElementsAre(Pair("code", "a/b"), Pair("state", "1")));
  EXPECT_THAT(QueryPairs("?a=1&a=2&b"), ElementsAre(Pair("a", "1"), Pair("a", "2"), Pair("b", "")));
  EXPECT_THAT(QueryPairs("a=1?2"), ElementsAre(Pair("a", "1?2")));
  EXPECT_THAT(QueryPairs("https://x.example/cb#access_token=t&x=y"),
              ElementsAre(Pair("access_token", "t"), Pair("x", "y")));
  EXPECT_THAT(QueryPairs("https://x.example/cb"), IsEmpty());
  EXPECT_THAT(QueryPairs("/cb"), IsEmpty());
  EXPECT_THAT(QueryPairs(""), IsEmpty());
}

TEST(HtmlTest, KeepsWhatIsSeen) {
  EXPECT_EQ(HtmlText("<html><head><title>T</title><style>p{}</style></head><body><h1>Tilaa&nbsp;nyt</h1>\n <p>Hinta "
                     "<b>14,90</b>&nbsp;&euro;/kk"
                     "<script>if (a < b) alert('<p>no</p>')</SCRIPT><br>ei &auml;lyt&#246;nt&#xE4; &unknown; A&B<!-- "
                     "<p>x</p> --></p></body>"),
            "Tilaa nyt\nHinta 14,90 €/kk\nei älytöntä &unknown; A&B");
  EXPECT_EQ(HtmlText("1 < 2 <a title=\"a>b\">x</a>y"), "1 < 2 xy");
  EXPECT_EQ(HtmlText("<script>never closed"), "");
  EXPECT_EQ(HtmlText("<"), "<");
  EXPECT_EQ(HtmlText("a<b"), "a");
  EXPECT_EQ(HtmlText("&#0;&#xD800;&#99999999;"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

}  // namespace
}  // namespace puckdrop::jq::worker
