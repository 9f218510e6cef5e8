// What results add up to: where each instance stands, and the verdict of each path and of the launch. DESIGN section 6.
//
// Pure: no clock, no I/O, no plan. Everything it may know is in VerdictInput, and the order of its lists does not
// matter except where said. Total: any input gives a verdict, and only proof gives GO.
#ifndef PUCKDROP_SERVICES_READINESS_VERDICT_H_
#define PUCKDROP_SERVICES_READINESS_VERDICT_H_

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "puckdrop/v1/result.pb.h"
#include "puckdrop/v1/verdict.pb.h"

namespace puckdrop::readiness {

// The customer of a check that is judged once for all.
inline constexpr char kAnyCustomer[] = "any";

// How long a notice that was seen with its words counts.
inline constexpr absl::Duration kNoticeFresh = absl::Minutes(15);

// One check for one customer, as the plan and the catalogue expect it.
struct Instance {
  std::string check;
  std::string customer;  // kAnyCustomer for a check that is not per customer
  v1::Path path = v1::PATH_UNSPECIFIED;
  v1::Severity severity = v1::SEVERITY_BLOCKING;  // in force
  std::string sentence;                           // what a customer says when it fails
  double audience_share = 0;                      // of its customer; 1 for kAnyCustomer
  // Older results are stale, whatever they say of their own age.
  absl::Duration max_age = absl::InfiniteDuration();
  // Listed in the plan's `not_judged`: `reason (owner: who)`. Empty: it is judged.
  std::string not_judged;
};

struct PromiseInput {
  std::string id;
  std::string text;
  std::vector<std::string> checks;  // ids or patterns
};

// A waiver and what was last seen of its notice.
struct WaiverInput {
  int number = -1;       // what it is known by; -1: its place in the list
  std::string check;     // id or pattern
  std::string customer;  // empty: all
  // Ids it covers; empty: every finding of the check.
  std::vector<std::string> findings;
  std::string owner;
  std::string reason;
  absl::Time expires = absl::InfinitePast();  // the first moment at which it no longer holds
  std::string notice_url;
  std::string notice_says;

  // The newest look at the notice.
  enum class Notice { kNeverLooked, kSaid, kDidNotSay, kUnreachable };
  Notice notice = Notice::kNeverLooked;
  absl::Time notice_seen = absl::InfinitePast();  // last time it was seen with its words
  std::string notice_error;                       // for kUnreachable
};

struct VerdictInput {
  std::string launch;
  // Every instance the verdict needs: of the selection, if there is one.
  std::vector<Instance> expected;
  // How many the whole plan expects.
  int expected_of_plan = 0;
  // A filter was given: the verdict is not one of the launch.
  bool filtered = false;
  // All results known, supporting ones included. The newest of each instance and vantage counts.
  std::vector<v1::Result> results;
  // How old each of `results` is, in the same order; who knows it better than by `end_time` and `now` says so, because
  // those may be of clocks that disagree. The youngest is the newest. Empty: by the times.
  std::vector<absl::Duration> ages;
  std::vector<WaiverInput> waivers;    // in the plan's order, then those made at run time
  std::vector<PromiseInput> promises;  // in the plan's order
  absl::Time now;
  // The target's configuration now; empty if never told.
  std::string configuration;
  // Names of the vantages; empty: one, whatever its name. `vantages_required` of them must pass; 0: all.
  std::vector<std::string> vantages;
  int vantages_required = 0;
  // Share of the audience that must be ok.
  double coverage = 0.9;
  // Why an instance without a result has none, if known: by path (`prober unreachable: …`).
  std::map<v1::Path, std::string> missing_because;
  // Causes that belong to no check and hold the verdict at INCONCLUSIVE at best (a configuration that alternates).
  std::vector<std::string> causes;
  // Facts to hand on unjudged.
  std::vector<std::string> changed;
  std::string run;
  std::string plan_digest;
  int obligations_open = 0;
  std::string paused;
};

// Where every expected instance stands, and the verdict.
v1::Verdict ComputeVerdict(const VerdictInput& input);

// Whether `pattern` (an id, `*` stands for any characters) names `id`.
bool MatchesPattern(const std::string& pattern, const std::string& id);

// Whether a waiver holds at `now`; `index` is what it is known by.
v1::WaiverState StateOfWaiver(const WaiverInput& waiver, int index, absl::Time now);

// GO and GO_WITH_WAIVERS 2, INCONCLUSIVE 1, NO_GO 0: the number of the metrics. Anything unknown is 1.
int VerdictNumber(v1::VerdictState state);

// `ordering`, `device_support`, …: the word of the plan, CLI and metrics. Empty for none.
std::string PathName(v1::Path path);
// PATH_UNSPECIFIED for an unknown word.
v1::Path PathFromName(const std::string& name);
// The path of `<path>.<name>`.
v1::Path PathOfCheck(const std::string& check);

// `NO-GO`, `GO with waivers`: for people.
std::string VerdictWords(v1::VerdictState state);
// `NO_GO`, `GO_WITH_WAIVERS`: for machines.
std::string VerdictName(v1::VerdictState state);
// `ok failed waived unknown not_asked`.
std::string StandingName(v1::Standing standing);
// `passed failed blocked inconclusive skipped`.
std::string OutcomeName(v1::Outcome outcome);

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_VERDICT_H_
