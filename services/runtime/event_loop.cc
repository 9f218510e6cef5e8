#include "services/runtime/event_loop.h"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "absl/functional/any_invocable.h"
#include "absl/strings/str_cat.h"

namespace puckdrop::runtime {

namespace asio = boost::asio;

// ---- OneShot

struct OneShot::State {
  bool set = false;
  // Holds the suspended coroutine; the argument says whether it was cancelled.
  absl::AnyInvocable<void(bool)> resume;

  void Complete(bool cancelled) {
    if (!resume) return;
    absl::AnyInvocable<void(bool)> taken = std::move(resume);
    resume = nullptr;
    taken(cancelled);
  }
};

namespace {

// Suspends until `state` completes; true when that was by cancellation.
template <typename State>
awaitable<bool> Suspend(std::shared_ptr<State> state, bool cancellable) {
  auto initiate = [state, cancellable](auto handler) {
    if (cancellable) {
      auto slot = asio::get_associated_cancellation_slot(handler);
      if (slot.is_connected()) {
        // Weak, and never cleared: a slot's function may not be destroyed while it runs, and a stale one does nothing.
        slot.assign([weak = std::weak_ptr<State>(state)](asio::cancellation_type) {
          if (auto alive = weak.lock()) alive->Complete(true);
        });
      }
    }
    state->resume = [handler = std::move(handler)](bool cancelled) mutable {
      auto executor = asio::get_associated_executor(handler);
      asio::post(executor, [handler = std::move(handler), cancelled]() mutable { std::move(handler)(cancelled); });
    };
  };
  bool cancelled = co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(bool)>(std::move(initiate),
                                                                                             asio::use_awaitable);
  co_return cancelled;
}

// Sockets of TLS connections are written without MSG_NOSIGNAL.
void BlockSigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace

OneShot::OneShot() : state_(std::make_shared<State>()) {}
OneShot::~OneShot() = default;

void OneShot::Set() {
  if (state_->set) return;
  state_->set = true;
  state_->Complete(false);
}

bool OneShot::is_set() const { return state_->set; }

awaitable<absl::Status> OneShot::Wait() {
  std::shared_ptr<State> state = state_;
  if (state->set) co_return absl::OkStatus();
  bool cancelled = co_await EventLoop::IsCancelled();
  if (!cancelled) cancelled = co_await Suspend(state, true);
  if (cancelled && !state->set) co_return absl::CancelledError("cancelled");
  co_return absl::OkStatus();
}

awaitable<void> OneShot::WaitRegardless() {
  std::shared_ptr<State> state = state_;
  if (!state->set) co_await Suspend(state, false);
}

// ---- EventLoop

struct EventLoop::State {
  struct Running {
    asio::cancellation_signal signal;
    bool ended = false;
  };
  struct Job {
    std::function<void()> run;
    std::shared_ptr<OneShot> done;
    std::string* error;  // in the waiting coroutine
    bool started = false;
  };
  struct Call {
    std::function<void()> fn;
    const Clock* clock = nullptr;
    std::optional<uint64_t> waker;
    std::unique_ptr<asio::steady_timer> timer;
  };

  explicit State(Options given) : options(given), io(1), work(io.get_executor()) {}

  const Options options;
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::thread thread;
  std::vector<std::thread> workers;

  mutable std::mutex mutex;
  std::condition_variable changed;  // a coroutine ended
  std::condition_variable queued;   // a job came, or the pool ends
  std::unordered_map<uint64_t, std::shared_ptr<Running>> running;
  uint64_t next_running = 1;
  std::deque<std::shared_ptr<Job>> jobs;
  bool stopping = false;
  bool stopped = false;
  bool pool_ends = false;
  bool io_ends = false;
  int invoking = 0;  // threads inside Invoke

  // Loop thread only.
  std::unordered_map<uint64_t, Call> calls;
  uint64_t next_call = 1;

  void Work() {
    BlockSigpipe();
    std::unique_lock<std::mutex> lock(mutex);
    while (true) {
      queued.wait(lock, [this] { return pool_ends || !jobs.empty(); });
      if (jobs.empty()) return;
      std::shared_ptr<Job> job = std::move(jobs.front());
      jobs.pop_front();
      job->started = true;
      lock.unlock();
      try {
        job->run();
      } catch (const std::exception& e) {
        *job->error = absl::StrCat("a blocking function threw: ", e.what());
      } catch (...) {
        *job->error = "a blocking function threw";
      }
      job->run = nullptr;
      asio::post(io, [done = std::move(job->done)] { done->Set(); });
      job.reset();
      lock.lock();
    }
  }

