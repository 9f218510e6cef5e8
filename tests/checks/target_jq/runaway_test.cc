// Programs that hang, crash and fill, and what becomes of their neighbours.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "tests/checks/target_jq/pool_fixture.h"

namespace puckdrop::jq {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class RunawayTest : public PoolTest {};

TEST_F(RunawayTest, StopsEveryTrapAndGoesOn) {
  const std::vector<std::string> traps = {
      "last(range(1e12))",                 // a loop of opcodes
      "def f: f; f",                       //
      "[range(1e12)] | length",            // memory, bit by bit
      "\"x\" * 1e9 | length",              // one call of C
      ".body | .[1e9] = 1 | length",       // one allocation
      "[limit(1e9; repeat(1))] | length",  //
      "reduce range(1e9) as $i (\"\"; . + \"xxxxxxxx\") | length",
      "(\"a\" * 40 + \"b\") | test(\"^(a+)+$\")",      // a regular expression that backtracks
      "reduce range(1e6) as $i (null; [.]) | length",  //
      "until(false; .)",
      "[recurse([.])]|length",
      "input_line_number?",
  };
  std::vector<ProgramId> ids;
  for (const std::string& trap : traps) ids.push_back(Add(trap));
  const ProgramId good = Add(".body | length");
  for (std::size_t i = 0; i + 1 < traps.size(); ++i) {
    const auto result = Run(Json({good, ids[i], good}, "[1,2]"));
    ASSERT_TRUE(result.ok()) << traps[i] << result.status();
    EXPECT_EQ(Text(result->outcomes[0]), "2") << traps[i];
    EXPECT_THAT(Text(result->outcomes[1]), AnyOf(StartsWith("!RAN_AWAY "), StartsWith("!FAILED "))) << traps[i];
    EXPECT_EQ(Text(result->outcomes[2]), "2") << traps[i];
    EXPECT_EQ(Text(Run(Json({good}, "[1,2,3]"))->outcomes[0]), "3") << traps[i];
  }
}

TEST_F(RunawayTest, SaysHowItRanAway) {
  const ProgramId loop = Add("last(range(1e12))");
  const ProgramId call = Add("\"x\" * 1e9 | length");
  const ProgramId crash = Add(".body | .[1e9] = 1 | length");
  const auto result = Run(Json({loop, call, crash}, "[]"));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(Text(result->outcomes[0]), "!RAN_AWAY ran too long (50 ms)");
  EXPECT_THAT(Text(result->outcomes[1]), StartsWith("!RAN_AWAY "));
  EXPECT_THAT(Text(result->outcomes[2]), HasSubstr("took all memory or crashed"));
  EXPECT_EQ(pool().statistics().ran_away, 3U);
  EXPECT_EQ(pool().statistics().restarts, 2U);
}

TEST_F(RunawayTest, StopsALoopWithoutLosingTheWorker) {
  const ProgramId loop = Add("last(range(1e12))");
  const ProgramId good = Add(".body");
  EXPECT_EQ(Text(Run(Json({good}, "1"))->outcomes[0]), "1");
  const std::vector<int> pids = pool().WorkerPids();
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(Text(Run(Json({loop}, "1"))->outcomes[0]), StartsWith("!RAN_AWAY"));
    EXPECT_EQ(Text(Run(Json({good}, "1"))->outcomes[0]), "1");
  }
  EXPECT_EQ(pool().WorkerPids(), pids);
}

TEST_F(RunawayTest, NeverFailsItsNeighbours) {
  const ProgramId good = Add(".body.n");
  const ProgramId crash = Add("if .body.n % 7 == 3 then ([] | .[1e9] = 1 | length) else .body.n end");
  std::vector<EvaluationRequest> requests;
  for (int i = 0; i < 32; ++i) requests.push_back(Json({good, crash, good}, "{\"n\":" + std::to_string(i) + "}"));
  const auto results = RunAll(std::move(requests));
  for (int i = 0; i < 32; ++i) {
    ASSERT_TRUE(results[i].ok()) << results[i].status();
    EXPECT_EQ(Text(results[i]->outcomes[0]), std::to_string(i));
    EXPECT_EQ(Text(results[i]->outcomes[2]), std::to_string(i));
    if (i % 7 == 3) {
      EXPECT_THAT(Text(results[i]->outcomes[1]), StartsWith("!RAN_AWAY")) << i;
    } else {
      EXPECT_EQ(Text(results[i]->outcomes[1]), std::to_string(i));
    }
  }
  EXPECT_EQ(pool().statistics().restarts, 5U);
}

