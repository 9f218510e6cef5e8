#include "tests/checks/target/scripted_http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/runtime/event_loop.h"

namespace puckdrop::target {
namespace {

http::HttpAnswer Get(runtime::EventLoop& loop, ScriptedHttpClient& client, const std::string& url,
                     std::shared_ptr<http::CookieJar> jar = nullptr) {
  http::HttpRequest request;
  request.url = url;
  request.cookies = std::move(jar);
  return loop.Spawn(client.Fetch(request)).Get();
}

TEST(ScriptedHttpClientTest, GivesAnswersInTurnAndTheLastForEver) {
  runtime::EventLoop loop;
  ScriptedHttpClient client;
  client.On("GET", "/a", {Answered(200, "1"), Answered(500, "2")});
  EXPECT_EQ(Get(loop, client, "http://shop.test/a?x=1").status, 200);
  EXPECT_EQ(Get(loop, client, "http://shop.test/a").status, 500);
  EXPECT_EQ(Get(loop, client, "http://shop.test/a").status, 500);
  EXPECT_EQ(Get(loop, client, "http://shop.test/b").status, 404);
  EXPECT_EQ(client.CountOf("GET", "/a"), 3);
}

TEST(ScriptedHttpClientTest, KeepsAndSendsCookies) {
  runtime::EventLoop loop;
  ScriptedHttpClient client;
  http::HttpAnswer answer = Answered(200, "");
  answer.headers.Add("Set-Cookie", "sid=abc; Path=/");
  client.On("GET", "/*", {answer});
  auto jar = std::make_shared<http::CookieJar>();
  Get(loop, client, "http://shop.test/a", jar);
  Get(loop, client, "http://shop.test/b", jar);
  EXPECT_FALSE(client.requests()[0].headers.Has("Cookie"));
  EXPECT_EQ(client.requests()[1].headers.Get("Cookie").value_or(""), "sid=abc");
}

}  // namespace
}  // namespace puckdrop::target
