#include "services/readiness/history.h"

#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/services/readiness/history_samples.h"

namespace puckdrop::readiness {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class HistoryTest : public HistoryFixture {};

TEST_F(HistoryTest, GivesBackAfterARestartWhatWasAppended) {
  const v1::Result result = Failed();
  ASSERT_TRUE(Open()->Append({result}).ok());
  auto history = Open();
  const auto got = history->GetResult(result.name());
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->SerializeAsString(), result.SerializeAsString());
  ASSERT_EQ(history->Latest()->size(), 1u);
  EXPECT_TRUE(absl::IsNotFound(history->GetResult("runs/none/results/x:y").status()));
}

TEST_F(HistoryTest, LeavesAResultAsItIsWhenItComesAgain) {
  auto history = Open();
  v1::Result result = Passed();
  ASSERT_TRUE(history->Append({result, result}).ok());
  v1::Result changed = result;
  changed.set_outcome(v1::OUTCOME_FAILED);
  ASSERT_TRUE(history->Append({changed}).ok());
  EXPECT_EQ(history->ListResults({})->results_size(), 1);
  EXPECT_EQ(history->GetResult(result.name())->outcome(), v1::OUTCOME_PASSED);
  // The same check of the same run seen from elsewhere is another result.
  result.set_vantage("helsinki");
  ASSERT_TRUE(history->Append({result}).ok());
  EXPECT_EQ(history->ListResults({})->results_size(), 2);
  EXPECT_EQ(history->Latest()->size(), 2u);
}

TEST_F(HistoryTest, KeepsAllOrNothingOfAnAppend) {
  auto history = Open();
  v1::Result nameless = Passed();
  nameless.clear_name();
  EXPECT_TRUE(absl::IsInvalidArgument(history->Append({Passed(), nameless})));
  v1::Result undecided = Passed();
  undecided.clear_outcome();
  EXPECT_TRUE(absl::IsInvalidArgument(history->Append({Passed(), undecided})));
  EXPECT_EQ(history->ListResults({})->results_size(), 0);
}

TEST_F(HistoryTest, TheNewestResultOfAnInstanceIsTheOneThatEndedLast) {
  auto history = Open();
  const v1::Result older = Passed(), newer = Failed();
  ASSERT_TRUE(history->Append({newer}).ok());
  ASSERT_TRUE(history->Append({older}).ok());
  ASSERT_EQ(history->Latest()->size(), 1u);
  EXPECT_EQ(history->Latest()->front().name(), newer.name());
  // It came late and still is the newest pass.
  EXPECT_EQ((*history->LastGreen(newer.check(), "sofa"))->name(), older.name());
}

TEST_F(HistoryTest, AResultOfAClockSetBackSinceGivesWay) {
  auto history = Open();
  v1::Result ahead = Passed();
  *ahead.mutable_end_time() = runtime::ToTimestamp(clock_.Now() + absl::Hours(1));
  ASSERT_TRUE(history->Append({ahead}).ok());
  const v1::Result now = Failed();
  ASSERT_TRUE(history->Append({now}).ok());
  EXPECT_EQ(history->Latest()->front().name(), now.name());
}

TEST_F(HistoryTest, PagesThroughResultsNewestFirstWhileOthersCome) {
  auto history = Open();
  std::vector<std::string> newest_first;
  for (int i = 0; i < 7; ++i) {
    const v1::Result result = Passed();
    newest_first.insert(newest_first.begin(), result.name());
    ASSERT_TRUE(history
                    ->Append({result, Result(v1::OUTCOME_PASSED, "billing.charged_once", "cabin"),
                              Result(v1::OUTCOME_PASSED, "playback.starts", "sofa")})
                    .ok());
  }
  v1::ListResultsRequest request;
  request.set_check("billing.charged_once");
  request.set_customer("sofa");
  request.set_page_size(3);
  std::vector<std::string> seen;
  for (int pages = 0; pages < 10; ++pages) {
    const auto page = history->ListResults(request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const std::string& name : Names(*page)) seen.push_back(name);
    if (page->next_page_token().empty()) break;
    request.set_page_token(page->next_page_token());
    ASSERT_TRUE(history->Append({Passed()}).ok());
  }
  EXPECT_EQ(seen, newest_first);

  v1::ListResultsRequest by_check, by_customer, all;
  by_check.set_check("billing.charged_once");
  by_customer.set_customer("sofa");
  all.set_page_size(1000);
  EXPECT_EQ(history->ListResults(by_check)->results_size(), 16);
  EXPECT_EQ(history->ListResults(by_customer)->results_size(), 16);
  EXPECT_EQ(history->ListResults(all)->results_size(), 23);
  EXPECT_EQ(Names(*history->ListResults(by_customer)).back(), newest_first.back());
}

