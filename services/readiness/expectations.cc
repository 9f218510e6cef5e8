#include "services/readiness/expectations.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "checks/plan/settings.h"
#include "services/runtime/proto_time.h"

namespace puckdrop::readiness {
namespace {

// Of a plan that sets none: gentle enough for a staging system, fast enough for a gate.
constexpr double kRequestsPerSecond = 20;
constexpr int kInFlight = 8;
constexpr double kMediaRequestsPerSecond = 50;
constexpr double kOrdersPerHour = 120;

bool AnyMatches(const google::protobuf::RepeatedPtrField<std::string>& patterns, const std::string& word) {
  return patterns.empty() ||
         std::any_of(patterns.begin(), patterns.end(), [&](const std::string& p) { return MatchesPattern(p, word); });
}

// A word that names no instance at all is a mistake of the one who typed it.
template <typename Of>
absl::Status EachNamesSomething(const google::protobuf::RepeatedPtrField<std::string>& words,
                                const std::vector<Instance>& all, const std::string& kind, Of of) {
  for (const std::string& word : words) {
    if (std::none_of(all.begin(), all.end(), [&](const Instance& i) { return MatchesPattern(word, of(i)); })) {
      return absl::InvalidArgumentError(absl::StrCat("no ", kind, " of this launch is named '", word, "'"));
    }
  }
  return absl::OkStatus();
}

// Layers of the stages, before dependencies between the paths of one layer split them.
std::vector<std::vector<v1::Path>> LayersOf(v1::Stage stage) {
  switch (stage) {
    case v1::STAGE_VISITOR:
      return {{v1::PATH_ORDERING},
              {v1::PATH_PLAYBACK, v1::PATH_BILLING, v1::PATH_DEVICE_SUPPORT, v1::PATH_CANCELLATION, v1::PATH_NOTICES}};
    case v1::STAGE_SUBSCRIBER:
      // device_support exhausts the account's streams, so nobody watches beside it; cancelling comes last.
      return {{v1::PATH_ORDERING, v1::PATH_PLAYBACK, v1::PATH_BILLING, v1::PATH_NOTICES},
              {v1::PATH_DEVICE_SUPPORT},
              {v1::PATH_CANCELLATION}};
    default:
      return {{v1::PATH_CANCELLATION},   {v1::PATH_PLAYBACK}, {v1::PATH_BILLING},
              {v1::PATH_DEVICE_SUPPORT}, {v1::PATH_ORDERING}, {v1::PATH_NOTICES}};
  }
}

}  // namespace

const v1::CheckDescription* Subject::Find(const std::string& check) const {
  const auto found = std::find_if(catalogue.begin(), catalogue.end(),
                                  [&](const v1::CheckDescription& d) { return d.check() == check; });
  return found == catalogue.end() ? nullptr : &*found;
}

std::vector<Instance> ExpectedInstances(const Subject& subject) {
  std::vector<Instance> all;
  for (const v1::CheckDescription& check : subject.catalogue) {
    const v1::Plan::CheckSettings settings = plan::SettingsFor(subject.plan, check.check());
    Instance instance;
    instance.check = check.check();
    instance.path = check.path();
    instance.sentence = check.sentence();
    instance.severity = settings.severity() != v1::SEVERITY_UNSPECIFIED ? settings.severity() : check.severity();
    if (settings.has_max_age()) instance.max_age = runtime::FromProtoDuration(settings.max_age());
    const auto add = [&](const std::string& customer, double share) {
      instance.customer = customer;
      instance.audience_share = share;
      const v1::Plan::NotJudged* left_out = plan::FindNotJudged(subject.plan, check.check(), customer);
      instance.not_judged =
          left_out == nullptr ? "" : absl::StrCat(left_out->reason(), " (owner: ", left_out->owner(), ")");
      all.push_back(instance);
    };
    if (check.per_launch()) {
      add(kAnyCustomer, 1);
    } else {
      for (const v1::Plan::Customer& customer : subject.plan.customers()) add(customer.id(), customer.audience_share());
    }
  }
  return all;
}

absl::StatusOr<std::vector<Instance>> Select(const std::vector<Instance>& all, const v1::Selection& selection) {
  absl::Status status = EachNamesSomething(selection.checks(), all, "check", [](const Instance& i) { return i.check; });
  if (status.ok()) {
    status = EachNamesSomething(selection.paths(), all, "path", [](const Instance& i) { return PathName(i.path); });
  }
  if (status.ok()) {
    status = EachNamesSomething(selection.customers(), all, "customer", [](const Instance& i) { return i.customer; });
  }
  if (!status.ok()) return status;
  std::vector<Instance> selected;
  for (const Instance& instance : all) {
    // What is judged once for all is judged for each customer one asks about.
    const bool customer = instance.customer == kAnyCustomer || AnyMatches(selection.customers(), instance.customer);
    if (customer && AnyMatches(selection.checks(), instance.check) &&
        AnyMatches(selection.paths(), PathName(instance.path))) {
      selected.push_back(instance);
    }
  }
  return selected;
}

std::vector<Journey> PlanJourneys(const Subject& subject, const std::vector<Instance>& selected) {
  // Whom to walk with: the customers that are selected, else (only per-launch checks are) the first of the plan.
  std::vector<std::string> customers;
  for (const v1::Plan::Customer& customer : subject.plan.customers()) {
    if (std::any_of(selected.begin(), selected.end(),
                    [&](const Instance& i) { return i.customer == customer.id() && i.not_judged.empty(); })) {
      customers.push_back(customer.id());
    }
  }
  if (customers.empty() && subject.plan.customers_size() > 0 &&
      std::any_of(selected.begin(), selected.end(),
                  [](const Instance& i) { return i.customer == kAnyCustomer && i.not_judged.empty(); })) {
    customers.push_back(subject.plan.customers(0).id());
  }

  std::vector<Journey> journeys;
  for (const std::string& customer : customers) {
    std::set<std::string> judged, walked;
    for (const Instance& instance : selected) {
      const bool here =
          instance.customer == customer || (instance.customer == kAnyCustomer && customer == customers[0]);
      if (here && instance.not_judged.empty()) judged.insert(instance.check);
    }
    // The closure of what they stand on.
    std::vector<std::string> todo(judged.begin(), judged.end());
    while (!todo.empty()) {
      const std::string check = todo.back();
      todo.pop_back();
      const v1::CheckDescription* description = subject.Find(check);
      if (description == nullptr || !walked.insert(check).second) continue;
      for (const std::string& under : description->stands_on()) todo.push_back(under);
    }

    Journey journey;
    journey.customer = customer;
    for (const v1::Stage stage : {v1::STAGE_VISITOR, v1::STAGE_SUBSCRIBER, v1::STAGE_LEAVER}) {
      std::map<v1::Path, Step> steps;
      // In the catalogue's order, which the prober may refine.
      for (const v1::CheckDescription& description : subject.catalogue) {
        if (description.stage() != stage || walked.count(description.check()) == 0) continue;
        // Somebody else walks a supporting check that is judged once for all.
        if (description.per_launch() && customer != customers[0] && judged.count(description.check()) == 0) continue;
        Step& step = steps[description.path()];
        step.path = description.path();
        (judged.count(description.check()) > 0 ? step.checks : step.supporting).push_back(description.check());
      }
      Layers layers;
      for (const std::vector<v1::Path>& paths : LayersOf(stage)) {
        // Within a layer, a path that another one stands on goes first.
        std::set<v1::Path> first;
        for (const v1::Path path : paths) {
          if (steps.count(path) == 0) continue;
          for (const std::vector<std::string>* checks : {&steps[path].checks, &steps[path].supporting}) {
            for (const std::string& check : *checks) {
              for (const std::string& under : subject.Find(check)->stands_on()) {
                const v1::CheckDescription* description = subject.Find(under);
                if (description != nullptr && description->stage() == stage && description->path() != path &&
                    std::find(paths.begin(), paths.end(), description->path()) != paths.end()) {
                  first.insert(description->path());
                }
              }
            }
          }
        }
        std::vector<Step> before, after;
        for (const v1::Path path : paths) {
          if (steps.count(path) == 0) continue;
          (first.count(path) > 0 ? before : after).push_back(steps[path]);
        }
        if (!before.empty()) layers.push_back(std::move(before));
        if (!after.empty()) layers.push_back(std::move(after));
      }
      if (!layers.empty()) journey.stages[stage] = std::move(layers);
    }
    journeys.push_back(std::move(journey));
  }
  return journeys;
}

bool CanBeWatched(const Subject& subject, const Instance& instance) {
  const v1::CheckDescription* description = subject.Find(instance.check);
  if (description == nullptr) return false;
  switch (description->watch()) {
    case v1::CheckDescription::WATCH_VISITOR:
      return true;
    case v1::CheckDescription::WATCH_SUBSCRIBER: {
      const v1::Plan::Customer* customer = plan::FindCustomer(subject.plan, instance.customer);
      return customer != nullptr && plan::WatchAccount(*customer) >= 0;
    }
    default:
      return false;
  }
}

std::vector<Journey> PlanWatches(const Subject& subject, const std::vector<Instance>& selected) {
  std::vector<Journey> journeys;
  for (const v1::Plan::Customer& customer : subject.plan.customers()) {
    Journey journey;
    journey.customer = customer.id();
    for (const v1::Stage stage : {v1::STAGE_VISITOR, v1::STAGE_SUBSCRIBER}) {
      std::map<v1::Path, Step> steps;
      for (const v1::CheckDescription& description : subject.catalogue) {
        if (description.stage() != stage) continue;
        const bool wanted = std::any_of(selected.begin(), selected.end(), [&](const Instance& instance) {
          // What is judged once for all is watched with the first customer.
          const bool here = instance.customer == customer.id() ||
                            (instance.customer == kAnyCustomer && customer.id() == subject.plan.customers(0).id());
          return here && instance.check == description.check() && instance.not_judged.empty() &&
                 CanBeWatched(subject, instance);
        });
        if (!wanted) continue;
        Step& step = steps[description.path()];
        step.path = description.path();
        step.checks.push_back(description.check());
      }
      Layers layers;
      for (const std::vector<v1::Path>& paths : LayersOf(stage)) {
        std::vector<Step> layer;
        for (const v1::Path path : paths) {
          if (steps.count(path) > 0) layer.push_back(steps[path]);
        }
        if (!layer.empty()) layers.push_back(std::move(layer));
      }
      if (!layers.empty()) journey.stages[stage] = std::move(layers);
    }
    if (journey.stages.empty()) continue;
    if (const int index = plan::WatchAccount(customer); index >= 0) {
      v1::AccountFact account;
      account.set_standing(true);
      account.set_standing_index(index);
      account.set_email(customer.accounts(index).username());
      v1::Fact& fact = journey.facts.emplace_back();
      fact.set_name("ordering.account");
      fact.set_customer(customer.id());
      fact.mutable_value()->PackFrom(account);
    }
    journeys.push_back(std::move(journey));
  }
  return journeys;
}

LimitShares ShareLimits(const Subject& subject, const std::vector<Journey>& journeys, double portion,
                        double orders_portion) {
  struct Demand {
    double requests = 0;
    double media = 0;
    double orders = 0;
  };
  std::map<v1::Path, Demand> demands;
  for (const Journey& journey : journeys) {
    for (const auto& [stage, layers] : journey.stages) {
      for (const std::vector<Step>& layer : layers) {
        for (const Step& step : layer) {
          Demand& demand = demands[step.path];
          for (const std::vector<std::string>* checks : {&step.checks, &step.supporting}) {
            for (const std::string& check : *checks) {
              demand.requests += 1;
              // Who walks alone orders alone, and looks twice at a failure.
              if (subject.Find(check)->own_account()) demand.orders += 2;
            }
          }
          switch (step.path) {
            case v1::PATH_ORDERING:
              demand.orders += 2;
              demand.media += 2;
              break;
            case v1::PATH_PLAYBACK:
              demand.media += 10;
              break;
            case v1::PATH_DEVICE_SUPPORT:
              demand.media += 4;
              break;
            case v1::PATH_CANCELLATION:
              demand.media += 1;
              break;
            default:
              break;
          }
        }
      }
    }
  }
  Demand sum;
  for (auto& [path, demand] : demands) {
    // A few checks ask as much as many: the sum counts, evened out.
    demand.requests += 4;
    sum.requests += demand.requests;
    sum.media += demand.media;
    sum.orders += demand.orders;
  }

  const v1::Plan::Limits& limits = subject.plan.target().limits();
  const double requests =
      portion * (limits.has_requests_per_second() ? limits.requests_per_second() : kRequestsPerSecond);
  const double media =
      portion * (limits.has_media_requests_per_second() ? limits.media_requests_per_second() : kMediaRequestsPerSecond);
  const double orders = orders_portion * (limits.has_orders_per_hour() ? limits.orders_per_hour() : kOrdersPerHour);
  const int in_flight =
      std::max(1, static_cast<int>(portion * (limits.has_in_flight() ? limits.in_flight() : kInFlight)));

  LimitShares shares;
  const int paths = static_cast<int>(demands.size());
  shares.paths_at_once = std::min(in_flight, paths);
  int left = in_flight - shares.paths_at_once;
  const int spare = std::max(0, left);
  for (const auto& [path, demand] : demands) {
    v1::LimitShare& share = shares.by_path[path];
    share.set_requests_per_second(requests * demand.requests / sum.requests);
    share.set_media_requests_per_second(sum.media > 0 ? media * demand.media / sum.media : 0);
    share.set_orders_per_hour(sum.orders > 0 ? orders * demand.orders / sum.orders : 0);
    // One for each path that may be under way, the rest by weight, rounded down.
    const int more = std::min(left, static_cast<int>(spare * demand.requests / sum.requests));
    left -= more;
    share.set_in_flight(1 + more);
    if (limits.has_bytes_per_run()) {
      const double weight = sum.media > 0 ? demand.media / sum.media : demand.requests / sum.requests;
      share.set_media_bytes(static_cast<int64_t>(static_cast<double>(limits.bytes_per_run()) * weight));
    }
  }
  return shares;
}

absl::Time EndOfDay(const std::string& date, const std::string& time_zone) {
  absl::TimeZone zone;
  absl::CivilDay day;
  if (!absl::LoadTimeZone(time_zone, &zone) || !absl::ParseCivilTime(date, &day)) return absl::InfinitePast();
  return absl::FromCivil(day + 1, zone);
}

WaiverInput InputOf(const v1::Waiver& waiver, const std::string& time_zone, int number) {
  WaiverInput in;
  in.number = number;
  in.check = waiver.check();
  in.customer = waiver.customer();
  in.findings.assign(waiver.findings().begin(), waiver.findings().end());
  in.owner = waiver.owner();
  in.reason = waiver.reason();
  in.expires = EndOfDay(waiver.expires(), time_zone);
  in.notice_url = waiver.notice_url();
  in.notice_says = waiver.notice_says();
  return in;
}

VerdictInput InputOf(const Subject& subject, std::vector<Instance> expected, bool filtered, int expected_of_plan) {
  VerdictInput input;
  const v1::Plan& plan = subject.plan;
  input.launch = plan.launch().id();
  input.expected = std::move(expected);
  input.expected_of_plan =
      expected_of_plan >= 0 ? expected_of_plan : static_cast<int>(ExpectedInstances(subject).size());
  input.filtered = filtered;
  for (int i = 0; i < plan.waivers_size(); ++i) {
    input.waivers.push_back(InputOf(plan.waivers(i), plan.launch().time_zone(), i));
  }
  for (const v1::Plan::Promise& promise : plan.promises()) {
    input.promises.push_back({promise.id(), promise.text(), {promise.checks().begin(), promise.checks().end()}});
  }
  if (plan.has_coverage()) input.coverage = plan.coverage();
  input.vantages.assign(plan.vantages().names().begin(), plan.vantages().names().end());
  input.vantages_required = plan.vantages().required();
  input.plan_digest = subject.digest;
  return input;
}

}  // namespace puckdrop::readiness
