#include "checks/target/http/limiter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace puckdrop::http {
namespace {

using ::testing::HasSubstr;
using Kind = Limiter::Kind;

class LimiterTest : public ::testing::Test {
 protected:
  using Result = absl::StatusOr<Limiter::Permit>;

  void Make(LimitSettings settings) { limiter_ = std::make_unique<Limiter>(loop_, clock_, std::move(settings)); }
  runtime::Task<Result> Start(Kind kind = Kind::kRequest, std::string host = "shop",
                              absl::Duration within = absl::InfiniteDuration()) {
    return loop_.Spawn(limiter_->Acquire(kind, std::move(host), clock_.Now() + within));
  }
  // Runs on the loop, after everything that was queued before.
  template <typename F>
  auto OnLoop(F fn) {
    decltype(fn()) result{};
    for (int i = 0; i < 3; ++i) loop_.Invoke([&] { result = fn(); });
    return result;
  }
  size_t Waiting() {
    return OnLoop([this] { return limiter_->waiting(); });
  }
  bool WaitsFor(size_t count) {
    for (int i = 0; i < 1'000'000; ++i) {
      if (Waiting() == count) return true;
    }
    return false;
  }
  // A permit belongs to the loop's thread.
  void Drop(Result permit) {
    auto held = std::make_shared<Result>(std::move(permit));
    loop_.Invoke([&] { held.reset(); });
  }
  void TearDown() override {
    limiter_.reset();
    loop_.Stop();
  }

  runtime::FakeClock clock_;
  runtime::EventLoop loop_;
  std::unique_ptr<Limiter> limiter_;
};

TEST_F(LimiterTest, WithoutLimitsEverybodyPasses) {
  Make({});
  for (int i = 0; i < 100; ++i) Drop(Start().Get());
  EXPECT_EQ(OnLoop([this] { return limiter_->in_flight(); }), 0);
}

TEST_F(LimiterTest, NeverMoreThanTheRateInAnySecond) {
  Make({.requests_per_second = 3});
  std::vector<runtime::Task<Result>> tasks;
  for (int i = 0; i < 7; ++i) tasks.push_back(Start());
  ASSERT_TRUE(WaitsFor(4));
  clock_.Advance(absl::Milliseconds(999));
  EXPECT_EQ(Waiting(), 4u);
  clock_.Advance(absl::Milliseconds(1));
  ASSERT_TRUE(WaitsFor(1));
  clock_.Advance(absl::Seconds(1));
  ASSERT_TRUE(WaitsFor(0));
  // First come, first served.
  absl::Duration before;
  for (auto& task : tasks) {
    Result permit = task.Get();
    ASSERT_TRUE(permit.ok());
    EXPECT_GE(permit->waited(), before);
    before = permit->waited();
    Drop(std::move(permit));
  }
  EXPECT_EQ(before, absl::Seconds(2));
}

TEST_F(LimiterTest, ARateBelowOneIsOneInALongerTime) {
  Make({.requests_per_second = 0.5});
  Drop(Start().Get());
  auto second = Start();
  ASSERT_TRUE(WaitsFor(1));
  clock_.Advance(absl::Milliseconds(1999));
  EXPECT_EQ(Waiting(), 1u);
  clock_.Advance(absl::Milliseconds(1));
  Drop(second.Get());
}

TEST_F(LimiterTest, PlacesInFlightAreSharedByRequestsAndMediaAndFreedByThePermit) {
  Make({.in_flight = 2});
  Result a = Start().Get(), b = Start(Kind::kMedia).Get();
  auto c = Start(), d = Start(Kind::kMedia);
  ASSERT_TRUE(WaitsFor(2));
  EXPECT_EQ(OnLoop([this] { return limiter_->in_flight(); }), 2);
  Drop(std::move(a));
  Result got_c = c.Get();
  EXPECT_TRUE(got_c.ok());
  EXPECT_FALSE(d.done());
  Drop(std::move(b));
  Drop(d.Get());
  Drop(std::move(got_c));
}

TEST_F(LimiterTest, OrdersHaveTheirOwnHourAndTakeNoPlace) {
  Make({.in_flight = 1, .orders_per_hour = 2});
  Drop(Start(Kind::kOrder).Get());
  Drop(Start(Kind::kOrder).Get());
  Drop(Start().Get());
  Result third = Start(Kind::kOrder, "shop", absl::Minutes(30)).Get();
  EXPECT_EQ(third.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(third.status().message()), HasSubstr("orders_per_hour"));
  clock_.Advance(absl::Hours(1));
  Drop(Start(Kind::kOrder).Get());
}

TEST_F(LimiterTest, TheDeadlineEndsTheWaiting) {
  Make({.in_flight = 1});
  Result held = Start().Get();
  auto late = Start(Kind::kRequest, "shop", absl::Seconds(5));
  ASSERT_TRUE(WaitsFor(1));
  clock_.Advance(absl::Seconds(5));
  Result answer = late.Get();
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("in_flight"));
  EXPECT_EQ(Waiting(), 0u);
  Drop(std::move(held));
  Drop(Start().Get());
}