TEST_F(HistoryTest, RefusesPagesThatCannotBe) {
  auto history = Open();
  v1::ListResultsRequest request;
  request.set_page_token("soon");
  EXPECT_TRUE(absl::IsInvalidArgument(history->ListResults(request).status()));
  request.set_page_token("-4");
  EXPECT_TRUE(absl::IsInvalidArgument(history->ListResults(request).status()));
  request.clear_page_token();
  request.set_page_size(-1);
  EXPECT_TRUE(absl::IsInvalidArgument(history->ListResults(request).status()));
}

TEST_F(HistoryTest, SimilarAreTheBeginningsOfEarlierRowsOfTheSameFailure) {
  auto history = Open();
  const v1::Result first = Failed(), blind = Result(v1::OUTCOME_INCONCLUSIVE), again = Failed();
  ASSERT_TRUE(history->Append({first, blind, again, Passed()}).ok());
  const v1::Result second = Failed();
  ASSERT_TRUE(history->Append({second, Failed("not_charged"), Passed()}).ok());
  const v1::Result now = Failed();
  ASSERT_TRUE(history->Append({now, Failed()}).ok());

  const auto similar = history->Similar("billing.charged_once", "sofa", "charged_twice", 10);
  ASSERT_TRUE(similar.ok()) << similar.status();
  ASSERT_EQ(similar->size(), 2u);
  EXPECT_EQ((*similar)[0].name(), second.name());
  EXPECT_EQ((*similar)[1].name(), first.name());
  EXPECT_EQ(history->Similar("billing.charged_once", "sofa", "charged_twice", 1)->size(), 1u);
  EXPECT_EQ(history->Similar("billing.charged_once", "sofa", "not_charged", 10)->size(), 1u);
  EXPECT_THAT(*history->Similar("billing.charged_once", "cabin", "charged_twice", 10), IsEmpty());
  EXPECT_TRUE(absl::IsInvalidArgument(history->Similar("a.b", "sofa", "x", 0).status()));
}

TEST_F(HistoryTest, LastGreenIsTheNewestPassOfAnyVantage) {
  auto history = Open();
  EXPECT_FALSE(history->LastGreen("billing.charged_once", "sofa")->has_value());
  ASSERT_TRUE(history->Append({Failed()}).ok());
  EXPECT_FALSE(history->LastGreen("billing.charged_once", "sofa")->has_value());
  const v1::Result green = Passed();
  v1::Result elsewhere = Passed();
  elsewhere.set_vantage("helsinki");
  ASSERT_TRUE(history->Append({green, elsewhere, Failed(), Failed()}).ok());
  EXPECT_EQ((*history->LastGreen("billing.charged_once", "sofa"))->name(), elsewhere.name());
  v1::Result red = Failed();
  red.set_vantage("helsinki");
  ASSERT_TRUE(history->Append({red}).ok());
  EXPECT_EQ((*history->LastGreen("billing.charged_once", "sofa"))->name(), elsewhere.name());
}

TEST_F(HistoryTest, ManyAppendsShareCommitsAndEachIsAnswered) {
  auto history = Open();
  std::mutex mutex;
  std::condition_variable changed;
  int answered = 0, failed = 0;
  for (int i = 0; i < 500; ++i) {
    history->AppendAsync({Passed()}, [&](absl::Status status) {
      std::lock_guard<std::mutex> lock(mutex);
      ++answered;
      if (!status.ok()) ++failed;
      changed.notify_one();
    });
  }
  std::unique_lock<std::mutex> lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return answered == 500; }));
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(history->Size()->last_result, 500);
}

TEST_F(HistoryTest, AnswersAnAppendThatCannotBeTakenOnAtOnce) {
  auto history = Open();
  absl::Status answer;
  history->AppendAsync({v1::Result()}, [&](absl::Status status) { answer = status; });
  EXPECT_TRUE(absl::IsInvalidArgument(answer));
}

