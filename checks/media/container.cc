#include "checks/media/container.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "checks/media/url.h"

namespace puckdrop::media {
namespace {

constexpr size_t kTsPacket = 188;

uint32_t Read32(absl::string_view bytes, size_t at) {
  return static_cast<uint32_t>(static_cast<uint8_t>(bytes[at])) << 24 |
         static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + 1])) << 16 |
         static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + 2])) << 8 | static_cast<uint8_t>(bytes[at + 3]);
}

struct Box {
  absl::string_view type;
  absl::string_view body;
  uint64_t declared = 0;  // size in its header
  bool whole = true;
};

// The next box of `rest`, or false at its end. A box that runs past the end has what there is of its body.
bool NextBox(absl::string_view& rest, Box* box) {
  if (rest.empty()) return false;
  if (rest.size() < 8) {
    *box = {rest, {}, 8, false};
    rest = {};
    return true;
  }
  uint64_t size = Read32(rest, 0);
  size_t header = 8;
  if (size == 1) {
    if (rest.size() < 16) {
      *box = {rest.substr(4, 4), {}, 16, false};
      rest = {};
      return true;
    }
    size = static_cast<uint64_t>(Read32(rest, 8)) << 32 | Read32(rest, 12);
    header = 16;
  } else if (size == 0) {
    size = rest.size();  // to the end of the file
  }
  box->type = rest.substr(4, 4);
  box->declared = size;
  box->whole = size >= header && size <= rest.size();
  size_t taken = box->whole ? static_cast<size_t>(size) : rest.size();
  box->body = rest.substr(header, taken - header);
  rest.remove_prefix(taken);
  return true;
}

// Protected sample entries of one track: ISO/IEC 23001-7 section 4.
void ReadProtection(absl::string_view stsd, uint32_t track, ContainerFacts& facts) {
  if (stsd.size() < 8) return;
  absl::string_view entries = stsd.substr(8);
  Box entry;
  for (int i = 0; i < 16 && NextBox(entries, &entry); ++i) {
    const bool video = entry.type == "encv";
    if (!video && entry.type != "enca" && entry.type != "enct") continue;
    const size_t fixed = video ? 78 : entry.type == "enca" ? 28 : 8;
    std::string& scheme = facts.encryption_scheme[track];
    if (scheme.empty()) scheme = "unknown";
    if (entry.body.size() < fixed) continue;
    absl::string_view children = entry.body.substr(fixed);
    Box child;
    for (int j = 0; j < 64 && NextBox(children, &child); ++j) {
      if (child.type != "sinf") continue;
      absl::string_view inside = child.body;
      Box box;
      for (int k = 0; k < 64 && NextBox(inside, &box); ++k) {
        if (box.type == "schm" && box.body.size() >= 8) scheme = absl::Utf8SafeCEscape(box.body.substr(4, 4));
        if (box.type != "schi") continue;
        absl::string_view info = box.body;
        Box tenc;
        for (int l = 0; l < 64 && NextBox(info, &tenc); ++l) {
          if (tenc.type == "tenc" && tenc.body.size() >= 24) {
            facts.default_key_id[track] = absl::BytesToHexString(tenc.body.substr(8, 16));
          }
        }
      }
    }
  }
}

// Walks moov/trak/mdia/minf/stbl; the depth is bounded by the names.
void ReadMovie(absl::string_view body, uint32_t track, int depth, ContainerFacts& facts) {
  Box box;
  for (int i = 0; i < 4096 && NextBox(body, &box); ++i) {
    if (box.type == "tkhd" && box.body.size() >= 24) {
      const bool wide = box.body[0] == 1;
      track = Read32(box.body, wide ? 20 : 12);
    } else if (box.type == "stsd") {
      ReadProtection(box.body, track, facts);
    } else if (depth < 6 && (box.type == "trak" || box.type == "mdia" || box.type == "minf" || box.type == "stbl")) {
      ReadMovie(box.body, track, depth + 1, facts);
    }
  }
}

struct Mp4Scan {
  bool moov = false, moof = false, mdat = false;
  std::string truncation;
};

Mp4Scan ScanMp4(absl::string_view bytes, const char* what, ContainerFacts& facts) {
  Mp4Scan scan;
  Box box;
  const size_t total = bytes.size();
  for (int i = 0; i < 100'000; ++i) {
    const size_t at = total - bytes.size();
    if (!NextBox(bytes, &box)) break;
    if (!box.whole) {
      scan.truncation =
          box.type.size() == 4
              ? absl::StrCat(what, " ends inside the box \"", absl::Utf8SafeCEscape(box.type), "\" at byte ", at,
                             ": it says ", box.declared, " bytes, there are ", total - at)
              : absl::StrCat(what, " ends inside a box header at byte ", at);
    }
    if (box.type == "moov") {
      scan.moov = true;
      ReadMovie(box.body, 0, 0, facts);
    }
    scan.moof |= box.type == "moof";
    scan.mdat |= box.type == "mdat";
  }
  return scan;
}

