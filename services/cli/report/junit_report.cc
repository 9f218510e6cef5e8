#include <map>
#include <pugixml.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "services/cli/report/report.h"
#include "services/cli/report/summary.h"
#include "services/cli/report/words.h"
#include "services/readiness/verdict.h"

namespace puckdrop::report {
namespace {

struct Counts {
  int tests = 0;
  int failures = 0;
  int errors = 0;
  int skipped = 0;
  absl::Duration time;
  void Add(const Counts& other) {
    tests += other.tests;
    failures += other.failures;
    errors += other.errors;
    skipped += other.skipped;
    time += other.time;
  }
};

// What a case says besides its name.
struct Case {
  enum class Kind { kPassed, kFailure, kError, kSkipped };
  Kind kind = Kind::kPassed;
  std::string type;
  std::string message;
  std::string body;
  std::string system_out;
};

std::string SecondsText(absl::Duration duration) { return absl::StrFormat("%.3f", absl::ToDoubleSeconds(duration)); }

void SetCounts(pugi::xml_node node, const Counts& counts) {
  node.append_attribute("tests").set_value(counts.tests);
  node.append_attribute("failures").set_value(counts.failures);
  node.append_attribute("errors").set_value(counts.errors);
  node.append_attribute("skipped").set_value(counts.skipped);
  node.append_attribute("time").set_value(SecondsText(counts.time).c_str());
}

// Everything that came from elsewhere passes OneLine or Lines, which leave no character XML 1.0 forbids.
void AddCase(pugi::xml_node suite, const std::string& class_name, const std::string& name, absl::Duration time,
             const Case& what, Counts& counts) {
  pugi::xml_node node = suite.append_child("testcase");
  node.append_attribute("classname").set_value(class_name.c_str());
  node.append_attribute("name").set_value(name.c_str());
  node.append_attribute("time").set_value(SecondsText(time).c_str());
  ++counts.tests;
  counts.time += time;
  const char* tag = nullptr;
  switch (what.kind) {
    case Case::Kind::kPassed:
      break;
    case Case::Kind::kFailure:
      tag = "failure";
      ++counts.failures;
      break;
    case Case::Kind::kError:
      tag = "error";
      ++counts.errors;
      break;
    case Case::Kind::kSkipped:
      tag = "skipped";
      ++counts.skipped;
      break;
  }
  if (tag != nullptr) {
    pugi::xml_node child = node.append_child(tag);
    child.append_attribute("message").set_value(what.message.c_str());
    if (what.kind != Case::Kind::kSkipped) {
      child.append_attribute("type").set_value(what.type.c_str());
      if (!what.body.empty()) child.text().set(what.body.c_str());
    }
  }
  if (!what.system_out.empty()) node.append_child("system-out").text().set(what.system_out.c_str());
}

// DESIGN section 10's failure text, as lines.
std::string Details(const cli::GateReport& report, const v1::InstanceStanding& instance) {
  const v1::Result& result = instance.result();
  std::vector<std::string> lines;
  const auto add = [&lines](absl::string_view label, absl::string_view text) {
    if (!text.empty()) lines.push_back(absl::StrCat(label, ": ", OneLine(text, 4000)));
  };
  const auto known = report.checks.find(instance.check());
  if (known != report.checks.end()) add("customers say", known->second.sentence());
  add("check", instance.check());
  add("customer", absl::StrCat(instance.customer(), " (", Percent(instance.audience_share()), " of the audience)"));
  for (const v1::Finding& finding : result.findings()) {
    add("found", finding.where().empty() ? finding.text() : absl::StrCat(finding.text(), " (", finding.where(), ")"));
    add("expected", finding.expected());
    add("actual", finding.actual());
  }
  const std::string step = StepOf(result);
  add(step.empty() ? "operation" : "step", absl::StrCat(step, result.operation()));
  if (ToTime(result.start_time()) != absl::InfinitePast()) {
    add("since", absl::StrCat(Stamp(ToTime(result.start_time())), result.confirmed() ? ", seen twice" : ""));
  }
  add("plan", result.plan_position());
  if (known != report.checks.end()) add("do", known->second.runbook());
  add("again", result.reproduce());
  return absl::StrJoin(lines, "\n");
}

Case Skip(absl::string_view message) {
  Case what;
  what.kind = Case::Kind::kSkipped;
  what.message = OneLine(message);
  return what;
}

Case CaseOf(const cli::GateReport& report, const v1::InstanceStanding& instance) {
  const v1::Result& result = instance.result();
  const std::string outcome = readiness::OutcomeName(result.outcome());
  Case what;
  switch (instance.standing()) {
    case v1::STANDING_OK:
      if (result.flaky()) what.system_out = absl::StrCat("flaky: passed at look ", result.attempts());
      if (result.warning()) {
        absl::StrAppend(&what.system_out, what.system_out.empty() ? "" : "\n",
                        "close to a limit: ", OneLine(result.summary()));
      }
      return what;
    case v1::STANDING_NOT_ASKED:
      return Skip(absl::StrCat("SKIPPED: ", instance.why()));
    case v1::STANDING_WAIVED:
      return Skip(absl::StrCat("WAIVED: ", instance.why()));
    default:
      break;
  }
  if (result.outcome() == v1::OUTCOME_BLOCKED) return Skip(absl::StrCat("BLOCKED: ", instance.why()));
  if (result.outcome() == v1::OUTCOME_SKIPPED) return Skip(absl::StrCat("SKIPPED: ", instance.why()));
  if (instance.severity() != v1::SEVERITY_BLOCKING) {
    return Skip(absl::StrCat("ADVISORY, ", instance.has_result() ? outcome : "never ran", ": ", instance.why()));
  }
  const bool failed = instance.standing() == v1::STANDING_FAILED;
  what.kind = failed ? Case::Kind::kFailure : Case::Kind::kError;
  what.type = ReasonName(result.reason());
  if (what.type.empty()) what.type = failed ? "FAILED" : "UNKNOWN";
  what.message = OneLine(instance.why().empty() ? result.summary() : instance.why());
  what.body = Details(report, instance);
  return what;
}

// Everything about the verdict that no other case shows.
Case VerdictCase(const cli::GateReport& report, const Summary& summary, const Counts& told) {
  const v1::VerdictState state = report.verdict.state();
  const bool no_go = state == v1::VERDICT_STATE_NO_GO;
  const bool go = readiness::VerdictNumber(state) == 2;
  std::vector<std::string> causes;
  for (const std::string& cause : report.verdict.causes()) causes.push_back(OneLine(cause));
  if (!report.ended_by.empty())
    causes.push_back(absl::StrCat("ended by ", OneLine(report.ended_by), " before it was over"));
  // A root that is not among the cases as a failure: it ran in support of the selection, or is itself advisory.
  for (const Problem& problem : summary.broken) {
    bool shown = false;
    for (const v1::InstanceStanding& instance : report.verdict.instances()) {
      shown = shown || (instance.check() == problem.check && instance.standing() == v1::STANDING_FAILED &&
                        CaseOf(report, instance).kind == Case::Kind::kFailure);
    }
    if (shown) continue;
    causes.push_back(absl::StrCat(OneLine(problem.check), " for ", CustomerList(report, problem.customers), ": ",
                                  OneLine(problem.symptoms.front().finding.text()), "; blocks ",
                                  Count(problem.blocked_instances, "check")));
  }
  // Causes of a path as a whole, and unknowns that were skipped, colour no case.
  if (causes.empty() && !go && (no_go ? told.failures : told.errors) == 0)
    causes.push_back(OneLine(report.verdict.why()));

  Case what;
  what.system_out = absl::StrCat(readiness::VerdictName(state), ": ", OneLine(report.verdict.why()));
  for (const v1::PathVerdict& path : report.verdict.paths()) {
    absl::StrAppend(&what.system_out, "\n", readiness::PathName(path.path()), " ",
                    path.left_out() ? "left out" : readiness::VerdictName(path.state()), ": ", OneLine(path.why()));
  }
  for (const std::string& line : report.verdict.not_judged()) {
    absl::StrAppend(&what.system_out, "\nnot judged: ", OneLine(line));
  }
  for (const v1::Obligation& owed : report.obligations_open) {
    absl::StrAppend(&what.system_out, "\nstill owed: ", OneLine(owed.operation()), " for ", OneLine(owed.customer()),
                    ": ", OneLine(owed.manual_action().empty() ? "settled at the next start" : owed.manual_action()));
  }
  if (causes.empty()) return what;
  what.kind = no_go ? Case::Kind::kFailure : Case::Kind::kError;
  what.type = readiness::VerdictName(state);
  what.message = causes.front();
  what.body = absl::StrJoin(causes, "\n");
  return what;
}

}  // namespace

std::string JunitReport(const cli::GateReport& report) {
  const Summary summary = Summarise(report);
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version").set_value("1.0");
  declaration.append_attribute("encoding").set_value("UTF-8");
  pugi::xml_node root = document.append_child("testsuites");
  root.append_attribute("name").set_value(TitleOf(report).c_str());

  Counts all;
  const auto begin_suite = [&](const std::string& name) {
    pugi::xml_node suite = root.append_child("testsuite");
    suite.append_attribute("name").set_value(name.c_str());
    if (report.start_time != absl::InfinitePast()) {
      // The schema allows no zone; UTC, as the reports of others.
      suite.append_attribute("timestamp")
          .set_value(absl::FormatTime("%Y-%m-%dT%H:%M:%S", report.start_time, absl::UTCTimeZone()).c_str());
    }
    if (!report.vantage.empty()) suite.append_attribute("hostname").set_value(OneLine(report.vantage, 200).c_str());
    return suite;
  };

  for (int path = v1::PATH_UNSPECIFIED; path <= v1::PATH_NOTICES; ++path) {
    // By check and customer, so that two reports of one plan list the same cases in the same order.
    std::map<std::pair<std::string, std::string>, const v1::InstanceStanding*> instances;
    for (const v1::InstanceStanding& instance : report.verdict.instances()) {
      if (instance.path() == path) instances[{instance.check(), instance.customer()}] = &instance;
    }
    if (instances.empty()) continue;
    const std::string name = readiness::PathName(static_cast<v1::Path>(path));
    pugi::xml_node suite = begin_suite(name.empty() ? "other" : name);
    Counts counts;
    for (const auto& [key, instance] : instances) {
      const std::string check = OneLine(instance->check(), 200);
      AddCase(suite, check, absl::StrCat(check, " for ", OneLine(instance->customer(), 200)),
              ToDuration(instance->result().duration()), CaseOf(report, *instance), counts);
    }
    SetCounts(suite, counts);
    all.Add(counts);
  }

  pugi::xml_node suite = begin_suite("verdict");
  Counts counts;
  AddCase(suite, "puckdrop.verdict", "puckdrop.verdict", absl::ZeroDuration(), VerdictCase(report, summary, all),
          counts);
  SetCounts(suite, counts);
  all.Add(counts);
  SetCounts(root, all);

  std::ostringstream out;
  document.save(out, "  ", pugi::format_default, pugi::encoding_utf8);
  return out.str();
}

}  // namespace puckdrop::report
