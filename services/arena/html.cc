#include "services/arena/html.h"

namespace puckdrop::arena {

std::string EscapeHtml(const std::string& text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string HtmlPage(const std::string& title, const std::string& body) {
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
         "content=\"width=device-width, initial-scale=1\"><title>" +
         EscapeHtml(title) +
         " - Arena TV</title><style>body{font:16px/1.5 sans-serif;max-width:42em;margin:2em auto;padding:0 1em}"
         "label{display:block;margin:.8em 0}button{padding:.6em 1.2em}</style></head><body><main>\n" +
         body +
         "\n</main><footer><p><a href=\"/account\">Account</a> &middot; <a href=\"/status\">Status</a> &middot; "
         "<a href=\"/withdraw\">Withdraw from contract here</a></p></footer></body></html>\n";
}

}  // namespace puckdrop::arena
