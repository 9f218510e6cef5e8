#include "services/readiness/replicated_prober.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace puckdrop::readiness {
namespace {

constexpr absl::Duration kFirstRest = absl::Seconds(1);
constexpr absl::Duration kLongestRest = absl::Minutes(1);
constexpr size_t kMostRuns = 256;
// Accounts of a run are numbered from here on at each replica.
constexpr int kAccountsEach = 1000;

// The call did nothing, or nothing that another replica could not do.
bool AnotherMay(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsFailedPrecondition(status) || absl::IsResourceExhausted(status);
}

}  // namespace

ReplicatedProber::ReplicatedProber(const runtime::Clock& clock, std::vector<Replica> replicas)
    : clock_(clock), replicas_(std::move(replicas)), health_(replicas_.size()) {}

std::vector<size_t> ReplicatedProber::Order(const std::string& run) const {
  const absl::Duration now = clock_.Monotonic();
  std::vector<size_t> order(replicas_.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto place = places_.find(run);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const auto rest = [&](size_t i) { return std::max(now, health_[i].rest_until); };
    if (rest(a) != rest(b)) return rest(a) < rest(b);
    const auto known = [&](size_t i) { return place != places_.end() && place->second.replica == i; };
    return known(a) != known(b) ? known(a) : a < b;
  });
  return order;
}

void ReplicatedProber::Note(size_t replica, const absl::Status& status) {
  Health& health = health_[replica];
  // It answered: what it said is no matter of reach.
  if (!AnotherMay(status) && !absl::IsDeadlineExceeded(status)) {
    if (!absl::IsCancelled(status)) health = Health();
    return;
  }
  const absl::Duration rest = std::min(kLongestRest, kFirstRest * (1 << std::min(health.failures, 6)));
  ++health.failures;
  health.rest_until = clock_.Monotonic() + rest;
}

void ReplicatedProber::Remember(const std::string& run, size_t replica) {
  places_[run] = {replica, ++uses_};
  if (places_.size() <= kMostRuns) return;
  auto oldest = std::min_element(places_.begin(), places_.end(),
                                 [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
  places_.erase(oldest);
}

awaitable<absl::Status> ReplicatedProber::RunChecks(v1::RunChecksRequest request, absl::Time deadline,
                                                    OnEvent on_event) {
  const std::string run = request.session().empty() ? request.run() : request.session();
  absl::Status last = absl::UnavailableError("there is no replica");
  for (const size_t replica : Order(run)) {
    Remember(run, replica);
    auto begun = std::make_shared<bool>(false);
    OnEvent each = [begun, &on_event](v1::RunChecksEvent event) {
      *begun = true;
      on_event(std::move(event));
    };
    v1::RunChecksRequest asked = request;
    asked.set_first_account(static_cast<int>(replica) * kAccountsEach);
    last = co_await replicas_[replica].client->RunChecks(std::move(asked), deadline, std::move(each));
    Note(replica, last);
    if (last.ok() || *begun || !AnotherMay(last) || clock_.Now() >= deadline) break;
    last = absl::Status(last.code(), absl::StrCat(replicas_[replica].address, ": ", std::string(last.message())));
  }
  co_return last;
}

awaitable<absl::StatusOr<v1::SettleObligationResponse>> ReplicatedProber::SettleObligation(
    v1::SettleObligationRequest request, absl::Time deadline) {
  absl::StatusOr<v1::SettleObligationResponse> last = absl::UnavailableError("there is no replica");
  const std::vector<size_t> order = Order(request.obligation().owner());
  for (const size_t replica : order) {
    // One that hangs must leave time for the others.
    const absl::Duration left = deadline - clock_.Now();
    const absl::Time until = replica == order.back() ? deadline : clock_.Now() + left / 2;
    v1::SettleObligationRequest asked = request;
    last = co_await replicas_[replica].client->SettleObligation(std::move(asked), until);
    Note(replica, last.status());
    if (last.ok() || absl::IsCancelled(last.status()) || clock_.Now() >= deadline) break;
    if (!AnotherMay(last.status()) && !absl::IsDeadlineExceeded(last.status())) break;
  }
  co_return last;
}

}  // namespace puckdrop::readiness
