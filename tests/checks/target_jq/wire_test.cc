#include "checks/target/jq/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puckdrop::jq::wire {
namespace {

std::string Payload(const std::string& frame) { return frame.substr(kHeaderBytes); }

std::string EvaluateFrame() {
  Writer writer(Type::kEvaluate);
  writer.U32(1);
  Request request;
  request.id = 7;
  request.body_kind = 1;
  request.now = 1.5;
  request.context = "{}";
  request.body = "[1]";
  request.each = {"1", "2"};
  request.programs = {3, 4};
  request.skip = {1};
  AppendRequest(&writer, request);
  return std::move(writer).Finish();
}

std::string ResultsFrame() {
  Writer writer(Type::kResults);
  writer.U32(1);
  Result result;
  result.id = 7;
  result.body_problem = "no";
  AppendResultHead(&writer, result);
  writer.U32(2);
  writer.U8(0);
  writer.U32(2);
  writer.Bytes("1");
  writer.Bytes("\"x\"");
  writer.U8(1);
  writer.Bytes("why");
  return std::move(writer).Finish();
}

TEST(WireTest, ReadsBackWhatItWrote) {
  std::vector<Request> requests;
  const std::string evaluate = Payload(EvaluateFrame());
  ASSERT_TRUE(DecodeEvaluate(evaluate, &requests));
  EXPECT_EQ(requests[0].id, 7U);
  EXPECT_EQ(requests[0].now, 1.5);
  EXPECT_EQ(requests[0].body, "[1]");
  EXPECT_THAT(requests[0].each, ::testing::ElementsAre("1", "2"));
  EXPECT_THAT(requests[0].programs, ::testing::ElementsAre(3U, 4U));
  EXPECT_THAT(requests[0].skip, ::testing::ElementsAre(1U));

  std::vector<Result> results;
  const std::string frame = Payload(ResultsFrame());
  ASSERT_TRUE(DecodeResults(frame, &results));
  EXPECT_EQ(results[0].body_problem, "no");
  EXPECT_FALSE(results[0].input_error.has_value());
  EXPECT_THAT(results[0].outcomes[0].values, ::testing::ElementsAre("1", "\"x\""));
  EXPECT_EQ(results[0].outcomes[1].message, "why");

  Load load;
  load.programs.resize(2);
  load.programs[1].text = ".x";
  load.programs[1].scope = Scope::kEach;
  load.programs[1].names = {"cart"};
  Load back;
  const std::string bytes = Payload(EncodeLoad(load));
  ASSERT_TRUE(DecodeLoad(bytes, &back));
  EXPECT_EQ(back.programs[1].text, ".x");
  EXPECT_EQ(back.programs[1].scope, Scope::kEach);
  EXPECT_THAT(back.programs[1].names, ::testing::ElementsAre("cart"));
}

TEST(WireTest, RefusesEveryShortenedFrame) {
  for (const std::string& whole : {Payload(EvaluateFrame()), Payload(ResultsFrame())}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::string cut = whole.substr(0, size);
      std::vector<Request> requests;
      std::vector<Result> results;
      EXPECT_FALSE(DecodeEvaluate(cut, &requests) && whole == Payload(EvaluateFrame()));
      EXPECT_FALSE(DecodeResults(cut, &results) && whole == Payload(ResultsFrame()));
    }
  }
}

TEST(WireTest, RefusesCountsThatCannotBe) {
  Writer writer(Type::kResults);
  writer.U32(0xFFFFFFFF);
  std::vector<Result> results;
  const std::string frame = Payload(std::move(writer).Finish());
  EXPECT_FALSE(DecodeResults(frame, &results));
  EXPECT_TRUE(results.empty());

  Type type{};
  std::size_t size = 0;
  EXPECT_FALSE(PeekHeader(std::string("\xFF\xFF\xFF\xFF\x04", 5), &type, &size));
  EXPECT_FALSE(PeekHeader(std::string("\0\0\0\0\x09", 5), &type, &size));
  EXPECT_TRUE(PeekHeader("\x01", &type, &size));
  EXPECT_EQ(size, 0U);
}

}  // namespace
}  // namespace puckdrop::jq::wire
