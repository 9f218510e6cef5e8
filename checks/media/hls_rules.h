// The rules that need the whole playlist, run by ParseHlsPlaylist after the last line. Internal to the HLS parser.
#pragma once

#include <functional>

#include "checks/media/hls_playlist.h"

namespace puckdrop::media::internal {

using AddFinding = std::function<void(const char* id, Severity severity, int line, int column, std::string message)>;

void JudgeMultivariant(const HlsPlaylist& playlist, const HlsOptions& options, const AddFinding& add);
// `text_bytes`: the size of the whole text.
void JudgeMedia(const HlsPlaylist& playlist, const HlsOptions& options, size_t text_bytes, const AddFinding& add);
// H-URI over every reference of the playlist.
void JudgeUris(const HlsPlaylist& playlist, const HlsOptions& options, const AddFinding& add);

}  // namespace puckdrop::media::internal
