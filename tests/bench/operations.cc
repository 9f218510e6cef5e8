#include "tests/bench/operations.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "checks/registry.h"
#include "checks/target/http/curl_http_client.h"
#include "services/cli/plan_files.h"
#include "services/cli/players.h"
#include "services/prober/check_runner.h"
#include "services/prober/prober_metrics.h"
#include "services/prober/prober_service.h"
#include "services/prober/settings.h"
#include "services/prober/target_operations.h"

namespace puckdrop::bench {

namespace {

awaitable<absl::Status> FetchOnce(const runtime::Clock& clock, http::HttpClient& client, const std::string& url) {
  http::HttpRequest request;
  request.url = url;
  request.deadline = clock.Now() + absl::Seconds(30);
  http::HttpAnswer answer = co_await client.Fetch(std::move(request));
  if (!answer.ok()) co_return absl::UnavailableError(answer.message);
  if (answer.status != 200) co_return absl::InternalError(absl::StrCat("status ", answer.status));
  co_return absl::OkStatus();
}

// In place of the stream to readiness: remembers what ended badly.
class Verdict final : public prober::EventSink {
 public:
  void Push(v1::RunChecksEvent event) override {
    if (!event.has_result()) return;
    result_ = event.result().outcome() == v1::OUTCOME_PASSED ? absl::OkStatus()
                                                             : absl::InternalError(event.result().summary());
  }
  awaitable<absl::Status> Room() override { co_return absl::OkStatus(); }

  const absl::Status& result() const { return result_; }

 private:
  absl::Status result_ = absl::InternalError("no result came");
};

class RealChecks final : public Checks {
 public:
  RealChecks(runtime::EventLoop& loop, const runtime::Clock& clock, cli::LoadedPlan plan)
      : loop_(loop), clock_(clock), plan_(std::move(plan)) {}

  ~RealChecks() override {
    loop_.Invoke([this] {
      run_ = nullptr;
      target_ = nullptr;
    });
  }

  absl::Status Start() {
    const checks::CheckDefinition* offers = checks::FindCheck("ordering.offer_visible");
    // The registry has one check that reads one answer and needs no account: it runs under several names.
    for (int i = 0; i < kChecks; ++i) {
      checks_.push_back(*offers);
      if (i > 0) absl::StrAppend(&checks_.back().info.id, "_", i + 1);
    }
    metrics_ =
        std::make_shared<prober::ProberMetrics>(plan_.plan, "ordering", checks_, clock_.Now(), prober::kDefaultRun);
    prober::PlanTargetOptions options;
    options.loop = &loop_;
    options.clock = &clock_;
    options.plan = plan_.plan;
    options.secrets = [secrets = plan_.secrets](const v1::Secret& secret) -> absl::StatusOr<std::string> {
      absl::StatusOr<plan::SecretValue> value = secrets->Resolve(secret);
      if (!value.ok()) return value.status();
      return value->Reveal();
    };
    options.make_player = cli::PlayerMaker();
    options.on_request = [metrics = metrics_](const std::string& code_class) { metrics->CountRequest(code_class); };
    absl::Status started = absl::OkStatus();
    loop_.Invoke([&] {
      absl::StatusOr<std::shared_ptr<prober::TargetPort>> target = prober::MakePlanTarget(std::move(options));
      if (!target.ok()) {
        started = target.status();
        return;
      }
      target_ = *std::move(target);
      absl::StatusOr<std::unique_ptr<prober::TargetRun>> run = target_->OpenRun("bench");
      if (run.ok()) {
        run_ = *std::move(run);
      } else {
        started = run.status();
      }
    });
    return started;
  }

  OneOperation Operation() override {
    return [this] { return RunOnce(next_++ % instances()); };
  }

  int instances() const override { return kChecks * plan_.plan->customers_size(); }

 private:
  // As ProberService::HandleRunChecks does it.
  awaitable<absl::Status> RunOnce(int instance) {
    v1::RunChecksRequest request;
    request.set_run("bench");
    request.set_customer(plan_.plan->customers(instance / kChecks).id());
    request.set_stage(v1::STAGE_VISITOR);
    request.add_checks(checks_[static_cast<size_t>(instance % kChecks)].info.id);
    request.set_plan_digest(plan_.digest);

    const absl::Time begin = clock_.Now();
    const absl::Time deadline = begin + prober::kDefaultRun;
    absl::StatusOr<std::string> pilot_key = target_->PilotKey();
    if (!pilot_key.ok()) co_return pilot_key.status();
    absl::StatusOr<std::vector<std::string>> passwords = target_->StandingPasswords(request.customer());
    if (!passwords.ok()) co_return passwords.status();
    prober::RunnerParts parts;
    parts.loop = &loop_;
    parts.clock = &clock_;
    parts.plan = plan_.plan.get();
    parts.operations = &run_->operations();
    parts.player = run_->player();
    parts.checks = &checks_;
    parts.find_check = [](const std::string& id) { return checks::FindCheck(id); };
    parts.path = v1::PATH_ORDERING;
    parts.vantage = "bench";
    parts.pilot_key = *pilot_key;
    parts.standing_passwords = *passwords;
    parts.account_counter = &account_counters_[request.customer()];
    parts.on_result = [this, begin, deadline](const v1::Result& result, const checks::CheckDefinition& check) {
      metrics_->Record(result, prober::MaxAge(*plan_.plan, check.info, begin, deadline - begin));
    };
    prober::CheckRunner runner(std::move(parts), request, deadline);
    Verdict verdict;
    absl::Status ran = co_await runner.Run(verdict);
    if (!ran.ok()) co_return ran;
    co_return verdict.result();
  }

  runtime::EventLoop& loop_;
  const runtime::Clock& clock_;
  const cli::LoadedPlan plan_;
  std::vector<checks::CheckDefinition> checks_;
  std::shared_ptr<prober::ProberMetrics> metrics_;
  std::shared_ptr<prober::TargetPort> target_;
  std::unique_ptr<prober::TargetRun> run_;
  std::map<std::string, int> account_counters_;
  int next_ = 0;
};

}  // namespace

OneOperation MakeFetch(runtime::EventLoop& loop, const runtime::Clock& clock, const std::string& url) {
  auto client = std::make_shared<http::CurlHttpClient>(loop, clock);
  return [&clock, client, url]() -> awaitable<absl::Status> { return FetchOnce(clock, *client, url); };
}

absl::StatusOr<std::unique_ptr<Checks>> Checks::Make(runtime::EventLoop& loop, const runtime::Clock& clock,
                                                     const std::string& plan_file) {
  absl::StatusOr<cli::LoadedPlan> plan = cli::LoadPlan({.plan = plan_file});
  if (!plan.ok()) return plan.status();
  auto checks = std::make_unique<RealChecks>(loop, clock, *std::move(plan));
  if (absl::Status started = checks->Start(); !started.ok()) return started;
  return checks;
}

}  // namespace puckdrop::bench
