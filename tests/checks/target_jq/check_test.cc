#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "checks/target/jq/program.h"

namespace puckdrop::jq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Check(const std::vector<std::string>& texts) {
  ProgramSet set;
  for (const std::string& text : texts) {
    Program program;
    program.text = text;
    program.names = {"cart"};
    set.Add(program);
  }
  const auto errors = CheckPrograms(set);
  if (!errors.ok()) return {std::string(errors.status().ToString())};
  std::vector<std::string> out;
  for (const ProgramError& e : *errors) {
    out.push_back(std::to_string(e.program) + "@" + std::to_string(e.line) + ":" + std::to_string(e.column) + "+" +
                  std::to_string(e.length) + " " + e.message);
  }
  return out;
}

// A worker that does what `script` says in place of compiling.
class ScriptedWorker {
 public:
  explicit ScriptedWorker(const std::string& script)
      : path_(::testing::TempDir() + "/worker-" + std::to_string(getpid())) {
    std::ofstream(path_) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
  }
  ~ScriptedWorker() { std::filesystem::remove(path_); }
  std::string Check(int programs) const {
    ProgramSet set;
    for (int i = 0; i < programs; ++i) {
      Program program;
      program.text = "." + std::string(1, static_cast<char>('a' + i));
      set.Add(program);
    }
    CheckOptions options;
    options.worker_path = path_;
    options.cpu_limit = std::chrono::milliseconds(100);
    const auto errors = CheckPrograms(set, options);
    if (!errors.ok()) return errors.status().ToString();
    std::string out;
    for (const ProgramError& error : *errors) out += std::to_string(error.program) + " " + error.message + "; ";
    return out;
  }

 private:
  std::string path_;
};

TEST(CheckTest, AProgramThatCrashesTheCompilerIsFoundByHalves) {
  EXPECT_EQ(ScriptedWorker("exit 1").Check(3),
            "0 the expression crashes the compiler; 1 the expression crashes the compiler; "
            "2 the expression crashes the compiler; ");
}

TEST(CheckTest, AProgramThatHangsTheCompilerIsToldByItsCpuTime) {
  EXPECT_EQ(ScriptedWorker("while :; do :; done").Check(1), "0 the expression takes too long to compile; ");
}

TEST(CheckTest, FindsNothingInGoodPrograms) {
  EXPECT_THAT(Check({".body.id", ".status == 201 # ok", "$cart", "def f: .body; f", "[.body[]? | {a, b: .c}]",
                     ".body | money(\"EUR\")", "if .status == 200 then 1 else 2 end",
                     "reduce .items[] as $i (0; . + $i.x)", "\"a\\(.status)b\"", "$session", "try error(\"x\") catch .",
                     ". as {status: $s, $body} | $s", "label $out | 1, break $out"}),
              IsEmpty());
}

TEST(CheckTest, TellsEveryMistakeAtItsPlace) {
  EXPECT_THAT(
      Check({".body.id", ".body | mapp(.x)", ".status ==", ".body.a b", ".body\n  | foo\n  | $carts", ".body.id | test",
             "{a b}", "[.body[] | {a: }]", ".body | sha265(\"hex\")", "if .status == 200 then 1", ".body | 1 / 0"}),
      ElementsAre("1@1:9+4 unknown function 'mapp': did you mean 'map'?", "2@1:11+1 the expression ends too early",
                  "3@1:9+1 unexpected 'b'", "4@2:5+3 unknown function 'foo'",
                  "4@3:5+6 nothing is called '$carts': did you mean '$cart'?",
                  "5@1:12+4 'test' takes 1 or 2 arguments, not 0", "6@1:4+1 unexpected 'b'; here comes '}'",
                  "7@1:16+1 unexpected '}'", "8@1:9+6 unknown function 'sha265': did you mean 'sha256'?",
                  "9@1:1+2 this 'if' is not complete: it needs 'then', 'else' and 'end'", "10@1:9+1 division by zero"));
}

TEST(CheckTest, KeepsProgramsApart) {
  // Together they would be one good program.
  EXPECT_THAT(Check({".body | (", "1)", ".status"}),
              ElementsAre(HasSubstr("0@1:9+1 this '(' is never closed"), HasSubstr("1@1:2+1 unexpected ')'")));
  EXPECT_THAT(Check({"def f: 1;", ".body # (", "\"\\\\\"", "1 as $x | 2 as $x | $x"}), ElementsAre(HasSubstr("0@")));
  EXPECT_THAT(Check({"def helper: 1; helper", "helper"}), ElementsAre(HasSubstr("1@1:1+6 unknown function 'helper'")));
}

TEST(CheckTest, IsSafeWithHostileTexts) {
  std::string deep;
  for (int i = 0; i < 1900; ++i) deep += "-.";
  EXPECT_THAT(Check({deep, ".status"}), ::testing::SizeIs(::testing::Le(1)));
  std::string tries;
  for (int i = 0; i < 3000; ++i) tries += "try ";
  EXPECT_THAT(Check({tries + "1", ".statu"}), ::testing::Contains(HasSubstr("did you mean '.status'")));
  EXPECT_THAT(Check({"import \"/etc/passwd\" as $x; $x"}), ElementsAre(HasSubstr("no modules")));
}

TEST(CheckTest, ChecksManyAtOnce) {
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i)
    texts.push_back(".body.field" + std::to_string(i) + " | select(. != null) | money(\"EUR\")");
  texts.push_back(".body | nonsense");
  EXPECT_THAT(Check(texts), ElementsAre("300@1:9+8 unknown function 'nonsense'"));
}

TEST(CheckTest, SaysWhenTheWorkerIsMissing) {
  CheckOptions options;
  options.worker_path = "/nowhere/puckdrop-jq-worker";
  const auto errors = CompileCheck(".body", {}, Scope::kContext, options);
  ASSERT_FALSE(errors.ok());
  EXPECT_EQ(errors.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(errors.status().message()), HasSubstr("/nowhere/puckdrop-jq-worker"));
}

TEST(CheckTest, ChecksOneText) {
  const auto errors = CompileCheck(".body.x | nope", {}, Scope::kContext);
  ASSERT_TRUE(errors.ok());
  ASSERT_EQ(errors->size(), 1U);
  EXPECT_EQ((*errors)[0].column, 11);
  EXPECT_THAT(*CompileCheck(".id + $body.x", {}, Scope::kEach), IsEmpty());
}

TEST(ProgramSetTest, GivesOneIdToTheSameProgram) {
  ProgramSet set;
  Program program;
  program.text = ".a";
  EXPECT_EQ(set.Add(program), 0U);
  EXPECT_EQ(set.Add(program), 0U);
  program.position.line = 3;
  EXPECT_EQ(set.Add(program), 1U);
  EXPECT_EQ(set.program(1).position.ToString(), "3");
  program.position = {"plan.yaml", 3, 9};
  EXPECT_EQ(program.position.ToString(), "plan.yaml:3:9");
}

}  // namespace
}  // namespace puckdrop::jq
