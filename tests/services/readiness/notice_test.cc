#include <gtest/gtest.h>

#include "services/readiness/notice_reader.h"

namespace puckdrop::readiness {
namespace {

TEST(NoticeTest, ReadsAPageAsAPersonDoes) {
  const std::string page =
      "<html><head><style>p { }</style><script>var x = '4K broadcasts start in May';</script></head>"
      "<body><h1>Status</h1><p>4K <b>broadcasts</b>\n start&nbsp;in January</p><p>Thank you</p></body></html>";
  const std::string text = PageText(page);
  EXPECT_TRUE(Says(text, "4k Broadcasts")) << text;
  EXPECT_FALSE(Says(text, "start in May")) << "a script is no notice";
  EXPECT_TRUE(Says(text, "start in January")) << text;
  EXPECT_FALSE(Says(text, "JanuaryThank")) << "paragraphs are apart";
}

TEST(NoticeTest, TakesPlainTextAsItStands) {
  EXPECT_TRUE(Says(PageText("  4K broadcasts\n\n start in January "), "4K broadcasts start in January"));
}

TEST(NoticeTest, SurvivesAnyPage) {
  EXPECT_EQ(PageText(""), "");
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "<i>";
  EXPECT_TRUE(Says(PageText(deep + "words of the notice"), "words of the notice"));
}

}  // namespace
}  // namespace puckdrop::readiness
