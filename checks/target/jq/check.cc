#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "checks/target/jq/process.h"
#include "checks/target/jq/program.h"
#include "checks/target/jq/scan.h"
#include "checks/target/jq/wire.h"

namespace puckdrop::jq {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMemoryBytes = 512 << 20;
constexpr std::size_t kMaxAnswer = 16 << 20;

bool WaitFor(int fd, short events, Clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    struct pollfd poll_fd = {fd, events, 0};
    const int ready = poll(&poll_fd, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

enum class End { kAnswered, kDied, kTooSlow, kDeadline };

// How long one worker may take. Its own CPU time tells a program that hangs from a machine that is busy.
struct Limits {
  std::chrono::milliseconds cpu;
  Clock::time_point deadline;
};

// Waits for the socket; anything but kAnswered when a limit is reached first.
End Await(const WorkerProcess& worker, short events, const Limits& limits) {
  constexpr std::chrono::milliseconds kLook{50};
  while (true) {
    if (WaitFor(worker.socket(), events, std::min(Clock::now() + kLook, limits.deadline))) return End::kAnswered;
    if (Clock::now() >= limits.deadline) return End::kDeadline;
    if (worker.CpuTime().value_or(std::chrono::nanoseconds(0)) > limits.cpu) return End::kTooSlow;
  }
}

// One message there and one back.
End Exchange(const WorkerProcess& worker, std::string_view out, const Limits& limits, std::string* answer) {
  const int fd = worker.socket();
  while (!out.empty()) {
    if (const End end = Await(worker, POLLOUT, limits); end != End::kAnswered) return end;
    const ssize_t sent = send(fd, out.data(), out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EINTR && errno != EAGAIN) return End::kDied;
    if (sent > 0) out.remove_prefix(static_cast<std::size_t>(sent));
  }
  std::size_t size = 0;
  while (size == 0 || answer->size() < size) {
    if (const End end = Await(worker, POLLIN, limits); end != End::kAnswered) return end;
    char chunk[16384];
    const ssize_t got = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return End::kDied;
    answer->append(chunk, static_cast<std::size_t>(got));
    wire::Type type{};
    if (!wire::PeekHeader(*answer, &type, &size) || size > kMaxAnswer) return End::kDied;
  }
  answer->erase(0, wire::kHeaderBytes);
  return End::kAnswered;
}

absl::StatusOr<End> CheckOnce(const std::vector<Program>& programs, const CheckOptions& options, const Limits& limits,
                              std::vector<ProgramError>* errors) {
  absl::StatusOr<std::unique_ptr<WorkerProcess>> worker = WorkerProcess::Start(options.worker_path, kMemoryBytes);
  if (!worker.ok()) return worker.status();
  wire::Load load;
  load.check = true;
  load.programs = programs;
  std::string answer;
  const End end = Exchange(**worker, wire::EncodeLoad(load), limits, &answer);
  if (end == End::kAnswered && !wire::DecodeLoaded(answer, errors)) return End::kDied;
  return end;
}

absl::Status OutOfTime(const CheckOptions& options) {
  return absl::DeadlineExceededError(absl::StrCat("checking the expressions took longer than ",
                                                  options.deadline.count() / 1000, " s: this machine is too busy"));
}

// The mistakes of programs [first, end) of the set, added to `errors`.
absl::Status CheckRange(const ProgramSet& set, ProgramId first, ProgramId end, const CheckOptions& options,
                        const Limits& limits, std::vector<ProgramError>* errors) {
  const std::vector<Program> programs(set.programs().begin() + first, set.programs().begin() + end);
  std::vector<ProgramError> own;
  absl::StatusOr<End> ended = CheckOnce(programs, options, limits, &own);
  if (!ended.ok()) return ended.status();
  if (*ended == End::kDeadline) return OutOfTime(options);
  if (*ended != End::kAnswered && programs.size() > 1) {
    // One of them crashed or stopped the compiler. What is well compiles in a part of the time that all may take.
    const auto part = std::max(std::chrono::milliseconds(500), options.cpu_limit / 10);
    const Limits less{std::min(options.cpu_limit, part), limits.deadline};
    const ProgramId middle = first + (end - first) / 2;
    if (absl::Status half = CheckRange(set, first, middle, options, less, errors); !half.ok()) return half;
    return CheckRange(set, middle, end, options, less, errors);
  }
  if (*ended != End::kAnswered) {
    own.assign(1, ProgramError());
    own[0].message =
        *ended == End::kDied ? "the expression crashes the compiler" : "the expression takes too long to compile";
  }
  for (ProgramError& error : own) {
    if (error.program >= programs.size()) continue;
    error.program += first;
    errors->push_back(std::move(error));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<ProgramError>> CheckPrograms(const ProgramSet& set, const CheckOptions& options) {
  if (set.size() > ProgramSet::kMaxPrograms) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the plan has ", set.size(), " expressions; at most ", ProgramSet::kMaxPrograms, " are possible"));
  }
  std::vector<ProgramError> errors;
  if (set.size() == 0) return errors;
  const Limits limits{options.cpu_limit, Clock::now() + options.deadline};
  absl::Status checked = CheckRange(set, 0, static_cast<ProgramId>(set.size()), options, limits, &errors);
  if (!checked.ok()) return checked;
  return errors;
}

absl::StatusOr<std::vector<ProgramError>> CompileCheck(const std::string& text, const std::vector<std::string>& names,
                                                       Scope scope, const CheckOptions& options) {
  ProgramSet set;
  Program program;
  program.text = text;
  program.names = names;
  program.scope = scope;
  set.Add(std::move(program));
  return CheckPrograms(set, options);
}

}  // namespace puckdrop::jq
