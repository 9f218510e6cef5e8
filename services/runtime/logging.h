// Logs go to stderr, one line each, through spdlog.
#ifndef PUCKDROP_SERVICES_RUNTIME_LOGGING_H_
#define PUCKDROP_SERVICES_RUNTIME_LOGGING_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace puckdrop::runtime {

// For a --log-level flag: trace, debug, info, warn, error, off. INVALID_ARGUMENT names them all. Once, by main.
absl::Status InitLogging(const std::string& level);

// Text from elsewhere, fit for one line of a log or a terminal: control characters, escapes and bad UTF-8 become
// visible
// (`\x1b`), and what is longer than `most` bytes is cut with "…".
std::string Printable(absl::string_view text, size_t most = 1000);

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_SERVICES_RUNTIME_LOGGING_H_
