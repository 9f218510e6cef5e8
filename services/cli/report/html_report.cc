#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "services/cli/report/html_parts.h"
#include "services/cli/report/report.h"
#include "services/cli/report/words.h"
#include "services/readiness/verdict.h"

namespace puckdrop::report {
namespace {

constexpr size_t kMostSymptoms = 40;
constexpr size_t kMostLines = 200;
constexpr size_t kPicturesOfAProblem = 6;
// Recordings of what is ok interest few; a phone loads them all the same.
constexpr size_t kMostOfOk = 512u << 10;

const char* ClassOf(v1::VerdictState state) {
  switch (state) {
    case v1::VERDICT_STATE_GO:
    case v1::VERDICT_STATE_GO_WITH_WAIVERS:
      return "go";
    case v1::VERDICT_STATE_NO_GO:
      return "no";
    default:
      return "in";
  }
}

class Page {
 public:
  Page(const cli::GateReport& report, size_t most_bytes)
      : report_(report), clock_(report), summary_(Summarise(report)), evidence_(report, &budget_) {
    budget_.left = most_bytes;
  }

  std::string Write() {
    // What must be there is written first, and pictures and recordings share what is left.
    const std::string top = Top();
    const std::string middle = absl::StrCat(
        UnknownCards(), Notes("Flaky", "passed only after another look", summary_.flaky),
        Notes("Close to a limit", "ok, but not by much", summary_.warnings), Advisory(), Promises(), Waivers());
    const std::string bottom = absl::StrCat(NotJudged(), Matrix(), Timings(), Foot());
    const std::vector<std::string> cards = Cards();
    size_t needed = top.size() + middle.size() + bottom.size() + (16u << 10);
    for (const std::string& card : cards) needed += card.size();
    budget_.left = budget_.left > needed ? budget_.left - needed : 0;

    std::string out = top;
    for (size_t i = 0; i < cards.size(); ++i) {
      Put(&out, cards[i], evidence_.Pictures(summary_.broken[i].results, kPicturesOfAProblem), "</section>\n");
    }
    Put(&out, middle);
    if (const std::string pictures = evidence_.OtherPictures(); !pictures.empty()) {
      Put(&out, "<h2>Pictures <small>what was seen, a frame per stream</small></h2>\n", pictures);
    }
    Put(&out, Evidence(), bottom, "</main>\n</body>\n</html>\n");
    return out;
  }

 private:
  std::string Top() {
    const v1::Verdict& verdict = report_.verdict;
    const std::string words = VerdictPeople(verdict.state());
    std::string out;
    Put(&out, "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n",
        "<meta name=viewport content=\"width=device-width,initial-scale=1\">\n",
        "<meta name=color-scheme content=\"light dark\">\n<meta name=referrer content=no-referrer>\n",
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; img-src data:; style-src "
        "'unsafe-inline'; ",
        "base-uri 'none'; form-action 'none'\">\n<title>", words, " · ", Html(TitleOf(report_)), "</title>\n<style>",
        StyleSheet(), "</style>\n</head>\n<body>\n");
    Put(&out, "<header class=\"banner ", ClassOf(verdict.state()), "\"><div>\n<h1>", words, "</h1>\n<p class=title>",
        Html(TitleOf(report_)), "</p>\n<p class=line>", Html(Headline(report_, summary_)), "</p>\n");
    if (verdict.state() != v1::VERDICT_STATE_GO && !verdict.why().empty()) {
      Put(&out, "<p class=line>", Html(verdict.why(), 600), "</p>\n");
    }
    if (!report_.ended_by.empty()) {
      Put(&out, "<p class=line>Ended by ", Html(report_.ended_by, 200), " before it was over.</p>\n");
    }
    Put(&out, "<p class=when>", Html(clock_.Date(report_.end_time)));
    if (report_.puck_drop != absl::InfinitePast()) {
      Put(&out, " · puck drop ", Html(clock_.Date(report_.puck_drop)));
      if (report_.end_time != absl::InfinitePast() && report_.puck_drop > report_.end_time) {
        Put(&out, " (in ", Span(report_.puck_drop - report_.end_time), ")");
      }
    }
    Put(&out, "</p>\n</div></header>\n<main>\n", Tiles(), Obligations());
    if (!summary_.broken.empty()) {
      Put(&out, "<h2>What is broken <small>one block for each cause, worst first</small></h2>\n");
    }
    return out;
  }

