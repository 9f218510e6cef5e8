#include "services/prober/target_operations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puckdrop::prober {
namespace {

using checks::OperationEnd;
using target::End;
using target::FailureKind;
using ::testing::HasSubstr;

target::Ended Ended(End end, FailureKind kind = FailureKind::kNone) {
  target::Ended ended;
  ended.end = end;
  ended.operation = "ordering.place_order";
  ended.failure.kind = kind;
  ended.failure.words = "the shop answered 503";
  ended.failure.position = "plan.yaml:12:7";
  ended.failure.step = 2;
  ended.failure.steps = 3;
  ended.start_time = absl::FromUnixSeconds(100);
  ended.finish_time = absl::FromUnixSeconds(101);
  return ended;
}

target::ExchangeRecord Exchange(int status, const std::string& curl, bool of_session = false) {
  target::ExchangeRecord record;
  record.exchange.method = "POST";
  record.exchange.url = "http://shop/orders";
  record.exchange.status = status;
  record.exchange.curl = curl;
  record.of_session = of_session;
  return record;
}

TEST(ToOperationEndTest, EveryEndKeepsItsKind) {
  EXPECT_EQ(ToOperationEnd(Ended(End::kOk)).kind, OperationEnd::Kind::kOk);
  EXPECT_EQ(ToOperationEnd(Ended(End::kRefused)).kind, OperationEnd::Kind::kRefused);
  EXPECT_EQ(ToOperationEnd(Ended(End::kFault, FailureKind::kStatus)).kind, OperationEnd::Kind::kFault);
  EXPECT_EQ(ToOperationEnd(Ended(End::kUnreadable, FailureKind::kNull)).kind, OperationEnd::Kind::kUnreadable);
  EXPECT_EQ(ToOperationEnd(Ended(End::kOurs, FailureKind::kLimiter)).kind, OperationEnd::Kind::kOurs);
}

TEST(ToOperationEndTest, WhatTheOutcomeTableAsksForIsKept) {
  EXPECT_TRUE(ToOperationEnd(Ended(End::kOurs, FailureKind::kUnreachable)).unreachable);
  EXPECT_FALSE(ToOperationEnd(Ended(End::kFault, FailureKind::kUnreachable)).unreachable)
      << "a host that answered before is the target's fault";
  EXPECT_TRUE(ToOperationEnd(Ended(End::kFault, FailureKind::kTls)).certificate);
  EXPECT_TRUE(ToOperationEnd(Ended(End::kOurs, FailureKind::kDeadline)).deadline);
  OperationEnd end = ToOperationEnd(Ended(End::kFault, FailureKind::kStatus));
  EXPECT_EQ(end.plan_position, "plan.yaml:12:7");
  EXPECT_EQ(end.step, 2);
  EXPECT_EQ(end.steps, 3);
  EXPECT_THAT(end.words, HasSubstr("503"));
  EXPECT_EQ(end.commit, end.start) << "no step is marked";
}

TEST(ToOperationEndTest, TheDecidingExchangeIsTheLastThatIsNotAboutSigningIn) {
  target::Ended ended = Ended(End::kRefused);
  ended.refusal.set_reason(target::v1::REASON_DECLINED);
  ended.exchanges.push_back(Exchange(200, "curl cart"));
  ended.exchanges.push_back(Exchange(402, "curl pay"));
  ended.exchanges.push_back(Exchange(200, "curl login", true));
  OperationEnd end = ToOperationEnd(std::move(ended));
  EXPECT_EQ(end.reproduce(), "curl pay");
  EXPECT_EQ(end.actual, "REFUSED DECLINED, status 402");
  ASSERT_EQ(end.evidence.size(), 1u);
  EXPECT_EQ(end.evidence[0].Make().kind(), v1::Evidence::KIND_EXCHANGES);
  EXPECT_THAT(end.evidence[0].Make().content(), HasSubstr("402"));
}

TEST(ToOperationEndTest, AHarIsBoundedByLeavingOutTheOldestExchanges) {
  target::Ended ended = Ended(End::kFault, FailureKind::kUntil);
  for (int i = 0; i < 200; ++i) {
    target::ExchangeRecord record = Exchange(200, "curl");
    record.exchange.response_body = std::string(4000, 'x');
    ended.exchanges.push_back(record);
  }
  ended.exchanges.push_back(Exchange(503, "curl last"));
  OperationEnd end = ToOperationEnd(std::move(ended));
  const v1::Evidence evidence = end.evidence[0].Make();
  EXPECT_LE(evidence.content().size(), 256u * 1024);
  EXPECT_TRUE(evidence.truncated());
  EXPECT_THAT(evidence.content(), HasSubstr("503"));
  EXPECT_EQ(evidence.content().back(), '}') << "still a whole HAR";
}

TEST(ToOperationEndTest, ACustomersActDoneByTheOperatorIsThroughTheBackOffice) {
  target::Ended ended = Ended(End::kOk);
  ended.by = v1::ACTOR_OPERATOR;
  EXPECT_TRUE(ToOperationEnd(std::move(ended)).through_back_office);
  target::Ended own = Ended(End::kOk);
  own.by = v1::ACTOR_OPERATOR;
  own.operation = "target.advance_clock";
  EXPECT_FALSE(ToOperationEnd(std::move(own)).through_back_office) << "it is the operator's own";
}

}  // namespace
}  // namespace puckdrop::prober
