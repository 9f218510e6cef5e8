#include "services/cli/exit_codes.h"

#include <gtest/gtest.h>

#include <csignal>

namespace puckdrop::cli {
namespace {

GateEnd Verdict(v1::VerdictState state) {
  GateEnd end;
  end.verdict = state;
  return end;
}

TEST(ExitCodeTest, FollowsTheVerdict) {
  EXPECT_EQ(ExitCodeOf(Verdict(v1::VERDICT_STATE_GO)), 0);
  EXPECT_EQ(ExitCodeOf(Verdict(v1::VERDICT_STATE_GO_WITH_WAIVERS)), 0);
  EXPECT_EQ(ExitCodeOf(Verdict(v1::VERDICT_STATE_NO_GO)), 1);
  EXPECT_EQ(ExitCodeOf(Verdict(v1::VERDICT_STATE_INCONCLUSIVE)), 2);
  EXPECT_EQ(ExitCodeOf(Verdict(v1::VERDICT_STATE_UNSPECIFIED)), 2) << "no verdict is never GO";
}

TEST(ExitCodeTest, TheFirstThatAppliesWins) {
  GateEnd end = Verdict(v1::VERDICT_STATE_GO);
  end.internal_error = true;
  EXPECT_EQ(ExitCodeOf(end), 70);
  end.signal = SIGINT;
  EXPECT_EQ(ExitCodeOf(end), 130);
  end.signal = SIGTERM;
  EXPECT_EQ(ExitCodeOf(end), 143);
  end.nothing_to_judge = true;
  EXPECT_EQ(ExitCodeOf(end), 3);
  end.wrong_usage = true;
  EXPECT_EQ(ExitCodeOf(end), 64);
}

}  // namespace
}  // namespace puckdrop::cli
