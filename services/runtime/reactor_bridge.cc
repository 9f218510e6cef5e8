#include "services/runtime/reactor_bridge.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include <chrono>
#include <exception>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/runtime/status_convert.h"

namespace puckdrop::runtime {
namespace internal {
namespace {

// gRPC's deadlines are the machine's; ours are the clock's, which a test may hold.
absl::Time DeadlineOf(const grpc::CallbackServerContext& context, const Clock& clock) {
  const absl::Time machine = absl::FromChrono(context.deadline());
  const absl::Duration left = machine - absl::Now();
  if (left > absl::Hours(24 * 365)) return absl::InfiniteFuture();
  return clock.Now() + left;
}

// Ends the call once: by the handler's completion, or when the coroutine is dropped because the loop stops.
class Finisher {
 public:
  explicit Finisher(std::shared_ptr<CallState> state) : state_(std::move(state)) {}
  Finisher(const Finisher&) = delete;
  Finisher& operator=(const Finisher&) = delete;
  ~Finisher() {
    if (state_) End(absl::UnavailableError("the service is stopping"));
  }

  void End(absl::Status status) {
    std::shared_ptr<CallState> state = std::move(state_);
    state_ = nullptr;
    std::function<void(grpc::Status)> finish = std::move(state->finish);
    state->finish = nullptr;
    {
      std::lock_guard<std::mutex> lock(state->mutex);
      state->cancel = nullptr;
    }
    if (state->admission != nullptr) {
      status = state->options.guard->End(state->admission, std::move(status), state->response);
    }
    const std::string detail = SerializedErrorInfo(status);
    if (!detail.empty()) state->context->AddTrailingMetadata(kErrorInfoMetadata, detail);
    // The reactor may be gone when this returns.
    finish(ToGrpcStatus(status));
  }

 private:
  std::shared_ptr<CallState> state_;
};

awaitable<void> Root(std::unique_ptr<Finisher> finisher, std::function<awaitable<absl::Status>()> work,
                     absl::Status admitted) {
  if (!admitted.ok()) {
    work = nullptr;
    finisher->End(std::move(admitted));
    co_return;
  }
  absl::Status ended;
  try {
    ended = co_await work();
  } catch (const std::exception& e) {
    ended = absl::InternalError(absl::StrCat("the handler threw: ", e.what()));
  } catch (...) {
    ended = absl::InternalError("the handler threw");
  }
  // What the handler captured may belong to the service, which may go away once the call has ended.
  work = nullptr;
  finisher->End(ended);
}

CallFacts FactsOf(const grpc::CallbackServerContext& context, const google::protobuf::Message& request) {
  CallFacts facts;
  facts.request = &request;
  facts.peer = context.peer();
  const auto header = context.client_metadata().find("authorization");
  if (header != context.client_metadata().end()) {
    facts.authorization.assign(header->second.data(), header->second.size());
  }
  const std::shared_ptr<const grpc::AuthContext> proven = context.auth_context();
  if (proven != nullptr && proven->IsPeerAuthenticated()) {
    for (const char* property : {GRPC_X509_CN_PROPERTY_NAME, GRPC_X509_SAN_PROPERTY_NAME}) {
      for (const grpc::string_ref& value : proven->FindPropertyValues(property)) {
        facts.certificate_names.emplace_back(value.data(), value.size());
      }
    }
  }
  return facts;
}

}  // namespace

void CallState::Cancel() {
  std::function<void()> ask;
  {
    std::lock_guard<std::mutex> lock(mutex);
    cancelled = true;
    ask = cancel;
  }
  if (ask) ask();
}

std::shared_ptr<CallState> MakeCallState(EventLoop& loop, const Clock& clock, const BridgeOptions& options,
                                         grpc::CallbackServerContext* context, const google::protobuf::Message& request,
                                         const google::protobuf::Message* response) {
  auto state = std::make_shared<CallState>();
  state->loop = &loop;
  state->clock = &clock;
  state->options = options;
  state->context = context;
  state->deadline = DeadlineOf(*context, clock);
  state->response = response;
  if (options.guard != nullptr) state->admission = options.guard->Admit(FactsOf(*context, request));
  return state;
}

void StartHandler(std::shared_ptr<CallState> state, std::function<awaitable<absl::Status>()> work) {
  absl::Status admitted = state->admission == nullptr ? absl::OkStatus() : state->admission->status;
  auto task = std::make_shared<Task<void>>(
      state->loop->Spawn(Root(std::make_unique<Finisher>(state), std::move(work), std::move(admitted))));
  std::function<void()> cancel = [task] { task->Cancel(); };
  bool already = false;
  {
    std::lock_guard<std::mutex> lock(state->mutex);
    state->cancel = cancel;
    already = state->cancelled;
  }
  if (already) cancel();
  if (state->admission != nullptr) {
    state->options.guard->OnRevoked(state->admission, [weak = std::weak_ptr<CallState>(state)] {
      if (const std::shared_ptr<CallState> running = weak.lock()) running->Cancel();
    });
  }
}

UnaryReactor::UnaryReactor(std::shared_ptr<CallState> state) : state_(std::move(state)) {
  state_->finish = [this](grpc::Status status) { Finish(std::move(status)); };
}

void UnaryReactor::OnCancel() {
  std::shared_ptr<CallState> state = state_;
  state->Cancel();
}

awaitable<absl::Status> AwaitWrite(std::shared_ptr<CallState> state, std::shared_ptr<WriteState> write,
                                   std::function<void()> start) {
  {
    std::lock_guard<std::mutex> lock(state->mutex);
    if (state->cancelled) co_return absl::CancelledError("the caller has gone");
  }
  std::shared_ptr<OneShot> done = std::make_shared<OneShot>();
  write->done = done;
  write->ok = false;
  start();
  const uint64_t stall =
      state->loop->CallAt(*state->clock, state->clock->Now() + state->options.write_stall_limit, [state] {
        state->stalled = true;
        state->context->TryCancel();
      });
  co_await done->WaitRegardless();
  state->loop->CancelCall(stall);
  if (write->ok) co_return absl::OkStatus();
  if (state->stalled) {
    co_return absl::ResourceExhaustedError(
        absl::StrCat("the reader took nothing for ", absl::FormatDuration(state->options.write_stall_limit)));
  }
  co_return absl::CancelledError("the caller has gone");
}

void WriteDone(const std::shared_ptr<CallState>& state, const std::shared_ptr<WriteState>& write, bool ok) {
  state->loop->Post([write, ok] {
    write->ok = ok;
    if (write->done) write->done->Set();
  });
}

}  // namespace internal

absl::Time CallContext::deadline() const { return state_->deadline; }

bool CallContext::cancelled() const {
  std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->cancelled;
}

std::string CallContext::metadata(const std::string& key) const {
  const auto& all = state_->context->client_metadata();
  auto it = all.find(key);
  if (it == all.end()) return "";
  return std::string(it->second.data(), it->second.size());
}

std::string CallContext::peer() const { return state_->context->peer(); }

std::string CallContext::caller() const {
  return state_->admission == nullptr ? "in process" : state_->admission->record.who;
}

}  // namespace puckdrop::runtime
