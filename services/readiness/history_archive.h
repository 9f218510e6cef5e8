// The archive of a readiness that stays, in the store of a night.
#ifndef PUCKDROP_SERVICES_READINESS_HISTORY_ARCHIVE_H_
#define PUCKDROP_SERVICES_READINESS_HISTORY_ARCHIVE_H_

#include <memory>

#include "services/readiness/archive.h"
#include "services/readiness/history.h"

namespace puckdrop::readiness {

// Thread-safe. Owns the history.
std::unique_ptr<Archive> MakeHistoryArchive(std::unique_ptr<History> history);

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_HISTORY_ARCHIVE_H_
