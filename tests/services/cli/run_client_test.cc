// The whole of readiness behind its gRPC services in process, with scripted probers: what a gate sees.
#include "services/cli/run_client.h"

#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "services/readiness/metrics.h"
#include "services/readiness/notice_reader.h"
#include "services/readiness/readiness.h"
#include "services/readiness/service.h"
#include "services/runtime/proto_time.h"
#include "services/runtime/server.h"
#include "services/runtime/status_convert.h"
#include "tests/services/readiness/fake_prober.h"
#include "tests/services/readiness/subject_samples.h"

namespace puckdrop::cli {
namespace {

using readiness::FakeProber;
using ::testing::HasSubstr;

class FakeNotices final : public readiness::NoticeReader {
 public:
  absl::StatusOr<std::string> page = absl::UnavailableError("connection refused");
  awaitable<absl::StatusOr<std::string>> Read(std::string, absl::Time) override { co_return page; }
};

class RunClientTest : public ::testing::Test {
 protected:
  void Start(readiness::Subject subject = readiness::MakeSubject()) {
    char name[] = "/tmp/puckdrop-run-XXXXXX";
    base_ = mkdtemp(name);
    store_ = std::move(*readiness::Store::Open(base_ + "/state", clock_));
    readiness::ReadinessOptions options;
    options.subject = std::make_shared<const readiness::Subject>(std::move(subject));
    for (int path = v1::PATH_ORDERING; path <= v1::PATH_BILLING; ++path) {
      const auto p = static_cast<v1::Path>(path);
      fakes_[p] = std::make_unique<FakeProber>(p, loop_, log_);
      options.probers[p] = fakes_[p].get();
    }
    metrics_ = std::make_shared<readiness::ReadinessMetrics>(options.subject);
    readiness_ = std::make_unique<readiness::Readiness>(loop_, clock_, *store_, notices_, std::move(options));
    readiness_->OnVerdict([this](const std::shared_ptr<const readiness::Subject>& subject, const v1::Verdict& verdict) {
      metrics_->Update(subject, verdict);
    });
    services_ = std::make_unique<readiness::ReadinessServices>(*readiness_, loop_, clock_);
    runtime::ServerOptions server;
    server.service_names = services_->names();
    server_ = std::move(*runtime::ServiceServer::Start(std::move(server), services_->services()));
    client_ = std::make_unique<RunClient>(runtime::Caller{&loop_, &clock_, ""}, server_->InProcessChannel());
  }
  ~RunClientTest() override {
    client_.reset();
    if (server_) server_->Shutdown(absl::Seconds(2));
    loop_.Stop();
    store_.reset();
    std::filesystem::remove_all(base_);
  }

  absl::StatusOr<RunRecord> Follow(v1::StartRunRequest request) {
    *request.mutable_timeout() = runtime::ToProtoDuration(absl::Seconds(60));
    return loop_.Spawn(client_->Follow(std::move(request), {})).Get();
  }

