#include "services/cli/gate.h"

#include <grpcpp/channel.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/cli/exit_codes.h"
#include "services/cli/progress.h"
#include "services/cli/reports.h"
#include "services/cli/run_client.h"
#include "services/cli/services.h"
#include "services/readiness/store.h"
#include "services/readiness/verdict.h"
#include "services/runtime/proto_time.h"
#include "services/runtime/signals.h"
#include "services/runtime/status_convert.h"

namespace puckdrop::cli {
namespace {

// What a signal leaves for undoing.
constexpr absl::Duration kSettleAfterSignal = absl::Seconds(5);

void Say(const std::string& words) { std::fprintf(stderr, "%s\n", words.c_str()); }

v1::Selection SelectionOf(const GateOptions& options) {
  v1::Selection selection;
  for (const std::string& check : options.checks) selection.add_checks(check);
  for (const std::string& path : options.paths) selection.add_paths(path);
  for (const std::string& customer : options.customers) selection.add_customers(customer);
  return selection;
}

// A verdict that no run gave: nothing could be judged, for this cause.
v1::Verdict Unjudged(const std::string& launch, const std::string& cause, absl::Time now) {
  v1::Verdict verdict;
  verdict.set_launch(launch);
  verdict.set_state(v1::VERDICT_STATE_INCONCLUSIVE);
  verdict.set_why(cause);
  verdict.add_causes(cause);
  *verdict.mutable_time() = runtime::ToTimestamp(now);
  return verdict;
}

// Prints and writes; false when a report could not be written.
bool Publish(const GateOptions& options, const GateReport& report) {
  report::Style style;
  style.color = isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) style.width = size.ws_col;
  const std::string screen = RenderReport(options.json ? "json" : "text", report, style);
  bool written = std::fwrite(screen.data(), 1, screen.size(), stdout) == screen.size() && std::fflush(stdout) == 0;
  if (!written) Say("puckdrop: the report could not be printed");
  bool annotated = false;
  for (const ReportFile& file : options.reports) {
    annotated = annotated || file.kind == "annotations";
    if (file.file == "-") {
      const std::string text = RenderReport(file.kind, report, style);
      if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
        Say(absl::StrCat("puckdrop: the ", file.kind, " report could not be printed"));
        written = false;
      }
      continue;
    }
    std::ofstream out(file.file, std::ios::binary | std::ios::trunc);
    out << RenderReport(file.kind, report);
    out.close();
    if (!out) {
      Say(absl::StrCat("puckdrop: the ", file.kind, " report could not be written to ", file.file));
      written = false;
    }
  }
  const char* github = std::getenv("GITHUB_ACTIONS");
  if (!annotated && github != nullptr && std::string(github) == "true") {
    const std::string text = RenderReport("annotations", report);
    std::fwrite(text.data(), 1, text.size(), stderr);
  }
  return written;
}

// The run itself, with what must outlive it.
class GateRun {
 public:
  GateRun(const GateOptions& options, const LoadedPlan& plan)
      : options_(options),
        plan_(plan),
        progress_(isatty(STDERR_FILENO) == 1, options.quiet, clock_.Now()),
        signals_(loop_, [this](int) { OnSignal(); }) {}

  ~GateRun() {
    if (services_ != nullptr) services_->Shutdown(absl::Seconds(1));
    client_.reset();
    loop_.Stop();
  }

