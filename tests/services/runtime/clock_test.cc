#include "services/runtime/clock.h"

#include <gtest/gtest.h>

#include <vector>

namespace puckdrop::runtime {
namespace {

TEST(FakeClockTest, MovesOnlyWhenTold) {
  FakeClock clock(absl::FromUnixSeconds(100));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(100));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(100));
  absl::Duration before = clock.Monotonic();
  clock.Advance(absl::Seconds(3));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(103));
  EXPECT_EQ(clock.Monotonic() - before, absl::Seconds(3));
  clock.Advance(-absl::Seconds(5));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(103));
}

TEST(FakeClockTest, WakesThoseWhoAreDueEarliestFirst) {
  FakeClock clock(absl::FromUnixSeconds(0));
  std::vector<int> woken;
  for (int second : {3, 1, 2, 9}) {
    clock.WakeAt(absl::FromUnixSeconds(second), [&woken, second] { woken.push_back(second); });
  }
  EXPECT_EQ(clock.sleepers(), 4u);
  EXPECT_EQ(clock.next_wake(), absl::FromUnixSeconds(1));
  clock.Advance(absl::Seconds(3));
  EXPECT_EQ(woken, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(clock.sleepers(), 1u);
}

TEST(FakeClockTest, WakesAtOnceWhenTheTimeHasPassed) {
  FakeClock clock;
  bool woken = false;
  clock.WakeAt(clock.Now(), [&] { woken = true; });
  EXPECT_TRUE(woken);
  EXPECT_EQ(clock.sleepers(), 0u);
}

TEST(FakeClockTest, DoesNotWakeOneThatWasRemoved) {
  FakeClock clock;
  bool woken = false;
  auto id = clock.WakeAt(clock.Now() + absl::Seconds(1), [&] { woken = true; });
  ASSERT_TRUE(id.has_value());
  clock.RemoveWaker(*id);
  clock.Advance(absl::Seconds(2));
  EXPECT_FALSE(woken);
}

TEST(FakeClockTest, AWakerMayAddAnotherThatIsDueToo) {
  FakeClock clock;
  int woken = 0;
  absl::Time second = clock.Now() + absl::Seconds(2);
  clock.WakeAt(clock.Now() + absl::Seconds(1), [&] {
    ++woken;
    clock.WakeAt(second, [&] { ++woken; });
  });
  clock.Advance(absl::Seconds(5));
  EXPECT_EQ(woken, 2);
}

TEST(RealClockTest, HasNoWakersAndNeverGoesBack) {
  RealClock clock;
  EXPECT_FALSE(clock.WakeAt(clock.Now(), [] { FAIL(); }).has_value());
  absl::Duration before = clock.Monotonic();
  EXPECT_GE(clock.Monotonic(), before);
}

}  // namespace
}  // namespace puckdrop::runtime