  std::string Tiles() {
    std::string out = report_.verdict.paths_size() > 5 ? "<div class=\"tiles six\">\n" : "<div class=tiles>\n";
    for (const v1::PathVerdict& path : report_.verdict.paths()) {
      Put(&out, "<div class=\"tile ", path.left_out() ? "" : ClassOf(path.state()), "\"><div class=name>",
          PathPeople(path.path()), "</div><div class=state>",
          path.left_out() ? "not judged" : VerdictPeople(path.state()), "</div><div class=counts>");
      if (path.left_out()) {
        Put(&out, Html(PathWhy(summary_, path), 160));
      } else {
        Put(&out, PathCounts(summary_, path));
        if (path.audience_affected() > 0) Put(&out, "; ", Percent(path.audience_affected()), " of the audience hit");
      }
      Put(&out, "</div></div>\n");
    }
    return out + "</div>\n";
  }

  std::string Obligations() {
    if (report_.obligations_open.empty()) return "";
    std::string out;
    Put(&out, "<h2 class=bad>Still owed at the target: ", report_.obligations_open.size(),
        "</h2>\n<section class=\"card owed\">\n", "<p>We did this at the target and could not undo it.</p>\n<ul>\n");
    for (size_t i = 0; i < report_.obligations_open.size() && i < kMostLines; ++i) {
      const v1::Obligation& owed = report_.obligations_open[i];
      Put(&out, "<li><code>", Html(owed.operation(), 100), "</code> for ", Html(owed.customer(), 60),
          ", account <code>", Html(owed.account(), 200), "</code>");
      std::map<std::string, std::string> ids(owed.target_ids().begin(), owed.target_ids().end());
      for (const auto& [name, id] : ids) Put(&out, ", ", Html(name, 60), " <code>", Html(id, 200), "</code>");
      Put(&out, "<br>");
      if (owed.manual_action().empty()) {
        Put(&out, "It is settled at the next start, or now by <code>puckdrop obligations --settle</code>.");
      } else {
        Put(&out, "<b class=bad>A person must:</b> ", Html(owed.manual_action(), 600));
      }
      if (!owed.last_error().empty()) {
        Put(&out, "<br><span class=dim>last attempt: ", Html(owed.last_error(), 400), "</span>");
      }
      Put(&out, "</li>\n");
    }
    Put(&out, "</ul>\n");
    if (!report_.state_dir.empty()) {
      Put(&out, "<p class=dim>Written down in <code>", Html(report_.state_dir, 300), "</code>.</p>\n");
    }
    return out + "</section>\n";
  }

  std::string Who(const Problem& problem) const {
    return absl::StrCat(Html(CustomerList(report_, problem.customers), 600), " · ", Percent(problem.audience_share),
                        " of the audience");
  }

  std::string SymptomHtml(const Problem& problem, const Symptom& symptom) const {
    const v1::Finding& finding = symptom.finding;
    std::string out;
    Put(&out, "<div class=finding><p>", Html(finding.text(), 800));
    if (!finding.where().empty() && finding.text().find(finding.where()) == std::string::npos) {
      Put(&out, " <span class=dim>(", Html(finding.where(), 200), ")</span>");
    }
    if (symptom.varies) {
      Put(&out, " <span class=dim>(as ", Html(symptom.customers.front(), 60), " saw it; ", symptom.customers.size() - 1,
          " alike)</span>");
    } else if (symptom.customers.size() < problem.results.size()) {
      Put(&out, " <span class=dim>(", Html(CustomerList(report_, symptom.customers), 300), ")</span>");
    }
    Put(&out, "</p>");
    if (!finding.expected().empty() || !finding.actual().empty()) {
      Put(&out, "<div class=versus><div><span>expected</span>", Html(finding.expected(), 800),
          "</div><div class=actual><span>actual</span>", Html(finding.actual(), 800), "</div></div>");
    }
    return out + "</div>\n";
  }