void InspectMp4(absl::string_view init, absl::string_view segment, ContainerFacts& facts) {
  Mp4Scan head = ScanMp4(init, "the initialisation segment", facts);
  Mp4Scan body = ScanMp4(segment, "the segment", facts);
  facts.container = body.moof || (!body.mdat && !body.moov) || head.moov ? Container::kFmp4 : Container::kMp4;
  if (!head.moov && !body.moov) {
    facts.problem = SegmentProblem::kNoInit;
    facts.words = init.empty() ? "no moov: the fragment came without its initialisation segment (EXT-X-MAP)"
                               : "no moov: the initialisation segment does not hold one";
    return;
  }
  const std::string& truncation = head.truncation.empty() ? body.truncation : head.truncation;
  if (!truncation.empty()) {
    facts.problem = SegmentProblem::kTruncated;
    facts.words = absl::StrCat("truncated: ", truncation);
  } else if (!body.moof && !body.mdat && !init.empty()) {
    facts.problem = SegmentProblem::kNoStreams;
    facts.words = "no moof and no mdat: the segment holds no media";
  }
}

// The first offset from which three packets in a row have their sync byte; npos when there is none in the first 64 KiB.
size_t FindTsSync(absl::string_view bytes) {
  const size_t last = std::min<size_t>(bytes.size(), 64u << 10);
  for (size_t at = 0; at < last; ++at) {
    if (bytes[at] != 0x47) continue;
    if (at + 2 * kTsPacket < bytes.size() && bytes[at + kTsPacket] == 0x47 && bytes[at + 2 * kTsPacket] == 0x47) {
      return at;
    }
  }
  return absl::string_view::npos;
}

void InspectTs(absl::string_view segment, ContainerFacts& facts) {
  facts.container = Container::kMpegTs;
  absl::string_view packets = segment.substr(std::min(facts.garbage_bytes, segment.size()));
  size_t lost = 0;
  for (size_t at = 0; at + kTsPacket <= packets.size(); at += kTsPacket) lost += packets[at] != 0x47;
  if (facts.garbage_bytes > 0) {
    facts.problem = SegmentProblem::kNotMedia;
    facts.words = absl::StrCat(facts.garbage_bytes, " garbage bytes before the first MPEG-TS packet");
  } else if (packets.size() % kTsPacket != 0) {
    facts.problem = SegmentProblem::kTruncated;
    facts.words = absl::StrCat("truncated: ends ", packets.size() % kTsPacket, " bytes into an MPEG-TS packet");
  } else if (lost > 0) {
    facts.problem = SegmentProblem::kNotMedia;
    facts.words = absl::StrCat(lost, " of ", packets.size() / kTsPacket, " MPEG-TS packets have no sync byte");
  }
}

}  // namespace

const char* ContainerId(Container container) {
  switch (container) {
    case Container::kUnknown:
      return "unknown";
    case Container::kMpegTs:
      return "ts";
    case Container::kFmp4:
      return "fmp4";
    case Container::kMp4:
      return "mp4";
    case Container::kAdts:
      return "aac";
    case Container::kAc3:
      return "ac3";
    case Container::kWebVtt:
      return "webvtt";
  }
  return "unknown";
}

const char* SegmentProblemId(SegmentProblem problem) {
  switch (problem) {
    case SegmentProblem::kNone:
      return "none";
    case SegmentProblem::kEmpty:
      return "empty";
    case SegmentProblem::kTooLarge:
      return "too_large";
    case SegmentProblem::kNotMedia:
      return "not_media";
    case SegmentProblem::kNoInit:
      return "no_init";
    case SegmentProblem::kTruncated:
      return "truncated";
    case SegmentProblem::kNoStreams:
      return "no_streams";
    case SegmentProblem::kUndecodable:
      return "undecodable";
    case SegmentProblem::kOutOfTime:
      return "out_of_time";
    case SegmentProblem::kInternal:
      return "internal";
  }
  return "internal";
}

bool IsOurs(SegmentProblem problem) {
  return problem == SegmentProblem::kOutOfTime || problem == SegmentProblem::kInternal;
}

ContainerFacts InspectContainer(absl::string_view init, absl::string_view segment) {
  ContainerFacts facts;
  const ContentKind kind = SniffContent(segment);
  switch (kind) {
    case ContentKind::kEmpty:
      facts.problem = SegmentProblem::kEmpty;
      facts.words = "the segment has zero bytes";
      return facts;
    case ContentKind::kMpegTs:
      InspectTs(segment, facts);
      return facts;
    case ContentKind::kMp4:
      InspectMp4(init, segment, facts);
      return facts;
    case ContentKind::kAdtsAac:
      facts.container = Container::kAdts;
      return facts;
    case ContentKind::kAc3:
      facts.container = Container::kAc3;
      return facts;
    case ContentKind::kWebVtt:
      facts.container = Container::kWebVtt;
      return facts;
    case ContentKind::kHtml:
    case ContentKind::kJson:
    case ContentKind::kXml:
    case ContentKind::kText:
    case ContentKind::kHlsPlaylist:
    case ContentKind::kDashManifest:
      facts.problem = SegmentProblem::kNotMedia;
      facts.words = absl::StrCat("not media: ", ContentKindWords(kind), " instead of a segment");
      return facts;
    case ContentKind::kUnknown:
    case ContentKind::kBinary:
      break;
  }
  if (size_t sync = FindTsSync(segment); sync != absl::string_view::npos) {
    facts.garbage_bytes = sync;
    InspectTs(segment, facts);
    return facts;
  }
  facts.problem = SegmentProblem::kNotMedia;
  facts.words = "garbage bytes: not MPEG-TS, not MP4, not AAC";
  return facts;
}

}  // namespace puckdrop::media
