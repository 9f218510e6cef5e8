#include "checks/target/jq/pool.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "tests/checks/target_jq/pool_fixture.h"

namespace puckdrop::jq {
namespace {

using ::testing::HasSubstr;

TEST_F(PoolTest, AnswersManyRequestsInOrder) {
  const ProgramId twice = Add(".body.n * 2");
  const ProgramId name = Add("\"n\\($body.n)\"");
  std::vector<EvaluationRequest> requests;
  for (int i = 0; i < 1000; ++i) requests.push_back(Json({twice, name}, "{\"n\":" + std::to_string(i) + "}"));
  const auto results = RunAll(std::move(requests));
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(results[i].ok()) << results[i].status();
    EXPECT_EQ(Text(results[i]->outcomes[0]), std::to_string(2 * i));
    EXPECT_EQ(Text(results[i]->outcomes[1]), "\"n" + std::to_string(i) + "\"");
  }
  // They travelled together.
  EXPECT_LE(pool().statistics().batches, 80U);
  EXPECT_EQ(pool().statistics().restarts, 0U);
}

TEST_F(PoolTest, SharesTheWorkAmongWorkers) {
  options_.workers = 2;
  options_.batch = 1;
  const ProgramId id = Add("[range(2000)] | length");
  EXPECT_TRUE(pool().WorkerPids().empty());
  std::vector<EvaluationRequest> requests(40, Json({id}, "1"));
  for (const auto& result : RunAll(std::move(requests))) EXPECT_EQ(Text(result->outcomes[0]), "2000");
  EXPECT_EQ(pool().WorkerPids().size(), 2U);
}

TEST_F(PoolTest, WarmsUp) {
  options_.workers = 2;
  Add(".body");
  std::optional<absl::Status> status;
  boost::asio::co_spawn(
      loop_,
      [](ExpressionPool* pool, std::optional<absl::Status>* out) -> boost::asio::awaitable<void> {
        *out = co_await pool->Warm();
      }(&pool(), &status),
      boost::asio::detached);
  RunUntil([&] { return status.has_value(); });
  EXPECT_TRUE(status.has_value() && status->ok());
  EXPECT_EQ(pool().WorkerPids().size(), 2U);
  EXPECT_EQ(pool().statistics().batches, 0U);
}

TEST_F(PoolTest, RefusesWhatItCannotTake) {
  const ProgramId id = Add(".body");
  options_.max_input_bytes = 1000;
  EXPECT_EQ(Run(Json({id + 1}, "1")).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Run(Json({id}, std::string(2000, ' '))).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Run(Json({id}, "1", "[1]")).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(Run(Json({id}, "1", "{\"a\"}")).status().message()),
              HasSubstr("the context is not JSON: ':' is expected at byte 5"));
  EXPECT_EQ(Text(Run(Json({id}, "1"))->outcomes[0]), "1");
  EXPECT_TRUE(Run(Json({}, "1"))->outcomes.empty());
}

TEST_F(PoolTest, BoundsItsQueue) {
  options_.max_queued = 10;
  const ProgramId id = Add(".body");
  std::vector<EvaluationRequest> requests(30, Json({id}, "1"));
  int refused = 0;
  int good = 0;
  for (const auto& result : RunAll(std::move(requests))) {
    (result.ok() ? good : refused) += 1;
    if (!result.ok()) {
      EXPECT_EQ(result.status().code(), absl::StatusCode::kResourceExhausted);
    }
  }
  EXPECT_EQ(good, 10);
  EXPECT_EQ(refused, 20);
}

TEST_F(PoolTest, SaysWhyNoWorkerStarts) {
  options_.worker_path = "/nowhere/worker";
  const ProgramId id = Add(".body");
  for (int i = 0; i < 3; ++i) {
    const auto result = Run(Json({id}, "1"));
    EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(result.status().message()), HasSubstr("/nowhere/worker"));
  }
  options_.worker_path = "/bin/false";
  pool_.reset();
  EXPECT_EQ(Run(Json({id}, "1")).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(pool().WorkerPids().empty());
}

TEST_F(PoolTest, CancelsOneWaiter) {
  const ProgramId slow = Add("last(range(1e9))");
  const ProgramId id = Add(".body");
  boost::asio::cancellation_signal signal;
  bool ended = false;
  boost::asio::co_spawn(
      loop_, pool().Evaluate(Json({slow}, "1")),
      boost::asio::bind_cancellation_slot(
          signal.slot(), [&](std::exception_ptr, const absl::StatusOr<EvaluationResult>&) { ended = true; }));
  RunUntil([&] { return !pool().WorkerPids().empty(); });
  signal.emit(boost::asio::cancellation_type::terminal);
  RunUntil([&] { return ended; });
  EXPECT_TRUE(ended);
  EXPECT_EQ(Text(Run(Json({id}, "7"))->outcomes[0]), "7");
}

TEST_F(PoolTest, EndsItsWaitersAndWorkersWithItself) {
  const ProgramId slow = Add("last(range(1e9))");
  std::optional<absl::StatusOr<EvaluationResult>> result;
  boost::asio::co_spawn(loop_, pool().Evaluate(Json({slow}, "1")),
                        [&](std::exception_ptr, absl::StatusOr<EvaluationResult> r) { result = std::move(r); });
  RunUntil([&] { return !pool().WorkerPids().empty(); });
  const int pid = pool().WorkerPids()[0];
  pool_.reset();
  RunUntil([&] { return result.has_value(); });
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->status().code(), absl::StatusCode::kCancelled);
  RunUntil([&] { return kill(pid, 0) != 0; });
  EXPECT_NE(kill(pid, 0), 0);
}

TEST_F(PoolTest, ReportsAProgramThatDoesNotCompile) {
  const ProgramId bad = Add(".body | nonsense");
  const ProgramId worse = Add(".body)");
  const ProgramId good = Add(".body");
  const auto result = Run(Json({bad, worse, good}, "1"));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(Text(result->outcomes[0]), "!FAILED unknown function 'nonsense'");
  EXPECT_EQ(Text(result->outcomes[1]), "!FAILED unexpected ')': nothing is open here");
  EXPECT_EQ(Text(result->outcomes[2]), "1");
}

TEST_F(PoolTest, CompilesThousands) {
  for (int i = 0; i < 3000; ++i) Add(".body.f" + std::to_string(i) + " | select(. != null) | tostring");
  const auto result = Run(Json({0, 63, 64, 1500, 2999}, R"({"f0":0,"f63":63,"f64":64,"f1500":1500,"f2999":2999})"));
  ASSERT_TRUE(result.ok()) << result.status();
  std::string all;
  for (const ProgramOutcome& outcome : result->outcomes) all += Text(outcome) + " ";
  EXPECT_EQ(all, "\"0\" \"63\" \"64\" \"1500\" \"2999\" ");
}

}  // namespace
}  // namespace puckdrop::jq