  // OK, or why no run came about.
  absl::Status Run(GateReport* report) {
    std::shared_ptr<grpc::Channel> channel;
    if (options_.readiness.empty()) {
      ReadinessConfig config;
      config.state_directory = options_.state_directory.empty()
                                   ? readiness::DefaultStateDirectory(plan_.plan->launch().id())
                                   : options_.state_directory;
      config.vantage = options_.vantage;
      absl::StatusOr<std::unique_ptr<ReadinessProcess>> services =
          ReadinessProcess::Start(loop_, clock_, plan_, config);
      if (!services.ok()) return services.status();
      services_ = std::move(*services);
      state_directory_ = config.state_directory;
      channel = services_->Channel();
    } else {
      channel = runtime::ConnectInsecurely(options_.readiness);
    }
    client_ = std::make_unique<RunClient>(runtime::Caller{&loop_, &clock_, ""}, std::move(channel));
    // A signal that came while everything was being started counts too.
    if (signals_.received() != 0) loop_.Post([this] { OnSignal(); });

    v1::StartRunRequest request;
    *request.mutable_selection() = SelectionOf(options_);
    *request.mutable_observe() = runtime::ToProtoDuration(options_.observe);
    *request.mutable_timeout() = runtime::ToProtoDuration(options_.timeout);
    request.set_plan_digest(plan_.digest);
    RunClient::Listener listener;
    listener.run = [this](const v1::Run& run) { progress_.OnRun(run, clock_.Now()); };
    listener.result = [this](const v1::Result& result) { progress_.OnResult(result, clock_.Now()); };
    absl::StatusOr<RunRecord> record = loop_.Spawn(client_->Follow(std::move(request), std::move(listener))).Get();
    progress_.End();
    if (services_ != nullptr) services_->Shutdown(kSettleAfterSignal);
    Collect(record, report);
    if (services_ != nullptr && !services_->RemoveStateIfNothingOwed() && !report->obligations_open.empty()) {
      report->state_dir = state_directory_;
    }
    return record.status();
  }

  int signal() const { return signals_.received(); }

 private:
  void OnSignal() {
    if (client_ == nullptr || cancelling_) return;
    cancelling_ = true;
    progress_.End();
    Say("ending; undoing what was done");
    loop_.Detach(client_->Cancel(kSettleAfterSignal));
  }

  void Collect(absl::StatusOr<RunRecord>& record, GateReport* report) {
    if (!record.ok()) return;
    report->run = record->run.name();
    report->verdict = record->run.verdict();
    for (auto& [key, result] : record->results) report->results.push_back(std::move(result));
    // What the run itself filled in (a prober that was not reached) is told by the verdict; so is a configuration that
    // was known only at the end.
    for (const v1::InstanceStanding& instance : report->verdict.instances()) {
      if (!instance.has_result()) continue;
      for (v1::Result& result : report->results) {
        if (result.check() == instance.check() && result.customer() == instance.customer()) result = instance.result();
      }
    }
    report->evidence = std::move(record->evidence);
    report->operations = std::move(record->operations);
    for (v1::Obligation& obligation : record->obligations_open) {
      // What another gate at work owes is its own affair.
      const bool others = record->run.name() != absl::StrCat("runs/", obligation.owner()) &&
                          obligation.state() != v1::Obligation::STUCK &&
                          runtime::FromTimestamp(obligation.lease_expire_time()) > clock_.Now();
      if (!others) report->obligations_open.push_back(std::move(obligation));
    }
    report->start_time = runtime::FromTimestamp(record->run.start_time());
    report->end_time = runtime::FromTimestamp(record->run.end_time());
  }

  const GateOptions& options_;
  const LoadedPlan& plan_;
  runtime::RealClock clock_;
  runtime::EventLoop loop_;
  Progress progress_;
  std::unique_ptr<ReadinessProcess> services_;
  std::unique_ptr<RunClient> client_;
  std::string state_directory_;
  bool cancelling_ = false;
  runtime::SignalWatch signals_;
};

}  // namespace

absl::StatusOr<ReportFile> ParseReportFile(const std::string& text) {
  const size_t equals = text.find('=');
  ReportFile report{text.substr(0, equals), equals == std::string::npos ? "" : text.substr(equals + 1)};
  const std::vector<std::string> kinds = ReportKinds();
  if (std::find(kinds.begin(), kinds.end(), report.kind) == kinds.end() || report.file.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--report takes KIND=FILE, where KIND is one of ",
                                                   absl::StrJoin(kinds, ", "), "; not '", text, "'"));
  }
  return report;
}

