// We are a guest on the target: the plan's limits on what this process does to it.
#ifndef PUCKDROP_CHECKS_TARGET_HTTP_LIMITER_H_
#define PUCKDROP_CHECKS_TARGET_HTTP_LIMITER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::http {

// Zero means no limit, for each.
struct LimitSettings {
  double requests_per_second = 0;  // never more than this in any second; 0.5 is one in any two seconds
  int in_flight = 0;               // requests and media requests at the same time
  double media_requests_per_second = 0;
  double orders_per_hour = 0;                             // never more than this in any hour
  int64_t bytes_per_run = 0;                              // received and sent
  std::map<std::string, int64_t> money_minor_units;       // by currency code; with an empty map money is not bounded,
                                                          // otherwise a currency that is not listed may not be spent
  size_t waiters = 10'000;                                // more than these fail at once
  absl::Duration longest_retry_after = absl::Minutes(2);  // a longer Retry-After is held for this long
};

// Every status that is not OK is OURS, never the target's fault: DEADLINE_EXCEEDED (the deadline comes before our turn,
// said as soon as it is known), RESOURCE_EXHAUSTED (too many wait, or a budget of the run is spent), CANCELLED. Loop
// thread only, except the SpendXxx methods and ParseRetryAfter. Loop and clock must outlive it.
class Limiter {
 public:
  enum class Kind { kRequest, kMedia, kOrder };

  // Holds a place among those in flight until it is destroyed or Release()d. Movable. Loop thread only; may outlive the
  // Limiter.
  class Permit {
   public:
    Permit() = default;
    Permit(Permit&& other) noexcept;
    Permit& operator=(Permit&& other) noexcept;
    ~Permit() { Release(); }
    void Release();
    // How long we made the request wait.
    absl::Duration waited() const { return waited_; }

   private:
    friend class Limiter;
    std::shared_ptr<struct LimiterState> state_;
    absl::Duration waited_;
  };

  Limiter(runtime::EventLoop& loop, const runtime::Clock& clock, LimitSettings settings);
  ~Limiter();  // those who wait get CANCELLED
  Limiter(const Limiter&) = delete;
  Limiter& operator=(const Limiter&) = delete;

  // Waits its turn, first come first served per kind; a host that is held lets the others pass. kOrder is asked for
  // besides the order's requests and takes no place in flight.
  awaitable<absl::StatusOr<Permit>> Acquire(Kind kind, std::string host_name, absl::Time deadline);

  // No request to that host of the plan before `until`: what Retry-After asks for, bounded by longest_retry_after. Only
  // ever extends a hold.
  void Hold(const std::string& host_name, absl::Time until);
  std::optional<absl::Time> held_until(const std::string& host_name) const;

  // A Retry-After value (RFC 9110 section 10.2.3: seconds or an HTTP date) as a time; nullopt when it is neither.
  static std::optional<absl::Time> ParseRetryAfter(absl::string_view value, absl::Time now);

  // RESOURCE_EXHAUSTED when it is more than what is left; then nothing is taken. Money is asked for before it is spent.
  absl::Status SpendBytes(int64_t bytes);
  absl::Status SpendMoney(absl::string_view currency_code, int64_t minor_units);

  // What readiness gives us as our share; those who wait are looked at again. What was spent stays spent.
  void Update(LimitSettings settings);

  size_t waiting() const;
  int in_flight() const;

 private:
  std::shared_ptr<struct LimiterState> state_;
};

}  // namespace puckdrop::http

#endif  // PUCKDROP_CHECKS_TARGET_HTTP_LIMITER_H_
