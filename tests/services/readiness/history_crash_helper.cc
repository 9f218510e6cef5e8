// A process that appends until it is killed: history_crash_helper DIRECTORY PREFIX. Prints the name of every result and
// piece of evidence that was acknowledged, a line each, from several threads at once.
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/readiness/evidence_folder.h"
#include "services/readiness/history.h"
#include "services/runtime/proto_time.h"

namespace puckdrop::readiness {
namespace {

void Say(const std::string& name) {
  const std::string line = name + "\n";
  if (write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(2);
}

void Work(History& history, const runtime::Clock& clock, const std::string& prefix, int thread) {
  for (int i = 0;; ++i) {
    std::vector<v1::Result> results;
    for (int n = 0; n < 3; ++n) {
      v1::Result& result = results.emplace_back();
      result.set_name(absl::StrCat("runs/", prefix, "-", thread, "-", i, "/results/a.a", n, ":sofa"));
      result.set_check(absl::StrCat("a.a", n));
      result.set_customer("sofa");
      result.set_outcome(i % 2 == 0 ? v1::OUTCOME_PASSED : v1::OUTCOME_FAILED);
      result.set_summary(std::string(300, 'x'));
      *result.mutable_end_time() = runtime::ToTimestamp(clock.Now());
    }
    if (!history.Append(results).ok()) _exit(3);
    for (const v1::Result& result : results) Say(result.name());
    if (i % 4 != 0) continue;
    v1::Evidence evidence;
    evidence.set_content(absl::StrCat(prefix, " ", thread, " ", i));
    evidence.set_name(absl::StrCat("evidence/", absl::BytesToHexString(EvidenceFolder::DigestOf(evidence.content()))));
    if (!history.PutEvidence(evidence).ok()) _exit(4);
    Say(evidence.name());
  }
}

}  // namespace
}  // namespace puckdrop::readiness

int main(int argc, char** argv) {
  using namespace puckdrop;
  if (argc != 3) return 64;
  alarm(60);
  runtime::RealClock clock;
  readiness::HistoryOptions options;
  options.directory = argv[1];
  options.launch = "liiga";
  auto history = readiness::History::Open(options, clock);
  if (!history.ok()) return 1;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] { readiness::Work(**history, clock, argv[2], i); });
  }
  for (std::thread& thread : threads) thread.join();
}
