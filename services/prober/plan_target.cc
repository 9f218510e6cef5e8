// The parts that the operations of one plan stand on: one HTTP client and one expression process for the prober, and
// for each run its own limits, secrets and memory.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/plan/settings.h"
#include "checks/target/http/curl_http_client.h"
#include "checks/target/http/limiter.h"
#include "checks/target/http/redactor.h"
#include "checks/target/jq/pool.h"
#include "checks/target/run_memory.h"
#include "checks/target/target_plan.h"
#include "services/prober/target_operations.h"

namespace puckdrop::prober {
namespace {

// The tool's own manners where the plan has none.
constexpr double kRequestsPerSecond = 20;
constexpr int kInFlight = 8;
constexpr double kMediaRequestsPerSecond = 50;
constexpr double kOrdersPerHour = 60;
// A share of nothing: the limiter reads zero as "no limit", so this is a limit whose turn never comes twice.
constexpr double kNearlyNothing = 1e-9;

http::LimitSettings LimitsOf(const v1::Plan& plan, const v1::LimitShare* share) {
  const v1::Plan::Limits& limits = plan.target().limits();
  http::LimitSettings settings;
  settings.requests_per_second = limits.has_requests_per_second() ? limits.requests_per_second() : kRequestsPerSecond;
  settings.in_flight = limits.has_in_flight() ? limits.in_flight() : kInFlight;
  settings.media_requests_per_second =
      limits.has_media_requests_per_second() ? limits.media_requests_per_second() : kMediaRequestsPerSecond;
  settings.orders_per_hour = limits.has_orders_per_hour() ? limits.orders_per_hour() : kOrdersPerHour;
  if (limits.has_bytes_per_run()) settings.bytes_per_run = limits.bytes_per_run();
  if (limits.has_money_per_run()) {
    settings.money_minor_units[limits.money_per_run().currency_code()] = limits.money_per_run().minor_units();
  }
  if (share != nullptr) {
    settings.requests_per_second = std::max(share->requests_per_second(), kNearlyNothing);
    settings.in_flight = std::max(share->in_flight(), 1);
    settings.media_requests_per_second = std::max(share->media_requests_per_second(), kNearlyNothing);
    settings.orders_per_hour = std::max(share->orders_per_hour(), kNearlyNothing);
    if (share->media_bytes() > 0) settings.bytes_per_run = share->media_bytes();
  }
  return settings;
}

class CountingClient final : public http::HttpClient {
 public:
  CountingClient(std::unique_ptr<http::HttpClient> inner, OnRequest on_request)
      : inner_(std::move(inner)), on_request_(std::move(on_request)) {}

  awaitable<http::HttpAnswer> Fetch(http::HttpRequest request) override {
    http::HttpAnswer answer = co_await inner_->Fetch(std::move(request));
    if (on_request_) {
      on_request_(answer.status >= 100 && answer.status < 600 ? absl::StrCat(answer.status / 100, "xx") : "none");
    }
    co_return answer;
  }

 private:
  std::unique_ptr<http::HttpClient> inner_;
  OnRequest on_request_;
};

class PlanTarget;

class PlanRun final : public TargetRun {
 public:
  PlanRun(PlanTarget& target, const std::string& run, std::string pilot_key);

  checks::OperationPort& operations() override { return port_; }
  media::Player* player() override { return player_.get(); }
  void SetLimits(const v1::LimitShare* share) override;

 private:
  PlanTarget& target_;
  http::Redactor redactor_;
  http::Limiter limiter_;
  target::RunMemory memory_;
  target::Operations operations_;
  TargetOperations port_;
  std::shared_ptr<media::Player> player_;
};

class PlanTarget final : public TargetPort {
 public:
  PlanTarget(PlanTargetOptions options, std::shared_ptr<const target::TargetPlan> plan)
      : options_(std::move(options)),
        plan_(std::move(plan)),
        client_(std::make_unique<http::CurlHttpClient>(*options_.loop, *options_.clock), options_.on_request),
        expressions_(target::MakeExpressionPool(*options_.loop, *plan_)) {}