  // Open ended: pictures and the end follow.
  std::vector<std::string> Cards() {
    std::vector<std::string> cards;
    for (const Problem& problem : summary_.broken) {
      std::string out;
      const std::string& sentence = problem.description.sentence();
      Put(&out, "<section class=\"card no\" id=\"", Anchor("p-", problem.check), "\">\n<h3>",
          sentence.empty() ? Html(problem.symptoms.front().finding.text(), 300)
                           : absl::StrCat("“", Html(sentence, 300), "”"),
          "</h3>\n<p class=meta><code>", Html(problem.check, 100), "</code> · ", Who(problem),
          problem.supporting ? " · not selected itself, but the selection stands on it" : "", "</p>\n");
      for (size_t i = 0; i < problem.symptoms.size() && i < kMostSymptoms; ++i) {
        Put(&out, SymptomHtml(problem, problem.symptoms[i]));
      }
      if (problem.symptoms.size() > kMostSymptoms) {
        Put(&out, "<p class=dim>and ", problem.symptoms.size() - kMostSymptoms, " more findings</p>\n");
      }
      if (!problem.description.runbook().empty()) {
        Put(&out, "<p class=do><b>Do:</b> ", Html(problem.description.runbook(), 1000), "</p>\n");
      }
      Put(&out, Facts(problem));
      if (problem.blocked_instances > 0) {
        Put(&out, "<details><summary>Blocks ", Count(problem.blocked_instances, "more check"), "</summary>\n<ul>\n");
        for (const CheckCustomers& entry : problem.blocks) {
          Put(&out, "<li><code>", Html(entry.check, 100), "</code> for ",
              Html(CustomerList(report_, entry.customers), 300), "</li>\n");
        }
        Put(&out, "</ul>\n</details>\n");
      }
      if (problem.first() != nullptr && !problem.first()->reproduce().empty()) {
        Put(&out, "<details><summary>Again, from a shell</summary>\n<pre>",
            HtmlLines(problem.first()->reproduce(), 8u << 10), "</pre>\n</details>\n");
      }
      cards.push_back(std::move(out));
    }
    return cards;
  }

  std::string Facts(const Problem& problem) const {
    std::string out = "<dl>";
    const auto fact = [&out](absl::string_view name, const std::string& html) {
      if (!html.empty()) Put(&out, "<dt>", name, "</dt><dd>", html, "</dd>\n");
    };
    const v1::Result* first = problem.first();
    if (first != nullptr && !first->operation().empty()) {
      fact("step", absl::StrCat(StepOf(*first), "<code>", Html(first->operation(), 120), "</code>"));
    }
    if (problem.since != absl::InfinitePast()) {
      fact("since",
           absl::StrCat(clock_.Time(problem.since), first != nullptr && first->confirmed() ? ", seen twice" : ""));
    }
    if (first != nullptr && !first->plan_position().empty()) {
      fact("plan", absl::StrCat("<code>", Html(first->plan_position(), 300), "</code>"));
    }
    fact("limit from", Html(problem.description.source(), 400));
    return out == "<dl>" ? "" : out + "</dl>\n";
  }

  std::string UnknownCards() {
    const v1::Verdict& verdict = report_.verdict;
    if (summary_.unknown.empty() && verdict.causes().empty()) return "";
    std::string out = "<h2>Unknown <small>we could not tell</small></h2>\n";
    for (const std::string& cause : verdict.causes()) {
      Put(&out, "<section class=\"card in\"><h3>", Html(cause, 600), "</h3></section>\n");
    }
    for (size_t i = 0; i < summary_.unknown.size() && i < kMostLines; ++i) {
      const Unknown& unknown = summary_.unknown[i];
      Put(&out, "<section class=\"card in\">\n<h3>", Html(unknown.why, 600), "</h3>\n<p class=meta>",
          Count(unknown.instances, "check"), unknown.advisory ? ", advisory" : "",
          "</p>\n<details><summary>Which</summary>\n<ul>\n");
      for (const CheckCustomers& entry : unknown.checks) {
        Put(&out, "<li><code>", Html(entry.check, 100), "</code> for ",
            Html(CustomerList(report_, entry.customers), 300), "</li>\n");
      }
      Put(&out, "</ul>\n</details>\n");
      if (unknown.first != nullptr && !unknown.first->reproduce().empty()) {
        Put(&out, "<details><summary>Again, from a shell</summary>\n<pre>",
            HtmlLines(unknown.first->reproduce(), 8u << 10), "</pre>\n</details>\n");
      }
      Put(&out, "</section>\n");
    }
    return out;
  }

