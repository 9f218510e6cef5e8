// What a readiness that stays must not forget: the port behind which the store of a night lies. A gate has none.
#ifndef PUCKDROP_SERVICES_READINESS_ARCHIVE_H_
#define PUCKDROP_SERVICES_READINESS_ARCHIVE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "puckdrop/v1/check_service.pb.h"
#include "puckdrop/v1/plan.pb.h"
#include "puckdrop/v1/readiness_service.pb.h"
#include "puckdrop/v1/result.pb.h"
#include "puckdrop/v1/verdict.pb.h"
#include "services/readiness/history_types.h"

namespace puckdrop::readiness {

// Thread-safe; every call blocks on the disk, so never on the event loop. What was answered with OK survives SIGKILL;
// what was not left nothing behind and may be repeated. history.h says what each call does and its errors.
class Archive {
 public:
  virtual ~Archive() = default;

  // Evidence first, then the results that name it. All or none of the results.
  virtual absl::Status Keep(const std::vector<v1::Evidence>& evidence, const std::vector<v1::Result>& results) = 0;
  virtual absl::StatusOr<std::vector<v1::Result>> Latest() = 0;
  virtual absl::StatusOr<v1::ListResultsResponse> ListResults(const v1::ListResultsRequest& request) = 0;
  virtual absl::StatusOr<v1::Evidence> GetEvidence(const std::string& name) = 0;

  virtual absl::Status PutRun(const v1::Run& run) = 0;
  virtual absl::StatusOr<v1::Run> GetRun(const std::string& name) = 0;
  virtual absl::StatusOr<v1::ListRunsResponse> ListRuns(const v1::ListRunsRequest& request) = 0;
  virtual absl::StatusOr<int> EndAbandonedRuns(const std::string& why) = 0;

  // A verdict of the whole plan: its standings, and itself where it changed.
  virtual absl::Status Record(const v1::Verdict& verdict) = 0;
  virtual absl::StatusOr<std::optional<LastGo>> GetLastGo() = 0;

  // What on-call asks.
  virtual absl::StatusOr<std::vector<StandingSince>> Standings() = 0;
  virtual absl::StatusOr<std::optional<v1::Result>> LastGreen(const std::string& check,
                                                              const std::string& customer) = 0;
  virtual absl::StatusOr<std::vector<v1::Result>> Similar(const std::string& check, const std::string& customer,
                                                          const std::string& finding, int limit) = 0;
  // Those of `names` that are there, without content.
  virtual absl::StatusOr<std::vector<v1::Evidence>> DescribeEvidence(const std::vector<std::string>& names) = 0;
  virtual absl::StatusOr<v1::ListVerdictChangesResponse> ListVerdictChanges(
      const v1::ListVerdictChangesRequest& request) = 0;

  virtual absl::StatusOr<RuntimeWaiver> CreateWaiver(const v1::Waiver& waiver, const std::string& who) = 0;
  // Those that are not revoked.
  virtual absl::StatusOr<std::vector<RuntimeWaiver>> ListWaivers() = 0;
  virtual absl::StatusOr<RuntimeWaiver> RevokeWaiver(int64_t number, const std::string& who) = 0;

  virtual absl::Status Audit(const AuditRow& row) = 0;
  virtual absl::Status PutPause(const std::optional<Pause>& pause) = 0;
  virtual absl::StatusOr<std::optional<Pause>> GetPause() = 0;

  // One bounded pass of removing what is too old or too much; true if there is more to do now.
  virtual absl::StatusOr<bool> KeepHouse() = 0;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_ARCHIVE_H_
