#include "checks/target/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/time/clock.h"
#include "services/runtime/event_loop.h"
#include "tests/checks/target/scripted_http_client.h"

namespace puckdrop::target {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RecorderTest : public ::testing::Test {
 protected:
  RecorderTest() {
    folder_ = ::testing::TempDir() + "/recording-" + std::to_string(::getpid());
    std::filesystem::remove_all(folder_);
  }
  ~RecorderTest() override { std::filesystem::remove_all(folder_); }
  http::HttpAnswer Get(http::HttpClient& client, const std::string& url) {
    http::HttpRequest request;
    request.url = url;
    return loop_.Spawn(client.Fetch(request)).Get();
  }
  runtime::EventLoop loop_;
  ScriptedHttpClient target_;
  http::Redactor redactor_;
  std::string folder_;
};

TEST_F(RecorderTest, AnswersAgainInTheSameOrderWithoutANetwork) {
  target_.On("GET", "/a", {Answered(200, R"({"n":1})"), Answered(409, R"({"n":2})")});
  target_.On("GET", "/b", {Answered(200, std::string("\xff\x00\x01", 3), "application/octet-stream")});
  RecordingHttpClient recording(target_);
  for (const char* url : {"http://shop.test/a", "http://shop.test/a?x=1", "http://shop.test/b"}) Get(recording, url);
  ASSERT_TRUE(recording.Save(folder_, redactor_).ok());
  auto replay = ReplayingHttpClient::Load(folder_);
  ASSERT_TRUE(replay.ok()) << replay.status();
  EXPECT_EQ(Get(**replay, "http://shop.test/a").body, R"({"n":1})");
  const http::HttpAnswer second = Get(**replay, "http://shop.test/a?x=2");
  EXPECT_EQ(second.status, 409);
  EXPECT_EQ(second.headers.Get("content-type").value_or(""), "application/json");
  EXPECT_EQ(Get(**replay, "http://shop.test/b").body, std::string("\xff\x00\x01", 3));
  EXPECT_EQ(Get(**replay, "http://shop.test/b").error, http::TransportError::kLocal);
}

TEST_F(RecorderTest, SaysWhenThePlanAsksForSomethingElse) {
  target_.On("GET", "/a", {Answered(200, "{}")});
  RecordingHttpClient recording(target_);
  Get(recording, "http://shop.test/a");
  ASSERT_TRUE(recording.Save(folder_, redactor_).ok());
  auto replay = ReplayingHttpClient::Load(folder_);
  ASSERT_TRUE(replay.ok());
  EXPECT_THAT(Get(**replay, "http://shop.test/c").message, HasSubstr("record anew"));
}

TEST_F(RecorderTest, PassesOverWhatTheMendedPlanDoesNotAskAnyMore) {
  target_.On("GET", "/order", {Answered(200, R"({"n":1})"), Answered(200, R"({"n":2})")});
  target_.On("GET", "/charges", {Answered(200, R"({"n":3})")});
  RecordingHttpClient recording(target_);
  for (const char* url : {"http://shop.test/order", "http://shop.test/order", "http://shop.test/charges"}) {
    Get(recording, url);
  }
  ASSERT_TRUE(recording.Save(folder_, redactor_).ok());
  auto replay = ReplayingHttpClient::Load(folder_);
  ASSERT_TRUE(replay.ok());
  EXPECT_EQ(Get(**replay, "http://shop.test/order").body, R"({"n":1})");
  EXPECT_EQ(Get(**replay, "http://shop.test/charges").body, R"({"n":3})");
  EXPECT_THAT(Get(**replay, "http://shop.test/order").message, HasSubstr("after exchange 3 of 3"));
}

TEST_F(RecorderTest, ASecretInAPathAndInACookieIsNotKeptAndFitsAnyOther) {
  redactor_.AddSecret("planted-secret-1");
  http::HttpAnswer with_cookie = Answered(200, "{}");
  with_cookie.headers.Set("Set-Cookie", "sid=planted-cookie; Path=/; HttpOnly");
  target_.On("GET", "/a/*", {with_cookie});
  RecordingHttpClient recording(target_);
  Get(recording, "http://shop.test/a/planted-secret-1/b");
  ASSERT_TRUE(recording.Save(folder_, redactor_).ok());
  std::stringstream text;
  text << std::ifstream(folder_ + "/001.json").rdbuf();
  EXPECT_THAT(text.str(), Not(HasSubstr("planted")));
  EXPECT_EQ(std::filesystem::status(folder_ + "/001.json").permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(std::filesystem::status(folder_).permissions(), std::filesystem::perms::owner_all);
  auto replay = ReplayingHttpClient::Load(folder_);
  ASSERT_TRUE(replay.ok());
  http::HttpRequest request;
  request.url = "http://shop.test/a/%3Credacted%3E/b";
  request.cookies = std::make_shared<http::CookieJar>();
  EXPECT_EQ(loop_.Spawn((*replay)->Fetch(request)).Get().status, 200);
  EXPECT_THAT(request.cookies->CookieHeader("http://shop.test/", absl::Now()), HasSubstr("sid="));
  EXPECT_EQ(Get(**replay, "http://shop.test/a//b").error, http::TransportError::kLocal);
}

TEST_F(RecorderTest, WritesNoSecretAndRefusesWhatIsNoRecording) {
  EXPECT_EQ(ReplayingHttpClient::Load(folder_).status().code(), absl::StatusCode::kNotFound);
  redactor_.AddSecret("planted-secret-1");
  target_.On("GET", "/a", {Answered(200, R"({"x":"planted-secret-1"})")});
  RecordingHttpClient recording(target_);
  Get(recording, "http://shop.test/a?token=planted-secret-1");
  ASSERT_TRUE(recording.Save(folder_, redactor_).ok());
  std::stringstream text;
  text << std::ifstream(folder_ + "/001.json").rdbuf();
  EXPECT_THAT(text.str(), Not(HasSubstr("planted-secret-1")));
  EXPECT_THAT(text.str(), HasSubstr("<redacted>"));
  std::ofstream(folder_ + "/001.json") << "{";
  EXPECT_EQ(ReplayingHttpClient::Load(folder_).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace puckdrop::target
