#ifndef PUCKDROP_CHECKS_PLAN_SOURCES_H_
#define PUCKDROP_CHECKS_PLAN_SOURCES_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "checks/plan/document.h"
#include "checks/plan/mistake.h"

namespace puckdrop::plan {

// Gives a file's content.
using FileReader = std::function<absl::StatusOr<std::string>(const std::string& path)>;

// From disk, regular files only, at most a little more than a plan may have.
absl::StatusOr<std::string> ReadFromDisk(const std::string& path);

// The files that come with the tool and are included as `std/…`: name (with `std/`) and text.
const std::map<std::string, std::string>& StandardFiles();

// Reads the files with all they include into one tree, and lays the overlays over it. Maps join and a key that is given
// twice is a mistake; of an overlay the later wins, null removes, a list is replaced. Every file read is appended to
// `sources`.
Node ReadTree(const std::vector<std::string>& files, const std::vector<std::string>& overlays, const FileReader& read,
              std::vector<SourceFile>* sources, Mistakes* mistakes);

}  // namespace puckdrop::plan

#endif  // PUCKDROP_CHECKS_PLAN_SOURCES_H_
