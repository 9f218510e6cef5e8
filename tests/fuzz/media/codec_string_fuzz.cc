// Codec strings, and what else of a manifest is one short text: references, hosts, content types.
#include <cstddef>
#include <cstdint>
#include <string>

#include "checks/media/codec_string.h"
#include "checks/media/url.h"
#include "tests/fuzz/require.h"

using namespace puckdrop::media;  // NOLINT: a fuzz target is all about it
using puckdrop::fuzz::AsText;
using puckdrop::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const absl::string_view text = AsText(data, size);
  auto codec = ParseCodecString(text);
  if (codec.ok()) {
    Require(!codec->words.empty(), "a codec has words");
    Require(codec->level < 2000, "a level is small");
  } else {
    Require(!codec.status().message().empty(), "a refusal has a reason");
  }
  for (const CodecInfo& item : ParseCodecList(text)) Require(!item.words.empty(), "each codec of a list has words");
  const std::string resolved = ResolveUrl("http://a/b/c/d;p?q", text);
  HostOf(resolved);
  IsPrivateHost(text);
  IsStagingHost(text);
  KindOfContentType(text);
  return 0;
}
