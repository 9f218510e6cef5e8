#include "services/readiness/since_go.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "services/readiness/standing.h"
#include "services/readiness/verdict.h"
#include "services/runtime/proto_time.h"

namespace puckdrop::readiness {
namespace {

// More of them tell nobody more.
constexpr size_t kMostChanges = 20;
constexpr size_t kMostFailing = 8;
constexpr size_t kDigestShown = 12;

absl::TimeZone Zone(const std::string& name) {
  absl::TimeZone zone;
  return absl::LoadTimeZone(name, &zone) ? zone : absl::UTCTimeZone();
}

std::string Short(const std::string& digest) { return digest.empty() ? "(none)" : digest.substr(0, kDigestShown); }
std::string Told(const std::string& configuration) { return configuration.empty() ? "(not told)" : configuration; }

}  // namespace

SinceGo::SinceGo(std::string time_zone) : zone_(Zone(time_zone)) {}

std::string SinceGo::At(absl::Time time) const { return absl::FormatTime("%H:%M:%S", time, zone_); }

void SinceGo::Restore(absl::Time time, std::string plan_digest, std::string configuration) {
  was_go_ = true;
  go_time_ = time;
  plan_digest_ = last_plan_digest_ = std::move(plan_digest);
  configuration_ = last_configuration_ = std::move(configuration);
}

void SinceGo::Begin(const v1::Verdict& verdict, absl::Time time) {
  was_go_ = true;
  go_time_ = time;
  plan_digest_ = last_plan_digest_ = verdict.plan_digest();
  configuration_ = last_configuration_ = verdict.configuration();
  changes_.clear();
  failing_.clear();
}

void SinceGo::Observe(v1::Verdict* verdict) {
  const absl::Time now = runtime::FromTimestamp(verdict->time());
  if (VerdictNumber(verdict->state()) == 2) {
    Begin(*verdict, now);
    return;
  }
  if (verdict->plan_digest() != last_plan_digest_) {
    if (changes_.size() < kMostChanges) {
      changes_.push_back({now, absl::StrCat("the plan changed from ", Short(last_plan_digest_), " to ",
                                            Short(verdict->plan_digest()), " at ", At(now))});
    }
    last_plan_digest_ = verdict->plan_digest();
  }
  if (verdict->configuration() != last_configuration_ && !verdict->configuration().empty()) {
    if (changes_.size() < kMostChanges) {
      changes_.push_back({now, absl::StrCat("the target's configuration changed from ", Told(last_configuration_),
                                            " to ", Told(verdict->configuration()), " at ", At(now))});
    }
    last_configuration_ = verdict->configuration();
  }
  std::set<std::pair<std::string, std::string>> failing_now;
  for (const v1::InstanceStanding& instance : verdict->instances()) {
    // What only suffers from a root tells nothing new.
    if (instance.standing() != v1::STANDING_FAILED || !instance.root().empty()) continue;
    const auto key = std::make_pair(instance.check(), instance.customer());
    failing_now.insert(key);
    if (failing_.count(key) > 0) continue;
    const v1::Result& result = instance.result();
    const absl::Time since = result.has_end_time() ? runtime::FromTimestamp(result.end_time()) : now;
    std::string step;
    if (!result.operation().empty()) {
      step =
          absl::StrCat(" (", result.operation(),
                       result.steps() > 0 ? absl::StrCat(", step ", result.step(), " of ", result.steps()) : "", ")");
    }
    failing_[key] = {since, absl::StrCat(instance.check(), " fails for ", instance.customer(), " since ", At(since),
                                         step, ": ", internal::WordsOf(result))};
  }
  // What passes again is no reason any more.
  for (auto entry = failing_.begin(); entry != failing_.end();) {
    entry = failing_now.count(entry->first) > 0 ? std::next(entry) : failing_.erase(entry);
  }
  if (!was_go_) return;

  std::vector<Change> all;
  for (const auto& [key, change] : failing_) all.push_back(change);
  const auto earlier = [](const Change& a, const Change& b) {
    return a.time != b.time ? a.time < b.time : a.words < b.words;
  };
  std::sort(all.begin(), all.end(), earlier);
  const size_t hidden = all.size() > kMostFailing ? all.size() - kMostFailing : 0;
  all.resize(all.size() - hidden);
  // Of one moment the cause comes before what it did.
  std::vector<Change> told = changes_;
  for (const Change& change : all) {
    const auto after =
        std::find_if(told.begin(), told.end(), [&](const Change& one) { return one.time > change.time; });
    told.insert(after, change);
  }
  for (const Change& change : told) verdict->add_changed(change.words);
  if (hidden > 0) verdict->add_changed(absl::StrCat("and ", hidden, " more checks began to fail"));
}

}  // namespace puckdrop::readiness
