// Undoing what we owe the target, by way of the probers.
#ifndef PUCKDROP_SERVICES_READINESS_SETTLE_H_
#define PUCKDROP_SERVICES_READINESS_SETTLE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "puckdrop/v1/obligation.pb.h"
#include "services/readiness/prober_client.h"
#include "services/readiness/store.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::readiness {

// By path; not owned, outlive what uses them.
using Probers = std::map<v1::Path, ProberClient*>;

// How often one obligation is tried before it is a person's.
inline constexpr int kSettleAttempts = 4;

struct Settled {
  int settled = 0;
  std::vector<v1::Obligation> open;  // as last written down, with what a person must do
};

// Loop thread only; everything passed in outlives its calls.
class Settler {
 public:
  Settler(runtime::EventLoop& loop, const runtime::Clock& clock, Store& store, Probers probers,
          std::string plan_digest);

  // Undoes these, which `owner` owns, newest first. Each is tried up to kSettleAttempts times with growing pauses, and
  // what is not done at `deadline` stays open. Always ends shortly after the deadline.
  awaitable<Settled> Settle(std::vector<v1::Obligation> obligations, std::string owner, absl::Time deadline);

  // What `owner` still owes for a customer ("" for all).
  awaitable<Settled> SettleOwn(std::string owner, std::string customer, absl::Time deadline);

  // What dead owners and those past their lease left.
  awaitable<Settled> SettleAbandoned(std::string owner, std::string launch, absl::Time deadline);

 private:
  awaitable<bool> SettleOne(v1::Obligation& obligation, std::string owner, absl::Time deadline);

  runtime::EventLoop& loop_;
  const runtime::Clock& clock_;
  Store& store_;
  const Probers probers_;
  const std::string plan_digest_;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_SETTLE_H_
