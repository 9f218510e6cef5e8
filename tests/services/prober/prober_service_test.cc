// The real prober in process, over gRPC, with a scripted target and a scripted readiness.
#include "services/prober/prober_service.h"

#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "puckdrop/v1/obligation_service.grpc.pb.h"
#include "services/prober/prober.h"
#include "services/runtime/grpc_client.h"
#include "services/runtime/metrics.h"
#include "services/runtime/security.h"
#include "services/runtime/server.h"
#include "services/runtime/status_convert.h"
#include "tests/services/prober/scripted.h"

namespace puckdrop::prober {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Async = v1::ProberService::StubInterface::async_interface;

// What tests see of the target; loop thread, except while nothing runs.
struct World {
  ScriptedPort port;
  std::vector<std::string> runs;
  std::vector<double> shares;  // requests per second; -1 for none
  absl::StatusOr<std::string> pilot_key = std::string("key");
};

class WorldRun final : public TargetRun {
 public:
  explicit WorldRun(World& world) : world_(world) {}
  checks::OperationPort& operations() override { return world_.port; }
  media::Player* player() override { return nullptr; }
  void SetLimits(const v1::LimitShare* share) override {
    world_.shares.push_back(share == nullptr ? -1 : share->requests_per_second());
  }

 private:
  World& world_;
};

class WorldTarget final : public TargetPort {
 public:
  explicit WorldTarget(World& world) : world_(world) {}
  absl::StatusOr<std::unique_ptr<TargetRun>> OpenRun(const std::string& run) override {
    world_.runs.push_back(run);
    return std::make_unique<WorldRun>(world_);
  }
  absl::StatusOr<std::string> PilotKey() override { return world_.pilot_key; }
  absl::StatusOr<std::vector<std::string>> StandingPasswords(const std::string&) override {
    return std::vector<std::string>();
  }

 private:
  World& world_;
};

class FakeReadiness final : public v1::ObligationService::CallbackService {
 public:
  explicit FakeReadiness(runtime::Bridge bridge) : bridge_(bridge) {}
  absl::Status answer;
  std::vector<v1::Obligation> opened;  // loop thread

  grpc::ServerUnaryReactor* OpenObligation(grpc::CallbackServerContext* context,
                                           const v1::OpenObligationRequest* request,
                                           v1::Obligation* response) override {
    return bridge_.Unary<v1::OpenObligationRequest, v1::Obligation>(
        context, request, response,
        [this](runtime::CallContext&, const v1::OpenObligationRequest& asked,
               v1::Obligation& given) -> awaitable<absl::Status> {
          if (answer.ok()) opened.push_back(asked.obligation());
          given = asked.obligation();
          given.set_name("obligations/r1-1");
          co_return answer;
        });
  }

 private:
  runtime::Bridge bridge_;
};

class ProberServiceTest : public ::testing::Test {
 protected:
  ProberServiceTest() {
    checks_.push_back(ScriptedCheck("ordering.offer_visible", {ListsOffers()}));
    checks_.push_back(ScriptedCheck("ordering.sign_up", {[](CheckContext& context) -> checks::Task<Judgement> {
                                      v1::AccountFact account = co_await context.journey().Account();
                                      co_return checks::Passed(account.email());
                                    }}));
    readiness_ = std::make_unique<FakeReadiness>(runtime::Bridge(loop_, clock_));
    readiness_server_ = *runtime::ServiceServer::Start({}, {readiness_.get()});
    request_.set_run("r1");
    request_.set_plan_digest("digest");
    request_.set_customer("living-room");
    request_.set_stage(v1::STAGE_VISITOR);
  }
  ~ProberServiceTest() override {
    stub_ = nullptr;
    prober_ = nullptr;
    readiness_server_ = nullptr;
  }

  ProberOptions Options() {
    ProberOptions options;
    options.path = v1::PATH_ORDERING;
    options.plan = std::make_shared<v1::Plan>(plan_);
    options.plan_digest = "digest";
    options.loop = &loop_;
    options.clock = &clock_;
    options.vantage = "helsinki";
    options.checks = checks_;
    options.target = std::make_shared<WorldTarget>(world_);
    options.obligations = readiness_server_->InProcessChannel();
    return options;
  }
  void Start(ProberOptions options) {
    absl::StatusOr<std::unique_ptr<Prober>> made = MakeProber(std::move(options));
    ASSERT_TRUE(made.ok()) << made.status();
    prober_ = std::move(*made);
    stub_ = v1::ProberService::NewStub(prober_->port() != 0
                                           ? runtime::ConnectInsecurely(absl::StrCat("127.0.0.1:", prober_->port()))
                                           : prober_->InProcessChannel());
  }
  void Start() { Start(Options()); }