  static std::string Bullets(absl::string_view heading, absl::string_view after,
                             const std::vector<std::string>& items) {
    if (items.empty()) return "";
    std::string out;
    Put(&out, "<h2>", heading, after.empty() ? "" : absl::StrCat(" <small>", after, "</small>"),
        "</h2>\n<section class=card>\n<ul>\n");
    for (size_t i = 0; i < items.size() && i < kMostLines; ++i) Put(&out, "<li>", items[i], "</li>\n");
    if (items.size() > kMostLines) Put(&out, "<li>and ", items.size() - kMostLines, " more</li>\n");
    return out + "</ul>\n</section>\n";
  }

  std::string Notes(absl::string_view heading, absl::string_view after, const std::vector<Note>& notes) const {
    std::vector<std::string> items;
    for (const Note& note : notes) {
      items.push_back(absl::StrCat("<code>", Html(note.who.check, 100), "</code> for ",
                                   Html(CustomerList(report_, note.who.customers), 300), ": ", Html(note.text, 600)));
    }
    return Bullets(heading, after, items);
  }

  std::string Advisory() const {
    std::vector<std::string> items;
    for (const Problem& problem : summary_.advisory) {
      items.push_back(absl::StrCat("<code>", Html(problem.check, 100), "</code> for ",
                                   Html(CustomerList(report_, problem.customers), 300), ": ",
                                   Html(problem.symptoms.front().finding.text(), 600)));
    }
    return Bullets("Advisory", "failed, but cannot stop the launch", items);
  }

  std::string Promises() const {
    std::vector<std::string> items;
    for (const v1::PromiseState& promise : report_.verdict.promises()) {
      const bool kept = promise.state() == v1::PromiseState::KEPT;
      const bool broken = promise.state() == v1::PromiseState::BROKEN;
      std::string item = absl::StrCat("<b class=",
                                      kept     ? "good>kept"
                                      : broken ? "bad>broken"
                                               : "warn>cannot tell",
                                      "</b> “", Html(promise.text(), 400), "”");
      if (promise.broken_by_size() > 0) {
        absl::StrAppend(&item, " <span class=dim>by ", Html(absl::StrJoin(promise.broken_by(), ", "), 400), "</span>");
      }
      items.push_back(std::move(item));
    }
    return Bullets("Promises", "what customers were told", items);
  }

  std::string Waivers() const {
    std::vector<std::string> items;
    for (size_t i = 0; i < report_.waivers.size(); ++i) {
      const cli::GateReport::Waiver& waiver = report_.waivers[i];
      const bool known = static_cast<int>(i) < report_.verdict.waivers_size();
      const v1::WaiverState state = known ? report_.verdict.waivers(static_cast<int>(i)) : v1::WaiverState();
      const bool holds = state.state() == v1::WaiverState::HONOURED;
      int covers = 0;
      for (const v1::InstanceStanding& instance : report_.verdict.instances()) {
        covers += instance.standing() == v1::STANDING_WAIVED && instance.waiver() == static_cast<int>(i) ? 1 : 0;
      }
      std::string item;
      Put(&item, "<b class=", holds ? "warn>holds" : "bad>does not hold", "</b> <code>", Html(waiver.check, 100),
          "</code>", waiver.customer.empty() ? "" : absl::StrCat(" for ", Html(waiver.customer, 60)), ": ",
          Html(waiver.reason, 400), " <span class=dim>(", Html(waiver.owner, 100), ", until ", Html(waiver.expires, 20),
          "; ", Html(state.why(), 300), "; notice at ", Html(waiver.notice_url, 300), "; covers ",
          Count(covers, "check"), " here)</span>");
      items.push_back(std::move(item));
    }
    return Bullets("Waivers", "accepted by their owners, told to customers", items);
  }

  std::string NotJudged() const {
    std::vector<std::string> items;
    for (const std::string& line : report_.verdict.not_judged()) items.push_back(Html(line, 600));
    if (summary_.does_not_apply > 0) {
      items.push_back(absl::StrCat(Count(summary_.does_not_apply, "check"),
                                   summary_.does_not_apply == 1 ? " does" : " do",
                                   " not apply, by the plan or the device"));
    }
    std::string out = Bullets("Not judged", "", items);
    items.clear();
    for (const std::string& line : report_.verdict.changed()) items.push_back(Html(line, 600));
    Put(&out, Bullets("Changed", "since the last GO", items));
    items.clear();
    for (const std::string& line : report_.warnings) items.push_back(Html(line, 600));
    return out + Bullets("Notes", "", items);
  }