  absl::StatusOr<std::unique_ptr<TargetRun>> OpenRun(const std::string& run) override {
    absl::StatusOr<std::string> pilot_key = PilotKey();
    if (!pilot_key.ok()) return pilot_key.status();
    return std::make_unique<PlanRun>(*this, run, *pilot_key);
  }

  absl::StatusOr<std::string> PilotKey() override {
    if (!options_.plan->target().has_pilot_key()) return std::string();
    return Secret(options_.plan->target().pilot_key(), "target.pilot_key");
  }

  absl::StatusOr<std::vector<std::string>> StandingPasswords(const std::string& customer) override {
    std::vector<std::string> passwords;
    const v1::Plan::Customer* of_plan = plan::FindCustomer(*options_.plan, customer);
    if (of_plan == nullptr) return absl::NotFoundError(absl::StrCat("the plan has no customer ", customer));
    for (const v1::Plan::Account& account : of_plan->accounts()) {
      absl::StatusOr<std::string> password =
          Secret(account.password(), absl::StrCat("the password of customer ", customer));
      if (!password.ok()) return password.status();
      passwords.push_back(*std::move(password));
    }
    return passwords;
  }

  const PlanTargetOptions& options() const { return options_; }
  const std::shared_ptr<const target::TargetPlan>& plan() const { return plan_; }
  http::HttpClient& client() { return client_; }
  jq::ExpressionPool& expressions() { return *expressions_; }

 private:
  absl::StatusOr<std::string> Secret(const v1::Secret& secret, const std::string& what) const {
    absl::StatusOr<std::string> value = options_.secrets(secret);
    if (value.ok()) return value;
    return absl::FailedPreconditionError(absl::StrCat(what, ": ", std::string(value.status().message())));
  }

  const PlanTargetOptions options_;
  const std::shared_ptr<const target::TargetPlan> plan_;
  CountingClient client_;
  std::unique_ptr<jq::ExpressionPool> expressions_;
};

PlanRun::PlanRun(PlanTarget& target, const std::string& run, std::string pilot_key)
    : target_(target),
      limiter_(*target.options().loop, *target.options().clock, LimitsOf(*target.options().plan, nullptr)),
      operations_(target::Operations::Ports{.loop = *target.options().loop,
                                            .clock = *target.options().clock,
                                            .http = target.client(),
                                            .limiter = limiter_,
                                            .redactor = redactor_,
                                            .expressions = target.expressions(),
                                            .memory = memory_},
                  target.plan(), target::Operations::RunOptions{.run_id = run}),
      port_(operations_, redactor_, *target.options().plan, pilot_key) {
  if (!pilot_key.empty()) redactor_.AddSecret(pilot_key, "PILOT_KEY");
  if (target.options().make_player) {
    player_ = target.options().make_player(
        PlayerParts{.loop = *target.options().loop,
                    .clock = *target.options().clock,
                    .http = target.client(),
                    .limiter = limiter_,
                    .redactor = redactor_,
                    .host_rules = target.plan()->host_rules(),
                    .memory = memory_,
                    .host_settings = [this](const std::string& host) { return operations_.HostSettingsOf(host); }});
  }
}

void PlanRun::SetLimits(const v1::LimitShare* share) { limiter_.Update(LimitsOf(*target_.options().plan, share)); }

}  // namespace

absl::StatusOr<std::shared_ptr<TargetPort>> MakePlanTarget(PlanTargetOptions options) {
  absl::StatusOr<std::shared_ptr<const target::TargetPlan>> plan =
      target::TargetPlan::Make(options.plan, options.secrets);
  if (!plan.ok()) return plan.status();
  return std::make_shared<PlanTarget>(std::move(options), *std::move(plan));
}

}  // namespace puckdrop::prober
