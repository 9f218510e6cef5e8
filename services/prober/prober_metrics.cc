#include "services/prober/prober_metrics.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "checks/plan/settings.h"
#include "services/prober/settings.h"
#include "services/runtime/proto_time.h"

namespace puckdrop::prober {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using runtime::FamilyBuilder;
using runtime::Labels;

constexpr const char* kOutcomeWords[] = {"passed", "failed", "blocked", "inconclusive", "skipped"};
constexpr v1::Outcome kOutcomeValues[] = {v1::OUTCOME_PASSED, v1::OUTCOME_FAILED, v1::OUTCOME_BLOCKED,
                                          v1::OUTCOME_INCONCLUSIVE, v1::OUTCOME_SKIPPED};
constexpr const char* kCodeClasses[] = {"1xx", "2xx", "3xx", "4xx", "5xx", "none"};

const std::vector<double>& DurationBounds() {
  static const auto& bounds = *new std::vector<double>{.05, .1, .25, .5, 1, 2, 5, 10, 30, 60, 300};
  return bounds;
}

std::string ReasonWord(v1::FailureReason reason) {
  return absl::AsciiStrToLower(absl::StripPrefix(v1::FailureReason_Name(reason), "FAILURE_REASON_"));
}

double Seconds(absl::Time time) { return absl::ToDoubleSeconds(time - absl::UnixEpoch()); }

}  // namespace

ProberMetrics::ProberMetrics(std::shared_ptr<const v1::Plan> plan, const std::string& path_word,
                             const std::vector<checks::CheckDefinition>& checks, absl::Time now,
                             absl::Duration deadline)
    : plan_(std::move(plan)), launch_(plan_->launch().id()), path_(path_word), heartbeat_(now) {
  Fill(checks, now, deadline);
  for (const char* code_class : kCodeClasses) requests_[code_class] = 0;
}

void ProberMetrics::Fill(const std::vector<checks::CheckDefinition>& checks, absl::Time now, absl::Duration deadline) {
  for (const checks::CheckDefinition& check : checks) {
    PerCheck& per_check = checks_[check.info.id];
    const v1::Plan::CheckSettings settings = plan::SettingsFor(*plan_, check.info.id);
    per_check.own_pace = settings.has_every() || settings.has_max_age();
    per_check.durations.resize(DurationBounds().size() + 1);
    for (int reason = 1; reason < v1::FailureReason_ARRAYSIZE; ++reason) {
      if (v1::FailureReason_IsValid(reason)) per_check.failures.try_emplace(static_cast<v1::FailureReason>(reason), 0);
    }
    const auto add = [&](const std::string& customer, const std::string& device, const std::string& market) {
      Series& series = series_[{check.info.id, customer}];
      series.labels = {{"launch", launch_},    {"path", path_},    {"check", check.info.id},
                       {"customer", customer}, {"device", device}, {"market", market}};
      if (series.last_run == absl::UnixEpoch()) series.max_age = MaxAge(*plan_, check.info, now, deadline);
    };
    if (check.info.per_launch) {
      add("any", "any", "any");
      continue;
    }
    for (const v1::Plan::Customer& customer : plan_->customers()) {
      add(customer.id(), customer.device(), customer.market());
    }
  }
}

void ProberMetrics::Replace(std::shared_ptr<const v1::Plan> plan, const std::vector<checks::CheckDefinition>& checks,
                            absl::Time now, absl::Duration deadline) {
  std::lock_guard<std::mutex> lock(mutex_);
  plan_ = std::move(plan);
  launch_ = plan_->launch().id();
  // A customer that is gone must not stay behind as a series that never changes.
  std::erase_if(series_, [&](const auto& entry) {
    const std::string& customer = entry.first.second;
    return customer != "any" && plan::FindCustomer(*plan_, customer) == nullptr;
  });
  Fill(checks, now, deadline);
}

void ProberMetrics::Record(const v1::Result& result, absl::Duration max_age, absl::Duration limit, bool watch) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto found = series_.find({result.check(), result.customer()});
  if (found == series_.end()) return;
  Series& series = found->second;
  for (int i = 0; i < kOutcomes; ++i) {
    if (result.outcome() == kOutcomeValues[i]) ++series.runs[static_cast<size_t>(i)];
  }
  series.last_run = runtime::FromTimestamp(result.end_time());
  series.max_age = max_age;
  series.limit = limit;
  series.watch = watch;
  if (result.outcome() == v1::OUTCOME_SKIPPED) {
    series.success = std::nullopt;
    series.observed = std::nullopt;
    return;
  }
  const bool passed = result.outcome() == v1::OUTCOME_PASSED;
  series.success = passed ? 1 : 0;
  if (passed) {
    series.last_success = series.last_run;
    series.consecutive_failures = 0;
  } else if (result.outcome() == v1::OUTCOME_FAILED) {
    // A confirmed failure was looked at twice, the second time at once: as proven as two of a pace.
    series.consecutive_failures += result.confirmed() ? 2 : 1;
  }
  series.observed = result.has_observed_value() ? std::optional<double>(result.observed_value()) : std::nullopt;

  PerCheck& per_check = checks_[result.check()];
  if (result.outcome() == v1::OUTCOME_FAILED || result.outcome() == v1::OUTCOME_INCONCLUSIVE) {
    if (auto reason = per_check.failures.find(result.reason()); reason != per_check.failures.end()) ++reason->second;
  }
  if (result.outcome() == v1::OUTCOME_BLOCKED) return;
  const double took = absl::ToDoubleSeconds(runtime::FromProtoDuration(result.duration()));
  const std::vector<double>& bounds = DurationBounds();
  const auto bucket = static_cast<size_t>(std::lower_bound(bounds.begin(), bounds.end(), took) - bounds.begin());
  ++per_check.durations[bucket];
  per_check.duration_sum += took;
}