TEST_F(RunawayTest, SurvivesAKillFromOutside) {
  const ProgramId good = Add("[range(20000)] | length");
  EXPECT_EQ(Text(Run(Json({good}, "1"))->outcomes[0]), "20000");
  int done = 0;
  for (int i = 0; i < 64; ++i) {
    boost::asio::co_spawn(loop_, pool().Evaluate(Json({good}, "1")),
                          [&](std::exception_ptr, const absl::StatusOr<EvaluationResult>& result) {
                            ASSERT_TRUE(result.ok()) << result.status();
                            EXPECT_EQ(Text(result->outcomes[0]), "20000");
                            // In the middle of the rest.
                            if (++done == 20) kill(pool().WorkerPids().at(0), SIGKILL);
                          });
  }
  RunUntil([&] { return done == 64; });
  EXPECT_EQ(done, 64);
  EXPECT_EQ(pool().statistics().restarts, 1U);
  EXPECT_EQ(pool().statistics().ran_away, 0U);
}

TEST_F(RunawayTest, BoundsTheResults) {
  options_.max_results = 100;
  options_.max_result_bytes = 5000;
  const ProgramId many = Add("range(101)");
  const ProgramId exact = Add("range(100)");
  const ProgramId large = Add("\"x\" * 6000");
  const ProgramId sum = Add("range(50) | \"x\" * 200");
  const ProgramId deep = Add("reduce range(250) as $i (1; [.])");
  const auto result = Run(Json({many, exact, large, sum, deep}, "1"));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(Text(result->outcomes[0]), "!TOO_LARGE more than 100 results");
  EXPECT_EQ(result->outcomes[1].values.size(), 100U);
  EXPECT_EQ(Text(result->outcomes[2]), "!TOO_LARGE the results are larger than 5000 bytes");
  EXPECT_EQ(Text(result->outcomes[3]), "!TOO_LARGE the results are larger than 5000 bytes");
  EXPECT_EQ(Text(result->outcomes[4]), "!TOO_LARGE the result is nested deeper than 200 levels");
}

TEST_F(RunawayTest, SaysWhenAnAnswerNeedsTooMuchMemory) {
  options_.worker_memory_bytes = 96 << 20;
  const ProgramId good = Add(".body | length");
  std::string body = "[[]";
  for (int i = 0; i < 2'000'000; ++i) body += ",[]";
  const auto result = Run(Json({good}, body + "]"));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(Text(result->outcomes[0]), StartsWith("!TOO_LARGE "));
  EXPECT_EQ(Text(Run(Json({good}, "[1]"))->outcomes[0]), "1");
}

std::string Slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST_F(RunawayTest, InheritsNothing) {
  setenv("PUCKDROP_TEST_SECRET", "hunter2", 1);
  const int leak = open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  const int high = fcntl(leak, F_DUPFD, 200);
  const ProgramId good = Add(".body");
  EXPECT_EQ(Text(Run(Json({good}, "1"))->outcomes[0]), "1");
  const std::string process = "/proc/" + std::to_string(pool().WorkerPids().at(0));
  EXPECT_EQ(Slurp(process + "/environ"), "");
  std::string open_fds;
  for (int fd = 0; fd < 256; ++fd) {
    char target[256];
    if (readlink((process + "/fd/" + std::to_string(fd)).c_str(), target, sizeof target) > 0)
      open_fds += std::to_string(fd) + " ";
  }
  EXPECT_EQ(open_fds, "0 1 2 3 ");
  const std::string limits = Slurp(process + "/limits");
  EXPECT_THAT(limits, ::testing::ContainsRegex("Max core file size +0 +0"));
  EXPECT_THAT(limits, ::testing::ContainsRegex("Max address space +536870912 +536870912"));
  EXPECT_THAT(Slurp(process + "/status"), HasSubstr("NoNewPrivs:\t1"));
  close(leak);
  close(high);
  unsetenv("PUCKDROP_TEST_SECRET");
}

}  // namespace
}  // namespace puckdrop::jq
