#include "services/readiness/history_archive.h"

#include <utility>

namespace puckdrop::readiness {
namespace {

class HistoryArchive final : public Archive {
 public:
  explicit HistoryArchive(std::unique_ptr<History> history) : history_(std::move(history)) {}

  absl::Status Keep(const std::vector<v1::Evidence>& evidence, const std::vector<v1::Result>& results) override {
    absl::Status kept;
    // Evidence that finds no room takes no result with it.
    for (const v1::Evidence& one : evidence) kept.Update(history_->PutEvidence(one));
    if (!results.empty()) {
      absl::Status appended = history_->Append(results);
      if (!appended.ok()) return appended;
    }
    return absl::IsInvalidArgument(kept) ? absl::OkStatus() : kept;
  }
  absl::StatusOr<std::vector<v1::Result>> Latest() override { return history_->Latest(); }
  absl::StatusOr<v1::ListResultsResponse> ListResults(const v1::ListResultsRequest& request) override {
    return history_->ListResults(request);
  }
  absl::StatusOr<v1::Evidence> GetEvidence(const std::string& name) override { return history_->GetEvidence(name); }

  absl::Status PutRun(const v1::Run& run) override { return history_->PutRun(run); }
  absl::StatusOr<v1::Run> GetRun(const std::string& name) override { return history_->GetRun(name); }
  absl::StatusOr<v1::ListRunsResponse> ListRuns(const v1::ListRunsRequest& request) override {
    return history_->ListRuns(request);
  }
  absl::StatusOr<int> EndAbandonedRuns(const std::string& why) override { return history_->EndAbandonedRuns(why); }

  absl::Status Record(const v1::Verdict& verdict) override {
    absl::StatusOr<int> standings = history_->RecordStandings(verdict);
    absl::StatusOr<bool> kept = history_->AppendVerdictChange(verdict);
    return standings.ok() ? kept.status() : standings.status();
  }
  absl::StatusOr<std::optional<LastGo>> GetLastGo() override { return history_->GetLastGo(); }

  absl::StatusOr<std::vector<StandingSince>> Standings() override { return history_->Standings(); }
  absl::StatusOr<std::optional<v1::Result>> LastGreen(const std::string& check, const std::string& customer) override {
    return history_->LastGreen(check, customer);
  }
  absl::StatusOr<std::vector<v1::Result>> Similar(const std::string& check, const std::string& customer,
                                                  const std::string& finding, int limit) override {
    return history_->Similar(check, customer, finding, limit);
  }
  absl::StatusOr<std::vector<v1::Evidence>> DescribeEvidence(const std::vector<std::string>& names) override {
    absl::StatusOr<std::vector<EvidenceRow>> rows = history_->DescribeEvidence(names);
    if (!rows.ok()) return rows.status();
    std::vector<v1::Evidence> described;
    for (const EvidenceRow& row : *rows) {
      v1::Evidence& one = described.emplace_back();
      one.set_name(row.name);
      one.set_kind(row.kind);
      one.set_media_type(row.media_type);
      one.set_title(row.title);
      one.set_truncated(row.truncated);
    }
    return described;
  }
  absl::StatusOr<v1::ListVerdictChangesResponse> ListVerdictChanges(
      const v1::ListVerdictChangesRequest& request) override {
    absl::StatusOr<Page<VerdictChange>> page =
        history_->ListVerdictChanges({.size = request.page_size(), .token = request.page_token()});
    if (!page.ok()) return page.status();
    v1::ListVerdictChangesResponse response;
    for (VerdictChange& change : page->items) {
      auto& out = *response.add_changes();
      *out.mutable_verdict() = std::move(change.verdict);
      for (const std::string& name : change.began) out.add_began(name);
      for (const std::string& name : change.ended) out.add_ended(name);
    }
    response.set_next_page_token(page->next_page_token);
    return response;
  }

  absl::StatusOr<RuntimeWaiver> CreateWaiver(const v1::Waiver& waiver, const std::string& who) override {
    return history_->CreateWaiver(waiver, who);
  }
  absl::StatusOr<std::vector<RuntimeWaiver>> ListWaivers() override { return history_->ListWaivers(false); }
  absl::StatusOr<RuntimeWaiver> RevokeWaiver(int64_t number, const std::string& who) override {
    return history_->RevokeWaiver(number, who);
  }

  absl::Status Audit(const AuditRow& row) override { return history_->Audit(row); }
  absl::Status PutPause(const std::optional<Pause>& pause) override { return history_->PutPause(pause); }
  absl::StatusOr<std::optional<Pause>> GetPause() override { return history_->GetPause(); }

  absl::StatusOr<bool> KeepHouse() override {
    absl::StatusOr<Upkeep> upkeep = history_->KeepHouse();
    if (!upkeep.ok()) return upkeep.status();
    return upkeep->more;
  }

 private:
  const std::unique_ptr<History> history_;
};

}  // namespace

std::unique_ptr<Archive> MakeHistoryArchive(std::unique_ptr<History> history) {
  return std::make_unique<HistoryArchive>(std::move(history));
}

}  // namespace puckdrop::readiness
