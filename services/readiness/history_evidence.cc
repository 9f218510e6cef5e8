// Evidence: rows beside a folder of files. A row is written after its file and removed before it, so a row has its file
// at any moment, and a file without a row is swept up.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/readiness/database.h"
#include "services/readiness/evidence_folder.h"
#include "services/readiness/history.h"
#include "services/readiness/history_internal.h"
#include "services/readiness/reader_pool.h"

namespace puckdrop::readiness {
namespace {

// What is put again within this time need not be noted again.
constexpr absl::Duration kTouch = absl::Minutes(1);
constexpr int kMostEvicted = 512;

absl::Status IsNoEvidence(const std::string& name) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", internal::Cut(name, 100), "' is no name of evidence: evidence/ and the SHA-256 in hex"));
}

struct Found {
  bool present = false;
  EvidenceRow row;
};

absl::StatusOr<Found> Find(Connection& db, const std::string& digest) {
  Found found;
  Statement select(db,
                   "SELECT present, kind, media_type, title, truncated, bytes, time, failure FROM evidence "
                   "WHERE digest=?");
  select.BindBlob(digest);
  if (select.Step()) {
    found.present = select.Integer(0) != 0;
    EvidenceRow& row = found.row;
    row.name = internal::NameOfDigest(digest);
    row.kind = static_cast<v1::Evidence::Kind>(select.Integer(1));
    row.media_type = select.Bytes(2);
    row.title = select.Bytes(3);
    row.truncated = select.Integer(4) != 0;
    row.bytes = select.Integer(5);
    row.time = select.TimeAt(6);
    row.of_failure = select.Integer(7) != 0;
  }
  if (!select.status().ok()) return select.status();
  return found;
}

absl::StatusOr<Found> Find(ReaderPool& readers, const std::string& digest) {
  absl::StatusOr<Found> found;
  absl::Status status = readers.Read([&](Connection& db) {
    found = Find(db, digest);
    return found.status();
  });
  if (!status.ok()) return status;
  return found;
}

}  // namespace

absl::Status History::PutEvidence(const v1::Evidence& evidence) {
  const std::string digest = internal::DigestOfName(evidence.name());
  if (digest.empty()) return IsNoEvidence(evidence.name());
  if (EvidenceFolder::DigestOf(evidence.content()) != digest) {
    return absl::InvalidArgumentError(absl::StrCat(evidence.name(), " is not the SHA-256 of its content"));
  }
  const int64_t bytes = static_cast<int64_t>(evidence.content().size());
  if (bytes > options_.evidence_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        evidence.name(), " has ", bytes, " bytes, more than all evidence may (", options_.evidence_bytes, ")"));
  }
  const absl::Time now = clock_.Now();
  absl::StatusOr<Found> known = Find(*readers_, digest);
  if (!known.ok()) return known.status();
  // Before the lock is taken: removing takes those of others.
  if (!known->present) {
    absl::Status room = MakeRoom(bytes);
    if (!room.ok()) return room;
  }
  std::lock_guard<std::mutex> lock(folder_->LockOf(digest));
  known = Find(*readers_, digest);
  if (!known.ok()) return known.status();
  if (known->present && now >= known->row.time && now < known->row.time + kTouch && folder_->Has(digest)) {
    return absl::OkStatus();
  }
  absl::Status status = folder_->Write(digest, evidence.content());
  if (!status.ok()) return status;
  return writer_->Write([&](Connection& db) {
    return Statement(db,
                     "INSERT INTO evidence (digest, failure, time, present, bytes, kind, truncated, media_type, title) "
                     "VALUES (?, 0, ?, 1, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET time=excluded.time, "
                     "present=1, bytes=excluded.bytes, kind=excluded.kind, truncated=excluded.truncated, "
                     "media_type=excluded.media_type, title=excluded.title")
        .BindBlob(digest)
        .Bind(now)
        .Bind(bytes)
        .Bind(evidence.kind())
        .Bind(evidence.truncated() ? 1 : 0)
        .Bind(internal::Cut(evidence.media_type(), 200))
        .Bind(internal::Cut(evidence.title(), 500))
        .Run();
  });
}