  // One cell: a word and the reason behind it.
  std::string Cell(const v1::InstanceStanding& instance, size_t columns) const {
    const char* kind = "amber";
    std::string word = "unknown";
    const v1::Result& result = instance.result();
    switch (instance.standing()) {
      case v1::STANDING_OK:
        kind = result.flaky() || result.warning() ? "amber" : "ok";
        word = result.flaky() ? "flaky" : result.warning() ? "close" : "ok";
        break;
      case v1::STANDING_FAILED:
        kind = instance.root().empty() ? "fail" : "block";
        word = instance.root().empty() ? "FAILED" : "blocked";
        break;
      case v1::STANDING_WAIVED:
        word = "waived";
        break;
      case v1::STANDING_NOT_ASKED:
        kind = "none";
        word = "–";
        break;
      default:
        break;
    }
    if (instance.standing() == v1::STANDING_FAILED) {
      const std::string& root = instance.root().empty() ? instance.check() : instance.root();
      const bool has_card = std::any_of(summary_.broken.begin(), summary_.broken.end(),
                                        [&](const Problem& problem) { return problem.check == root; });
      if (has_card) {
        word = absl::StrCat("<a href=\"#", Anchor("p-", root), "\">", word, "</a>");
      } else {
        kind = "amber";
        word = "advisory";
      }
    }
    return absl::StrCat("<td class=", kind, columns > 1 ? absl::StrCat(" colspan=", columns) : "", " title=\"",
                        Html(instance.why(), 160), "\">", word, "</td>");
  }

  std::string Matrix() const {
    std::map<v1::Path, std::map<std::string, std::map<std::string, const v1::InstanceStanding*>>> paths;
    std::vector<std::string> columns;
    // In the plan's order, and only those that this run asked anything of.
    for (const cli::GateReport::Customer& customer : report_.customers) {
      const auto of_customer = [&](const v1::InstanceStanding& one) { return one.customer() == customer.id; };
      const auto& instances = report_.verdict.instances();
      if (std::any_of(instances.begin(), instances.end(), of_customer)) columns.push_back(customer.id);
    }
    for (const v1::InstanceStanding& instance : report_.verdict.instances()) {
      paths[instance.path()][instance.check()][instance.customer()] = &instance;
      if (instance.customer() != readiness::kAnyCustomer &&
          std::find(columns.begin(), columns.end(), instance.customer()) == columns.end()) {
        columns.push_back(instance.customer());
      }
    }
    if (paths.empty()) return "";
    if (columns.empty()) columns.push_back(readiness::kAnyCustomer);
    std::string out =
        "<h2>Every check, every customer</h2>\n<div class=scroll tabindex=0 role=region aria-label=\"Checks and "
        "customers\">"
        "<table class=matrix>\n<thead><tr><th></th>";
    for (const std::string& column : columns) {
      std::string about;
      for (const cli::GateReport::Customer& customer : report_.customers) {
        if (customer.id != column) continue;
        about = absl::StrCat("<small>", Html(customer.device, 40), "</small><small>", Percent(customer.audience_share),
                             "</small>");
      }
      Put(&out, "<th scope=col>", Html(column, 60), about, "</th>");
    }
    Put(&out, "</tr></thead>\n<tbody>\n");
    for (const auto& [path, checks] : paths) {
      Put(&out, "<tr class=path><th scope=rowgroup>", PathPeople(path), "</th><td colspan=", columns.size(),
          "></td></tr>\n");
      for (const auto& [check, customers] : checks) {
        Put(&out, "<tr><th scope=row>", Name(absl::StripPrefix(check, absl::StrCat(readiness::PathName(path), "."))),
            "</th>");
        if (const auto any = customers.find(readiness::kAnyCustomer); any != customers.end()) {
          Put(&out, Cell(*any->second, columns.size()), "</tr>\n");
          continue;
        }
        for (const std::string& column : columns) {
          const auto found = customers.find(column);
          Put(&out, found == customers.end() ? "<td></td>" : Cell(*found->second, 1));
        }
        Put(&out, "</tr>\n");
      }
    }
    return out +
           "</tbody>\n</table></div>\n<p class=dim>“–”: not asked, since it does not apply, is not offered, or was "
           "left "
           "out. “close”: ok, but near its limit. Hold a cell for its reason.</p>\n";
  }

