// What a night leaves behind: results, runs, verdicts, standings, waivers made at run time, audit rows and evidence, in
// SQLite and a folder, for days, answered in milliseconds.
//
// One launch has one directory and one process writes it; obligations, which gates share, are in store.h.
#ifndef PUCKDROP_SERVICES_READINESS_HISTORY_H_
#define PUCKDROP_SERVICES_READINESS_HISTORY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "puckdrop/v1/check_service.pb.h"
#include "puckdrop/v1/plan.pb.h"
#include "puckdrop/v1/readiness_service.pb.h"
#include "puckdrop/v1/result.pb.h"
#include "puckdrop/v1/verdict.pb.h"
#include "services/readiness/history_types.h"
#include "services/runtime/clock.h"

namespace puckdrop::readiness {

class Connection;
class Database;
class EvidenceFolder;
class FileLock;
class ReaderPool;

// Thread-safe. All calls but AppendAsync block on the disk, so never on the event loop: RunBlocking.
//
// A call that writes and gives OK survives SIGKILL of the process and of the machine; one that gives an error left
// nothing behind, and may be repeated. Calls that write at the same time share one commit, so that many threads or many
// AppendAsync write far more often than the disk syncs.
//
// Errors of every call, with the way out in their words:
//   FAILED_PRECONDITION  the directory or file cannot be used as it is (read-only, no rights, another launch's, newer)
//   UNAVAILABLE          another process holds the file's lock; repeat
//   RESOURCE_EXHAUSTED   the disk or the file's limit is full, or more waits than is written; repeat when there is room
//   DATA_LOSS            the file is damaged
//   INVALID_ARGUMENT     a name, page token or message that cannot be one
// Nothing is cached that a failed write could make wrong: when space returns, so does the store.
class History {
 public:
  // Makes the directory (0700) if need be and holds history.lock in it until it is destroyed. FAILED_PRECONDITION when
  // another process has it, when the file is another launch's or a newer puckdrop's. `clock` outlives the history.
  static absl::StatusOr<std::unique_ptr<History>> Open(HistoryOptions options, const runtime::Clock& clock);
  // Writes what waits; nothing may be called any more.
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  const HistoryOptions& options() const { return options_; }

  // -- results
  // Keeps results, all or none. One whose name and vantage are known already is left as it is, so that repeating is
  // harmless. INVALID_ARGUMENT without name, check, customer or outcome.
  absl::Status Append(const std::vector<v1::Result>& results);
  // The same without blocking, for the event loop: `done` is called once, on the writer's thread (or here and now when
  // nothing was taken on), and must not block. EventLoop::Post brings it back.
  void AppendAsync(std::vector<v1::Result> results, std::function<void(absl::Status)> done);
  // The newest result of every check, customer and vantage. Never scans. An older result that comes late does not
  // replace a newer one, unless that one lies in the future, as after a clock was set back.
  absl::StatusOr<std::vector<v1::Result>> Latest() const;
  // Newest (last appended) first. A page token stays good while results are added or removed.
  absl::StatusOr<v1::ListResultsResponse> ListResults(const v1::ListResultsRequest& request) const;
  // NOT_FOUND, also past its retention. With several vantages, one of them.
  absl::StatusOr<v1::Result> GetResult(const std::string& name) const;
  // How this instance failed before with the same first finding: the first result of each earlier row of failures,
  // newest row first. A row ends with a pass or with another finding; the one that lasts until now is left out.
  // At most `limit` (1 to 100).
  absl::StatusOr<std::vector<v1::Result>> Similar(const std::string& check, const std::string& customer,
                                                  const std::string& finding, int limit) const;
  // Its newest PASSED, also past its retention; nullopt if there was none.
  absl::StatusOr<std::optional<v1::Result>> LastGreen(const std::string& check, const std::string& customer) const;

  // -- standings: call with every verdict that was computed; writes only what differs from the last call.
  // Instances that are missing in a verdict of the whole plan are forgotten. How many changed.
  absl::StatusOr<int> RecordStandings(const v1::Verdict& verdict);
  // All instances known, by check and customer.
  absl::StatusOr<std::vector<StandingSince>> Standings() const;
  // nullopt if it has never been recorded.
  absl::StatusOr<std::optional<StandingSince>> StandingOf(const std::string& check, const std::string& customer) const;
  // Newest first; "" is any.
  absl::StatusOr<Page<StandingChange>> ListStandingChanges(const std::string& check, const std::string& customer,
                                                           const PageRequest& page) const;

