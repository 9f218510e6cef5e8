// A readiness that stays, over fake probers, a fake clock and an archive in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "services/readiness/readiness.h"
#include "services/runtime/proto_time.h"
#include "tests/services/readiness/fake_archive.h"
#include "tests/services/readiness/fake_prober.h"
#include "tests/services/readiness/subject_samples.h"

namespace puckdrop::readiness {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FakeNotices final : public NoticeReader {
 public:
  awaitable<absl::StatusOr<std::string>> Read(std::string, absl::Time) override {
    co_return std::string("4K broadcasts start in January");
  }
};

class StayingTest : public ::testing::Test {
 protected:
  StayingTest() {
    char name[] = "/tmp/puckdrop-staying-XXXXXX";
    base_ = mkdtemp(name);
    for (int path = v1::PATH_ORDERING; path <= v1::PATH_BILLING; ++path) {
      const auto p = static_cast<v1::Path>(path);
      fakes_[p] = std::make_unique<FakeProber>(p, loop_, log_);
      fakes_[p]->configuration = "v1";
    }
    subject_ = std::make_shared<Subject>(MakeSubject());
    *subject_->plan.mutable_launch()->mutable_puck_drop() = runtime::ToTimestamp(clock_.Now());
    v1::Plan::Phase* phase = subject_->plan.add_schedule();
    *phase->mutable_from() = runtime::ToProtoDuration(-absl::Hours(1));
    *phase->mutable_watch_every() = runtime::ToProtoDuration(absl::Seconds(10));
    *phase->mutable_journeys_every() = runtime::ToProtoDuration(absl::Minutes(5));
    for (v1::Plan::Customer& customer : *subject_->plan.mutable_customers()) {
      v1::Plan::Account* account = customer.add_accounts();
      account->set_username(customer.id() + "@example.test");
      account->set_subscribed(true);
    }
    v1::Plan::Host* host = subject_->plan.mutable_target()->add_hosts();
    host->set_name("shop");
    host->set_url("https://shop.example");
    subject_->catalogue[5].set_watch(v1::CheckDescription::WATCH_SUBSCRIBER);  // playback.cold_start
  }
  ~StayingTest() override {
    if (readiness_ != nullptr) End();
    loop_.Stop();
    std::filesystem::remove_all(base_);
  }

  void Begin(bool archived = true) {
    store_ = std::move(*Store::Open(base_ + "/state", clock_));
    ReadinessOptions options;
    options.subject = subject_;
    for (const auto& [path, fake] : fakes_) options.probers[path] = fake.get();
    options.vantages = vantages_;
    options.scheduled = true;
    options.archive = archived ? &archive_ : nullptr;
    options.load_plan = [this]() -> absl::StatusOr<std::shared_ptr<const Subject>> {
      if (!load_.ok()) return load_;
      return loaded_;
    };
    loop_.Invoke([&] {
      readiness_ = std::make_unique<Readiness>(loop_, clock_, *store_, notices_, std::move(options));
      readiness_->OnVerdict([this](const auto&, const v1::Verdict& verdict) {
        state_ = verdict.state();
        ++published_;
      });
    });
    ASSERT_EQ(loop_.Spawn(readiness_->Restore()).Get(), absl::OkStatus());
    staying_ = loop_.Spawn(readiness_->Stay());
  }
  // In order, as the process does.
  void End() {
    staying_.Cancel();
    EXPECT_TRUE(staying_.WaitFor(absl::Seconds(20)));
    runtime::Task<void> ending = loop_.Spawn(readiness_->Shutdown(absl::Seconds(1)));
    EXPECT_TRUE(Until([&] { return ending.done(); }));
    loop_.Invoke([this] { readiness_ = nullptr; });
    store_ = nullptr;
  }

