// What holds for every report of every gate.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "services/cli/report/report.h"
#include "services/cli/report/summary.h"
#include "services/cli/report/words.h"
#include "tests/services/report/report_fixtures.h"

namespace puckdrop::report {
namespace {

using ::nlohmann::json;
using testing::Found;
using testing::GateBuilder;
using ::testing::HasSubstr;
using ::testing::Not;

std::map<std::string, cli::GateReport> AllGates() {
  std::map<std::string, cli::GateReport> gates;
  gates["go"] = testing::Go().Build();
  gates["go with waivers"] = testing::GoWithWaivers().Build();
  gates["no go"] = testing::NoGo().Build();
  gates["prober unreachable"] = testing::InconclusiveProber().Build();
  gates["deadline"] = testing::InconclusiveDeadline().Build();
  gates["filtered"] = testing::Filtered().Build();
  gates["obligations"] = testing::ObligationsLeft().Build();
  gates["hostile"] = testing::Hostile().Build();
  gates["nothing"] = cli::GateReport();
  return gates;
}

// -- JUnit

TEST(JunitTest, IsValidAgainstTheSchema) {
  ASSERT_EQ(std::system("xmllint --version 2>/dev/null"), 0) << "xmllint is of the package libxml2-utils";
  const std::filesystem::path file = std::filesystem::path(::testing::TempDir()) / "puckdrop-report-junit.xml";
  for (const auto& [name, gate] : AllGates()) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << JunitReport(gate);
    const std::string command = "xmllint --noout --schema " + testing::SourceFolder() +
                                "/tests/services/report/junit.xsd " + file.string() + " 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0) << name;
  }
  std::filesystem::remove(file);
}

TEST(JunitTest, CountsWhatItHolds) {
  for (const auto& [name, gate] : AllGates()) {
    pugi::xml_document document;
    ASSERT_TRUE(document.load_string(JunitReport(gate).c_str())) << name;
    std::map<std::string, int> all;
    for (const pugi::xml_node suite : document.child("testsuites").children("testsuite")) {
      std::map<std::string, int> counts;
      for (const pugi::xml_node one : suite.children("testcase")) {
        ++counts["tests"];
        counts["failures"] += one.child("failure") ? 1 : 0;
        counts["errors"] += one.child("error") ? 1 : 0;
        counts["skipped"] += one.child("skipped") ? 1 : 0;
      }
      for (const auto& [what, count] : counts) {
        EXPECT_EQ(suite.attribute(what.c_str()).as_int(-1), count) << name << " " << suite.attribute("name").value();
        all[what] += count;
      }
    }
    for (const auto& [what, count] : all) {
      EXPECT_EQ(document.child("testsuites").attribute(what.c_str()).as_int(-1), count) << name;
    }
    EXPECT_EQ(all["tests"], gate.verdict.instances_size() + 1) << name;
  }
}

// A CI server knows nothing but these two words.
void ExpectJunitAgreesWithVerdict(const std::string& name, const cli::GateReport& gate) {
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(JunitReport(gate).c_str())) << name;
  const int failures = document.child("testsuites").attribute("failures").as_int();
  const int errors = document.child("testsuites").attribute("errors").as_int();
  switch (gate.verdict.state()) {
    case v1::VERDICT_STATE_GO:
    case v1::VERDICT_STATE_GO_WITH_WAIVERS:
      EXPECT_EQ(failures, 0) << name;
      EXPECT_EQ(errors, gate.ended_by.empty() ? 0 : 1) << name;
      break;
    case v1::VERDICT_STATE_NO_GO:
      EXPECT_GT(failures, 0) << name;
      break;
    default:
      EXPECT_EQ(failures, 0) << name;
      EXPECT_GT(errors, 0) << name;
  }
}

TEST(JunitTest, IsGreenForGoOnly) {
  for (const auto& [name, gate] : AllGates()) ExpectJunitAgreesWithVerdict(name, gate);
}

