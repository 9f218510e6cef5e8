#include "services/runtime/text.h"

#include <gtest/gtest.h>

#include "services/runtime/logging.h"

namespace puckdrop::runtime {
namespace {

constexpr char kBad[] = "\xEF\xBF\xBD";

TEST(TextTest, ValidCharactersStayAndBadBytesAreReplaced) {
  EXPECT_EQ(ValidUtf8("pää €𝄞"), "pää €𝄞");
  EXPECT_EQ(ValidUtf8("a\x80z"), std::string("a") + kBad + "z");
  EXPECT_EQ(ValidUtf8("\xC0\xAF"), std::string(kBad) + kBad) << "overlong";
  EXPECT_EQ(ValidUtf8("\xED\xA0\x80"), std::string(kBad) + kBad + kBad) << "surrogate";
  EXPECT_EQ(ValidUtf8("\xE2\x82"), std::string(kBad) + kBad) << "cut";
  EXPECT_EQ(ValidUtf8("\xF5\x80\x80\x80").substr(0, 3), kBad);
}

TEST(TextTest, CutsOnACharactersBorder) {
  EXPECT_EQ(CutText("abcdef", 6), "abcdef");
  EXPECT_EQ(CutText("abcdefg", 6), "abc…");
  EXPECT_EQ(CutText("aäääää", 6), "aä…");
  EXPECT_LE(CutText("ääää", 2).size(), 2u);
}

TEST(TextTest, TextFromElsewhereCannotForgeALogLine) {
  EXPECT_EQ(Printable("a\nb\x1b[31m\x7f\xC2\x9B"
                      "c"),
            "a\\x0ab\\x1b[31m\\x7f\\x9bc");
  EXPECT_EQ(Printable("abcdef", 5), "ab…");
}

TEST(TextTest, AnUnknownLogLevelIsRefusedByName) {
  EXPECT_EQ(InitLogging("loud").message(), "\"loud\" is no log level: use trace, debug, info, warn, error or off");
  EXPECT_TRUE(InitLogging("warn").ok());
}

}  // namespace
}  // namespace puckdrop::runtime