  // What has begun and waits for no clock is done when it returns, however slow the machine: the loop's one thread for
  // what blocks has done all that came before, and the loop what followed from it.
  void Settle() {
    for (int round = 0; round < 3; ++round) {
      auto disk = [](runtime::EventLoop& loop) -> awaitable<bool> {
        absl::StatusOr<int> done = co_await loop.RunBlocking([] { return 0; });
        co_return done.ok();
      };
      EXPECT_TRUE(loop_.Spawn(disk(loop_)).Get());
      for (int i = 0; i < 8; ++i) loop_.Invoke([] {});
    }
  }
  // Lets the fake time go on until it is so. Real time is only what the machine needs.
  bool Until(const std::function<bool()>& so, absl::Duration most = absl::Minutes(20)) {
    const absl::Duration end = clock_.Monotonic() + most;
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (clock_.Monotonic() < end && std::chrono::steady_clock::now() < patience) {
      Settle();
      bool is = false;
      loop_.Invoke([&] { is = so(); });
      if (is) return true;
      std::this_thread::yield();
      clock_.Advance(absl::Milliseconds(100));
    }
    return false;
  }
  void Live(absl::Duration time) {
    const absl::Duration end = clock_.Monotonic() + time;
    Until([&] { return clock_.Monotonic() >= end; });
  }
  v1::Verdict Verdict() {
    v1::Verdict verdict;
    loop_.Invoke([&] { verdict = *readiness_->GetVerdict(""); });
    return verdict;
  }
  bool UntilState(v1::VerdictState state, absl::Duration most = absl::Minutes(20)) {
    return Until([&] { return readiness_->GetVerdict("")->state() == state; }, most);
  }
  FakeProber& prober(v1::Path path) { return *fakes_.at(path); }
  void Judge(v1::Path path, v1::Outcome outcome) {
    loop_.Invoke([&] {
      prober(path).judge = [outcome](const std::string&, const v1::RunChecksRequest&) {
        v1::Result result;
        result.set_outcome(outcome);
        result.set_confirmed(true);
        result.set_configuration("v1");
        result.set_summary("nothing plays");
        return result;
      };
    });
  }
  size_t Asked(v1::Path path, bool watch) {
    size_t asked = 0;
    loop_.Invoke([&] {
      for (const v1::RunChecksRequest& request : prober(path).requests) asked += request.watch() == watch;
    });
    return asked;
  }
  absl::Status Wait(awaitable<absl::Status> work) {
    runtime::Task<absl::Status> task = loop_.Spawn(std::move(work));
    EXPECT_TRUE(Until([&] { return task.done(); }));
    return task.Get();
  }

  runtime::FakeClock clock_;
  runtime::EventLoop loop_{{.blocking_threads = 1}};
  std::string base_;
  std::unique_ptr<Store> store_;
  FakeNotices notices_;
  FakeArchive archive_;
  std::shared_ptr<Subject> subject_;
  absl::Status load_;
  std::shared_ptr<const Subject> loaded_;
  FakeLog log_;
  std::map<v1::Path, std::unique_ptr<FakeProber>> fakes_;
  std::map<std::string, Probers> vantages_;
  std::unique_ptr<Readiness> readiness_;
  runtime::Task<void> staying_;
  std::atomic<int> state_{0};
  std::atomic<int> published_{0};
};

TEST_F(StayingTest, WalksAndWatchesByItselfAndSaysGo) {
  Begin();
  EXPECT_EQ(Verdict().state(), v1::VERDICT_STATE_INCONCLUSIVE) << "nothing was seen yet";
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_GO, absl::Seconds(30)));
  Live(absl::Minutes(2));
  EXPECT_NEAR(static_cast<double>(Asked(v1::PATH_PLAYBACK, true)), 2 * 13, 4) << "two customers every ten seconds";
  EXPECT_EQ(Asked(v1::PATH_ORDERING, false), 2u) << "journeys at their own pace";
  EXPECT_EQ(Asked(v1::PATH_ORDERING, true), 0u) << "and a watch orders nothing";
  const v1::RunChecksRequest request = [&] {
    v1::RunChecksRequest last;
    loop_.Invoke([&] { last = prober(v1::PATH_PLAYBACK).requests.back(); });
    return last;
  }();
  EXPECT_TRUE(request.watch());
  ASSERT_EQ(request.facts_size(), 1);
  EXPECT_EQ(request.facts(0).name(), "ordering.account");
  EXPECT_TRUE(state_ == v1::VERDICT_STATE_GO);
}

