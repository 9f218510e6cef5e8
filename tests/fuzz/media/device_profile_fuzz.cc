#include "fuzz_targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  puckdrop::media::FuzzDeviceProfile(data, size);
  return 0;
}
