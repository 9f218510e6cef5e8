// Text from elsewhere, made fit for where it goes.
#ifndef PUCKDROP_SERVICES_RUNTIME_TEXT_H_
#define PUCKDROP_SERVICES_RUNTIME_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace puckdrop::runtime {

// Every byte that is not part of a valid UTF-8 character (RFC 3629) becomes U+FFFD.
std::string ValidUtf8(absl::string_view text);

// At most `most` bytes, cut on a character's border, with "…" in place of what is cut. `text` must be valid UTF-8.
std::string CutText(std::string text, size_t most);

// Control characters (C0, DEL, C1) replaced by what `replace` gives for the code point. `text` must be valid UTF-8.
std::string ReplaceControls(absl::string_view text, std::string (*replace)(unsigned code_point));

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_SERVICES_RUNTIME_TEXT_H_
