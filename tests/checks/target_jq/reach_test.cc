#include "checks/target/jq/reach.h"

#include <gmock/gmock.h>

#include "checks/target/jq/scan.h"
#include "tests/checks/target_jq/pool_fixture.h"

namespace puckdrop::jq {
namespace {

// "body.id status", sorted as found; "*" for everything.
std::string ReachText(const std::string& text, Scope scope = Scope::kContext) {
  Program program;
  program.text = text;
  program.scope = scope;
  const Reach reach = ScanProgram(program).reach;
  if (reach.everything) return "*";
  std::string out;
  for (const auto& path : reach.paths) {
    if (!out.empty()) out += ' ';
    for (std::size_t i = 0; i < path.size(); ++i) out += (i > 0 ? "." : "") + path[i];
  }
  return out;
}

TEST(ReachTest, FollowsMembers) {
  EXPECT_EQ(ReachText(".body.id"), "body.id");
  EXPECT_EQ(ReachText(".body.order.lines[0].sku"), "body.order.lines");
  EXPECT_EQ(ReachText(".body.id?.x"), "body.id");
  EXPECT_EQ(ReachText(".status == 201 and .body.state != \"x\""), "status body.state");
  EXPECT_EQ(ReachText(".body.total | money(.status)"), "body.total");
  EXPECT_EQ(ReachText("{a: .body.a, b: (.body.b | f), status, \"c\": .body.c | f, d: .url}"),
            "body.a body.b status body.c url");
  EXPECT_EQ(ReachText("select(.body.error?) | { reason: ({ x: \"DECLINED\" }[.body.error.code] // \"OTHER\"), code: "
                      ".body.error.code }"),
            "body.error body.error.code body.error.code");
  EXPECT_EQ(ReachText("if .body.a | not then .body.b else .body.c end"), "body.a body.b body.c");
  EXPECT_EQ(ReachText("\"x\\(.body.a | f)y\\(.url)\""), "body.a url");
  EXPECT_EQ(ReachText("[.body.a[] | select(.b == $status)] | length"), "body.a status");
  EXPECT_EQ(ReachText("(.body.a | f), .url"), "body.a url");
  EXPECT_EQ(ReachText(".id + $body.fee", Scope::kEach), "body.fee");
  EXPECT_EQ(ReachText("(.body.a | {if: 1}), .url"), "body.a url");
}

TEST(ReachTest, GivesUpWhereTheInputGoesOn) {
  for (const char* text : {".",
                           "..",
                           ". | .body.id",
                           "keys",
                           "length",
                           "select(.status == 200)",
                           "to_entries",
                           ". as $x | .body.id",
                           ".[\"body\"]",
                           ".\"body\"",
                           "map(.x)",
                           "(.) | .body",
                           "if . then 1 else 2 end",
                           ".body.a = 1",
                           ".body.a |= f",
                           "del(.body)",
                           "[.]",
                           "{a: .}",
                           "(select(.status)) | .body",
                           "select(.status), .body | .x",
                           "try .body.x catch .",
                           "def f: .; f",
                           "first(.body.x)",
                           "@json",
                           "\"\\(.)\"",
                           ".body.a // .",
                           "reduce .body[] as $x (.; .)",
                           "not",
                           ".body as $b | .status"}) {
    EXPECT_EQ(ReachText(text), "*") << text;
  }
}

class ReachPoolTest : public PoolTest {};

TEST_F(ReachPoolTest, ChangesNoAnswer) {
  const std::vector<std::string> programs = {".body.id",
                                             ".body",
                                             ".body.lines",
                                             ".body.lines[1].sku",
                                             ".body.lines[] | .sku",
                                             ".body.nested.a.b",
                                             ".body.nested.a",
                                             ".body.nested.a.b.c?",
                                             ".body.lines.sku?",
                                             ".body.missing.x",
                                             "[.body.id, .status]",
                                             "{id: .body.id, status}",
                                             ".body | keys",
                                             ". | keys",
                                             "keys",
                                             "$body.id",
                                             "$body | length",
                                             ".body.nested | .a",
                                             "(.body.nested | .a), .status",
                                             "(.body.nested.a | {if: 1}), (.body.id, .status)",
                                             "if .status == 200 | not then .body.id else .body.nested end",
                                             "select(.body.id) | .body.nested",
                                             "select(.status == 200) | select(.body) | .url",
                                             "{a: .body.nested | .a, b: .body.id}",
                                             "\"\\(.body.nested.a | tojson) \\(.body.id)\"",
                                             ".body.\"id\"",
                                             ".body[\"nested\"].a",
                                             ".headers[\"x-y\"]",
                                             ".body.lines | map(.sku) | join(\",\")",
                                             ".body.id as $i | .body.nested.a | [$i, .]",
                                             ".. | .b? // empty",
                                             "[paths] | length",
                                             "tojson | length",
                                             ".body.lines[0] * 2",
                                             ".body.id + .body.nested",
                                             ".body.escaped",
                                             ".body.twice",
                                             "[.body.lines[] | {sku, q: .quantity}]",
                                             ".body | .id, .twice",
                                             "[.body.lines[] | select(.sku == $body.id)] | length",
                                             ".journey.order",
                                             ".body.nested.a.b == .status",
                                             ".body.id?.x?"};
  const std::string body =
      R"({"id":"b","lines":[{"sku":"a","quantity":1},{"sku":"b"}],"nested":{"a":{"b":200}},"esc\u0061ped":5,"twice":1,"twice":{"x":2},"other":[{},{"a":[null]}]})";
  const std::string context = R"({"status":200,"url":"u","headers":{"x-y":"z"},"journey":{"order":"o","more":1}})";
  const ProgramId all = Add(".");
  std::vector<ProgramId> ids;
  for (const std::string& text : programs) ids.push_back(Add(text));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto alone = Run(Json({ids[i]}, body, context));
    const auto with_all = Run(Json({ids[i], all}, body, context));
    ASSERT_TRUE(alone.ok() && with_all.ok());
    EXPECT_EQ(Text(alone->outcomes[0]), Text(with_all->outcomes[0])) << programs[i];
  }
}

TEST_F(ReachPoolTest, ChecksWhatItDoesNotBuild) {
  const ProgramId id = Add(".body.id");
  for (const char* rest :
       {"[1,]", "tru", "\"\\x\"", "01", "{\"a\" 1}", "\"a\nb\"", "{a: 1}", "[1 2]", "-", "\"\\u12g4\"", "[", "\"x"}) {
    const auto result = Run(Json({id}, std::string("{\"id\":1,\"rest\":") + rest + "}"));
    ASSERT_TRUE(result.ok());
    EXPECT_THAT(Text(result->outcomes[0]), ::testing::StartsWith("!BODY_NOT_JSON")) << rest;
  }
  for (const char* rest :
       {"[1,-2.5e+7,{\"a\":[]},{}]", "true", "\"\\u00e4\\ud800\\\"\"", "null", "12345678901234567890"}) {
    EXPECT_EQ(Text(Run(Json({id}, std::string("{\"rest\":") + rest + ",\"id\":1}"))->outcomes[0]), "1") << rest;
  }
  const auto deep = Run(Json({id}, "{\"rest\":" + std::string(300, '[') + std::string(300, ']') + "}"));
  EXPECT_THAT(Text(deep->outcomes[0]), ::testing::HasSubstr("nested deeper than 200"));
}

}  // namespace
}  // namespace puckdrop::jq