  runtime::Task<absl::Status> Begin() {
    return loop_.Spawn(runtime::ReadAll(Us(), *stub_->async(), &Async::RunChecks, request_,
                                        clock_.Now() + absl::Seconds(60),
                                        std::function<void(v1::RunChecksEvent)>([this](v1::RunChecksEvent event) {
                                          events_.push_back(std::move(event));
                                        })));
  }
  absl::Status Run() { return Begin().Get(); }
  absl::StatusOr<v1::SettleObligationResponse> Settle(const v1::SettleObligationRequest& request) {
    return loop_
        .Spawn(
            runtime::Call(Us(), *stub_->async(), &Async::SettleObligation, request, clock_.Now() + absl::Seconds(60)))
        .Get();
  }
  runtime::Caller Us() { return runtime::Caller{.loop = &loop_, .clock = &clock_, .bearer_token = ""}; }
  v1::Result ResultOf(const std::string& check) const {
    for (const v1::RunChecksEvent& event : events_) {
      if (event.has_result() && event.result().check() == check) return event.result();
    }
    ADD_FAILURE() << "no result of " << check;
    return v1::Result();
  }

  runtime::RealClock clock_;
  runtime::EventLoop loop_;
  v1::Plan plan_ = ScriptedPlan();
  World world_;
  std::vector<CheckDefinition> checks_;
  std::unique_ptr<FakeReadiness> readiness_;
  std::unique_ptr<runtime::ServiceServer> readiness_server_;
  std::unique_ptr<Prober> prober_;
  std::unique_ptr<v1::ProberService::Stub> stub_;
  v1::RunChecksRequest request_;
  std::vector<v1::RunChecksEvent> events_;
};

TEST_F(ProberServiceTest, ListsEveryCheckOfThePath) {
  Start();
  absl::StatusOr<v1::ListChecksResponse> listed =
      loop_
          .Spawn(runtime::Call(Us(), *stub_->async(), &Async::ListChecks, v1::ListChecksRequest(),
                               clock_.Now() + absl::Seconds(10)))
          .Get();
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->checks_size(), 2);
  EXPECT_EQ(listed->checks(0).check(), "ordering.offer_visible");
  EXPECT_EQ(listed->checks(0).sentence(), "I could not");
}

TEST_F(ProberServiceTest, EveryMethodAsksForATokenWhereThereAreTokens) {
  char tokens[] = "/tmp/puckdrop-tokens-XXXXXX";
  close(mkstemp(tokens));  // empty: nobody may do anything
  runtime::ServerSecurityOptions security;
  security.clock = &clock_;
  security.tokens = tokens;
  ProberOptions options = Options();
  options.listen = "127.0.0.1:0";
  absl::StatusOr<std::shared_ptr<runtime::ServerSecurity>> made = runtime::ServerSecurity::Make(security);
  unlink(tokens);
  ASSERT_TRUE(made.ok()) << made.status();
  options.security = *made;
  Start(std::move(options));
  request_.add_checks("ordering.sign_up");
  EXPECT_EQ(runtime::ReasonOf(Run()), "TOKEN_MISSING");
  EXPECT_EQ(runtime::ReasonOf(Settle(v1::SettleObligationRequest()).status()), "TOKEN_MISSING");
  EXPECT_EQ(runtime::ReasonOf(loop_
                                  .Spawn(runtime::Call(Us(), *stub_->async(), &Async::ListChecks,
                                                       v1::ListChecksRequest(), clock_.Now() + absl::Seconds(10)))
                                  .Get()
                                  .status()),
            "TOKEN_MISSING");
  EXPECT_TRUE(world_.runs.empty());
  stub_ = v1::ProberService::NewStub(prober_->InProcessChannel());
  EXPECT_TRUE(Run().ok()) << "this process asks itself";
}

