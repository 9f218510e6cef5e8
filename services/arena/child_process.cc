#include "services/arena/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace puckdrop::arena {
namespace {

constexpr int kNotInstalled = 127;

// Returns the child's id or -1. `output` is its standard output, or -1 for none.
pid_t Spawn(const std::vector<std::string>& argv, const std::string& log, int output) {
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const int input = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int errors = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    // Between fork and exec only async-signal-safe calls: other threads' locks are frozen here.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    ::setpgid(0, 0);  // the terminal's Ctrl-C is ours to handle
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::dup2(input, 0);
    ::dup2(output >= 0 ? output : input, 1);
    ::dup2(errors >= 0 ? errors : input, 2);
    ::execvp(arguments[0], arguments.data());
    ::_exit(kNotInstalled);
  }
  ::close(input);
  if (errors >= 0) ::close(errors);
  return child;
}

std::string Tail(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  file.seekg(0, std::ios::end);
  const std::streamoff size = file.tellg();
  file.seekg(std::max<std::streamoff>(0, size - 600));
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return text;
}

}  // namespace

absl::Status RunToEnd(const std::vector<std::string>& argv, const std::string& log, absl::Duration deadline,
                      const std::function<void(const std::string&)>& line) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return absl::InternalError(absl::StrCat("no pipe: ", std::strerror(errno)));
  const absl::Time until = absl::Now() + deadline;
  const pid_t child = Spawn(argv, log, pipe[1]);
  ::close(pipe[1]);
  if (child < 0) {
    ::close(pipe[0]);
    return absl::InternalError(absl::StrCat("cannot start ", argv[0], ": ", std::strerror(errno)));
  }
  bool late = false;
  std::string pending;
  for (;;) {
    const int64_t left = absl::ToInt64Milliseconds(until - absl::Now());
    if (left <= 0) {
      late = true;
      break;
    }
    pollfd fd{pipe[0], POLLIN, 0};
    const int ready = ::poll(&fd, 1, static_cast<int>(std::min<int64_t>(left, 1000)));
    if (ready < 0 && errno != EINTR) break;
    if (ready <= 0) continue;
    char buffer[4096];
    const ssize_t got = ::read(pipe[0], buffer, sizeof(buffer));
    if (got <= 0) break;
    pending.append(buffer, static_cast<size_t>(got));
    for (size_t end; (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1)) {
      if (line) line(pending.substr(0, end));
    }
  }
  ::close(pipe[0]);
  if (late) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (late)
    return absl::DeadlineExceededError(
        absl::StrCat(argv[0], " was still running after ", absl::FormatDuration(deadline)));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotInstalled) {
    return absl::NotFoundError(
        absl::StrCat(argv[0], " is not installed (apt install ", argv[0] == "ffprobe" ? "ffmpeg" : argv[0], ")"));
  }
  return absl::InternalError(absl::StrCat(argv[0], " failed: ", Tail(log)));
}

Supervisor::Supervisor(std::string name, std::function<std::vector<std::string>(int)> command, std::string log)
    : name_(std::move(name)), command_(std::move(command)), log_(std::move(log)), thread_([this] { Run(); }) {}

Supervisor::~Supervisor() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

pid_t Supervisor::pid() const {
  const std::lock_guard lock(mutex_);
  return pid_;
}

int Supervisor::starts() const {
  const std::lock_guard lock(mutex_);
  return starts_;
}

void Supervisor::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    pid_ = Spawn(command_(starts_++), log_, -1);
    while (pid_ > 0) {
      int status = 0;
      const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
      if (ended == pid_) {
        spdlog::warn("{} ended with status {}: {}", name_, status, Tail(log_));
        pid_ = -1;
        break;
      }
      if (wake_.wait_for(lock, std::chrono::milliseconds(200), [this] { return stopping_; })) {
        // Its files are thrown away, so there is nothing for it to finish.
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, &status, 0);
        pid_ = -1;
        return;
      }
    }
    wake_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; });
  }
}

}  // namespace puckdrop::arena
