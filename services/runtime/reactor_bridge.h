// From gRPC's callback API to coroutines on the event loop: a handler is a coroutine, whose end is the call's end.
//
//   grpc::ServerUnaryReactor* ListChecks(grpc::CallbackServerContext* context, const ListChecksRequest* request,
//                                        ListChecksResponse* response) override {
//     return bridge_.Unary<ListChecksRequest, ListChecksResponse>(context, request, response,
//         [this](CallContext& call, const ListChecksRequest& request, ListChecksResponse& response) {
//           return HandleListChecks(call, request, response);
//         });
//   }
//
// The deadline and the cancellation of the call reach the coroutine: what it waits for ends with CANCELLED.
#ifndef PUCKDROP_SERVICES_RUNTIME_REACTOR_BRIDGE_H_
#define PUCKDROP_SERVICES_RUNTIME_REACTOR_BRIDGE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/runtime/call_guard.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::runtime {

struct BridgeOptions {
  // A reader that takes no message for this long loses its stream: CANCELLED for it, RESOURCE_EXHAUSTED for the
  // handler. At most one message waits for a slow reader, and the handler waits with it.
  absl::Duration write_stall_limit = absl::Seconds(30);
  // Asked before every handler, told of its end. nullptr: whoever has a channel may call (in process).
  std::shared_ptr<CallGuard> guard;
};

namespace internal {
struct CallState;
class UnaryReactor;
class StreamReactorBase;
}  // namespace internal

// What a handler knows of its call. Loop thread only, except cancelled(). Lives as long as the handler runs.
class CallContext {
 public:
  explicit CallContext(std::shared_ptr<internal::CallState> state) : state_(std::move(state)) {}

  // By the bridge's clock; InfiniteFuture when the caller set none.
  absl::Time deadline() const;
  // The caller went away, its deadline passed, or the server is shutting down. Any thread.
  bool cancelled() const;
  // Metadata of the request by its (lower case) key; the first one, empty when there is none.
  std::string metadata(const std::string& key) const;
  std::string peer() const;
  // Who calls: a name of the tokens file, `loopback`, or `in process`.
  std::string caller() const;

 private:
  std::shared_ptr<internal::CallState> state_;
};

namespace internal {

// Everything that outlives the reactor or may be touched by more than one thread.
struct CallState {
  EventLoop* loop = nullptr;
  const Clock* clock = nullptr;
  BridgeOptions options;
  grpc::CallbackServerContext* context = nullptr;  // valid until Finish
  absl::Time deadline = absl::InfiniteFuture();
  std::shared_ptr<Admission> admission;                 // nullptr: not guarded
  const google::protobuf::Message* response = nullptr;  // of a unary call, valid until Finish

  // Set once: what ends the call, called by the coroutine's completion only.
  std::function<void(grpc::Status)> finish;

  mutable std::mutex mutex;
  bool cancelled = false;        // guarded by mutex
  std::function<void()> cancel;  // guarded by mutex; asks the coroutine to end
  bool stalled = false;          // loop thread: a write took too long

  void Cancel();
};

std::shared_ptr<CallState> MakeCallState(EventLoop& loop, const Clock& clock, const BridgeOptions& options,
                                         grpc::CallbackServerContext* context, const google::protobuf::Message& request,
                                         const google::protobuf::Message* response);
// Runs `work` on the loop, unless the guard refused the call; its end, its exception or its being dropped calls
// state->finish, exactly once.
void StartHandler(std::shared_ptr<CallState> state, std::function<awaitable<absl::Status>()> work);

class UnaryReactor final : public grpc::ServerUnaryReactor {
 public:
  explicit UnaryReactor(std::shared_ptr<CallState> state);
  void OnDone() override { delete this; }
  void OnCancel() override;

 private:
  std::shared_ptr<CallState> state_;
};

// One write at a time: the coroutine's half.
struct WriteState {
  std::shared_ptr<OneShot> done;  // loop thread only
  bool ok = false;                // loop thread only
};

// Awaits a write that was started; `start` is called once, on the loop's thread.
awaitable<absl::Status> AwaitWrite(std::shared_ptr<CallState> state, std::shared_ptr<WriteState> write,
                                   std::function<void()> start);
// From the reaction OnWriteDone.
void WriteDone(const std::shared_ptr<CallState>& state, const std::shared_ptr<WriteState>& write, bool ok);

template <typename Response>
class StreamReactor final : public grpc::ServerWriteReactor<Response> {
 public:
  explicit StreamReactor(std::shared_ptr<CallState> state) : state_(std::move(state)) {
    state_->finish = [this](grpc::Status status) { this->Finish(std::move(status)); };
  }
  void OnDone() override { delete this; }
  void OnCancel() override {
    std::shared_ptr<CallState> state = state_;
    state->Cancel();
  }
  void OnWriteDone(bool ok) override { WriteDone(state_, write_, ok); }

