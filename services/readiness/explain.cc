#include "services/readiness/explain.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/readiness/verdict.h"
#include "services/runtime/proto_time.h"
#include "services/runtime/status_convert.h"

namespace puckdrop::readiness {
namespace {

bool IsRed(v1::Standing standing) { return standing == v1::STANDING_FAILED || standing == v1::STANDING_WAIVED; }

const v1::InstanceStanding* FindInstance(const v1::Verdict& verdict, const std::string& check,
                                         const std::string& customer) {
  for (const v1::InstanceStanding& instance : verdict.instances()) {
    if (instance.check() == check && (instance.customer() == customer || instance.customer() == kAnyCustomer)) {
      return &instance;
    }
  }
  return nullptr;
}

// What is different between the last time it passed and now.
std::vector<std::string> Changed(const v1::InstanceStanding& instance, const v1::Result& green,
                                 const v1::Verdict& verdict) {
  std::vector<std::string> changed;
  if (!green.plan_digest().empty() && green.plan_digest() != verdict.plan_digest()) {
    changed.push_back(
        absl::StrCat("the plan: it passed under ", green.plan_digest(), ", now it is ", verdict.plan_digest()));
  }
  if (!green.configuration().empty() && !verdict.configuration().empty() &&
      green.configuration() != verdict.configuration()) {
    changed.push_back(absl::StrCat("the target's configuration: it passed under ", green.configuration(),
                                   ", now it is ", verdict.configuration()));
  }
  const v1::Result& now = instance.result();
  if (instance.has_result() && now.vantage() != green.vantage() && !green.vantage().empty()) {
    changed.push_back(
        absl::StrCat("the place: it passed from ", green.vantage(), ", this was seen from ", now.vantage()));
  }
  if (now.has_observed_value() && green.has_observed_value() && now.observed_value() != green.observed_value()) {
    changed.push_back(absl::StrCat("what was measured: ", green.observed_value(), " ", green.unit(), " then, ",
                                   now.observed_value(), " ", now.unit(), " now"));
  }
  // What else the same customer has had fail: an earlier step is often behind a later one.
  std::vector<std::string> others;
  for (const v1::InstanceStanding& other : verdict.instances()) {
    if (other.customer() == instance.customer() && other.check() != instance.check() &&
        other.standing() == v1::STANDING_FAILED && other.root().empty()) {
      others.push_back(other.check());
    }
  }
  if (!others.empty() && IsRed(instance.standing())) {
    std::string list = others.front();
    for (size_t i = 1; i < others.size() && i < 4; ++i) absl::StrAppend(&list, ", ", others[i]);
    if (others.size() > 4) absl::StrAppend(&list, " and ", others.size() - 4, " more");
    changed.push_back(absl::StrCat("for the same customer these fail too: ", list));
  }
  return changed;
}

absl::Status FromArchive(Archive& archive, const v1::Verdict& verdict, const v1::InstanceStanding& instance,
                         v1::ExplainCheckResponse::Explanation& out) {
  absl::StatusOr<std::optional<v1::Result>> green = archive.LastGreen(instance.check(), instance.customer());
  if (!green.ok()) return green.status();
  if (green->has_value()) {
    *out.mutable_last_green_time() = (*green)->end_time();
    for (std::string& words : Changed(instance, **green, verdict)) out.add_changed(std::move(words));
  }
  if (!IsRed(instance.standing()) || !instance.has_result()) return absl::OkStatus();
  if (!instance.result().findings().empty()) {
    absl::StatusOr<std::vector<v1::Result>> similar =
        archive.Similar(instance.check(), instance.customer(), instance.result().findings(0).id(), kMostSimilar);
    if (!similar.ok()) return similar.status();
    for (v1::Result& result : *similar) *out.add_similar() = std::move(result);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::ExplainCheckResponse> Explain(const v1::ExplainCheckRequest& request, const v1::Verdict& verdict,
                                                 const v1::CheckDescription& description, Archive* archive) {
  v1::ExplainCheckResponse response;
  *response.mutable_description() = description;
  response.set_time_zone(verdict.time_zone());
  std::map<std::string, double> hit;
  std::set<std::string> customers;
  std::vector<const v1::InstanceStanding*> wanted;
  // The verdict has them worst first.
  for (const v1::InstanceStanding& instance : verdict.instances()) {
    if (instance.check() != request.check()) continue;
    customers.insert(instance.customer());
    if (IsRed(instance.standing())) hit[instance.customer()] = instance.audience_share();
    if (request.customer().empty() || request.customer() == instance.customer()) wanted.push_back(&instance);
  }
  if (wanted.empty()) {
    std::string who;
    for (const std::string& customer : customers) absl::StrAppend(&who, who.empty() ? "" : ", ", customer);
    return runtime::WithReason(
        absl::NotFoundError(customers.empty() ? absl::StrCat("the plan expects '", request.check(), "' of nobody")
                                              : absl::StrCat("'", request.check(), "' is not expected of '",
                                                             request.customer(), "'; it is of: ", who)),
        "UNKNOWN_INSTANCE", {{"check", request.check()}, {"customer", request.customer()}});
  }
  double share = 0;
  for (const auto& [customer, weight] : hit) share += weight;
  response.set_audience_affected(std::min(1.0, share));
  for (const v1::InstanceStanding* instance : wanted) {
    v1::ExplainCheckResponse::Explanation& out = *response.add_explanations();
    *out.mutable_instance() = *instance;
    if (instance->has_since()) {
      *out.mutable_since() = instance->since();
    } else if (instance->has_result()) {
      *out.mutable_since() = instance->result().start_time();
    }
    const std::string root = !instance->root().empty() ? instance->root() : instance->result().blocked_by();
    if (!root.empty() && root != instance->check()) {
      const v1::InstanceStanding* of = FindInstance(verdict, root, instance->customer());
      if (of != nullptr) *out.mutable_root() = *of;
    }
    if (archive == nullptr) continue;
    absl::Status told = FromArchive(*archive, verdict, *instance, out);
    if (!told.ok()) return told;
    if (instance->has_result() && !instance->result().evidence().empty()) {
      const auto& names = instance->result().evidence();
      absl::StatusOr<std::vector<v1::Evidence>> evidence =
          archive->DescribeEvidence(std::vector<std::string>(names.begin(), names.end()));
      if (!evidence.ok()) return evidence.status();
      for (v1::Evidence& one : *evidence) *out.add_evidence() = std::move(one);
    }
  }
  return response;
}

}  // namespace puckdrop::readiness