TEST_F(HistoryTest, WritesAndReadsAtTheSameTime) {
  auto history = Open();
  std::vector<std::vector<v1::Result>> batches(4);
  for (auto& batch : batches) {
    for (int i = 0; i < 50; ++i) batch.push_back(Passed());
  }
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (const auto& batch : batches) {
    threads.emplace_back([&history, &wrong, &batch] {
      for (const v1::Result& result : batch) {
        if (!history->Append({result}).ok() || !history->GetResult(result.name()).ok()) ++wrong;
        if (history->Latest()->size() != 1 || !history->ListResults({}).ok()) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(history->Size()->last_result, 200);
}

TEST_F(HistoryTest, SaysSinceWhenAnInstanceStandsWhereItStands) {
  auto history = Open();
  EXPECT_EQ(
      *history->RecordStandings(Verdict(v1::VERDICT_STATE_GO, {{"a.a", v1::STANDING_OK}, {"a.b", v1::STANDING_OK}})),
      2);
  const v1::Verdict red = Verdict(v1::VERDICT_STATE_NO_GO, {{"a.a", v1::STANDING_FAILED}, {"a.b", v1::STANDING_OK}});
  EXPECT_EQ(*history->RecordStandings(red), 1);
  // Nothing changed, so nothing is written.
  EXPECT_EQ(*history->RecordStandings(
                Verdict(v1::VERDICT_STATE_NO_GO, {{"a.a", v1::STANDING_FAILED}, {"a.b", v1::STANDING_OK}})),
            0);
  const auto standing = history->StandingOf("a.a", "sofa");
  ASSERT_TRUE(standing->has_value());
  EXPECT_EQ((*standing)->standing, v1::STANDING_FAILED);
  EXPECT_EQ((*standing)->before, v1::STANDING_OK);
  EXPECT_EQ((*standing)->since, runtime::FromTimestamp(red.time()));
  EXPECT_EQ(history->Standings()->size(), 2u);

  const auto changes = history->ListStandingChanges("a.a", "", {});
  ASSERT_EQ(changes->items.size(), 2u);
  EXPECT_EQ(changes->items[0].to, v1::STANDING_FAILED);
  EXPECT_EQ(changes->items[0].why, "because");
  EXPECT_EQ(changes->items[0].result, "runs/r/results/a.a");
  EXPECT_EQ(changes->items[1].from, v1::STANDING_UNSPECIFIED);
  const auto page = history->ListStandingChanges("", "sofa", {2, ""});
  ASSERT_EQ(page->items.size(), 2u);
  EXPECT_EQ(history->ListStandingChanges("", "", {2, page->next_page_token})->items.size(), 1u);
  EXPECT_EQ(history->ListStandingChanges("a.b", "sofa", {})->items.size(), 1u);

  // What the plan no longer asks is not said to stand anywhere.
  EXPECT_EQ(*history->RecordStandings(Verdict(v1::VERDICT_STATE_GO, {{"a.b", v1::STANDING_OK}})), 1);
  EXPECT_FALSE(history->StandingOf("a.a", "sofa")->has_value());
}

TEST_F(HistoryTest, ListsRunsNewestFirstAndEndsThoseOfADeadProcess) {
  {
    auto history = Open();
    for (int i = 0; i < 3; ++i) {
      v1::Run run;
      run.set_name(absl::StrCat("runs/", i));
      run.set_state(v1::Run::RUNNING);
      ASSERT_TRUE(history->PutRun(run).ok());
      if (i == 2) continue;
      run.set_state(v1::Run::SUCCEEDED);
      *run.mutable_verdict() =
          Verdict(v1::VERDICT_STATE_NO_GO, {{"a.a", v1::STANDING_FAILED}, {"a.b", v1::STANDING_OK}});
      ASSERT_TRUE(history->PutRun(run).ok());
    }
    EXPECT_TRUE(absl::IsInvalidArgument(history->PutRun({})));
  }
  auto history = Open();
  EXPECT_EQ(*history->EndAbandonedRuns("readiness was started again"), 1);
  EXPECT_EQ(*history->EndAbandonedRuns("readiness was started again"), 0);
  const auto ended = history->GetRun("runs/2");
  EXPECT_EQ(ended->state(), v1::Run::CANCELLED);
  EXPECT_EQ(ended->progress(), "readiness was started again");
  EXPECT_TRUE(absl::IsNotFound(history->GetRun("runs/9").status()));
  const auto judged = history->GetRun("runs/1");
  EXPECT_EQ(judged->verdict().instances(0).result().name(), "runs/r/results/a.a");
  EXPECT_FALSE(judged->verdict().instances(1).has_result());
  v1::ListRunsRequest request;
  request.set_page_size(2);
  auto page = history->ListRuns(request);
  ASSERT_EQ(page->runs_size(), 2);
  EXPECT_EQ(page->runs(0).name(), "runs/2");
  request.set_page_token(page->next_page_token());
  page = history->ListRuns(request);
  ASSERT_EQ(page->runs_size(), 1);
  EXPECT_EQ(page->runs(0).name(), "runs/0");
  EXPECT_TRUE(page->next_page_token().empty());
}

TEST_F(HistoryTest, KeepsAVerdictOnlyWhenItDiffers) {
  auto history = Open();
  EXPECT_TRUE(*history->AppendVerdictChange(Verdict(v1::VERDICT_STATE_GO, {{"a.a", v1::STANDING_OK}})));
  EXPECT_FALSE(*history->AppendVerdictChange(Verdict(v1::VERDICT_STATE_GO, {{"a.a", v1::STANDING_UNKNOWN}})));
  EXPECT_TRUE(*history->AppendVerdictChange(Verdict(v1::VERDICT_STATE_NO_GO, {{"a.a", v1::STANDING_FAILED}})));
  EXPECT_TRUE(*history->AppendVerdictChange(
      Verdict(v1::VERDICT_STATE_NO_GO, {{"a.b", v1::STANDING_FAILED}, {"a.a", v1::STANDING_WAIVED}})));
  EXPECT_TRUE(*history->AppendVerdictChange(Verdict(v1::VERDICT_STATE_NO_GO, {{"a.b", v1::STANDING_FAILED}})));
  v1::Verdict path = Verdict(v1::VERDICT_STATE_NO_GO, {{"a.b", v1::STANDING_FAILED}});
  path.mutable_paths(0)->set_state(v1::VERDICT_STATE_INCONCLUSIVE);
  EXPECT_TRUE(*history->AppendVerdictChange(path));

  const auto changes = history->ListVerdictChanges({3, ""});
  ASSERT_EQ(changes->items.size(), 3u);
  EXPECT_THAT(changes->items[1].ended, ElementsAre("a.a:sofa"));
  EXPECT_THAT(changes->items[1].began, IsEmpty());
  // It is waived now and was failed before, so it did not begin.
  EXPECT_THAT(changes->items[2].began, ElementsAre("a.b:sofa"));
  EXPECT_EQ(changes->items[2].verdict.instances_size(), 2);
  EXPECT_FALSE(changes->items[2].verdict.instances(0).has_result());
  const auto older = history->ListVerdictChanges({3, changes->next_page_token});
  ASSERT_EQ(older->items.size(), 2u);
  EXPECT_THAT(older->items[0].began, ElementsAre("a.a:sofa"));

  v1::Verdict selection = Verdict(v1::VERDICT_STATE_GO, {});
  selection.set_selected(1);
  EXPECT_TRUE(absl::IsInvalidArgument(history->AppendVerdictChange(selection).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(history->RecordStandings(selection).status()));
}

TEST_F(HistoryTest, RemembersTheLastGo) {
  {
    auto history = Open();
    EXPECT_FALSE(history->GetLastGo()->has_value());
    ASSERT_TRUE(history->AppendVerdictChange(Verdict(v1::VERDICT_STATE_NO_GO, {})).ok());
    EXPECT_FALSE(history->GetLastGo()->has_value());
    const v1::Verdict go = Verdict(v1::VERDICT_STATE_GO, {});
    ASSERT_TRUE(history->AppendVerdictChange(go).ok());
    const absl::Time since = runtime::FromTimestamp(go.time());
    EXPECT_EQ((*history->GetLastGo())->since, since);
    // While it lasts, the plan changes and time goes by.
    clock_.Advance(absl::Minutes(5));
    v1::Verdict later = Verdict(v1::VERDICT_STATE_GO_WITH_WAIVERS, {});
    later.set_plan_digest("plan-2");
    ASSERT_TRUE(history->AppendVerdictChange(later).ok());
    EXPECT_EQ((*history->GetLastGo())->since, since);
    EXPECT_EQ((*history->GetLastGo())->time, runtime::FromTimestamp(later.time()));
    ASSERT_TRUE(history->AppendVerdictChange(Verdict(v1::VERDICT_STATE_NO_GO, {})).ok());
  }
  const auto go = Open()->GetLastGo();
  ASSERT_TRUE(go->has_value());
  EXPECT_EQ((*go)->state, v1::VERDICT_STATE_GO_WITH_WAIVERS);
  EXPECT_EQ((*go)->configuration, "release-7");
  EXPECT_EQ((*go)->plan_digest, "plan-2");
}

TEST_F(HistoryTest, KeepsWaiversForTheRecordAfterTheyAreRevoked) {
  auto history = Open();
  v1::Waiver waiver;
  EXPECT_TRUE(absl::IsInvalidArgument(history->CreateWaiver(waiver, "anna").status()));
  waiver.set_check("billing.*");
  EXPECT_TRUE(absl::IsInvalidArgument(history->CreateWaiver(waiver, "").status()));
  ASSERT_EQ(history->CreateWaiver(waiver, "anna")->number, 1);
  waiver.set_check("playback.*");
  ASSERT_EQ(history->CreateWaiver(waiver, "anna")->number, 2);
  EXPECT_EQ(history->RevokeWaiver(1, "ben")->revoked_by, "ben");
  EXPECT_TRUE(absl::IsFailedPrecondition(history->RevokeWaiver(1, "ben").status()));
  EXPECT_TRUE(absl::IsNotFound(history->RevokeWaiver(7, "ben").status()));
  ASSERT_EQ(history->ListWaivers(false)->size(), 1u);
  EXPECT_EQ(history->ListWaivers(false)->front().waiver.check(), "playback.*");
  const auto all = history->ListWaivers(true);
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ(all->front().created_by, "anna");
  EXPECT_EQ(all->front().revoked, clock_.Now());
}

TEST_F(HistoryTest, TellsWhoDidWhat) {
  auto history = Open();
  for (int i = 1; i <= 3; ++i) {
    clock_.Advance(absl::Seconds(1));
    ASSERT_TRUE(history->Audit({0, {}, "anna", "PauseProbing", absl::StrCat("reason ", i), "OK"}).ok());
  }
  ASSERT_TRUE(history->Audit({0, {}, "ben", "StartRun", std::string(1999, 'x') + "\xc3\xa4" + "y", "OK"}).ok());
  const auto rows = history->ListAudit({2, ""});
  ASSERT_EQ(rows->items.size(), 2u);
  EXPECT_EQ(rows->items[0].what, std::string(1999, 'x'));  // never half a character
  EXPECT_EQ(rows->items[1].what, "reason 3");
  EXPECT_EQ(rows->items[1].time, clock_.Now());
  EXPECT_EQ(history->ListAudit({2, rows->next_page_token})->items.back().what, "reason 1");
}

TEST_F(HistoryTest, KeepsThePauseAndSmallValuesOverARestart) {
  {
    auto history = Open();
    EXPECT_FALSE(history->GetPause()->has_value());
    ASSERT_TRUE(history->PutPause(Pause{"anna", "the target deploys", clock_.Now()}).ok());
    ASSERT_TRUE(history->PutValue(History::kPlanDigest, "abc").ok());
    EXPECT_TRUE(absl::IsInvalidArgument(history->PutValue("Plan Digest", "abc")));
    EXPECT_TRUE(absl::IsInvalidArgument(history->PutValue("big", std::string(70'000, 'x'))));
  }
  auto history = Open();
  const auto pause = history->GetPause();
  ASSERT_TRUE(pause->has_value());
  EXPECT_EQ((*pause)->who, "anna");
  EXPECT_EQ((*pause)->reason, "the target deploys");
  EXPECT_EQ((*pause)->since, clock_.Now());
  ASSERT_TRUE(history->PutPause(std::nullopt).ok());
  EXPECT_FALSE(history->GetPause()->has_value());
  EXPECT_EQ(*history->GetValue(History::kPlanDigest), "abc");
  ASSERT_TRUE(history->PutValue(History::kPlanDigest, "").ok());
  EXPECT_EQ(*history->GetValue(History::kPlanDigest), "");
  // It is the launch's name that is kept beside them, and out of reach.
  EXPECT_EQ(*history->GetValue("launch"), "");
}

}  // namespace
}  // namespace puckdrop::readiness
