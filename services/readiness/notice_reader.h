// Looking at the public notices of waivers.
#ifndef PUCKDROP_SERVICES_READINESS_NOTICE_READER_H_
#define PUCKDROP_SERVICES_READINESS_NOTICE_READER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::readiness {

// Loop thread only.
class NoticeReader {
 public:
  virtual ~NoticeReader() = default;
  // The text of a page as a reader sees it. An answer that is no page (an error status, no answer) is an error with its
  // reason: UNAVAILABLE.
  virtual awaitable<absl::StatusOr<std::string>> Read(std::string url, absl::Time deadline) = 0;
};

// Over HTTP. For the page, the waiver's own host counts as one of the plan's for exactly this GET; it may redirect
// within its host only, five times. Pages of 2 MiB at most. Loop and clock outlive it.
std::unique_ptr<NoticeReader> MakeHttpNoticeReader(runtime::EventLoop& loop, const runtime::Clock& clock);

// Text of an HTML page without markup, scripts and styles, white space made single; other text only with single white
// space.
std::string PageText(const std::string& body);

// Whether the page says the words, white space and case apart.
bool Says(const std::string& page_text, const std::string& words);

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_NOTICE_READER_H_
