#include "checks/plan/semantics.h"
#include "checks/plan/settings.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "checks/plan/suggest.h"
#include "checks/plan/text_forms.h"
#include "puckdrop/target/v1/target.pb.h"

namespace puckdrop::plan {
namespace {

constexpr std::size_t kShortestNotice = 12;
constexpr double kShareTolerance = 1e-9;

std::size_t Characters(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

template <typename List, typename Get>
std::vector<std::string> Names(const List& list, Get get) {
  std::vector<std::string> out;
  for (const auto& item : list) out.push_back(get(item));
  return out;
}

// What a reference of each kind may name; a kind that is not in the map is not judged.
std::map<std::string, std::vector<std::string>> KnownNames(const v1::Plan& plan, const LoadOptions& options) {
  std::map<std::string, std::vector<std::string>> out;
  out["hosts"] = Names(plan.target().hosts(), [](const auto& host) { return host.name(); });
  out["sessions"] = Names(plan.sessions(), [](const auto& session) { return session.name(); });
  out["customers"] = Names(plan.customers(), [](const auto& customer) { return customer.id(); });
  out["payments"] = Names(plan.payments(), [](const auto& payment) { return payment.name(); });
  out["operations"] = Names(plan.operations(), [](const auto& operation) { return operation.id(); });
  out["fragments"] = Names(plan.fragments(), [](const auto& fragment) { return fragment.name(); });
  if (plan.claims().offers_size() > 0) {
    out["offers"] = Names(plan.claims().offers(), [](const auto& offer) { return offer.offer_id(); });
  }
  if (!options.device_profiles.empty()) out["devices"] = options.device_profiles;
  if (!options.check_ids.empty()) out["checks"] = options.check_ids;
  return out;
}

std::string Singular(const std::string& kind) {
  if (kind == "devices") return "device profile";
  if (kind == "offers") return "claimed offer";
  if (kind == "operations") return "operation in this plan";
  return kind.substr(0, kind.size() - 1);
}

void CheckReference(const Reference& reference, const std::map<std::string, std::vector<std::string>>& names,
                    Mistakes* mistakes) {
  const auto known = names.find(reference.kind);
  if (known == names.end()) return;
  if (reference.kind == "sessions" && reference.name == "none") return;
  if (reference.kind == "checks" && absl::StrContains(reference.name, '*')) {
    const bool any = std::any_of(known->second.begin(), known->second.end(),
                                 [&](const std::string& id) { return MatchesPattern(reference.name, id); });
    if (!any) mistakes->Add(reference.at, absl::StrCat("no check matches `", reference.name, "`"));
    return;
  }
  if (std::find(known->second.begin(), known->second.end(), reference.name) != known->second.end()) return;
  std::string hint = DidYouMean(reference.name, known->second);
  if (hint.empty()) hint = absl::StrCat("the plan has no ", reference.kind, " at all");
  mistakes->Add(reference.at, absl::StrCat("there is no ", Singular(reference.kind), " `", reference.name, "`"), hint);
}

// A fragment that uses itself, by way of others, would never end.
void CheckFragmentCycles(const Reading& reading, Mistakes* mistakes) {
  std::set<std::string> done;
  std::vector<std::string> open;
  const std::function<void(const std::string&)> visit = [&](const std::string& name) {
    open.push_back(name);
    if (const auto scope = reading.scopes.find(absl::StrCat("fragments.", name)); scope != reading.scopes.end()) {
      for (const auto& [used, at] : scope->second.uses) {
        const auto found = std::find(open.begin(), open.end(), used);
        if (found != open.end()) {
          std::vector<std::string> circle(found, open.end());
          circle.push_back(used);
          mistakes->Add(at, absl::StrCat("the fragment `", used, "` uses itself: ", absl::StrJoin(circle, " > ")));
        } else if (!done.contains(used)) {
          visit(used);
        }
      }
    }
    open.pop_back();
    done.insert(name);
  };
  for (const auto& [scope, names] : reading.scopes) {
    std::string name = scope;
    if (absl::StartsWith(name, "fragments.") && !done.contains(name.substr(10))) visit(name.substr(10));
  }
}

template <typename List, typename Get>
void CheckUnique(const List& list, const std::string& path, const std::string& what, const Reading& reading, Get get,
                 Mistakes* mistakes) {
  std::map<std::string, Location> seen;
  for (int i = 0; i < list.size(); ++i) {
    const std::string name = get(list[i]);
    if (name.empty()) continue;
    const Location at = reading.ValueOf(absl::StrCat(path, "[", i, "]"));
    const auto [first, fresh] = seen.emplace(name, at);
    if (!fresh) {
      mistakes->Add(at, absl::StrCat("the ", what, " `", name, "` is given twice"),
                    absl::StrCat("the first is at ", mistakes->Describe(first->second)));
    }
  }
}

void CheckCustomers(const v1::Plan& plan, const Reading& reading, Mistakes* mistakes) {
  std::set<std::string> markets(plan.launch().markets().begin(), plan.launch().markets().end());
  if (markets.empty()) {
    for (const auto& offer : plan.claims().offers()) markets.insert(offer.market());
    // An offer without a market is sold everywhere.
    if (markets.contains("")) markets.clear();
  }
  std::map<std::string, Location> ids;
  double sum = plan.others_audience_share();
  for (const v1::Plan::Customer& customer : plan.customers()) {
    const Location at = ToLocation(customer.position());
    if (!customer.id().empty()) {
      const auto [first, fresh] = ids.emplace(customer.id(), at);
      if (!fresh) {
        mistakes->Add(at, absl::StrCat("the customer `", customer.id(), "` is given twice"),
                      absl::StrCat("the first is at ", mistakes->Describe(first->second)));
      }
    }
    sum += customer.audience_share();
    if (customer.audience_share() < 0 || customer.audience_share() > 1) {
      mistakes->Add(at, absl::StrCat("the audience_share of `", customer.id(), "` is not between 0 and 1"));
    }
    if (!markets.empty() && !customer.market().empty() && !markets.contains(customer.market())) {
      mistakes->Add(
          at, absl::StrCat("nothing is launched in `", customer.market(), "`, the market of `", customer.id(), "`"),
          DidYouMean(customer.market(), {markets.begin(), markets.end()}));
    }
  }
  if (plan.others_audience_share() < 0) {
    mistakes->Add(reading.KeyOf("customers"), "the audience_share of `others` is not between 0 and 1");
  }
  if (sum > 1 + kShareTolerance) {
    mistakes->Add(reading.KeyOf("customers"), absl::StrCat("the audience shares sum to ", sum, ", more than 1"),
                  "shares are of the whole audience; `others` takes what nobody stands for");
  }
}

void CheckTarget(const v1::Plan& plan, const Reading& reading, Mistakes* mistakes) {
  for (const v1::Plan::Host& host : plan.target().hosts()) {
    const std::string path = absl::StrCat("target.hosts.", host.name());
    if (!reading.keys.contains(path + ".url") && !reading.keys.contains(path + ".grpc")) {
      mistakes->Add(reading.KeyOf(path), absl::StrCat("the host `", host.name(), "` has no `url`"));
    }
    if (host.tls().certificate().empty() != !host.tls().has_key()) {
      mistakes->Add(reading.KeyOf(path + ".tls"), "`certificate` and `key` of `tls` belong together: one is missing");
    }
  }
  const bool signs_up = std::any_of(plan.customers().begin(), plan.customers().end(),
                                    [](const auto& customer) { return JourneyAccount(customer) < 0; });
  const auto sign_up = std::find_if(plan.operations().begin(), plan.operations().end(),
                                    [](const auto& operation) { return operation.id() == "ordering.sign_up"; });
  if (signs_up && sign_up != plan.operations().end() && sign_up->steps_size() > 0 && !plan.target().has_pilot_key()) {
    mistakes->Add(reading.KeyOf("target"),
                  "`pilot_key` is missing: accounts are signed up, and their passwords come from it",
                  "write `pilot_key: { env: PILOT_KEY }`, or give every customer a standing account to order with");
  }
}

void CheckPayments(const v1::Plan& plan, Mistakes* mistakes) {
  const std::vector<std::string> known = WordsOf(*target::v1::PaymentCase_descriptor());
  for (const v1::Plan::Payment& payment : plan.payments()) {
    for (const v1::Plan::PaymentData& data : payment.cases()) {
      if (std::find(known.begin(), known.end(), data.payment_case()) != known.end()) continue;
      mistakes->AddSecretly(ToLocation(data.position()),
                            absl::StrCat("there is no payment case `", data.payment_case(), "`"),
                            DidYouMean(data.payment_case(), known));
    }
  }
}

void CheckSettings(const v1::Plan& plan, const Reading& reading, Mistakes* mistakes) {
  for (const v1::Plan::CheckSettings& settings : plan.checks()) {
    const std::string path = absl::StrCat("checks.", settings.check());
    if (settings.attempts() > 3) {
      mistakes->Add(reading.ValueOf(path + ".attempts"), "`attempts` is at most 3");
    }
    if (settings.has_warn() && settings.has_fail() && settings.warn().kind_case() != settings.fail().kind_case() &&
        settings.warn().kind_case() != 0 && settings.fail().kind_case() != 0) {
      mistakes->Add(reading.ValueOf(path + ".fail"), "`warn` and `fail` must both be durations, or both be numbers");
    }
  }
}

void CheckTimes(const v1::Plan& plan, const Reading& reading, Mistakes* mistakes) {
  const auto nanos = [](const google::protobuf::Duration& duration) {
    return static_cast<double>(duration.seconds()) + duration.nanos() * 1e-9;
  };
  for (int i = 0; i < plan.schedule_size(); ++i) {
    const v1::Plan::Phase& phase = plan.schedule(i);
    if (phase.has_from() && phase.has_until() && nanos(phase.until()) <= nanos(phase.from())) {
      mistakes->Add(reading.ValueOf(absl::StrCat("schedule[", i, "].until")), "`until` must be later than `from`");
    }
    if (phase.has_from() && !phase.has_watch_every() && !phase.has_journeys_every()) {
      mistakes->Add(ToLocation(phase.position()), "this phase sets no pace",
                    "give it `watch_every` or `journeys_every`");
    }
  }
  if (plan.has_coverage() && (plan.coverage() <= 0 || plan.coverage() > 1)) {
    mistakes->Add(reading.ValueOf("coverage"), "`coverage` is a share between 0 and 1");
  }
  if (plan.vantages().required() > std::max(1, plan.vantages().names_size())) {
    mistakes->Add(reading.ValueOf("vantages.required"), "more vantages are required than there are");
  }
}

}  // namespace

Location ToLocation(const v1::SourcePosition& position) {
  return {position.file(), position.line(), position.column()};
}

void CheckPlan(const v1::Plan& plan, const Reading& reading, const LoadOptions& options, Mistakes* mistakes) {
  std::map<std::string, std::vector<std::string>> names = KnownNames(plan, options);
  for (const Reference& reference : reading.references) CheckReference(reference, names, mistakes);
  for (const auto& [path, scope] : reading.scopes) {
    for (const auto& [name, at] : scope.uses) CheckReference({"fragments", name, at}, names, mistakes);
  }
  CheckFragmentCycles(reading, mistakes);
  CheckCustomers(plan, reading, mistakes);
  CheckTarget(plan, reading, mistakes);
  CheckPayments(plan, mistakes);
  CheckSettings(plan, reading, mistakes);
  CheckTimes(plan, reading, mistakes);
  CheckUnique(
      plan.promises(), "promises", "promise", reading, [](const auto& promise) { return promise.id(); }, mistakes);
  CheckUnique(
      plan.claims().offers(), "claims.offers", "offer", reading,
      [](const auto& offer) {
        return offer.market().empty() ? offer.offer_id() : absl::StrCat(offer.offer_id(), " in ", offer.market());
      },
      mistakes);
  for (int i = 0; i < plan.claims().offers_size(); ++i) {
    if (plan.claims().offers(i).price().minor_units() < 0) {
      mistakes->Add(reading.ValueOf(absl::StrCat("claims.offers[", i, "].price")), "a price cannot be negative");
    }
  }
  for (int i = 0; i < plan.waivers_size(); ++i) {
    const std::string path = absl::StrCat("waivers[", i, "].notice_says");
    if (reading.keys.contains(path) && Characters(plan.waivers(i).notice_says()) < kShortestNotice) {
      mistakes->Add(reading.ValueOf(path),
                    absl::StrCat("`notice_says` needs ", kShortestNotice, " characters or more, this has ",
                                 Characters(plan.waivers(i).notice_says())),
                    "quote words of the notice that say what will not work");
    }
  }
}

}  // namespace puckdrop::plan
