#include "checks/media/url.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace puckdrop::media {
namespace {

bool IsScheme(absl::string_view text) {
  if (text.empty() || !absl::ascii_isalpha(text[0])) return false;
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c) || c == '+' || c == '-' || c == '.'; });
}

// RFC 3986 section 5.2.4, in one pass over the input.
std::string RemoveDotSegments(absl::string_view input) {
  std::string output;
  output.reserve(input.size());
  auto drop_last = [&output] {
    size_t slash = output.rfind('/');
    output.resize(slash == std::string::npos ? 0 : slash);
  };
  while (!input.empty()) {
    if (absl::ConsumePrefix(&input, "../") || absl::ConsumePrefix(&input, "./")) continue;
    if (absl::StartsWith(input, "/./")) {
      input.remove_prefix(2);
    } else if (input == "/.") {
      input = "/";
    } else if (absl::StartsWith(input, "/../")) {
      input.remove_prefix(3);
      drop_last();
    } else if (input == "/..") {
      input = "/";
      drop_last();
    } else if (input == "." || input == "..") {
      input = "";
    } else {
      size_t end = input.find('/', 1);
      absl::string_view segment = input.substr(0, end);
      output.append(segment.data(), segment.size());
      input.remove_prefix(segment.size());
    }
  }
  return output;
}

std::string Merge(const UrlParts& base, absl::string_view reference_path) {
  if (base.authority && base.path.empty()) return absl::StrCat("/", reference_path);
  size_t slash = base.path.rfind('/');
  if (slash == std::string::npos) return std::string(reference_path);
  return absl::StrCat(absl::string_view(base.path).substr(0, slash + 1), reference_path);
}

