// The directory that readiness keeps its state in.
#ifndef PUCKDROP_SERVICES_READINESS_STATE_DIRECTORY_H_
#define PUCKDROP_SERVICES_READINESS_STATE_DIRECTORY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace puckdrop::readiness {

// `${XDG_STATE_HOME:-~/.local/state}/puckdrop/<launch>`.
std::string DefaultStateDirectory(const std::string& launch);

// Makes `path` and what it lies in (0700), and adds what was not there to `made`, outermost first. FAILED_PRECONDITION
// when it cannot.
absl::Status MakeDirectories(const std::string& path, std::vector<std::string>* made);

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_STATE_DIRECTORY_H_
