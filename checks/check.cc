#include "checks/check.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace puckdrop::checks {
namespace {

std::string Number(double value, const std::string& unit) {
  std::string text = absl::StrFormat("%.1f", value);
  if (value == static_cast<double>(static_cast<int64_t>(value))) text = absl::StrCat(static_cast<int64_t>(value));
  return unit.empty() ? text : absl::StrCat(text, " ", unit);
}

}  // namespace

v1::Finding MakeFinding(std::string id, std::string text, std::string expected, std::string actual, std::string where) {
  v1::Finding finding;
  finding.set_id(std::move(id));
  finding.set_text(std::move(text));
  finding.set_expected(std::move(expected));
  finding.set_actual(std::move(actual));
  finding.set_where(std::move(where));
  return finding;
}

Judgement Passed(std::string summary) {
  Judgement judgement;
  judgement.outcome = v1::OUTCOME_PASSED;
  judgement.summary = std::move(summary);
  return judgement;
}

Judgement Failed(std::string id, std::string text, std::string expected, std::string actual, std::string where,
                 v1::FailureReason reason) {
  Judgement judgement;
  judgement.outcome = v1::OUTCOME_FAILED;
  judgement.reason = reason;
  judgement.summary = text;
  judgement.findings.push_back(
      MakeFinding(std::move(id), std::move(text), std::move(expected), std::move(actual), std::move(where)));
  return judgement;
}

Judgement FailedIfAny(std::vector<v1::Finding> findings, std::string summary, v1::FailureReason reason) {
  if (findings.empty()) return Passed(std::move(summary));
  Judgement judgement;
  judgement.outcome = v1::OUTCOME_FAILED;
  judgement.reason = reason;
  judgement.summary = findings.front().text();
  judgement.findings = std::move(findings);
  return judgement;
}

Judgement Skipped(v1::SkipCause cause, std::string summary) {
  Judgement judgement;
  judgement.outcome = v1::OUTCOME_SKIPPED;
  judgement.skip_cause = cause;
  judgement.summary = std::move(summary);
  return judgement;
}

Judgement Inconclusive(std::string summary, v1::FailureReason reason) {
  Judgement judgement;
  judgement.outcome = v1::OUTCOME_INCONCLUSIVE;
  judgement.reason = reason;
  judgement.summary = std::move(summary);
  return judgement;
}

Judgement AgainstThresholds(double value, const v1::Thresholds& thresholds, const std::string& what,
                            const std::string& finding_id, v1::FailureReason reason) {
  const std::string& unit = thresholds.unit();
  const std::string measured = Number(value, unit);
  Judgement judgement;
  if (thresholds.has_fail() && value > thresholds.fail()) {
    const std::string limit = Number(thresholds.fail(), unit);
    judgement = Failed(finding_id, absl::StrCat(what, " ", measured, ", the limit is ", limit),
                       absl::StrCat("at most ", limit), measured, "", reason);
  } else {
    judgement = Passed(absl::StrCat(what, " ", measured));
    if (thresholds.has_warn() && value > thresholds.warn()) {
      judgement.warning = true;
      judgement.summary = absl::StrCat(what, " ", measured, ", more than the ", Number(thresholds.warn(), unit),
                                       " that was hoped for");
    }
  }
  judgement.observed_value = value;
  judgement.unit = unit;
  return judgement;
}

v1::CheckDescription Describe(const CheckInfo& info) {
  v1::CheckDescription description;
  description.set_check(info.id);
  description.set_path(info.path);
  description.set_sentence(info.sentence);
  description.set_question(info.question);
  description.set_severity(info.severity);
  description.set_stage(info.stage);
  for (const std::string& operation : info.operations) description.add_operations(operation);
  for (const std::string& check : info.stands_on) description.add_stands_on(check);
  for (const std::string& field : info.needs_told) description.add_needs_told(field);
  if (info.warn) description.mutable_thresholds()->set_warn(*info.warn);
  if (info.fail) description.mutable_thresholds()->set_fail(*info.fail);
  description.mutable_thresholds()->set_unit(info.unit);
  description.set_source(info.source);
  description.set_runbook(info.runbook);
  description.set_own_account(info.own_account);
  description.set_per_launch(info.per_launch);
  description.set_watch(info.watch);
  return description;
}

}  // namespace puckdrop::checks