TEST(JunitTest, IsRedWhenTheRootOfAllIsAdvisoryOrWasNotSelected) {
  GateBuilder advisory;
  advisory.Advisory("ordering.sign_up");
  advisory.Fail("ordering.sign_up", "sofa", Found("refused", "sign-up was refused"))
      .set_severity(v1::SEVERITY_ADVISORY);
  advisory.Block("ordering.sign_in", "sofa", "ordering.sign_up");
  const cli::GateReport gate = advisory.Build();
  ASSERT_EQ(gate.verdict.state(), v1::VERDICT_STATE_NO_GO);
  ExpectJunitAgreesWithVerdict("advisory root", gate);

  GateBuilder filtered;
  filtered.Select("billing.vat", "sofa");
  filtered.Fail("ordering.order_completes", "sofa", Found("refused", "the order was refused")).set_supporting(true);
  filtered.Block("billing.vat", "sofa", "ordering.order_completes");
  const cli::GateReport selection = filtered.Build();
  ASSERT_EQ(selection.verdict.state(), v1::VERDICT_STATE_NO_GO);
  ExpectJunitAgreesWithVerdict("supporting root", selection);
  EXPECT_THAT(TextReport(selection), HasSubstr("the order was refused"));
  EXPECT_THAT(TextReport(selection), HasSubstr("for 1 of 150 checks, not a"));
}

TEST(JunitTest, IsRedWhenAllThatIsUnknownWasSkipped) {
  GateBuilder builder;
  builder.Skip("billing.vat", "sofa", v1::SKIP_CAUSE_NOT_MAPPED, "billing.list_invoices is not mapped");
  const cli::GateReport gate = builder.Build();
  ASSERT_EQ(gate.verdict.state(), v1::VERDICT_STATE_INCONCLUSIVE);
  ExpectJunitAgreesWithVerdict("not mapped", gate);
}

// -- JSON

// As much of JSON Schema as ours uses; unlike it, a key that is not described is a mistake.
void Validate(const json& schema, const json& root, const json& value, const std::string& where) {
  if (schema.contains("$ref")) {
    const std::string ref = schema["$ref"];
    return Validate(root.at("$defs").at(ref.substr(ref.rfind('/') + 1)), root, value, where);
  }
  if (schema.contains("anyOf")) {
    if (!value.is_null()) Validate(schema["anyOf"][0], root, value, where);
    return;
  }
  if (schema.contains("const")) {
    EXPECT_EQ(value, schema["const"]) << where;
    return;
  }
  const json types = schema.at("type").is_array() ? schema["type"] : json::array({schema["type"]});
  bool fits = false;
  for (const json& one : types) {
    const std::string type = one.get<std::string>();
    fits = fits || (type == "string" && value.is_string()) || (type == "integer" && value.is_number_integer()) ||
           (type == "number" && value.is_number()) || (type == "boolean" && value.is_boolean()) ||
           (type == "null" && value.is_null()) || (type == "array" && value.is_array()) ||
           (type == "object" && value.is_object());
  }
  ASSERT_TRUE(fits) << where << ": " << value.dump() << " is not " << types.dump();
  if (value.is_null()) return;
  if (schema.contains("enum")) {
    EXPECT_THAT(schema["enum"].get<std::vector<std::string>>(), ::testing::Contains(value.get<std::string>())) << where;
  }
  if (schema.contains("minimum")) {
    EXPECT_GE(value.get<double>(), schema["minimum"].get<double>()) << where;
  }
  if (schema.contains("maximum")) {
    EXPECT_LE(value.get<double>(), schema["maximum"].get<double>()) << where;
  }
  if (schema.contains("items")) {
    for (const json& item : value) Validate(schema["items"], root, item, where + "[]");
  }
  if (schema.contains("required")) {
    for (const json& key : schema["required"])
      EXPECT_TRUE(value.contains(key.get<std::string>())) << where << " lacks " << key;
  }
  if (!value.is_object()) return;
  for (const auto& [key, member] : value.items()) {
    if (schema.contains("properties")) {
      ASSERT_TRUE(schema["properties"].contains(key)) << where << "." << key << " is not in the schema";
      Validate(schema["properties"][key], root, member, where + "." + key);
    } else if (schema.contains("additionalProperties")) {
      Validate(schema["additionalProperties"], root, member, where + "." + key);
    }
  }
}

TEST(JsonTest, FollowsItsSchema) {
  const json schema = json::parse(JsonReportSchema());
  for (const auto& [name, gate] : AllGates()) {
    const json written = json::parse(JsonReport(gate), nullptr, false);
    ASSERT_FALSE(written.is_discarded()) << name;
    Validate(schema, schema, written, name);
  }
}

