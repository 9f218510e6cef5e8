// A plan made ready to be performed: names resolved, expressions numbered, addresses known.
#ifndef PUCKDROP_CHECKS_TARGET_TARGET_PLAN_H_
#define PUCKDROP_CHECKS_TARGET_TARGET_PLAN_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "checks/target/http/host_rules.h"
#include "checks/target/jq/program.h"
#include "puckdrop/v1/plan.pb.h"

namespace puckdrop::target {

struct Compiled;

// Gives a secret's value, or why it is not there. Called on the loop's thread when the value is needed.
using SecretSource = std::function<absl::StatusOr<std::string>(const puckdrop::v1::Secret&)>;

// Immutable; shared by all Operations over one plan.
class TargetPlan {
 public:
  // The plan must have passed checks/plan; what it would have refused gives INVALID_ARGUMENT with a plan position here.
  static absl::StatusOr<std::shared_ptr<const TargetPlan>> Make(std::shared_ptr<const puckdrop::v1::Plan> plan,
                                                                SecretSource secrets);
  ~TargetPlan();

  const puckdrop::v1::Plan& plan() const { return *plan_; }
  // What the plan's hosts cover; media requests must ask it too.
  const http::HostRules& host_rules() const { return host_rules_; }
  std::shared_ptr<const jq::ProgramSet> programs() const { return programs_; }
  // "plan.yaml:12:9".
  std::string Where(const puckdrop::v1::SourcePosition& position) const;

  const Compiled& compiled() const { return *compiled_; }
  const SecretSource& secrets() const { return secrets_; }

 private:
  TargetPlan();
  std::shared_ptr<const puckdrop::v1::Plan> plan_;
  SecretSource secrets_;
  http::HostRules host_rules_;
  std::shared_ptr<const jq::ProgramSet> programs_;
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace puckdrop::target

#endif  // PUCKDROP_CHECKS_TARGET_TARGET_PLAN_H_
