#include "services/readiness/reader_pool.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace puckdrop::readiness {
namespace {

constexpr int kCacheKilobytes = 16'000;

absl::StatusOr<std::unique_ptr<Connection>> OpenReader(const std::string& path, absl::Duration lock_timeout) {
  Connection::Options options;
  options.create = false;
  options.lock_timeout = lock_timeout;
  options.cache_kilobytes = kCacheKilobytes;
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(path, options);
  if (!connection.ok()) return connection;
  absl::Status status = (*connection)->Execute("PRAGMA query_only=1");
  if (!status.ok()) return status;
  return connection;
}

}  // namespace

ReaderPool::ReaderPool(std::string path, int most, absl::Duration lock_timeout)
    : path_(std::move(path)), most_(std::max(1, most)), lock_timeout_(lock_timeout) {}

ReaderPool::~ReaderPool() = default;

absl::Status ReaderPool::Read(const std::function<absl::Status(Connection&)>& work) {
  std::unique_ptr<Connection> connection;
  {
    absl::MutexLock lock(&mutex_);
    const auto free = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return in_use_ < most_; };
    if (!mutex_.AwaitWithTimeout(absl::Condition(&free), lock_timeout_)) {
      return absl::UnavailableError(absl::StrCat(path_, ": ", most_, " others read it; try again"));
    }
    ++in_use_;
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  absl::Status status;
  if (connection == nullptr) {
    absl::StatusOr<std::unique_ptr<Connection>> opened = OpenReader(path_, lock_timeout_);
    status = opened.status();
    if (opened.ok()) connection = std::move(*opened);
  }
  if (status.ok()) status = connection->Execute("BEGIN");
  if (status.ok()) status = work(*connection);
  // One that cannot be brought back to rest, or that met a damaged file or disk, is not used again.
  if (connection != nullptr && connection->InTransaction() && !connection->Execute("COMMIT").ok()) connection.reset();
  if (absl::IsDataLoss(status) || absl::IsUnavailable(status) || absl::IsInternal(status)) connection.reset();
  absl::MutexLock lock(&mutex_);
  --in_use_;
  if (connection != nullptr) idle_.push_back(std::move(connection));
  return status;
}

}  // namespace puckdrop::readiness
