// What readiness must not forget: obligations, and the runs they belong to. SQLite in a directory.
#ifndef PUCKDROP_SERVICES_READINESS_STORE_H_
#define PUCKDROP_SERVICES_READINESS_STORE_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "puckdrop/v1/obligation.pb.h"
#include "puckdrop/v1/obligation_service.pb.h"
#include "services/readiness/database.h"
#include "services/readiness/run_lock.h"
#include "services/readiness/state_directory.h"
#include "services/runtime/clock.h"

namespace puckdrop::readiness {

// How long an owner that is not seen to be dead keeps what it owes to itself.
inline constexpr absl::Duration kObligationLease = absl::Seconds(60);

// Thread-safe; calls block on the disk, so never on the event loop. Several processes may use one directory. What was
// answered survives SIGKILL of any process and the machine's.
class Store {
 public:
  // Makes the directory (0700) if need be. FAILED_PRECONDITION when it cannot be used. `clock` outlives the store.
  static absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& directory, const runtime::Clock& clock);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  const std::string& directory() const { return directory_; }

  // This process owns the run from now on, and is known to be dead as soon as it is. INVALID_ARGUMENT for what is no
  // run id.
  absl::Status ClaimRun(const std::string& run);
  void ReleaseRun(const std::string& run);

  // -- ObligationService (obligation_service.proto says what each does and its errors)
  absl::StatusOr<v1::Obligation> OpenObligation(v1::Obligation obligation);
  absl::StatusOr<int> RenewObligations(const std::string& owner);
  absl::StatusOr<v1::Obligation> UpdateObligation(const v1::UpdateObligationRequest& request);
  absl::StatusOr<v1::Obligation> CloseObligation(const std::string& name, const std::string& owner);
  absl::StatusOr<v1::ListObligationsResponse> ListObligations(const v1::ListObligationsRequest& request);

  // All that is not settled, oldest first; of one launch, or of all for "".
  absl::StatusOr<std::vector<v1::Obligation>> Owed(const std::string& launch);
  // What `owner` owns and has not settled, oldest first; of one customer, or of all for "".
  absl::StatusOr<std::vector<v1::Obligation>> OwedBy(const std::string& owner, const std::string& customer);
  // Makes `owner` the owner of everything unsettled of the launch whose owner is dead or whose lease has run out, and
  // gives it. Of two that ask at once one gets it.
  absl::StatusOr<std::vector<v1::Obligation>> TakeOver(const std::string& owner, const std::string& launch);
  // An attempt that did not settle it. PERMISSION_DENIED when `owner` does not own it.
  absl::StatusOr<v1::Obligation> NoteAttempt(const std::string& name, const std::string& owner,
                                             const std::string& error, const std::string& manual_action, bool stuck);

  // Closes the store; when nothing is owed and no other process uses it, removes everything Open made. True if removed.
  // Nothing may be called afterwards.
  bool CloseAndRemoveIfNothingOwed();

 private:
  Store(std::string directory, const runtime::Clock& clock) : directory_(std::move(directory)), clock_(clock) {}
  absl::StatusOr<v1::Obligation> Change(const std::string& name, std::function<absl::Status(v1::Obligation&)> change);
  bool MayTake(const v1::Obligation& obligation) const;
  std::string LockDirectory() const { return directory_ + "/runs"; }

  const std::string directory_;
  const runtime::Clock& clock_;
  std::vector<std::string> made_;  // directories, outermost first
  std::unique_ptr<FileLock> in_use_;
  std::unique_ptr<Database> database_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<FileLock>> runs_;  // guarded by mutex_
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_STORE_H_
