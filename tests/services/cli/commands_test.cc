// Whole commands, in this process, against a target that says exactly what it is told to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "services/cli/command_line.h"
#include "services/cli/exit_codes.h"
#include "services/cli/try_recording.h"
#include "services/runtime/event_loop.h"
#include "tests/checks/target_http/raw_server.h"

namespace puckdrop::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CommandsTest : public ::testing::Test {
 protected:
  CommandsTest() {
    folder_ = ::testing::TempDir() + "/commands-" + std::to_string(::getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    setenv("PILOT_KEY", "pilot-key-of-the-test", 1);
    unsetenv("GITHUB_ACTIONS");
    unsetenv("CI");
  }
  ~CommandsTest() override { std::filesystem::remove_all(folder_); }

  int Run(std::vector<std::string> words) {
    std::vector<const char*> argv = {"puckdrop"};
    for (const std::string& word : words) argv.push_back(word.c_str());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = RunCommandLine(static_cast<int>(argv.size()), argv.data());
    out_ = ::testing::internal::GetCapturedStdout();
    err_ = ::testing::internal::GetCapturedStderr();
    return code;
  }

  int Try(std::vector<std::string> more) {
    std::vector<std::string> words = {"try", "ordering.place_order", "--plan", plan(), "--state", folder_ + "/state"};
    words.insert(words.end(), more.begin(), more.end());
    return Run(std::move(words));
  }

  // A shop whose order is busy twice; `state` maps the order's state.
  void WritePlan(const std::string& url, const std::string& state, const std::string& path = "/orders") {
    std::ofstream(plan())
        << R"(launch: { id: test, title: Test, puck_drop: 2026-12-04T18:30:00+02:00, time_zone: Europe/Helsinki }
customers:
  - { id: fan, audience_share: 1, market: FI, payment: card, device: chrome_desktop }
payments:
  card:
    accepted: { number: "4242424242424242" }
target:
  pilot_key: { env: PILOT_KEY }
  hosts:
    shop: { url: ")"
        << url << R"(" }
operations:
  ordering.place_order:
    steps:
      - http: { host: shop, post: )"
        << path << R"(, json: { sku: "{{ .request.offer_id }}", card: "{{ .payment.number }}" } }
        save: { order: .body.id }
        hide: { token: .body.token }
      - http: { host: shop, get: "/orders/{{ .order }}", headers: { authorization: "{{ .token }}" } }
        until: { is: .body.state != "busy", every: 10s, for: 60s }
    returns:
      order_id: .order
      state: ')"
        << state << R"('
    undo: { nothing: a test }
)";
  }
  std::string plan() const { return folder_ + "/plan.yaml"; }

  std::string folder_, out_, err_;
};

http::RawServer::Handler Shop(std::atomic<int>* requests) {
  return [requests](http::RawConnection& connection) {
    for (std::string request = connection.ReadRequest(); !request.empty(); request = connection.ReadRequest()) {
      ++*requests;
      const bool order = request.rfind("POST", 0) == 0;
      connection.Write(http::Ok(order ? R"({"id":"o-1","token":"token-of-the-order"})" : R"({"state":"live"})",
                                "Content-Type: application/json\r\nSet-Cookie: sid=cookie-of-the-visitor; Path=/\r\n"));
    }
  };
}

