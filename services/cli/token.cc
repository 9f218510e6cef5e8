#include "services/cli/token.h"

#include <cstdio>

#include "services/cli/exit_codes.h"
#include "services/runtime/access_list.h"

namespace puckdrop::cli {

int RunTokenNew(const TokenOptions& options) {
  absl::StatusOr<runtime::Scopes> scopes = runtime::ParseScopes(options.scopes);
  if (!scopes.ok()) {
    std::fprintf(stderr, "puckdrop token new: --scope: %s\n", std::string(scopes.status().message()).c_str());
    return kExitUsage;
  }
  const std::string token = runtime::NewToken();
  absl::StatusOr<std::string> line = runtime::TokenLine(options.name, token, *scopes);
  if (!line.ok()) {
    std::fprintf(stderr, "puckdrop token new: --name: %s\n", std::string(line.status().message()).c_str());
    return kExitUsage;
  }
  if (options.json) {
    // Both are of characters that JSON takes as they are.
    std::printf("{\"schema\":\"puckdrop.token.v1\",\"token\":\"%s\",\"line\":\"%s\"}\n", token.c_str(), line->c_str());
    return kExitGo;
  }
  std::printf(
      "The token, shown this once. Keep it in a file that only its owner can read (--token-file), or in "
      "PUCKDROP_TOKEN:\n"
      "  %s\n"
      "The line for the service's file of --tokens, which holds only its hash:\n"
      "  %s\n",
      token.c_str(), line->c_str());
  return kExitGo;
}

}  // namespace puckdrop::cli
