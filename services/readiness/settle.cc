#include "services/readiness/settle.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/readiness/verdict.h"

namespace puckdrop::readiness {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(500);
constexpr absl::Duration kOneAttempt = absl::Seconds(30);

std::string ManualAction(const v1::Obligation& obligation) {
  return absl::StrCat("undo ", obligation.operation(), " of account ", obligation.account(),
                      " by hand: find it by the key ", obligation.idempotency_key());
}

}  // namespace

Settler::Settler(runtime::EventLoop& loop, const runtime::Clock& clock, Store& store, Probers probers,
                 std::string plan_digest)
    : loop_(loop), clock_(clock), store_(store), probers_(std::move(probers)), plan_digest_(std::move(plan_digest)) {}

awaitable<bool> Settler::SettleOne(v1::Obligation& obligation, std::string owner, absl::Time deadline) {
  const auto prober = probers_.find(PathFromName(obligation.path()));
  absl::Duration pause = kFirstPause;
  for (int attempt = 1; attempt <= kSettleAttempts; ++attempt) {
    if (clock_.Now() >= deadline && attempt > 1) break;
    std::string error, manual_action;
    if (prober == probers_.end() || prober->second == nullptr) {
      error = absl::StrCat("there is no prober of the path '", obligation.path(), "'");
      attempt = kSettleAttempts;
    } else {
      v1::SettleObligationRequest request;
      *request.mutable_obligation() = obligation;
      request.set_plan_digest(plan_digest_);
      const absl::Time until = std::min(deadline, clock_.Now() + kOneAttempt);
      absl::StatusOr<v1::SettleObligationResponse> answer =
          co_await prober->second->SettleObligation(std::move(request), until);
      if (answer.ok() && answer->settled()) {
        const std::string name = obligation.name();
        absl::StatusOr<v1::Obligation> closed =
            co_await loop_.RunBlocking([this, name, owner] { return store_.CloseObligation(name, owner); });
        if (closed.ok()) {
          obligation = std::move(*closed);
          co_return true;
        }
        error = absl::StrCat("undone, but not written down: ", std::string(closed.status().message()));
      } else if (answer.ok()) {
        error = answer->words();
        manual_action = answer->manual_action();
      } else {
        error = absl::StrCat("the prober of ", obligation.path(), ": ", std::string(answer.status().message()));
      }
    }
    const bool last = attempt >= kSettleAttempts || clock_.Now() + pause >= deadline;
    if (last && manual_action.empty()) manual_action = ManualAction(obligation);
    const std::string name = obligation.name();
    absl::StatusOr<v1::Obligation> noted = co_await loop_.RunBlocking([this, name, owner, error, manual_action, last] {
      return store_.NoteAttempt(name, owner, error, manual_action, last);
    });
    if (noted.ok()) {
      obligation = std::move(*noted);
      // The prober may have settled and closed it by itself in the meantime.
      if (obligation.state() == v1::Obligation::SETTLED) co_return true;
    } else {
      obligation.set_last_error(error);
      obligation.set_manual_action(manual_action);
    }
    if (last) break;
    absl::Status slept = co_await loop_.SleepFor(clock_, pause);
    if (!slept.ok()) break;
    pause *= 2;
  }
  co_return false;
}

awaitable<Settled> Settler::Settle(std::vector<v1::Obligation> obligations, std::string owner, absl::Time deadline) {
  Settled outcome;
  // The newest stands on the older: a device on its account, an order on its cart.
  for (auto obligation = obligations.rbegin(); obligation != obligations.rend(); ++obligation) {
    const bool done = co_await SettleOne(*obligation, owner, deadline);
    if (done) {
      ++outcome.settled;
    } else {
      outcome.open.push_back(*obligation);
    }
  }
  std::reverse(outcome.open.begin(), outcome.open.end());
  co_return outcome;
}

awaitable<Settled> Settler::SettleOwn(std::string owner, std::string customer, absl::Time deadline) {
  absl::StatusOr<std::vector<v1::Obligation>> owed =
      co_await loop_.RunBlocking([this, owner, customer] { return store_.OwedBy(owner, customer); });
  Settled outcome;
  if (owed.ok() && !owed->empty()) outcome = co_await Settle(std::move(*owed), owner, deadline);
  co_return outcome;
}

awaitable<Settled> Settler::SettleAbandoned(std::string owner, std::string launch, absl::Time deadline) {
  absl::StatusOr<std::vector<v1::Obligation>> taken =
      co_await loop_.RunBlocking([this, owner, launch] { return store_.TakeOver(owner, launch); });
  Settled outcome;
  if (taken.ok() && !taken->empty()) outcome = co_await Settle(std::move(*taken), owner, deadline);
  co_return outcome;
}

}  // namespace puckdrop::readiness