std::string PercentDecode(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 1])) &&
        absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 2]))) {
      auto digit = [](char c) {
        return absl::ascii_isdigit(static_cast<unsigned char>(c)) ? c - '0' : (c | 32) - 'a' + 10;
      };
      out.push_back(static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::optional<std::array<int, 4>> ParseIpv4(absl::string_view host) {
  std::vector<absl::string_view> labels = absl::StrSplit(host, '.');
  if (labels.size() != 4) return std::nullopt;
  std::array<int, 4> address{};
  for (int i = 0; i < 4; ++i) {
    if (labels[i].empty() || labels[i].size() > 3 || !absl::SimpleAtoi(labels[i], &address[i]) || address[i] < 0 ||
        address[i] > 255) {
      return std::nullopt;
    }
  }
  return address;
}

}  // namespace

UrlParts SplitUrl(absl::string_view url) {
  UrlParts parts;
  if (size_t hash = url.find('#'); hash != absl::string_view::npos) {
    parts.fragment = std::string(url.substr(hash + 1));
    url = url.substr(0, hash);
  }
  if (size_t question = url.find('?'); question != absl::string_view::npos) {
    parts.query = std::string(url.substr(question + 1));
    url = url.substr(0, question);
  }
  size_t colon = url.find(':');
  if (colon != absl::string_view::npos && IsScheme(url.substr(0, colon))) {
    parts.scheme = absl::AsciiStrToLower(url.substr(0, colon));
    url.remove_prefix(colon + 1);
  }
  if (absl::ConsumePrefix(&url, "//")) {
    size_t slash = url.find('/');
    parts.authority = std::string(url.substr(0, slash));
    url = slash == absl::string_view::npos ? absl::string_view() : url.substr(slash);
  }
  parts.path = std::string(url);
  return parts;
}

std::string JoinUrl(const UrlParts& parts) {
  std::string url;
  if (parts.scheme) absl::StrAppend(&url, *parts.scheme, ":");
  if (parts.authority) absl::StrAppend(&url, "//", *parts.authority);
  absl::StrAppend(&url, parts.path);
  if (parts.query) absl::StrAppend(&url, "?", *parts.query);
  if (parts.fragment) absl::StrAppend(&url, "#", *parts.fragment);
  return url;
}

std::string ResolveUrl(absl::string_view base_text, absl::string_view reference_text) {
  UrlParts base = SplitUrl(base_text);
  UrlParts target = SplitUrl(reference_text);
  if (target.scheme) {
    target.path = RemoveDotSegments(target.path);
    return JoinUrl(target);
  }
  target.scheme = base.scheme;
  if (target.authority) {
    target.path = RemoveDotSegments(target.path);
    return JoinUrl(target);
  }
  target.authority = base.authority;
  if (target.path.empty()) {
    target.path = base.path;
    if (!target.query) target.query = base.query;
  } else if (target.path[0] == '/') {
    target.path = RemoveDotSegments(target.path);
  } else {
    target.path = RemoveDotSegments(Merge(base, target.path));
  }
  return JoinUrl(target);
}

std::string HostOf(absl::string_view url) {
  UrlParts parts = SplitUrl(url);
  if (!parts.authority) return "";
  absl::string_view host = *parts.authority;
  if (size_t at = host.rfind('@'); at != absl::string_view::npos) host.remove_prefix(at + 1);
  if (absl::StartsWith(host, "[")) {
    host = host.substr(1, host.find(']') == absl::string_view::npos ? host.size() : host.find(']') - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  return absl::AsciiStrToLower(host);
}

std::optional<std::string> QueryParameter(absl::string_view url, absl::string_view name) {
  UrlParts parts = SplitUrl(url);
  if (!parts.query) return std::nullopt;
  for (absl::string_view pair : absl::StrSplit(*parts.query, '&')) {
    size_t equals = pair.find('=');
    if (PercentDecode(pair.substr(0, equals)) != name) continue;
    return equals == absl::string_view::npos ? std::string() : PercentDecode(pair.substr(equals + 1));
  }
  return std::nullopt;
}

bool IsPrivateHost(absl::string_view host_text) {
  std::string host = absl::AsciiStrToLower(host_text);
  if (host == "localhost" || absl::EndsWith(host, ".localhost") || absl::EndsWith(host, ".local") ||
      absl::EndsWith(host, ".internal")) {
    return true;
  }
  if (auto ip = ParseIpv4(host)) {
    const auto& a = *ip;
    return a[0] == 0 || a[0] == 10 || a[0] == 127 || (a[0] == 169 && a[1] == 254) ||
           (a[0] == 172 && a[1] >= 16 && a[1] <= 31) || (a[0] == 192 && a[1] == 168) ||
           (a[0] == 100 && a[1] >= 64 && a[1] <= 127);
  }
  if (host.find(':') == std::string::npos) return false;
  return host == "::1" || absl::StartsWith(host, "fe8") || absl::StartsWith(host, "fe9") ||
         absl::StartsWith(host, "fea") || absl::StartsWith(host, "feb") || absl::StartsWith(host, "fc") ||
         absl::StartsWith(host, "fd");
}

bool IsStagingHost(absl::string_view host) {
  for (absl::string_view label : absl::StrSplit(host, '.')) {
    for (absl::string_view word : absl::StrSplit(label, '-')) {
      for (absl::string_view mark : {"staging", "stage", "stg", "uat", "dev", "test", "preprod"}) {
        if (absl::EqualsIgnoreCase(word, mark)) return true;
      }
    }
  }
  return false;
}

const char* ContentKindWords(ContentKind kind) {
  switch (kind) {
    case ContentKind::kUnknown:
      return "content of no known kind";
    case ContentKind::kEmpty:
      return "nothing (zero bytes)";
    case ContentKind::kHlsPlaylist:
      return "an HLS playlist";
    case ContentKind::kDashManifest:
      return "a DASH manifest";
    case ContentKind::kMpegTs:
      return "an MPEG transport stream";
    case ContentKind::kMp4:
      return "an MP4 file or fragment";
    case ContentKind::kAdtsAac:
      return "AAC audio (ADTS)";
    case ContentKind::kAc3:
      return "Dolby Digital audio";
    case ContentKind::kWebVtt:
      return "WebVTT captions";
    case ContentKind::kHtml:
      return "an HTML page";
    case ContentKind::kJson:
      return "a JSON document";
    case ContentKind::kXml:
      return "an XML document";
    case ContentKind::kText:
      return "plain text";
    case ContentKind::kBinary:
      return "bytes of no known format";
  }
  return "content of no known kind";
}

ContentKind KindOfContentType(absl::string_view content_type) {
  std::string type = absl::AsciiStrToLower(absl::StripAsciiWhitespace(content_type.substr(0, content_type.find(';'))));
  if (type.empty()) return ContentKind::kUnknown;
  if (type == "application/vnd.apple.mpegurl" || type == "audio/mpegurl" || type == "application/x-mpegurl" ||
      type == "audio/x-mpegurl") {
    return ContentKind::kHlsPlaylist;
  }
  if (type == "application/dash+xml") return ContentKind::kDashManifest;
  if (type == "video/mp2t") return ContentKind::kMpegTs;
  if (type == "video/mp4" || type == "audio/mp4" || type == "application/mp4" || type == "video/iso.segment" ||
      type == "audio/iso.segment") {
    return ContentKind::kMp4;
  }
  if (type == "audio/aac" || type == "audio/aacp") return ContentKind::kAdtsAac;
  if (type == "audio/ac3" || type == "audio/eac3") return ContentKind::kAc3;
  if (type == "text/vtt") return ContentKind::kWebVtt;
  if (type == "text/html" || type == "application/xhtml+xml") return ContentKind::kHtml;
  if (type == "application/json" || absl::EndsWith(type, "+json")) return ContentKind::kJson;
  if (type == "application/xml" || type == "text/xml" || absl::EndsWith(type, "+xml")) return ContentKind::kXml;
  if (absl::StartsWith(type, "text/")) return ContentKind::kText;
  if (type == "application/octet-stream" || type == "binary/octet-stream") return ContentKind::kBinary;
  return ContentKind::kUnknown;
}

ContentKind SniffContent(absl::string_view bytes) {
  if (bytes.empty()) return ContentKind::kEmpty;
  // A transport stream first: its sync bytes are the surest sign there is.
  auto byte = [&bytes](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  if (byte(0) == 0x47 && (bytes.size() < 377 ? bytes.size() >= 188 : byte(188) == 0x47 && byte(376) == 0x47)) {
    return ContentKind::kMpegTs;
  }
  if (bytes.size() >= 8) {
    absl::string_view type = bytes.substr(4, 4);
    for (absl::string_view known : {"ftyp", "styp", "moov", "moof", "sidx", "mdat", "emsg", "prft", "free", "skip"}) {
      if (type == known) return ContentKind::kMp4;
    }
  }
  if (bytes.size() >= 2 && byte(0) == 0xff && (byte(1) & 0xf6) == 0xf0) return ContentKind::kAdtsAac;
  if (bytes.size() >= 2 && byte(0) == 0x0b && byte(1) == 0x77) return ContentKind::kAc3;
  if (absl::StartsWith(bytes, "ID3")) return ContentKind::kAdtsAac;

  absl::string_view text = bytes.substr(0, 4096);
  absl::ConsumePrefix(&text, "\xef\xbb\xbf");
  text = absl::StripLeadingAsciiWhitespace(text);
  if (absl::StartsWith(text, "#EXTM3U")) return ContentKind::kHlsPlaylist;
  if (absl::StartsWith(text, "WEBVTT")) return ContentKind::kWebVtt;
  if (absl::StartsWithIgnoreCase(text, "<!doctype html") || absl::StartsWithIgnoreCase(text, "<html") ||
      absl::StartsWithIgnoreCase(text, "<head") || absl::StartsWithIgnoreCase(text, "<body")) {
    return ContentKind::kHtml;
  }
  if (absl::StartsWith(text, "<")) {
    std::string lower = absl::AsciiStrToLower(text.substr(0, 1024));
    if (lower.find("<mpd") != std::string::npos) return ContentKind::kDashManifest;
    if (lower.find("<html") != std::string::npos) return ContentKind::kHtml;
    return ContentKind::kXml;
  }
  if (absl::StartsWith(text, "{") || absl::StartsWith(text, "[")) return ContentKind::kJson;
  bool printable = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c >= 0x20 || c == '\n' || c == '\r' || c == '\t' || c == '\f';
  });
  return printable ? ContentKind::kText : ContentKind::kBinary;
}

std::optional<std::string> ContentTypeMismatch(absl::string_view content_type, ContentKind served) {
  std::string type = absl::AsciiStrToLower(absl::StripAsciiWhitespace(content_type.substr(0, content_type.find(';'))));
  if (type.empty()) return absl::StrCat("no Content-Type for ", ContentKindWords(served));
  bool fits = true;
  switch (served) {
    case ContentKind::kHlsPlaylist:
      fits = type == "application/vnd.apple.mpegurl" || type == "audio/mpegurl";
      break;
    case ContentKind::kMpegTs:
    case ContentKind::kMp4:
    case ContentKind::kAdtsAac:
    case ContentKind::kAc3:
    case ContentKind::kWebVtt:
    case ContentKind::kDashManifest:
      fits = KindOfContentType(type) == served;
      break;
    default:
      break;
  }
  if (fits) return std::nullopt;
  return absl::StrCat("Content-Type \"", type, "\" for ", ContentKindWords(served));
}

}  // namespace puckdrop::media
