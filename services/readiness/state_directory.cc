#include "services/readiness/state_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace puckdrop::readiness {

std::string DefaultStateDirectory(const std::string& launch) {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  std::string base;
  if (state != nullptr && state[0] == '/') {
    base = state;
  } else if (home != nullptr && home[0] == '/') {
    base = absl::StrCat(home, "/.local/state");
  } else {
    base = absl::StrCat("/tmp/puckdrop-state-", getuid());
  }
  return absl::StrCat(base, "/puckdrop/", launch);
}

absl::Status MakeDirectories(const std::string& path, std::vector<std::string>* made) {
  const std::filesystem::path whole = std::filesystem::absolute(path).lexically_normal();
  std::filesystem::path sofar;
  for (const std::filesystem::path& part : whole) {
    sofar /= part;
    if (sofar.string().empty() || sofar == "/") continue;
    if (mkdir(sofar.c_str(), 0700) == 0) {
      made->push_back(sofar.string());
    } else if (errno != EEXIST && !std::filesystem::is_directory(sofar)) {
      return absl::FailedPreconditionError(absl::StrCat("cannot make the state directory ", sofar.string(), ": ",
                                                        std::strerror(errno), "; choose another with --state"));
    }
  }
  return absl::OkStatus();
}

}  // namespace puckdrop::readiness
