// One thread on which all coroutines of a process run, and a bounded pool for what would block it.
//
// Coroutines are boost::asio::awaitable. Those started by EventLoop::Spawn never see a cancellation as an exception:
// what they wait for ends with CANCELLED. Everything awaitable here must be awaited on the loop's thread.
#ifndef PUCKDROP_SERVICES_RUNTIME_EVENT_LOOP_H_
#define PUCKDROP_SERVICES_RUNTIME_EVENT_LOOP_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/runtime/clock.h"

namespace boost::asio {
class io_context;
}

namespace puckdrop {

template <typename T>
using awaitable = boost::asio::awaitable<T>;

namespace runtime {

namespace internal {
template <typename T>
struct Flattened {
  using type = absl::StatusOr<T>;
};
template <>
struct Flattened<void> {
  using type = absl::Status;
};
template <>
struct Flattened<absl::Status> {
  using type = absl::Status;
};
template <typename T>
struct Flattened<absl::StatusOr<T>> {
  using type = absl::StatusOr<T>;
};
}  // namespace internal

// One coroutine waits, somebody on the loop's thread sets. Set before Wait is remembered; a second Set does nothing;
// only one Wait at a time. The waiter is resumed through the loop, never inside Set. Not thread-safe: loop thread only.
class OneShot {
 public:
  OneShot();
  ~OneShot();
  OneShot(const OneShot&) = delete;
  OneShot& operator=(const OneShot&) = delete;

  void Set();
  bool is_set() const;

  // OK once set; CANCELLED when the waiting coroutine is cancelled.
  awaitable<absl::Status> Wait();
  // Waits for Set even when the coroutine is cancelled: for what is sure to come and must not be left alone.
  awaitable<void> WaitRegardless();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// What Spawn gives: the result, and a way to ask the coroutine to end. Movable, thread-safe. Dropping it neither waits
// nor cancels.
template <typename T>
class Task {
 public:
  Task() = default;

  // Once; blocks the calling thread, so never on the loop. Rethrows what the coroutine threw; a coroutine that was
  // dropped by a stopping loop throws std::future_error (broken_promise).
  T Get() { return result_.get(); }
  bool WaitFor(absl::Duration limit) const {
    return result_.wait_for(absl::ToChronoNanoseconds(limit)) == std::future_status::ready;
  }
  bool done() const { return WaitFor(absl::ZeroDuration()); }

  // Asks; what the coroutine waits for ends with CANCELLED. Any thread, any number of times.
  void Cancel() const {
    if (cancel_) cancel_();
  }

 private:
  friend class EventLoop;
  std::future<T> result_;
  std::function<void()> cancel_;
};

class EventLoop {
 public:
  struct Options {
    int blocking_threads = 4;     // of the pool of RunBlocking
    size_t blocking_queue = 256;  // functions that may wait for a thread
    absl::Duration stop_grace = absl::Seconds(5);
  };

  EventLoop();
  explicit EventLoop(Options options);
  ~EventLoop();  // Stop()
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // For code that speaks Asio itself.
  boost::asio::io_context& context();
  bool InLoopThread() const;

  // Runs `fn` on the loop's thread, later. Any thread. After Stop it is dropped.
  void Post(std::function<void()> fn);

  // Runs `fn` on the loop's thread and waits for its end; here and now when this is that thread or the loop has
  // stopped.
  void Invoke(std::function<void()> fn);

  // Starts a coroutine on the loop. Any thread. When the loop is stopping the coroutine is dropped unrun.
  template <typename T>
  Task<T> Spawn(awaitable<T> work) {
    auto promise = std::make_shared<std::promise<T>>();
    Task<T> task;
    task.result_ = promise->get_future();
    task.cancel_ = Start(Fulfil<T>(std::move(work), std::move(promise)));
    return task;
  }

  // As Spawn, for a coroutine whose end nobody waits for; an exception that leaves it is logged nowhere and ends it
  // alone.
  void Detach(awaitable<void> work);

  // Runs all on the loop, side by side, and ends when all have ended; a cancellation reaches each. The first exception
  // is rethrown when all have ended.
  awaitable<void> All(std::vector<awaitable<void>> work);

  // Runs `fn` on a thread of the pool: decoding, SQLite, files. RESOURCE_EXHAUSTED when the queue is full, CANCELLED
  // when cancelled before it began (a function that runs is waited for), UNAVAILABLE when the loop is stopping,
  // INTERNAL when it threw. Gives Status for void and Status, StatusOr<R> for R and StatusOr<R>.
  template <typename F>
  awaitable<typename internal::Flattened<std::invoke_result_t<F>>::type> RunBlocking(F fn) {
    using R = std::invoke_result_t<F>;
    using Result = typename internal::Flattened<R>::type;
    if constexpr (std::is_void_v<R>) {
      std::function<void()> run = [&fn] { fn(); };
      absl::Status ran = co_await RunErased(std::move(run));
      co_return ran;
    } else {
      std::shared_ptr<Result> result = std::make_shared<Result>(absl::InternalError("the function did not run"));
      std::function<void()> run = [&fn, result] { *result = fn(); };
      absl::Status ran = co_await RunErased(std::move(run));
      if (!ran.ok()) co_return ran;
      co_return std::move(*result);
    }
  }

  // OK when `clock` has reached `when`; CANCELLED.
  awaitable<absl::Status> SleepUntil(const Clock& clock, absl::Time when);
  awaitable<absl::Status> SleepFor(const Clock& clock, absl::Duration time);

  // Lets others run.
  awaitable<void> Yield();

  // Whether the awaiting coroutine (with all it was called by, up to its Spawn) has been asked to end.
  static awaitable<bool> IsCancelled();
  // From here on the awaiting coroutine forgets that it was cancelled and cannot be: for cleaning up, which must be
  // bounded.
  static awaitable<void> IgnoreCancellation();

  // Calls `fn` on the loop's thread when `clock` has reached `when`. Loop thread only. The id is for CancelCall, after
  // which it is not called.
  uint64_t CallAt(const Clock& clock, absl::Time when, std::function<void()> fn);
  void CancelCall(uint64_t id);

  // In order and bounded by stop_grace: no new coroutines, all running ones are cancelled and waited for, the pool
  // ends, the thread ends. Any thread but the loop's; a second call waits for the first.
  void Stop();

  // Coroutines started and not ended.
  size_t running() const;

 private:
  struct State;

  template <typename T>
  static awaitable<void> Fulfil(awaitable<T> work, std::shared_ptr<std::promise<T>> promise) {
    try {
      if constexpr (std::is_void_v<T>) {
        co_await std::move(work);
        promise->set_value();
      } else {
        promise->set_value(co_await std::move(work));
      }
    } catch (...) {
      promise->set_exception(std::current_exception());
    }
  }

  std::function<void()> Start(awaitable<void> work);
  awaitable<absl::Status> RunErased(std::function<void()> run);

  std::shared_ptr<State> state_;
};

}  // namespace runtime
}  // namespace puckdrop

#endif  // PUCKDROP_SERVICES_RUNTIME_EVENT_LOOP_H_
