#include "services/runtime/signals.h"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <utility>

namespace puckdrop::runtime {

struct SignalWatch::State : std::enable_shared_from_this<SignalWatch::State> {
  EventLoop* loop = nullptr;
  std::function<void(int)> on_signal;
  std::function<void()> on_hangup;
  std::unique_ptr<boost::asio::signal_set> signals;  // loop thread only, once it is set

  mutable std::mutex mutex;
  std::condition_variable changed;
  int first = 0;
  int count = 0;

  void Listen() {
    signals->async_wait([self = shared_from_this()](const boost::system::error_code& error, int signal) {
      if (error || self->signals == nullptr) return;
      if (signal == SIGHUP) {
        if (self->on_hangup) self->on_hangup();
        self->Listen();
        return;
      }
      int count = 0;
      {
        std::lock_guard<std::mutex> lock(self->mutex);
        if (self->first == 0) self->first = signal;
        count = ++self->count;
        self->changed.notify_all();
      }
      if (count >= 3) _exit(128 + signal);
      if (self->on_signal) self->on_signal(signal);
      self->Listen();
    });
  }
};

SignalWatch::SignalWatch(EventLoop& loop, std::function<void(int)> on_signal, std::function<void()> on_hangup)
    : state_(std::make_shared<State>()) {
  std::signal(SIGPIPE, SIG_IGN);
  state_->loop = &loop;
  state_->on_signal = std::move(on_signal);
  state_->on_hangup = std::move(on_hangup);
  // From here on they are caught, before anything else is started.
  state_->signals = std::make_unique<boost::asio::signal_set>(loop.context(), SIGINT, SIGTERM);
  if (state_->on_hangup) state_->signals->add(SIGHUP);
  loop.Post([state = state_] {
    if (state->signals) state->Listen();
  });
}

SignalWatch::~SignalWatch() {
  state_->loop->Post([state = state_] {
    state->on_signal = nullptr;
    state->on_hangup = nullptr;
    state->signals = nullptr;
  });
}

int SignalWatch::Wait(absl::Duration limit) {
  std::unique_lock<std::mutex> lock(state_->mutex);
  const auto came = [this] { return state_->first != 0; };
  if (limit == absl::InfiniteDuration()) {
    state_->changed.wait(lock, came);
  } else {
    state_->changed.wait_for(lock, absl::ToChronoNanoseconds(limit), came);
  }
  return state_->first;
}

int SignalWatch::received() const {
  std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->first;
}

}  // namespace puckdrop::runtime
