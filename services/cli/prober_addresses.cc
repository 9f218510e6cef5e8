#include "services/cli/prober_addresses.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/readiness/verdict.h"

namespace puckdrop::cli {

absl::Status ParseProbers(const std::string& text, ProberAddresses* into) {
  const size_t equals = text.find('=');
  const v1::Path path = readiness::PathFromName(text.substr(0, equals));
  if (equals == std::string::npos || path == v1::PATH_UNSPECIFIED || path == v1::PATH_NOTICES) {
    return absl::InvalidArgumentError(
        absl::StrCat("takes PATH=[VANTAGE@]HOST:PORT[,…] with one of the five paths, not '", text, "'"));
  }
  for (const absl::string_view part : absl::StrSplit(absl::string_view(text).substr(equals + 1), ',')) {
    const std::vector<std::string> halves = absl::StrSplit(part, absl::MaxSplits('@', 1));
    ProberAddress address;
    if (halves.size() == 2) address.vantage = halves.front();
    address.address = halves.back();
    const size_t colon = address.address.rfind(':');
    int port = 0;
    if (colon == std::string::npos || colon == 0 || !absl::SimpleAtoi(address.address.substr(colon + 1), &port) ||
        port < 1 || port > 65535 || (halves.size() == 2 && address.vantage.empty())) {
      return absl::InvalidArgumentError(absl::StrCat("'", part, "' is no HOST:PORT or VANTAGE@HOST:PORT"));
    }
    (*into)[path].push_back(std::move(address));
  }
  return absl::OkStatus();
}

}  // namespace puckdrop::cli
