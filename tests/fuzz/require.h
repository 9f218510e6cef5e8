// What the fuzz targets share.
#ifndef PUCKDROP_TESTS_FUZZ_REQUIRE_H_
#define PUCKDROP_TESTS_FUZZ_REQUIRE_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/string_view.h"

namespace puckdrop::fuzz {

// A property that must hold for any input; aborts, so that libFuzzer keeps the input.
inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

inline absl::string_view AsText(const std::uint8_t* data, std::size_t size) {
  return absl::string_view(reinterpret_cast<const char*>(data), size);
}

}  // namespace puckdrop::fuzz

#endif  // PUCKDROP_TESTS_FUZZ_REQUIRE_H_
