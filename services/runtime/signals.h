// SIGINT, SIGTERM and SIGHUP, delivered where they can be handled.
#ifndef PUCKDROP_SERVICES_RUNTIME_SIGNALS_H_
#define PUCKDROP_SERVICES_RUNTIME_SIGNALS_H_

#include <functional>
#include <memory>

#include "absl/time/time.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::runtime {

// One a process. Ignores SIGPIPE for the process. While it lives, SIGINT and SIGTERM do not end the process; a third
// one does at once, by _exit(128 + signal), for a person who will not wait.
class SignalWatch {
 public:
  // `on_signal` may be empty; it is called on the loop's thread with each signal's number. With `on_hangup` SIGHUP does
  // not end the process either, but calls it, on the loop's thread.
  explicit SignalWatch(EventLoop& loop, std::function<void(int)> on_signal = {}, std::function<void()> on_hangup = {});
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // Blocks the calling thread (never the loop's) until the first signal, and gives its number; 0 when `limit` passed.
  int Wait(absl::Duration limit = absl::InfiniteDuration());
  // The first signal that came; 0 for none. Any thread.
  int received() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_SERVICES_RUNTIME_SIGNALS_H_
