#include "tests/fakes/check_harness.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "checks/registry.h"

namespace puckdrop::fakes {
namespace {

checks::Task<checks::Judgement> Judge(const checks::CheckDefinition& check, checks::CheckContext& context) {
  std::exception_ptr thrown;
  checks::Judgement judgement;
  try {
    judgement = co_await check.judge(context);
  } catch (const checks::OperationEnded& ended) {
    judgement = ended.end().kind == checks::OperationEnd::Kind::kOurs
                    ? checks::Inconclusive(ended.end().words)
                    : checks::Failed("operation", ended.end().words);
    judgement.reason = ended.end().kind == checks::OperationEnd::Kind::kRefused
                           ? v1::FAILURE_REASON_UNEXPECTED_REFUSAL
                           : v1::FAILURE_REASON_TARGET_FAULT;
  } catch (const checks::Judged& judged) {
    judgement = judged.judgement();
  }
  co_return judgement;
}

template <typename T>
T RunToEnd(checks::Task<T> work) {
  boost::asio::io_context context;
  std::optional<T> result;
  std::exception_ptr thrown;
  boost::asio::co_spawn(context, std::move(work), [&](std::exception_ptr error, T value) {
    thrown = error;
    result = std::move(value);
  });
  context.run();
  if (thrown) std::rethrow_exception(thrown);
  return std::move(*result);
}

checks::Task<bool> OrderAndCharge(checks::Journey& journey) {
  co_await journey.Order();
  co_return true;
}

}  // namespace

CheckHarness::CheckHarness()
    : clock(absl::FromCivil(absl::CivilSecond(2026, 12, 4, 17, 0, 0), absl::UTCTimeZone())), target(&clock) {
  plan.mutable_launch()->set_id("test");
  plan.mutable_launch()->set_title("Test launch");
  plan.mutable_launch()->set_time_zone("Europe/Helsinki");
  plan.mutable_target()->set_clock(v1::CLOCK_CONTROL_CUSTOMER);
  v1::Plan::Customer* customer = plan.add_customers();
  customer->set_id("living-room");
  customer->set_audience_share(1);
  customer->set_market("FI");
  customer->set_payment("card");
  customer->set_device("chrome_desktop");
  for (const target::v1::Offer& offer : target.offers) {
    v1::Plan::OfferClaim* claim = plan.mutable_claims()->add_offers();
    claim->set_offer_id(offer.offer_id());
    claim->set_market("FI");
    *claim->mutable_price() = offer.price().gross();
    claim->set_vat(2550);
    claim->set_billing_period("P1M");
    claim->set_first_charge_date(offer.first_charge_date());
    claim->set_minimum_term("P0D");
    claim->set_auto_renews(true);
  }
  plan.mutable_claims()->set_concurrent_streams(2);
  v1::Plan::NamedText* minimum = plan.mutable_claims()->add_minimum_app_version();
  minimum->set_name("*");
  minimum->set_value("2.0.0");
  plan.mutable_claims()->set_withdrawal_days(14);
}

CheckHarness::~CheckHarness() = default;

checks::Journey& CheckHarness::journey() {
  if (journey_ == nullptr) {
    environment_.plan = &plan;
    environment_.customer = &plan.customers(0);
    environment_.operations = &target;
    environment_.obligations = &obligations;
    environment_.clock = &clock;
    environment_.run = "r1";
    environment_.deadline = clock.Now() + absl::Hours(1);
    environment_.pilot_key = "pilot";
    environment_.account_counter = &account_counter_;
    environment_.sleep = [this](absl::Duration duration) -> checks::Task<void> {
      clock.Advance(duration);
      co_return;
    };
    if (environment_.path == v1::PATH_UNSPECIFIED) environment_.path = v1::PATH_ORDERING;
    journey_ = std::make_unique<checks::Journey>(environment_, "");
    journey_->Load(facts_);
  }
  return *journey_;
}

void CheckHarness::GoTo(v1::Path path) {
  if (environment_.path == path && journey_ != nullptr) return;
  if (path != v1::PATH_ORDERING && facts_.empty() && journey_ == nullptr) {
    environment_.path = v1::PATH_ORDERING;
    RunToEnd(OrderAndCharge(journey()));
  }
  if (journey_ != nullptr) {
    for (v1::Fact& fact : journey_->TakeNewFacts()) facts_.push_back(std::move(fact));
    journey_.reset();
  }
  environment_.path = path;
}

checks::Judgement CheckHarness::Look(const std::string& id) {
  const checks::CheckDefinition* check = checks::FindCheck(id);
  if (check == nullptr) {
    ADD_FAILURE() << "no check " << id;
    return checks::Inconclusive("no such check");
  }
  GoTo(check->info.path);
  checks::CheckContext::Parts parts;
  parts.info = &check->info;
  parts.journey = &journey();
  parts.thresholds = checks::Describe(check->info).thresholds();
  parts.player = player;
  parts.observe = absl::Seconds(6);
  checks::CheckContext context(std::move(parts));
  journey().set_check(id);
  checks::Judgement judgement = RunToEnd(Judge(*check, context));
  for (v1::Evidence& item : context.TakeEvidence()) evidence.push_back(std::move(item));
  return judgement;
}

void CheckHarness::Walk(const std::string& check) {
  const checks::Judgement judgement = Look(check);
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << check << ": " << judgement.summary;
}

}  // namespace puckdrop::fakes
