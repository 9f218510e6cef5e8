// What the engineer on call reads: first what is broken, for whom and since when, and nothing that a target wrote does
// anything to the terminal.
#include "services/cli/report/oncall_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"
#include "services/cli/report/words.h"
#include "tests/services/report/report_fixtures.h"

namespace puckdrop::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const absl::Time kNow = absl::FromUnixSeconds(1'780'000'000);

void Set(absl::Time time, google::protobuf::Timestamp* into) { into->set_seconds(absl::ToUnixSeconds(time)); }

v1::Verdict Broken() {
  v1::Verdict verdict = testing::NoGo().Build().verdict;
  verdict.set_launch_title("Liiga");
  verdict.set_time_zone("Europe/Helsinki");
  Set(kNow, verdict.mutable_time());
  Set(kNow + absl::Minutes(28), verdict.mutable_puck_drop_time());
  for (v1::InstanceStanding& instance : *verdict.mutable_instances()) {
    Set(kNow - absl::Minutes(17), instance.mutable_since());
  }
  return verdict;
}

std::vector<std::string> Lines(const std::string& text) { return absl::StrSplit(text, '\n', absl::SkipEmpty()); }

TEST(StatusTextTest, SaysFirstWhatIsBrokenForWhomAndSinceWhen) {
  const v1::Verdict verdict = Broken();
  const std::string text = StatusText(verdict, kNow, {});
  const std::vector<std::string> lines = Lines(text);
  EXPECT_THAT(lines[0], StartsWith("NO-GO  Liiga"));
  EXPECT_THAT(lines[1], HasSubstr("puck drop in 28 min 0 s"));
  EXPECT_THAT(text, HasSubstr("\nFAILS\n"));
  EXPECT_THAT(text, HasSubstr("(17 min 0 s)"));
  EXPECT_THAT(text, HasSubstr("why: puckdrop explain "));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(StatusTextTest, FitsTheScreenAndSaysHowMuchDoesNot) {
  const v1::Verdict verdict = Broken();
  const std::vector<std::string> all = Lines(StatusText(verdict, kNow, {}, 1000));
  const std::string cut = StatusText(verdict, kNow, {}, 12);
  EXPECT_EQ(std::count(cut.begin(), cut.end(), '\n'), 12);
  EXPECT_THAT(cut, HasSubstr("more lines: puckdrop status --all"));
  for (const std::string& line : all) EXPECT_LE(DisplayWidth(line), 100u) << line;
}

TEST(StatusTextTest, IsGreenOnlyInTheWordGo) {
  v1::Verdict verdict = testing::Go().Build().verdict;
  EXPECT_THAT(StatusText(verdict, kNow, {}), StartsWith("GO  "));
  EXPECT_THAT(StatusText(verdict, kNow, {}), Not(HasSubstr("FAILS")));
  // Nothing known at all is no GO.
  EXPECT_THAT(StatusText(v1::Verdict(), kNow, {}), Not(StartsWith("GO")));
}

TEST(StatusTextTest, TellsOfAPauseAndOfWhatIsOwed) {
  v1::Verdict verdict = Broken();
  verdict.set_paused("the target's team asked (ann)");
  verdict.set_obligations_open(2);
  const std::string text = StatusText(verdict, kNow, {});
  EXPECT_THAT(text, HasSubstr("PAUSED  the target's team asked (ann)"));
  EXPECT_THAT(text, HasSubstr("2 acts of ours at the target not undone yet"));
  EXPECT_THAT(StatusLine(verdict), HasSubstr("PAUSED: the target's team asked"));
}

TEST(StatusTextTest, LetsNoTargetWriteToTheTerminal) {
  v1::Verdict verdict = testing::Hostile().Build().verdict;
  verdict.set_launch_title("a\x1b[2Jb");
  verdict.set_paused("\x1b]0;owned\a");
  verdict.add_changed("x\x1b[31m");
  for (const std::string& text : {StatusText(verdict, kNow, {}), StatusLine(verdict)}) {
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, Not(HasSubstr("\a")));
  }
}

v1::ExplainCheckResponse Explained() {
  const v1::Verdict verdict = Broken();
  v1::ExplainCheckResponse answer;
  answer.set_time_zone("Europe/Helsinki");
  answer.mutable_description()->set_check("billing.charged_once");
  answer.mutable_description()->set_sentence("I was charged twice");
  answer.mutable_description()->set_question("Is a customer charged once?");
  answer.mutable_description()->set_runbook("Look for retries of the payment.");
  answer.set_audience_affected(0.35);
  for (const char* customer : {"sofa", "phone"}) {
    v1::ExplainCheckResponse::Explanation& one = *answer.add_explanations();
    v1::InstanceStanding& instance = *one.mutable_instance();
    instance.set_check("billing.charged_once");
    instance.set_customer(customer);
    instance.set_standing(v1::STANDING_FAILED);
    instance.set_why("charged twice for one order");
    v1::Result& result = *instance.mutable_result();
    v1::Finding& finding = *result.add_findings();
    finding.set_id("charged_twice");
    finding.set_expected("1 charge of 14.90 EUR");
    finding.set_actual("2 charges of 14.90 EUR");
    result.set_operation("billing.list_charges");
    result.set_step(2);
    result.set_steps(3);
    result.set_reproduce("curl https://shop.example/charges");
    Set(kNow - absl::Minutes(3), one.mutable_since());
    Set(kNow - absl::Minutes(4), one.mutable_last_green_time());
    one.add_changed("the plan: it passed under a, now it is b");
    *one.add_similar() = result;
  }
  return answer;
}

TEST(ExplainTextTest, AnswersWhySinceWhenForWhomAndWhatChanged) {
  const std::string text = ExplainText(Explained(), kNow, {});
  for (const char* words : {"\"I was charged twice\", says 35 % of the audience", "failed  sofa, phone", "(3 min 0 s)",
                            "1 charge of 14.90 EUR", "2 charges of 14.90 EUR", "step 2 of 3 of billing.list_charges",
                            "the plan: it passed under a, now it is b", "Look for retries of the payment.",
                            "curl https://shop.example/charges", "last green", "before"}) {
    EXPECT_THAT(text, HasSubstr(words));
  }
  // Those that stand alike are told once.
  EXPECT_EQ(text.find("charged twice for one order"), text.rfind("charged twice for one order"));
}

TEST(ExplainTextTest, NamesTheRootOfWhatIsBlocked) {
  v1::ExplainCheckResponse answer = Explained();
  v1::InstanceStanding& root = *answer.mutable_explanations(0)->mutable_root();
  root.set_check("ordering.order_completes");
  root.set_why("the order is pending");
  EXPECT_THAT(ExplainText(answer, kNow, {}), AllOf(HasSubstr("ordering.order_completes: the order is pending\n"),
                                                   HasSubstr(" puckdrop explain ordering.order_completes\n")));
}

TEST(HistoryTextTest, SaysWhatBeganAndWhatEnded) {
  v1::ListVerdictChangesResponse changes;
  EXPECT_THAT(ChangesText(changes, {}), HasSubstr("no verdict has been kept yet"));
  auto& change = *changes.add_changes();
  change.mutable_verdict()->set_state(v1::VERDICT_STATE_NO_GO);
  change.mutable_verdict()->set_why("billing: customers are charged twice");
  change.add_began("billing.charged_once:sofa");
  change.add_ended("ordering.sign_in:phone");
  const std::string text = ChangesText(changes, {});
  EXPECT_THAT(text, HasSubstr("NO-GO"));
  EXPECT_THAT(text, HasSubstr("+ billing.charged_once:sofa"));
  EXPECT_THAT(text, HasSubstr("- ordering.sign_in:phone"));
}

}  // namespace
}  // namespace puckdrop::report
