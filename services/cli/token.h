// `puckdrop token new`: a token for a person or a service.
#ifndef PUCKDROP_SERVICES_CLI_TOKEN_H_
#define PUCKDROP_SERVICES_CLI_TOKEN_H_

#include <string>

namespace puckdrop::cli {

struct TokenOptions {
  std::string name;
  std::string scopes;  // `run,pause`
  bool json = false;
};

// Prints the token, which is kept nowhere, and the line for the file of --tokens. Exit code.
int RunTokenNew(const TokenOptions& options);

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_TOKEN_H_
