// Performs operations with so many in flight and prints, as one line of JSON, what they cost: CPU and memory of this
// process and of the expression workers that it starts.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/bench/operations.h"

namespace puckdrop::bench {
namespace {

std::vector<pid_t> Children() {
  std::vector<pid_t> pids;
  // Listed by the thread that started them.
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream children(thread.path() / "children");
    for (pid_t pid = 0; children >> pid;) pids.push_back(pid);
  }
  return pids;
}

double CpuSeconds(pid_t pid) {
  clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;
  timespec time{};
  if (pid != getpid() && clock_getcpuclockid(pid, &clock) != 0) return 0;
  if (clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

long ResidentKilobytes(pid_t pid) {
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind("VmRSS:", 0) == 0) return std::stol(line.substr(6));
  }
  return 0;
}

// Of the process itself and of its children together.
struct Usage {
  double own_cpu = 0, children_cpu = 0;
  long own_kilobytes = 0, children_kilobytes = 0;
};

Usage Used() {
  Usage used;
  used.own_cpu = CpuSeconds(getpid());
  used.own_kilobytes = ResidentKilobytes(getpid());
  for (pid_t pid : Children()) {
    used.children_cpu += CpuSeconds(pid);
    used.children_kilobytes += ResidentKilobytes(pid);
  }
  return used;
}

int FreePort() {
  int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(probe, reinterpret_cast<sockaddr*>(&address), size) != 0) return 0;
  getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
  close(probe);
  return ntohs(address.sin_port);
}

struct Tally {
  int left = 0;
  int failed = 0;
  std::string first_failure;
};

awaitable<void> Worker(const OneOperation& operation, Tally& tally) {
  while (tally.left > 0) {
    --tally.left;
    absl::Status done = co_await operation();
    if (!done.ok()) {
      ++tally.failed;
      if (tally.first_failure.empty()) tally.first_failure = std::string(done.message());
    }
  }
}

awaitable<void> RunAll(runtime::EventLoop& loop, const OneOperation& operation, int in_flight, Tally& tally) {
  std::vector<awaitable<void>> workers;
  for (int i = 0; i < in_flight; ++i) workers.push_back(Worker(operation, tally));
  co_await loop.All(std::move(workers));
}

int Main(int argc, char** argv) {
  CLI::App app("Measures what the engine's operations cost");
  std::string url, plan;
  int count = 10'000, in_flight = 64;
  bool free_port = false;
  app.add_flag("--free-port", free_port, "print a free port on loopback and exit");
  app.add_option("--fetch", url, "only fetch this address");
  app.add_option("--plan", plan, "run checks of this plan");
  app.add_option("--count", count)->check(CLI::Range(1, 10'000'000));
  app.add_option("--in-flight", in_flight)->check(CLI::Range(1, 10'000));
  CLI11_PARSE(app, argc, argv);
  if (free_port) {
    std::printf("%d\n", FreePort());
    return 0;
  }
  if (url.empty() == plan.empty()) {
    absl::FPrintF(stderr, "engine_bench: give either --fetch or --plan\n");
    return 64;
  }

  runtime::RealClock clock;
  runtime::EventLoop loop;
  std::unique_ptr<Checks> checks;
  OneOperation operation;
  int warm_up_count = 4 * in_flight;
  if (plan.empty()) {
    operation = MakeFetch(loop, clock, url);
  } else {
    absl::StatusOr<std::unique_ptr<Checks>> made = Checks::Make(loop, clock, plan);
    if (!made.ok()) {
      absl::FPrintF(stderr, "engine_bench: %s\n", made.status().message());
      return 1;
    }
    checks = *std::move(made);
    operation = checks->Operation();
    warm_up_count = std::max(warm_up_count, checks->instances());
  }

  Tally warm_up{.left = warm_up_count};
  loop.Spawn(RunAll(loop, operation, in_flight, warm_up)).Get();

  Tally tally{.left = count};
  const Usage before = Used();
  const absl::Duration start = clock.Monotonic();
  loop.Spawn(RunAll(loop, operation, in_flight, tally)).Get();
  const double seconds = absl::ToDoubleSeconds(clock.Monotonic() - start);
  const Usage after = Used();
  const double own = after.own_cpu - before.own_cpu, children = after.children_cpu - before.children_cpu;
  absl::PrintF(
      "{\"count\":%d,\"failed\":%d,\"instances\":%d,\"seconds\":%.3f,\"cpu_microseconds\":%.2f,\"own_microseconds\":%."
      "2f,"
      "\"worker_microseconds\":%.2f,\"rss_kilobytes\":%d,\"worker_rss_kilobytes\":%d,\"warm_up\":%d}\n",
      count, tally.failed + warm_up.failed, checks ? checks->instances() : 0, seconds, (own + children) * 1e6 / count,
      own * 1e6 / count, children * 1e6 / count, after.own_kilobytes + after.children_kilobytes,
      after.children_kilobytes, warm_up_count);
  for (const Tally* one : {&warm_up, &tally}) {
    if (one->failed == 0) continue;
    absl::FPrintF(stderr, "engine_bench: %d failed, the first: %s\n", one->failed, one->first_failure);
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace puckdrop::bench

int main(int argc, char** argv) { return puckdrop::bench::Main(argc, argv); }
