// Several probers of one path that stand in for each other.
#ifndef PUCKDROP_SERVICES_READINESS_REPLICATED_PROBER_H_
#define PUCKDROP_SERVICES_READINESS_REPLICATED_PROBER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "services/readiness/prober_client.h"
#include "services/runtime/clock.h"

namespace puckdrop::readiness {

// A run stays with the replica it began at, because that one knows its sessions, as long as that one answers. One that
// does not answer is left alone for a while that grows from a second to a minute, and routed round; when none is left,
// the one whose while ends first is asked all the same. A call that brought nothing yet goes on to the next replica;
// one that broke in the middle does not, because what was done must not be done twice.
class ReplicatedProber final : public ProberClient {
 public:
  struct Replica {
    std::string address;             // for words
    ProberClient* client = nullptr;  // outlives it
  };
  // At least one.
  ReplicatedProber(const runtime::Clock& clock, std::vector<Replica> replicas);

  awaitable<absl::Status> RunChecks(v1::RunChecksRequest request, absl::Time deadline, OnEvent on_event) override;
  awaitable<absl::StatusOr<v1::SettleObligationResponse>> SettleObligation(v1::SettleObligationRequest request,
                                                                           absl::Time deadline) override;

 private:
  struct Health {
    int failures = 0;                                       // in a row
    absl::Duration rest_until = -absl::InfiniteDuration();  // steady
  };
  // In the order in which they are to be asked.
  std::vector<size_t> Order(const std::string& run) const;
  void Note(size_t replica, const absl::Status& status);
  void Remember(const std::string& run, size_t replica);

  const runtime::Clock& clock_;
  const std::vector<Replica> replicas_;
  std::vector<Health> health_;
  struct Place {
    size_t replica = 0;
    uint64_t used = 0;
  };
  std::map<std::string, Place> places_;  // of runs
  uint64_t uses_ = 0;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_REPLICATED_PROBER_H_
