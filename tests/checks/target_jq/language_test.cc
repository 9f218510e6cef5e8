// What an expression sees, and the functions that are ours.

#include <gmock/gmock.h>

#include "checks/target/jq/scan.h"
#include "tests/checks/target_jq/pool_fixture.h"

namespace puckdrop::jq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

class LanguageTest : public PoolTest {
 protected:
  void ExpectAll(const std::vector<std::pair<std::string, std::string>>& cases, const std::string& body = "null") {
    std::vector<std::string> programs;
    for (const auto& [program, wanted] : cases) programs.push_back(program);
    const std::vector<std::string> got = EvalAll(programs, body);
    ASSERT_EQ(got.size(), cases.size()) << got[0];
    for (std::size_t i = 0; i < cases.size(); ++i) {
      if (cases[i].second.substr(0, 1) == "!") {
        EXPECT_THAT(got[i], StartsWith(cases[i].second)) << cases[i].first;
      } else {
        EXPECT_EQ(got[i], cases[i].second) << cases[i].first;
      }
    }
  }
};

TEST_F(LanguageTest, SeesEveryNameAsMemberAndVariable) {
  EXPECT_THAT(EvalAll({".status", "$status", ".body.id | . + $status", "$cart", ".cart", ".headers[\"x-y\"]",
                       "$session", "[$body.id, $journey.order]"},
                      R"({"id":7})", R"({"status":201,"cart":"c1","headers":{"x-y":"z"},"journey":{"order":"o"}})"),
              ElementsAre("201", "201", "208", "\"c1\"", "\"c1\"", "\"z\"", "null", "[7,\"o\"]"));
}

TEST_F(LanguageTest, ReadsTheBodyByItsKind) {
  const ProgramId body = Add(".body");
  const ProgramId raw = Add(".body_base64");
  EvaluationRequest request;
  request.programs = {body, raw};
  request.body_kind = BodyKind::kText;
  request.body = std::make_shared<const std::string>("a\xFF\n\"b");
  EXPECT_EQ(Text(Run(request)->outcomes[0]), "\"a\xEF\xBF\xBD\\n\\\"b\"");
  EXPECT_EQ(Text(Run(request)->outcomes[1]), "\"Yf8KImI=\"");
  request.body_kind = BodyKind::kNone;
  EXPECT_EQ(Text(Run(request)->outcomes[0]), "null");
  EXPECT_EQ(Text(Run(request)->outcomes[1]), "\"Yf8KImI=\"");
  for (const char* empty : {"", "  \n", "null"}) EXPECT_EQ(Text(Run(Json({body}, empty))->outcomes[0]), "null");
  EXPECT_EQ(
      Text(Run(Json({body}, "\xEF\xBB\xBF{\"a\":[1,-2.50,true,\"\\ud83d\\ude00\\ud800x\\u00e4\"]}"))->outcomes[0]),
      "{\"a\":[1,-2.5,true,\"😀\xEF\xBF\xBDxä\"]}");
  request.body = nullptr;
  request.context = R"({"body": "from the context"})";
  EXPECT_EQ(Text(Run(request)->outcomes[0]), "\"from the context\"");
}

TEST_F(LanguageTest, KeepsBigIntegers) {
  ExpectAll(
      {{".body.a", "\"9007199254740993\""},
       {".body.b", "\"-12345678901234567890\""},
       {".body.c", "9007199254740992"},
       {".body.d", "1e+30"},
       {".body.e", "0.1"},
       {".body.f", "\"9007199254740993\""},
       {".body.g", "1.7976931348623157e+308"},
       {".body.text | fromjson", "[\"9007199254740993\"]"}},
      R"({"a":9007199254740993,"b":-12345678901234567890,"c":9007199254740992,"d":1e30,"e":0.1,"f":"9007199254740993","g":1e999,"text":"[9007199254740993]"})");
}