TEST_F(StayingTest, AFailureThatIsWatchedIsRedWithinItsPaceAndSaysWhatChanged) {
  Begin();
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_GO, absl::Seconds(30)));
  Judge(v1::PATH_PLAYBACK, v1::OUTCOME_FAILED);
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_NO_GO, absl::Seconds(14)));
  const v1::Verdict verdict = Verdict();
  ASSERT_GE(verdict.changed_size(), 1);
  EXPECT_THAT(verdict.changed(0), HasSubstr("playback.cold_start fails for"));
  Judge(v1::PATH_PLAYBACK, v1::OUTCOME_PASSED);
  EXPECT_TRUE(UntilState(v1::VERDICT_STATE_GO, absl::Seconds(14)));
}

TEST_F(StayingTest, AProberThatIsGoneIsNeverGreen) {
  Begin();
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_GO, absl::Seconds(30)));
  loop_.Invoke([&] {
    prober(v1::PATH_PLAYBACK).before = [](const v1::RunChecksRequest&) -> awaitable<absl::Status> {
      co_return absl::UnavailableError("connection refused");
    };
  });
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_INCONCLUSIVE, absl::Seconds(14)));
  loop_.Invoke([&] { prober(v1::PATH_PLAYBACK).before = nullptr; });
  EXPECT_TRUE(UntilState(v1::VERDICT_STATE_GO, absl::Seconds(30)));
}

TEST_F(StayingTest, AWallClockThatIsSetChangesNeitherVerdictNorPace) {
  for (const absl::Duration step : {absl::Hours(1) - absl::Minutes(10), -absl::Minutes(50)}) {
    Begin();
    ASSERT_TRUE(UntilState(v1::VERDICT_STATE_GO, absl::Minutes(1)));
    Live(absl::Seconds(3));
    loop_.Invoke([&] { clock_.Step(step); });
    const size_t before = Asked(v1::PATH_PLAYBACK, true);
    for (int second = 0; second < 60; ++second) {
      Live(absl::Seconds(1));
      ASSERT_EQ(Verdict().state(), v1::VERDICT_STATE_GO) << "second " << second << " after " << step;
    }
    EXPECT_NEAR(static_cast<double>(Asked(v1::PATH_PLAYBACK, true) - before), 12, 4) << step;
    End();
  }
}

TEST_F(StayingTest, PausedItStopsEverythingGrowsOldAndStaysPausedOverARestart) {
  Begin();
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_GO, absl::Seconds(30)));
  EXPECT_EQ(Wait(readiness_->Pause("the target is being deployed", "test")), absl::OkStatus());
  const size_t before = Asked(v1::PATH_PLAYBACK, true);
  EXPECT_EQ(Verdict().paused(), "the target is being deployed");
  EXPECT_EQ(Verdict().state(), v1::VERDICT_STATE_GO) << "what was seen a moment ago still counts";
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_INCONCLUSIVE, absl::Minutes(3)));
  EXPECT_EQ(Asked(v1::PATH_PLAYBACK, true), before);
  End();
  Begin();
  Live(absl::Minutes(1));
  EXPECT_EQ(Verdict().paused(), "the target is being deployed");
  EXPECT_EQ(Asked(v1::PATH_PLAYBACK, true), before);
  EXPECT_EQ(Wait(readiness_->Resume("test")), absl::OkStatus());
  EXPECT_TRUE(UntilState(v1::VERDICT_STATE_GO, absl::Seconds(30)));
  std::vector<std::string> methods;
  for (const AuditRow& row : archive_.audit()) methods.push_back(row.method + " " + row.outcome);
  EXPECT_EQ(methods, (std::vector<std::string>{"PauseProbing OK", "ResumeProbing OK"}));
}

