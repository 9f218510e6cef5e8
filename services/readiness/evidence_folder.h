// Files named by the SHA-256 of what is in them: `ab/<64 hex digits>` in one folder.
#ifndef PUCKDROP_SERVICES_READINESS_EVIDENCE_FOLDER_H_
#define PUCKDROP_SERVICES_READINESS_EVIDENCE_FOLDER_H_

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace puckdrop::readiness {

// Thread-safe; blocks, so never on the event loop. Digests are 32 bytes. Errors: RESOURCE_EXHAUSTED when the disk is
// full, FAILED_PRECONDITION when it may not be written, UNAVAILABLE for other faults of the disk.
class EvidenceFolder {
 public:
  // Makes the folder (0700) if need be.
  static absl::StatusOr<std::unique_ptr<EvidenceFolder>> Open(const std::string& path);

  static std::string DigestOf(const std::string& content);

  // Held by whoever writes a file and notes it down, or looks whether it is noted down and removes it: else of two
  // who do so at once one would remove what the other has just noted. Of one digest at a time only.
  std::mutex& LockOf(const std::string& digest) { return locks_[static_cast<unsigned char>(digest[0]) % kLocks]; }

  bool Has(const std::string& digest) const;
  // Whole and on the disk when it returns OK; nothing is left behind else. A file that is there is left as it is.
  absl::Status Write(const std::string& digest, const std::string& content) const;
  // NOT_FOUND; DATA_LOSS when the content is not what its name says.
  absl::StatusOr<std::string> Read(const std::string& digest) const;
  void Remove(const std::string& digest) const;
  // As the same file where the disks allow it, else as a copy. NOT_FOUND when it is not here.
  absl::Status CopyTo(const EvidenceFolder& other, const std::string& digest) const;

  // Removes files of one of the 256 subfolders that are older than `age` (by the disk's clock) and that `is_known`
  // does not know: what a process left that was killed between writing a file and noting it down. How many.
  int Sweep(int subfolder, absl::Duration age, const std::function<bool(const std::string& digest)>& is_known);

 private:
  static constexpr size_t kLocks = 64;
  explicit EvidenceFolder(std::string path) : path_(std::move(path)) {}
  std::string PathOf(const std::string& digest) const;
  absl::Status MakeSubfolder(const std::string& digest) const;

  const std::string path_;
  std::array<std::mutex, kLocks> locks_;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_EVIDENCE_FOLDER_H_
