#include "services/runtime/clock.h"

#include <time.h>

#include "absl/time/clock.h"

namespace puckdrop::runtime {

absl::Time RealClock::Now() const { return absl::Now(); }

absl::Duration RealClock::Monotonic() const {
  // Goes on while the machine sleeps, as what we know grows old then, too.
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return absl::DurationFromTimespec(now);
}

std::optional<uint64_t> RealClock::WakeAt(absl::Time, std::function<void()>) const { return std::nullopt; }

void RealClock::RemoveWaker(uint64_t) const {}

FakeClock::FakeClock(absl::Time start) : start_(start), now_(start) {}

absl::Time FakeClock::Now() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return now_;
}

absl::Duration FakeClock::Monotonic() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return now_ - start_ - stepped_;
}

std::optional<uint64_t> FakeClock::WakeAt(absl::Time when, std::function<void()> wake) const {
  uint64_t id = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    id = next_id_++;
    if (when > now_) {
      wakers_.emplace(std::make_pair(when, id), std::move(wake));
      return id;
    }
  }
  wake();
  return id;
}

void FakeClock::RemoveWaker(uint64_t id) const {
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto it = wakers_.begin(); it != wakers_.end(); ++it) {
    if (it->first.second == id) {
      wakers_.erase(it);
      return;
    }
  }
}

void FakeClock::Advance(absl::Duration step) { AdvanceTo(Now() + step); }

void FakeClock::AdvanceTo(absl::Time when) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (when <= now_) return;
  now_ = when;
  while (!wakers_.empty() && wakers_.begin()->first.first <= now_) {
    auto due = wakers_.extract(wakers_.begin());
    // A waker may add or remove others.
    lock.unlock();
    due.mapped()();
    lock.lock();
  }
}

void FakeClock::Step(absl::Duration step) {
  std::lock_guard<std::mutex> lock(mutex_);
  now_ += step;
  stepped_ += step;
  std::map<std::pair<absl::Time, uint64_t>, std::function<void()>> moved;
  for (auto& [at, wake] : wakers_) moved.emplace(std::make_pair(at.first + step, at.second), std::move(wake));
  wakers_ = std::move(moved);
}

size_t FakeClock::sleepers() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return wakers_.size();
}

std::optional<absl::Time> FakeClock::next_wake() const {
  std::lock_guard<std::mutex> lock(mutex_);
  if (wakers_.empty()) return std::nullopt;
  return wakers_.begin()->first.first;
}

}  // namespace puckdrop::runtime