TEST_F(ProberServiceTest, RunsChecksAndWritesTheObligationBeforeTheAct) {
  world_.port.Answering("ordering.sign_up", [this](const auto&, const auto&) {
    EXPECT_EQ(readiness_->opened.size(), 1u) << "written down before the act";
    return ScriptedPort::Ok(target::v1::SignUpResponse());
  });
  Start();
  request_.add_checks("ordering.offer_visible");
  request_.add_checks("ordering.sign_up");
  absl::Status run = Run();
  ASSERT_TRUE(run.ok()) << run;
  EXPECT_EQ(ResultOf("ordering.offer_visible").outcome(), v1::OUTCOME_PASSED);
  EXPECT_EQ(ResultOf("ordering.sign_up").outcome(), v1::OUTCOME_PASSED);
  EXPECT_EQ(ResultOf("ordering.sign_up").vantage(), "helsinki");
  ASSERT_TRUE(events_.back().has_done());
  EXPECT_EQ(events_.back().done().results(), 2);
  ASSERT_EQ(readiness_->opened.size(), 1u);
  EXPECT_EQ(readiness_->opened[0].owner(), "r1");
  EXPECT_EQ(readiness_->opened[0].path(), "ordering");
  int facts = 0;
  for (const v1::RunChecksEvent& event : events_) facts += event.has_fact() ? 1 : 0;
  EXPECT_EQ(facts, 1);
}

