#include "checks/target/http/limiter.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <list>
#include <mutex>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace puckdrop::http {

namespace {

constexpr int kMostInWindow = 100'000;

// At most `most` grants in any stretch of `window`. Stricter than a token bucket, which lets twice its rate through
// when it was full; and the plan's words are "in any second".
class SlidingWindow {
 public:
  void Configure(double rate, absl::Duration unit) {
    unlimited_ = !(rate > 0);
    if (unlimited_) {
      grants_.clear();
      return;
    }
    // 2.5 a second is 2 in 0.8 s, 0.5 a second is 1 in 2 s.
    most_ = static_cast<int>(std::clamp(std::floor(rate), 1.0, static_cast<double>(kMostInWindow)));
    window_ = unit * (most_ / rate);
  }

  bool unlimited() const { return unlimited_; }

  // When a grant is possible after `ahead` others that are let through as early as they may.
  absl::Time Free(absl::Time now, size_t ahead = 0) const {
    if (unlimited_) return now;
    size_t most = static_cast<size_t>(most_);
    size_t windows = ahead / most, rest = ahead % most;
    absl::Time first = now;
    // The one that is `most` before ours decides.
    if (grants_.size() + rest >= most) first = std::max(now, grants_[grants_.size() + rest - most] + window_);
    return first + windows * window_;
  }

  void Grant(absl::Time now) {
    if (unlimited_) return;
    grants_.push_back(now);
    while (grants_.size() > static_cast<size_t>(most_)) grants_.pop_front();
  }

 private:
  bool unlimited_ = true;
  int most_ = 1;
  absl::Duration window_;
  std::deque<absl::Time> grants_;
};

struct Waiter {
  std::string host;
  uint64_t order = 0;
  absl::Time deadline;
  uint64_t deadline_call = 0;
  runtime::OneShot done;
  absl::Status result = absl::OkStatus();
};

absl::string_view KindName(Limiter::Kind kind) {
  switch (kind) {
    case Limiter::Kind::kRequest:
      return "requests_per_second, in_flight";
    case Limiter::Kind::kMedia:
      return "media_requests_per_second, in_flight";
    case Limiter::Kind::kOrder:
      return "orders_per_hour";
  }
  return "";
}

}  // namespace

struct LimiterState {
  static constexpr int kKinds = 3;

  LimiterState(runtime::EventLoop& given_loop, const runtime::Clock& given_clock)
      : loop(given_loop), clock(given_clock) {}

  runtime::EventLoop& loop;
  const runtime::Clock& clock;
  bool closed = false;

  // Loop thread only.
  LimitSettings settings;
  SlidingWindow windows[kKinds];
  std::list<Waiter*> queues[kKinds];
  std::map<std::string, absl::Time> holds;
  uint64_t next_order = 0;
  int in_flight = 0;
  uint64_t wake_call = 0;
  absl::Time wake_at = absl::InfiniteFuture();

  // Any thread.
  std::mutex budget_mutex;
  int64_t most_bytes = 0;
  int64_t bytes = 0;
  std::map<std::string, int64_t> most_money;
  std::map<std::string, int64_t> money;

  void Configure(LimitSettings given) {
    settings = std::move(given);
    windows[0].Configure(settings.requests_per_second, absl::Seconds(1));
    windows[1].Configure(settings.media_requests_per_second, absl::Seconds(1));
    windows[2].Configure(settings.orders_per_hour, absl::Hours(1));
    std::lock_guard<std::mutex> lock(budget_mutex);
    most_bytes = settings.bytes_per_run;
    most_money = settings.money_minor_units;
  }

  bool PlaceFree(int kind) const {
    return kind == static_cast<int>(Limiter::Kind::kOrder) || settings.in_flight <= 0 || in_flight < settings.in_flight;
  }

  absl::Time HeldUntil(const std::string& host) const {
    auto it = holds.find(host);
    return it == holds.end() ? absl::InfinitePast() : it->second;
  }

  size_t Waiting() const { return queues[0].size() + queues[1].size() + queues[2].size(); }

  void Take(int kind, absl::Time now) {
    windows[kind].Grant(now);
    if (kind != static_cast<int>(Limiter::Kind::kOrder)) ++in_flight;
  }