  runtime::RealClock clock_;
  runtime::EventLoop loop_;
  std::string base_;
  std::unique_ptr<readiness::Store> store_;
  readiness::FakeLog log_;
  FakeNotices notices_;
  std::map<v1::Path, std::unique_ptr<FakeProber>> fakes_;
  std::shared_ptr<readiness::ReadinessMetrics> metrics_;
  std::unique_ptr<readiness::Readiness> readiness_;
  std::unique_ptr<readiness::ReadinessServices> services_;
  std::unique_ptr<runtime::ServiceServer> server_;
  std::unique_ptr<RunClient> client_;
};

TEST_F(RunClientTest, ARunWhereEverythingPassesIsGo) {
  Start();
  const absl::StatusOr<RunRecord> record = Follow({});
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->run.state(), v1::Run::SUCCEEDED);
  EXPECT_EQ(record->run.verdict().state(), v1::VERDICT_STATE_GO) << record->run.verdict().why();
  EXPECT_EQ(record->results.size(), 16u);
  EXPECT_EQ(record->run.done(), 16);
  EXPECT_TRUE(record->obligations_open.empty());
  const std::string metrics = runtime::MetricsText({metrics_});
  EXPECT_THAT(metrics, HasSubstr("puckdrop_verdict{path=\"all\",launch=\"liiga\"} 2"));
  EXPECT_THAT(metrics,
              HasSubstr("puckdrop_check_expected{path=\"billing\",check=\"billing.charged_once\",customer=\"sofa\""));
}

TEST_F(RunClientTest, BeforeAnyRunTheVerdictIsInconclusiveAndEverythingIsExpected) {
  Start();
  const std::string metrics = runtime::MetricsText({metrics_});
  EXPECT_THAT(metrics, HasSubstr("puckdrop_verdict{path=\"all\",launch=\"liiga\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("puckdrop_verdict{path=\"playback\",launch=\"liiga\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("puckdrop_check_expected"));
}

TEST_F(RunClientTest, AFilteredRunSaysSo) {
  Start();
  v1::StartRunRequest request;
  request.mutable_selection()->add_checks("billing.charged_once");
  request.mutable_selection()->add_customers("cabin");
  const absl::StatusOr<RunRecord> record = Follow(request);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->run.verdict().state(), v1::VERDICT_STATE_GO) << record->run.verdict().why();
  EXPECT_THAT(record->run.verdict().why(), HasSubstr("for 1 of 16 checks, not a launch verdict"));
}

TEST_F(RunClientTest, RefusesAnEmptySelectionAndAnotherPlan) {
  Start();
  v1::StartRunRequest request;
  request.mutable_selection()->add_checks("billing.nothing");
  absl::StatusOr<RunRecord> record = Follow(request);
  EXPECT_TRUE(absl::IsInvalidArgument(record.status()));
  EXPECT_EQ(runtime::ReasonOf(record.status()), "EMPTY_SELECTION");
  v1::StartRunRequest other;
  other.set_plan_digest("another");
  record = Follow(other);
  EXPECT_TRUE(absl::IsFailedPrecondition(record.status()));
  EXPECT_EQ(runtime::ReasonOf(record.status()), "PLAN_DIGEST_MISMATCH");
}

TEST_F(RunClientTest, AWaiverHoldsOnlyWhileItsNoticeSaysSo) {
  readiness::Subject subject = readiness::MakeSubject();
  subject.catalogue.push_back(readiness::Check("playback.uhd_is_uhd", v1::STAGE_SUBSCRIBER));
  v1::Waiver* waiver = subject.plan.add_waivers();
  waiver->set_check("playback.uhd_is_uhd");
  waiver->set_owner("video");
  waiver->set_reason("4K from January");
  waiver->set_expires("2999-01-01");
  waiver->set_notice_url("https://status.example/4k");
  waiver->set_notice_says("4K broadcasts start in January");
  Start(std::move(subject));
  fakes_[v1::PATH_PLAYBACK]->judge = [](const std::string& check, const v1::RunChecksRequest&) {
    v1::Result result;
    if (check == "playback.uhd_is_uhd") {
      result.set_outcome(v1::OUTCOME_FAILED);
      result.set_confirmed(true);
      result.set_summary("the picture is upscaled");
    }
    return result;
  };
  notices_.page = "4K broadcasts start in January.";
  EXPECT_EQ(Follow({})->run.verdict().state(), v1::VERDICT_STATE_GO_WITH_WAIVERS);
  notices_.page = "All is well.";
  EXPECT_EQ(Follow({})->run.verdict().state(), v1::VERDICT_STATE_NO_GO);
}

TEST_F(RunClientTest, CancellingEndsTheRunAndNothingNewIsOpened) {
  Start();
  runtime::OneShot begun;
  fakes_[v1::PATH_ORDERING]->before = [&](const v1::RunChecksRequest&) -> awaitable<absl::Status> {
    begun.Set();
    runtime::OneShot never;
    absl::Status waited = co_await never.Wait();
    co_return waited;
  };
  v1::StartRunRequest request;
  *request.mutable_timeout() = runtime::ToProtoDuration(absl::Seconds(60));
  auto following = loop_.Spawn(client_->Follow(request, {}));
  auto cancel = [](runtime::OneShot& ready, RunClient& client) -> awaitable<void> {
    co_await ready.WaitRegardless();
    co_await client.Cancel(absl::Seconds(2));
  };
  loop_.Spawn(cancel(begun, *client_)).Get();
  const absl::StatusOr<RunRecord> record = following.Get();
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->run.state(), v1::Run::CANCELLED);
  EXPECT_EQ(record->run.verdict().state(), v1::VERDICT_STATE_INCONCLUSIVE);
}

TEST_F(RunClientTest, ReadinessThatIsNotThereIsUnavailable) {
  Start();
  RunClient nobody(runtime::Caller{&loop_, &clock_, ""}, runtime::ConnectInsecurely("127.0.0.1:1"));
  const absl::StatusOr<RunRecord> record = loop_.Spawn(nobody.Follow({}, {})).Get();
  EXPECT_TRUE(absl::IsUnavailable(record.status())) << record.status();
}

}  // namespace
}  // namespace puckdrop::cli