  void Ended(uint64_t id) {
    std::lock_guard<std::mutex> lock(mutex);
    running.erase(id);
    changed.notify_all();
  }
};

namespace {
thread_local const void* current_loop = nullptr;

awaitable<void> Root(awaitable<void> work) {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await std::move(work);
}
}  // namespace

EventLoop::EventLoop() : EventLoop(Options()) {}

EventLoop::EventLoop(Options options) : state_(std::make_shared<State>(options)) {
  State* state = state_.get();
  state->thread = std::thread([state] {
    current_loop = state;
    BlockSigpipe();
    state->io.run();
  });
  for (int i = 0; i < std::max(1, options.blocking_threads); ++i) {
    state->workers.emplace_back([state] { state->Work(); });
  }
}

EventLoop::~EventLoop() { Stop(); }

asio::io_context& EventLoop::context() { return state_->io; }

bool EventLoop::InLoopThread() const { return current_loop == state_.get(); }

void EventLoop::Post(std::function<void()> fn) { asio::post(state_->io, std::move(fn)); }

void EventLoop::Invoke(std::function<void()> fn) {
  State* state = state_.get();
  bool here = InLoopThread();
  if (!here) {
    std::lock_guard<std::mutex> lock(state->mutex);
    if (state->io_ends) {
      here = true;
    } else {
      ++state->invoking;
    }
  }
  if (here) {
    fn();
    return;
  }
  std::promise<void> ran;
  asio::post(state->io, [&] {
    fn();
    ran.set_value();
  });
  ran.get_future().wait();
  std::lock_guard<std::mutex> lock(state->mutex);
  --state->invoking;
  state->changed.notify_all();
}

std::function<void()> EventLoop::Start(awaitable<void> work) {
  auto running = std::make_shared<State::Running>();
  State* state = state_.get();
  uint64_t id = 0;
  {
    std::lock_guard<std::mutex> lock(state->mutex);
    if (state->stopping) return nullptr;
    id = state->next_running++;
    state->running.emplace(id, running);
  }
  // Always through the queue: a coroutine never starts inside Spawn, and its signal is touched by the loop's thread
  // only.
  asio::post(state->io, [state, id, running, work = std::move(work)]() mutable {
    asio::co_spawn(state->io, Root(std::move(work)),
                   asio::bind_cancellation_slot(running->signal.slot(), [state, id, running](std::exception_ptr) {
                     running->ended = true;
                     state->Ended(id);
                   }));
  });
  return [weak = std::weak_ptr<State>(state_), running] {
    auto alive = weak.lock();
    if (!alive) return;
    asio::post(alive->io, [running] {
      if (!running->ended) running->signal.emit(asio::cancellation_type::terminal);
    });
  };
}

void EventLoop::Detach(awaitable<void> work) { Start(std::move(work)); }

awaitable<void> EventLoop::All(std::vector<awaitable<void>> work) {
  struct Group {
    size_t left = 0;
    OneShot done;
    std::exception_ptr first;
    std::vector<std::unique_ptr<asio::cancellation_signal>> signals;
  };
  if (work.empty()) co_return;
  std::shared_ptr<Group> group = std::make_shared<Group>();
  group->left = work.size();
  for (awaitable<void>& one : work) {
    group->signals.push_back(std::make_unique<asio::cancellation_signal>());
    auto ended = [group](std::exception_ptr thrown) {
      if (thrown && !group->first) group->first = thrown;
      if (--group->left == 0) group->done.Set();
    };
    asio::co_spawn(state_->io, Root(std::move(one)),
                   asio::bind_cancellation_slot(group->signals.back()->slot(), std::move(ended)));
  }
  work.clear();
  absl::Status waited = co_await group->done.Wait();
  if (!waited.ok()) {
    for (auto& signal : group->signals) signal->emit(asio::cancellation_type::terminal);
    co_await group->done.WaitRegardless();
  }
  if (group->first) std::rethrow_exception(group->first);
}

awaitable<absl::Status> EventLoop::RunErased(std::function<void()> run) {
  State* state = state_.get();
  std::string error;
  std::shared_ptr<OneShot> done = std::make_shared<OneShot>();
  std::shared_ptr<State::Job> job = std::make_shared<State::Job>();
  job->run = std::move(run);
  job->done = done;
  job->error = &error;
  {
    std::lock_guard<std::mutex> lock(state->mutex);
    if (state->pool_ends) co_return absl::UnavailableError("the event loop is stopping");
    if (state->jobs.size() >= state->options.blocking_queue) {
      co_return absl::ResourceExhaustedError(
          absl::StrCat("the queue for blocking work is full (", state->options.blocking_queue, " wait)"));
    }
    state->jobs.push_back(job);
    state->queued.notify_one();
  }
  absl::Status waited = co_await done->Wait();
  if (!waited.ok()) {
    bool removed = false;
    {
      std::lock_guard<std::mutex> lock(state->mutex);
      if (!job->started) {
        std::erase(state->jobs, job);
        removed = true;
      }
    }
    if (removed) co_return waited;
    // It runs and uses what the caller owns.
    co_await done->WaitRegardless();
  }
  if (!error.empty()) co_return absl::InternalError(error);
  co_return absl::OkStatus();
}

uint64_t EventLoop::CallAt(const Clock& clock, absl::Time when, std::function<void()> fn) {
  State* state = state_.get();
  uint64_t id = state->next_call++;
  State::Call& call = state->calls[id];
  call.fn = std::move(fn);
  call.clock = &clock;
  auto fire = [state, id] {
    auto it = state->calls.find(id);
    if (it == state->calls.end()) return;
    std::function<void()> due = std::move(it->second.fn);
    state->calls.erase(it);
    due();
  };
  std::optional<uint64_t> waker = clock.WakeAt(when, [state, fire] { asio::post(state->io, fire); });
  if (waker) {
    state->calls[id].waker = waker;
    return id;
  }
  if (when == absl::InfiniteFuture()) return id;
  // A day at most: longer ones would overflow the timer, and nothing here waits that long.
  absl::Duration left = std::clamp(when - clock.Now(), absl::ZeroDuration(), absl::Hours(24));
  call.timer = std::make_unique<asio::steady_timer>(state->io, absl::ToChronoNanoseconds(left));
  call.timer->async_wait([fire](const boost::system::error_code& error) {
    if (!error) fire();
  });
  return id;
}

void EventLoop::CancelCall(uint64_t id) {
  auto it = state_->calls.find(id);
  if (it == state_->calls.end()) return;
  if (it->second.waker) it->second.clock->RemoveWaker(*it->second.waker);
  state_->calls.erase(it);
}

awaitable<absl::Status> EventLoop::SleepUntil(const Clock& clock, absl::Time when) {
  std::shared_ptr<OneShot> due = std::make_shared<OneShot>();
  uint64_t id = CallAt(clock, when, [due] { due->Set(); });
  absl::Status waited = co_await due->Wait();
  if (!waited.ok()) CancelCall(id);
  co_return waited;
}

awaitable<absl::Status> EventLoop::SleepFor(const Clock& clock, absl::Duration time) {
  return SleepUntil(clock, clock.Now() + time);
}

awaitable<void> EventLoop::Yield() { co_await asio::post(state_->io, asio::use_awaitable); }

awaitable<bool> EventLoop::IsCancelled() {
  asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
  co_return cancellation.cancelled() != asio::cancellation_type::none;
}

awaitable<void> EventLoop::IgnoreCancellation() {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
}

void EventLoop::Stop() {
  State* state = state_.get();
  {
    std::unique_lock<std::mutex> lock(state->mutex);
    if (state->stopping) {
      state->changed.wait(lock, [state] { return state->stopped; });
      return;
    }
    state->stopping = true;
  }
  asio::post(state->io, [state] {
    std::vector<std::shared_ptr<State::Running>> all;
    {
      std::lock_guard<std::mutex> lock(state->mutex);
      for (auto& [id, running] : state->running) all.push_back(running);
    }
    for (auto& running : all) {
      if (!running->ended) running->signal.emit(asio::cancellation_type::terminal);
    }
  });
  {
    std::unique_lock<std::mutex> lock(state->mutex);
    state->changed.wait_for(lock, absl::ToChronoNanoseconds(state->options.stop_grace),
                            [state] { return state->running.empty(); });
    state->pool_ends = true;
    state->jobs.clear();
    state->queued.notify_all();
  }
  for (std::thread& worker : state->workers) worker.join();
  {
    std::unique_lock<std::mutex> lock(state->mutex);
    state->io_ends = true;
    state->changed.wait(lock, [state] { return state->invoking == 0; });
  }
  state->work.reset();
  state->io.stop();
  state->thread.join();
  for (auto& [id, call] : state->calls) {
    if (call.waker) call.clock->RemoveWaker(*call.waker);
  }
  state->calls.clear();
  std::lock_guard<std::mutex> lock(state->mutex);
  state->stopped = true;
  state->changed.notify_all();
}

size_t EventLoop::running() const {
  std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->running.size();
}

}  // namespace puckdrop::runtime
