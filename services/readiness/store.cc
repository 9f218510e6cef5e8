#include "services/readiness/store.h"

#include <unistd.h>

#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "services/readiness/state_directory.h"
#include "services/runtime/proto_time.h"

namespace puckdrop::readiness {
namespace {

constexpr char kFile[] = "puckdrop.db";

const std::vector<const char*>& Migrations() {
  static const std::vector<const char*>* const migrations = new std::vector<const char*>{
      R"sql(
      CREATE TABLE obligations (
        number INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order they were opened in
        name TEXT NOT NULL UNIQUE,
        launch TEXT NOT NULL,
        owner TEXT NOT NULL,
        state INTEGER NOT NULL,
        message BLOB NOT NULL);
      CREATE INDEX obligations_open ON obligations (state, owner);
      )sql",
  };
  return *migrations;
}

absl::Status NotFound(const std::string& name) {
  return absl::NotFoundError(absl::StrCat("there is no obligation '", name, "'"));
}

// Reads rows of (message) into a list.
absl::Status ReadAll(Statement& statement, std::vector<v1::Obligation>* into) {
  while (statement.Step()) {
    v1::Obligation obligation;
    if (!obligation.ParseFromString(statement.Bytes(0))) return absl::DataLossError("an obligation cannot be read");
    into->push_back(std::move(obligation));
  }
  return statement.status();
}

absl::Status Save(Connection& db, const v1::Obligation& obligation) {
  return Statement(db, "UPDATE obligations SET owner=?, state=?, message=? WHERE name=?")
      .Bind(obligation.owner())
      .Bind(obligation.state())
      .BindBlob(obligation.SerializeAsString())
      .Bind(obligation.name())
      .Run();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const std::string& directory, const runtime::Clock& clock) {
  std::unique_ptr<Store> store(new Store(directory, clock));
  // Another process may be removing the directory under us; then everything is made anew.
  absl::Status status;
  for (int tries = 0; tries < 20; ++tries) {
    status = MakeDirectories(directory + "/runs", &store->made_);
    if (!status.ok()) return status;
    absl::StatusOr<std::unique_ptr<FileLock>> in_use =
        FileLock::Take(directory + "/in-use.lock", FileLock::Mode::kShared, /*wait=*/true);
    if (!in_use.ok()) {
      status = in_use.status();
      if (std::filesystem::is_directory(directory)) return status;
      continue;
    }
    store->in_use_ = std::move(*in_use);
    status = MakeDirectories(directory + "/runs", &store->made_);
    if (!status.ok()) return status;
    // Whoever is last removes what the first one made.
    if (!store->made_.empty()) {
      status = store->in_use_->Write(absl::StrJoin(store->made_, "\n"));
      if (!status.ok()) return status;
    }
    absl::StatusOr<std::unique_ptr<Database>> database =
        Database::Open(absl::StrCat(directory, "/", kFile), Migrations());
    if (!database.ok()) return database.status();
    store->database_ = std::move(*database);
    return store;
  }
  return status;
}

Store::~Store() = default;

absl::Status Store::ClaimRun(const std::string& run) {
  absl::StatusOr<std::unique_ptr<FileLock>> lock = LockRun(LockDirectory(), run);
  if (!lock.ok()) return lock.status();
  std::lock_guard<std::mutex> guard(mutex_);
  runs_[run] = std::move(*lock);
  return absl::OkStatus();
}

void Store::ReleaseRun(const std::string& run) {
  // What it still owes must be seen as nobody's at once, so the file stays as long as something is owed.
  absl::StatusOr<std::vector<v1::Obligation>> owed = OwedBy(run, "");
  std::lock_guard<std::mutex> guard(mutex_);
  const auto found = runs_.find(run);
  if (found == runs_.end()) return;
  if (owed.ok() && owed->empty()) found->second->Remove();
  runs_.erase(found);
}

absl::StatusOr<v1::Obligation> Store::OpenObligation(v1::Obligation obligation) {
  if (!IsRunId(obligation.owner())) {
    return absl::InvalidArgumentError(absl::StrCat("the owner '", obligation.owner(), "' is no run id"));
  }
  if (obligation.operation().empty() || obligation.customer().empty() || obligation.account().empty() ||
      obligation.idempotency_key().empty() || obligation.path().empty() || obligation.launch().empty()) {
    return absl::InvalidArgumentError(
        "an obligation needs launch, operation, customer, account, idempotency key and path");
  }
  const absl::Time now = clock_.Now();
  obligation.set_state(v1::Obligation::OPEN);
  obligation.set_attempts(0);
  *obligation.mutable_create_time() = runtime::ToTimestamp(now);
  *obligation.mutable_lease_expire_time() = runtime::ToTimestamp(now + kObligationLease);
  absl::Status status = database_->Write([&](Connection& db) -> absl::Status {
    if (obligation.name().empty()) {
      // Counted for each run: the n-th thing it did.
      Statement count(db, "SELECT COUNT(*) FROM obligations WHERE name >= ? AND name < ?");
      const std::string prefix = absl::StrCat("obligations/", obligation.owner(), "-");
      count.Bind(prefix).Bind(absl::StrCat("obligations/", obligation.owner(), "."));
      const int64_t taken = count.Step() ? count.Integer(0) : 0;
      if (!count.status().ok()) return count.status();
      obligation.set_name(absl::StrCat(prefix, taken + 1));
    }
    return Statement(db, "INSERT INTO obligations (name, launch, owner, state, message) VALUES (?, ?, ?, ?, ?)")
        .Bind(obligation.name())
        .Bind(obligation.launch())
        .Bind(obligation.owner())
        .Bind(obligation.state())
        .BindBlob(obligation.SerializeAsString())
        .Run();
  });
  if (absl::IsAlreadyExists(status)) {
    return absl::AlreadyExistsError(absl::StrCat("there is an obligation '", obligation.name(), "' already"));
  }
  if (!status.ok()) return status;
  return obligation;
}

absl::StatusOr<v1::Obligation> Store::Change(const std::string& name,
                                             std::function<absl::Status(v1::Obligation&)> change) {
  v1::Obligation obligation;
  absl::Status status = database_->Write([&](Connection& db) -> absl::Status {
    std::vector<v1::Obligation> found;
    Statement select(db, "SELECT message FROM obligations WHERE name=?");
    select.Bind(name);
    absl::Status read = ReadAll(select, &found);
    if (!read.ok()) return read;
    if (found.empty()) return NotFound(name);
    obligation = std::move(found.front());
    absl::Status changed = change(obligation);
    if (!changed.ok()) return changed;
    return Save(db, obligation);
  });
  if (!status.ok()) return status;
  return obligation;
}

absl::StatusOr<int> Store::RenewObligations(const std::string& owner) {
  const absl::Time until = clock_.Now() + kObligationLease;
  int renewed = 0;
  absl::Status status = database_->Write([&](Connection& db) -> absl::Status {
    std::vector<v1::Obligation> open;
    Statement select(db, "SELECT message FROM obligations WHERE owner=? AND state<>?");
    select.Bind(owner).Bind(v1::Obligation::SETTLED);
    absl::Status read = ReadAll(select, &open);
    for (v1::Obligation& obligation : open) {
      if (!read.ok()) return read;
      *obligation.mutable_lease_expire_time() = runtime::ToTimestamp(until);
      read = Save(db, obligation);
    }
    renewed = static_cast<int>(open.size());
    return read;
  });
  if (!status.ok()) return status;
  return renewed;
}

absl::StatusOr<v1::Obligation> Store::UpdateObligation(const v1::UpdateObligationRequest& request) {
  return Change(request.name(), [&](v1::Obligation& obligation) {
    for (const auto& [name, id] : request.target_ids()) (*obligation.mutable_target_ids())[name] = id;
    if (!request.account_id().empty()) obligation.set_account_id(request.account_id());
    return absl::OkStatus();
  });
}

bool Store::MayTake(const v1::Obligation& obligation) const {
  switch (StateOfOwner(LockDirectory(), obligation.owner())) {
    case OwnerState::kAlive:
      return false;
    case OwnerState::kDead:
      return true;
    default:
      return runtime::FromTimestamp(obligation.lease_expire_time()) <= clock_.Now();
  }
}

absl::StatusOr<v1::Obligation> Store::CloseObligation(const std::string& name, const std::string& owner) {
  return Change(name, [&](v1::Obligation& obligation) -> absl::Status {
    if (obligation.owner() != owner && !MayTake(obligation)) {
      return absl::PermissionDeniedError(
          absl::StrCat("'", name, "' is owned by ", obligation.owner(), ", which is alive"));
    }
    if (obligation.state() == v1::Obligation::SETTLED) return absl::OkStatus();
    obligation.set_state(v1::Obligation::SETTLED);
    obligation.clear_manual_action();
    *obligation.mutable_settle_time() = runtime::ToTimestamp(clock_.Now());
    return absl::OkStatus();
  });
}

absl::StatusOr<v1::Obligation> Store::NoteAttempt(const std::string& name, const std::string& owner,
                                                  const std::string& error, const std::string& manual_action,
                                                  bool stuck) {
  return Change(name, [&](v1::Obligation& obligation) -> absl::Status {
    if (obligation.owner() != owner) {
      return absl::PermissionDeniedError(absl::StrCat("'", name, "' is owned by ", obligation.owner()));
    }
    if (obligation.state() == v1::Obligation::SETTLED) return absl::OkStatus();
    obligation.set_attempts(obligation.attempts() + 1);
    obligation.set_last_error(error);
    if (!manual_action.empty()) obligation.set_manual_action(manual_action);
    if (stuck) obligation.set_state(v1::Obligation::STUCK);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<v1::Obligation>> Store::Owed(const std::string& launch) {
  std::vector<v1::Obligation> owed;
  absl::Status status = database_->Write([&](Connection& db) {
    Statement select(db, "SELECT message FROM obligations WHERE state<>? AND (launch=? OR ?='') ORDER BY number");
    select.Bind(v1::Obligation::SETTLED).Bind(launch).Bind(launch);
    return ReadAll(select, &owed);
  });
  if (!status.ok()) return status;
  return owed;
}

absl::StatusOr<std::vector<v1::Obligation>> Store::OwedBy(const std::string& owner, const std::string& customer) {
  std::vector<v1::Obligation> owed;
  absl::Status status = database_->Write([&](Connection& db) {
    Statement select(db, "SELECT message FROM obligations WHERE state<>? AND owner=? ORDER BY number");
    select.Bind(v1::Obligation::SETTLED).Bind(owner);
    return ReadAll(select, &owed);
  });
  if (!status.ok()) return status;
  std::vector<v1::Obligation> wanted;
  for (v1::Obligation& obligation : owed) {
    if (customer.empty() || obligation.customer() == customer) wanted.push_back(std::move(obligation));
  }
  return wanted;
}

absl::StatusOr<std::vector<v1::Obligation>> Store::TakeOver(const std::string& owner, const std::string& launch) {
  std::vector<v1::Obligation> taken;
  std::vector<std::string> dead;
  const absl::Time until = clock_.Now() + kObligationLease;
  absl::Status status = database_->Write([&](Connection& db) -> absl::Status {
    std::vector<v1::Obligation> open;
    Statement select(db, "SELECT message FROM obligations WHERE state<>? AND (launch=? OR ?='') ORDER BY number");
    select.Bind(v1::Obligation::SETTLED).Bind(launch).Bind(launch);
    absl::Status read = ReadAll(select, &open);
    if (!read.ok()) return read;
    for (v1::Obligation& obligation : open) {
      if (obligation.owner() != owner) {
        if (!MayTake(obligation)) continue;
        dead.push_back(obligation.owner());
        obligation.set_owner(owner);
        obligation.set_state(v1::Obligation::OPEN);
        *obligation.mutable_lease_expire_time() = runtime::ToTimestamp(until);
        absl::Status saved = Save(db, obligation);
        if (!saved.ok()) return saved;
      }
      taken.push_back(obligation);
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  for (const std::string& run : dead) RemoveDeadLock(LockDirectory(), run);
  return taken;
}

absl::StatusOr<v1::ListObligationsResponse> Store::ListObligations(const v1::ListObligationsRequest& request) {
  int64_t after = 0;
  if (request.page_size() < 0 || (!request.page_token().empty() && !absl::SimpleAtoi(request.page_token(), &after))) {
    return absl::InvalidArgumentError("page_size must not be negative, and page_token must come from the last answer");
  }
  const int64_t size = request.page_size() == 0 ? 100 : std::min(request.page_size(), 1000);
  v1::ListObligationsResponse response;
  absl::Status status = database_->Write([&](Connection& db) -> absl::Status {
    Statement select(
        db,
        "SELECT message, number FROM obligations WHERE number>? AND (state<>? OR ?) AND (launch=? OR ?='') "
        "ORDER BY number LIMIT ?");
    select.Bind(after)
        .Bind(v1::Obligation::SETTLED)
        .Bind(request.show_settled() ? 1 : 0)
        .Bind(request.launch())
        .Bind(request.launch())
        .Bind(size + 1);
    while (select.Step()) {
      if (response.obligations_size() == size) {
        response.set_next_page_token(absl::StrCat(after));
        break;
      }
      if (!response.add_obligations()->ParseFromString(select.Bytes(0))) {
        return absl::DataLossError("an obligation cannot be read");
      }
      after = select.Integer(1);
    }
    return select.status();
  });
  if (!status.ok()) return status;
  return response;
}

bool Store::CloseAndRemoveIfNothingOwed() {
  {
    std::lock_guard<std::mutex> guard(mutex_);
    for (auto& [run, lock] : runs_) {
      absl::StatusOr<std::vector<v1::Obligation>> owed = OwedBy(run, "");
      if (owed.ok() && owed->empty()) lock->Remove();
    }
    runs_.clear();
  }
  // Alone first, then look: whoever comes now waits until we are gone and makes everything anew.
  const bool alone = in_use_->TryUpgrade();
  absl::StatusOr<std::vector<v1::Obligation>> owed = Owed("");
  const bool remove = alone && owed.ok() && owed->empty();
  database_.reset();
  if (remove) {
    for (const char* end : {"", "-wal", "-shm"}) unlink(absl::StrCat(directory_, "/", kFile, end).c_str());
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(LockDirectory(), ignored)) {
      if (entry.path().extension() == ".lock") unlink(entry.path().c_str());
    }
    rmdir(LockDirectory().c_str());
    const std::vector<std::string> made = absl::StrSplit(in_use_->Read(), '\n', absl::SkipEmpty());
    in_use_->Remove();
    // Only what we made, and only if nothing else is in it.
    for (auto directory = made.rbegin(); directory != made.rend(); ++directory) rmdir(directory->c_str());
  }
  in_use_.reset();
  return remove;
}

}  // namespace puckdrop::readiness
