#include "services/runtime/text.h"

namespace puckdrop::runtime {
namespace {

constexpr char kReplacement[] = "\xEF\xBF\xBD";
constexpr char kEllipsis[] = "\xE2\x80\xA6";

bool Continues(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// Bytes of the valid character that begins at `at`; 0 when none does.
size_t CharacterAt(absl::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  const size_t left = text.size() - at;
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return left >= 2 && Continues(byte(at + 1)) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (left < 3 || !Continues(byte(at + 1)) || !Continues(byte(at + 2))) return 0;
    if (first == 0xE0 && byte(at + 1) < 0xA0) return 0;   // overlong
    if (first == 0xED && byte(at + 1) >= 0xA0) return 0;  // surrogates
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (left < 4 || !Continues(byte(at + 1)) || !Continues(byte(at + 2)) || !Continues(byte(at + 3))) return 0;
    if (first == 0xF0 && byte(at + 1) < 0x90) return 0;
    if (first == 0xF4 && byte(at + 1) >= 0x90) return 0;
    return 4;
  }
  return 0;
}

}  // namespace

std::string ValidUtf8(absl::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t length = CharacterAt(text, i);
    if (length == 0) {
      valid += kReplacement;
      ++i;
    } else {
      valid.append(text.data() + i, length);
      i += length;
    }
  }
  return valid;
}

std::string CutText(std::string text, size_t most) {
  constexpr size_t kMark = sizeof(kEllipsis) - 1;
  if (text.size() <= most) return text;
  size_t end = most > kMark ? most - kMark : 0;
  while (end > 0 && Continues(static_cast<unsigned char>(text[end]))) --end;
  text.resize(end);
  if (most >= kMark) text += kEllipsis;
  return text;
}

std::string ReplaceControls(absl::string_view text, std::string (*replace)(unsigned code_point)) {
  std::string clean;
  clean.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) {
      clean += replace(byte);
    } else if (byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      clean += replace(static_cast<unsigned char>(text[++i]));
    } else {
      clean += text[i];
    }
  }
  return clean;
}

}  // namespace puckdrop::runtime