void ProberMetrics::CountRequest(const std::string& code_class) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto found = requests_.find(code_class);
  ++(found == requests_.end() ? requests_["none"] : found->second);
}

void ProberMetrics::Beat(absl::Time now) {
  std::lock_guard<std::mutex> lock(mutex_);
  heartbeat_ = now;
  const plan::Pace pace = plan::PaceAt(*plan_, now - runtime::FromTimestamp(plan_->launch().puck_drop()));
  for (auto& [key, series] : series_) {
    if (series.limit == absl::ZeroDuration() || checks_[key.first].own_pace) continue;
    const std::optional<absl::Duration>& interval = series.watch ? pace.watch_every : pace.journeys_every;
    if (interval) series.max_age = std::max(series.max_age, 3 * *interval + 2 * series.limit);
  }
}

std::vector<MetricFamily> ProberMetrics::CollectLocked() const {
  FamilyBuilder success("puckdrop_check_success", "1 if the last completed run passed; absent while skipped.",
                        MetricType::Gauge);
  FamilyBuilder consecutive("puckdrop_check_consecutive_failures", "Failed runs in a row; only a pass resets it.",
                            MetricType::Gauge);
  FamilyBuilder runs("puckdrop_check_runs_total", "Completed runs by outcome.", MetricType::Counter);
  FamilyBuilder last_run("puckdrop_check_last_run_timestamp_seconds", "When the last run completed; 0: never.",
                         MetricType::Gauge);
  FamilyBuilder last_success("puckdrop_check_last_success_timestamp_seconds", "When it last passed; 0: never.",
                             MetricType::Gauge);
  FamilyBuilder max_age("puckdrop_check_max_age_seconds", "A result older than this counts for nothing.",
                        MetricType::Gauge);
  FamilyBuilder observed("puckdrop_check_observed_value", "The measured number, in the check's own unit.",
                         MetricType::Gauge);
  for (const auto& [key, series] : series_) {
    if (series.success) success.Add(series.labels, *series.success);
    consecutive.Add(series.labels, series.consecutive_failures);
    for (size_t i = 0; i < kOutcomes; ++i) {
      Labels labels = series.labels;
      labels.emplace_back("outcome", kOutcomeWords[i]);
      runs.Add(labels, static_cast<double>(series.runs[i]));
    }
    last_run.Add(series.labels, Seconds(series.last_run));
    last_success.Add(series.labels, Seconds(series.last_success));
    max_age.Add(series.labels, absl::ToDoubleSeconds(series.max_age));
    if (series.observed) observed.Add(series.labels, *series.observed);
  }
  FamilyBuilder duration("puckdrop_check_duration_seconds", "How long judging took.", MetricType::Histogram);
  FamilyBuilder failures("puckdrop_check_failures_total", "Failed and inconclusive runs by reason.",
                         MetricType::Counter);
  for (const auto& [check, per_check] : checks_) {
    duration.AddHistogram({{"launch", launch_}, {"path", path_}, {"check", check}}, DurationBounds(),
                          per_check.durations, per_check.duration_sum);
    for (const auto& [reason, count] : per_check.failures) {
      failures.Add({{"launch", launch_}, {"path", path_}, {"check", check}, {"reason", ReasonWord(reason)}},
                   static_cast<double>(count));
    }
  }
  FamilyBuilder heartbeat("puckdrop_prober_heartbeat_timestamp_seconds", "When its event loop last turned.",
                          MetricType::Gauge);
  heartbeat.Add({{"launch", launch_}, {"path", path_}}, Seconds(heartbeat_));
  FamilyBuilder requests("puckdrop_target_requests_total", "Requests sent to the target by class of answer.",
                         MetricType::Counter);
  for (const auto& [code_class, count] : requests_) {
    requests.Add({{"launch", launch_}, {"path", path_}, {"code_class", code_class}}, static_cast<double>(count));
  }

  std::vector<MetricFamily> all;
  for (FamilyBuilder* family : {&success, &consecutive, &runs, &last_run, &last_success, &max_age, &observed, &duration,
                                &failures, &heartbeat, &requests}) {
    if (!family->empty()) all.push_back(std::move(*family).Build());
  }
  return all;
}

}  // namespace puckdrop::prober
