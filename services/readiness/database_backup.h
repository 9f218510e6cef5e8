// A copy of an SQLite file that others go on writing.
#ifndef PUCKDROP_SERVICES_READINESS_DATABASE_BACKUP_H_
#define PUCKDROP_SERVICES_READINESS_DATABASE_BACKUP_H_

#include <string>

#include "absl/status/status.h"

namespace puckdrop::readiness {

// Copies `from` as it is at one moment to `to`, page by page on the caller's thread; whoever writes `from` does not
// wait, its log grows meanwhile. `to` is whole and on the disk when it returns OK and is not there else.
// ALREADY_EXISTS when `to` exists; else errors of Connection::ErrorOf.
absl::Status CopyDatabase(const std::string& from, const std::string& to);

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_DATABASE_BACKUP_H_
