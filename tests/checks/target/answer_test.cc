#include "checks/target/answer.h"

#include <gtest/gtest.h>

namespace puckdrop::target {
namespace {

std::shared_ptr<const Answer> Of(int status, http::Headers headers, std::string body) {
  http::HttpAnswer answer;
  answer.status = status;
  answer.headers = std::move(headers);
  answer.body = std::move(body);
  return MakeAnswer(std::move(answer), {}, "", {}, absl::FromUnixSeconds(1'780'000'000));
}

TEST(AnswerTest, ReadsProblemDetailsAsARefusal) {
  const auto answer =
      Of(402, {{"Content-Type", "application/problem+json; charset=utf-8"}, {"Content-Language", "fi"}},
         R"({"type":"https://api.test/problems/declined","title":"Declined","detail":"Try another card"})");
  EXPECT_EQ(answer->content_type, "application/problem+json");
  const auto refusal = DefaultRefusal(*answer);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason(), v1::REASON_DECLINED);
  EXPECT_EQ(refusal->text(), "Try another card");
  EXPECT_EQ(refusal->code(), "declined");
  EXPECT_EQ(refusal->language(), "fi");
}

// A text field that is no UTF-8 serialises, and is refused where it arrives.
TEST(AnswerTest, ARefusalArrivesWhateverBytesTheHeadersHold) {
  const auto answer =
      Of(404, {{"Content-Type", "text/plain;\xff"}, {"Location", "/caf\xe9"}, {"Content-Language", "\xff"}},
         "no \xe4 here");
  const auto refusal = DefaultRefusal(*answer);
  ASSERT_TRUE(refusal);
  v1::Refusal arrived;
  ASSERT_TRUE(arrived.ParseFromString(refusal->SerializeAsString()));
  EXPECT_EQ(arrived.link(), "/caf\xef\xbf\xbd");
  EXPECT_EQ(arrived.text(), "no \xef\xbf\xbd here");
}

TEST(AnswerTest, AWaitWithoutEndIsOneThatAMessageHolds) {
  const auto refusal = DefaultRefusal(*Of(429, {{"Retry-After", "99999999999999999999"}}, ""));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->retry_after().seconds(), 315'576'000'000);
  EXPECT_EQ(refusal->retry_after().nanos(), 0);
}

}  // namespace
}  // namespace puckdrop::target