  // By the coroutine, before its end only.
  void Write(Response message) {
    message_ = std::move(message);
    this->StartWrite(&message_);
  }
  const std::shared_ptr<WriteState>& write() const { return write_; }

 private:
  std::shared_ptr<CallState> state_;
  std::shared_ptr<WriteState> write_ = std::make_shared<WriteState>();
  Response message_;  // being written
};

}  // namespace internal

// The sending half of a server stream. Loop thread only; one Write at a time; not after the handler's end.
template <typename Response>
class Writer {
 public:
  Writer(std::shared_ptr<internal::CallState> state, internal::StreamReactor<Response>* reactor)
      : state_(std::move(state)), reactor_(reactor) {}

  // Waits until gRPC has taken the message. CANCELLED when the call has ended, RESOURCE_EXHAUSTED when the reader took
  // nothing for BridgeOptions::write_stall_limit (the call is cancelled then). A write that has begun is waited for
  // even when the coroutine is cancelled.
  awaitable<absl::Status> Write(Response message) {
    std::function<void()> start = [this, &message] { reactor_->Write(std::move(message)); };
    absl::Status written = co_await internal::AwaitWrite(state_, reactor_->write(), std::move(start));
    co_return written;
  }

 private:
  std::shared_ptr<internal::CallState> state_;
  internal::StreamReactor<Response>* reactor_;
};

// Makes reactors. Thread-safe; one a server is enough. Loop and clock must outlive the server that calls it. Handlers
// may be called until the server has shut down; what they return when the loop is stopping is UNAVAILABLE. A status
// with a detail (status_convert.h) sends it in the trailing metadata; an exception of a handler ends its call with
// INTERNAL.
class Bridge {
 public:
  template <typename Request, typename Response>
  using UnaryHandler = std::function<awaitable<absl::Status>(CallContext&, const Request&, Response&)>;
  template <typename Request, typename Response>
  using StreamHandler = std::function<awaitable<absl::Status>(CallContext&, const Request&, Writer<Response>&)>;

  Bridge(EventLoop& loop, const Clock& clock, BridgeOptions options = {})
      : loop_(loop), clock_(clock), options_(options) {}

  // The response counts only when the handler ends OK.
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, const Request* request, Response* response,
                                  UnaryHandler<Request, Response> handler) {
    auto state = internal::MakeCallState(loop_, clock_, options_, context, *request, response);
    auto* reactor = new internal::UnaryReactor(state);
    internal::StartHandler(state,
                           [state, request, response, handler = std::move(handler)]() -> awaitable<absl::Status> {
                             return RunUnary<Request, Response>(state, *request, *response, handler);
                           });
    return reactor;
  }

  template <typename Request, typename Response>
  grpc::ServerWriteReactor<Response>* Stream(grpc::CallbackServerContext* context, const Request* request,
                                             StreamHandler<Request, Response> handler) {
    auto state = internal::MakeCallState(loop_, clock_, options_, context, *request, nullptr);
    auto* reactor = new internal::StreamReactor<Response>(state);
    internal::StartHandler(state, [state, reactor, request, handler = std::move(handler)]() -> awaitable<absl::Status> {
      return RunStream<Request, Response>(state, reactor, *request, handler);
    });
    return reactor;
  }

 private:
  template <typename Request, typename Response>
  static awaitable<absl::Status> RunUnary(std::shared_ptr<internal::CallState> state, const Request& request,
                                          Response& response, UnaryHandler<Request, Response> handler) {
    CallContext call(state);
    absl::Status ended = co_await handler(call, request, response);
    co_return ended;
  }

  template <typename Request, typename Response>
  static awaitable<absl::Status> RunStream(std::shared_ptr<internal::CallState> state,
                                           internal::StreamReactor<Response>* reactor, const Request& request,
                                           StreamHandler<Request, Response> handler) {
    CallContext call(state);
    Writer<Response> writer(state, reactor);
    absl::Status ended = co_await handler(call, request, writer);
    co_return ended;
  }

  EventLoop& loop_;
  const Clock& clock_;
  const BridgeOptions options_;
};

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_SERVICES_RUNTIME_REACTOR_BRIDGE_H_
