#include "checks/plan/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "checks/plan/init.h"
#include "checks/plan/settings.h"
#include "checks/plan/template.h"
#include "tests/checks/plan/support.h"

namespace puckdrop::plan {
namespace {

using testing::BasePlan;
using testing::LoadTexts;
using testing::TestOptions;

LoadResult LoadBaseAnd(const std::string& overlay, std::map<std::string, std::string> environment = {}) {
  return LoadTexts({{"base.yaml", BasePlan()}, {"over.yaml", overlay}}, {"base.yaml"}, {"over.yaml"},
                   TestOptions(std::move(environment)));
}

const v1::Plan::Step& OfferStep(const LoadResult& result) {
  return FindOperation(result.plan, "ordering.list_offers")->steps(0);
}

TEST(LoadTest, ReadsTheWholeLanguage) {
  std::ifstream in(testing::GoldenFolder() + "/language.yaml");
  std::ostringstream text;
  text << in.rdbuf();
  LoadOptions options = TestOptions({{"PILOT_KEY", "k"}});
  const LoadResult result = LoadTexts({{"plan.yaml", text.str()}}, {"plan.yaml"}, {}, options);
  ASSERT_TRUE(result.ok()) << ToText(result.mistakes);
  const v1::Plan& plan = result.plan;
  EXPECT_EQ(plan.launch().puck_drop().seconds(), 1796401800);
  EXPECT_EQ(plan.claims().offers(0).price().minor_units(), 1490);
  EXPECT_EQ(plan.claims().offers(0).vat(), 2550);
  EXPECT_EQ(plan.claims().streams().best().frame_rate(), 50);
  EXPECT_EQ(plan.claims().concurrent_streams(), 2);
  EXPECT_EQ(plan.claims().minimum_app_version(0).value(), "3.2.0");
  EXPECT_EQ(plan.target().clock(), v1::CLOCK_CONTROL_CUSTOMER);
  EXPECT_EQ(plan.target().hosts(1).by(), v1::ACTOR_OPERATOR);
  EXPECT_EQ(plan.target().hosts(1).tls().key().file(), "/run/secrets/key");
  EXPECT_EQ(plan.sessions(0).open(0).use().parts(0).literal(), "web_login");
  EXPECT_EQ(plan.customers(0).accounts_size(), 0);
  EXPECT_EQ(plan.customers(1).accounts(0).password().file(), "pw.txt");
  EXPECT_DOUBLE_EQ(plan.others_audience_share(), 0.3);
  EXPECT_EQ(plan.payments(0).cases(1).payment_case(), "declined_card");
  const v1::Plan::Operation& order = *FindOperation(plan, "ordering.place_order");
  ASSERT_EQ(order.steps_size(), 4);
  EXPECT_EQ(order.steps(0).http().method(), "POST");
  EXPECT_EQ(order.steps(0).save(0).name(), "cart");
  EXPECT_EQ(order.steps(0).keep(0).name(), "order");
  EXPECT_EQ(order.steps(0).hide(0).name(), "nonce");
  EXPECT_EQ(order.steps(0).timeout().seconds(), 10);
  EXPECT_EQ(order.steps(1).use().parts(0).literal(), "three_d_secure");
  EXPECT_TRUE(order.steps(2).commit());
  EXPECT_EQ(order.steps(2).customer_does(), "pays");
  EXPECT_EQ(order.steps(3).until().for_().seconds(), 30);
  EXPECT_EQ(order.returns().fields(2).message().fields(0).message().fields(0).field(), "gross");
  EXPECT_EQ(order.undo().by_steps().steps_size(), 2);
  EXPECT_EQ(order.undo().by_steps().steps(1).each().program(), ".body.orders[]");
  const v1::Plan::Operation& charges = *FindOperation(plan, "billing.list_charges");
  EXPECT_EQ(charges.by(), v1::ACTOR_OPERATOR);
  EXPECT_EQ(charges.pages().next().program(), ".body.next");
  EXPECT_EQ(FindOperation(plan, "billing.preview_invoice")->not_offered(), "the shop has no dry run");
  EXPECT_EQ(plan.schedule(2).until().seconds(), 4 * 3600);
  EXPECT_EQ(plan.schedule(2).from().seconds(), -900);
  EXPECT_EQ(plan.waivers(0).expires(), "2026-12-20");
}

TEST(LoadTest, UnquotedScalarsOfABodyFollowJson) {
  const LoadResult result = LoadBaseAnd(R"(operations:
  ordering.list_offers:
    http:
      json:
        post_code: 00100
        country: NO
        count: 3
        ratio: -1.50
        yes: true
        nothing: null
        text: "3"
        list: [1, a, "{{ .request.market }}"]
        mixed: a {{ .request.market }}
)");
  ASSERT_TRUE(result.ok()) << ToText(result.mistakes);
  const v1::ValueMap& json = OfferStep(result).http().json().map();
  EXPECT_EQ(json.members(0).value().text().parts(0).literal(), "00100");
  EXPECT_EQ(json.members(1).value().text().parts(0).literal(), "NO");
  EXPECT_EQ(json.members(2).value().number(), "3");
  EXPECT_EQ(json.members(3).value().number(), "-1.50");
  EXPECT_TRUE(json.members(4).value().boolean());
  EXPECT_TRUE(json.members(5).value().null());
  EXPECT_EQ(json.members(6).value().text().parts(0).literal(), "3");
  EXPECT_TRUE(IsOneHole(json.members(7).value().list().values(2).text()));
  EXPECT_EQ(json.members(8).value().text().parts_size(), 2);
}

TEST(LoadTest, TheEnvironmentIsReplacedInValuesOnceAndNeverInExpressions) {
  const LoadResult result = LoadBaseAnd(R"(launch:
  title: "${NAME} for $$5 ${UNSET:-or so} ${EMPTY:-x}"
operations:
  ordering.list_offers:
    http: { get: "/${NAME}/{{ \"${NAME}\" }}" }
    expect: .status == 200 and "${NAME}" != "$$"
)",
                                        {{"NAME", "{{ .secrets.a }} ${NAME}"}, {"EMPTY", ""}});
  ASSERT_TRUE(result.ok()) << ToText(result.mistakes);
  EXPECT_EQ(result.plan.launch().title(), "{{ .secrets.a }} ${NAME} for $5 or so x");
  const v1::Template& path = OfferStep(result).http().path();
  ASSERT_EQ(path.parts_size(), 2);
  // What the environment says is never a hole.
  EXPECT_EQ(path.parts(0).literal(), "/{{ .secrets.a }} ${NAME}/");
  EXPECT_EQ(path.parts(1).hole().program(), "\"${NAME}\"");
  EXPECT_EQ(OfferStep(result).expect().program(), ".status == 200 and \"${NAME}\" != \"$$\"");
}

TEST(LoadTest, ExpressionsKnowTheirPlace) {
  const LoadResult result = LoadTexts({{"base.yaml", BasePlan()}}, {"base.yaml"});
  const v1::Expression& refused = result.plan.target().hosts(0).refused();
  EXPECT_EQ(ToText(result.plan, refused.position()), "base.yaml:22:9");
  EXPECT_EQ(ToText(result.plan, PositionAt(refused.position(), refused.program(), refused.program().find("reason"))),
            "base.yaml:23:13");
  const v1::Template& send = result.plan.sessions(0).send(0).value();
  EXPECT_EQ(ToText(result.plan, send.parts(1).hole().position()), "base.yaml:30:39");
  EXPECT_EQ(result.positions.at("target.hosts.shop.url").line, 18u);
  EXPECT_EQ(result.positions.at("operations.ordering.place_order.steps[1].http.host").line, 61u);
}

TEST(LoadTest, AnOverlayReplacesJoinsAndRemoves) {
  const LoadResult result = LoadBaseAnd(R"(target:
  read_only: true
  limits: { requests_per_second: 2, in_flight: 1 }
claims:
  languages: [en]
  streams: null
)");
  ASSERT_TRUE(result.ok()) << ToText(result.mistakes);
  EXPECT_EQ(result.plan.target().limits().requests_per_second(), 2);
  EXPECT_EQ(result.plan.target().hosts_size(), 1);
  EXPECT_THAT(result.plan.claims().languages(), ::testing::ElementsAre("en"));
  EXPECT_FALSE(result.plan.claims().has_streams());
  EXPECT_THAT(result.forbidden_operations, ::testing::ElementsAre("ordering.place_order"));
}

TEST(LoadTest, IncludesJoinRelativeToTheirFile) {
  const std::string base = BasePlan();
  const std::size_t cut = base.find("checks:");
  const LoadResult result =
      LoadTexts({{"a/plan.yaml", "include: [parts/rest.yaml, parts/checks.yaml]\n" + base.substr(0, cut)},
                 {"a/parts/rest.yaml", "include: [checks.yaml]\nclaims: { withdrawal_days: 20 }\n"},
                 {"a/parts/checks.yaml", base.substr(cut)}},
                {"a/plan.yaml"});
  ASSERT_TRUE(result.ok()) << ToText(result.mistakes);
  EXPECT_EQ(result.plan.claims().withdrawal_days(), 20);
  EXPECT_EQ(result.plan.checks_size(), 1);
  EXPECT_THAT(result.files, ::testing::ElementsAre("a/plan.yaml", "a/parts/rest.yaml", "a/parts/checks.yaml"));
}

TEST(LoadTest, FilesOfAPlanLieBesideIt) {
  const LoadResult result = LoadTexts(
      {{"a/b/plan.yaml", BasePlan()},
       {"a/c/over.yaml",
        "target: { pilot_key: { file: key.txt, env: null }, hosts: { shop: { tls: { ca: ../ca.pem } } } }\n"}},
      {"a/b/plan.yaml"}, {"a/c/over.yaml"});
  // `env: null` removes the base's, for a secret has one source.
  ASSERT_TRUE(result.ok()) << ToText(result.mistakes);
  EXPECT_EQ(result.plan.target().pilot_key().file(), "a/b/key.txt");
  EXPECT_EQ(result.plan.target().hosts(0).tls().ca(), "a/ca.pem");
}

TEST(LoadTest, TheDigestTellsWhatAPlanSaysAndNothingElse) {
  const std::string base = BasePlan();
  const auto digest = [](const std::string& name, const std::string& text) {
    return LoadTexts({{name, text}}, {name}).digest;
  };
  const std::string same = digest("base.yaml", base);
  EXPECT_EQ(same.size(), 64u);
  EXPECT_EQ(digest("/elsewhere/plan.yaml", "# a comment\n\n" + base), same);
  EXPECT_EQ(digest("base.yaml", absl::StrReplaceAll(base, {{"4242424242424242", "4000056655665556"}})), same);
  EXPECT_NE(digest("base.yaml", absl::StrReplaceAll(base, {{"14.90", "14.91"}})), same);
  EXPECT_NE(digest("base.yaml", absl::StrReplaceAll(base, {{".status == 401", ".status == 403"}})), same);
}

TEST(LoadTest, BoundsAreToldAndHeld) {
  EXPECT_THAT(LoadTexts({{"a", std::string((1 << 20) + 1, '#')}}, {"a"}).mistakes[0].message,
              ::testing::HasSubstr("at most 1048576 bytes"));
  std::string many = "a: [";
  for (int i = 0; i < 110'000; ++i) many += "1,";
  EXPECT_THAT(LoadTexts({{"a", many + "]\n"}}, {"a"}).mistakes[0].message,
              ::testing::HasSubstr("at most 100000 values"));
  std::string expressions = "fragments:\n  f:\n";
  for (int i = 0; i < 4001; ++i) expressions += "    - expect: true\n";
  EXPECT_THAT(ToText(LoadTexts({{"a", expressions}}, {"a"}).mistakes),
              ::testing::HasSubstr("at most 4000 expressions"));
  std::map<std::string, std::string> files;
  for (int i = 0; i < 80; ++i) files[absl::StrCat("f", i)] = absl::StrCat("include: [f", i + 1, "]\n");
  files["f80"] = "";
  EXPECT_THAT(ToText(LoadTexts(files, {"f0"}).mistakes), ::testing::HasSubstr("at most 64 files"));
  EXPECT_THAT(ToText(LoadTexts({}, {"gone.yaml"}).mistakes), "gone.yaml: cannot read gone.yaml: no such file\n");
  EXPECT_FALSE(LoadTexts({}, {}).ok());
}

TEST(LoadTest, MistakesAreCountedNotEndless) {
  std::string text = BasePlan() + "waivers:\n";
  for (int i = 0; i < 3000; ++i) text += "  - { x: 1 }\n";
  EXPECT_LE(LoadTexts({{"a", text}}, {"a"}).mistakes.size(), 1000u);
}

TEST(LoadTest, ReadsFromDisk) {
  LoadOptions options = TestOptions();
  const LoadResult result = Load({testing::GoldenFolder() + "/mistakes/parts/base.yaml"}, {}, options);
  EXPECT_TRUE(result.ok()) << ToText(result.mistakes);
  EXPECT_THAT(ToText(Load({"/"}, {}, options).mistakes), ::testing::HasSubstr("not a regular file"));
}

TEST(LoadTest, TheStarterPlanIsRight) {
  const LoadResult result = LoadTexts({{"plan.yaml", StarterPlan()}}, {"plan.yaml"});
  EXPECT_TRUE(result.ok()) << ToText(result.mistakes);
}

TEST(LoadTest, TheStarterPlansCommentedPartsAreRightToo) {
  std::string text = StarterPlan();
  // The order, as a person would uncomment it.
  const std::size_t begin = text.find("  # ordering.place_order:");
  const std::size_t end = text.find("checks:\n", begin);
  std::string part = text.substr(begin, end - begin);
  text.replace(begin, end - begin, absl::StrReplaceAll(part, {{"  # ", "  "}}));
  const LoadResult result = LoadTexts({{"plan.yaml", text}}, {"plan.yaml"});
  EXPECT_TRUE(result.ok()) << ToText(result.mistakes);
  EXPECT_NE(FindOperation(result.plan, "ordering.place_order"), nullptr);
}

TEST(LoadTest, CompilersSeeTheNamesOfTheirPlace) {
  std::map<std::string, ExpressionSource> seen;
  LoadOptions options = TestOptions();
  options.compile = [&](const std::vector<ExpressionSource>& sources) {
    for (const ExpressionSource& source : sources) seen[source.program] = source;
    return std::vector<ExpressionError>{};
  };
  ASSERT_TRUE(LoadTexts({{"base.yaml", BasePlan()}}, {"base.yaml"}, {}, options).ok());
  EXPECT_THAT(seen.at(".cart").names, ::testing::Contains("cart"));
  EXPECT_THAT(seen.at(".body.offers[]").names, ::testing::Not(::testing::Contains("cart")));
  EXPECT_FALSE(seen.at(".body.offers[]").of_item);
  EXPECT_TRUE(seen.at(".available").of_item);
  EXPECT_THAT(seen.at(".session").names, ::testing::Contains("journey"));
}

}  // namespace
}  // namespace puckdrop::plan
