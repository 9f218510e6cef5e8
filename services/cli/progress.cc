#include "services/cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/runtime/logging.h"

namespace puckdrop::cli {
namespace {

constexpr absl::Duration kRewriteEvery = absl::Milliseconds(200);
constexpr absl::Duration kPlainEvery = absl::Seconds(15);

size_t TerminalWidth() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20) return size.ws_col;
  return 80;
}

}  // namespace

std::string ProgressLine(int done, int expected, int failed, absl::Duration elapsed, const std::string& doing,
                         size_t width) {
  const int64_t seconds = absl::ToInt64Seconds(elapsed);
  std::string line =
      absl::StrCat(done, "/", expected, " judged", failed > 0 ? absl::StrCat(", ", failed, " failed") : "", ", ",
                   seconds / 60, ":", absl::StrFormat("%02d", seconds % 60));
  if (!doing.empty()) absl::StrAppend(&line, " | ", runtime::Printable(doing, 200));
  // ASCII only, so bytes are columns; a cut character of another script would show as rubbish.
  if (line.size() > width) {
    line.resize(width);
    while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xc0) == 0x80) line.pop_back();
    if (!line.empty() && (static_cast<unsigned char>(line.back()) & 0x80) != 0) line.pop_back();
  }
  return line;
}

Progress::Progress(bool terminal, bool quiet, absl::Time start) : terminal_(terminal), quiet_(quiet), start_(start) {}

void Progress::OnRun(const v1::Run& run, absl::Time now) {
  done_ = run.done();
  expected_ = run.expected();
  if (!run.progress().empty()) doing_ = run.progress();
  Show(now, false);
}

void Progress::OnResult(const v1::Result& result, absl::Time now) {
  if (result.outcome() == v1::OUTCOME_FAILED && !result.supporting()) ++failed_;
  Show(now, result.outcome() == v1::OUTCOME_FAILED);
}

void Progress::Show(absl::Time now, bool at_once) {
  if (quiet_) return;
  if (terminal_) {
    if (!at_once && now - shown_ < kRewriteEvery) return;
    std::fprintf(stderr, "\r\x1b[K%s",
                 ProgressLine(done_, expected_, failed_, now - start_, doing_, TerminalWidth() - 1).c_str());
    std::fflush(stderr);
    line_open_ = true;
  } else {
    if (now - std::max(shown_, start_) < kPlainEvery) return;
    std::fprintf(stderr, "%s\n", ProgressLine(done_, expected_, failed_, now - start_, doing_, 160).c_str());
  }
  shown_ = now;
}

void Progress::End() {
  if (!line_open_) return;
  std::fprintf(stderr, "\r\x1b[K");
  std::fflush(stderr);
  line_open_ = false;
}

}  // namespace puckdrop::cli
