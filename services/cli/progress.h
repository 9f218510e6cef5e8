// What a person sees while a gate runs: one line that changes on a terminal, a plain line now and then elsewhere.
#ifndef PUCKDROP_SERVICES_CLI_PROGRESS_H_
#define PUCKDROP_SERVICES_CLI_PROGRESS_H_

#include <string>

#include "absl/time/time.h"
#include "puckdrop/v1/readiness_service.pb.h"
#include "puckdrop/v1/result.pb.h"

namespace puckdrop::cli {

// Writes to stderr. Not thread-safe: the event loop's thread.
class Progress {
 public:
  // `terminal`: stderr is one that can rewrite a line. `quiet`: nothing at all.
  Progress(bool terminal, bool quiet, absl::Time start);
  ~Progress() { End(); }

  void OnRun(const v1::Run& run, absl::Time now);
  void OnResult(const v1::Result& result, absl::Time now);
  // Takes the line away.
  void End();

 private:
  void Show(absl::Time now, bool at_once);

  const bool terminal_;
  const bool quiet_;
  const absl::Time start_;
  absl::Time shown_ = absl::InfinitePast();
  int done_ = 0;
  int expected_ = 0;
  int failed_ = 0;
  std::string doing_;
  bool line_open_ = false;
};

// The line for these numbers, at most `width` characters: `12/145 judged, 1 failed, 0:23 · sofa: billing.charged_once`.
std::string ProgressLine(int done, int expected, int failed, absl::Duration elapsed, const std::string& doing,
                         size_t width);

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_PROGRESS_H_