  // Lets through who may go now, and sets the alarm for the next who may by time alone.
  void Pump(const std::shared_ptr<LimiterState>& self) {
    absl::Time now = clock.Now();
    absl::Time next = absl::InfiniteFuture();
    // Places in flight are shared by requests and media: whoever waits longest goes first.
    bool progressed = true;
    while (progressed) {
      progressed = false;
      int chosen = -1;
      std::list<Waiter*>::iterator who;
      next = absl::InfiniteFuture();
      for (int kind = 0; kind < kKinds; ++kind) {
        if (queues[kind].empty() || !PlaceFree(kind)) continue;
        absl::Time free = windows[kind].Free(now);
        for (auto it = queues[kind].begin(); it != queues[kind].end(); ++it) {
          absl::Time when = std::max(free, HeldUntil((*it)->host));
          if (when <= now) {
            if (chosen < 0 || (*it)->order < (*who)->order) {
              chosen = kind;
              who = it;
            }
            break;
          }
          next = std::min(next, when);
          // Nobody behind can go before the window opens.
          if (free > now) break;
        }
      }
      if (chosen >= 0) {
        Waiter* waiter = *who;
        queues[chosen].erase(who);
        Take(chosen, now);
        loop.CancelCall(waiter->deadline_call);
        waiter->done.Set();
        progressed = true;
      }
    }
    if (next < wake_at) {
      if (wake_at != absl::InfiniteFuture()) loop.CancelCall(wake_call);
      wake_at = next;
      wake_call = loop.CallAt(clock, next, [self] {
        self->wake_at = absl::InfiniteFuture();
        self->Pump(self);
      });
    }
  }

  // When somebody who asks now would be let through, as far as the clock alone decides.
  absl::Time Earliest(int kind, const std::string& host) const {
    return std::max(windows[kind].Free(clock.Now(), queues[kind].size()), HeldUntil(host));
  }
};

Limiter::Permit::Permit(Permit&& other) noexcept : state_(std::move(other.state_)), waited_(other.waited_) {}

Limiter::Permit& Limiter::Permit::operator=(Permit&& other) noexcept {
  if (this != &other) {
    Release();
    state_ = std::move(other.state_);
    waited_ = other.waited_;
  }
  return *this;
}

void Limiter::Permit::Release() {
  std::shared_ptr<LimiterState> state = std::move(state_);
  state_ = nullptr;
  if (state == nullptr) return;
  --state->in_flight;
  if (!state->closed) state->Pump(state);
}

Limiter::Limiter(runtime::EventLoop& loop, const runtime::Clock& clock, LimitSettings settings)
    : state_(std::make_shared<LimiterState>(loop, clock)) {
  state_->Configure(std::move(settings));
}

Limiter::~Limiter() {
  std::shared_ptr<LimiterState> state = state_;
  state->loop.Invoke([state] {
    state->closed = true;
    if (state->wake_at != absl::InfiniteFuture()) state->loop.CancelCall(state->wake_call);
    for (auto& queue : state->queues) {
      for (Waiter* waiter : queue) {
        state->loop.CancelCall(waiter->deadline_call);
        waiter->result = absl::CancelledError("the limiter ends");
        waiter->done.Set();
      }
      queue.clear();
    }
  });
}

