// An archive in memory that survives the readiness that writes it, and can be full.
#ifndef PUCKDROP_TESTS_SERVICES_READINESS_FAKE_ARCHIVE_H_
#define PUCKDROP_TESTS_SERVICES_READINESS_FAKE_ARCHIVE_H_

#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "services/readiness/archive.h"

namespace puckdrop::readiness {

// Thread-safe.
class FakeArchive final : public Archive {
 public:
  // What every call that writes answers.
  void SetFull(bool full) {
    std::lock_guard<std::mutex> lock(mutex_);
    full_ = full;
  }
  size_t results() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return names_.size();
  }
  std::vector<AuditRow> audit() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return audit_;
  }
  std::optional<Pause> pause() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return pause_;
  }

  absl::Status Keep(const std::vector<v1::Evidence>&, const std::vector<v1::Result>& results) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (full_) return Full();
    for (const v1::Result& result : results) {
      names_[result.name() + result.vantage()] = true;
      latest_[{result.check(), result.customer(), result.vantage()}] = result;
    }
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<v1::Result>> Latest() override {
    std::lock_guard<std::mutex> lock(mutex_);
    std::vector<v1::Result> results;
    for (const auto& [key, result] : latest_) results.push_back(result);
    return results;
  }
  absl::StatusOr<v1::ListResultsResponse> ListResults(const v1::ListResultsRequest&) override {
    v1::ListResultsResponse response;
    const absl::StatusOr<std::vector<v1::Result>> latest = Latest();
    for (const v1::Result& result : *latest) *response.add_results() = result;
    return response;
  }
  absl::StatusOr<v1::Evidence> GetEvidence(const std::string&) override { return absl::NotFoundError("none"); }

  absl::Status PutRun(const v1::Run& run) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (full_) return Full();
    runs_[run.name()] = run;
    return absl::OkStatus();
  }
  absl::StatusOr<v1::Run> GetRun(const std::string& name) override {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = runs_.find(name);
    if (found == runs_.end()) return absl::NotFoundError("no such run");
    return found->second;
  }
  absl::StatusOr<v1::ListRunsResponse> ListRuns(const v1::ListRunsRequest&) override {
    std::lock_guard<std::mutex> lock(mutex_);
    v1::ListRunsResponse response;
    for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) *response.add_runs() = run->second;
    return response;
  }
  absl::StatusOr<int> EndAbandonedRuns(const std::string& why) override {
    std::lock_guard<std::mutex> lock(mutex_);
    int ended = 0;
    for (auto& [name, run] : runs_) {
      if (run.state() != v1::Run::RUNNING) continue;
      run.set_state(v1::Run::CANCELLED);
      run.set_progress(why);
      ++ended;
    }
    return ended;
  }

  absl::Status Record(const v1::Verdict& verdict) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (full_) return Full();
    if (verdict.state() == v1::VERDICT_STATE_GO) {
      last_go_ =
          LastGo{verdict.state(), absl::UnixEpoch(), absl::UnixEpoch(), verdict.configuration(), verdict.plan_digest()};
    }
    return absl::OkStatus();
  }
  absl::StatusOr<std::optional<LastGo>> GetLastGo() override {
    std::lock_guard<std::mutex> lock(mutex_);
    return last_go_;
  }

  // What on-call's questions are answered with.
  std::vector<StandingSince> standings_before;
  std::optional<v1::Result> green;
  std::vector<v1::Result> similar;
  absl::StatusOr<std::vector<StandingSince>> Standings() override { return standings_before; }
  absl::StatusOr<std::optional<v1::Result>> LastGreen(const std::string&, const std::string&) override { return green; }
  absl::StatusOr<std::vector<v1::Result>> Similar(const std::string&, const std::string&, const std::string& finding,
                                                  int) override {
    std::vector<v1::Result> same;
    for (const v1::Result& result : similar) {
      if (!result.findings().empty() && result.findings(0).id() == finding) same.push_back(result);
    }
    return same;
  }
  absl::StatusOr<std::vector<v1::Evidence>> DescribeEvidence(const std::vector<std::string>& names) override {
    std::vector<v1::Evidence> described(names.size());
    for (size_t i = 0; i < names.size(); ++i) described[i].set_name(names[i]);
    return described;
  }
  absl::StatusOr<v1::ListVerdictChangesResponse> ListVerdictChanges(const v1::ListVerdictChangesRequest&) override {
    return v1::ListVerdictChangesResponse();
  }

  absl::StatusOr<RuntimeWaiver> CreateWaiver(const v1::Waiver& waiver, const std::string& who) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (full_) return Full();
    RuntimeWaiver made;
    made.number = static_cast<int64_t>(waivers_.size()) + 1;
    made.waiver = waiver;
    made.created_by = who;
    waivers_.push_back(made);
    return made;
  }
  absl::StatusOr<std::vector<RuntimeWaiver>> ListWaivers() override {
    std::lock_guard<std::mutex> lock(mutex_);
    std::vector<RuntimeWaiver> live;
    for (const RuntimeWaiver& waiver : waivers_) {
      if (waiver.revoked_by.empty()) live.push_back(waiver);
    }
    return live;
  }
  absl::StatusOr<RuntimeWaiver> RevokeWaiver(int64_t number, const std::string& who) override {
    std::lock_guard<std::mutex> lock(mutex_);
    for (RuntimeWaiver& waiver : waivers_) {
      if (waiver.number != number || !waiver.revoked_by.empty()) continue;
      waiver.revoked_by = who;
      return waiver;
    }
    return absl::NotFoundError("no such waiver");
  }

  absl::Status Audit(const AuditRow& row) override {
    std::lock_guard<std::mutex> lock(mutex_);
    audit_.push_back(row);
    return absl::OkStatus();
  }
  absl::Status PutPause(const std::optional<Pause>& pause) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (full_) return Full();
    pause_ = pause;
    return absl::OkStatus();
  }
  absl::StatusOr<std::optional<Pause>> GetPause() override { return pause(); }
  absl::StatusOr<bool> KeepHouse() override { return false; }

 private:
  static absl::Status Full() { return absl::ResourceExhaustedError("the disk is full"); }

  mutable std::mutex mutex_;
  bool full_ = false;
  std::map<std::string, bool> names_;
  std::map<std::tuple<std::string, std::string, std::string>, v1::Result> latest_;
  std::map<std::string, v1::Run> runs_;
  std::optional<LastGo> last_go_;
  std::vector<RuntimeWaiver> waivers_;
  std::vector<AuditRow> audit_;
  std::optional<Pause> pause_;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_TESTS_SERVICES_READINESS_FAKE_ARCHIVE_H_
