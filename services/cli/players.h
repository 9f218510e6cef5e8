// The player that checks of streams use, put together where everything of a run is known.
#ifndef PUCKDROP_SERVICES_CLI_PLAYERS_H_
#define PUCKDROP_SERVICES_CLI_PLAYERS_H_

#include "services/prober/target_port.h"

namespace puckdrop::cli {

// Makes a live player for each run.
prober::MakePlayer PlayerMaker();

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_PLAYERS_H_
