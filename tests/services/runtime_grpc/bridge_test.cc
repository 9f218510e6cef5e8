#include <gmock/gmock.h>
#include <grpcpp/channel.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/runtime/reactor_bridge.h"
#include "services/runtime/status_convert.h"
#include "tests/services/runtime_grpc/test_service.h"

namespace puckdrop::runtime {
namespace {

// Every test is done over an in-process channel and over a port.
class BridgeTest : public ::testing::TestWithParam<bool> {
 public:
  BridgeTest() { Serve({}); }
  ~BridgeTest() override {
    stub_.reset();
    if (server_) server_->Shutdown(absl::Seconds(2));
  }

  void Serve(BridgeOptions options) {
    stub_.reset();
    if (server_) server_->Shutdown(absl::Seconds(1));
    service_ = std::make_unique<TestService>(Bridge(loop_, clock_, options));
    ServerOptions server;
    if (GetParam()) server.listen = "127.0.0.1:0";
    absl::StatusOr<std::unique_ptr<ServiceServer>> started = ServiceServer::Start(server, {service_.get()});
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = std::move(*started);
    stub_ =
        v1::ProberService::NewStub(GetParam() ? ConnectInsecurely(server_->address()) : server_->InProcessChannel());
  }

  Caller Us() { return Caller{.loop = &callers_, .clock = &clock_}; }
  absl::Time Soon() { return clock_.Now() + absl::Seconds(30); }

  Task<absl::StatusOr<v1::ListChecksResponse>> StartList(absl::Time deadline) {
    return callers_.Spawn(Call(Us(), *stub_->async(), &Async::ListChecks, v1::ListChecksRequest(), deadline));
  }
  absl::StatusOr<v1::ListChecksResponse> List() { return StartList(Soon()).Get(); }

  Task<absl::Status> StartRun(std::function<void(v1::RunChecksEvent)> on_event, absl::Time deadline) {
    return callers_.Spawn(
        ReadAll(Us(), *stub_->async(), &Async::RunChecks, v1::RunChecksRequest(), deadline, std::move(on_event)));
  }

  RealClock clock_;
  EventLoop loop_;     // of the server
  EventLoop callers_;  // of the client
  std::unique_ptr<TestService> service_;
  std::unique_ptr<ServiceServer> server_;
  std::unique_ptr<v1::ProberService::Stub> stub_;
};

INSTANTIATE_TEST_SUITE_P(Channels, BridgeTest, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "OnAPort" : "InProcess"; });

TEST_P(BridgeTest, AUnaryCallGivesTheHandlersAnswer) {
  service_->on_list = [](CallContext&, const v1::ListChecksRequest&,
                         v1::ListChecksResponse& response) -> awaitable<absl::Status> {
    response.add_checks()->set_check("ordering.sign_up");
    co_return absl::OkStatus();
  };
  absl::StatusOr<v1::ListChecksResponse> answer = List();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->checks(0).check(), "ordering.sign_up");
}

TEST_P(BridgeTest, AnErrorKeepsCodeMessageAndDetail) {
  service_->on_list = [](CallContext&, const v1::ListChecksRequest&,
                         v1::ListChecksResponse&) -> awaitable<absl::Status> {
    co_return WithReason(absl::FailedPreconditionError("the plan differs"), "PLAN_DIGEST_MISMATCH", {{"ours", "ä"}});
  };
  absl::Status status = List().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "the plan differs");
  std::optional<v1::ErrorInfo> info = ErrorInfoOf(status);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->reason(), "PLAN_DIGEST_MISMATCH");
  EXPECT_EQ(info->metadata().at("ours"), "ä");
}

TEST_P(BridgeTest, AVeryLongMessageDoesNotBreakTheCall) {
  service_->on_list = [](CallContext&, const v1::ListChecksRequest&,
                         v1::ListChecksResponse&) -> awaitable<absl::Status> {
    co_return WithReason(absl::NotFoundError(std::string(100'000, 'x')), "LONG", {{"x", std::string(100'000, 'y')}});
  };
  absl::Status status = List().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_LE(status.message().size(), kLongestStatusMessage);
  EXPECT_FALSE(ErrorInfoOf(status).has_value());
}

