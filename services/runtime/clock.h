// The only source of time for everything that waits, measures or judges.
#ifndef PUCKDROP_SERVICES_RUNTIME_CLOCK_H_
#define PUCKDROP_SERVICES_RUNTIME_CLOCK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/time/time.h"

namespace puckdrop::runtime {

// Thread-safe. A clock must outlive everything it was given to.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  // Wall time: for timestamps and deadlines.
  virtual absl::Time Now() const = 0;

  // Never goes back, and goes on while the machine sleeps; the zero is arbitrary. For measuring how long something
  // took.
  virtual absl::Duration Monotonic() const = 0;

  // For a clock that moves only when told: calls `wake` once, on the thread that moves it, when Now() reaches `when`
  // (at once, on the caller's thread, if it already has), and gives an id for RemoveWaker. A clock that moves by itself
  // gives nullopt and never calls: the waiter uses a timer.
  virtual std::optional<uint64_t> WakeAt(absl::Time when, std::function<void()> wake) const = 0;

  // After it returns `wake` is not called any more, unless a call is running now. Unknown ids are ignored.
  virtual void RemoveWaker(uint64_t id) const = 0;
};

// The machine's clocks.
class RealClock final : public Clock {
 public:
  absl::Time Now() const override;
  absl::Duration Monotonic() const override;
  std::optional<uint64_t> WakeAt(absl::Time when, std::function<void()> wake) const override;
  void RemoveWaker(uint64_t id) const override;
};

// Moves only when told, both of its times together, and wakes those who sleep on it.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time start = absl::FromUnixSeconds(1'780'000'000));

  absl::Time Now() const override;
  absl::Duration Monotonic() const override;
  std::optional<uint64_t> WakeAt(absl::Time when, std::function<void()> wake) const override;
  void RemoveWaker(uint64_t id) const override;

  // Moves forward and calls the wakers that are due, earliest first, after the time has moved. Negative steps are
  // ignored.
  void Advance(absl::Duration step);
  void AdvanceTo(absl::Time when);
  // Sets the wall clock forth or back as a person or NTP would: Monotonic() does not notice, and sleepers sleep as long
  // as they would have.
  void Step(absl::Duration step);

  // How many sleep on this clock: a test waits for this before it moves the time.
  size_t sleepers() const;
  // The earliest time somebody sleeps for; nullopt when nobody does.
  std::optional<absl::Time> next_wake() const;

 private:
  const absl::Time start_;
  mutable std::mutex mutex_;
  absl::Time now_;
  absl::Duration stepped_;
  mutable uint64_t next_id_ = 1;
  mutable std::map<std::pair<absl::Time, uint64_t>, std::function<void()>> wakers_;
};

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_SERVICES_RUNTIME_CLOCK_H_