  // -- runs
  // New or anew, by name. Of its verdict, results of instances that are ok are not kept here again.
  absl::Status PutRun(const v1::Run& run);
  absl::StatusOr<v1::Run> GetRun(const std::string& name) const;
  // Newest (first put) first.
  absl::StatusOr<v1::ListRunsResponse> ListRuns(const v1::ListRunsRequest& request) const;
  // After a restart: ends runs that a dead process left RUNNING as CANCELLED, saying why. How many.
  absl::StatusOr<int> EndAbandonedRuns(const std::string& why);

  // -- verdicts of the launch
  // Keeps it if its state, a path's, or the set of failed and waived instances differs from the last one kept, and
  // notes the last GO. True if kept. Call with every verdict of the whole plan.
  absl::StatusOr<bool> AppendVerdictChange(const v1::Verdict& verdict);
  // Newest first.
  absl::StatusOr<Page<VerdictChange>> ListVerdictChanges(const PageRequest& page) const;
  // When the launch was last seen GO or GO_WITH_WAIVERS; nullopt if never.
  absl::StatusOr<std::optional<LastGo>> GetLastGo() const;

  // -- waivers made at run time
  absl::StatusOr<RuntimeWaiver> CreateWaiver(const v1::Waiver& waiver, const std::string& who);
  // In the order of their numbers, revoked ones too if wanted.
  absl::StatusOr<std::vector<RuntimeWaiver>> ListWaivers(bool show_revoked) const;
  // It is kept for the record. NOT_FOUND; FAILED_PRECONDITION when it is revoked already.
  absl::StatusOr<RuntimeWaiver> RevokeWaiver(int64_t number, const std::string& who);

  // -- audit log. Rows are never changed; they go by age only (HistoryOptions::keep_records).
  // The caller sees to it that no secret is in it. Texts are cut at 2,000 bytes. `time` and `number` are set here.
  absl::Status Audit(const AuditRow& row);
  // Newest first.
  absl::StatusOr<Page<AuditRow>> ListAudit(const PageRequest& page) const;

  // -- small values that survive a restart
  absl::Status PutPause(const std::optional<Pause>& pause);
  absl::StatusOr<std::optional<Pause>> GetPause() const;
  // Keys [a-z0-9_.], values to 64 KiB; "" removes. kPlanDigest is the digest of the plan in force.
  static constexpr char kPlanDigest[] = "plan_digest";
  absl::Status PutValue(const std::string& key, const std::string& value);
  // "" if there is none.
  absl::StatusOr<std::string> GetValue(const std::string& key) const;

  // -- evidence
  // Keeps content under its name, once. INVALID_ARGUMENT when the name is not the SHA-256 of the content. Makes room
  // when the quota is reached: what no failure names goes first, the oldest first.
  absl::Status PutEvidence(const v1::Evidence& evidence);
  // With its content. NOT_FOUND, also past its retention; DATA_LOSS when the file is not what it was.
  absl::StatusOr<v1::Evidence> GetEvidence(const std::string& name) const;
  // Index rows of those of `names` that are there, without content.
  absl::StatusOr<std::vector<EvidenceRow>> DescribeEvidence(const std::vector<std::string>& names) const;

  // -- upkeep
  // One bounded pass (some 100 ms of the writer): removes what is too old or too much, passes before failures, and
  // gives space back to the disk. Call about every ten seconds; `more` says that there is more to do now.
  absl::StatusOr<Upkeep> KeepHouse();
  // For metrics and `status`.
  absl::StatusOr<HistorySize> Size() const;
  // A copy as of one moment, while everything goes on: `directory` gets history.db and evidence/ (linked where it can
  // be, else copied), complete when it returns OK, and can be opened as a state directory. ALREADY_EXISTS when it holds
  // a history; nothing is left behind on an error.
  absl::Status BackupTo(const std::string& directory) const;

 private:
  History(HistoryOptions options, const runtime::Clock& clock);
  absl::Status AppendIn(Connection& db, const v1::Result& result);
  absl::Status Evict(int64_t bytes_needed);
  void RemoveFiles(const std::vector<std::string>& digests) const;

  const HistoryOptions options_;
  const runtime::Clock& clock_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<EvidenceFolder> folder_;
  std::unique_ptr<Database> writer_;
  std::unique_ptr<ReaderPool> readers_;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_HISTORY_H_
