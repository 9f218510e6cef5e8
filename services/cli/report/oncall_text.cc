#include "services/cli/report/oncall_text.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "services/cli/report/summary.h"
#include "services/cli/report/words.h"
#include "services/readiness/verdict.h"

namespace puckdrop::report {
namespace {

constexpr char kBold[] = "1";
constexpr char kDim[] = "2";
constexpr char kRed[] = "31";
constexpr char kGreen[] = "32";
constexpr char kAmber[] = "33";

const char* ColorOf(v1::VerdictState state) {
  return state == v1::VERDICT_STATE_NO_GO                                              ? kRed
         : state == v1::VERDICT_STATE_GO || state == v1::VERDICT_STATE_GO_WITH_WAIVERS ? kGreen
                                                                                       : kAmber;
}

const char* ColorOf(v1::Standing standing) {
  return standing == v1::STANDING_FAILED ? kRed : standing == v1::STANDING_OK ? kGreen : kAmber;
}

const char* ColorOf(v1::Outcome outcome) {
  return outcome == v1::OUTCOME_FAILED ? kRed : outcome == v1::OUTCOME_PASSED ? kGreen : kAmber;
}

// Lines of at most a width, painted where the terminal can.
class Screen {
 public:
  Screen(const Style& style, const std::string& time_zone)
      : color_(style.color), width_(static_cast<size_t>(std::clamp(style.width, 80, 160))), clock_(FaceOf(time_zone)) {}

  std::string Paint(absl::string_view code, absl::string_view text) const {
    return color_ && !text.empty() ? absl::StrCat("\x1b[", code, "m", text, "\x1b[0m") : std::string(text);
  }
  void Line(const std::string& text = "") { lines_.push_back(text); }
  // `text` wrapped behind `lead` (painted already, `columns` wide).
  void Behind(const std::string& lead, size_t columns, absl::string_view text, absl::string_view code = "") {
    bool first = true;
    for (const std::string& line : Wrapped(text, width_ - columns)) {
      Line(absl::StrCat(first ? lead : std::string(columns, ' '), code.empty() ? line : Paint(code, line)));
      first = false;
    }
  }
  // One line, cut.
  void Cut(const std::string& lead, size_t columns, absl::string_view text, absl::string_view code = "") {
    const std::string cut = CutToWidth(text, width_ - columns);
    Line(absl::StrCat(lead, code.empty() ? cut : Paint(code, cut)));
  }
  void Field(absl::string_view label, absl::string_view text, absl::string_view code = "") {
    if (!text.empty()) Behind(absl::StrCat("   ", Paint(kDim, Padded(label, 12))), 15, text, code);
  }
  // For commands: a wrapped line cannot be copied.
  void Whole(absl::string_view label, const std::string& text) {
    if (!text.empty()) Line(absl::StrCat("   ", Paint(kDim, Padded(label, 12)), text));
  }
  std::string Since(absl::Time since, absl::Time now) const {
    if (since == absl::InfinitePast()) return "";
    const std::string at = now - since > absl::Hours(20) ? clock_.Date(since) : clock_.Time(since);
    return now >= since ? absl::StrCat(at, " (", Span(now - since), ")") : at;
  }
  const Clockface& clock() const { return clock_; }
  size_t width() const { return width_; }
  size_t size() const { return lines_.size(); }
  // `most` lines at most, the rest told.
  std::string Text(size_t most) const {
    std::string text;
    const bool cut = lines_.size() > most;
    for (size_t i = 0; i < lines_.size() && i < (cut ? most - 1 : most); ++i) absl::StrAppend(&text, lines_[i], "\n");
    if (cut) absl::StrAppend(&text, "  … ", lines_.size() - most + 1, " more lines: puckdrop status --all\n");
    return text;
  }
  std::string Text() const { return Text(lines_.size() + 1); }

 private:
  static Clockface FaceOf(const std::string& time_zone) {
    cli::GateReport zone;
    zone.time_zone = time_zone;
    return Clockface(zone);
  }

