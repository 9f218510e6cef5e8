// A process that owes something and is then killed: store_crash_helper DIRECTORY RUN COUNT. Prints a line for every
// obligation that was answered, then waits for its end.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "services/readiness/store.h"

int main(int argc, char** argv) {
  using namespace puckdrop;
  if (argc != 4) return 64;
  runtime::RealClock clock;
  auto store = readiness::Store::Open(argv[1], clock);
  if (!store.ok() || !(*store)->ClaimRun(argv[2]).ok()) return 1;
  for (int i = 0; i < std::atoi(argv[3]); ++i) {
    v1::Obligation obligation;
    obligation.set_launch("liiga");
    obligation.set_operation("ordering.place_order");
    obligation.set_customer("sofa");
    obligation.set_account("pd-x@pilot.invalid");
    obligation.set_idempotency_key("key");
    obligation.set_path("ordering");
    obligation.set_owner(argv[2]);
    auto opened = (*store)->OpenObligation(obligation);
    if (!opened.ok()) return 1;
    std::printf("%s\n", opened->name().c_str());
    std::fflush(stdout);
  }
  alarm(60);
  for (;;) pause();
}
