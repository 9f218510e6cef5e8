#include "checks/media/stream_fetcher.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "checks/media/url.h"

namespace puckdrop::media {
namespace {

using http::TransportError;

constexpr int kMaxRedirects = 3;

Trouble Make(Trouble::Kind kind, std::string id, std::string words, int status = 0) {
  Trouble trouble;
  trouble.kind = kind;
  trouble.id = std::move(id);
  trouble.words = std::move(words);
  trouble.status = status;
  return trouble;
}

Trouble OfTransport(const http::HttpAnswer& answer, const std::string& what, const std::string& shown, bool answered,
                    bool our_deadline) {
  const std::string words = absl::StrCat("the ", what, " ", shown, " could not be fetched: ", answer.message);
  switch (answer.error) {
    case TransportError::kResolve:
    case TransportError::kConnectRefused:
      if (!answered) {
        return Make(Trouble::Kind::kUnreachable, "unreachable", absl::StrCat(words, " (unreachable from here)"));
      }
      return Make(Trouble::Kind::kTarget, what + "_unreachable", words);
    case TransportError::kCancelled:
    case TransportError::kLocal:
      return Make(Trouble::Kind::kOurs, "local", words);
    case TransportError::kTimeout:
    case TransportError::kConnectTimeout:
      if (our_deadline) return Make(Trouble::Kind::kOurs, "deadline", absl::StrCat(words, " (the run's time ended)"));
      return Make(Trouble::Kind::kTarget, "too_slow", words);
    case TransportError::kTlsPeer:
      return Make(Trouble::Kind::kTarget, "certificate", words);
    case TransportError::kTooLarge:
      return Make(Trouble::Kind::kTarget, what + "_too_large", words);
    default:
      return Make(Trouble::Kind::kTarget, what + "_broken_off", words);
  }
}

}  // namespace

std::string StreamFetcher::Shown(const std::string& url) const {
  return ports_.redactor->Redact(url.substr(0, url.find_first_of("?#")));
}

awaitable<Fetched> StreamFetcher::Fetch(std::string url, std::string what, absl::Time deadline, bool cold) {
  Fetched fetched;
  const absl::Time start = ports_.clock->Now();
  for (int hop = 0;; ++hop) {
    fetched.url = url;
    const std::string shown = Shown(url);
    absl::StatusOr<http::UrlParts> parts = http::ParseUrl(url);
    if (!parts.ok()) {
      fetched.trouble = Make(Trouble::Kind::kTarget, what + "_address",
                             absl::StrCat("the address of the ", what, " is wrong: ",
                                          std::string(parts.status().message())));
      co_return fetched;
    }
    absl::StatusOr<std::string> host = ports_.hosts->Match(*parts);
    if (!host.ok()) {
      fetched.trouble =
          Make(Trouble::Kind::kOurs, "outside_plan",
               absl::StrCat("the ", what, " lies at ", parts->origin(),
                            ", which no host of the plan names; add it to that host's urls: if it belongs to the target"));
      co_return fetched;
    }
    std::shared_ptr<const http::HostSettings> settings;
    if (ports_.host_settings) {
      absl::StatusOr<std::shared_ptr<const http::HostSettings>> known = ports_.host_settings(*host);
      if (!known.ok()) {
        fetched.trouble = Make(Trouble::Kind::kOurs, "local",
                               absl::StrCat("the ", what, " cannot be asked for at ", parts->origin(), ": ",
                                            std::string(known.status().message())));
        co_return fetched;
      }
      settings = *std::move(known);
    }
    const absl::Time limit = std::min(deadline, ports_.clock->Now() + ports_.request_timeout);
    absl::StatusOr<http::Limiter::Permit> permit =
        co_await ports_.limiter->Acquire(http::Limiter::Kind::kMedia, *host, deadline);
    if (!permit.ok()) {
      fetched.trouble = Make(Trouble::Kind::kOurs, "limiter", std::string(permit.status().message()));
      co_return fetched;
    }
    http::HttpRequest request;
    request.url = parts->normalised;
    for (const auto& [name, value] : stream_.headers) request.headers.Add(name, value);
    request.deadline = std::min(deadline, ports_.clock->Now() + ports_.request_timeout);
    request.limits.body_bytes = ports_.segment_bytes;
    request.limits.decoded_bytes = ports_.segment_bytes;
    request.host = std::move(settings);
    if (cold && hop == 0) request.connection = http::Connection::kFresh;
    http::HttpAnswer answer = co_await ports_.http->Fetch(std::move(request));
    permit->Release();
    (void)ports_.limiter->SpendBytes(answer.bytes_in + answer.bytes_out);
    if (!answer.ok()) {
      fetched.trouble = OfTransport(answer, what, shown, ports_.memory->HasAnswered(parts->origin()), limit == deadline);
      co_return fetched;
    }
    ports_.memory->Answered(parts->origin());
    if (answer.status >= 300 && answer.status < 400 && answer.headers.Has("location")) {
      if (hop == kMaxRedirects) {
        fetched.trouble = Make(Trouble::Kind::kTarget, what + "_redirects",
                               absl::StrCat("the ", what, " ", shown, " redirects more than ", kMaxRedirects, " times"));
        co_return fetched;
      }
      url = ResolveUrl(url, *answer.headers.Get("location"));
      continue;
    }
    if (answer.status != 200 && answer.status != 206) {
      const char* suffix = answer.status == 404 || answer.status == 410 ? "_missing" : "_status";
      const std::string id = answer.status == 401 || answer.status == 403 ? what + "_refused" : what + suffix;
      fetched.trouble = Make(Trouble::Kind::kTarget, id,
                             absl::StrCat("the ", what, " ", shown, " answers ", answer.status), answer.status);
      co_return fetched;
    }
    fetched.body = std::move(answer.body);
    if (auto type = answer.headers.Get("content-type")) fetched.content_type = std::string(*type);
    fetched.took = ports_.clock->Now() - start;
    co_return fetched;
  }
}

awaitable<FetchedPlaylist> StreamFetcher::FetchPlaylist(std::string url, std::string what, absl::Time deadline,
                                                        bool cold) {
  FetchedPlaylist result;
  Fetched fetched = co_await Fetch(std::move(url), what, deadline, cold);
  if (fetched.trouble) {
    result.trouble = std::move(fetched.trouble);
    co_return result;
  }
  HlsOptions options;
  options.base_url = fetched.url;
  if (!fetched.content_type.empty()) options.content_type = fetched.content_type;
  auto playlist = std::make_shared<const HlsPlaylist>(ParseHlsPlaylist(fetched.body, options));
  if (!playlist->IsPlaylist()) {
    result.trouble = Make(Trouble::Kind::kTarget, "not_a_playlist",
                          absl::StrCat("the ", what, " ", Shown(fetched.url), " is ", ContentKindWords(playlist->content),
                                       ", not a playlist"),
                          200);
    co_return result;
  }
  result.playlist = std::move(playlist);
  result.text = std::move(fetched.body);
  co_return result;
}

}  // namespace puckdrop::media