TEST_F(LanguageTest, SaysWhereABodyIsNotJson) {
  const ProgramId body = Add(".body.id");
  const ProgramId status = Add(".status");
  for (const char* bad :
       {"<html>", "{\"a\":1,}", "[1 2]", "{\"a\"", "01", "\"a\nb\"", "[1]]", "nul", "'a'", "\"\\x\"", "-", "1."}) {
    const auto result = Run(Json({body, status}, bad, R"({"status":502})"));
    ASSERT_TRUE(result.ok());
    EXPECT_THAT(Text(result->outcomes[0]), StartsWith("!BODY_NOT_JSON the body is not JSON: ")) << bad;
    EXPECT_EQ(Text(result->outcomes[1]), "502");
    EXPECT_THAT(result->body_problem.value_or(""), HasSubstr("at byte")) << bad;
  }
  EXPECT_THAT(Text(Run(Json({body}, "{\n\"id\": tru}"))->outcomes[0]),
              HasSubstr("a value is expected at byte 9 (line 2)"));
  EXPECT_THAT(Text(Run(Json({body}, std::string(201, '[') + std::string(201, ']')))->outcomes[0]),
              HasSubstr("nested deeper than 200"));
  EXPECT_THAT(Text(Run(Json({body}, std::string(100000, '[')))->outcomes[0]), HasSubstr("nested deeper than 200"));
  EXPECT_THAT(Text(Run(Json({body}, std::string(200, '[') + std::string(200, ']')))->outcomes[0]),
              HasSubstr("!FAILED Cannot index array"));
}

