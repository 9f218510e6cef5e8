// Performs operations with so many in flight and prints, as one line of JSON, what they cost this process.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "checks/target/http/curl_http_client.h"
#include "tests/bench/one_operation.h"

namespace puckdrop::bench {
namespace {

double CpuSeconds() {
  double seconds = 0;
  for (int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    getrusage(who, &usage);
    seconds += static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
  }
  return seconds;
}

long ResidentKilobytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind("VmRSS:", 0) == 0) return std::stol(line.substr(6));
  }
  return 0;
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
  CLI::App app("Measures the engine's CPU per operation");
  std::string mode = "kept", ca;
  OperationSettings settings;
  int count = 10'000, in_flight = 64;
  bool free_port = false;
  app.add_flag("--free-port", free_port, "print a free port on loopback and exit");
  app.add_option("--url", settings.url, "what to fetch");
  app.add_option("--connections", mode, "kept or new")->check(CLI::IsMember({"kept", "new"}));
  app.add_option("--ca", ca, "CA bundle");
  app.add_option("--count", count)->check(CLI::Range(1, 10'000'000));
  app.add_option("--in-flight", in_flight)->check(CLI::Range(1, 10'000));
  CLI11_PARSE(app, argc, argv);
  if (free_port) {
    std::printf("%d\n", FreePort());
    return 0;
  }

  auto host = std::make_shared<http::HostSettings>();
  host->ca_file = ca;
  settings.host = host;
  settings.connection = mode == "new" ? http::Connection::kFreshAndClose : http::Connection::kShared;
  runtime::RealClock clock;
  runtime::EventLoop loop;
  http::CurlHttpClient client(loop, clock);
  OneOperation operation = MakeOneOperation(loop, clock, client, settings);

  Tally warm_up{.left = 4 * in_flight};
  loop.Spawn(RunAll(loop, operation, in_flight, warm_up)).Get();

  Tally tally{.left = count};
  double cpu_before = CpuSeconds();
  absl::Duration before = clock.Monotonic();
  loop.Spawn(RunAll(loop, operation, in_flight, tally)).Get();
  double seconds = absl::ToDoubleSeconds(clock.Monotonic() - before);
  double cpu = CpuSeconds() - cpu_before;
  absl::PrintF("{\"count\":%d,\"failed\":%d,\"seconds\":%.3f,\"cpu_microseconds\":%.2f,\"rss_kilobytes\":%d}\n", count,
               tally.failed, seconds, cpu * 1e6 / count, ResidentKilobytes());
  if (tally.failed > 0)
    absl::FPrintF(stderr, "engine_bench: %d failed, the first: %s\n", tally.failed, tally.first_failure);
  return tally.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace puckdrop::bench

int main(int argc, char** argv) { return puckdrop::bench::Main(argc, argv); }