void FillPlanFacts(const LoadedPlan& loaded, GateReport* report) {
  const v1::Plan& plan = *loaded.plan;
  report->launch_id = plan.launch().id();
  report->launch_title = plan.launch().title();
  report->puck_drop = runtime::FromTimestamp(plan.launch().puck_drop());
  report->time_zone = plan.launch().time_zone();
  report->plan_digest = loaded.digest;
  for (const v1::Plan::Host& host : plan.target().hosts()) {
    if (!host.url().empty()) report->target_urls.push_back(host.url());
  }
  for (const v1::Plan::Customer& customer : plan.customers()) {
    report->customers.push_back(
        {customer.id(), customer.audience_share(), customer.market(), customer.device(), customer.payment()});
  }
  report->others_audience_share = plan.others_audience_share();
  for (const v1::Waiver& waiver : plan.waivers()) {
    report->waivers.push_back({waiver.check(), waiver.customer(), waiver.owner(), waiver.reason(), waiver.expires(),
                               waiver.notice_url(), waiver.notice_says()});
  }
  for (const v1::CheckDescription& check : loaded.subject->catalogue) report->checks[check.check()] = check;
}

int RunGate(const GateOptions& options) {
  runtime::RealClock clock;
  GateEnd end;
  GateReport report;
  report.version = PUCKDROP_VERSION;
  report.command = options.command;
  report.vantage = options.vantage;
  report.start_time = clock.Now();
  report.plan_files.push_back(options.files.plan);
  report.plan_files.insert(report.plan_files.end(), options.files.overlays.begin(), options.files.overlays.end());
  const auto finish = [&] {
    if (report.end_time == absl::InfinitePast()) report.end_time = clock.Now();
    end.verdict = report.verdict.state();
    report.exit_code = ExitCodeOf(end);
    if (!Publish(options, report)) end.internal_error = true;
    return ExitCodeOf(end);
  };

  const char* ci = std::getenv("CI");
  if (ci != nullptr && *ci != '\0' && options.state_directory.empty() && options.readiness.empty()) {
    report.warnings.push_back(
        "CI is set, but neither --state nor --readiness is: if this machine's disk dies with the job, nobody will know "
        "what "
        "an interrupted run still owes the target");
    Say(absl::StrCat("warning: ", report.warnings.back()));
  }

  absl::StatusOr<LoadedPlan> plan = LoadPlan(options.files);
  if (!plan.ok()) {
    Say(std::string(plan.status().message()));
    end.nothing_to_judge = absl::IsInvalidArgument(plan.status());
    end.internal_error = !end.nothing_to_judge;
    report.verdict =
        Unjudged("", absl::StrCat("the plan is invalid: ", std::string(plan.status().message())), clock.Now());
    return finish();
  }
  FillPlanFacts(*plan, &report);
  absl::StatusOr<std::vector<readiness::Instance>> selected =
      readiness::Select(readiness::ExpectedInstances(*plan->subject), SelectionOf(options));
  if (!selected.ok() || selected->empty()) {
    const std::string why =
        selected.ok() ? "the selection names no check of any customer" : std::string(selected.status().message());
    Say(absl::StrCat("nothing to judge: ", why));
    end.nothing_to_judge = true;
    report.verdict = Unjudged(report.launch_id, absl::StrCat("nothing to judge: ", why), clock.Now());
    return finish();
  }

  GateRun run(options, *plan);
  absl::Status status = run.Run(&report);
  end.signal = run.signal();
  if (end.signal != 0) report.ended_by = end.signal == SIGINT ? "SIGINT" : "SIGTERM";
  if (!status.ok()) {
    const std::string reason = runtime::ReasonOf(status);
    std::string why(status.message());
    if (absl::IsUnavailable(status) && !options.readiness.empty()) {
      why = absl::StrCat("readiness at ", options.readiness, " cannot be reached: ", why);
    }
    Say(absl::StrCat("puckdrop: ", why));
    report.verdict = Unjudged(report.launch_id, why, clock.Now());
    if (reason == "EMPTY_SELECTION" || reason == "PLAN_DIGEST_MISMATCH") {
      end.nothing_to_judge = true;
    } else if (options.readiness.empty() || (!absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status) &&
                                             reason != "PAUSED" && reason != "SHUTTING_DOWN")) {
      end.internal_error = true;
    }
  }
  return finish();
}

}  // namespace puckdrop::cli
