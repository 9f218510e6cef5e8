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

enum class End { kAnswered, kDied, kTimeout };

// One message there and one back.
End Exchange(int fd, std::string_view out, Clock::time_point deadline, std::string* answer) {
  while (!out.empty()) {
    if (!WaitFor(fd, POLLOUT, deadline)) return End::kTimeout;
    const ssize_t sent = send(fd, out.data(), out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EINTR && errno != EAGAIN) return End::kDied;
    if (sent > 0) out.remove_prefix(static_cast<std::size_t>(sent));
  }
  std::size_t size = 0;
  while (size == 0 || answer->size() < size) {
    if (!WaitFor(fd, POLLIN, deadline)) return End::kTimeout;
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

absl::StatusOr<End> CheckOnce(const std::vector<Program>& programs, const CheckOptions& options,
                              Clock::time_point deadline, std::vector<ProgramError>* errors) {
  absl::StatusOr<std::unique_ptr<WorkerProcess>> worker = WorkerProcess::Start(options.worker_path, kMemoryBytes);
  if (!worker.ok()) return worker.status();
  wire::Load load;
  load.check = true;
  load.programs = programs;
  std::string answer;
  const End end = Exchange((*worker)->socket(), wire::EncodeLoad(load), deadline, &answer);
  if (end == End::kAnswered && !wire::DecodeLoaded(answer, errors)) return End::kDied;
  return end;
}

}  // namespace

absl::StatusOr<std::vector<ProgramError>> CheckPrograms(const ProgramSet& set, const CheckOptions& options) {
  if (set.size() > ProgramSet::kMaxPrograms) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the plan has ", set.size(), " expressions; at most ", ProgramSet::kMaxPrograms, " are possible"));
  }
  std::vector<ProgramError> errors;
  if (set.size() == 0) return errors;
  const Clock::time_point deadline = Clock::now() + options.deadline;
  absl::StatusOr<End> end = CheckOnce(set.programs(), options, deadline, &errors);
  if (!end.ok()) return end.status();
  if (*end == End::kAnswered) {
    errors.erase(
        std::remove_if(errors.begin(), errors.end(), [&](const ProgramError& e) { return e.program >= set.size(); }),
        errors.end());
    return errors;
  }

  // One of them crashed or stopped the compiler: each by itself tells which.
  errors.clear();
  const auto share = std::max<std::chrono::milliseconds>(std::chrono::milliseconds(500), options.deadline / 10);
  for (ProgramId id = 0; id < set.size(); ++id) {
    std::vector<ProgramError> own;
    end = CheckOnce({set.program(id)}, options, Clock::now() + share, &own);
    if (!end.ok()) return end.status();
    if (*end != End::kAnswered) {
      own.assign(1, ProgramError());
      own[0].message =
          *end == End::kDied ? "the expression crashes the compiler" : "the expression takes too long to compile";
    }
    for (ProgramError& error : own) {
      error.program = id;
      errors.push_back(std::move(error));
    }
    if (Clock::now() > deadline + options.deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat("checking the expressions took longer than ", 2 * options.deadline.count(), " ms"));
    }
  }
  if (errors.empty()) return absl::DeadlineExceededError("the expressions take too long to compile together");
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
