#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "checks/plan/mistake.h"
#include "tests/checks/plan/support.h"

namespace puckdrop::plan {
namespace {

namespace fs = std::filesystem;

std::string Slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<std::string> Cases() {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(testing::GoldenFolder() + "/mistakes", error)) {
    if (entry.path().extension() == ".yaml") out.push_back(entry.path().stem().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Every file of tests/golden/plan/mistakes is an overlay over parts/base.yaml, or, named file_*, a plan of its own. The
// text beside it is what a person reads.
LoadResult LoadCase(const std::string& name) {
  LoadOptions options = testing::TestOptions();
  options.read_file = [](const std::string& path) -> absl::StatusOr<std::string> {
    const fs::path full = fs::path(testing::GoldenFolder()) / "mistakes" / path;
    if (!fs::exists(full)) return absl::NotFoundError("no such file");
    return Slurp(full);
  };
  const std::string file = name + ".yaml";
  if (name.rfind("file_", 0) == 0) return Load({file}, {}, options);
  return Load({"parts/base.yaml"}, {file}, options);
}

TEST(MistakesTest, EveryKindOfMistakeReadsAsItsGoldenFileSays) {
  const std::vector<std::string> cases = Cases();
  ASSERT_GT(cases.size(), 90u);
  for (const std::string& name : cases) {
    const LoadResult result = LoadCase(name);
    EXPECT_FALSE(result.ok()) << name << " has no mistake";
    const std::string text = ToText(result.mistakes);
    const fs::path golden = fs::path(testing::GoldenFolder()) / "mistakes" / (name + ".txt");
    if (testing::update_golden) {
      std::ofstream(golden, std::ios::binary) << text;
    } else {
      EXPECT_EQ(Slurp(golden), text) << name;
    }
  }
}

TEST(MistakesTest, TenMistakesAreToldEachAtItsLine) {
  const LoadResult result = LoadCase("ten_mistakes");
  std::vector<unsigned> lines;
  for (const Mistake& mistake : result.mistakes) {
    EXPECT_EQ(mistake.file, "ten_mistakes.yaml") << ToText(mistake);
    lines.push_back(mistake.line);
  }
  EXPECT_THAT(lines, ::testing::ElementsAre(2, 5, 5, 7, 8, 10, 13, 14, 16, 18));
}

TEST(MistakesTest, TheBaseOfTheCasesHasNone) {
  const LoadResult result = testing::LoadTexts({{"base.yaml", testing::BasePlan()}}, {"base.yaml"});
  EXPECT_TRUE(result.ok()) << ToText(result.mistakes);
}

TEST(MistakesTest, ASyntaxErrorIsToldAlone) {
  for (const std::string& name : Cases()) {
    if (name.rfind("file_syntax", 0) == 0) EXPECT_EQ(LoadCase(name).mistakes.size(), 1u) << name;
  }
}

TEST(MistakesTest, NothingInAFileDrivesATerminal) {
  Mistake mistake{"a\x1b[31m.yaml", 1, 3, "bad \xc2\x9b thing", "hint\n", "a\t\x1b]0;x\x07\xe2\x80\xae z"};
  const std::string text = ToText(mistake);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\x07'), std::string::npos);
  EXPECT_EQ(text.find("\xe2\x80\xae"), std::string::npos);
  EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos);
}

TEST(MistakesTest, ALongLineIsCutAroundItsCaret) {
  Mistake mistake{"a.yaml", 1, 500, "here", "", std::string(499, 'a') + "X" + std::string(499, 'b')};
  const std::string text = ToText(mistake);
  EXPECT_LT(text.size(), 300u);
  EXPECT_NE(text.find('X'), std::string::npos);
}

TEST(MistakesTest, ASecretWrittenIntoAPlanIsNotQuoted) {
  for (const char* name : {"secret_written_out", "account_mistake", "unknown_payment_case"}) {
    const std::string text = ToText(LoadCase(name).mistakes);
    EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
    EXPECT_EQ(text.find("4000000000000002"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace puckdrop::plan
