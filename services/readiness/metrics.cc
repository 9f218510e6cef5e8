#include "services/readiness/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "checks/plan/settings.h"

namespace puckdrop::readiness {

using prometheus::MetricType;
using runtime::FamilyBuilder;
using runtime::Labels;

ReadinessMetrics::ReadinessMetrics(std::shared_ptr<const Subject> subject, const runtime::Clock* clock)
    : clock_(clock), subject_(std::move(subject)), updated_(clock == nullptr ? absl::Duration() : clock->Monotonic()) {
  VerdictInput input = InputOf(*subject_, ExpectedInstances(*subject_), false);
  input.now = absl::UnixEpoch();
  // Nothing is known yet, so a waiver may still turn out to hold: it is not counted as expired.
  verdict_ = ComputeVerdict(input);
}

void ReadinessMetrics::Update(std::shared_ptr<const Subject> subject, const v1::Verdict& verdict) {
  std::lock_guard<std::mutex> lock(mutex_);
  subject_ = std::move(subject);
  verdict_ = verdict;
  if (clock_ != nullptr) updated_ = clock_->Monotonic();
}

Labels ReadinessMetrics::InstanceLabels(const v1::InstanceStanding& instance) const {
  const v1::Plan::Customer* customer = plan::FindCustomer(subject_->plan, instance.customer());
  return {{"path", PathName(instance.path())},
          {"check", instance.check()},
          {"customer", instance.customer()},
          {"device", customer == nullptr ? kAnyCustomer : customer->device()},
          {"market", customer == nullptr ? kAnyCustomer : customer->market()},
          {"launch", subject_->plan.launch().id()}};
}

std::vector<prometheus::MetricFamily> ReadinessMetrics::CollectLocked() const {
  const v1::Plan& plan = subject_->plan;
  const std::string& launch = plan.launch().id();

  FamilyBuilder expected("puckdrop_check_expected", "1 for each instance the verdict needs", MetricType::Gauge);
  FamilyBuilder waived("puckdrop_check_waived", "1 while a waiver that holds covers the instance or its root",
                       MetricType::Gauge);
  for (const v1::InstanceStanding& instance : verdict_.instances()) {
    // The verdict needs what can stop the launch.
    if (instance.severity() != v1::SEVERITY_BLOCKING || instance.standing() == v1::STANDING_NOT_ASKED) continue;
    const Labels labels = InstanceLabels(instance);
    expected.Add(labels, 1);
    if (instance.standing() == v1::STANDING_WAIVED) waived.Add(labels, 1);
  }

  FamilyBuilder info("puckdrop_check_info", "Words for a check", MetricType::Gauge);
  for (const v1::CheckDescription& check : subject_->catalogue) {
    const v1::Severity set = plan::SettingsFor(plan, check.check()).severity();
    const v1::Severity severity = set == v1::SEVERITY_UNSPECIFIED ? check.severity() : set;
    info.Add({{"path", PathName(check.path())},
              {"check", check.check()},
              {"severity", severity == v1::SEVERITY_BLOCKING ? "blocking" : "advisory"},
              {"runbook", check.runbook()},
              {"launch", launch}},
             1);
  }

  FamilyBuilder share("puckdrop_customer_audience_share", "Share of the audience a pilot customer stands for, 0 to 1",
                      MetricType::Gauge);
  for (const v1::Plan::Customer& customer : plan.customers()) {
    share.Add(
        {{"customer", customer.id()}, {"device", customer.device()}, {"market", customer.market()}, {"launch", launch}},
        customer.audience_share());
  }

  FamilyBuilder verdict("puckdrop_verdict",
                        "2 GO (with or without waivers), 1 INCONCLUSIVE, 0 NO_GO; path all is the launch",
                        MetricType::Gauge);
  FamilyBuilder affected("puckdrop_audience_affected_ratio", "Share of the audience with a blocking failure, 0 to 1",
                         MetricType::Gauge);
  FamilyBuilder vantages("puckdrop_vantages_required", "How many vantages must pass", MetricType::Gauge);
  const int names = plan.vantages().names_size();
  const int required = plan.vantages().has_required() ? plan.vantages().required() : (names > 0 ? names : 1);
  const bool holds = clock_ == nullptr || clock_->Monotonic() - updated_ <= kVerdictHolds;
  // A failure that was proven stays proven; green is what nobody vouches for any more.
  const auto number = [holds](v1::VerdictState state) {
    return holds ? VerdictNumber(state) : std::min(VerdictNumber(state), 1);
  };
  verdict.Add({{"path", "all"}, {"launch", launch}}, number(verdict_.state()));
  affected.Add({{"path", "all"}, {"launch", launch}}, verdict_.audience_affected());
  for (const v1::PathVerdict& path : verdict_.paths()) {
    const std::string name = PathName(path.path());
    vantages.Add({{"path", name}, {"launch", launch}}, required);
    // A path that is left out has no verdict: a tile without data is not a tile on hold.
    if (path.left_out()) continue;
    verdict.Add({{"path", name}, {"launch", launch}}, number(path.state()));
    affected.Add({{"path", name}, {"launch", launch}}, path.audience_affected());
  }

  FamilyBuilder promises("puckdrop_promise_kept", "1 kept, 0 broken, NaN not known", MetricType::Gauge);
  for (const v1::PromiseState& promise : verdict_.promises()) {
    promises.Add({{"promise", promise.promise()}, {"launch", launch}}, promise.state() == v1::PromiseState::KEPT ? 1
                                                                       : promise.state() == v1::PromiseState::BROKEN
                                                                           ? 0
                                                                           : std::numeric_limits<double>::quiet_NaN());
  }

  int honoured = 0, expired = 0, unannounced = 0;
  for (const v1::WaiverState& waiver : verdict_.waivers()) {
    honoured += waiver.state() == v1::WaiverState::HONOURED;
    expired += waiver.state() == v1::WaiverState::EXPIRED;
    unannounced += waiver.state() == v1::WaiverState::UNANNOUNCED || waiver.state() == v1::WaiverState::UNREACHABLE;
  }
  FamilyBuilder waivers("puckdrop_waivers", "Waivers of the plan by whether they hold", MetricType::Gauge);
  waivers.Add({{"state", "honoured"}, {"launch", launch}}, honoured);
  waivers.Add({{"state", "expired"}, {"launch", launch}}, expired);
  waivers.Add({{"state", "unannounced"}, {"launch", launch}}, unannounced);

  FamilyBuilder open("puckdrop_obligations_open", "Things we still owe the target", MetricType::Gauge);
  open.Add({{"launch", launch}}, verdict_.obligations_open());
  FamilyBuilder drop("puckdrop_puck_drop_timestamp_seconds", "When the launch starts", MetricType::Gauge);
  drop.Add({{"launch", launch}}, static_cast<double>(plan.launch().puck_drop().seconds()));

  std::vector<prometheus::MetricFamily> families;
  for (FamilyBuilder* builder :
       {&expected, &waived, &info, &share, &verdict, &affected, &vantages, &promises, &waivers, &open, &drop}) {
    if (!builder->empty()) families.push_back(std::move(*builder).Build());
  }
  return families;
}

}  // namespace puckdrop::readiness
