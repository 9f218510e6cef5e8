#include "checks/target/jq/scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puckdrop::jq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Scan ScanText(const std::string& text, Scope scope = Scope::kContext) {
  Program program;
  program.text = text;
  program.scope = scope;
  program.names = {"cart"};
  return ScanProgram(program);
}

std::string FirstError(const std::string& text) {
  const Scan scan = ScanText(text);
  if (scan.errors.empty()) return "none";
  return std::to_string(scan.errors[0].line) + ":" + std::to_string(scan.errors[0].column) + " " +
         scan.errors[0].message;
}

TEST(ScanTest, AcceptsThePlansOwnExpressions) {
  for (const char* text :
       {".body.id", ".status == 201",
        "select(.body.error?) | { reason: ({ card_declined: \"DECLINED\" }[.body.error.code] // \"OTHER\") }",
        ".headers[\"auth-token\"]", "{ paid: \"CONFIRMED\" }[.body.state]", ".body.orders[]", "$cart", ".cart",
        "\"a \\(.body.x | f(\")\")) b\"", "# why\n.body # because (", "{input: 1, env: .body.debug, halt}",
        ".body.input", "[.body[] | select(.a == \"}\")]", "{\"a\\\"(\": 1}", ".. | .id?", "{(\"a\"): 1}",
        "@base64 \"x\\(.body)\"", "def f(x): x; f(.body)", ".body | .[\"x\"]?"}) {
    EXPECT_EQ(FirstError(text), "none") << text;
  }
}

TEST(ScanTest, RefusesWhatWouldLeaveItsPlace) {
  EXPECT_EQ(FirstError(".body) | (.body"), "1:6 unexpected ')': nothing is open here");
  EXPECT_EQ(FirstError("(.body]"), "1:7 unexpected ']': '(' is still open");
  EXPECT_EQ(FirstError("[.body,\n  (.x"), "2:3 this '(' is never closed");
  EXPECT_EQ(FirstError(".body == \"x"), "1:10 this string is never closed");
  EXPECT_EQ(FirstError("\"a\\(.x\""), "1:7 this string is never closed");
  EXPECT_EQ(FirstError(".body == 'x'"), "1:10 unexpected ''': strings stand in double quotes");
  EXPECT_EQ(FirstError(".body && .status"), "1:7 unexpected '&': jq says 'and'");
  EXPECT_EQ(FirstError(std::string(".body\0", 6)), "1:6 a control character is not allowed here");
  EXPECT_EQ(FirstError(""), "1:1 the expression is empty");
  EXPECT_EQ(FirstError("  # nothing"), "1:1 the expression is empty");
  EXPECT_THAT(FirstError(std::string(101, '[') + std::string(101, ']')), HasSubstr("nested deeper than 100"));
  EXPECT_THAT(FirstError(std::string(20000, ' ')), HasSubstr("longer than"));
  std::string many;
  for (int i = 0; i < 3000; ++i) many += "1,";
  EXPECT_THAT(FirstError(many + "1"), HasSubstr("more than 4000"));
}

TEST(ScanTest, RefusesWhatReachesOutside) {
  for (const char* text : {"env.PATH",
                           "$ENV",
                           "input",
                           "[inputs]",
                           ".body | debug",
                           "stderr",
                           "halt",
                           "halt_error(1)",
                           "import \"a\" as a; .",
                           "include \"a\"; .",
                           "$__prog_args",
                           "__host([\"now\"])",
                           "$__loc__",
                           "a::b",
                           "$ ENV",
                           "{a: input}",
                           "{(input): 1}",
                           "modulemeta",
                           "localtime",
                           "{\"a\": [1, input]}",
                           "\"\\(input)\"",
                           "input_line_number"}) {
    const Scan scan = ScanText(text);
    EXPECT_FALSE(scan.compilable) << text;
    EXPECT_FALSE(scan.errors.empty()) << text;
  }
  EXPECT_EQ(FirstError("[.body,\n env.X]"),
            "2:2 'env' cannot be used: expressions do not see the environment; the plan takes it in with ${NAME}");
}

TEST(ScanTest, FindsMisspeltNames) {
  EXPECT_EQ(FirstError(".sttaus == 201"), "1:1 nothing is called '.sttaus' here: did you mean '.status'?");
  EXPECT_EQ(FirstError(" .carts.id"), "1:2 nothing is called '.carts' here: did you mean '.cart'?");
  EXPECT_THAT(FirstError(".zzzzzzzz"), HasSubstr("an expression sees .status .headers"));
  EXPECT_EQ(FirstError("@jsno"), "1:1 unknown format '@jsno': did you mean '@json'?");
  EXPECT_THAT(ScanText(".anything", Scope::kEach).errors, IsEmpty());
}

TEST(ScanTest, TellsWhatAProgramUses) {
  EXPECT_THAT(ScanText("$cart + $status + $status + (1 as $x | $x)").variables, UnorderedElementsAre("cart", "status"));
  EXPECT_TRUE(ScanText(".body.id").looks_at_body);
  EXPECT_TRUE(ScanText("$body").looks_at_body);
  EXPECT_TRUE(ScanText(". | keys").looks_at_body);
  EXPECT_TRUE(ScanText("to_entries").looks_at_body);
  EXPECT_FALSE(ScanText(".status == 201").looks_at_body);
  EXPECT_FALSE(ScanText(".headers[\"x\"] | test(\".\")").looks_at_body);
  EXPECT_TRUE(ScanText(".body_base64").looks_at_body_base64);
  EXPECT_FALSE(ScanText(".body").looks_at_body_base64);
}

TEST(ScanTest, RefusesSavedNamesThatAreNoNames) {
  Program program;
  program.text = ".body";
  program.names = {"my-cart"};
  EXPECT_THAT(ScanProgram(program).errors,
              ElementsAre(::testing::Field(&ProgramError::message, HasSubstr("'my-cart'"))));
}

}  // namespace
}  // namespace puckdrop::jq
