#include <gtest/gtest.h>

#include <string_view>

#include "tests/checks/plan/support.h"

// `--update` rewrites the golden files.
int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--update") puckdrop::plan::testing::update_golden = true;
  }
  return RUN_ALL_TESTS();
}
