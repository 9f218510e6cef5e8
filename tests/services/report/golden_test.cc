// Every report of every kind of gate, word for word. `report_test --update` rewrites tests/golden/report; review reads
// the difference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <functional>

#include "services/cli/report/report.h"
#include "tests/services/report/report_fixtures.h"

namespace puckdrop::report {
namespace {

bool update = false;

struct Golden {
  const char* file;
  std::function<testing::GateBuilder()> gate;
  std::function<std::string(const cli::GateReport&)> report;
};

std::string Text(const cli::GateReport& report) { return TextReport(report); }
std::string Narrow(const cli::GateReport& report) { return TextReport(report, {.color = false, .width = 80}); }
std::string Colored(const cli::GateReport& report) { return TextReport(report, {.color = true, .width = 120}); }
std::string Html(const cli::GateReport& report) { return HtmlReport(report); }

const std::vector<Golden>& Goldens() {
  static const std::vector<Golden> kGoldens = {
      {"go.txt", testing::Go, Text},
      {"go.xml", testing::Go, JunitReport},
      {"go.md", testing::Go, MarkdownReport},
      {"go_with_waivers.txt", testing::GoWithWaivers, Text},
      {"go_with_waivers.xml", testing::GoWithWaivers, JunitReport},
      {"go_with_waivers.html", testing::GoWithWaivers, Html},
      {"no_go.txt", testing::NoGo, Text},
      {"no_go_80.txt", testing::NoGo, Narrow},
      {"no_go_color.txt", testing::NoGo, Colored},
      {"no_go.json", testing::NoGo, JsonReport},
      {"no_go.xml", testing::NoGo, JunitReport},
      {"no_go.md", testing::NoGo, MarkdownReport},
      {"no_go.html", testing::NoGo, Html},
      {"no_go.annotations", testing::NoGo, GithubAnnotations},
      {"prober_unreachable.txt", testing::InconclusiveProber, Text},
      {"prober_unreachable.xml", testing::InconclusiveProber, JunitReport},
      {"deadline.txt", testing::InconclusiveDeadline, Text},
      {"deadline.xml", testing::InconclusiveDeadline, JunitReport},
      {"deadline.md", testing::InconclusiveDeadline, MarkdownReport},
      {"filtered.txt", testing::Filtered, Text},
      {"filtered.json", testing::Filtered, JsonReport},
      {"filtered.xml", testing::Filtered, JunitReport},
      {"obligations.txt", testing::ObligationsLeft, Text},
      {"obligations.xml", testing::ObligationsLeft, JunitReport},
      {"obligations.html", testing::ObligationsLeft, Html},
      {"hostile.txt", testing::Hostile, Text},
      {"hostile.xml", testing::Hostile, JunitReport},
      {"hostile.md", testing::Hostile, MarkdownReport},
      {"hostile.html", testing::Hostile, Html},
      {"hostile.annotations", testing::Hostile, GithubAnnotations},
      {"schema.json", testing::Go, [](const cli::GateReport&) { return JsonReportSchema(); }},
  };
  return kGoldens;
}

class GoldenTest : public ::testing::TestWithParam<size_t> {};

TEST_P(GoldenTest, IsWordForWord) {
  const Golden& golden = Goldens()[GetParam()];
  const std::string path = testing::SourceFolder() + "/tests/golden/report/" + golden.file;
  const std::string written = golden.report(golden.gate().Build());
  if (update) {
    std::ofstream(path, std::ios::binary) << written;
    return;
  }
  const std::string expected = testing::ReadFile(path);
  ASSERT_FALSE(expected.empty()) << path << " is missing: run this with --update";
  EXPECT_EQ(written, expected) << path;
}

INSTANTIATE_TEST_SUITE_P(Reports, GoldenTest, ::testing::Range<size_t>(0, Goldens().size()),
                         [](const ::testing::TestParamInfo<size_t>& info) {
                           std::string name = Goldens()[info.param].file;
                           for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
                           return name;
                         });

}  // namespace
}  // namespace puckdrop::report

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--update") == 0) puckdrop::report::update = true;
  }
  return RUN_ALL_TESTS();
}