TEST_F(ProberServiceTest, WhenReadinessRefusesTheObligationTheActIsNotPerformed) {
  readiness_->answer = absl::ResourceExhaustedError("the disk is full");
  Start();
  request_.add_checks("ordering.sign_up");
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(world_.port.performed["ordering.sign_up"], 0);
  EXPECT_EQ(ResultOf("ordering.sign_up").outcome(), v1::OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(ResultOf("ordering.sign_up").reason(), v1::FAILURE_REASON_OURS);
  EXPECT_THAT(ResultOf("ordering.sign_up").summary(), HasSubstr("the disk is full"));
}

TEST_F(ProberServiceTest, WhenReadinessIsDownTheActIsNotPerformed) {
  ProberOptions options = Options();
  readiness_server_->Shutdown(absl::ZeroDuration());
  Start(std::move(options));
  request_.add_checks("ordering.sign_up");
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(world_.port.performed["ordering.sign_up"], 0);
  EXPECT_EQ(ResultOf("ordering.sign_up").outcome(), v1::OUTCOME_INCONCLUSIVE);
}

TEST_F(ProberServiceTest, WithoutReadinessNothingIsEverCreated) {
  ProberOptions options = Options();
  options.obligations = nullptr;
  Start(std::move(options));
  request_.add_checks("ordering.sign_up");
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(world_.port.performed["ordering.sign_up"], 0);
  EXPECT_THAT(ResultOf("ordering.sign_up").summary(), HasSubstr("--readiness"));
}

TEST_F(ProberServiceTest, AnotherPlanIsRefused) {
  Start();
  request_.set_plan_digest("another");
  absl::Status refused = Run();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(runtime::ReasonOf(refused), "PLAN_DIGEST_MISMATCH");
  EXPECT_THAT(events_, ::testing::IsEmpty());
  v1::SettleObligationRequest settle;
  settle.set_plan_digest("another");
  EXPECT_EQ(Settle(settle).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ProberServiceTest, AskedByAPlanItDoesNotKnowItReadsItsFilesAgainAndKeepsTheOldOne) {
  std::atomic<int> reads{0};
  ProberOptions options = Options();
  options.load_plan = [&]() -> absl::StatusOr<ProberPlan> {
    ++reads;
    return ProberPlan{std::make_shared<v1::Plan>(plan_), "newer", {}};
  };
  Start(std::move(options));
  request_.add_checks("ordering.offer_visible");
  for (const char* digest : {"digest", "newer", "digest"}) {
    request_.set_plan_digest(digest);
    EXPECT_EQ(Run(), absl::OkStatus()) << digest;
  }
  EXPECT_EQ(reads, 1);
  for (int i = 0; i < 5; ++i) {
    request_.set_plan_digest("unknown");
    EXPECT_EQ(runtime::ReasonOf(Run()), "PLAN_DIGEST_MISMATCH");
  }
  EXPECT_LE(reads, 3) << "who asks for what is not there does not make it read for ever";
}

TEST_F(ProberServiceTest, ABrokenPlanLeavesTheOldOneInForce) {
  ProberOptions options = Options();
  options.load_plan = []() -> absl::StatusOr<ProberPlan> { return absl::InvalidArgumentError("plan.yaml:1:1: no"); };
  Start(std::move(options));
  prober_->Reload();
  request_.add_checks("ordering.offer_visible");
  EXPECT_EQ(Run(), absl::OkStatus());
  request_.set_plan_digest("newer");
  EXPECT_EQ(runtime::ReasonOf(Run()), "PLAN_DIGEST_MISMATCH");
}

TEST_F(ProberServiceTest, ARunThatWatchesCreatesNothing) {
  Start();
  request_.add_checks("ordering.sign_up");
  request_.set_watch(true);
  EXPECT_EQ(Run(), absl::OkStatus());
  EXPECT_EQ(ResultOf("ordering.sign_up").outcome(), v1::OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(ResultOf("ordering.sign_up").reason(), v1::FAILURE_REASON_OURS);
  EXPECT_TRUE(readiness_->opened.empty());
}

TEST_F(ProberServiceTest, ARequestThatMakesNoSenseSaysWhy) {
  Start();
  const auto refused = [&](auto change) {
    v1::RunChecksRequest before = request_;
    change(request_);
    absl::Status status = Run();
    request_ = before;
    EXPECT_FALSE(status.ok());
    return runtime::ReasonOf(status);
  };
  EXPECT_EQ(refused([](auto& r) { r.add_checks("billing.vat"); }), "NO_SUCH_CHECK");
  EXPECT_EQ(refused([](auto& r) { r.add_supporting_checks("\n\x1b"); }), "NO_SUCH_CHECK");
  EXPECT_EQ(refused([](auto& r) { r.set_customer("nobody"); }), "NO_SUCH_CUSTOMER");
  EXPECT_EQ(refused([](auto& r) { r.set_run("../../etc"); }), "BAD_RUN_ID");
  EXPECT_EQ(refused([](auto& r) { r.set_run(std::string(41, 'a')); }), "BAD_RUN_ID");
  EXPECT_EQ(refused([](auto& r) { r.set_stage(v1::STAGE_UNSPECIFIED); }), "BAD_STAGE");
  EXPECT_EQ(refused([](auto& r) { r.mutable_limits(); }), "NO_SHARE");
  EXPECT_EQ(refused([](auto& r) {
              v1::KeptFact kept;
              kept.set_json("{\"a\":" + std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}");
              v1::Fact* fact = r.add_facts();
              fact->set_name("ordering.kept");
              fact->mutable_value()->PackFrom(kept);
            }),
            "JSON_TOO_DEEP");
  EXPECT_EQ(refused([](auto& r) {
              for (int i = 0; i < 1001; ++i) r.add_checks("ordering.sign_up");
            }),
            "TOO_MANY");
  EXPECT_EQ(world_.runs.size(), 0u);
}

TEST_F(ProberServiceTest, RequestsOfOneRunShareSessionsAndTheNewestShare) {
  Start();
  request_.add_checks("ordering.sign_up");
  request_.mutable_limits()->set_requests_per_second(5);
  request_.mutable_limits()->set_in_flight(2);
  ASSERT_TRUE(Run().ok());
  const std::string first = ResultOf("ordering.sign_up").summary();
  events_.clear();
  request_.mutable_limits()->set_requests_per_second(7);
  ASSERT_TRUE(Run().ok());
  EXPECT_NE(ResultOf("ordering.sign_up").summary(), first) << "account names are never used twice in a run";
  events_.clear();
  request_.clear_limits();
  request_.set_run("r2");
  ASSERT_TRUE(Run().ok());
  EXPECT_THAT(world_.runs, ElementsAre("r1", "r2"));
  EXPECT_THAT(world_.shares, ElementsAre(5, 7, -1));
}

TEST_F(ProberServiceTest, AMissingPilotKeyIsSaidAndNothingIsDone) {
  world_.pilot_key = absl::FailedPreconditionError("target.pilot_key: { env: PILOT_KEY } is not set");
  Start();
  request_.add_checks("ordering.sign_up");
  absl::Status run = Run();
  EXPECT_EQ(run.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(run.message()), HasSubstr("PILOT_KEY"));
}

TEST_F(ProberServiceTest, TheRequestsDeadlineEndsTheRunWithResults) {
  checks_.push_back(ScriptedCheck("ordering.slow", {[this](CheckContext&) -> checks::Task<Judgement> {
                                    absl::Status slept = co_await loop_.SleepFor(clock_, absl::Minutes(10));
                                    co_return checks::Inconclusive(slept.ToString());
                                  }}));
  Start();
  request_.add_checks("ordering.slow");
  const absl::Time deadline = clock_.Now() + absl::Milliseconds(200);
  request_.mutable_deadline()->set_seconds(absl::ToUnixSeconds(deadline));
  request_.mutable_deadline()->set_nanos(static_cast<int>(absl::ToUnixNanos(deadline) % 1'000'000'000));
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(ResultOf("ordering.slow").outcome(), v1::OUTCOME_INCONCLUSIVE);
  EXPECT_THAT(ResultOf("ordering.slow").summary(), HasSubstr("time ended"));
  EXPECT_TRUE(events_.back().has_done());
}

TEST_F(ProberServiceTest, ACancelledCallEndsItsChecks) {
  std::atomic<int> state = 0;
  checks_.push_back(ScriptedCheck("ordering.slow", {[&](CheckContext&) -> checks::Task<Judgement> {
                                    state = 1;
                                    absl::Status slept = co_await loop_.SleepFor(clock_, absl::Minutes(10));
                                    state = 2;
                                    co_return checks::Inconclusive(slept.ToString());
                                  }}));
  Start();
  request_.add_checks("ordering.slow");
  runtime::Task<absl::Status> run = Begin();
  const auto reached = [&](int wanted) {
    for (int i = 0; i < 10000 && state != wanted; ++i) absl::SleepFor(absl::Milliseconds(1));
    return state == wanted;
  };
  ASSERT_TRUE(reached(1));
  run.Cancel();
  EXPECT_EQ(run.Get().code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(reached(2));
}

TEST_F(ProberServiceTest, ShutdownEndsARunningCallWithinItsGrace) {
  std::atomic<bool> began = false;
  checks_.push_back(ScriptedCheck("ordering.slow", {[&](CheckContext&) -> checks::Task<Judgement> {
                                    began = true;
                                    absl::Status slept = co_await loop_.SleepFor(clock_, absl::Minutes(10));
                                    co_return checks::Inconclusive(slept.ToString());
                                  }}));
  Start();
  request_.add_checks("ordering.slow");
  runtime::Task<absl::Status> run = Begin();
  for (int i = 0; i < 10000 && !began; ++i) absl::SleepFor(absl::Milliseconds(1));
  const absl::Time start = absl::Now();
  prober_->Shutdown(absl::Milliseconds(100));
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
  EXPECT_FALSE(run.Get().ok());
}

TEST_F(ProberServiceTest, SettlesAnObligationOrSaysWhatAPersonMustDo) {
  Start();
  v1::SettleObligationRequest settle;
  settle.set_plan_digest("digest");
  v1::Obligation& obligation = *settle.mutable_obligation();
  obligation.set_name("obligations/r1-1");
  obligation.set_owner("r1");
  obligation.set_operation("ordering.place_order");
  obligation.set_customer("living-room");
  obligation.set_account("pd-r1@example.test");
  obligation.set_idempotency_key("key-1");
  (*obligation.mutable_target_ids())["order_id"] = "o-7";
  world_.port.undo = [](const v1::Obligation& owed) -> absl::StatusOr<std::string> {
    EXPECT_EQ(owed.idempotency_key(), "key-1");
    return std::string("refunded");
  };
  absl::StatusOr<v1::SettleObligationResponse> settled = Settle(settle);
  ASSERT_TRUE(settled.ok()) << settled.status();
  EXPECT_TRUE(settled->settled());
  EXPECT_EQ(settled->words(), "refunded");

  world_.port.undo = [](const v1::Obligation&) -> absl::StatusOr<std::string> {
    return absl::FailedPreconditionError("the office answered 503");
  };
  settled = Settle(settle);
  ASSERT_TRUE(settled.ok()) << "a target that will not is no RPC error";
  EXPECT_FALSE(settled->settled());
  EXPECT_EQ(settled->words(), "the office answered 503");
  EXPECT_THAT(settled->manual_action(), HasSubstr("pd-r1@example.test"));
  EXPECT_THAT(settled->manual_action(), HasSubstr("key-1"));
  EXPECT_THAT(settled->manual_action(), HasSubstr("order_id: o-7"));

  obligation.set_customer("gone");
  settled = Settle(settle);
  ASSERT_TRUE(settled.ok());
  EXPECT_FALSE(settled->settled());
  obligation.clear_operation();
  EXPECT_EQ(Settle(settle).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ProberServiceTest, ServesOnAPortWithMetrics) {
  ProberOptions options = Options();
  options.listen = "127.0.0.1:0";
  options.metrics_listen = "127.0.0.1:0";
  Start(std::move(options));
  EXPECT_GT(prober_->port(), 0);
  EXPECT_GT(prober_->metrics_port(), 0);
  request_.add_checks("ordering.offer_visible");
  ASSERT_TRUE(Run().ok());
  const std::string text = runtime::MetricsText(prober_->Metrics());
  EXPECT_THAT(text,
              HasSubstr("puckdrop_check_success{launch=\"liiga\",path=\"ordering\",check=\"ordering.offer_visible\","
                        "customer=\"living-room\",device=\"chrome_desktop\",market=\"FI\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("puckdrop_prober_heartbeat_timestamp_seconds"));
  EXPECT_THAT(text, HasSubstr("process_resident_memory_bytes"));
  EXPECT_THAT(text, HasSubstr("plan=\"digest\""));
}

TEST_F(ProberServiceTest, TenCustomersAtOnceEachGetTheirOwnEvents) {
  for (int i = 0; i < 10; ++i) {
    v1::Plan::Customer* customer = plan_.add_customers();
    customer->set_id(absl::StrCat("c", i));
    customer->set_market("FI");
    customer->set_device("chrome_desktop");
  }
  Start();
  std::vector<runtime::Task<absl::Status>> runs;
  std::vector<std::vector<v1::RunChecksEvent>> events(10);
  request_.add_checks("ordering.sign_up");
  request_.add_checks("ordering.offer_visible");
  for (size_t i = 0; i < 10; ++i) {
    request_.set_customer(absl::StrCat("c", i));
    runs.push_back(loop_.Spawn(
        runtime::ReadAll(Us(), *stub_->async(), &Async::RunChecks, request_, clock_.Now() + absl::Seconds(60),
                         std::function<void(v1::RunChecksEvent)>(
                             [&events, i](v1::RunChecksEvent event) { events[i].push_back(std::move(event)); }))));
  }
  for (auto& run : runs) EXPECT_TRUE(run.Get().ok());
  for (size_t i = 0; i < 10; ++i) {
    int results = 0;
    for (const v1::RunChecksEvent& event : events[i]) {
      if (!event.has_result()) continue;
      ++results;
      EXPECT_EQ(event.result().customer(), absl::StrCat("c", i));
    }
    EXPECT_EQ(results, 2);
  }
  EXPECT_THAT(world_.runs, ElementsAre("r1"));
}

TEST_F(ProberServiceTest, IncompleteOptionsAreRefused) {
  ProberOptions options = Options();
  options.path = v1::PATH_NOTICES;
  EXPECT_EQ(MakeProber(std::move(options)).status().code(), absl::StatusCode::kInvalidArgument);
  options = Options();
  options.plan = nullptr;
  EXPECT_EQ(MakeProber(std::move(options)).status().code(), absl::StatusCode::kInvalidArgument);
  options = Options();
  options.target = nullptr;
  EXPECT_EQ(MakeProber(std::move(options)).status().code(), absl::StatusCode::kInvalidArgument);
  options = Options();
  options.listen = "0.0.0.0:0";
  EXPECT_EQ(MakeProber(std::move(options)).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(PathWordTest, PathsAndWordsAgree) {
  for (v1::Path path :
       {v1::PATH_ORDERING, v1::PATH_CANCELLATION, v1::PATH_DEVICE_SUPPORT, v1::PATH_PLAYBACK, v1::PATH_BILLING}) {
    EXPECT_EQ(PathOfWord(PathWord(path)), path);
  }
  EXPECT_EQ(PathWord(v1::PATH_DEVICE_SUPPORT), "device_support");
  EXPECT_EQ(PathWord(v1::PATH_NOTICES), "");
  EXPECT_EQ(PathOfWord("readiness"), v1::PATH_UNSPECIFIED);
}

}  // namespace
}  // namespace puckdrop::prober
