#include "services/readiness/waivers.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "checks/plan/settings.h"
#include "checks/target/http/host_rules.h"
#include "services/runtime/logging.h"
#include "services/runtime/status_convert.h"

namespace puckdrop::readiness {
namespace {

constexpr absl::Duration kNoticeTimeout = absl::Seconds(10);
constexpr size_t kShortestWords = 12;
constexpr size_t kLongestText = 2000;

// Of UTF-8: every byte that does not continue one.
size_t Characters(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool OfPlan(const v1::Plan& plan, const std::string& url) {
  absl::StatusOr<http::UrlParts> wanted = http::ParseUrl(url);
  if (!wanted.ok()) return false;
  for (const v1::Plan::Host& host : plan.target().hosts()) {
    absl::StatusOr<http::UrlParts> base = http::ParseUrl(host.url());
    if (base.ok() && base->scheme == wanted->scheme && base->host == wanted->host && base->port == wanted->port) {
      return true;
    }
  }
  // What the plan itself announces at is read already.
  for (const v1::Waiver& waiver : plan.waivers()) {
    absl::StatusOr<http::UrlParts> base = http::ParseUrl(waiver.notice_url());
    if (base.ok() && base->scheme == wanted->scheme && base->host == wanted->host && base->port == wanted->port) {
      return true;
    }
  }
  return false;
}

}  // namespace

Waivers::Waivers(runtime::EventLoop& loop, const runtime::Clock& clock, NoticeReader& notices)
    : loop_(loop), clock_(clock), notices_(notices) {}

void Waivers::SetPlan(const Subject& subject) {
  of_plan_ = {subject.plan.waivers().begin(), subject.plan.waivers().end()};
  time_zone_ = subject.plan.launch().time_zone();
  Rebuild();
}

void Waivers::SetRuntime(const std::vector<RuntimeWaiver>& waivers) {
  at_run_time_ = waivers;
  Rebuild();
}

void Waivers::Rebuild() {
  const std::vector<WaiverInput> before = std::exchange(inputs_, {});
  for (size_t i = 0; i < of_plan_.size(); ++i) {
    inputs_.push_back(InputOf(of_plan_[i], time_zone_, static_cast<int>(i)));
  }
  for (const RuntimeWaiver& waiver : at_run_time_) {
    inputs_.push_back(InputOf(waiver.waiver, time_zone_, kFirstRuntimeWaiver + static_cast<int>(waiver.number)));
  }
  // What nobody asks for any more is forgotten.
  std::erase_if(seen_, [&](const auto& entry) {
    return std::none_of(inputs_.begin(), inputs_.end(), [&](const WaiverInput& input) {
      return input.notice_url == entry.first.first && input.notice_says == entry.first.second;
    });
  });
  for (WaiverInput& input : inputs_) {
    for (const WaiverInput& known : before) {
      if (known.notice_url != input.notice_url || known.notice_says != input.notice_says) continue;
      input.notice = known.notice;
      input.notice_seen = known.notice_seen;
      input.notice_error = known.notice_error;
    }
  }
}

awaitable<void> Waivers::LookAtNotices() {
  // What was seen is written down by what the notice is, because the list may be another one by then.
  struct Seen {
    std::string url;
    std::string says;
    absl::StatusOr<std::string> text = absl::UnavailableError("");
  };
  std::vector<Seen> seen;
  for (const WaiverInput& waiver : inputs_) {
    if (clock_.Now() < waiver.expires) seen.push_back({waiver.notice_url, waiver.notice_says});
  }
  if (seen.empty()) co_return;
  std::vector<awaitable<void>> looks;
  for (Seen& one : seen) {
    auto look = [](Waivers* self, Seen* at) -> awaitable<void> {
      const absl::Time deadline = self->clock_.Now() + kNoticeTimeout;
      at->text = co_await self->notices_.Read(at->url, deadline);
    };
    looks.push_back(look(this, &one));
  }
  co_await loop_.All(std::move(looks));
  for (const Seen& one : seen) {
    for (WaiverInput& waiver : inputs_) {
      if (waiver.notice_url != one.url || waiver.notice_says != one.says) continue;
      if (!one.text.ok()) {
        waiver.notice = WaiverInput::Notice::kUnreachable;
        waiver.notice_error = std::string(one.text.status().message());
      } else if (Says(*one.text, waiver.notice_says)) {
        waiver.notice = WaiverInput::Notice::kSaid;
        waiver.notice_seen = clock_.Now();
        seen_[{one.url, one.says}] = clock_.Monotonic();
      } else {
        waiver.notice = WaiverInput::Notice::kDidNotSay;
      }
    }
  }
}

std::vector<WaiverInput> Waivers::Inputs() const {
  std::vector<WaiverInput> inputs = inputs_;
  for (WaiverInput& input : inputs) {
    const auto seen = seen_.find({input.notice_url, input.notice_says});
    if (seen != seen_.end()) input.notice_seen = clock_.Now() - (clock_.Monotonic() - seen->second);
  }
  return inputs;
}

v1::ListWaiversResponse Waivers::List() const {
  v1::ListWaiversResponse response;
  for (const WaiverInput& input : Inputs()) {
    *response.add_waivers() = StateOfWaiver(input, input.number, clock_.Now());
  }
  for (const v1::Waiver& waiver : of_plan_) *response.add_definitions() = waiver;
  for (const RuntimeWaiver& waiver : at_run_time_) *response.add_definitions() = waiver.waiver;
  return response;
}

absl::StatusOr<v1::WaiverState> Waivers::Find(int number) const {
  for (const WaiverInput& input : Inputs()) {
    if (input.number == number) return StateOfWaiver(input, number, clock_.Now());
  }
  return runtime::WithReason(
      absl::NotFoundError(absl::StrCat("there is no waiver ", number, "; ListWaivers has them all")), "UNKNOWN_WAIVER",
      {{"waiver", absl::StrCat(number)}});
}

absl::Status Waivers::Validate(const Subject& subject, const v1::Waiver& waiver, absl::Time now) {
  std::vector<std::string> mistakes;
  if (waiver.check().empty() ||
      std::none_of(subject.catalogue.begin(), subject.catalogue.end(),
                   [&](const v1::CheckDescription& check) { return MatchesPattern(waiver.check(), check.check()); })) {
    mistakes.push_back(absl::StrCat("`check` names none (\"", runtime::Printable(waiver.check(), 80),
                                    "\"); `puckdrop checks` lists them"));
  }
  if (!waiver.customer().empty() && plan::FindCustomer(subject.plan, waiver.customer()) == nullptr) {
    mistakes.push_back(absl::StrCat("the plan has no `customer` \"", runtime::Printable(waiver.customer(), 80), "\""));
  }
  if (waiver.owner().empty()) mistakes.emplace_back("`owner` is missing: say who accepts the failure");
  if (waiver.reason().empty()) mistakes.emplace_back("`reason` is missing");
  const absl::Time end = EndOfDay(waiver.expires(), subject.plan.launch().time_zone());
  if (end == absl::InfinitePast()) {
    mistakes.emplace_back("`expires` must be a date, as 2026-12-31");
  } else if (end <= now) {
    mistakes.push_back(absl::StrCat("`expires` is past: ", waiver.expires()));
  }
  if (!OfPlan(subject.plan, waiver.notice_url())) {
    mistakes.push_back(
        absl::StrCat("`notice_url` must be on one of the plan's hosts, because nothing else is fetched; \"",
                     runtime::Printable(waiver.notice_url(), 200), "\" is not"));
  }
  if (Characters(waiver.notice_says()) < kShortestWords) {
    mistakes.push_back(absl::StrCat("`notice_says` needs ", kShortestWords,
                                    " characters or more: quote words of the notice that say what will not work"));
  }
  for (const std::string* text : {&waiver.owner(), &waiver.reason(), &waiver.notice_says(), &waiver.notice_url()}) {
    if (text->size() > kLongestText) {
      mistakes.push_back(absl::StrCat("a text of more than ", kLongestText, " bytes"));
      break;
    }
  }
  if (waiver.findings_size() > 100) mistakes.emplace_back("more than 100 `findings`");
  if (mistakes.empty()) return absl::OkStatus();
  return runtime::WithReason(absl::InvalidArgumentError(absl::StrJoin(mistakes, "\n")), "BAD_WAIVER");
}

std::vector<std::string> Waivers::FindingsNow(const v1::Waiver& waiver, const std::vector<const v1::Result*>& results) {
  std::set<std::string> findings;
  for (const v1::Result* result : results) {
    if (result->outcome() != v1::OUTCOME_FAILED || !MatchesPattern(waiver.check(), result->check())) continue;
    if (!waiver.customer().empty() && waiver.customer() != result->customer()) continue;
    for (const v1::Finding& finding : result->findings()) findings.insert(finding.id());
  }
  return {findings.begin(), findings.end()};
}

}  // namespace puckdrop::readiness