absl::StatusOr<v1::Evidence> History::GetEvidence(const std::string& name) const {
  const std::string digest = internal::DigestOfName(name);
  if (digest.empty()) return IsNoEvidence(name);
  absl::StatusOr<Found> found = Find(*readers_, digest);
  if (!found.ok()) return found.status();
  if (!found->present) return absl::NotFoundError(absl::StrCat("there is no evidence '", name, "' (any more)"));
  absl::StatusOr<std::string> content = folder_->Read(digest);
  if (!content.ok()) return content.status();
  v1::Evidence evidence;
  evidence.set_name(name);
  evidence.set_kind(found->row.kind);
  evidence.set_media_type(found->row.media_type);
  evidence.set_title(found->row.title);
  evidence.set_truncated(found->row.truncated);
  evidence.set_content(std::move(*content));
  return evidence;
}

absl::StatusOr<std::vector<EvidenceRow>> History::DescribeEvidence(const std::vector<std::string>& names) const {
  std::vector<EvidenceRow> rows;
  absl::Status status = readers_->Read([&](Connection& db) {
    for (const std::string& name : names) {
      const std::string digest = internal::DigestOfName(name);
      if (digest.empty()) return IsNoEvidence(name);
      absl::StatusOr<Found> found = Find(db, digest);
      if (!found.ok()) return found.status();
      if (found->present) rows.push_back(std::move(found->row));
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return rows;
}

absl::Status History::MakeRoom(int64_t bytes) {
  // Each round removes many at once and a little more than needed, so that a full folder does not cost a commit a file.
  const int64_t most = options_.evidence_bytes;
  const int64_t aim = std::max<int64_t>(0, most - most / 20 - bytes);
  bool enough = false;
  for (int round = 0; round < 64 && !enough; ++round) {
    std::vector<std::string> removed;
    absl::Status status = readers_->Read([&](Connection& db) {
      absl::StatusOr<int64_t> total = db.Number("SELECT bytes FROM evidence_total");
      if (total.ok()) enough = *total + bytes <= most;
      return total.status();
    });
    if (!status.ok() || enough) return status;
    status = writer_->Write([&](Connection& db) {
      removed.clear();
      absl::StatusOr<int64_t> total = db.Number("SELECT bytes FROM evidence_total");
      if (!total.ok()) return total.status();
      {
        Statement oldest(db, "SELECT digest, bytes FROM evidence ORDER BY failure, time LIMIT ?");
        oldest.Bind(kMostEvicted);
        while (*total > aim && oldest.Step()) {
          removed.push_back(oldest.Bytes(0));
          *total -= oldest.Integer(1);
        }
        if (!oldest.status().ok()) return oldest.status();
      }
      for (const std::string& digest : removed) {
        absl::Status deleted = Statement(db, "DELETE FROM evidence WHERE digest=?").BindBlob(digest).Run();
        if (!deleted.ok()) return deleted;
      }
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
    RemoveFiles(removed);
    if (removed.empty()) break;
  }
  return absl::OkStatus();
}

void History::RemoveFiles(const std::vector<std::string>& digests) const {
  for (const std::string& digest : digests) {
    std::lock_guard<std::mutex> lock(folder_->LockOf(digest));
    // It may have come again since; and what cannot be looked up is left to the sweep.
    absl::StatusOr<Found> found = Find(*readers_, digest);
    if (found.ok() && !found->present) folder_->Remove(digest);
  }
}

int History::SweepFolder(int subfolder) const {
  constexpr absl::Duration kLongDone = absl::Minutes(10);
  return folder_->Sweep(subfolder, kLongDone, [this](const std::string& digest) {
    absl::StatusOr<Found> found = Find(*readers_, digest);
    return !found.ok() || found->present;
  });
}

}  // namespace puckdrop::readiness
