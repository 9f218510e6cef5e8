#include "services/readiness/notice_reader.h"

#include <gumbo.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "checks/target/http/curl_http_client.h"
#include "checks/target/http/host_rules.h"

namespace puckdrop::readiness {
namespace {

constexpr size_t kMostBytes = 2 << 20;
constexpr int kMostRedirects = 5;

std::string SingleSpaces(std::string text) {
  // No-break spaces are for the layout.
  for (size_t at = text.find("\u00a0"); at != std::string::npos; at = text.find("\u00a0", at)) text.replace(at, 2, " ");
  std::string out;
  for (const char c : text) {
    if (absl::ascii_isspace(static_cast<unsigned char>(c))) {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      out += c;
    }
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

class HttpNoticeReader final : public NoticeReader {
 public:
  HttpNoticeReader(runtime::EventLoop& loop, const runtime::Clock& clock) : client_(loop, clock) {}

  awaitable<absl::StatusOr<std::string>> Read(std::string url, absl::Time deadline) override {
    absl::StatusOr<http::UrlParts> parts = http::ParseUrl(url);
    if (!parts.ok()) co_return absl::UnavailableError(std::string(parts.status().message()));
    const std::string host = parts->host;
    for (int hop = 0; hop <= kMostRedirects; ++hop) {
      http::HttpRequest request;
      request.url = parts->normalised;
      request.limits.body_bytes = kMostBytes;
      request.limits.decoded_bytes = kMostBytes;
      request.deadline = deadline;
      http::HttpAnswer answer = co_await client_.Fetch(std::move(request));
      if (!answer.ok()) co_return absl::UnavailableError(answer.message);
      const auto location = answer.headers.Get("location");
      if (answer.status >= 300 && answer.status < 400 && location.has_value()) {
        absl::StatusOr<http::UrlParts> next = http::ResolveUrl(parts->normalised, *location);
        if (!next.ok()) co_return absl::UnavailableError(std::string(next.status().message()));
        if (next->host != host) {
          co_return absl::UnavailableError(absl::StrCat("it redirects to another host, ", next->host));
        }
        parts = std::move(next);
        continue;
      }
      if (answer.status != 200) co_return absl::UnavailableError(absl::StrCat("it answers ", answer.status));
      co_return PageText(answer.body);
    }
    co_return absl::UnavailableError("it redirects too often");
  }

 private:
  http::CurlHttpClient client_;
};

}  // namespace

std::string PageText(const std::string& body) {
  if (!absl::StrContains(body, '<')) return SingleSpaces(body);
  GumboOutput* output = gumbo_parse_with_options(&kGumboDefaultOptions, body.data(), body.size());
  std::string text;
  // A stack of our own: a page may be nested deeper than ours.
  std::vector<const GumboNode*> todo = {output->root};
  while (!todo.empty()) {
    const GumboNode* node = todo.back();
    todo.pop_back();
    if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE || node->type == GUMBO_NODE_CDATA) {
      text += node->v.text.text;
    } else if (node->type == GUMBO_NODE_ELEMENT) {
      if (node->v.element.tag == GUMBO_TAG_SCRIPT || node->v.element.tag == GUMBO_TAG_STYLE ||
          node->v.element.tag == GUMBO_TAG_TEMPLATE) {
        continue;
      }
      // Words of neighbouring blocks are words apart; within a line `<b>4K</b> later` stays one phrase.
      switch (node->v.element.tag) {
        case GUMBO_TAG_P:
        case GUMBO_TAG_DIV:
        case GUMBO_TAG_BR:
        case GUMBO_TAG_LI:
        case GUMBO_TAG_TD:
        case GUMBO_TAG_H1:
        case GUMBO_TAG_H2:
        case GUMBO_TAG_H3:
          text += ' ';
          break;
        default:
          break;
      }
      const GumboVector& children = node->v.element.children;
      for (unsigned i = children.length; i > 0; --i)
        todo.push_back(static_cast<const GumboNode*>(children.data[i - 1]));
    }
  }
  gumbo_destroy_output(&kGumboDefaultOptions, output);
  return SingleSpaces(text);
}

bool Says(const std::string& page_text, const std::string& words) {
  return absl::StrContains(absl::AsciiStrToLower(SingleSpaces(page_text)), absl::AsciiStrToLower(SingleSpaces(words)));
}

std::unique_ptr<NoticeReader> MakeHttpNoticeReader(runtime::EventLoop& loop, const runtime::Clock& clock) {
  return std::make_unique<HttpNoticeReader>(loop, clock);
}

}  // namespace puckdrop::readiness
