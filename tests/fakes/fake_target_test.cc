#include "tests/fakes/fake_target.h"

#include <gtest/gtest.h>

namespace puckdrop::fakes {
namespace {

checks::Actor Customer() {
  checks::Actor actor;
  actor.email = "a@example.test";
  return actor;
}

class FakeTargetTest : public testing::Test {
 protected:
  FakeTargetTest() {
    target::v1::SignUpRequest sign_up;
    sign_up.set_email("a@example.test");
    sign_up.set_password("secret");
    target.Shop("ordering.sign_up", sign_up, Customer());
  }

  checks::OperationEnd Order(const std::string& key) {
    target::v1::PlaceOrderRequest request;
    request.set_offer_id("season");
    request.set_idempotency_key(key);
    request.set_payment_case(target::v1::PAYMENT_CASE_ACCEPTED);
    return target.Shop("ordering.place_order", request, Customer());
  }

  int Charges() {
    const checks::OperationEnd end =
        target.Shop("billing.list_charges", target::v1::ListChargesRequest(), Customer());
    return dynamic_cast<const target::v1::ListChargesResponse&>(*end.response).charges_size();
  }

  runtime::FakeClock clock;
  FakeTarget target{&clock};
};

TEST_F(FakeTargetTest, TheSameKeyIsTheSameOrderAndOneCharge) {
  Order("k");
  Order("k");
  EXPECT_EQ(target.orders(), 1);
  EXPECT_EQ(Charges(), 1);
}

TEST_F(FakeTargetTest, AnotherKeyIsAnotherOrder) {
  Order("k");
  Order("l");
  EXPECT_EQ(target.orders(), 2);
  EXPECT_EQ(Charges(), 2);
}

TEST_F(FakeTargetTest, ChargesAgainEveryMonthUntilCancelled) {
  Order("k");
  target::v1::AdvanceClockRequest advance;
  advance.mutable_to()->set_seconds(absl::ToUnixSeconds(clock.Now() + absl::Hours(24 * 65)));
  target.Shop("target.advance_clock", advance, Customer());
  EXPECT_EQ(Charges(), 3);
}

TEST_F(FakeTargetTest, RefusesPlaybackUntilTheOrderIsActive) {
  const target::v1::StartPlaybackRequest play;
  EXPECT_EQ(target.Shop("playback.start_playback", play, Customer()).kind, checks::OperationEnd::Kind::kRefused);
  Order("k");
  clock.Advance(absl::Seconds(2));
  EXPECT_EQ(target.Shop("playback.start_playback", play, Customer()).kind, checks::OperationEnd::Kind::kOk);
}

}  // namespace
}  // namespace puckdrop::fakes