TEST(JsonTest, SaysNoGoForMachines) {
  const json written = json::parse(JsonReport(testing::NoGo().Build()));
  EXPECT_EQ(written["verdict"]["state"], "NO_GO");
  EXPECT_EQ(written["broken"].size(), 1u);
  EXPECT_EQ(written["broken"][0]["customers"], json::array({"sofa", "browser", "old-tv"}));
  EXPECT_NEAR(written["broken"][0]["audience_share"].get<double>(), 0.65, 1e-9);
}

TEST(JsonTest, KeepsHostileTextAsItWasInValidJson) {
  const cli::GateReport gate = testing::Hostile().Build();
  const std::string text = JsonReport(gate);
  EXPECT_EQ(json::parse(text)["warnings"][0].get<std::string>(), testing::kHostile);
  for (const char c : text) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  EXPECT_THAT(text, Not(HasSubstr("\xE2\x80\xAE")));
  EXPECT_THAT(text, Not(HasSubstr("\xC2\x9B")));
}

// -- text

TEST(TextTest, StaysWithinItsWidthButForCommands) {
  for (const auto& [name, gate] : AllGates()) {
    for (const int width : {10, 80, 100, 160, 500}) {
      const size_t most = static_cast<size_t>(std::clamp(width, 80, 160));
      for (const absl::string_view line : absl::StrSplit(TextReport(gate, {.color = false, .width = width}), '\n')) {
        if (absl::StrContains(line, "again")) continue;
        EXPECT_LE(DisplayWidth(line), most) << name << ": " << line;
      }
    }
  }
}

TEST(TextTest, ColoursAreOnlyOurs) {
  for (const auto& [name, gate] : AllGates()) {
    EXPECT_THAT(TextReport(gate), Not(HasSubstr("\x1b"))) << name;
    std::string rest = TextReport(gate, {.color = true, .width = 100});
    // Take away what we write: what remains has no escape.
    for (size_t at; (at = rest.find("\x1b[")) != std::string::npos;) {
      const size_t end = rest.find_first_not_of("0123456789;", at + 2);
      ASSERT_NE(end, std::string::npos);
      ASSERT_EQ(rest[end], 'm') << name;
      rest.erase(at, end - at + 1);
    }
    EXPECT_THAT(rest, Not(HasSubstr("\x1b"))) << name;
    EXPECT_EQ(rest.find_first_of("\x07\x01\x7F\r"), std::string::npos) << name;
    EXPECT_THAT(rest, Not(HasSubstr("\xC2\x9B"))) << name;
    EXPECT_THAT(rest, Not(HasSubstr("\xE2\x80\xAE"))) << name;
  }
}

TEST(TextTest, BeginsWithTheVerdictWhateverTheTitleSays) {
  GateBuilder builder = testing::NoGo();
  builder.report().launch_title = "GO\nGO  all is well";
  EXPECT_THAT(TextReport(builder.Build()), ::testing::StartsWith("NO-GO  GO\\x0aGO  all is well"));
}

TEST(TextTest, TellsTheWorstFirst) {
  GateBuilder builder;
  builder.Fail("billing.vat", "phone", Found("wrong_rate", "wrong VAT"));
  builder.Fail("playback.not_black", "sofa", Found("black", "black for 8 s"));
  builder.Fail("playback.not_black", "travel", Found("black", "black for 9 s"));
  const std::string text = TextReport(builder.Build());
  ASSERT_THAT(text, HasSubstr("1. \"The screen is black\""));
  ASSERT_THAT(text, HasSubstr("2. \"The tax on my bill is wrong\""));
  EXPECT_THAT(text, HasSubstr("(as sofa saw it; 1 alike)"));
}

TEST(TextTest, SaysWhatMayBeWrongWithoutPaths) {
  const std::string text = TextReport(cli::GateReport());
  EXPECT_THAT(text, ::testing::StartsWith("INCONCLUSIVE  the launch"));
}

// -- Markdown and annotations

TEST(MarkdownTest, LetsNoTextMeanAnything) {
  std::string text = MarkdownReport(testing::Hostile().Build());
  // The command's own run of three backticks does not close its block.
  const size_t fence = text.find("````sh\n");
  const size_t end = text.find("\n````\n", fence);
  ASSERT_NE(end, std::string::npos);
  text.erase(fence, end - fence);
  EXPECT_THAT(text, Not(HasSubstr("<script")));
  EXPECT_THAT(text, Not(HasSubstr("@everyone")));
  EXPECT_THAT(text, Not(HasSubstr("[link](")));
}

