#include "services/cli/oncall.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "puckdrop/v1/check_service.grpc.pb.h"
#include "puckdrop/v1/evidence_service.grpc.pb.h"
#include "puckdrop/v1/readiness_service.grpc.pb.h"
#include "puckdrop/v1/waiver_service.grpc.pb.h"
#include "services/cli/exit_codes.h"
#include "services/cli/progress.h"
#include "services/cli/report/oncall_text.h"
#include "services/runtime/grpc_client.h"
#include "services/runtime/proto_time.h"
#include "services/runtime/redacting_printer.h"

namespace puckdrop::cli {
namespace {

constexpr absl::Duration kCall = absl::Seconds(30);
// Where `watch` looks for a readiness that went away.
constexpr absl::Duration kAgain = absl::Seconds(2);
// Paging stops here, whatever was asked for.
constexpr int kMostItems = 10'000;

struct Terminal {
  bool is = isatty(STDOUT_FILENO) != 0;
  report::Style style;
  size_t lines = 40;

  Terminal() {
    const char* no_color = std::getenv("NO_COLOR");
    style.color = is && (no_color == nullptr || *no_color == '\0');
    winsize size{};
    if (is && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
      if (size.ws_col > 0) style.width = size.ws_col;
      if (size.ws_row > 0) lines = size.ws_row;
    }
  }
};

void Write(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

// One connection, one command: its calls block.
class Client {
 public:
  // nullptr, and why on stderr, when its files are not what they must be.
  static std::unique_ptr<Client> Connect(const OncallOptions& options) {
    std::unique_ptr<Client> client(new Client);
    client->address_ = ReadinessAddress(options.readiness);
    absl::StatusOr<std::shared_ptr<runtime::ClientSecurity>> security = runtime::ClientSecurity::Make(options.client);
    absl::Status status = security.status();
    if (status.ok()) {
      client->security_ = *std::move(security);
      absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = client->security_->Connect(client->address_);
      status = channel.status();
      if (status.ok()) client->channel_ = *std::move(channel);
    }
    if (status.ok()) return client;
    std::fprintf(stderr, "puckdrop: %s\n", std::string(status.message()).c_str());
    return nullptr;
  }

  const std::string& address() const { return address_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  void Prepare(grpc::ClientContext& context, absl::Duration limit = kCall) const {
    context.set_deadline(absl::ToChronoTime(absl::Now() + limit));
  }

  // Says why it failed, and what to do; the exit code.
  int Failed(const grpc::ClientContext& context, const grpc::Status& status) const {
    const absl::Status error = runtime::internal::Ended(context, status);
    const std::string message(error.message());
    if (absl::IsUnavailable(error) || absl::IsDeadlineExceeded(error)) {
      std::fprintf(
          stderr,
          "puckdrop: readiness at %s cannot be reached: %s\n"
          "Is it running? `puckdrop serve readiness --plan …` serves it; --readiness or PUCKDROP_READINESS says "
          "where.\n",
          address_.c_str(), message.c_str());
      return kExitInconclusive;
    }
    std::fprintf(stderr, "puckdrop: %s\n", message.c_str());
    if (absl::IsUnauthenticated(error) || absl::IsPermissionDenied(error)) return kExitUsage;
    if (absl::IsInvalidArgument(error) || absl::IsNotFound(error) || absl::IsFailedPrecondition(error))
      return kExitUsage;
    return kExitInternal;
  }

  // The answer of one unary call, printed as JSON if that was asked for.
  template <typename Request, typename Response, typename Stub>
  int Ask(const std::unique_ptr<Stub>& stub,
          grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*), const Request& request,
          Response* response) const {
    grpc::ClientContext context;
    Prepare(context);
    const grpc::Status status = (stub.get()->*method)(&context, request, response);
    return status.ok() ? kExitGo : Failed(context, status);
  }

 private:
  Client() = default;
  std::string address_;
  std::shared_ptr<runtime::ClientSecurity> security_;
  std::shared_ptr<grpc::Channel> channel_;
};

int PrintJson(google::protobuf::Message& message, bool pretty = true) {
  absl::StatusOr<std::string> text = runtime::RedactedJson(message, pretty);
  if (!text.ok()) {
    std::fprintf(stderr, "puckdrop: %s\n", std::string(text.status().message()).c_str());
    return kExitInternal;
  }
  Write(*text + "\n");
  return kExitGo;
}

int ExitOf(v1::VerdictState state) {
  GateEnd end;
  end.verdict = state;
  return ExitCodeOf(end);
}

int ExitOf(const v1::ExplainCheckResponse& answer) {
  int code = kExitGo;
  for (const auto& one : answer.explanations()) {
    const v1::Standing standing = one.instance().standing();
    if (standing == v1::STANDING_FAILED) return kExitNoGo;
    if (standing == v1::STANDING_UNKNOWN || standing == v1::STANDING_UNSPECIFIED) code = kExitInconclusive;
  }
  return code;
}

int GetVerdict(const Client& client, v1::Verdict* verdict) {
  const auto stub = v1::ReadinessService::NewStub(client.channel());
  return client.Ask(stub, &v1::ReadinessService::Stub::GetVerdict, v1::GetVerdictRequest(), verdict);
}

int SaveEvidence(const Client& client, const std::string& name, const std::string& to) {
  const auto stub = v1::EvidenceService::NewStub(client.channel());
  grpc::ClientContext context;
  client.Prepare(context);
  v1::GetEvidenceRequest request;
  request.set_name(name);
  const auto reader = stub->GetEvidence(&context, request);
  std::string content;
  v1::GetEvidenceResponse chunk;
  // Evidence is at most 256 KiB; what sends more is not ours.
  while (reader->Read(&chunk) && content.size() < (8u << 20)) content += chunk.data();
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return client.Failed(context, status);
  if (to == "-") {
    Write(content);
    return kExitGo;
  }
  std::ofstream file(to, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file) {
    std::fprintf(stderr, "puckdrop: '%s' could not be written\n", to.c_str());
    return kExitInternal;
  }
  std::fprintf(stderr, "%zu bytes in %s\n", content.size(), to.c_str());
  return kExitGo;
}

}  // namespace

std::string ReadinessAddress(const std::string& flag) {
  if (!flag.empty()) return flag;
  const char* variable = std::getenv("PUCKDROP_READINESS");
  return variable != nullptr && *variable != '\0' ? variable : "127.0.0.1:7070";
}

int RunStatus(const StatusOptions& options) {
  const std::unique_ptr<Client> connected = Client::Connect(options);
  if (connected == nullptr) return kExitUsage;
  const Client& client = *connected;
  v1::Verdict verdict;
  const int asked = GetVerdict(client, &verdict);
  if (asked != kExitGo) return asked;
  if (options.json) {
    const int printed = PrintJson(verdict);
    return printed != kExitGo ? printed : ExitOf(verdict.state());
  }
  const Terminal terminal;
  // What is piped is read by a program or kept: all of it.
  const size_t lines = options.all || !terminal.is ? 100'000 : terminal.lines - 1;
  Write(report::StatusText(verdict, absl::Now(), terminal.style, lines));
  return ExitOf(verdict.state());
}

int RunWatch(const WatchOptions& options) {
  const std::unique_ptr<Client> connected = Client::Connect(options);
  if (connected == nullptr) return kExitUsage;
  const Client& client = *connected;
  const Terminal terminal;
  v1::VerdictState before = v1::VERDICT_STATE_UNSPECIFIED;
  bool ever = false;
  std::string last_line;
  while (true) {
    const auto stub = v1::ReadinessService::NewStub(client.channel());
    grpc::ClientContext context;
    client.Prepare(context, runtime::kLongestCall);
    const auto reader = stub->WatchVerdict(&context, v1::WatchVerdictRequest());
    v1::Verdict verdict;
    while (reader->Read(&verdict)) {
      const bool changed = ever && verdict.state() != before;
      if (options.json) {
        const int printed = PrintJson(verdict, /*pretty=*/false);
        if (printed != kExitGo) return printed;
      } else if (terminal.is) {
        const Terminal now;  // it may have been resized
        Write(absl::StrCat("\x1b[H\x1b[2J", changed && options.bell ? "\a" : "",
                           report::StatusText(verdict, absl::Now(), now.style, now.lines - 1)));
      } else {
        // A service that stays tells a verdict whenever a result came; a log wants what is new. The time is in front.
        const std::string line = report::StatusLine(verdict);
        const std::string news = line.substr(std::min(line.size(), line.find(' ')));
        if (news != last_line) Write(line + "\n");
        last_line = news;
      }
      before = verdict.state();
      ever = true;
    }
    const grpc::Status status = reader->Finish();
    const bool gone = status.error_code() == grpc::StatusCode::UNAVAILABLE ||
                      status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED || status.ok();
    if (!gone || !ever) return client.Failed(context, status);
    // Nothing is green because nobody says otherwise.
    if (terminal.is && !options.json) {
      Write(absl::StrCat("\x1b[H\x1b[2J", options.bell && before != v1::VERDICT_STATE_UNSPECIFIED ? "\a" : "",
                         "UNKNOWN  readiness at ", client.address(), " went away; looking for it\n"));
    } else {
      std::fprintf(stderr, "puckdrop: readiness at %s went away; looking for it\n", client.address().c_str());
    }
    before = v1::VERDICT_STATE_UNSPECIFIED;
    last_line.clear();
    std::this_thread::sleep_for(absl::ToChronoMilliseconds(kAgain));
  }
}

int RunExplain(const ExplainOptions& options) {
  const std::unique_ptr<Client> connected = Client::Connect(options);
  if (connected == nullptr) return kExitUsage;
  const Client& client = *connected;
  if (!options.evidence.empty()) return SaveEvidence(client, options.evidence, options.to);
  const auto stub = v1::CheckService::NewStub(client.channel());
  v1::ExplainCheckRequest request;
  request.set_check(options.check);
  request.set_customer(options.customer);
  v1::ExplainCheckResponse response;
  const int asked = client.Ask(stub, &v1::CheckService::Stub::ExplainCheck, request, &response);
  if (asked != kExitGo) return asked;
  if (options.json) {
    const int printed = PrintJson(response);
    return printed != kExitGo ? printed : ExitOf(response);
  }
  const Terminal terminal;
  Write(report::ExplainText(response, absl::Now(), terminal.style));
  bool picture = false;
  for (const auto& one : response.explanations()) {
    for (const v1::Evidence& evidence : one.evidence()) {
      if (picture || evidence.kind() != v1::Evidence::KIND_PICTURE) continue;
      picture = true;
      Write(absl::StrCat("\nsee it: puckdrop explain --evidence ", evidence.name(), " --to picture.jpg\n"));
    }
  }
  return ExitOf(response);
}

int RunHistory(const HistoryQuery& options) {
  const std::unique_ptr<Client> connected = Client::Connect(options);
  if (connected == nullptr) return kExitUsage;
  const Client& client = *connected;
  const Terminal terminal;
  const int limit = std::clamp(options.limit, 1, kMostItems);
  const auto page = [limit](int got) { return std::min(limit - got, 500); };
  v1::Verdict verdict;
  if (!options.check.empty()) {
    const auto stub = v1::CheckService::NewStub(client.channel());
    v1::ListResultsResponse all;
    v1::ListResultsRequest request;
    request.set_check(options.check);
    request.set_customer(options.customer);
    do {
      request.set_page_size(page(all.results_size()));
      v1::ListResultsResponse part;
      const int asked = client.Ask(stub, &v1::CheckService::Stub::ListResults, request, &part);
      if (asked != kExitGo) return asked;
      for (v1::Result& result : *part.mutable_results()) *all.add_results() = std::move(result);
      request.set_page_token(part.next_page_token());
    } while (!request.page_token().empty() && all.results_size() < limit);
    if (options.json) return PrintJson(all);
    const int asked = GetVerdict(client, &verdict);
    if (asked != kExitGo) return asked;
    Write(report::ResultsText({all.results().begin(), all.results().end()}, verdict.time_zone(), terminal.style));
    return kExitGo;
  }
  const auto stub = v1::ReadinessService::NewStub(client.channel());
  if (options.runs) {
    v1::ListRunsResponse all;
    v1::ListRunsRequest request;
    do {
      request.set_page_size(page(all.runs_size()));
      v1::ListRunsResponse part;
      const int asked = client.Ask(stub, &v1::ReadinessService::Stub::ListRuns, request, &part);
      if (asked != kExitGo) return asked;
      for (v1::Run& run : *part.mutable_runs()) *all.add_runs() = std::move(run);
      request.set_page_token(part.next_page_token());
    } while (!request.page_token().empty() && all.runs_size() < limit);
    if (options.json) return PrintJson(all);
    const int asked = GetVerdict(client, &verdict);
    if (asked != kExitGo) return asked;
    Write(report::RunsText({all.runs().begin(), all.runs().end()}, verdict.time_zone(), terminal.style));
    return kExitGo;
  }
  v1::ListVerdictChangesResponse all;
  v1::ListVerdictChangesRequest request;
  do {
    request.set_page_size(page(all.changes_size()));
    v1::ListVerdictChangesResponse part;
    const int asked = client.Ask(stub, &v1::ReadinessService::Stub::ListVerdictChanges, request, &part);
    if (asked != kExitGo) return asked;
    for (auto& change : *part.mutable_changes()) *all.add_changes() = std::move(change);
    all.set_time_zone(part.time_zone());
    request.set_page_token(part.next_page_token());
  } while (!request.page_token().empty() && all.changes_size() < limit);
  if (options.json) return PrintJson(all);
  Write(report::ChangesText(all, terminal.style));
  return kExitGo;
}

int RunNow(const RunNowOptions& options) {
  const std::unique_ptr<Client> connected = Client::Connect(options);
  if (connected == nullptr) return kExitUsage;
  const Client& client = *connected;
  const auto stub = v1::ReadinessService::NewStub(client.channel());
  v1::StartRunRequest request;
  for (const std::string& check : options.checks) request.mutable_selection()->add_checks(check);
  for (const std::string& path : options.paths) request.mutable_selection()->add_paths(path);
  for (const std::string& customer : options.customers) request.mutable_selection()->add_customers(customer);
  *request.mutable_observe() = runtime::ToProtoDuration(options.observe);
  *request.mutable_timeout() = runtime::ToProtoDuration(options.timeout);
  v1::Run run;
  const int started = client.Ask(stub, &v1::ReadinessService::Stub::StartRun, request, &run);
  if (started == kExitUsage) return kExitNothingToJudge;  // an empty selection, or probing is paused
  if (started != kExitGo) return started;
  std::fprintf(stderr, "%s\n", run.name().c_str());

  Progress progress(isatty(STDERR_FILENO) != 0, options.quiet, absl::Now());
  grpc::ClientContext context;
  client.Prepare(context, options.timeout + absl::Minutes(2));
  v1::WatchRunRequest watch;
  watch.set_name(run.name());
  const auto reader = stub->WatchRun(&context, watch);
  v1::WatchRunEvent event;
  while (reader->Read(&event)) {
    if (event.has_run()) {
      run = event.run();
      progress.OnRun(run, absl::Now());
    } else if (event.has_result()) {
      progress.OnResult(event.result(), absl::Now());
    }
  }
  const grpc::Status status = reader->Finish();
  progress.End();
  if (!status.ok()) return client.Failed(context, status);
  if (options.json) {
    const int printed = PrintJson(run);
    return printed != kExitGo ? printed : ExitOf(run.verdict().state());
  }
  const Terminal terminal;
  Write(report::StatusText(run.verdict(), absl::Now(), terminal.style, 100'000));
  return ExitOf(run.verdict().state());
}

int RunWaive(const WaiveOptions& options) {
  const std::unique_ptr<Client> connected = Client::Connect(options);
  if (connected == nullptr) return kExitUsage;
  const Client& client = *connected;
  const auto stub = v1::WaiverService::NewStub(client.channel());
  v1::WaiverState state;
  if (options.list) {
    v1::ListWaiversResponse listed;
    const int asked = client.Ask(stub, &v1::WaiverService::Stub::ListWaivers, v1::ListWaiversRequest(), &listed);
    if (asked != kExitGo) return asked;
    if (options.json) return PrintJson(listed);
    Write(report::WaiversText(listed, Terminal().style));
    return kExitGo;
  }
  if (options.revoke >= 0) {
    v1::RevokeWaiverRequest request;
    request.set_waiver(options.revoke);
    const int asked = client.Ask(stub, &v1::WaiverService::Stub::RevokeWaiver, request, &state);
    if (asked != kExitGo) return asked;
    if (options.json) return PrintJson(state);
    std::fprintf(stderr, "waiver %d of %s is revoked\n", state.waiver(), state.check().c_str());
    return kExitGo;
  }
  v1::CreateWaiverRequest request;
  v1::Waiver& waiver = *request.mutable_waiver();
  waiver.set_check(options.check);
  waiver.set_customer(options.customer);
  for (const std::string& finding : options.findings) waiver.add_findings(finding);
  waiver.set_owner(options.owner);
  waiver.set_reason(options.reason);
  waiver.set_expires(options.until);
  waiver.set_notice_url(options.notice_url);
  waiver.set_notice_says(options.notice_says);
  const int asked = client.Ask(stub, &v1::WaiverService::Stub::CreateWaiver, request, &state);
  if (asked != kExitGo) return asked;
  const bool holds = state.state() == v1::WaiverState::HONOURED;
  if (options.json) {
    const int printed = PrintJson(state);
    return printed != kExitGo ? printed : holds ? kExitGo : kExitNoGo;
  }
  std::fprintf(stderr, "waiver %d of %s %s%s%s\n", state.waiver(), state.check().c_str(),
               holds ? "holds" : "does not hold yet", state.why().empty() ? "" : ": ", state.why().c_str());
  return holds ? kExitGo : kExitNoGo;
}

int RunPause(const PauseOptions& options) {
  const std::unique_ptr<Client> connected = Client::Connect(options);
  if (connected == nullptr) return kExitUsage;
  const Client& client = *connected;
  const auto stub = v1::ReadinessService::NewStub(client.channel());
  v1::PauseProbingRequest request;
  request.set_reason(options.reason);
  v1::PauseProbingResponse response;
  const int asked = client.Ask(stub, &v1::ReadinessService::Stub::PauseProbing, request, &response);
  if (asked != kExitGo) return asked;
  std::fprintf(stderr,
               "paused: nothing but undoing reaches the target. What is known grows old, and the verdict with it.\n"
               "`puckdrop resume` goes on.\n");
  return kExitGo;
}

int RunResume(const OncallOptions& options) {
  const std::unique_ptr<Client> connected = Client::Connect(options);
  if (connected == nullptr) return kExitUsage;
  const Client& client = *connected;
  const auto stub = v1::ReadinessService::NewStub(client.channel());
  v1::ResumeProbingResponse response;
  const int asked = client.Ask(stub, &v1::ReadinessService::Stub::ResumeProbing, v1::ResumeProbingRequest(), &response);
  if (asked == kExitGo) std::fprintf(stderr, "probing goes on\n");
  return asked;
}

int RunReload(const OncallOptions& options) {
  const std::unique_ptr<Client> connected = Client::Connect(options);
  if (connected == nullptr) return kExitUsage;
  const Client& client = *connected;
  const auto stub = v1::ReadinessService::NewStub(client.channel());
  v1::ReloadPlanResponse response;
  const int asked = client.Ask(stub, &v1::ReadinessService::Stub::ReloadPlan, v1::ReloadPlanRequest(), &response);
  if (asked == kExitUsage) return kExitNothingToJudge;
  if (asked == kExitGo) std::fprintf(stderr, "the plan in force is %s\n", response.plan_digest().c_str());
  return asked;
}

}  // namespace puckdrop::cli
