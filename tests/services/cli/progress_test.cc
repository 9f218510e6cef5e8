#include "services/cli/progress.h"

#include <gtest/gtest.h>

namespace puckdrop::cli {
namespace {

TEST(ProgressTest, SaysHowFarAndWhat) {
  EXPECT_EQ(ProgressLine(12, 145, 0, absl::Seconds(83), "sofa: billing.charged_once", 200),
            "12/145 judged, 1:23 | sofa: billing.charged_once");
  EXPECT_EQ(ProgressLine(12, 145, 2, absl::Seconds(3), "", 200), "12/145 judged, 2 failed, 0:03");
}

TEST(ProgressTest, NeverDrivesTheTerminalAndNeverOverflowsIt) {
  EXPECT_EQ(ProgressLine(1, 2, 0, absl::Seconds(0), "a\nb\x1b[2J", 200).find('\n'), std::string::npos);
  EXPECT_EQ(ProgressLine(1, 2, 0, absl::Seconds(0), "a\nb\x1b[2J", 200).find('\x1b'), std::string::npos);
  for (size_t width = 0; width < 60; ++width) {
    EXPECT_LE(ProgressLine(1, 2, 0, absl::Seconds(0), "pää ääliö ääliö ääliö", width).size(), width);
  }
}

}  // namespace
}  // namespace puckdrop::cli
