#include "services/runtime/audit_log.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/runtime/text.h"

namespace puckdrop::runtime {
namespace {

constexpr size_t kMostWaiting = 10'000;
constexpr size_t kMostValue = 600;
constexpr size_t kMostRequest = 4000;

std::string Escaped(unsigned code_point) { return absl::StrFormat("\\u%04x", code_point); }

std::string Quoted(const std::string& text, size_t most = kMostValue) {
  std::string escaped;
  for (const char c : CutText(ValidUtf8(text), most)) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return absl::StrCat("\"", ReplaceControls(escaped, Escaped), "\"");
}

}  // namespace

std::string AuditLine(const AuditRecord& record) {
  std::string line =
      absl::StrCat("{\"time\":\"", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", record.time, absl::UTCTimeZone()),
                   "\",\"who\":", Quoted(record.who), ",\"by\":", Quoted(record.by), ",\"peer\":", Quoted(record.peer),
                   ",\"method\":", Quoted(record.method), ",\"scope\":", Quoted(record.scope),
                   ",\"resource\":", Quoted(record.resource), ",\"outcome\":", Quoted(record.outcome));
  if (!record.reason.empty()) absl::StrAppend(&line, ",\"reason\":", Quoted(record.reason));
  absl::StrAppendFormat(&line, ",\"seconds\":%.3f", absl::ToDoubleSeconds(record.took));
  if (!record.request.empty()) {
    // Already JSON, unless it would have to be cut.
    absl::StrAppend(&line, ",\"request\":",
                    record.request.size() <= kMostRequest ? record.request : Quoted(record.request, kMostRequest / 2));
  }
  return line + "}";
}

absl::StatusOr<std::shared_ptr<AuditLog>> AuditLog::Open(AuditLogOptions options) {
  std::shared_ptr<AuditLog> log(new AuditLog(std::move(options)));
  absl::Status opened = log->OpenFile();
  if (!opened.ok()) return opened;
  log->thread_ = std::thread([raw = log.get()] { raw->Run(); });
  return log;
}

absl::Status AuditLog::OpenFile() {
  const int file = open(options_.file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) {
    return absl::UnavailableError(absl::StrCat("the audit log ", options_.file,
                                               " cannot be opened: ", std::strerror(errno),
                                               ": give --audit-log a file in a directory that this user may write"));
  }
  struct stat facts{};
  if (fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    close(file);
    return absl::InvalidArgumentError(absl::StrCat("the audit log ", options_.file, " is not a file"));
  }
  (void)fchmod(file, 0600);
  size_ = facts.st_size;
  file_ = file;
  // After a crash in the middle of a line the next one begins on its own.
  char last = '\n';
  if (size_ > 0 && pread(file, &last, 1, size_ - 1) == 1 && last != '\n') (void)Put("\n");
  return absl::OkStatus();
}

AuditLog::~AuditLog() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  work_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (file_ >= 0) close(file_);
}

void AuditLog::Write(std::string line) {
  line += '\n';
  std::lock_guard<std::mutex> lock(mutex_);
  if (waiting_.size() >= kMostWaiting) {
    if (lost_++ % 1000 == 0) spdlog::error("the audit log {} is too slow: lines are lost", options_.file);
    return;
  }
  waiting_.push_back(std::move(line));
  work_.notify_one();
}

void AuditLog::Flush() {
  std::unique_lock<std::mutex> lock(mutex_);
  idle_.wait(lock, [this] { return waiting_.empty() && !busy_; });
}

int64_t AuditLog::lost() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return lost_;
}

bool AuditLog::Put(const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = write(file_, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      if (!failing_) spdlog::error("the audit log {} cannot be written: {}", options_.file, std::strerror(errno));
      failing_ = true;
      return false;
    }
    done += static_cast<size_t>(wrote);
    size_ += wrote;
  }
  failing_ = false;
  return true;
}

void AuditLog::Rotate() {
  for (int i = options_.kept; i > 0; --i) {
    const std::string from = i == 1 ? options_.file : absl::StrCat(options_.file, ".", i - 1);
    (void)std::rename(from.c_str(), absl::StrCat(options_.file, ".", i).c_str());
  }
  const int old = file_;
  const absl::Status opened = OpenFile();
  // Rather too long than none.
  if (!opened.ok()) {
    spdlog::error("{}", std::string(opened.message()));
    return;
  }
  close(old);
}

void AuditLog::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    std::deque<std::string> lines = std::move(waiting_);
    waiting_.clear();
    busy_ = true;
    lock.unlock();
    int64_t lost = 0;
    for (const std::string& line : lines) {
      if (size_ > 0 && size_ + static_cast<int64_t>(line.size()) > options_.most_bytes) Rotate();
      if (!Put(line)) ++lost;
    }
    lock.lock();
    lost_ += lost;
    busy_ = false;
    if (waiting_.empty()) idle_.notify_all();
  }
}

}  // namespace puckdrop::runtime
