#include "checks/target/http/exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <nlohmann/json.hpp>

namespace puckdrop::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ExchangeTest : public ::testing::Test {
 protected:
  ExchangeTest() {
    redactor_.AddSecret("office-s3cret", "office");
    redactor_.AddSecret("4242424242424242");
    request_.method = "POST";
    request_.url = "http://127.0.0.1:8080/v1/pay?key=abc&page=1";
    request_.headers = {{"Authorization", "Bearer office-s3cret"},
                        {"Content-Type", "application/json"},
                        {"X-Other", "private"},
                        {"User-Agent", "it's me"}};
    request_.body = R"({"card":"4242424242424242","note":"it's"})";
    answer_.status = 200;
    answer_.version = HttpVersion::k1_1;
    answer_.started = absl::FromUnixMillis(1'780'000'000'123);
    answer_.headers = {{"Content-Type", "application/json"}, {"Set-Cookie", "sid=topsecret"}};
    answer_.body = R"({"id":"o1","token":"zzz"})";
    answer_.remote_address = "127.0.0.1:8080";
    answer_.phases = {.resolve = absl::Milliseconds(1),
                      .connect = absl::Milliseconds(2),
                      .tls = absl::Milliseconds(3),
                      .first_byte = absl::Milliseconds(4),
                      .transfer = absl::Milliseconds(5),
                      .total = absl::Milliseconds(15)};
  }
  Redactor redactor_;
  HttpRequest request_;
  HttpAnswer answer_;
};

TEST_F(ExchangeTest, HoldsNoSecret) {
  Exchange exchange = RecordExchange(request_, answer_, redactor_);
  std::string har = HarJson({exchange});
  for (const char* secret : {"office-s3cret", "4242424242424242", "private", "topsecret", "zzz", "key=abc"}) {
    EXPECT_THAT(har, Not(HasSubstr(secret)));
    EXPECT_THAT(exchange.curl, Not(HasSubstr(secret)));
  }
}

TEST_F(ExchangeTest, IsHar12) {
  Exchange exchange = RecordExchange(request_, answer_, redactor_);
  exchange.note = "plan.yaml:12:3";
  auto har = nlohmann::json::parse(HarJson({exchange, exchange}));
  EXPECT_EQ(har["log"]["version"], "1.2");
  ASSERT_EQ(har["log"]["entries"].size(), 2u);
  auto entry = nlohmann::json::parse(HarEntryJson(exchange));
  EXPECT_EQ(entry["startedDateTime"], "2026-05-28T20:26:40.123Z");
  EXPECT_EQ(entry["time"], 15);
  EXPECT_EQ(entry["request"]["method"], "POST");
  EXPECT_EQ(entry["request"]["url"], "http://127.0.0.1:8080/v1/pay?key=<redacted>&page=1");
  EXPECT_EQ(entry["request"]["queryString"][1]["value"], "1");
  EXPECT_EQ(entry["request"]["postData"]["text"], R"({"card":"<redacted>","note":"it's"})");
  EXPECT_EQ(entry["response"]["status"], 200);
  EXPECT_EQ(entry["response"]["content"]["mimeType"], "application/json");
  EXPECT_EQ(entry["timings"]["dns"], 1);
  EXPECT_EQ(entry["timings"]["connect"], 5);
  EXPECT_EQ(entry["timings"]["ssl"], 3);
  EXPECT_EQ(entry["timings"]["wait"], 4);
  EXPECT_EQ(entry["timings"]["receive"], 5);
  EXPECT_EQ(entry["serverIPAddress"], "127.0.0.1");
  EXPECT_EQ(entry["comment"], "plan.yaml:12:3");
}

TEST_F(ExchangeTest, AnErrorIsRecordedInWords) {
  answer_ = HttpAnswer();
  answer_.error = TransportError::kReset;
  answer_.message = "ended with office-s3cret";
  auto entry = nlohmann::json::parse(HarEntryJson(RecordExchange(request_, answer_, redactor_)));
  EXPECT_EQ(entry["response"]["status"], 0);
  EXPECT_EQ(entry["response"]["_error"], "RESET: ended with <redacted>");
}

TEST_F(ExchangeTest, BodiesThatAreNoTextOrNoUtf8DoNoHarm) {
  answer_.headers = {{"Content-Type", "video/mp2t"}};
  answer_.body = "G@\x00\x10 binary";
  EXPECT_EQ(RecordExchange(request_, answer_, redactor_).response_body, "");
  answer_.headers = {{"Content-Type", "text/html; charset=iso-8859-1"}};
  answer_.body = "p\xe4iv\xe4";
  EXPECT_THAT(HarEntryJson(RecordExchange(request_, answer_, redactor_)), HasSubstr("p\xEF\xBF\xBDiv"));
}

std::string Shell(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  std::string out;
  char bytes[4096];
  while (size_t got = fread(bytes, 1, sizeof bytes, pipe)) out.append(bytes, got);
  pclose(pipe);
  return out;
}

TEST_F(ExchangeTest, TheCurlCommandSurvivesAShell) {
  std::string command = CurlCommand(request_, redactor_);
  EXPECT_THAT(command, HasSubstr("\"$OFFICE\""));
  // A function in place of curl shows the arguments that the shell makes of it.
  std::string shown =
      Shell("curl() { for a in \"$@\"; do printf '[%s]' \"$a\"; done; }; OFFICE=set-by-hand; " + command);
  EXPECT_EQ(shown,
            "[-i][http://127.0.0.1:8080/v1/pay?key=<redacted>&page=1]"
            "[-H][Authorization: Bearer set-by-hand][-H][Content-Type: application/json][-H][X-Other: <redacted>]"
            "[-H][User-Agent: it's me][--data-raw][{\"card\":\"<redacted>\",\"note\":\"it's\"}]");
  request_.method = "DELETE";
  request_.body.clear();
  request_.headers = {{"Accept", "$(touch /tmp/x) `id` \\"}};
  EXPECT_EQ(
      Shell("curl() { printf '[%s]' \"$@\"; }; " + CurlCommand(request_, redactor_)),
      "[-i][-X][DELETE][http://127.0.0.1:8080/v1/pay?key=<redacted>&page=1][-H][Accept: $(touch /tmp/x) `id` \\]");
}

}  // namespace
}  // namespace puckdrop::http
