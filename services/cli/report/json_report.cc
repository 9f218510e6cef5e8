#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "services/cli/report/report.h"
#include "services/cli/report/summary.h"
#include "services/cli/report/words.h"
#include "services/readiness/verdict.h"
#include "services/runtime/text.h"

namespace puckdrop::report {
namespace {

using Json = nlohmann::ordered_json;

// JsonSafe escapes what deceives, so texts are given as they are.
std::string Text(absl::string_view text) { return runtime::ValidUtf8(text); }

template <typename List>
Json Texts(const List& list) {
  Json out = Json::array();
  for (const std::string& text : list) out.push_back(Text(text));
  return out;
}

Json TimeOrNull(absl::Time time) { return time == absl::InfinitePast() ? Json(nullptr) : Json(Stamp(time)); }

double Seconds(const google::protobuf::Duration& duration) {
  // Milliseconds are plenty, and a report that differs in the twelfth digit cannot be compared.
  return static_cast<double>(absl::ToInt64Milliseconds(ToDuration(duration))) / 1000;
}

std::string OneWord(v1::PromiseState::State state) {
  return state == v1::PromiseState::KEPT ? "kept" : state == v1::PromiseState::BROKEN ? "broken" : "unknown";
}

std::string OneWord(v1::WaiverState::State state) {
  switch (state) {
    case v1::WaiverState::HONOURED:
      return "honoured";
    case v1::WaiverState::EXPIRED:
      return "expired";
    case v1::WaiverState::UNANNOUNCED:
      return "unannounced";
    default:
      return "unreachable";
  }
}

std::string OneWord(v1::Evidence::Kind kind) {
  switch (kind) {
    case v1::Evidence::KIND_EXCHANGES:
      return "exchanges";
    case v1::Evidence::KIND_PLAYLIST:
      return "playlist";
    case v1::Evidence::KIND_PICTURE:
      return "picture";
    case v1::Evidence::KIND_NUMBERS:
      return "numbers";
    default:
      return "other";
  }
}

Json FindingJson(const v1::Finding& finding) {
  return {{"id", Text(finding.id())},
          {"text", Text(finding.text())},
          {"expected", Text(finding.expected())},
          {"actual", Text(finding.actual())},
          {"where", Text(finding.where())}};
}

Json ResultJson(const v1::Result& result) {
  Json findings = Json::array();
  for (const v1::Finding& finding : result.findings()) findings.push_back(FindingJson(finding));
  return {{"outcome", readiness::OutcomeName(result.outcome())},
          {"summary", Text(result.summary())},
          {"warning", result.warning()},
          {"flaky", result.flaky()},
          {"confirmed", result.confirmed()},
          {"attempts", result.attempts()},
          {"skip_cause", SkipName(result.skip_cause())},
          {"blocked_by", Text(result.blocked_by())},
          {"reason", ReasonName(result.reason())},
          {"findings", std::move(findings)},
          {"operation", Text(result.operation())},
          {"step", result.step()},
          {"steps", result.steps()},
          {"plan_position", Text(result.plan_position())},
          {"observed_value", result.has_observed_value() ? Json(result.observed_value()) : Json(nullptr)},
          {"unit", Text(result.unit())},
          {"start_time", TimeOrNull(ToTime(result.start_time()))},
          {"duration_seconds", Seconds(result.duration())},
          {"vantage", Text(result.vantage())},
          {"configuration", Text(result.configuration())},
          {"through_back_office", result.through_back_office()},
          {"evidence", Texts(result.evidence())},
          {"reproduce", Text(result.reproduce())}};
}

Json ChecksJson(const std::vector<CheckCustomers>& checks) {
  Json out = Json::array();
  for (const CheckCustomers& entry : checks) {
    out.push_back({{"check", Text(entry.check)}, {"customers", Texts(entry.customers)}});
  }
  return out;
}

Json ProblemJson(const Problem& problem) {
  Json findings = Json::array();
  for (const Symptom& symptom : problem.symptoms) {
    Json finding = FindingJson(symptom.finding);
    finding["customers"] = Texts(symptom.customers);
    findings.push_back(std::move(finding));
  }
  const v1::Result* first = problem.first();
  return {{"check", Text(problem.check)},
          {"path", readiness::PathName(problem.path)},
          {"sentence", Text(problem.description.sentence())},
          {"customers", Texts(problem.customers)},
          {"audience_share", problem.audience_share},
          {"findings", std::move(findings)},
          {"operation", first == nullptr ? "" : Text(first->operation())},
          {"step", first == nullptr ? 0 : first->step()},
          {"steps", first == nullptr ? 0 : first->steps()},
          {"since", TimeOrNull(problem.since)},
          {"blocked_instances", problem.blocked_instances},
          {"blocks", ChecksJson(problem.blocks)},
          {"supporting", problem.supporting},
          {"waiver", problem.waiver},
          {"runbook", Text(problem.description.runbook())},
          {"plan_position", first == nullptr ? "" : Text(first->plan_position())},
          {"reproduce", first == nullptr ? "" : Text(first->reproduce())}};
}

Json ProblemsJson(const std::vector<Problem>& problems) {
  Json out = Json::array();
  for (const Problem& problem : problems) out.push_back(ProblemJson(problem));
  return out;
}

Json NotesJson(const std::vector<Note>& notes) {
  Json out = Json::array();
  for (const Note& note : notes) {
    out.push_back(
        {{"check", Text(note.who.check)}, {"customers", Texts(note.who.customers)}, {"text", Text(note.text)}});
  }
  return out;
}

Json CustomersJson(const cli::GateReport& report) {
  Json out = Json::array();
  for (const cli::GateReport::Customer& customer : report.customers) {
    out.push_back({{"id", Text(customer.id)},
                   {"audience_share", customer.audience_share},
                   {"market", Text(customer.market)},
                   {"device", Text(customer.device)},
                   {"payment", Text(customer.payment)}});
  }
  return out;
}

Json PathsJson(const cli::GateReport& report) {
  Json out = Json::array();
  for (const v1::PathVerdict& path : report.verdict.paths()) {
    out.push_back({{"path", readiness::PathName(path.path())},
                   {"state", readiness::VerdictName(path.state())},
                   {"left_out", path.left_out()},
                   {"why", Text(path.why())},
                   {"ok", path.ok()},
                   {"failed", path.failed()},
                   {"waived", path.waived()},
                   {"unknown", path.unknown()},
                   {"not_asked", path.not_asked()},
                   {"audience_affected", path.audience_affected()}});
  }
  return out;
}

Json UnknownJson(const Summary& summary) {
  Json out = Json::array();
  for (const Unknown& unknown : summary.unknown) {
    out.push_back({{"why", Text(unknown.why)},
                   {"advisory", unknown.advisory},
                   {"instances", unknown.instances},
                   {"checks", ChecksJson(unknown.checks)}});
  }
  return out;
}

Json InstancesJson(const cli::GateReport& report) {
  Json out = Json::array();
  for (const v1::InstanceStanding& instance : report.verdict.instances()) {
    out.push_back({{"check", Text(instance.check())},
                   {"customer", Text(instance.customer())},
                   {"path", readiness::PathName(instance.path())},
                   {"severity", SeverityName(instance.severity())},
                   {"standing", readiness::StandingName(instance.standing())},
                   {"why", Text(instance.why())},
                   {"root", Text(instance.root())},
                   {"waiver", instance.standing() == v1::STANDING_WAIVED ? instance.waiver() : -1},
                   {"audience_share", instance.audience_share()},
                   {"result", instance.has_result() ? ResultJson(instance.result()) : Json(nullptr)}});
  }
  return out;
}

Json SupportingJson(const cli::GateReport& report) {
  Json out = Json::array();
  for (const v1::Result& result : report.results) {
    if (!result.supporting()) continue;
    out.push_back(
        {{"check", Text(result.check())}, {"customer", Text(result.customer())}, {"result", ResultJson(result)}});
  }
  return out;
}

Json PromisesJson(const cli::GateReport& report) {
  Json out = Json::array();
  for (const v1::PromiseState& promise : report.verdict.promises()) {
    out.push_back({{"id", Text(promise.promise())},
                   {"text", Text(promise.text())},
                   {"state", OneWord(promise.state())},
                   {"broken_by", Texts(promise.broken_by())}});
  }
  return out;
}

Json WaiversJson(const cli::GateReport& report) {
  Json out = Json::array();
  for (size_t i = 0; i < report.waivers.size(); ++i) {
    const cli::GateReport::Waiver& waiver = report.waivers[i];
    const bool known = static_cast<int>(i) < report.verdict.waivers_size();
    const v1::WaiverState state = known ? report.verdict.waivers(static_cast<int>(i)) : v1::WaiverState();
    out.push_back({{"check", Text(waiver.check)},
                   {"customer", Text(waiver.customer)},
                   {"owner", Text(waiver.owner)},
                   {"reason", Text(waiver.reason)},
                   {"expires", Text(waiver.expires)},
                   {"notice_url", Text(waiver.notice_url)},
                   {"notice_says", Text(waiver.notice_says)},
                   {"state", OneWord(state.state())},
                   {"why", Text(state.why())},
                   {"notice_seen_time", TimeOrNull(ToTime(state.notice_seen_time()))}});
  }
  return out;
}

Json ObligationsJson(const cli::GateReport& report) {
  Json out = Json::array();
  for (const v1::Obligation& owed : report.obligations_open) {
    std::map<std::string, std::string> ids;
    for (const auto& [name, id] : owed.target_ids()) ids[Text(name)] = Text(id);
    out.push_back({{"name", Text(owed.name())},
                   {"operation", Text(owed.operation())},
                   {"customer", Text(owed.customer())},
                   {"account", Text(owed.account())},
                   {"target_ids", ids},
                   {"stuck", owed.state() == v1::Obligation::STUCK},
                   {"attempts", owed.attempts()},
                   {"last_error", Text(owed.last_error())},
                   {"manual_action", Text(owed.manual_action())},
                   {"create_time", TimeOrNull(ToTime(owed.create_time()))}});
  }
  return out;
}

Json OperationsJson(const cli::GateReport& report) {
  struct Sums {
    std::map<std::string, int> ends;
    std::vector<double> seconds;
    int exchanges = 0;
  };
  std::map<std::string, Sums> operations;
  for (const v1::OperationRecord& record : report.operations) {
    Sums& sums = operations[record.operation()];
    ++sums.ends[Text(record.end())];
    sums.seconds.push_back(Seconds(record.duration()));
    sums.exchanges += record.exchanges();
  }
  Json out = Json::array();
  for (auto& [operation, sums] : operations) {
    std::sort(sums.seconds.begin(), sums.seconds.end());
    out.push_back({{"operation", Text(operation)},
                   {"ends", sums.ends},
                   {"exchanges", sums.exchanges},
                   {"median_seconds", sums.seconds[sums.seconds.size() / 2]},
                   {"longest_seconds", sums.seconds.back()}});
  }
  return out;
}

Json EvidenceJson(const cli::GateReport& report) {
  Json out = Json::array();
  for (const auto& [name, evidence] : report.evidence) {
    out.push_back({{"name", Text(name)},
                   {"kind", OneWord(evidence.kind())},
                   {"media_type", Text(evidence.media_type())},
                   {"title", Text(evidence.title())},
                   {"bytes", evidence.content().size()},
                   {"truncated", evidence.truncated()}});
  }
  return out;
}

Json CatalogueJson(const cli::GateReport& report) {
  Json out = Json::object();
  for (const auto& [id, check] : report.checks) {
    Json thresholds = Json::object();
    if (check.thresholds().has_warn()) thresholds["warn"] = check.thresholds().warn();
    if (check.thresholds().has_fail()) thresholds["fail"] = check.thresholds().fail();
    if (!check.thresholds().unit().empty()) thresholds["unit"] = Text(check.thresholds().unit());
    out[Text(id)] = {{"sentence", Text(check.sentence())},
                     {"question", Text(check.question())},
                     {"source", Text(check.source())},
                     {"runbook", Text(check.runbook())},
                     {"thresholds", std::move(thresholds)}};
  }
  return out;
}

}  // namespace

std::string JsonReport(const cli::GateReport& report) {
  const Summary summary = Summarise(report);
  const v1::Verdict& verdict = report.verdict;
  Json out;
  out["schema"] = "puckdrop.report.v1";
  out["verdict"] = {{"state", readiness::VerdictName(verdict.state())},
                    {"why", Text(verdict.why())},
                    {"audience_affected", verdict.audience_affected()},
                    {"customers_hit", Texts(summary.customers_hit)},
                    {"ok", summary.ok},
                    {"failed", summary.failed},
                    {"waived", summary.waived_instances},
                    {"unknown", summary.unknown_instances},
                    {"asked", summary.asked},
                    {"filtered", verdict.selected() > 0},
                    {"selected", verdict.selected()},
                    {"expected", verdict.expected()},
                    {"causes", Texts(verdict.causes())},
                    {"not_judged", Texts(verdict.not_judged())},
                    {"changed", Texts(verdict.changed())}};
  out["exit_code"] = report.exit_code;
  out["launch"] = {{"id", Text(report.launch_id)},
                   {"title", Text(report.launch_title)},
                   {"puck_drop", TimeOrNull(report.puck_drop)},
                   {"time_zone", Text(report.time_zone)},
                   {"customers", CustomersJson(report)},
                   {"others_audience_share", report.others_audience_share}};
  out["plan"] = {{"files", Texts(report.plan_files)},
                 {"digest", Text(report.plan_digest)},
                 {"target_urls", Texts(report.target_urls)},
                 {"configuration", Text(verdict.configuration())}};
  Json duration = nullptr;
  if (report.start_time != absl::InfinitePast() && report.end_time != absl::InfinitePast()) {
    duration = static_cast<double>(absl::ToInt64Milliseconds(report.end_time - report.start_time)) / 1000;
  }
  out["run"] = {{"id", Text(report.run)},
                {"start_time", TimeOrNull(report.start_time)},
                {"end_time", TimeOrNull(report.end_time)},
                {"duration_seconds", std::move(duration)},
                {"vantage", Text(report.vantage)},
                {"command", Text(report.command)},
                {"version", Text(report.version)},
                {"ended_by", Text(report.ended_by)}};
  out["paths"] = PathsJson(report);
  out["broken"] = ProblemsJson(summary.broken);
  out["unknown"] = UnknownJson(summary);
  out["flaky"] = NotesJson(summary.flaky);
  out["close_to_limit"] = NotesJson(summary.warnings);
  out["advisory"] = ProblemsJson(summary.advisory);
  out["waived"] = ProblemsJson(summary.waived);
  out["promises"] = PromisesJson(report);
  out["waivers"] = WaiversJson(report);
  out["obligations_open"] = ObligationsJson(report);
  out["state_dir"] = Text(report.state_dir);
  out["warnings"] = Texts(report.warnings);
  out["instances"] = InstancesJson(report);
  out["supporting"] = SupportingJson(report);
  out["operations"] = OperationsJson(report);
  out["evidence"] = EvidenceJson(report);
  out["checks"] = CatalogueJson(report);
  return JsonSafe(out.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n";
}

}  // namespace puckdrop::report