awaitable<absl::StatusOr<Limiter::Permit>> Limiter::Acquire(Kind kind, std::string host_name, absl::Time deadline) {
  std::shared_ptr<LimiterState> state = state_;
  int index = static_cast<int>(kind);
  Permit permit;
  auto too_late = [&](absl::Time earliest) {
    absl::Time held = state->HeldUntil(host_name);
    std::string why = held > state->clock.Now()
                          ? absl::StrCat("the host \"", host_name, "\" asked us to wait until ", absl::FormatTime(held))
                          : absl::StrCat("the plan's limits (", KindName(kind), ") let us go no earlier");
    return absl::DeadlineExceededError(
        absl::StrCat(why, earliest == absl::InfiniteFuture() ? "" : absl::StrCat(" than ", absl::FormatTime(earliest)),
                     "; the deadline is ", absl::FormatTime(deadline)));
  };

  if (state->closed) co_return absl::CancelledError("the limiter ends");
  bool nobody_before = state->queues[index].empty();
  absl::Time earliest = state->Earliest(index, host_name);
  // Looked at after it: "at once" must not lie in the future of a clock that has moved on.
  const absl::Time now = state->clock.Now();
  if (nobody_before && state->PlaceFree(index) && earliest <= now && now < deadline) {
    state->Take(index, now);
    if (kind != Kind::kOrder) permit.state_ = state;
    co_return permit;
  }
  if (earliest >= deadline || now >= deadline) co_return too_late(earliest);
  if (state->Waiting() >= state->settings.waiters) {
    co_return absl::ResourceExhaustedError(
        absl::StrCat(state->Waiting(), " requests already wait for the plan's limits"));
  }

  Waiter waiter;
  waiter.host = host_name;
  waiter.order = state->next_order++;
  waiter.deadline = deadline;
  state->queues[index].push_back(&waiter);
  Waiter* me = &waiter;
  // By address of the waiter, which leaves the queue before it goes.
  waiter.deadline_call = state->loop.CallAt(state->clock, deadline, [state, index, me] {
    auto& queue = state->queues[index];
    auto it = std::find(queue.begin(), queue.end(), me);
    if (it == queue.end()) return;
    queue.erase(it);
    me->result = absl::DeadlineExceededError("");
    me->done.Set();
  });
  struct Guard {
    std::shared_ptr<LimiterState> state;
    int index;
    Waiter* waiter;
    ~Guard() {
      state->queues[index].remove(waiter);
      if (!state->closed) state->loop.CancelCall(waiter->deadline_call);
    }
  } guard{state, index, me};
  state->Pump(state);
  absl::Status waited = co_await waiter.done.Wait();
  if (!waited.ok() && !waiter.done.is_set()) co_return waited;
  if (absl::IsDeadlineExceeded(waiter.result)) co_return too_late(absl::InfiniteFuture());
  if (!waiter.result.ok()) co_return waiter.result;
  if (kind != Kind::kOrder) permit.state_ = state;
  permit.waited_ = state->clock.Now() - now;
  co_return permit;
}

void Limiter::Hold(const std::string& host_name, absl::Time until) {
  until = std::min(until, state_->clock.Now() + state_->settings.longest_retry_after);
  absl::Time& held = state_->holds.try_emplace(host_name, absl::InfinitePast()).first->second;
  held = std::max(held, until);
}

std::optional<absl::Time> Limiter::held_until(const std::string& host_name) const {
  absl::Time held = state_->HeldUntil(host_name);
  if (held <= state_->clock.Now()) return std::nullopt;
  return held;
}

std::optional<absl::Time> Limiter::ParseRetryAfter(absl::string_view value, absl::Time now) {
  value = absl::StripAsciiWhitespace(value);
  if (value.empty() || value.size() > 64) return std::nullopt;
  if (std::all_of(value.begin(), value.end(), [](unsigned char c) { return absl::ascii_isdigit(c); })) {
    int64_t seconds = 0;
    if (!absl::SimpleAtoi(value, &seconds)) return absl::InfiniteFuture();
    return now + absl::Seconds(seconds);
  }
  // RFC 9110 section 5.6.7: the fixed form, RFC 850's and asctime's.
  absl::Time time;
  std::string error;
  for (const char* format : {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    if (absl::ParseTime(format, value, absl::UTCTimeZone(), &time, &error)) return time;
  }
  return std::nullopt;
}

absl::Status Limiter::SpendBytes(int64_t bytes) {
  std::lock_guard<std::mutex> lock(state_->budget_mutex);
  if (state_->most_bytes > 0 && state_->bytes + bytes > state_->most_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the run may use ", state_->most_bytes, " bytes (bytes_per_run) and has used ", state_->bytes));
  }
  state_->bytes += bytes;
  return absl::OkStatus();
}

absl::Status Limiter::SpendMoney(absl::string_view currency_code, int64_t minor_units) {
  std::lock_guard<std::mutex> lock(state_->budget_mutex);
  if (minor_units < 0) return absl::InvalidArgumentError("money that is spent is not negative");
  std::string code(currency_code);
  int64_t& spent = state_->money[code];
  if (!state_->most_money.empty()) {
    auto most = state_->most_money.find(code);
    if (most == state_->most_money.end()) {
      return absl::ResourceExhaustedError(absl::StrCat("the plan's limits let us spend nothing in ", code));
    }
    if (spent > most->second || minor_units > most->second - spent) {
      return absl::ResourceExhaustedError(absl::StrCat("the plan's limits let us spend ", most->second,
                                                       " minor units of ", code, ", ", spent, " are spent and ",
                                                       minor_units, " more are wanted"));
    }
  }
  spent += minor_units;
  return absl::OkStatus();
}

void Limiter::Update(LimitSettings settings) {
  state_->Configure(std::move(settings));
  state_->Pump(state_);
}

size_t Limiter::waiting() const { return state_->Waiting(); }
int Limiter::in_flight() const { return state_->in_flight; }

}  // namespace puckdrop::http
