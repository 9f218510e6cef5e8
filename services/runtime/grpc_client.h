// The calling side: gRPC calls as awaitables. A client wrapper of a service is made of these; callers never see a stub.
//
//   using Async = v1::ObligationService::StubInterface::async_interface;
//   absl::StatusOr<v1::Obligation> opened =
//       co_await runtime::Call(caller, *stub->async(), &Async::OpenObligation, std::move(request), deadline);
//
// All of it: loop thread only. A cancellation of the awaiting coroutine cancels the call. Errors carry the detail that
// the server sent (status_convert.h).
#ifndef PUCKDROP_SERVICES_RUNTIME_GRPC_CLIENT_H_
#define PUCKDROP_SERVICES_RUNTIME_GRPC_CLIENT_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace grpc {
class Channel;
class ChannelArguments;
}  // namespace grpc

namespace puckdrop::runtime {

// No call is without a deadline: a later one (or InfiniteFuture) becomes this.
inline constexpr absl::Duration kLongestCall = absl::Hours(24);

// Who calls. Copies are cheap; loop and clock must outlive the calls.
struct Caller {
  EventLoop* loop = nullptr;
  const Clock* clock = nullptr;
  // Sent as `authorization: Bearer …` when not empty. A secret.
  std::string bearer_token;
};

// Message sizes, keepalive, reconnecting: as every client of ours has them.
grpc::ChannelArguments ChannelArgumentsOfClients();

// To `host:port` on this machine, without TLS or token (security.h has them); kept and reconnecting by itself. Message
// sizes as in server.h.
std::shared_ptr<grpc::Channel> ConnectInsecurely(const std::string& address);

namespace internal {

// Deadline, metadata.
void Prepare(const Caller& caller, absl::Time deadline, grpc::ClientContext& context);
// The status of a call that ended, with its detail.
absl::Status Ended(const grpc::ClientContext& context, const grpc::Status& status);

}  // namespace internal

// One unary call. `deadline` is by the caller's clock.
template <typename Async, typename Request, typename Response>
awaitable<absl::StatusOr<Response>> Call(Caller caller, std::type_identity_t<Async>& stub,
                                         void (Async::*method)(grpc::ClientContext*, const Request*, Response*,
                                                               std::function<void(grpc::Status)>),
                                         std::type_identity_t<Request> request, absl::Time deadline) {
  struct State {
    grpc::ClientContext context;
    Request request;
    Response response;
    grpc::Status status;
    OneShot done;
  };
  std::shared_ptr<State> state = std::make_shared<State>();
  state->request = std::move(request);
  internal::Prepare(caller, deadline, state->context);
  EventLoop* loop = caller.loop;
  std::function<void(grpc::Status)> ended = [state, loop](grpc::Status status) {
    state->status = std::move(status);
    loop->Post([state] { state->done.Set(); });
  };
  (stub.*method)(&state->context, &state->request, &state->response, std::move(ended));
  absl::Status waited = co_await state->done.Wait();
  if (!waited.ok()) {
    state->context.TryCancel();
    co_await state->done.WaitRegardless();
  }
  absl::Status result = internal::Ended(state->context, state->status);
  if (!result.ok()) co_return result;
  co_return std::move(state->response);
}

// The receiving half of a server stream. One coroutine at a time. Dropping it cancels the call.
template <typename Response>
class ServerStream {
 public:
  template <typename Async, typename Request>
  ServerStream(Caller caller, std::type_identity_t<Async>& stub,
               void (Async::*method)(grpc::ClientContext*, const Request*, grpc::ClientReadReactor<Response>*),
               std::type_identity_t<Request> request, absl::Time deadline)
      : reactor_(new Reactor), state_(std::make_shared<State>()) {
    state_->loop = caller.loop;
    auto kept = std::make_shared<Request>(std::move(request));
    state_->request = kept;
    internal::Prepare(caller, deadline, state_->context);
    reactor_->state = state_;
    (stub.*method)(&state_->context, kept.get(), reactor_);
    // Reads are started outside of reactions, which the hold allows.
    reactor_->AddHold();
    reactor_->StartCall();
  }
  ServerStream(const ServerStream&) = delete;
  ServerStream& operator=(const ServerStream&) = delete;
  ~ServerStream() {
    if (!state_->ended.is_set()) state_->context.TryCancel();
    Release();
  }

  // The next message; nullopt when there are no more, see Finish.
  awaitable<std::optional<Response>> Next() {
    std::shared_ptr<State> state = state_;
    if (reactor_ == nullptr) co_return std::nullopt;
    state->read = std::make_shared<OneShot>();
    std::shared_ptr<OneShot> read = state->read;
    reactor_->StartRead(&state->message);
    absl::Status waited = co_await read->Wait();
    if (!waited.ok()) {
      state->context.TryCancel();
      co_await read->WaitRegardless();
    }
    if (!state->read_ok) {
      Release();
      co_return std::nullopt;
    }
    co_return std::move(state->message);
  }

  // How the call ended; cancels it when messages are left. Always ends.
  awaitable<absl::Status> Finish() {
    std::shared_ptr<State> state = state_;
    if (reactor_ != nullptr) {
      state->context.TryCancel();
      Release();
    }
    co_await state->ended.WaitRegardless();
    co_return internal::Ended(state->context, state->status);
  }

  // Ends the call from elsewhere on the loop: Next gives nullopt, Finish CANCELLED.
  void Cancel() { state_->context.TryCancel(); }

 private:
  struct State {
    EventLoop* loop = nullptr;
    grpc::ClientContext context;
    std::shared_ptr<void> request;
    Response message;
    bool read_ok = false;
    std::shared_ptr<OneShot> read;
    grpc::Status status;
    OneShot ended;
  };
  struct Reactor final : grpc::ClientReadReactor<Response> {
    std::shared_ptr<State> state;
    void OnReadDone(bool ok) override {
      state->loop->Post([state = state, ok] {
        state->read_ok = ok;
        if (state->read) state->read->Set();
      });
    }
    void OnDone(const grpc::Status& status) override {
      state->status = status;
      state->loop->Post([state = state] { state->ended.Set(); });
      delete this;
    }
  };

  void Release() {
    if (reactor_ == nullptr) return;
    Reactor* reactor = reactor_;
    reactor_ = nullptr;
    reactor->RemoveHold();
  }

  Reactor* reactor_;  // nullptr once it may delete itself
  std::shared_ptr<State> state_;
};

// Reads a stream to its end; `on_message` is called on the loop's thread, in order, and the next message is asked for
// when it has returned.
template <typename Async, typename Request, typename Response>
awaitable<absl::Status> ReadAll(Caller caller, std::type_identity_t<Async>& stub,
                                void (Async::*method)(grpc::ClientContext*, const Request*,
                                                      grpc::ClientReadReactor<Response>*),
                                std::type_identity_t<Request> request, absl::Time deadline,
                                std::function<void(Response)> on_message) {
  ServerStream<Response> stream(caller, stub, method, std::move(request), deadline);
  while (true) {
    std::optional<Response> message = co_await stream.Next();
    if (!message) break;
    on_message(std::move(*message));
  }
  absl::Status ended = co_await stream.Finish();
  co_return ended;
}

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_SERVICES_RUNTIME_GRPC_CLIENT_H_