TEST(MarkdownTest, IsBounded) {
  GateBuilder builder;
  for (const testing::KnownCheck& check : testing::KnownChecks()) {
    v1::Result& result = builder.Fail(check.id, "sofa", Found("f0", std::string(100'000, '<')));
    for (int i = 1; i < 20; ++i) {
      *result.add_findings() =
          Found(absl::StrCat("f", i), std::string(3000, '<'), std::string(3000, '&'), std::string(3000, '@'));
    }
  }
  const std::string text = MarkdownReport(builder.Build());
  EXPECT_LT(text.size(), 1u << 20);
  EXPECT_THAT(text, HasSubstr("This report was cut"));
}

TEST(AnnotationsTest, AreOneCommandALine) {
  for (const auto& [name, gate] : AllGates()) {
    int lines = 0;
    for (const absl::string_view line : absl::StrSplit(GithubAnnotations(gate), '\n', absl::SkipEmpty())) {
      EXPECT_THAT(std::string(line),
                  ::testing::ContainsRegex("^::(error|warning|notice) (file=[^:,]+,line=[0-9]+,col=[0-9]+,)?title="))
          << name;
      ++lines;
    }
    EXPECT_LE(lines, 10);
  }
}

TEST(AnnotationsTest, PointAtThePlansLineWhereItIsKnownAndInTheCheckout) {
  const auto annotated = [](const std::string& position) {
    GateBuilder gate;
    gate.Fail("billing.vat", "sofa", Found("wrong_rate", "wrong")).set_plan_position(position);
    return GithubAnnotations(gate.Build());
  };
  EXPECT_THAT(annotated("./plans/a,b.yaml:12:9"),
              ::testing::StartsWith("::error file=plans/a%2Cb.yaml,line=12,col=9,title="));
  for (const char* no_place :
       {"", "plan.yaml", "plan.yaml:x:1", "plan.yaml:0:1", "/home/me/plan.yaml:1:1", "../plan.yaml:1:1"}) {
    EXPECT_THAT(annotated(no_place), ::testing::StartsWith("::error title=")) << no_place;
  }
}

// -- Words

TEST(WordsTest, ARunForSomeCustomersCountsOnlyThose) {
  GateBuilder gate;
  for (const char* customer : {"sofa", "phone"}) gate.Select("billing.vat", customer);
  gate.Fail("billing.vat", "sofa", Found("wrong_rate", "wrong"));
  const cli::GateReport report = gate.Build();
  EXPECT_EQ(report.customers.size(), 5u);
  EXPECT_EQ(CustomerCount(report, {"sofa"}), "1 of 2 customers");
  for (const std::string& text : {TextReport(report), MarkdownReport(report)}) {
    EXPECT_THAT(text, Not(HasSubstr("5 customers")));
  }
}

TEST(WordsTest, AStepIsNumberedOnlyAmongSeveral) {
  v1::Result result;
  EXPECT_EQ(StepOf(result), "");
  result.set_step(1);
  EXPECT_EQ(StepOf(result), "") << "how many there are is not known";
  result.set_steps(1);
  EXPECT_EQ(StepOf(result), "");
  result.set_steps(3);
  EXPECT_EQ(StepOf(result), "1 of 3 of ");
}

// -- HTML

TEST(HtmlTest, HasNeitherScriptNorNetwork) {
  for (const auto& [name, gate] : AllGates()) {
    const std::string page = HtmlReport(gate);
    EXPECT_THAT(page, Not(HasSubstr("<script"))) << name;
    EXPECT_THAT(page, Not(HasSubstr("<svg"))) << name;
    EXPECT_THAT(page, HasSubstr("default-src 'none'")) << name;
    for (size_t at = 0; (at = page.find("src=", at + 1)) != std::string::npos;) {
      if (page[at - 1] != ' ') continue;
      EXPECT_EQ(page.substr(at, 16), "src=\"data:image/") << name;
    }
    for (size_t at = 0; (at = page.find("href=", at + 1)) != std::string::npos;) {
      if (page[at - 1] != ' ') continue;
      EXPECT_EQ(page.substr(at, 7), "href=\"#") << name;
      const std::string target = page.substr(at + 7, page.find('"', at + 7) - at - 7);
      EXPECT_THAT(page, HasSubstr(" id=\"" + target + "\"")) << name;
    }
  }
}

// A page whose elements are all closed in order holds no markup but ours.
TEST(HtmlTest, ClosesWhatItOpens) {
  static const std::set<std::string> kVoid = {"meta", "img", "br", "wbr"};
  for (const auto& [name, gate] : AllGates()) {
    const std::string page = HtmlReport(gate);
    std::vector<std::string> open;
    for (size_t at = page.find("<html"); at != std::string::npos; at = page.find('<', at + 1)) {
      const bool closing = page[at + 1] == '/';
      const size_t begin = at + (closing ? 2 : 1);
      const std::string tag =
          page.substr(begin, page.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789", begin) - begin);
      ASSERT_FALSE(tag.empty()) << name << ": " << page.substr(at, 60);
      if (kVoid.count(tag) > 0) continue;
      if (!closing) {
        open.push_back(tag);
      } else {
        ASSERT_FALSE(open.empty());
        ASSERT_EQ(open.back(), tag) << name << ": " << page.substr(at > 200 ? at - 200 : 0, 260);
        open.pop_back();
      }
    }
    EXPECT_TRUE(open.empty()) << name << " leaves open " << open.back();
  }
}

TEST(HtmlTest, IsBoundedPicturesFirst) {
  GateBuilder builder = testing::NoGo();
  for (int i = 0; i < 40; ++i) {
    builder.AddEvidence(builder.At("playback.not_black", "phone"), v1::Evidence::KIND_PICTURE, "image/jpeg",
                        absl::StrCat("picture ", i), std::string(50'000, static_cast<char>(i)));
    builder.AddEvidence(builder.At("ordering.order_to_watch", "sofa"), v1::Evidence::KIND_EXCHANGES, "application/json",
                        absl::StrCat("recording ", i), std::string(250'000, 'x'));
  }
  const std::string page = HtmlReport(builder.Build(), 1u << 20);
  EXPECT_LT(page.size(), 1u << 20);
  EXPECT_THAT(page, HasSubstr("picture 0"));
  EXPECT_THAT(page, HasSubstr("left out, to keep this page small"));
}

// -- words

TEST(WordsTest, CutsByColumnsAndKeepsCharactersWhole) {
  EXPECT_EQ(CutToWidth("jääkiekko", 9), "jääkiekko");
  EXPECT_EQ(CutToWidth("jääkiekko", 4), "jää…");
  EXPECT_EQ(DisplayWidth("氷上"), 4u);
  EXPECT_EQ(CutToWidth("氷上の戦い", 6), "氷上…");
  EXPECT_EQ(Padded("ä", 3), "ä  ");
}

TEST(WordsTest, WrapsAtSpacesAndBreaksWhatIsTooLong) {
  EXPECT_THAT(Wrapped("one two three", 8), ::testing::ElementsAre("one two", "three"));
  EXPECT_THAT(Wrapped("abcdefghijkl", 8), ::testing::ElementsAre("abcdefgh", "ijkl"));
  EXPECT_THAT(Wrapped("", 8), ::testing::ElementsAre(""));
}

TEST(WordsTest, MakesControlsVisible) {
  EXPECT_EQ(OneLine("a\x1b[31mb\n"), "a\\x1b[31mb\\x0a");
  EXPECT_EQ(OneLine("\xE2\x80\xAEx"), "\\u202ex");
  EXPECT_EQ(OneLine("\xFF"), "\xEF\xBF\xBD");
  EXPECT_EQ(Lines("a\r\nb\tc\x07"), "a\nb\tc\\x07");
}

TEST(WordsTest, FallsBackToUtcForAZoneNobodyKnows) {
  cli::GateReport report;
  for (const char* zone : {"", "Mars/Olympus", "/etc/passwd", "../../etc/passwd"}) {
    report.time_zone = zone;
    EXPECT_EQ(Clockface(report).Time(testing::Begin()), "15:27:48") << zone;
  }
  report.time_zone = "Europe/Helsinki";
  EXPECT_EQ(Clockface(report).Time(testing::Begin()), "18:27:48");
}

}  // namespace
}  // namespace puckdrop::report