TEST_F(StayingTest, AfterARestartTheVerdictGoesOnFromWhatWasKnown) {
  Begin();
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_GO, absl::Seconds(30)));
  Live(absl::Seconds(2));
  End();
  Begin();
  EXPECT_EQ(Verdict().state(), v1::VERDICT_STATE_GO);
  End();
  clock_.Advance(absl::Hours(1));
  for (auto& [path, fake] : fakes_) {
    fake->before = [](const v1::RunChecksRequest&) -> awaitable<absl::Status> {
      co_return absl::UnavailableError("connection refused");
    };
  }
  Begin();
  EXPECT_EQ(Verdict().state(), v1::VERDICT_STATE_INCONCLUSIVE) << "an hour ago is too long ago";
}

TEST_F(StayingTest, AFullDiskLeavesTheVerdictRightAndLosesNothing) {
  Begin();
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_GO, absl::Seconds(30)));
  archive_.SetFull(true);
  const size_t kept = archive_.results();
  Judge(v1::PATH_PLAYBACK, v1::OUTCOME_FAILED);
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_NO_GO, absl::Seconds(20)));
  EXPECT_EQ(archive_.results(), kept);
  archive_.SetFull(false);
  EXPECT_TRUE(Until([&] { return archive_.results() > kept + 2; }, absl::Minutes(1)));
}

TEST_F(StayingTest, ABrokenPlanIsRefusedWholeAndTheOldOneStays) {
  Begin();
  load_ = absl::InvalidArgumentError("plan.yaml:3:1: one\nplan.yaml:9:1: two");
  auto reload = [](Readiness* readiness) -> awaitable<absl::Status> {
    absl::StatusOr<std::string> digest = co_await readiness->ReloadPlan("test");
    co_return digest.status();
  };
  const absl::Status status = Wait(reload(readiness_.get()));
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("plan.yaml:9:1: two"));
  EXPECT_EQ(Verdict().plan_digest(), "digest");
  EXPECT_TRUE(UntilState(v1::VERDICT_STATE_GO, absl::Seconds(30)));
}

TEST_F(StayingTest, ANewPlanTakesOverItsInstancesAndItsPace) {
  Begin();
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_GO, absl::Seconds(30)));
  auto next = std::make_shared<Subject>(*subject_);
  next->digest = "newer";
  next->plan.mutable_customers()->RemoveLast();
  next->plan.mutable_customers(0)->set_audience_share(1);
  *next->plan.mutable_schedule(0)->mutable_watch_every() = runtime::ToProtoDuration(absl::Seconds(2));
  loaded_ = next;
  auto reload = [](Readiness* readiness) -> awaitable<absl::Status> {
    absl::StatusOr<std::string> digest = co_await readiness->ReloadPlan("test");
    co_return digest.status();
  };
  EXPECT_EQ(Wait(reload(readiness_.get())), absl::OkStatus());
  const v1::Verdict verdict = Verdict();
  EXPECT_EQ(verdict.plan_digest(), "newer");
  for (const v1::InstanceStanding& instance : verdict.instances()) EXPECT_EQ(instance.customer(), "sofa");
  const size_t before = Asked(v1::PATH_PLAYBACK, true);
  Live(absl::Seconds(30));
  EXPECT_GE(Asked(v1::PATH_PLAYBACK, true) - before, 10u);
  EXPECT_EQ(Verdict().state(), v1::VERDICT_STATE_GO);
}

TEST_F(StayingTest, ANewConfigurationOfTheTargetMakesWhatWasKnownUnknownAndIsLookedAtAtOnce) {
  Begin();
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_GO, absl::Seconds(30)));
  Live(absl::Seconds(20));
  const size_t journeys = Asked(v1::PATH_ORDERING, false);
  loop_.Invoke([&] {
    for (auto& [path, fake] : fakes_) fake->configuration = "v2";
  });
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_INCONCLUSIVE, absl::Seconds(14)));
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_GO, absl::Seconds(20))) << "minutes before the journeys' pace";
  EXPECT_GT(Asked(v1::PATH_ORDERING, false), journeys);
  EXPECT_EQ(Verdict().configuration(), "v2");
}

