// The media library's fuzz entry points: each takes any bytes and checks what must hold for all of them.
// Shared by the libFuzzer binaries here and by the corpus test of the normal test run.
#pragma once

#include <cstddef>
#include <cstdint>

namespace puckdrop::media {

void FuzzHlsPlaylist(const uint8_t* data, size_t size);
void FuzzCodecString(const uint8_t* data, size_t size);
// Two bytes of the initialisation segment's length (little endian), then it, then the segment.
void FuzzDecoder(const uint8_t* data, size_t size);
void FuzzDeviceProfile(const uint8_t* data, size_t size);

}  // namespace puckdrop::media
