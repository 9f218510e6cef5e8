#include "services/readiness/notice_address.h"

#include "absl/strings/str_cat.h"
#include "checks/target/http/host_rules.h"
#include "services/runtime/status_convert.h"

namespace puckdrop::readiness {

absl::Status CheckNoticeAddress(const v1::Plan& plan, const std::string& url) {
  const absl::StatusOr<http::UrlParts> parts = http::ParseUrl(url);
  if (!parts.ok()) {
    return runtime::WithReason(absl::InvalidArgumentError(absl::StrCat("notice_url is no address of a page: ",
                                                                       std::string(parts.status().message()))),
                               "NOTICE_ADDRESS");
  }
  http::HostRules rules;
  for (const v1::Plan::Host& host : plan.target().hosts()) {
    // What the plan's loader let pass is an address; the others are not of the plan.
    if (!host.url().empty()) (void)rules.Add(host.name(), host.url());
    for (const std::string& address : host.urls()) (void)rules.Add(host.name(), address);
  }
  if (rules.Match(*parts).ok()) return absl::OkStatus();
  for (const v1::Waiver& waiver : plan.waivers()) {
    const absl::StatusOr<http::UrlParts> known = http::ParseUrl(waiver.notice_url());
    if (known.ok() && known->origin() == parts->origin()) return absl::OkStatus();
  }
  return runtime::WithReason(
      absl::PermissionDeniedError(
          absl::StrCat(parts->origin(),
                       " is neither a host of the plan nor where one of its waivers has its notice, so it is not "
                       "read: put the notice there, or add the address to a host's `urls` and reload the plan")),
      "NOTICE_ADDRESS", {{"origin", parts->origin()}});
}

}  // namespace puckdrop::readiness
