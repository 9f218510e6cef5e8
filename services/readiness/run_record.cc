#include "services/readiness/run_record.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "services/runtime/status_convert.h"

namespace puckdrop::readiness {

absl::StatusOr<std::pair<size_t, size_t>> PageOf(int size, int default_size, int most, const std::string& token,
                                                 size_t count) {
  uint64_t begin = 0;
  if (size < 0 || (!token.empty() && !absl::SimpleAtoi(token, &begin))) {
    return runtime::WithReason(
        absl::InvalidArgumentError("page_size must not be negative, and page_token must come from the last answer"),
        "BAD_PAGE");
  }
  const size_t wanted = static_cast<size_t>(size == 0 ? default_size : std::min(size, most));
  const size_t first = std::min<size_t>(begin, count);
  return std::make_pair(first, std::min(count, first + wanted));
}

std::string NewRunId(absl::Time now) {
  std::random_device device;
  return absl::StrCat(absl::FormatTime("%Y%m%d-%H%M%S", now, absl::UTCTimeZone()), "-",
                      absl::StrFormat("%06x", device() & 0xffffff));
}

void RunBook::Add(RunPtr run) {
  const v1::Run::Kind kind = run->run.kind();
  runs_.push_back(std::move(run));
  size_t of_kind = static_cast<size_t>(
      std::count_if(runs_.begin(), runs_.end(), [kind](const RunPtr& one) { return one->run.kind() == kind; }));
  for (auto old = runs_.begin(); of_kind > kept_ && old != runs_.end();) {
    const bool goes = (*old)->ended && (*old)->run.kind() == kind;
    if (goes) --of_kind;
    old = goes ? runs_.erase(old) : old + 1;
  }
}

absl::StatusOr<RunPtr> RunBook::Find(const std::string& name) const {
  const std::string id(absl::StripPrefix(name, "runs/"));
  for (const RunPtr& run : runs_) {
    if (run->id == id) return run;
  }
  return runtime::WithReason(absl::NotFoundError(absl::StrCat("there is no run '", name, "' (old ones are forgotten)")),
                             "UNKNOWN_RUN", {{"run", name}});
}

absl::StatusOr<v1::ListRunsResponse> RunBook::List(const v1::ListRunsRequest& request) const {
  auto page = PageOf(request.page_size(), 50, 500, request.page_token(), runs_.size());
  if (!page.ok()) return page.status();
  v1::ListRunsResponse response;
  for (size_t i = page->first; i < page->second; ++i) *response.add_runs() = runs_[runs_.size() - 1 - i]->run;
  if (page->second < runs_.size()) response.set_next_page_token(absl::StrCat(page->second));
  return response;
}

void RunBook::Emit(const RunPtr& run, v1::WatchRunEvent event) {
  const bool progress = event.has_run() && !run->ended;
  // Progress is only of use when it is fresh. Of a run that keeps no events, the first and the last stay.
  if (progress && run->events.size() > 1 && run->events.back()->has_run()) {
    run->events.back() = std::make_shared<const v1::WatchRunEvent>(std::move(event));
  } else if (run->keeps_events || event.has_run()) {
    run->events.push_back(std::make_shared<const v1::WatchRunEvent>(std::move(event)));
  }
  run->more.NotifyAll();
}

awaitable<absl::Status> RunBook::Watch(RunPtr run, OnRunEvent on_event) {
  size_t next = 0;
  std::shared_ptr<const v1::WatchRunEvent> handed;
  while (true) {
    // The last one may have been replaced by newer progress since it was handed over.
    if (next > 0 && next == run->events.size() && run->events[next - 1] != handed) --next;
    if (next < run->events.size()) {
      handed = run->events[next++];
      absl::Status taken = co_await on_event(*handed);
      if (!taken.ok()) co_return taken;
      continue;
    }
    if (run->ended) co_return absl::OkStatus();
    absl::Status waited = co_await run->more.Wait();
    if (!waited.ok()) co_return waited;
  }
}

}  // namespace puckdrop::readiness
