// What others ask of readiness: runs, checks, results, evidence, waivers.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/readiness/explain.h"
#include "services/readiness/readiness.h"
#include "services/runtime/proto_time.h"
#include "services/runtime/status_convert.h"

namespace puckdrop::readiness {

awaitable<absl::StatusOr<v1::Run>> Readiness::GetRun(std::string name) {
  absl::StatusOr<RunPtr> run = runs_.Find(name);
  if (run.ok()) co_return (*run)->run;
  if (options_.archive == nullptr) co_return run.status();
  absl::StatusOr<v1::Run> kept = co_await loop_.RunBlocking([this, &name] { return options_.archive->GetRun(name); });
  if (absl::IsNotFound(kept.status())) co_return run.status();
  co_return kept;
}

awaitable<absl::StatusOr<v1::ListRunsResponse>> Readiness::ListRuns(v1::ListRunsRequest request) {
  if (options_.archive == nullptr) co_return runs_.List(request);
  absl::StatusOr<v1::ListRunsResponse> listed =
      co_await loop_.RunBlocking([this, &request] { return options_.archive->ListRuns(request); });
  if (!listed.ok()) co_return listed;
  // Of those under way, what is known now.
  for (v1::Run& run : *listed->mutable_runs()) {
    absl::StatusOr<RunPtr> live = runs_.Find(run.name());
    if (live.ok()) run = (*live)->run;
  }
  co_return listed;
}

absl::StatusOr<v1::PlanCheck> Readiness::GetCheck(const std::string& check) {
  const v1::CheckDescription* description = subject().Find(check);
  if (description == nullptr) {
    return runtime::WithReason(
        absl::NotFoundError(absl::StrCat("there is no check '", check, "'; `puckdrop checks` lists them")),
        "UNKNOWN_CHECK", {{"check", check}});
  }
  v1::PlanCheck answer;
  *answer.mutable_description() = *description;
  absl::StatusOr<v1::Verdict> verdict = GetVerdict("");
  if (!verdict.ok()) return verdict.status();
  for (const v1::InstanceStanding& instance : verdict->instances()) {
    if (instance.check() == check) *answer.add_instances() = instance;
  }
  return answer;
}

absl::StatusOr<v1::ListPlanChecksResponse> Readiness::ListChecks(const v1::ListPlanChecksRequest& request) {
  const std::vector<v1::CheckDescription>& all = subject().catalogue;
  auto page = PageOf(request.page_size(), 200, 1000, request.page_token(), all.size());
  if (!page.ok()) return page.status();
  absl::StatusOr<v1::Verdict> verdict = GetVerdict("");
  if (!verdict.ok()) return verdict.status();
  std::map<std::string, std::vector<v1::InstanceStanding>> instances;
  for (const v1::InstanceStanding& instance : verdict->instances()) instances[instance.check()].push_back(instance);
  v1::ListPlanChecksResponse response;
  for (size_t i = page->first; i < page->second; ++i) {
    v1::PlanCheck* check = response.add_checks();
    *check->mutable_description() = all[i];
    for (const v1::InstanceStanding& instance : instances[all[i].check()]) *check->add_instances() = instance;
  }
  if (page->second < all.size()) response.set_next_page_token(absl::StrCat(page->second));
  return response;
}

awaitable<absl::StatusOr<v1::ListResultsResponse>> Readiness::ListResults(v1::ListResultsRequest request) {
  if (options_.archive != nullptr) {
    absl::StatusOr<v1::ListResultsResponse> listed =
        co_await loop_.RunBlocking([this, &request] { return options_.archive->ListResults(request); });
    co_return listed;
  }
  const std::vector<const v1::Result*> wanted = known_.List(request.check(), request.customer());
  auto page = PageOf(request.page_size(), 50, 1000, request.page_token(), wanted.size());
  if (!page.ok()) co_return page.status();
  v1::ListResultsResponse response;
  for (size_t i = page->first; i < page->second; ++i) *response.add_results() = *wanted[i];
  if (page->second < wanted.size()) response.set_next_page_token(absl::StrCat(page->second));
  co_return response;
}

awaitable<absl::StatusOr<v1::Evidence>> Readiness::GetEvidence(std::string name) {
  const std::shared_ptr<const v1::Evidence> here = evidence_.Find(name);
  if (here != nullptr) co_return *here;
  if (options_.archive != nullptr) {
    absl::StatusOr<v1::Evidence> kept =
        co_await loop_.RunBlocking([this, &name] { return options_.archive->GetEvidence(name); });
    if (!absl::IsNotFound(kept.status())) co_return kept;
  }
  co_return runtime::WithReason(absl::NotFoundError(absl::StrCat("there is no evidence '", name, "' (any more)")),
                                "UNKNOWN_EVIDENCE", {{"name", name}});
}

awaitable<absl::StatusOr<v1::ExplainCheckResponse>> Readiness::ExplainCheck(v1::ExplainCheckRequest request) {
  const v1::CheckDescription* description = subject().Find(request.check());
  if (description == nullptr) {
    co_return runtime::WithReason(
        absl::NotFoundError(absl::StrCat("there is no check '", request.check(), "'; `puckdrop checks` lists them")),
        "UNKNOWN_CHECK", {{"check", request.check()}});
  }
  absl::StatusOr<v1::Verdict> verdict = GetVerdict("");
  if (!verdict.ok()) co_return verdict.status();
  // The plan may be replaced while the archive is asked.
  const v1::CheckDescription described = *description;
  absl::StatusOr<v1::ExplainCheckResponse> answer = co_await loop_.RunBlocking(
      [this, &request, &verdict, &described] { return Explain(request, *verdict, described, options_.archive); });
  co_return answer;
}

awaitable<absl::StatusOr<v1::ListVerdictChangesResponse>> Readiness::ListVerdictChanges(
    v1::ListVerdictChangesRequest request) {
  absl::StatusOr<v1::ListVerdictChangesResponse> answer = v1::ListVerdictChangesResponse();
  if (options_.archive != nullptr) {
    answer = co_await loop_.RunBlocking([this, &request] { return options_.archive->ListVerdictChanges(request); });
  }
  if (answer.ok()) answer->set_time_zone(subject().plan.launch().time_zone());
  co_return answer;
}

awaitable<absl::StatusOr<v1::WaiverState>> Readiness::CreateWaiver(v1::Waiver waiver, std::string who) {
  if (options_.archive == nullptr) {
    co_return runtime::WithReason(
        absl::FailedPreconditionError("this readiness keeps nothing, so a waiver belongs into the plan"), "NO_ARCHIVE");
  }
  absl::Status valid = Waivers::Validate(subject(), waiver, clock_.Now());
  if (valid.ok() && waiver.findings().empty()) {
    // Only what its owner can have seen.
    for (const std::string& finding : Waivers::FindingsNow(waiver, known_.List("", ""))) waiver.add_findings(finding);
    if (waiver.findings().empty()) {
      valid = runtime::WithReason(
          absl::InvalidArgumentError("nothing of what it covers fails now: name the `findings` that it shall cover"),
          "BAD_WAIVER");
    }
  }
  if (!valid.ok()) {
    co_await Audit(who, "CreateWaiver", absl::StrCat(waiver.check(), " ", waiver.customer()), valid);
    co_return valid;
  }
  absl::StatusOr<RuntimeWaiver> created =
      co_await loop_.RunBlocking([this, &waiver, &who] { return options_.archive->CreateWaiver(waiver, who); });
  absl::Status status = created.status();
  if (status.ok()) status = co_await LoadWaivers();
  co_await Audit(who, "CreateWaiver",
                 absl::StrCat(waiver.check(), waiver.customer().empty() ? "" : " for " + waiver.customer(), " until ",
                              waiver.expires(), ", owner ", waiver.owner(), ": ", waiver.reason()),
                 status);
  if (!status.ok()) co_return status;
  co_await waivers_.LookAtNotices();
  Publish();
  co_return waivers_.Find(kFirstRuntimeWaiver + static_cast<int>(created->number));
}

awaitable<absl::StatusOr<v1::WaiverState>> Readiness::RevokeWaiver(int number, std::string who) {
  absl::StatusOr<v1::WaiverState> known = waivers_.Find(number);
  if (!known.ok()) co_return known;
  if (number < kFirstRuntimeWaiver) {
    co_return runtime::WithReason(absl::FailedPreconditionError("it is the plan's: take it out there"),
                                  "WAIVER_OF_THE_PLAN");
  }
  absl::StatusOr<RuntimeWaiver> revoked = co_await loop_.RunBlocking(
      [this, number, &who] { return options_.archive->RevokeWaiver(number - kFirstRuntimeWaiver, who); });
  absl::Status status = revoked.status();
  if (status.ok()) status = co_await LoadWaivers();
  co_await Audit(who, "RevokeWaiver", absl::StrCat("waiver ", number, " of ", known->check()), status);
  if (!status.ok()) co_return status;
  Publish();
  co_return known;
}

}  // namespace puckdrop::readiness
