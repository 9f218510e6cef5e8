#include "checks/target/jq/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace puckdrop::jq {
namespace {

std::string DefaultWorkerPath() {
  std::array<char, 4096> path{};
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (size <= 0) return "puckdrop-jq-worker";
  const std::string self(path.data(), static_cast<std::size_t>(size));
  return self.substr(0, self.rfind('/') + 1) + "puckdrop-jq-worker";
}

std::string ErrnoText(int error) { return std::strerror(error); }

// posix_spawn's two objects, freed on every way out.
struct SpawnSetup {
  SpawnSetup() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

struct Fd {
  explicit Fd(int f) : fd(f) {}
  ~Fd() {
    if (fd >= 0) close(fd);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int fd;
};

}  // namespace

absl::StatusOr<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(const std::string& path, std::size_t memory_bytes) {
  const std::string program = path.empty() ? DefaultWorkerPath() : path;
  const auto unavailable = [&](const char* what, int error) {
    return absl::UnavailableError(
        absl::StrCat("the expression worker ", program, " cannot be started: ", what, ErrnoText(error)));
  };
  if (access(program.c_str(), X_OK) != 0) return unavailable("", errno);
  std::unique_ptr<WorkerProcess> worker(new WorkerProcess());

  const Fd marker(memfd_create("puckdrop-jq-marker", MFD_CLOEXEC));
  if (marker.fd < 0 || ftruncate(marker.fd, sizeof(wire::Marker)) != 0) return unavailable("shared memory: ", errno);
  void* page = mmap(nullptr, sizeof(wire::Marker), PROT_READ | PROT_WRITE, MAP_SHARED, marker.fd, 0);
  if (page == MAP_FAILED) return unavailable("shared memory: ", errno);
  worker->marker_ = static_cast<wire::Marker*>(page);
  worker->marker_->position = wire::kIdle;

  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) return unavailable("socket: ", errno);
  worker->socket_ = sockets[0];
  const Fd theirs(sockets[1]);
  const int buffer = 1 << 20;
  for (int fd : sockets) {
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  }

  SpawnSetup setup;
  // The sources may have the numbers that are targets: move both out of the way first.
  const Fd high_socket(fcntl(theirs.fd, F_DUPFD_CLOEXEC, 10));
  const Fd high_marker(fcntl(marker.fd, F_DUPFD_CLOEXEC, 10));
  if (high_socket.fd < 0 || high_marker.fd < 0) return unavailable("descriptors: ", errno);
  posix_spawn_file_actions_addopen(&setup.actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&setup.actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&setup.actions, 2, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&setup.actions, high_socket.fd, wire::kSocketFd);
  posix_spawn_file_actions_adddup2(&setup.actions, high_marker.fd, wire::kMarkerFd);
  posix_spawn_file_actions_addclosefrom_np(&setup.actions, wire::kMarkerFd + 1);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&setup.attributes, &none);
  posix_spawnattr_setsigdefault(&setup.attributes, &all);
  posix_spawnattr_setpgroup(&setup.attributes, 0);
  posix_spawnattr_setflags(&setup.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  std::string name = "puckdrop-jq-worker";
  std::string parent = absl::StrCat(getpid());
  std::string memory = absl::StrCat(memory_bytes);
  char* const argv[] = {name.data(), parent.data(), memory.data(), nullptr};
  char* const envp[] = {nullptr};
  const int error = posix_spawn(&worker->pid_, program.c_str(), &setup.actions, &setup.attributes, argv, envp);
  if (error != 0) {
    worker->pid_ = -1;
    return unavailable("", error);
  }
  return worker;
}

WorkerProcess::~WorkerProcess() {
  if (socket_ >= 0) close(socket_);
  if (pid_ > 0 && !status_) {
    kill(pid_, SIGKILL);
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  if (marker_ != nullptr) munmap(marker_, sizeof(wire::Marker));
}

int WorkerProcess::ReleaseSocket() {
  const int fd = socket_;
  socket_ = -1;
  return fd;
}

void WorkerProcess::Kill() {
  if (!status_) kill(pid_, SIGKILL);
}

std::optional<int> WorkerProcess::Reap() {
  if (status_) return status_;
  int status = 0;
  const pid_t done = waitpid(pid_, &status, WNOHANG);
  if (done == pid_) {
    status_ = status;
  } else if (done < 0 && errno != EINTR) {
    status_ = 0;  // somebody else has waited for it
  }
  return status_;
}

std::optional<std::chrono::nanoseconds> WorkerProcess::CpuTime() const {
  clockid_t clock = 0;
  struct timespec time = {};
  if (status_ || clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &time) != 0) return std::nullopt;
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::uint64_t WorkerProcess::steps() const { return marker_->steps.load(std::memory_order_acquire); }

std::uint32_t WorkerProcess::current_request() const {
  return static_cast<std::uint32_t>(marker_->position.load(std::memory_order_acquire) >> 32);
}

std::uint32_t WorkerProcess::current_outcome() const {
  return static_cast<std::uint32_t>(marker_->position.load(std::memory_order_acquire));
}

std::string DescribeWaitStatus(int status) {
  if (WIFSIGNALED(status))
    return absl::StrCat("killed by signal ", WTERMSIG(status), " (", strsignal(WTERMSIG(status)), ")");
  return absl::StrCat("ended with code ", WEXITSTATUS(status));
}

}  // namespace puckdrop::jq
