#ifndef PUCKDROP_SERVICES_ARENA_HTML_H_
#define PUCKDROP_SERVICES_ARENA_HTML_H_

#include <string>

namespace puckdrop::arena {

std::string EscapeHtml(const std::string& text);

// A whole page around `body` (already HTML), with the shop's footer.
std::string HtmlPage(const std::string& title, const std::string& body);

}  // namespace puckdrop::arena

#endif  // PUCKDROP_SERVICES_ARENA_HTML_H_