  std::string Timings() const {
    struct Sums {
      int ok = 0, other = 0;
      std::vector<absl::Duration> times;
    };
    std::map<std::string, Sums> operations;
    for (const v1::OperationRecord& record : report_.operations) {
      Sums& sums = operations[record.operation()];
      ++(record.end() == "OK" || record.end() == "REFUSED" ? sums.ok : sums.other);
      sums.times.push_back(ToDuration(record.duration()));
    }
    if (operations.empty()) return "";
    std::string out =
        "<h2>Timings <small>operations at the target</small></h2>\n<div class=scroll tabindex=0 role=region "
        "aria-label=Timings><table>\n<thead><tr><th>operation</th><th class=n>answered</th><th class=n>failed</th><th "
        "class=n>median</th>"
        "<th class=n>longest</th></tr></thead>\n<tbody>\n";
    for (auto& [operation, sums] : operations) {
      std::sort(sums.times.begin(), sums.times.end());
      Put(&out, "<tr><td><code>", Name(operation), "</code></td><td class=n>", sums.ok, "</td><td class=n>", sums.other,
          "</td><td class=n>", Span(sums.times[sums.times.size() / 2]), "</td><td class=n>", Span(sums.times.back()),
          "</td></tr>\n");
    }
    return out + "</tbody>\n</table></div>\n";
  }

  std::string Evidence() {
    // What went wrong speaks first, as long as there is room.
    std::vector<const v1::Result*> wrong, ok;
    for (const Problem& problem : summary_.broken)
      wrong.insert(wrong.end(), problem.results.begin(), problem.results.end());
    for (const v1::InstanceStanding& instance : report_.verdict.instances()) {
      if (!instance.has_result()) continue;
      const bool fine = instance.standing() == v1::STANDING_OK && !instance.result().flaky();
      (fine ? ok : wrong).push_back(&instance.result());
    }
    const std::string of_wrong = evidence_.Blocks(wrong, &budget_);
    Budget little{std::min(budget_.left, kMostOfOk)};
    const std::string of_ok = evidence_.Blocks(ok, &little);
    if (of_wrong.empty() && of_ok.empty() && evidence_.LeftOut().empty()) return "";
    std::string out =
        "<h2>Evidence <small>secrets were taken out when it was recorded</small></h2>\n<section class=card>\n";
    Put(&out, of_wrong);
    if (!of_ok.empty()) Put(&out, "<details><summary>Of what is ok</summary>\n", of_ok, "</details>\n");
    if (const std::string left_out = evidence_.LeftOut(); !left_out.empty())
      Put(&out, "<p class=dim>", left_out, ".</p>\n");
    return out + "</section>\n";
  }

  std::string Foot() const {
    std::string out = "<footer><dl>";
    const auto fact = [&out](absl::string_view name, const std::string& text) {
      if (!text.empty()) Put(&out, "<dt>", name, "</dt><dd>", Html(text, 1000), "</dd>\n");
    };
    std::string judged = absl::StrCat(summary_.judged, " of ", report_.verdict.instances_size());
    if (report_.start_time != absl::InfinitePast() && report_.end_time >= report_.start_time) {
      absl::StrAppend(&judged, " in ", Span(report_.end_time - report_.start_time));
    }
    fact("judged", judged);
    fact("exit", absl::StrCat(report_.exit_code, ", ", ExitMeaning(report_.exit_code)));
    fact("seen from", report_.vantage);
    fact("target", absl::StrJoin(report_.target_urls, ", "));
    fact("configuration", report_.verdict.configuration());
    fact("plan", absl::StrCat(absl::StrJoin(report_.plan_files, " + "), report_.plan_digest.empty() ? "" : ", ",
                              report_.plan_digest));
    if (report_.others_audience_share > 0) {
      fact("nobody stands for", absl::StrCat(Percent(report_.others_audience_share), " of the audience"));
    }
    fact("run", report_.run);
    fact("again", report_.command);
    fact("puckdrop", report_.version);
    return out + "</dl></footer>\n";
  }

  const cli::GateReport& report_;
  const Clockface clock_;
  const Summary summary_;
  Budget budget_;
  EvidenceWriter evidence_;
};

}  // namespace

std::string HtmlReport(const cli::GateReport& report, size_t most_bytes) { return Page(report, most_bytes).Write(); }

}  // namespace puckdrop::report
