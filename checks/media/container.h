// What a segment's bytes are before any decoding: container, wholeness, encryption. Pure and cheap; reads box headers
// and sync bytes only.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace puckdrop::media {

enum class Container { kUnknown, kMpegTs, kFmp4, kMp4, kAdts, kAc3, kWebVtt };

// "ts", "fmp4", "mp4", "aac", "ac3", "webvtt", "unknown": the words of device profiles.
const char* ContainerId(Container container);

enum class SegmentProblem {
  kNone,
  kEmpty,        // zero bytes
  kTooLarge,     // past DecodeOptions::max_bytes: not looked at
  kNotMedia,     // an error page, text, or bytes of no format
  kNoInit,       // fMP4 without its moov
  kTruncated,    // ends inside a packet or box
  kNoStreams,    // a container with nothing in it
  kUndecodable,  // streams that give neither picture nor sound
  kOutOfTime,    // our own time budget ended: says nothing about the segment
  kInternal,     // our own fault, an allocation
};
const char* SegmentProblemId(SegmentProblem problem);
// True for the two that are ours, not the stream's.
bool IsOurs(SegmentProblem problem);

struct ContainerFacts {
  Container container = Container::kUnknown;
  SegmentProblem problem = SegmentProblem::kNone;
  std::string words;  // the problem as a sentence, empty without one
  // fMP4: protection scheme by track id ("cenc", "cbcs"); a track that is in the clear is not listed.
  std::map<uint32_t, std::string> encryption_scheme;
  std::map<uint32_t, std::string> default_key_id;  // 32 hexadecimal digits
  size_t garbage_bytes = 0;                        // before the first transport stream packet
};

// `init` may be empty. kTruncated may still be decodable in part.
ContainerFacts InspectContainer(absl::string_view init, absl::string_view segment);

}  // namespace puckdrop::media