  const bool color_;
  const size_t width_;
  const Clockface clock_;
  std::vector<std::string> lines_;
};

// The verdict in the shape that Summarise reads: what hangs on what is the same for a gate and a service.
cli::GateReport Shape(const v1::Verdict& verdict) {
  cli::GateReport report;
  report.launch_id = verdict.launch();
  report.launch_title = verdict.launch_title();
  report.time_zone = verdict.time_zone();
  report.verdict = verdict;
  std::set<std::string> seen;
  for (const v1::InstanceStanding& instance : verdict.instances()) {
    if (instance.customer() == readiness::kAnyCustomer || !seen.insert(instance.customer()).second) continue;
    cli::GateReport::Customer customer;
    customer.id = instance.customer();
    customer.audience_share = instance.audience_share();
    report.customers.push_back(std::move(customer));
  }
  return report;
}

std::string Countdown(const v1::Verdict& verdict, absl::Time now, const Screen& screen) {
  const absl::Time drop = ToTime(verdict.puck_drop_time());
  if (drop == absl::InfinitePast()) return "";
  const std::string at = absl::StrCat(" (", screen.clock().Date(drop), ")");
  return drop > now ? absl::StrCat("puck drop in ", Span(drop - now), at)
                    : absl::StrCat("puck dropped ", Span(now - drop), " ago", at);
}

// Since when a group fails: the first of its instances.
absl::Time SinceOf(const v1::Verdict& verdict, const Problem& problem) {
  absl::Time since = absl::InfiniteFuture();
  for (const v1::InstanceStanding& instance : verdict.instances()) {
    if (instance.check() != problem.check || !instance.has_since()) continue;
    if (instance.standing() != v1::STANDING_FAILED && instance.standing() != v1::STANDING_WAIVED) continue;
    since = std::min(since, ToTime(instance.since()));
  }
  return since == absl::InfiniteFuture() ? problem.since : since;
}

std::string StandingPeople(v1::Standing standing) {
  std::string name = readiness::StandingName(standing);
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::string StepWords(const v1::Result& result) {
  if (result.operation().empty()) return "";
  const std::string operation = OneLine(result.operation(), 120);
  if (result.step() == 0) return operation;
  return absl::StrCat("step ", result.step(), result.steps() > 0 ? absl::StrCat(" of ", result.steps()) : "", " of ",
                      operation);
}

}  // namespace

std::string StatusLine(const v1::Verdict& verdict) {
  Screen screen({}, verdict.time_zone());
  std::string line = absl::StrCat(screen.clock().Time(ToTime(verdict.time())), " ", VerdictPeople(verdict.state()));
  if (!verdict.why().empty()) absl::StrAppend(&line, "  ", OneLine(verdict.why(), 300));
  if (verdict.audience_affected() > 0) {
    absl::StrAppend(&line, " (", Percent(verdict.audience_affected()), " of the audience)");
  }
  if (!verdict.paused().empty()) absl::StrAppend(&line, "  PAUSED: ", OneLine(verdict.paused(), 200));
  return line;
}

std::string StatusText(const v1::Verdict& verdict, absl::Time now, const Style& style, size_t lines) {
  Screen screen(style, verdict.time_zone());
  const cli::GateReport report = Shape(verdict);
  const Summary summary = Summarise(report);
  const std::string state = VerdictPeople(verdict.state());

  std::string first = TitleOf(report);
  if (verdict.audience_affected() > 0) {
    absl::StrAppend(&first, "  ", Percent(verdict.audience_affected()), " of the audience is hit");
  }
  screen.Behind(absl::StrCat(screen.Paint(absl::StrCat("1;", ColorOf(verdict.state())), state), "  "), state.size() + 2,
                first, kBold);
  std::vector<std::string> second;
  const std::string countdown = Countdown(verdict, now, screen);
  if (!countdown.empty()) second.push_back(countdown);
  second.push_back(absl::StrCat("seen ", screen.clock().Time(ToTime(verdict.time()))));
  second.push_back(absl::StrCat(summary.ok, " of ", summary.asked, " ok"));
  screen.Behind("", 0, absl::StrJoin(second, "  ·  "), kDim);
  if (!verdict.paused().empty()) {
    screen.Behind(screen.Paint(kAmber, "PAUSED  "), 8,
                  absl::StrCat(OneLine(verdict.paused(), 300), "; puckdrop resume goes on"), kBold);
  }
  if (verdict.obligations_open() > 0) {
    screen.Behind(screen.Paint(kRed, "OWED    "), 8,
                  absl::StrCat(Count(verdict.obligations_open(), "act"),
                               " of ours at the target not undone yet: puckdrop obligations"));
  }

  screen.Line();
  for (const v1::PathVerdict& path : verdict.paths()) {
    const std::string words = path.left_out() ? "not judged" : VerdictPeople(path.state());
    const std::string counts = PathCounts(summary, path);
    const std::string why = OneLine(PathWhy(summary, path), 300);
    screen.Cut(absl::StrCat("  ", Padded(PathPeople(path.path()), 16),
                            screen.Paint(path.left_out() ? kDim : ColorOf(path.state()), Padded(words, 17))),
               35,
               why.empty()      ? counts
               : counts.empty() ? why
                                : absl::StrCat(Padded(counts, 24), "  ", why));
  }

  const auto problems = [&](absl::string_view heading, const std::vector<Problem>& list, const char* code) {
    if (list.empty()) return;
    screen.Line();
    screen.Line(screen.Paint(absl::StrCat("1;", code), heading));
    for (const Problem& problem : list) {
      const std::string share = Padded(Percent(problem.audience_share), 8);
      std::string who = absl::StrCat(OneLine(problem.check, 100), "  ", CustomerList(report, problem.customers));
      const std::string since = screen.Since(SinceOf(verdict, problem), now);
      if (!since.empty()) absl::StrAppend(&who, "  since ", since);
      screen.Cut(absl::StrCat("  ", screen.Paint(code, share)), 10, who, kBold);
      std::string what = OneLine(problem.symptoms.front().finding.text(), 300);
      if (problem.blocked_instances > 0) absl::StrAppend(&what, "  (blocks ", problem.blocked_instances, " more)");
      screen.Cut(std::string(10, ' '), 10, what);
    }
  };
  problems("FAILS", summary.broken, kRed);
  if (!verdict.causes().empty() || !summary.unknown.empty()) {
    screen.Line();
    screen.Line(screen.Paint("1;33", "UNKNOWN"));
    for (const std::string& cause : verdict.causes()) screen.Cut("  - ", 4, OneLine(cause, 300), kBold);
    for (const Unknown& unknown : summary.unknown) {
      screen.Cut("  - ", 4,
                 absl::StrCat(Count(unknown.instances, "check"), ": ", OneLine(unknown.why, 300), " (",
                              CheckList(unknown.checks, 2), ")"));
    }
  }
  problems("WAIVED", summary.waived, kAmber);
  for (const v1::WaiverState& waiver : verdict.waivers()) {
    if (waiver.state() == v1::WaiverState::HONOURED) continue;
    screen.Cut(screen.Paint(kRed, "  waiver does not hold: "), 24,
               absl::StrCat(waiver.check(), waiver.customer().empty() ? "" : " for ", waiver.customer(), ": ",
                            OneLine(waiver.why(), 300)));
  }
  if (!summary.broken_promises.empty()) {
    screen.Line();
    for (const v1::PromiseState* promise : summary.broken_promises) {
      screen.Cut(screen.Paint(kRed, "  promise broken: "), 18, OneLine(promise->text(), 200));
    }
  }
  if (!verdict.changed().empty()) {
    screen.Line();
    screen.Line(absl::StrCat(screen.Paint(kBold, "CHANGED"), screen.Paint(kDim, "  since the last GO")));
    for (const std::string& change : verdict.changed()) screen.Cut("  - ", 4, OneLine(change, 300));
  }
  if (!summary.broken.empty()) {
    screen.Line();
    screen.Line(screen.Paint(kDim, absl::StrCat("why: puckdrop explain ", OneLine(summary.broken.front().check, 100))));
  }
  return screen.Text(std::max<size_t>(lines, 12));
}

std::string ExplainText(const v1::ExplainCheckResponse& answer, absl::Time now, const Style& style) {
  Screen screen(style, answer.time_zone());
  const v1::CheckDescription& check = answer.description();
  screen.Behind("", 0, absl::StrCat(OneLine(check.check(), 100), "  ", OneLine(check.question(), 300)), kBold);
  if (answer.audience_affected() > 0) {
    screen.Behind("", 0,
                  absl::StrCat("\"", OneLine(check.sentence(), 200), "\", says ", Percent(answer.audience_affected()),
                               " of the audience"));
  }
  // Those that stand alike are told once.
  using Explanation = v1::ExplainCheckResponse::Explanation;
  std::vector<std::pair<const Explanation*, std::vector<std::string>>> blocks;
  std::map<std::string, size_t> alike;
  for (const Explanation& one : answer.explanations()) {
    const v1::InstanceStanding& instance = one.instance();
    const std::string key = absl::StrCat(instance.standing(), "|", instance.why(), "|", instance.root());
    const auto [place, is_new] = alike.emplace(key, blocks.size());
    if (is_new) blocks.push_back({&one, {}});
    blocks[place->second].second.push_back(OneLine(instance.customer(), 60));
  }
  for (const auto& [one, customers] : blocks) {
    const v1::InstanceStanding& instance = one->instance();
    const v1::Result& result = instance.result();
    const bool red = instance.standing() == v1::STANDING_FAILED || instance.standing() == v1::STANDING_WAIVED;
    screen.Line();
    const std::string standing = StandingPeople(instance.standing());
    screen.Behind(absl::StrCat(screen.Paint(absl::StrCat("1;", ColorOf(instance.standing())), standing), "  "),
                  standing.size() + 2, absl::StrJoin(customers, ", "), kBold);
    screen.Field("since", screen.Since(ToTime(one->since()), now));
    screen.Field(red ? "found" : "why", OneLine(instance.why(), 600));
    for (int i = 0; i < result.findings_size() && i < 5; ++i) {
      const v1::Finding& finding = result.findings(i);
      if (i > 0) screen.Field("and", OneLine(finding.text(), 400));
      screen.Field("where", OneLine(finding.where(), 200));
      screen.Field("expected", OneLine(finding.expected(), 400));
      screen.Field("actual", OneLine(finding.actual(), 400), red ? kRed : "");
    }
    if (one->has_root()) {
      screen.Field("because", absl::StrCat(OneLine(one->root().check(), 100), ": ", OneLine(one->root().why(), 400)));
      screen.Whole("", absl::StrCat("puckdrop explain ", OneLine(one->root().check(), 100)));
    }
    screen.Field("step", StepWords(result));
    if (instance.has_result()) {
      std::string seen = screen.clock().Time(ToTime(result.end_time()));
      if (result.confirmed()) absl::StrAppend(&seen, ", twice in a row");
      if (!result.vantage().empty()) absl::StrAppend(&seen, ", from ", OneLine(result.vantage(), 60));
      screen.Field("seen", seen);
    }
    if (one->has_last_green_time()) {
      screen.Field("last green", screen.Since(ToTime(one->last_green_time()), now));
    } else if (red) {
      screen.Field("last green", "never");
    }
    for (int i = 0; i < one->changed_size(); ++i) screen.Field(i == 0 ? "changed" : "", OneLine(one->changed(i), 400));
    for (int i = 0; i < one->similar_size(); ++i) {
      const v1::Result& before = one->similar(i);
      screen.Field(i == 0 ? "before" : "", absl::StrCat(screen.clock().Date(ToTime(before.start_time())), ": ",
                                                        OneLine(before.summary(), 300)));
    }
    if (red) screen.Field("do", OneLine(check.runbook(), 600), kBold);
    screen.Field("plan", OneLine(result.plan_position(), 200));
    screen.Whole("again", OneLine(result.reproduce(), 4000));
    for (const v1::Evidence& evidence : one->evidence()) {
      screen.Whole("evidence", absl::StrCat(evidence.kind() == v1::Evidence::KIND_PICTURE ? "picture, " : "",
                                            OneLine(evidence.title(), 120), "  ", OneLine(evidence.name(), 100)));
    }
  }
  return screen.Text();
}

std::string ResultsText(const std::vector<v1::Result>& results, const std::string& time_zone, const Style& style) {
  Screen screen(style, time_zone);
  if (results.empty()) screen.Line("no results");
  for (const v1::Result& result : results) {
    std::string outcome = readiness::OutcomeName(result.outcome());
    if (result.flaky()) absl::StrAppend(&outcome, " flaky");
    const std::string lead = absl::StrCat(screen.clock().Time(ToTime(result.end_time())), "  ");
    screen.Cut(absl::StrCat(lead, screen.Paint(ColorOf(result.outcome()), Padded(outcome, 14))), lead.size() + 14,
               absl::StrCat(OneLine(result.check(), 100), "  ", OneLine(result.customer(), 60), "  ",
                            OneLine(result.summary(), 300)));
  }
  return screen.Text();
}

std::string ChangesText(const v1::ListVerdictChangesResponse& answer, const Style& style) {
  Screen screen(style, answer.time_zone());
  if (answer.changes().empty()) screen.Line("no verdict has been kept yet");
  for (const auto& change : answer.changes()) {
    const std::string state = VerdictPeople(change.verdict().state());
    const std::string at = screen.clock().Date(ToTime(change.verdict().time()));
    screen.Cut(absl::StrCat(at, "  ", screen.Paint(ColorOf(change.verdict().state()), Padded(state, 16))),
               DisplayWidth(at) + 18, OneLine(change.verdict().why(), 300));
    const auto list = [&](absl::string_view sign, const google::protobuf::RepeatedPtrField<std::string>& names,
                          const char* code) {
      for (int i = 0; i < names.size() && i < 6; ++i) {
        screen.Cut(absl::StrCat("    ", screen.Paint(code, sign), " "), 6, OneLine(names[i], 200));
      }
      if (names.size() > 6) screen.Line(absl::StrCat("    ", sign, " and ", names.size() - 6, " more"));
    };
    list("+", change.began(), kRed);
    list("-", change.ended(), kGreen);
  }
  return screen.Text();
}

std::string RunsText(const std::vector<v1::Run>& runs, const std::string& time_zone, const Style& style) {
  Screen screen(style, time_zone);
  if (runs.empty()) screen.Line("no runs");
  for (const v1::Run& run : runs) {
    const bool over = run.state() != v1::Run::RUNNING;
    const v1::VerdictState state = run.verdict().state();
    const std::string words = !over                                    ? "running"
                              : run.state() == v1::Run::CANCELLED      ? "cancelled"
                              : state == v1::VERDICT_STATE_UNSPECIFIED ? "ended"
                                                                       : VerdictPeople(state);
    const std::string at = screen.clock().Date(ToTime(run.start_time()));
    std::string rest = absl::StrCat(OneLine(run.name(), 80), "  ", run.done(), " of ", run.expected(), " judged");
    if (over && run.has_end_time()) {
      absl::StrAppend(&rest, " in ", Span(ToTime(run.end_time()) - ToTime(run.start_time())));
    }
    if (!over) absl::StrAppend(&rest, "  ", OneLine(run.progress(), 200));
    if (over && !run.verdict().why().empty()) absl::StrAppend(&rest, "  ", OneLine(run.verdict().why(), 200));
    screen.Cut(absl::StrCat(at, "  ", screen.Paint(over ? ColorOf(state) : kDim, Padded(words, 16))),
               DisplayWidth(at) + 18, rest);
  }
  return screen.Text();
}

std::string WaiversText(const v1::ListWaiversResponse& waivers, const Style& style) {
  Screen screen(style, "");
  if (waivers.waivers().empty()) screen.Line("no waivers");
  for (int i = 0; i < waivers.waivers_size(); ++i) {
    const v1::WaiverState& state = waivers.waivers(i);
    const bool holds = state.state() == v1::WaiverState::HONOURED;
    const std::string number = absl::StrCat(state.waiver(), ".");
    screen.Behind(
        absl::StrCat(Padded(number, 6), screen.Paint(holds ? kGreen : kRed, holds ? "holds" : "does not hold"), "  "),
        6 + (holds ? 7 : 15),
        absl::StrCat(OneLine(state.check(), 100), state.customer().empty() ? "" : " for ",
                     OneLine(state.customer(), 60)),
        kBold);
    if (!state.why().empty()) screen.Behind("      ", 6, OneLine(state.why(), 400));
    if (i < waivers.definitions_size()) {
      const v1::Waiver& waiver = waivers.definitions(i);
      screen.Behind("      ", 6,
                    absl::StrCat("accepted by ", OneLine(waiver.owner(), 100), " until ", OneLine(waiver.expires(), 40),
                                 ": ", OneLine(waiver.reason(), 300)));
      screen.Behind("      ", 6,
                    absl::StrCat("customers are told at ", OneLine(waiver.notice_url(), 300), ": \"",
                                 OneLine(waiver.notice_says(), 300), "\""));
    }
  }
  return screen.Text();
}

}  // namespace puckdrop::report
