// The command line: what may be typed, what it means, and help that teaches.
#ifndef PUCKDROP_SERVICES_CLI_COMMAND_LINE_H_
#define PUCKDROP_SERVICES_CLI_COMMAND_LINE_H_

namespace puckdrop::cli {

// Parses, runs, and gives the exit code. CLI11's own codes become 64; --help and --version are 0.
int RunCommandLine(int argc, const char* const* argv);

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_COMMAND_LINE_H_
