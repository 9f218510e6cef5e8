// A copy of the whole state while it is in use.
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "services/readiness/connection.h"
#include "services/readiness/database_backup.h"
#include "services/readiness/evidence_folder.h"
#include "services/readiness/history.h"
#include "services/readiness/state_directory.h"

namespace puckdrop::readiness {
namespace {

constexpr char kObligations[] = "puckdrop.db";

// What the copied index says is there. What goes meanwhile for want of room is left out, and then cannot be found.
absl::Status CopyEvidence(const std::string& index, const EvidenceFolder& from, const std::string& to) {
  absl::StatusOr<std::unique_ptr<EvidenceFolder>> folder = EvidenceFolder::Open(to);
  if (!folder.ok()) return folder.status();
  absl::StatusOr<std::unique_ptr<Connection>> db = Connection::Open(index, Connection::Options());
  if (!db.ok()) return db.status();
  Statement select(**db, "SELECT digest FROM evidence WHERE present=1");
  while (select.Step()) {
    absl::Status status = from.CopyTo(**folder, select.Bytes(0));
    if (!status.ok() && !absl::IsNotFound(status)) return status;
  }
  return select.status();
}

}  // namespace

absl::Status History::BackupTo(const std::string& directory) const {
  const std::string history = directory + "/history.db";
  const std::string evidence = directory + "/evidence";
  const std::string obligations = absl::StrCat(directory, "/", kObligations);
  std::error_code ignored;
  for (const std::string& path : {history, evidence, obligations}) {
    if (std::filesystem::exists(path, ignored)) {
      return absl::AlreadyExistsError(absl::StrCat(path, " exists already; choose a directory that holds no state"));
    }
  }
  std::vector<std::string> made;
  absl::Status status = MakeDirectories(directory, &made);
  const std::string source = absl::StrCat(options_.directory, "/", kObligations);
  // Obligations first: one that is opened later belongs to a run that the copy does not have either.
  if (status.ok() && std::filesystem::exists(source, ignored)) status = CopyDatabase(source, obligations);
  if (status.ok()) status = CopyDatabase(options_.directory + "/history.db", history);
  if (status.ok()) status = CopyEvidence(history, *folder_, evidence);
  if (status.ok()) return status;
  for (const std::string& path : {history, obligations}) {
    for (const char* end : {"", "-wal", "-shm"}) unlink((path + end).c_str());
  }
  std::filesystem::remove_all(evidence, ignored);
  for (auto folder = made.rbegin(); folder != made.rend(); ++folder) rmdir(folder->c_str());
  return status;
}

}  // namespace puckdrop::readiness
