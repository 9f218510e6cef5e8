// Shell completion, made from the commands and options themselves so that it cannot fall behind them.
#ifndef PUCKDROP_SERVICES_CLI_COMPLETION_H_
#define PUCKDROP_SERVICES_CLI_COMPLETION_H_

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace puckdrop::cli {

// A script for bash or zsh: commands, options, words that an option takes, files and folders where it takes those, and
// `checks` where it takes a check's id. Empty for another shell.
std::string CompletionScript(const CLI::App& app, const std::string& shell, const std::vector<std::string>& checks);

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_COMPLETION_H_
