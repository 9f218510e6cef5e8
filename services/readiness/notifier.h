// Coroutines that wait for "something has changed".
#ifndef PUCKDROP_SERVICES_READINESS_NOTIFIER_H_
#define PUCKDROP_SERVICES_READINESS_NOTIFIER_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::readiness {

// Loop thread only. A change that nobody waits for is forgotten: look first, then wait.
class Notifier {
 public:
  void NotifyAll() {
    for (const std::shared_ptr<runtime::OneShot>& waiter : std::exchange(waiters_, {})) waiter->Set();
  }

  // OK at the next change; CANCELLED when the coroutine is.
  awaitable<absl::Status> Wait() {
    auto turn = std::make_shared<runtime::OneShot>();
    waiters_.push_back(turn);
    absl::Status waited = co_await turn->Wait();
    if (!waited.ok()) std::erase(waiters_, turn);
    co_return waited;
  }

 private:
  std::vector<std::shared_ptr<runtime::OneShot>> waiters_;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_NOTIFIER_H_
