#include "services/cli/command_line.h"

int main(int argc, char** argv) { return puckdrop::cli::RunCommandLine(argc, argv); }
