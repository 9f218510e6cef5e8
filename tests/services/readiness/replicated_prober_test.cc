#include "services/readiness/replicated_prober.h"

#include <gtest/gtest.h>

#include "tests/services/readiness/fake_prober.h"

namespace puckdrop::readiness {
namespace {

class ReplicatedProberTest : public ::testing::Test {
 protected:
  ReplicatedProberTest() : prober_(clock_, {{"a:1", &a_}, {"b:1", &b_}}) {}
  ~ReplicatedProberTest() override { loop_.Stop(); }

  static awaitable<absl::Status> Ask(ReplicatedProber& prober, std::string run, absl::Time deadline, int* events) {
    v1::RunChecksRequest request;
    request.set_run(run);
    request.set_customer("sofa");
    request.set_stage(v1::STAGE_VISITOR);
    request.add_checks("ordering.offer_visible");
    ProberClient::OnEvent count = [events](v1::RunChecksEvent) { ++*events; };
    absl::Status status = co_await prober.RunChecks(std::move(request), deadline, std::move(count));
    co_return status;
  }
  absl::Status Run(const std::string& run) {
    events_ = 0;
    return loop_.Spawn(Ask(prober_, run, clock_.Now() + absl::Seconds(30), &events_)).Get();
  }
  static void Down(FakeProber& prober, bool down) {
    prober.before = [down](const v1::RunChecksRequest&) -> awaitable<absl::Status> {
      co_return down ? absl::UnavailableError("connection refused") : absl::OkStatus();
    };
  }

  runtime::FakeClock clock_;
  runtime::EventLoop loop_;
  FakeLog log_;
  FakeProber a_{v1::PATH_ORDERING, loop_, log_};
  FakeProber b_{v1::PATH_ORDERING, loop_, log_};
  ReplicatedProber prober_;
  int events_ = 0;
};

TEST_F(ReplicatedProberTest, OneThatIsDownIsRoutedRoundInTheSameCall) {
  Down(a_, true);
  EXPECT_TRUE(Run("run-a").ok());
  EXPECT_GT(events_, 0);
  EXPECT_EQ(b_.requests.size(), 1u);
  EXPECT_GT(b_.requests[0].first_account(), 0) << "accounts of the two never have the same name";
}

TEST_F(ReplicatedProberTest, OneThatIsDownIsLeftAloneAndTriedAgainLater) {
  Down(a_, true);
  EXPECT_TRUE(Run("run-a").ok());
  EXPECT_TRUE(Run("run-b").ok());
  EXPECT_EQ(a_.requests.size(), 1u) << "it rests";
  Down(a_, false);
  clock_.Advance(absl::Seconds(2));
  EXPECT_TRUE(Run("run-c").ok());
  EXPECT_EQ(a_.requests.size(), 2u) << "and is back";
}

TEST_F(ReplicatedProberTest, RestsGrowToAMinute) {
  Down(a_, true);
  int asked = 0;
  for (int second = 0; second < 600; ++second) {
    EXPECT_TRUE(Run("run-" + std::to_string(second)).ok());
    clock_.Advance(absl::Seconds(1));
  }
  asked = static_cast<int>(a_.requests.size());
  EXPECT_GE(asked, 12);
  EXPECT_LE(asked, 18);
}

TEST_F(ReplicatedProberTest, ARunStaysWhereItBegan) {
  Down(a_, true);
  EXPECT_TRUE(Run("run-a").ok());
  Down(a_, false);
  clock_.Advance(absl::Minutes(2));
  EXPECT_TRUE(Run("run-a").ok());
  EXPECT_EQ(a_.requests.size(), 1u) << "its sessions are at the other one";
  EXPECT_EQ(b_.requests.size(), 2u);
}

TEST_F(ReplicatedProberTest, WhatBrokeInTheMiddleIsNotDoneTwice) {
  a_.ends_with = absl::UnavailableError("it went away");
  EXPECT_TRUE(absl::IsUnavailable(Run("run-a")));
  EXPECT_GT(events_, 0);
  EXPECT_TRUE(b_.requests.empty());
  EXPECT_TRUE(Run("run-b").ok());
  EXPECT_EQ(b_.requests.size(), 1u) << "the next run goes elsewhere";
}

TEST_F(ReplicatedProberTest, WhenAllAreDownOneIsAskedAllTheSame) {
  Down(a_, true);
  Down(b_, true);
  EXPECT_TRUE(absl::IsUnavailable(Run("run-a")));
  EXPECT_TRUE(absl::IsUnavailable(Run("run-b")));
  EXPECT_EQ(a_.requests.size() + b_.requests.size(), 4u);
}

TEST_F(ReplicatedProberTest, UndoingGoesOnToTheNextReplica) {
  Down(a_, true);
  EXPECT_TRUE(Run("run-a").ok());
  v1::SettleObligationRequest request;
  request.mutable_obligation()->set_name("obligations/1");
  request.mutable_obligation()->set_owner("run-a");
  auto settle = [](ReplicatedProber& prober, v1::SettleObligationRequest what,
                   absl::Time deadline) -> awaitable<absl::StatusOr<v1::SettleObligationResponse>> {
    absl::StatusOr<v1::SettleObligationResponse> answer = co_await prober.SettleObligation(std::move(what), deadline);
    co_return answer;
  };
  absl::StatusOr<v1::SettleObligationResponse> answer =
      loop_.Spawn(settle(prober_, request, clock_.Now() + absl::Seconds(10))).Get();
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE(answer->settled());
}

}  // namespace
}  // namespace puckdrop::readiness
