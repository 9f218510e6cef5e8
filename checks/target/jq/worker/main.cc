// The worker: reads batches of evaluations from a socket and answers them, until the socket ends.
// argv: the parent's process id, and how many bytes of address space there are. Descriptors: see wire.h.

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "checks/target/jq/wire.h"
#include "checks/target/jq/worker/engine.h"

namespace {

using puckdrop::jq::ProgramError;
using puckdrop::jq::worker::Engine;
namespace wire = puckdrop::jq::wire;

void Limit(int resource, rlim_t value) {
  const struct rlimit limit = {value, value};
  setrlimit(static_cast<__rlimit_resource>(resource), &limit);
}

void OnSignal(int) { Engine::OnTick(); }

// A timer that counts CPU time only: an idle worker wakes nobody, and a busy machine makes no program late.
bool StartTimer() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  if (sigaction(SIGALRM, &action, nullptr) != 0) return false;
  struct sigevent event = {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGALRM;
  timer_t timer = {};
  if (timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer) != 0) return false;
  const struct timespec period = {0, Engine::kTickMs * 1'000'000L};
  const struct itimerspec spec = {period, period};
  return timer_settime(timer, 0, &spec, nullptr) == 0;
}

bool WriteAll(std::string_view data) {
  while (!data.empty()) {
    const ssize_t wrote = write(wire::kSocketFd, data.data(), data.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    data.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

// Appends until `buffer` holds `size` bytes.
bool ReadUntil(std::size_t size, std::string* buffer) {
  while (buffer->size() < size) {
    char chunk[64 << 10];
    const std::size_t have = buffer->size();
    const ssize_t got = read(wire::kSocketFd, chunk, std::min(sizeof chunk, size - have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    buffer->append(chunk, static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  // Neither an orphan, nor killed by a Ctrl-C that its parent still has to tidy up after.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != static_cast<pid_t>(std::strtol(argv[1], nullptr, 10))) return 0;
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  for (int ignored : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) signal(ignored, SIG_IGN);
  Limit(RLIMIT_AS, std::strtoull(argv[2], nullptr, 10));
  Limit(RLIMIT_CORE, 0);
  Limit(RLIMIT_NOFILE, 16);
  Limit(RLIMIT_FSIZE, 0);

  void* page = mmap(nullptr, sizeof(wire::Marker), PROT_READ | PROT_WRITE, MAP_SHARED, wire::kMarkerFd, 0);
  if (page == MAP_FAILED) return 70;
  close(wire::kMarkerFd);
  auto* marker = static_cast<wire::Marker*>(page);
  if (!StartTimer()) return 70;

  Engine engine(marker);
  std::string buffer;
  while (true) {
    buffer.clear();
    if (!ReadUntil(wire::kHeaderBytes, &buffer)) return 0;
    wire::Type type{};
    std::size_t size = 0;
    if (!wire::PeekHeader(buffer, &type, &size)) return 70;
    buffer.reserve(size);
    if (!ReadUntil(size, &buffer)) return 0;
    const std::string_view payload = std::string_view(buffer).substr(wire::kHeaderBytes);
    std::string answer;
    if (type == wire::Type::kLoad) {
      wire::Load load;
      if (!wire::DecodeLoad(payload, &load)) return 70;
      answer = wire::EncodeLoaded(engine.Load(std::move(load)));
    } else if (type == wire::Type::kEvaluate) {
      std::vector<wire::Request> requests;
      if (!wire::DecodeEvaluate(payload, &requests)) return 70;
      answer = engine.Evaluate(requests);
    } else {
      return 70;
    }
    if (!WriteAll(answer)) return 0;
    if (buffer.capacity() > (1U << 20)) buffer.shrink_to_fit();
  }
}
