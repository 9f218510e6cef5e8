#include "services/runtime/signals.h"

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

#include "services/runtime/shutdown.h"
#include "tests/services/runtime_grpc/test_service.h"

namespace puckdrop::runtime {
namespace {

TEST(SignalsTest, ASignalIsDeliveredToTheLoopAndToWhoWaits) {
  EventLoop loop;
  std::atomic<int> seen = 0;
  SignalWatch watch(loop, [&](int signal) {
    EXPECT_TRUE(loop.InLoopThread());
    seen = signal;
  });
  EXPECT_EQ(watch.Wait(absl::Milliseconds(1)), 0);
  EXPECT_EQ(watch.received(), 0);
  raise(SIGTERM);
  EXPECT_EQ(watch.Wait(absl::Seconds(20)), SIGTERM);
  EXPECT_TRUE(Eventually([&] { return seen == SIGTERM; }));
  raise(SIGINT);
  EXPECT_TRUE(Eventually([&] { return seen == SIGINT; }));
  EXPECT_EQ(watch.received(), SIGTERM) << "the first one counts";
}

TEST(SignalsTest, AnImpatientThirdSignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        EventLoop loop;
        SignalWatch watch(loop);
        for (int i = 0; i < 1000; ++i) {
          raise(SIGINT);
          absl::SleepFor(absl::Milliseconds(10));
        }
      },
      ::testing::ExitedWithCode(130), "");
}

TEST(ShutdownTest, WhatWasStartedLastEndsFirst) {
  std::vector<std::string> order;
  {
    ShutdownPlan plan;
    plan.Add("loop", absl::Seconds(1), [&](absl::Duration) { order.push_back("loop"); });
    plan.Add("server", absl::Seconds(2), [&](absl::Duration limit) {
      EXPECT_EQ(limit, absl::Seconds(2));
      order.push_back("server");
    });
    plan.Run();
    EXPECT_EQ(order, (std::vector<std::string>{"server", "loop"}));
  }
  EXPECT_EQ(order.size(), 2u) << "once";
}

}  // namespace
}  // namespace puckdrop::runtime
