// The texts of profiles/*.yaml, generated into the build by embed_profiles.cmake. Internal to device_profile.
#pragma once

#include <vector>

#include "absl/strings/string_view.h"

namespace puckdrop::media::internal {

struct ProfileFile {
  absl::string_view name;  // "profiles/samsung.yaml"
  absl::string_view text;
};
std::vector<ProfileFile> BuiltInProfileFiles();

}  // namespace puckdrop::media::internal