TEST_F(StayingTest, TwoConfigurationsInTurnsAreACauseAndNoStorm) {
  Begin();
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_GO, absl::Seconds(30)));
  for (int i = 0; i < 6; ++i) {
    loop_.Invoke([&] { prober(v1::PATH_PLAYBACK).configuration = i % 2 == 0 ? "v2" : "v1"; });
    Live(absl::Seconds(11));
  }
  EXPECT_THAT(Verdict().causes(), Contains(HasSubstr("alternates between v1 and v2")));
  EXPECT_NE(Verdict().state(), v1::VERDICT_STATE_GO);
  EXPECT_LE(Asked(v1::PATH_ORDERING, false), 6u) << "two customers, and one more look for the one new answer";
}

TEST_F(StayingTest, ARunOnDemandWaitsForTheJourneysUnderWayAndIsJudgedByItself) {
  bool held = true;
  loop_.Invoke([&] {
    prober(v1::PATH_BILLING).before = [&](const v1::RunChecksRequest&) -> awaitable<absl::Status> {
      while (held) {
        absl::Status slept = co_await loop_.SleepFor(clock_, absl::Milliseconds(100));
        if (!slept.ok()) co_return slept;
      }
      co_return absl::OkStatus();
    };
  });
  Begin();
  ASSERT_TRUE(Until([&] { return Asked(v1::PATH_BILLING, false) > 0; }, absl::Seconds(20)));
  v1::Run run;
  auto start = [](Readiness* readiness, v1::Run* into) -> awaitable<absl::Status> {
    v1::StartRunRequest request;
    request.mutable_selection()->add_customers("sofa");
    absl::StatusOr<v1::Run> started = co_await readiness->StartRun(std::move(request));
    if (started.ok()) *into = *started;
    co_return started.status();
  };
  ASSERT_EQ(Wait(start(readiness_.get(), &run)), absl::OkStatus());
  const auto now = [&]() -> v1::Run {
    auto get = [](Readiness* readiness, std::string name) -> awaitable<absl::StatusOr<v1::Run>> {
      absl::StatusOr<v1::Run> found = co_await readiness->GetRun(std::move(name));
      co_return found;
    };
    return *loop_.Spawn(get(readiness_.get(), run.name())).Get();
  };
  Live(absl::Seconds(3));
  EXPECT_EQ(now().progress(), "waiting for the journeys under way to end");
  loop_.Invoke([&] { held = false; });
  bool ended = false;
  for (int i = 0; i < 300 && !ended; ++i) {
    Live(absl::Milliseconds(300));
    ended = now().state() == v1::Run::SUCCEEDED;
  }
  ASSERT_TRUE(ended);
  EXPECT_EQ(now().verdict().state(), v1::VERDICT_STATE_GO);
}