TEST_F(LanguageTest, RunsOverEachItem) {
  const ProgramId id = Add(".id", Scope::kEach);
  const ProgramId both = Add("\"\\($each.id)-\\($status)\"");
  EvaluationRequest request;
  request.programs = {id, both};
  request.context = R"({"status":200})";
  request.each = {R"({"id":1})", R"({"id":9007199254740993})", "null"};
  const auto result = Run(request);
  ASSERT_TRUE(result.ok()) << result.status();
  std::vector<std::string> texts;
  for (const ProgramOutcome& outcome : result->outcomes) texts.push_back(Text(outcome));
  EXPECT_THAT(
      texts, ElementsAre("1", "\"1-200\"", "\"9007199254740993\"", "\"9007199254740993-200\"", "null", "\"null-200\""));
  request.each = {"{"};
  EXPECT_EQ(Run(request).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(LanguageTest, CountsMoneyExactly) {
  ExpectAll({{"19.99 * 100 | . == 1999", "false"},
             {"19.99 | money(\"EUR\")", R"({"currency_code":"EUR","minor_units":1999})"},
             {"\"19.990\" | money(\"eur\")", R"({"currency_code":"EUR","minor_units":1999})"},
             {"14.9 | money(\"EUR\").minor_units", "1490"},
             {"0.1 + 0.2 | money(\"EUR\")", "!FAILED money: 0.30000000000000004 has more decimals than EUR (2)"},
             {"1e3 | money(\"JPY\").minor_units", "1000"},
             {"0.29, 1.13, 4.35, 1.005 | money(\"KWD\").minor_units", "290,1130,4350,1005"},
             {"null | money(\"EUR\"), minor(\"EUR\"), money_nanos", "null,null,null"},
             {"1490 | minor(\"EUR\")", R"({"currency_code":"EUR","minor_units":1490})"},
             {"\"90071992547409931\" | minor(\"EUR\").minor_units", "\"90071992547409931\""},
             {"14.5 | minor(\"EUR\")", "!FAILED minor: \"14.5\" is not a whole number"},
             {"{currencyCode: \"EUR\", units: \"14\", nanos: 900000000} | money_nanos.minor_units", "1490"},
             {"{currency_code: \"KWD\", units: 1} | money_nanos.minor_units", "1000"},
             {"{currencyCode: \"EUR\", nanos: 5000000} | money_nanos", "!FAILED money_nanos: nanos 5000000 has more"},
             {"{} | money_nanos", "!FAILED money_nanos: currencyCode is missing"},
             {"[] | money(\"EUR\")", "!FAILED money needs a number or a string of digits, not array"},
             {"1 | money(\"FIM\")", "!FAILED money: \"FIM\" is not a currency code"},
             {"1 | money(2)", "!FAILED money needs a currency code, not number"},
             {"try (\"x\" | money(\"EUR\")) catch \"caught\"", "\"caught\""}});
}

TEST_F(LanguageTest, CountsTimeWithItsZone) {
  ExpectAll({{"\"2026-12-04T18:30:00+02:00\" | fromdate", "1796401800"},
             {"\"2026-12-04T18:30:00.5+02:00\" | fromdateiso8601", "1796401800.5"},
             {"\"2026-12-04\" | fromdate", "!FAILED fromdate: \"2026-12-04\" is not an instant"},
             {"1796401800.9 | todate", "\"2026-12-04T16:30:00Z\""},
             {"1796401800 | date, todateiso8601", "\"2026-12-04T16:30:00Z\",\"2026-12-04T16:30:00Z\""},
             {"\"2026-12-04T18:30:00+0200\" | strptime(\"%Y-%m-%dT%H:%M:%S%z\") | mktime", "1796401800"},
             {"\"2026-12-04T16:30:00Z\" | strptime(\"%Y-%m-%dT%H:%M:%SZ\")", "[2026,11,4,16,30,0,5,337]"},
             {"1796401800 | gmtime | mktime", "1796401800"},
             {"1796401800 | strftime(\"%A %d %B %Y %H:%M %Z\")", "\"Friday 04 December 2026 16:30 UTC\""},
             {"1796401800 | gmtime | strftime(\"%F\")", "\"2026-12-04\""},
             {"1796401800 | in_zone(\"%Y-%m-%d %H:%M\"; \"Europe/Helsinki\")", "\"2026-12-04 18:30\""},
             {"\"2026-10-25T01:00:00Z\" | in_zone(\"%H:%M %z\"; \"Europe/Helsinki\")", "\"03:00 +0200\""},
             {"\"2026-10-25T00:59:59Z\" | in_zone(\"%H:%M %z\"; \"Europe/Helsinki\")", "\"03:59 +0300\""},
             {"null | in_zone(\"%F\"; \"Europe/Helsinki\")", "null"},
             {"1 | in_zone(\"%F\"; \"Mars\")", "!FAILED in_zone: \"Mars\" is not a time zone"},
             {"\"x\" | mktime", "!FAILED mktime needs a broken-down time"},
             {"1796401800000 | todate",
              "!FAILED strftime: the time is out of range: seconds since 1970 are expected, not milliseconds"},
             {"now > 1700000000", "true"}});
  const ProgramId now = Add("now | todate");
  EvaluationRequest request;
  request.programs = {now};
  request.now = 1796401800;
  pool_.reset();
  EXPECT_EQ(Text(Run(request)->outcomes[0]), "\"2026-12-04T16:30:00Z\"");
}

TEST_F(LanguageTest, HashesSignsAndEncodes) {
  ExpectAll(
      {{"\"abc\" | sha256(\"hex\")", "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""},
       {"\"abc\" | sha256(\"rot13\")", "!FAILED sha256: the encoding should be"},
       {"\"what do ya want for nothing?\" | hmac_sha256(\"Jefe\"; \"hex\")",
        "\"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843\""},
       {"{sub: \"1234567890\", name: \"John Doe\", iat: 1516239022} | jwt(\"your-256-bit-secret\"; {alg: \"HS256\", "
        "typ: \"JWT\"})",
        "\"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
        "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ."
        "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c\""},
       {"{a: 1} | jwt(\"k\"; {kid: \"7\"}) | jwt_payload", R"({"a":1})"},
       {"{} | jwt(\"k\"; {alg: \"none\"})", "!FAILED jwt: the header's alg"},
       {"\"abc\" | jwt_payload", "!FAILED jwt_payload: this is not a JWT"},
       {"\"\\u00fb\\u00ff?\" | base64url", "\"w7vDvz8\""},
       {"{a: 1, b: [\"x y\", true], c: null} | url_query, form_body", "\"a=1&b=x%20y&b=true\",\"a=1&b=x+y&b=true\""},
       {"\"https://x.example/cb?code=a%2Bb&x=1&x=2#f\" | url_query", R"({"code":"a+b","x":["1","2"]})"},
       {"{a: {}} | form_body", "!FAILED form_body: a member's value"},
       {"\"<p>Hei <b>maailma</b></p>\" | html", "\"Hei maailma\""},
       {"uuid | test(\"^[0-9a-f-]{36}$\")", "true"},
       {"random(16) | length", "16"},
       {"random(0)", "!FAILED random needs a length"}});
}

TEST_F(LanguageTest, ReplacesWhatJqGetsWrong) {
  ExpectAll({{"\"abab\" | gsub(\"^\"; \"x\")", "\"xabab\""},
             {"\"aXbX\" | gsub(\"x\"; \"-\"; \"i\")", "\"a-b-\""},
             {"\"John Doe\" | sub(\"(?<a>\\\\w+) (?<b>\\\\w+)\"; \"\\(.b), \\(.a)\")", "\"Doe, John\""},
             {"\"äöä\" | gsub(\"ä\"; \"a\")", "\"aöa\""},
             {"\"a1b22\" | gsub(\"(?<d>\\\\d)\"; \"<\\(.d)>\")", "\"a<1>b<2><2>\""},
             {"\"abc\" | indices(\"\")", "null"},
             {"\"a,b,a\" | indices(\"a\"), index(\"a\"), rindex(\"a\"), index(\"z\")", "[0,4],0,4,null"},
             {"[1,2,1] | indices(1)", "[0,2]"},
             {"[-1] | implode", "!FAILED implode needs"},
             {"[228] | implode", "\"ä\""},
             {"\"[1\" | fromjson", "!FAILED fromjson: the text ends too early"}});
}

TEST_F(LanguageTest, ReachesNothingOutside) {
  // The scan refuses these names; the definitions behind it must hold too, so here it is passed by.
  ExpectAll({{"[.\"env\"?]", "[null]"},
             {"builtins | length > 100", "true"},
             {"{env: 1, input: 2}", R"({"env":1,"input":2})"}});
  for (const char* text :
       {"env", "$ENV.PATH", "input", "debug", "halt", "__host([\"now\"])", "$__prog_args", "get_search_list"}) {
    EXPECT_THAT(Eval(text), StartsWith("!FAILED '")) << text;
  }
}

TEST_F(LanguageTest, OffersTheFunctionsItNames) {
  // Every function that did-you-mean knows exists, and no more builtins are hidden from it.
  std::vector<std::string> programs;
  for (const std::string& function : KnownFunctions()) {
    const std::size_t slash = function.rfind('/');
    std::string text = "if false then " + function.substr(0, slash);
    const int arity = std::stoi(function.substr(slash + 1));
    for (int i = 0; i < arity; ++i) text += i == 0 ? "(." : "; .";
    programs.push_back(text + (arity > 0 ? ")" : "") + " else 1 end");
  }
  for (const std::string& text : EvalAll(programs)) EXPECT_EQ(text, "1");
  std::string known;
  for (const std::string& function : KnownFunctions()) known += (known.empty() ? "\"" : ",\"") + function + "\"";
  EXPECT_EQ(
      Eval("builtins - [" + known + "] | map(select(startswith(\"_\") | not)) | sort | join(\" \")"),
      "\"debug/0 env/0 get_jq_origin/0 get_prog_origin/0 get_search_list/0 halt/0 halt_error/0 halt_error/1 input/0 "
      "input_filename/0 input_line_number/0 inputs/0 localtime/0 modulemeta/0 stderr/0 strflocaltime/1\"");
}

TEST_F(LanguageTest, GivesErrorsAsTheyAre) {
  ExpectAll({{".body | .a", "!FAILED Cannot index number with"},
             {"error(\"no: \\(.status)\")", "!FAILED no: null"},
             {"error({a: 1})", "!FAILED {\"a\":1}"},
             {"empty", ""},
             {"1, 2, \"a\\\"b\\u0001\"", "1,2,\"a\\\"b\\u0001\""},
             {"nan, infinite", "null,1.7976931348623157e+308"},
             {"1e17, 0.1, -0.5, 1e-7, 123456789012", "1e+17,0.1,-0.5,1e-07,123456789012"}},
            "5");
}

}  // namespace
}  // namespace puckdrop::jq
