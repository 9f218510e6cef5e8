#include "services/readiness/since_when.h"

#include <gtest/gtest.h>

#include "services/runtime/proto_time.h"

namespace puckdrop::readiness {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'780'000'000);

class SinceWhenTest : public ::testing::Test {
 protected:
  // When the one instance is said to have come to stand where it stands.
  absl::Time See(v1::Standing standing, absl::Time now) {
    v1::Verdict verdict;
    *verdict.mutable_time() = runtime::ToTimestamp(now);
    v1::InstanceStanding& instance = *verdict.add_instances();
    instance.set_check("billing.vat");
    instance.set_customer("sofa");
    instance.set_standing(standing);
    since_.Observe(&verdict);
    return runtime::FromTimestamp(verdict.instances(0).since());
  }
  SinceWhen since_;
};

TEST_F(SinceWhenTest, ItStandsThereSinceItCameThere) {
  EXPECT_EQ(See(v1::STANDING_OK, kStart), kStart);
  EXPECT_EQ(See(v1::STANDING_OK, kStart + absl::Minutes(5)), kStart);
  const absl::Time broke = kStart + absl::Minutes(6);
  EXPECT_EQ(See(v1::STANDING_FAILED, broke), broke);
  EXPECT_EQ(See(v1::STANDING_FAILED, broke + absl::Hours(1)), broke);
  const absl::Time mended = broke + absl::Hours(2);
  EXPECT_EQ(See(v1::STANDING_OK, mended), mended);
}

TEST_F(SinceWhenTest, ARestartForgetsNothing) {
  StandingSince before;
  before.check = "billing.vat";
  before.customer = "sofa";
  before.standing = v1::STANDING_FAILED;
  before.since = kStart;
  since_.Restore({before});
  EXPECT_EQ(See(v1::STANDING_FAILED, kStart + absl::Minutes(9)), kStart);
}

TEST_F(SinceWhenTest, AClockThatIsSetBackLeavesNoBeginningInTheFuture) {
  EXPECT_EQ(See(v1::STANDING_FAILED, kStart), kStart);
  const absl::Time back = kStart - absl::Hours(1);
  EXPECT_EQ(See(v1::STANDING_FAILED, back), back);
}

TEST_F(SinceWhenTest, WhatThePlanNoLongerExpectsIsForgotten) {
  EXPECT_EQ(See(v1::STANDING_FAILED, kStart), kStart);
  v1::Verdict without;
  *without.mutable_time() = runtime::ToTimestamp(kStart + absl::Minutes(1));
  since_.Observe(&without);
  const absl::Time again = kStart + absl::Minutes(2);
  EXPECT_EQ(See(v1::STANDING_FAILED, again), again);
}

}  // namespace
}  // namespace puckdrop::readiness
