// Opening, and what all parts share; the rest is in history_*.cc by subject.
#include "services/readiness/history.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <limits>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/readiness/database.h"
#include "services/readiness/evidence_folder.h"
#include "services/readiness/history_internal.h"
#include "services/readiness/reader_pool.h"
#include "services/readiness/run_lock.h"
#include "services/readiness/state_directory.h"

namespace puckdrop::readiness {
namespace internal {

absl::StatusOr<int> PageSizeOf(int asked, int standard, int most) {
  if (asked < 0) return absl::InvalidArgumentError("page_size must not be negative");
  return asked == 0 ? standard : std::min(asked, most);
}

absl::StatusOr<int64_t> BeforeOf(const std::string& page_token) {
  if (page_token.empty()) return std::numeric_limits<int64_t>::max();
  int64_t number = 0;
  if (!absl::SimpleAtoi(page_token, &number) || number < 1) {
    return absl::InvalidArgumentError("page_token must come from the last answer");
  }
  return number;
}

std::string Cut(const std::string& text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

std::string DigestOfName(const std::string& name) {
  constexpr size_t kPrefix = sizeof("evidence/") - 1;
  if (name.size() != kPrefix + 64 || !absl::StartsWith(name, "evidence/")) return "";
  const std::string hex = name.substr(kPrefix);
  const bool valid =
      std::all_of(hex.begin(), hex.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  return valid ? absl::HexStringToBytes(hex) : "";
}

std::string NameOfDigest(const std::string& digest) {
  return absl::StrCat("evidence/", absl::BytesToHexString(digest));
}

}  // namespace internal

namespace {

constexpr char kLaunchKey[] = "launch";
constexpr int kWriterCacheKilobytes = 64'000;

absl::StatusOr<std::unique_ptr<FileLock>> TakeAlone(const std::string& directory) {
  const std::string path = directory + "/history.lock";
  absl::StatusOr<std::unique_ptr<FileLock>> lock = FileLock::Take(path, FileLock::Mode::kExclusive, /*wait=*/false);
  if (absl::IsUnavailable(lock.status())) {
    std::string holder;
    std::getline(std::ifstream(path), holder);
    return absl::FailedPreconditionError(absl::StrCat("another puckdrop", holder.empty() ? "" : " (pid ", holder,
                                                      holder.empty() ? "" : ")", " keeps its history in ", directory,
                                                      "; end it, or choose another directory with --state"));
  }
  if (!lock.ok()) return lock.status();
  absl::Status written = (*lock)->Write(absl::StrCat(getpid()));
  if (!written.ok()) return written;
  return lock;
}

// A directory belongs to the launch that made it: results do not say which launch they are of.
absl::Status BelongTo(Connection& db, const std::string& launch) {
  Statement select(db, "SELECT value FROM settings WHERE key=?");
  select.Bind(std::string(kLaunchKey));
  if (select.Step()) {
    const std::string owner = select.Bytes(0);
    if (owner == launch) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(db.path(), " is the history of the launch '", owner,
                                                      "', not of '", launch,
                                                      "'; choose another directory with --state"));
  }
  if (!select.status().ok()) return select.status();
  return Statement(db, "INSERT INTO settings (key, value) VALUES (?, ?)")
      .Bind(std::string(kLaunchKey))
      .BindBlob(launch)
      .Run();
}

}  // namespace

History::History(HistoryOptions options, const runtime::Clock& clock) : options_(std::move(options)), clock_(clock) {}

History::~History() = default;

absl::StatusOr<std::unique_ptr<History>> History::Open(HistoryOptions options, const runtime::Clock& clock) {
  // What rests on this: behind the oldest pass there are failures only (history_upkeep.cc).
  options.keep_failures = std::max(options.keep_failures, options.keep_results);
  std::vector<std::string> made;
  absl::Status status = MakeDirectories(options.directory, &made);
  if (!status.ok()) return status;
  std::unique_ptr<History> history(new History(std::move(options), clock));
  const HistoryOptions& with = history->options_;
  absl::StatusOr<std::unique_ptr<FileLock>> lock = TakeAlone(with.directory);
  if (!lock.ok()) return lock.status();
  history->lock_ = std::move(*lock);
  absl::StatusOr<std::unique_ptr<EvidenceFolder>> folder = EvidenceFolder::Open(with.directory + "/evidence");
  if (!folder.ok()) return folder.status();
  history->folder_ = std::move(*folder);

  const std::string path = with.directory + "/history.db";
  DatabaseOptions database;
  database.lock_timeout = with.lock_timeout;
  database.incremental_vacuum = true;
  database.bytes_limit = with.database_bytes_limit;
  database.cache_kilobytes = kWriterCacheKilobytes;
  absl::StatusOr<std::unique_ptr<Database>> writer = Database::Open(path, internal::HistoryMigrations(), database);
  if (!writer.ok()) return writer.status();
  history->writer_ = std::move(*writer);
  status = history->writer_->Write([&](Connection& db) { return BelongTo(db, with.launch); });
  if (!status.ok()) return status;
  history->readers_ = std::make_unique<ReaderPool>(path, with.readers, with.lock_timeout);
  return history;
}

}  // namespace puckdrop::readiness