TEST_P(BridgeTest, AHandlersExceptionEndsItsCallWithInternal) {
  service_->on_list = [](CallContext&, const v1::ListChecksRequest&,
                         v1::ListChecksResponse&) -> awaitable<absl::Status> {
    throw std::runtime_error("out of pucks");
    co_return absl::OkStatus();
  };
  absl::Status status = List().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("out of pucks"));
}

TEST_P(BridgeTest, TheCallsDeadlineReachesTheHandler) {
  std::atomic<bool> ended = false;
  std::atomic<double> left = 0;
  service_->on_list = [&](CallContext& call, const v1::ListChecksRequest&,
                          v1::ListChecksResponse&) -> awaitable<absl::Status> {
    left = absl::ToDoubleSeconds(call.deadline() - clock_.Now());
    absl::Status slept = co_await loop_.SleepFor(clock_, absl::Minutes(5));
    ended = slept.code() == absl::StatusCode::kCancelled && call.cancelled();
    co_return slept;
  };
  Task<absl::StatusOr<v1::ListChecksResponse>> call = StartList(clock_.Now() + absl::Milliseconds(300));
  EXPECT_EQ(call.Get().status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(Eventually([&] { return ended.load(); }));
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 0.31);
}

TEST_P(BridgeTest, ACancelledCallEndsItsHandler) {
  std::atomic<bool> began = false;
  std::atomic<bool> ended = false;
  service_->on_list = [&](CallContext&, const v1::ListChecksRequest&,
                          v1::ListChecksResponse&) -> awaitable<absl::Status> {
    began = true;
    absl::Status slept = co_await loop_.SleepFor(clock_, absl::Minutes(5));
    ended = slept.code() == absl::StatusCode::kCancelled;
    co_return slept;
  };
  Task<absl::StatusOr<v1::ListChecksResponse>> call = StartList(Soon());
  ASSERT_TRUE(Eventually([&] { return began.load(); }));
  call.Cancel();
  EXPECT_EQ(call.Get().status().code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(Eventually([&] { return ended.load(); }));
}

TEST_P(BridgeTest, AStreamComesWholeAndInOrder) {
  service_->on_run = [](CallContext&, const v1::RunChecksRequest&,
                        Writer<v1::RunChecksEvent>& writer) -> awaitable<absl::Status> {
    for (int i = 0; i < 500; ++i) {
      absl::Status written = co_await writer.Write(ProgressEvent(absl::StrCat(i)));
      if (!written.ok()) co_return written;
    }
    co_return absl::AbortedError("enough");
  };
  std::vector<std::string> seen;
  Task<absl::Status> run = StartRun([&](v1::RunChecksEvent event) { seen.push_back(event.progress().text()); }, Soon());
  EXPECT_EQ(run.Get().code(), absl::StatusCode::kAborted);
  ASSERT_EQ(seen.size(), 500u);
  EXPECT_EQ(seen.front(), "0");
  EXPECT_EQ(seen.back(), "499");
}

TEST_P(BridgeTest, ACancelledStreamEndsItsHandler) {
  std::atomic<int> seen = 0;
  std::atomic<int> ended = 0;
  service_->on_run = [&](CallContext&, const v1::RunChecksRequest&,
                         Writer<v1::RunChecksEvent>& writer) -> awaitable<absl::Status> {
    absl::Status written = co_await writer.Write(ProgressEvent("first"));
    if (!written.ok()) co_return written;
    absl::Status slept = co_await loop_.SleepFor(clock_, absl::Minutes(5));
    // A write after the end is refused, not lost in silence.
    written = co_await writer.Write(ProgressEvent("second"));
    ended = slept.code() == absl::StatusCode::kCancelled && written.code() == absl::StatusCode::kCancelled ? 1 : 2;
    co_return slept;
  };
  Task<absl::Status> run = StartRun([&](v1::RunChecksEvent) { ++seen; }, Soon());
  ASSERT_TRUE(Eventually([&] { return seen == 1; }));
  run.Cancel();
  EXPECT_EQ(run.Get().code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(Eventually([&] { return ended != 0; }));
  EXPECT_EQ(ended, 1);
}

TEST_P(BridgeTest, ASlowReaderHoldsTheWriterBack) {
  constexpr int kMessages = 200;
  std::atomic<int> written = 0;
  service_->on_run = [&](CallContext&, const v1::RunChecksRequest&,
                         Writer<v1::RunChecksEvent>& writer) -> awaitable<absl::Status> {
    for (int i = 0; i < kMessages; ++i) {
      absl::Status sent = co_await writer.Write(ProgressEvent(std::string(100'000, 'x')));
      if (!sent.ok()) co_return sent;
      ++written;
    }
    co_return absl::OkStatus();
  };
  std::atomic<bool> read_on = false;
  std::atomic<int> seen = 0;
  Task<absl::Status> run =
      callers_.Spawn([](BridgeTest* test, std::atomic<bool>& go, std::atomic<int>& count) -> awaitable<absl::Status> {
        ServerStream<v1::RunChecksEvent> stream(test->Us(), *test->stub_->async(), &Async::RunChecks,
                                                v1::RunChecksRequest(), test->Soon());
        while (!go) {
          absl::Status slept = co_await test->callers_.SleepFor(test->clock_, absl::Milliseconds(2));
          if (!slept.ok()) co_return slept;
        }
        while (true) {
          std::optional<v1::RunChecksEvent> event = co_await stream.Next();
          if (!event) break;
          ++count;
        }
        absl::Status ended = co_await stream.Finish();
        co_return ended;
      }(this, read_on, seen));
  // It stands still far from the end: what fits the flow control window, and no more.
  int before = -1;
  ASSERT_TRUE(Eventually([&] {
    const int now = written;
    const bool still = now == before;
    before = now;
    if (!still) absl::SleepFor(absl::Milliseconds(50));
    return still;
  }));
  EXPECT_LT(written, kMessages / 2);
  read_on = true;
  EXPECT_TRUE(run.Get().ok());
  EXPECT_EQ(seen, kMessages);
  EXPECT_EQ(written, kMessages);
}

TEST_P(BridgeTest, AReaderThatTakesNothingLosesItsStream) {
  Serve({.write_stall_limit = absl::Milliseconds(100)});
  std::atomic<int> code = -1;
  service_->on_run = [&](CallContext&, const v1::RunChecksRequest&,
                         Writer<v1::RunChecksEvent>& writer) -> awaitable<absl::Status> {
    absl::Status sent;
    while (sent.ok()) sent = co_await writer.Write(ProgressEvent(std::string(100'000, 'x')));
    code = static_cast<int>(sent.code());
    co_return sent;
  };
  Task<absl::Status> run = callers_.Spawn([](BridgeTest* test, std::atomic<int>& done) -> awaitable<absl::Status> {
    ServerStream<v1::RunChecksEvent> stream(test->Us(), *test->stub_->async(), &Async::RunChecks,
                                            v1::RunChecksRequest(), test->Soon());
    while (done < 0) {
      absl::Status slept = co_await test->callers_.SleepFor(test->clock_, absl::Milliseconds(2));
      if (!slept.ok()) co_return slept;
    }
    absl::Status ended = co_await stream.Finish();
    co_return ended;
  }(this, code));
  EXPECT_FALSE(run.Get().ok());
  EXPECT_EQ(code, static_cast<int>(absl::StatusCode::kResourceExhausted));
}

TEST_P(BridgeTest, ShutdownEndsWhatRunsWithinItsGrace) {
  std::atomic<int> began = 0;
  std::atomic<int> ended = 0;
  service_->on_run = [&](CallContext&, const v1::RunChecksRequest&,
                         Writer<v1::RunChecksEvent>&) -> awaitable<absl::Status> {
    ++began;
    absl::Status slept = co_await loop_.SleepFor(clock_, absl::Minutes(5));
    ++ended;
    co_return slept;
  };
  std::vector<Task<absl::Status>> runs;
  for (int i = 0; i < 10; ++i) runs.push_back(StartRun([](v1::RunChecksEvent) {}, Soon()));
  ASSERT_TRUE(Eventually([&] { return began == 10; }));
  const absl::Time start = absl::Now();
  server_->Shutdown(absl::Milliseconds(100));
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
  EXPECT_EQ(ended, 10);
  for (Task<absl::Status>& run : runs) EXPECT_FALSE(run.Get().ok());
}

TEST_P(BridgeTest, AStoppedLoopStillAnswersEveryCall) {
  std::atomic<bool> began = false;
  service_->on_list = [&](CallContext&, const v1::ListChecksRequest&,
                          v1::ListChecksResponse&) -> awaitable<absl::Status> {
    began = true;
    co_return co_await loop_.SleepFor(clock_, absl::Minutes(5));
  };
  Task<absl::StatusOr<v1::ListChecksResponse>> running = StartList(Soon());
  ASSERT_TRUE(Eventually([&] { return began.load(); }));
  loop_.Stop();
  EXPECT_EQ(running.Get().status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(List().status().code(), absl::StatusCode::kUnavailable);
}

TEST_P(BridgeTest, AThousandCallsAtOnceAllEnd) {
  service_->on_list = [&](CallContext&, const v1::ListChecksRequest&,
                          v1::ListChecksResponse& response) -> awaitable<absl::Status> {
    co_await loop_.Yield();
    response.add_checks()->set_check("x");
    co_return absl::OkStatus();
  };
  service_->on_run = [&](CallContext&, const v1::RunChecksRequest&,
                         Writer<v1::RunChecksEvent>& writer) -> awaitable<absl::Status> {
    for (int i = 0; i < 3; ++i) {
      absl::Status sent = co_await writer.Write(ProgressEvent("x"));
      if (!sent.ok()) co_return sent;
    }
    co_return absl::OkStatus();
  };
  std::vector<Task<absl::StatusOr<v1::ListChecksResponse>>> calls;
  std::vector<Task<absl::Status>> runs;
  std::atomic<int> events = 0;
  for (int i = 0; i < 1000; ++i) {
    if (i % 5 == 0) runs.push_back(StartRun([&](v1::RunChecksEvent) { ++events; }, Soon()));
    calls.push_back(StartList(Soon()));
    if (i % 7 == 0) calls.back().Cancel();
  }
  int ok = 0;
  for (auto& call : calls) ok += call.Get().ok() ? 1 : 0;
  for (auto& run : runs) EXPECT_TRUE(run.Get().ok());
  EXPECT_EQ(events, 600);
  EXPECT_GE(ok, 1000 - 143);
}

TEST_P(BridgeTest, ATokenIsSentAsMetadata) {
  std::string seen;
  service_->on_list = [&](CallContext& call, const v1::ListChecksRequest&,
                          v1::ListChecksResponse&) -> awaitable<absl::Status> {
    seen = call.metadata("authorization");
    co_return absl::OkStatus();
  };
  Caller us = Us();
  us.bearer_token = "t0ken";
  EXPECT_TRUE(
      callers_.Spawn(Call(us, *stub_->async(), &Async::ListChecks, v1::ListChecksRequest(), Soon())).Get().ok());
  EXPECT_EQ(seen, "Bearer t0ken");
}

TEST_P(BridgeTest, AnAbandonedStreamIsCancelled) {
  std::atomic<bool> ended = false;
  service_->on_run = [&](CallContext&, const v1::RunChecksRequest&,
                         Writer<v1::RunChecksEvent>& writer) -> awaitable<absl::Status> {
    (void)co_await writer.Write(ProgressEvent("x"));
    absl::Status slept = co_await loop_.SleepFor(clock_, absl::Minutes(5));
    ended = !slept.ok();
    co_return slept;
  };
  bool got = callers_
                 .Spawn([](BridgeTest* test) -> awaitable<bool> {
                   ServerStream<v1::RunChecksEvent> stream(test->Us(), *test->stub_->async(), &Async::RunChecks,
                                                           v1::RunChecksRequest(), test->Soon());
                   std::optional<v1::RunChecksEvent> event = co_await stream.Next();
                   co_return event.has_value();
                 }(this))
                 .Get();
  EXPECT_TRUE(got);
  EXPECT_TRUE(Eventually([&] { return ended.load(); }));
}

}  // namespace
}  // namespace puckdrop::runtime