TEST_F(CommandsTest, AgainMapsTheLastAnswersByTheMendedPlanWithoutTheTarget) {
  std::atomic<int> requests = 0;
  {
    http::RawServer shop(Shop(&requests));
    WritePlan(shop.url(""), R"({ on: "ACTIVE" }[.body.state])");
    EXPECT_EQ(Try({"--arg", "offer_id=season", "--case", "accepted"}), kExitNoGo) << out_ << err_;
    EXPECT_THAT(out_, HasSubstr("UNREADABLE"));
    WritePlan(shop.url(""), R"({ live: "ACTIVE" }[.body.state])");
  }
  const int before = requests;
  EXPECT_EQ(before, 2);
  EXPECT_EQ(Try({"--again"}), kExitGo) << out_ << err_;
  EXPECT_THAT(out_, HasSubstr("ACTIVE"));
  EXPECT_THAT(out_, HasSubstr("nothing was asked of the target"));
  EXPECT_EQ(requests, before);
  // The same words as the first time, with --again behind them.
  EXPECT_EQ(Try({"--arg", "offer_id=season", "--case", "accepted", "--again"}), kExitGo) << out_ << err_;
  EXPECT_EQ(Try({"--case", "declined_card", "--again"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("made with --case accepted"));
}

TEST_F(CommandsTest, AgainSaysWhatWasNotRecorded) {
  EXPECT_EQ((WritePlan("http://127.0.0.1:9", ".body.state"), Try({"--again"})), kExitNothingToJudge);
  EXPECT_THAT(err_, HasSubstr("there is no recording of ordering.place_order: run it once without --again"));
  std::atomic<int> requests = 0;
  http::RawServer shop(Shop(&requests));
  WritePlan(shop.url(""), R"({ live: "ACTIVE" }[.body.state])");
  EXPECT_EQ(Try({"--arg", "offer_id=season"}), kExitGo) << out_ << err_;
  WritePlan(shop.url(""), R"({ live: "ACTIVE" }[.body.state])", "/carts");
  EXPECT_EQ(Try({"--again"}), kExitNoGo);
  EXPECT_THAT(out_, HasSubstr("the plan asks POST /carts, which the recording does not have"));
  EXPECT_EQ(requests, 2);
}

TEST_F(CommandsTest, WhatIsKeptForAgainHoldsNoSecretAndIsTheOwners) {
  std::atomic<int> requests = 0;
  http::RawServer shop(Shop(&requests));
  WritePlan(shop.url(""), R"({ live: "ACTIVE" }[.body.state])");
  EXPECT_EQ(Try({"--arg", "offer_id=season"}), kExitGo) << out_ << err_;
  int files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(RecordingFolder(folder_ + "/state", "ordering.place_order"))) {
    ++files;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    for (const char* secret :
         {"4242424242424242", "token-of-the-order", "cookie-of-the-visitor", "pilot-key-of-the-test", "Pd1-"}) {
      EXPECT_THAT(text.str(), Not(HasSubstr(secret))) << entry.path();
    }
    EXPECT_EQ(entry.status().permissions(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  EXPECT_EQ(files, 3);
}

TEST_F(CommandsTest, WaitingTakesNoTimeWhenItIsReplayed) {
  runtime::EventLoop loop;
  HurryingClock clock(loop);
  const absl::Time start = clock.Now(), real = absl::Now();
  EXPECT_TRUE(loop.Spawn(loop.SleepFor(clock, absl::Hours(2))).Get().ok());
  EXPECT_GE(clock.Now() - start, absl::Hours(2));
  EXPECT_LT(absl::Now() - real, absl::Minutes(1));
  loop.Stop();
}

TEST_F(CommandsTest, TheReportsSchemaIsPrintedWithoutAPlan) {
  EXPECT_EQ(Run({"gate", "--report-schema"}), kExitGo) << err_;
  const nlohmann::json schema = nlohmann::json::parse(out_, nullptr, false);
  ASSERT_TRUE(schema.is_object()) << out_;
  EXPECT_TRUE(schema.contains("$schema"));
}

TEST_F(CommandsTest, AnnotationsGoWhereTheyAreAskedForAndByThemselvesInAGithubAction) {
  std::ofstream(plan()) << "launch: {}\n";
  EXPECT_EQ(Run({"gate", "--plan", plan(), "--report", "annotations=-"}), kExitNothingToJudge);
  EXPECT_THAT(out_, HasSubstr("::error title=The verdict is not known::"));
  EXPECT_EQ(Run({"gate", "--plan", plan()}), kExitNothingToJudge);
  EXPECT_THAT(out_ + err_, Not(HasSubstr("::error")));
  setenv("GITHUB_ACTIONS", "true", 1);
  EXPECT_EQ(Run({"gate", "--plan", plan(), "--output", "json"}), kExitNothingToJudge);
  EXPECT_THAT(out_, Not(HasSubstr("::error title")));
  EXPECT_THAT(err_, HasSubstr("::error title=The verdict is not known::"));
  EXPECT_EQ(Run({"gate", "--plan", plan(), "--report", "annotations=" + folder_ + "/a.txt"}), kExitNothingToJudge);
  EXPECT_THAT(err_, Not(HasSubstr("::error title")));
  unsetenv("GITHUB_ACTIONS");
}

}  // namespace
}  // namespace puckdrop::cli
