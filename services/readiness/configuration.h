// The target's configuration fingerprint as it is read again and again: whether it is new, and whether two alternate.
#ifndef PUCKDROP_SERVICES_READINESS_CONFIGURATION_H_
#define PUCKDROP_SERVICES_READINESS_CONFIGURATION_H_

#include <algorithm>
#include <deque>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace puckdrop::readiness {

// Pure; times are steady.
class Configuration {
 public:
  enum class Seen {
    kSame,  // or nothing was told
    kNew,   // it was not in force lately: what was judged under another one counts no more, and is looked at again
    kBack,  // it was, a moment ago: two versions answer at once
  };
  // How long ago a configuration must have been seen to be no alternation, and how long an alternation is told after
  // the last change.
  static constexpr absl::Duration kLately = absl::Minutes(5);

  Seen Note(const std::string& fingerprint, absl::Duration now) {
    if (fingerprint.empty()) return Seen::kSame;
    if (fingerprint == current_) {
      seen_ = now;
      return Seen::kSame;
    }
    const auto lately = std::find_if(before_.begin(), before_.end(), [&](const Before& one) {
      return one.fingerprint == fingerprint && now - one.seen < kLately;
    });
    const bool back = lately != before_.end();
    if (back) {
      alternated_ = now;
      other_ = current_;
    }
    if (!current_.empty()) before_.push_front({current_, seen_});
    if (before_.size() > kRemembered) before_.pop_back();
    current_ = fingerprint;
    seen_ = now;
    return back ? Seen::kBack : Seen::kNew;
  }

  const std::string& current() const { return current_; }

  // A cause for the verdict; empty if it does not alternate.
  std::string Cause(absl::Duration now) const {
    if (now - alternated_ >= kLately) return "";
    return absl::StrCat("the target's configuration alternates between ", std::min(current_, other_), " and ",
                        std::max(current_, other_), ": two versions are answering at once");
  }

 private:
  static constexpr size_t kRemembered = 8;
  struct Before {
    std::string fingerprint;
    absl::Duration seen;
  };
  std::string current_;
  std::string other_;
  absl::Duration seen_;
  std::deque<Before> before_;
  absl::Duration alternated_ = -absl::InfiniteDuration();
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_CONFIGURATION_H_
