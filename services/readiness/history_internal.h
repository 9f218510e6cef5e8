// What the parts of History share. Used by history*.cc only.
#ifndef PUCKDROP_SERVICES_READINESS_HISTORY_INTERNAL_H_
#define PUCKDROP_SERVICES_READINESS_HISTORY_INTERNAL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/readiness/history_types.h"

namespace puckdrop::readiness::internal {

// In order; see history_schema.cc.
const std::vector<const char*>& HistoryMigrations();

// What is asked for, or `standard` for 0, at most `most`. INVALID_ARGUMENT when negative.
absl::StatusOr<int> PageSizeOf(int asked, int standard, int most);
// The number that a page ended with; the largest for the first page. INVALID_ARGUMENT for what is no token of ours.
absl::StatusOr<int64_t> BeforeOf(const std::string& page_token);

// At most `most` bytes, cut between characters of UTF-8.
std::string Cut(const std::string& text, size_t most);

// `evidence/<64 hex digits>` to 32 bytes; "" for anything else.
std::string DigestOfName(const std::string& name);
std::string NameOfDigest(const std::string& digest);

}  // namespace puckdrop::readiness::internal

#endif  // PUCKDROP_SERVICES_READINESS_HISTORY_INTERNAL_H_