TEST_F(StayingTest, AWaiverMadeAtRunTimeHoldsOverARestartUntilItIsRevoked) {
  Begin();
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_GO, absl::Seconds(30)));
  loop_.Invoke([&] {
    prober(v1::PATH_PLAYBACK).judge = [](const std::string&, const v1::RunChecksRequest& request) {
      v1::Result result;
      if (request.customer() != "sofa") return result;
      result.set_outcome(v1::OUTCOME_FAILED);
      result.set_confirmed(true);
      result.add_findings()->set_id("no_4k");
      return result;
    };
  });
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_NO_GO, absl::Seconds(20)));
  v1::Waiver waiver;
  waiver.set_check("playback.cold_start");
  waiver.set_owner("video");
  waiver.set_reason("4K comes later");
  waiver.set_expires("2026-12-31");
  waiver.set_notice_url("https://shop.example/notices");
  waiver.set_notice_says("4K broadcasts start in January");
  int number = 0;
  auto create = [](Readiness* readiness, v1::Waiver what, int* into) -> awaitable<absl::Status> {
    absl::StatusOr<v1::WaiverState> made = co_await readiness->CreateWaiver(std::move(what), "test");
    if (made.ok()) *into = made->waiver();
    co_return made.status();
  };
  ASSERT_EQ(Wait(create(readiness_.get(), waiver, &number)), absl::OkStatus());
  EXPECT_EQ(number, kFirstRuntimeWaiver + 1);
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_GO_WITH_WAIVERS, absl::Seconds(5)));
  End();
  Begin();
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_GO_WITH_WAIVERS, absl::Seconds(30)));
  auto revoke = [](Readiness* readiness, int which) -> awaitable<absl::Status> {
    absl::StatusOr<v1::WaiverState> revoked = co_await readiness->RevokeWaiver(which, "test");
    co_return revoked.status();
  };
  ASSERT_EQ(Wait(revoke(readiness_.get(), number)), absl::OkStatus());
  EXPECT_TRUE(UntilState(v1::VERDICT_STATE_NO_GO, absl::Seconds(5)));
  EXPECT_TRUE(absl::IsNotFound(Wait(revoke(readiness_.get(), number))));
}

TEST_F(StayingTest, EveryVantageIsWalkedForItselfAndThePlansQuorumDecides) {
  std::map<v1::Path, std::unique_ptr<FakeProber>> far;
  for (const auto& [path, fake] : fakes_) {
    far[path] = std::make_unique<FakeProber>(path, loop_, log_);
    far[path]->configuration = "v1";
    vantages_["helsinki"][path] = fake.get();
    vantages_["stockholm"][path] = far[path].get();
  }
  for (const char* name : {"helsinki", "stockholm"}) subject_->plan.mutable_vantages()->add_names(name);
  far[v1::PATH_PLAYBACK]->judge = [](const std::string&, const v1::RunChecksRequest&) {
    v1::Result result;
    result.set_outcome(v1::OUTCOME_FAILED);
    result.set_confirmed(true);
    result.set_summary("nothing plays in Stockholm");
    return result;
  };
  Begin();
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_NO_GO, absl::Seconds(30)));
  EXPECT_THAT(Verdict().why(), HasSubstr("nothing plays in Stockholm"));
  auto next = std::make_shared<Subject>(*subject_);
  next->digest = "quorum of one";
  next->plan.mutable_vantages()->set_required(1);
  loaded_ = next;
  auto reload = [](Readiness* readiness) -> awaitable<absl::Status> {
    absl::StatusOr<std::string> digest = co_await readiness->ReloadPlan("test");
    co_return digest.status();
  };
  EXPECT_EQ(Wait(reload(readiness_.get())), absl::OkStatus());
  EXPECT_TRUE(UntilState(v1::VERDICT_STATE_GO, absl::Seconds(30)));
  End();
}

TEST_F(StayingTest, GoesOnForDaysInBoundedMemory) {
  Begin(/*archived=*/false);
  ASSERT_TRUE(UntilState(v1::VERDICT_STATE_GO, absl::Seconds(30)));
  Live(absl::Minutes(6));
  size_t runs = 0;
  auto list = [](Readiness* readiness, size_t* into) -> awaitable<absl::Status> {
    v1::ListRunsRequest request;
    request.set_page_size(500);
    absl::StatusOr<v1::ListRunsResponse> listed = co_await readiness->ListRuns(std::move(request));
    *into = static_cast<size_t>(listed->runs_size());
    co_return absl::OkStatus();
  };
  EXPECT_EQ(Wait(list(readiness_.get(), &runs)), absl::OkStatus());
  EXPECT_LE(runs, 2u * 20 + 2) << "of each kind no more than are kept";
  EXPECT_EQ(Verdict().state(), v1::VERDICT_STATE_GO);
}

}  // namespace
}  // namespace puckdrop::readiness
