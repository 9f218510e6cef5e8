// A history in a folder of its own, and things to put into it.
#ifndef PUCKDROP_TESTS_SERVICES_READINESS_HISTORY_SAMPLES_H_
#define PUCKDROP_TESTS_SERVICES_READINESS_HISTORY_SAMPLES_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/readiness/evidence_folder.h"
#include "services/readiness/history.h"
#include "services/runtime/proto_time.h"

namespace puckdrop::readiness {

class HistoryFixture : public ::testing::Test {
 protected:
  HistoryFixture() {
    char name[] = "/tmp/puckdrop-history-XXXXXX";
    base_ = mkdtemp(name);
    options_.directory = base_ + "/liiga";
    options_.launch = "liiga";
    options_.lock_timeout = absl::Milliseconds(100);
  }
  ~HistoryFixture() override { std::filesystem::remove_all(base_); }

  std::unique_ptr<History> Open() {
    auto history = History::Open(options_, clock_);
    EXPECT_TRUE(history.ok()) << history.status();
    return history.ok() ? std::move(*history) : nullptr;
  }

  // Ends now; a second passes with each.
  v1::Result Result(v1::Outcome outcome, const std::string& check = "billing.charged_once",
                    const std::string& customer = "sofa", const std::string& finding = "charged_twice") {
    clock_.Advance(absl::Seconds(1));
    v1::Result result;
    result.set_run(absl::StrCat("runs/r", ++count_));
    result.set_name(absl::StrCat(result.run(), "/results/", check, ":", customer));
    result.set_check(check);
    result.set_customer(customer);
    result.set_vantage("local");
    result.set_outcome(outcome);
    result.set_summary("customers are charged once, as the plan says, or else they are not");
    if (outcome == v1::OUTCOME_FAILED) result.add_findings()->set_id(finding);
    *result.mutable_end_time() = runtime::ToTimestamp(clock_.Now());
    return result;
  }
  v1::Result Passed() { return Result(v1::OUTCOME_PASSED); }
  v1::Result Failed(const std::string& finding = "charged_twice") {
    return Result(v1::OUTCOME_FAILED, "billing.charged_once", "sofa", finding);
  }

  static v1::Evidence EvidenceOf(const std::string& content) {
    v1::Evidence evidence;
    evidence.set_name(absl::StrCat("evidence/", absl::BytesToHexString(EvidenceFolder::DigestOf(content))));
    evidence.set_kind(v1::Evidence::KIND_NUMBERS);
    evidence.set_media_type("application/json");
    evidence.set_title("numbers");
    evidence.set_content(content);
    return evidence;
  }

  v1::Verdict Verdict(v1::VerdictState state, const std::vector<std::pair<std::string, v1::Standing>>& instances) {
    clock_.Advance(absl::Seconds(1));
    v1::Verdict verdict;
    verdict.set_launch("liiga");
    verdict.set_state(state);
    verdict.set_configuration("release-7");
    verdict.set_plan_digest("plan-1");
    *verdict.mutable_time() = runtime::ToTimestamp(clock_.Now());
    v1::PathVerdict* path = verdict.add_paths();
    path->set_path(v1::PATH_BILLING);
    path->set_state(state);
    for (const auto& [check, standing] : instances) {
      v1::InstanceStanding* instance = verdict.add_instances();
      instance->set_check(check);
      instance->set_customer("sofa");
      instance->set_standing(standing);
      instance->set_why("because");
      instance->mutable_result()->set_name("runs/r/results/" + check);
    }
    return verdict;
  }

  static std::vector<std::string> Names(const v1::ListResultsResponse& response) {
    std::vector<std::string> names;
    for (const v1::Result& result : response.results()) names.push_back(result.name());
    return names;
  }

  runtime::FakeClock clock_;
  HistoryOptions options_;
  std::string base_;
  int count_ = 0;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_TESTS_SERVICES_READINESS_HISTORY_SAMPLES_H_
