#include "services/runtime/redacting_printer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "puckdrop/v1/fact.pb.h"
#include "puckdrop/v1/plan.pb.h"
#include "puckdrop/v1/prober_service.pb.h"

namespace puckdrop::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::Fact SecretFact() {
  v1::KeptFact kept;
  kept.set_json(R"({"token":"hunter2"})");
  v1::Fact fact;
  fact.set_name("ordering.kept");
  fact.mutable_value()->PackFrom(kept);
  return fact;
}

TEST(RedactingPrinterTest, AMarkedFieldInsideAnAnyIsHidden) {
  v1::RunChecksRequest request;
  request.set_run("r1");
  *request.add_facts() = SecretFact();
  EXPECT_THAT(RedactedText(request), Not(HasSubstr("hunter2")));
  EXPECT_THAT(RedactedText(request), HasSubstr("<redacted>"));
  EXPECT_THAT(RedactedText(request), HasSubstr("r1"));
  EXPECT_THAT(*RedactedJson(request), Not(HasSubstr("hunter2")));
  EXPECT_THAT(*RedactedJson(request), HasSubstr("ordering.kept"));
  EXPECT_EQ(request.facts(0).value().type_url(), SecretFact().value().type_url()) << "the message itself is untouched";
}

TEST(RedactingPrinterTest, MarkedMessagesAndListsAreLeftOut) {
  v1::Plan plan;
  plan.mutable_launch()->set_id("l");
  v1::Plan::Customer* customer = plan.add_customers();
  customer->set_id("living-room");
  customer->add_accounts()->set_username("someone@example.org");
  plan.add_payments()->add_cases()->add_data()->mutable_value()->set_number("4242424242424242");
  EXPECT_THAT(RedactedText(plan), Not(HasSubstr("someone@example.org")));
  EXPECT_THAT(RedactedText(plan), Not(HasSubstr("4242")));
  EXPECT_THAT(RedactedText(plan), HasSubstr("living-room"));
}

TEST(RedactingPrinterTest, AnUnknownAnyIsEmptied) {
  v1::Fact fact;
  fact.mutable_value()->set_type_url("type.googleapis.com/no.such.Type");
  fact.mutable_value()->set_value("hunter2");
  EXPECT_THAT(RedactedText(fact), Not(HasSubstr("hunter2")));
  fact.mutable_value()->set_type_url("");
  EXPECT_THAT(*RedactedJson(fact), Not(HasSubstr("hunter2")));
}

TEST(RedactingPrinterTest, LongBytesAreToldBySizeAndTextStaysOneLine) {
  v1::Evidence evidence;
  evidence.set_content(std::string(100'000, '\xff'));
  evidence.set_title("a\nb");
  EXPECT_THAT(RedactedText(evidence), HasSubstr("<100000 bytes>"));
  EXPECT_THAT(RedactedText(evidence), Not(HasSubstr("\n")));
  evidence.set_title(std::string(100'000, 'x'));
  EXPECT_LE(RedactedText(evidence).size(), 4096u);
}

}  // namespace
}  // namespace puckdrop::runtime
