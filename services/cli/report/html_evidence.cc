#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "services/cli/report/html_parts.h"
#include "services/cli/report/words.h"

namespace puckdrop::report {
namespace {

using nlohmann::json;

constexpr size_t kMostBody = 4u << 10;
constexpr size_t kMostEntries = 60;
constexpr size_t kMostPictures = 60;

// A HAR is ours, but may have been cut or come from another version: what is not as expected is empty.
const json& Member(const json& object, const char* name) {
  static const json kNone;
  if (!object.is_object()) return kNone;
  const auto found = object.find(name);
  return found == object.end() ? kNone : *found;
}

std::string TextOf(const json& object, const char* name) {
  const json& member = Member(object, name);
  return member.is_string() ? member.get<std::string>() : "";
}

double NumberOf(const json& object, const char* name) {
  const json& member = Member(object, name);
  return member.is_number() ? member.get<double>() : 0;
}

std::string HeadersOf(const json& message) {
  std::string out;
  const json& headers = Member(message, "headers");
  if (!headers.is_array()) return out;
  for (size_t i = 0; i < headers.size() && i < 100; ++i) {
    absl::StrAppend(&out, OneLine(TextOf(headers[i], "name"), 200), ": ", OneLine(TextOf(headers[i], "value"), 600),
                    "\n");
  }
  return out;
}

// JSON is indented, so that it can be read; anything else, and what was cut, stays as it is.
std::string Readable(const std::string& body) {
  if (body.size() > (64u << 10) || body.empty() || (body[0] != '{' && body[0] != '[')) return body;
  int depth = 0;
  for (const char c : body) {
    if (c == '{' || c == '[') {
      // The parser takes depth from its stack of containers, the writer from ours.
      if (++depth > 100) return body;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  const nlohmann::ordered_json parsed = nlohmann::ordered_json::parse(body, nullptr, false);
  return parsed.is_discarded() ? body : parsed.dump(2, ' ', false, json::error_handler_t::replace);
}

bool IsPicture(const v1::Evidence& evidence) {
  if (evidence.kind() != v1::Evidence::KIND_PICTURE) return false;
  const std::string& type = evidence.media_type();
  return type == "image/jpeg" || type == "image/png" || type == "image/webp";
}

std::string Pre(const std::string& label, const std::string& text, size_t most) {
  if (text.empty()) return "";
  return absl::StrCat("<p class=dim>", label, "</p><pre>", HtmlLines(text, most), "</pre>");
}

}  // namespace

std::string Html(absl::string_view text, size_t most) { return HtmlLines(OneLine(text, most), most + 8); }

std::string Name(absl::string_view name) {
  return absl::StrReplaceAll(Html(name, 120), {{"_", "_<wbr>"}, {".", ".<wbr>"}});
}

std::string HtmlLines(absl::string_view text, size_t most) {
  std::string out;
  for (const char c : Lines(text, most)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string Anchor(absl::string_view prefix, absl::string_view text) {
  std::string out(prefix);
  for (const char c : text.substr(0, 200)) {
    const bool plain = absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-';
    out.push_back(plain ? c : '-');
  }
  return out;
}

EvidenceWriter::EvidenceWriter(const cli::GateReport& report, Budget* budget) : report_(report), budget_(budget) {}

std::string EvidenceWriter::Figure(const v1::Evidence& evidence, const std::string& of, Budget* budget) {
  // Base64 is four for three.
  if (!budget->Take(evidence.content().size() / 3 * 4 + 400)) {
    ++pictures_left_out_;
    return "";
  }
  const std::string title = Html(evidence.title(), 200);
  return absl::StrCat("<figure><img alt=\"", title, "\" src=\"data:", evidence.media_type(), ";base64,",
                      absl::Base64Escape(evidence.content()), "\"><figcaption>", title,
                      of.empty() ? "" : absl::StrCat(" <span class=dim>", Html(of, 200), "</span>"),
                      "</figcaption></figure>\n");
}

std::string EvidenceWriter::Pictures(const std::vector<const v1::Result*>& results, size_t most) {
  std::string figures;
  size_t count = 0;
  for (const v1::Result* result : results) {
    for (const std::string& name : result->evidence()) {
      const auto found = report_.evidence.find(name);
      if (found == report_.evidence.end() || !IsPicture(found->second) || count >= most) continue;
      if (!shown_.insert(name).second) continue;
      figures += Figure(found->second, result->customer(), budget_);
      ++count;
    }
  }
  return figures.empty() ? "" : absl::StrCat("<div class=pictures>", figures, "</div>\n");
}

std::string EvidenceWriter::OtherPictures() {
  // By title and name, so that the same stream's pictures stand together.
  std::vector<const v1::Evidence*> pictures;
  for (const auto& [name, evidence] : report_.evidence) {
    if (IsPicture(evidence) && shown_.count(name) == 0) pictures.push_back(&evidence);
  }
  std::sort(pictures.begin(), pictures.end(), [](const v1::Evidence* a, const v1::Evidence* b) {
    return std::make_pair(a->title(), a->name()) < std::make_pair(b->title(), b->name());
  });
  std::map<std::string, std::set<std::string>> customers;
  for (const v1::Result& result : report_.results) {
    for (const std::string& name : result.evidence()) customers[name].insert(result.customer());
  }
  std::string figures;
  for (const v1::Evidence* picture : pictures) {
    if (shown_.size() >= kMostPictures) {
      ++pictures_left_out_;
      continue;
    }
    shown_.insert(picture->name());
    figures += Figure(*picture, absl::StrJoin(customers[picture->name()], ", "), budget_);
  }
  return figures.empty() ? "" : absl::StrCat("<div class=pictures>", figures, "</div>\n");
}

std::string EvidenceWriter::Exchanges(const v1::Evidence& evidence) const {
  const json har = json::parse(evidence.content(), nullptr, false);
  const json& entries = Member(Member(har, "log"), "entries");
  if (!entries.is_array()) return Pre("as recorded", evidence.content(), 4 * kMostBody);
  std::string out;
  for (size_t i = 0; i < entries.size() && i < kMostEntries; ++i) {
    const json& entry = entries[i];
    const json& request = Member(entry, "request");
    const json& response = Member(entry, "response");
    const std::string error = TextOf(response, "_error");
    const int status = static_cast<int>(NumberOf(response, "status"));
    const bool bad = !error.empty() || status >= 400;
    Put(&out, "<details><summary><code>", Html(TextOf(request, "method"), 20), " ", Html(TextOf(request, "url"), 300),
        "</code> <b class=", bad ? "bad" : "good", ">", error.empty() ? absl::StrCat(status) : Html(error, 200),
        "</b> <span class=dim>", Span(absl::Milliseconds(std::clamp(NumberOf(entry, "time"), 0.0, 1e9))),
        "</span></summary>\n");
    if (const std::string note = TextOf(entry, "comment"); !note.empty())
      Put(&out, "<p class=dim>", Html(note, 400), "</p>");
    Put(&out, Pre("request", absl::StrCat(HeadersOf(request)), kMostBody));
    Put(&out, Pre("request body", Readable(TextOf(Member(request, "postData"), "text")), kMostBody));
    Put(&out, Pre("answer", HeadersOf(response), kMostBody));
    Put(&out, Pre("answer's body", Readable(TextOf(Member(response, "content"), "text")), kMostBody));
    Put(&out, "</details>\n");
  }
  if (entries.size() > kMostEntries)
    Put(&out, "<p class=dim>and ", entries.size() - kMostEntries, " more exchanges</p>\n");
  return out;
}

std::string EvidenceWriter::Block(const v1::Evidence& evidence) const {
  std::string body;
  switch (evidence.kind()) {
    case v1::Evidence::KIND_EXCHANGES:
      body = Exchanges(evidence);
      break;
    case v1::Evidence::KIND_PLAYLIST:
    case v1::Evidence::KIND_NUMBERS:
      body = absl::StrCat("<pre>", HtmlLines(Readable(evidence.content()), 4 * kMostBody), "</pre>\n");
      break;
    default:
      return "";
  }
  if (evidence.truncated())
    absl::StrAppend(&body, "<p class=dim>It was longer and was cut when it was recorded.</p>\n");
  return body;
}

std::string EvidenceWriter::Blocks(const std::vector<const v1::Result*>& results, Budget* budget) {
  std::string out;
  for (const v1::Result* result : results) {
    std::string of_result;
    for (const std::string& name : result->evidence()) {
      const auto found = report_.evidence.find(name);
      if (found == report_.evidence.end() || found->second.kind() == v1::Evidence::KIND_PICTURE) continue;
      if (!shown_.insert(name).second) continue;
      const std::string body = Block(found->second);
      if (body.empty()) continue;
      const size_t bytes = body.size() + found->second.title().size() + 200;
      if (bytes > budget->left || !budget_->Take(bytes)) {
        ++blocks_left_out_;
        continue;
      }
      if (budget != budget_) budget->Take(bytes);
      Put(&of_result, "<details><summary>", Html(found->second.title().empty() ? name : found->second.title(), 200),
          "</summary>\n", body, "</details>\n");
    }
    if (of_result.empty()) continue;
    Put(&out, "<details><summary><code>", Html(result->check(), 100), "</code> for ", Html(result->customer(), 60),
        "</summary>\n", of_result, "</details>\n");
  }
  return out;
}

std::string EvidenceWriter::LeftOut() const {
  std::vector<std::string> parts;
  if (pictures_left_out_ > 0) parts.push_back(Count(pictures_left_out_, "picture"));
  if (blocks_left_out_ > 0) parts.push_back(Count(blocks_left_out_, "recording"));
  if (parts.empty()) return "";
  return absl::StrCat(absl::StrJoin(parts, " and "), " left out, to keep this page small");
}

}  // namespace puckdrop::report