TEST_F(LimiterTest, ACancelledWaiterLeavesItsPlaceToTheNext) {
  Make({.in_flight = 1});
  Result held = Start().Get();
  auto given_up = Start();
  ASSERT_TRUE(WaitsFor(1));
  auto next = Start();
  ASSERT_TRUE(WaitsFor(2));
  given_up.Cancel();
  EXPECT_EQ(given_up.Get().status().code(), absl::StatusCode::kCancelled);
  Drop(std::move(held));
  Drop(next.Get());
}

TEST_F(LimiterTest, AHeldHostLetsTheOthersPass) {
  Make({.requests_per_second = 100, .longest_retry_after = absl::Seconds(60)});
  OnLoop([&] {
    limiter_->Hold("shop", clock_.Now() + absl::Seconds(30));
    limiter_->Hold("shop", clock_.Now() + absl::Seconds(10));
    return 0;
  });
  auto held = Start();
  ASSERT_TRUE(WaitsFor(1));
  Drop(Start(Kind::kRequest, "office").Get());
  Result impatient = Start(Kind::kRequest, "shop", absl::Seconds(20)).Get();
  EXPECT_EQ(impatient.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(impatient.status().message()), HasSubstr("asked us to wait"));
  clock_.Advance(absl::Seconds(29));
  EXPECT_EQ(Waiting(), 1u);
  clock_.Advance(absl::Seconds(1));
  Drop(held.Get());
  // A hold is bounded.
  OnLoop([&] {
    limiter_->Hold("shop", absl::InfiniteFuture());
    return 0;
  });
  EXPECT_EQ(OnLoop([&] { return limiter_->held_until("shop"); }), clock_.Now() + absl::Seconds(60));
}

TEST_F(LimiterTest, TooManyWaitersFailAtOnce) {
  Make({.in_flight = 1, .waiters = 2});
  Result held = Start().Get();
  auto a = Start(), b = Start();
  ASSERT_TRUE(WaitsFor(2));
  EXPECT_EQ(Start().Get().status().code(), absl::StatusCode::kResourceExhausted);
  Drop(std::move(held));
  Drop(a.Get());
  Drop(b.Get());
}

TEST_F(LimiterTest, ANewShareIsUsedByThoseWhoWait) {
  Make({.in_flight = 1});
  Result held = Start().Get();
  auto waiting = Start();
  ASSERT_TRUE(WaitsFor(1));
  OnLoop([&] {
    limiter_->Update({.in_flight = 2});
    return 0;
  });
  Drop(waiting.Get());
  Drop(std::move(held));
}

TEST_F(LimiterTest, EndingCancelsThoseWhoWaitAndPermitsMayOutliveIt) {
  Make({.in_flight = 1});
  Result held = Start().Get();
  auto waiting = Start();
  ASSERT_TRUE(WaitsFor(1));
  limiter_.reset();
  EXPECT_EQ(waiting.Get().status().code(), absl::StatusCode::kCancelled);
  Drop(std::move(held));
}

TEST_F(LimiterTest, BudgetsAreNeverOverspent) {
  Make({.bytes_per_run = 100, .money_minor_units = {{"EUR", 1000}}});
  EXPECT_TRUE(limiter_->SpendBytes(60).ok());
  EXPECT_EQ(limiter_->SpendBytes(41).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(limiter_->SpendBytes(40).ok());
  EXPECT_TRUE(limiter_->SpendMoney("EUR", 999).ok());
  EXPECT_EQ(limiter_->SpendMoney("EUR", 2).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(limiter_->SpendMoney("EUR", 1).ok());
  EXPECT_EQ(limiter_->SpendMoney("SEK", 1).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(limiter_->SpendMoney("EUR", -5).code(), absl::StatusCode::kInvalidArgument);
}

TEST(RetryAfterTest, ReadsSecondsAndTheThreeDates) {
  absl::Time now = absl::FromUnixSeconds(784'111'000);
  EXPECT_EQ(Limiter::ParseRetryAfter(" 120 ", now), now + absl::Seconds(120));
  for (const char* date :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(Limiter::ParseRetryAfter(date, now), absl::FromUnixSeconds(784'111'777)) << date;
  }
  for (const char* nonsense : {"", "soon", "-5", "1.5", "Sun, 06 Nov 1994"}) {
    EXPECT_FALSE(Limiter::ParseRetryAfter(nonsense, now).has_value()) << nonsense;
  }
  EXPECT_EQ(Limiter::ParseRetryAfter("99999999999999999999", now), absl::InfiniteFuture());
}

}  // namespace
}  // namespace puckdrop::http
