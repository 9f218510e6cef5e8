#include "checks/target/http/curl_http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "checks/target/http/cookie_jar.h"
#include "checks/target/http/curl_errors.h"
#include "checks/target/http/curl_multi.h"
#include "checks/target/http/host_rules.h"

namespace puckdrop::http {

namespace {

constexpr size_t kMostIdleHandles = 256;
constexpr size_t kMostTrusts = 64;

bool IsToken(absl::string_view text) {
  if (text.empty()) return false;
  for (char c : text) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && !absl::StrContains("!#$%&'*+-.^_`|~", c)) return false;
  }
  return true;
}

bool HasControl(absl::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

// Empty when the request may be sent.
std::string RefusalOf(const HttpRequest& request) {
  if (!IsToken(request.method)) return "the method is not a token";
  if (!absl::StartsWithIgnoreCase(request.url, "http://") && !absl::StartsWithIgnoreCase(request.url, "https://")) {
    return "the address is not an absolute http or https URL";
  }
  if (std::any_of(request.url.begin(), request.url.end(), [](unsigned char c) { return c <= 0x20 || c >= 0x7f; })) {
    return "the address has a control character, a blank or a character beyond ASCII in it";
  }
  for (const Header& field : request.headers) {
    if (!IsToken(field.name)) return "a header's name is not a token";
    if (HasControl(field.value)) return absl::StrCat("header ", field.name, " has CR, LF or NUL in it");
  }
  return "";
}

bool MayBeRepeated(absl::string_view method) { return method == "GET" || method == "HEAD" || method == "OPTIONS"; }

std::string HostOf(absl::string_view url) {
  absl::StatusOr<UrlParts> parts = ParseUrl(url);
  if (!parts.ok()) return "the target";
  return absl::StrCat(parts->host, ":", parts->port);
}

absl::Duration Microseconds(CURL* easy, CURLINFO info) {
  curl_off_t value = 0;
  curl_easy_getinfo(easy, info, &value);
  return absl::Microseconds(value);
}

long Milliseconds(absl::Duration duration) {
  return static_cast<long>(std::clamp<int64_t>(absl::ToInt64Milliseconds(duration), 1, 24 * 3600 * 1000));
}

const std::shared_ptr<const HostSettings>& DefaultHost() {
  static const auto* host = new std::shared_ptr<const HostSettings>(std::make_shared<HostSettings>());
  return *host;
}

// One easy handle and the request that it carries now.
struct Transfer {
  explicit Transfer(CURL* handle) : easy(handle) {}
  ~Transfer() {
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    curl_slist_free_all(pins);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  CURL* const easy;
  std::shared_ptr<const HostSettings> configured;
  std::shared_ptr<CurlMulti> multi;  // that it was prepared for
  curl_slist* pins = nullptr;
  char error_text[CURL_ERROR_SIZE] = {};

  curl_slist* headers = nullptr;
  const HttpRequest* request = nullptr;
  HttpAnswer* answer = nullptr;
  runtime::OneShot* done = nullptr;  // null: not under way
  CURLcode code = CURLE_OK;
  TransportError ended_by_us = TransportError::kNone;
  std::string ended_why;
  size_t header_bytes = 0;
  int sent = 0;  // how often the request was about to be sent
  bool headers_complete = false;
};

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  absl::string_view line(data, size * count);
  transfer.header_bytes += line.size();
  if (transfer.header_bytes > transfer.request->limits.header_bytes) {
    transfer.ended_by_us = TransportError::kTooManyHeaders;
    transfer.ended_why = absl::StrCat("more than ", transfer.request->limits.header_bytes, " bytes of headers");
    return 0;
  }
  size_t taken = line.size();
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  HttpAnswer& answer = *transfer.answer;
  if (line.empty()) {
    transfer.headers_complete = true;
    return taken;
  }
  if (absl::StartsWith(line, "HTTP/")) {
    // A new response: what came before was a 1xx.
    answer.headers.clear();
    transfer.headers_complete = false;
    return taken;
  }
  Headers& into = transfer.headers_complete ? answer.trailers : answer.headers;
  size_t colon = line.find(':');
  if (colon == absl::string_view::npos) return taken;
  into.Add(absl::StripTrailingAsciiWhitespace(line.substr(0, colon)),
           absl::StripAsciiWhitespace(line.substr(colon + 1)));
  return taken;
}

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  size_t bytes = size * count;
  std::string& body = transfer.answer->body;
  const HttpLimits& limits = transfer.request->limits;
  curl_off_t received = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
  if (static_cast<size_t>(received) > limits.body_bytes) {
    transfer.ended_by_us = TransportError::kTooLarge;
    transfer.ended_why = absl::StrCat("more than ", limits.body_bytes, " bytes of body");
    return 0;
  }
  if (body.size() + bytes > limits.decoded_bytes) {
    transfer.ended_by_us = TransportError::kTooLarge;
    transfer.ended_why = absl::StrCat("more than ", limits.decoded_bytes, " bytes of body after decompression");
    return 0;
  }
  if (body.empty()) {
    curl_off_t announced = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    if (announced > 0 && static_cast<size_t>(announced) <= limits.body_bytes) {
      body.reserve(std::min<size_t>(announced, 4u << 20));
    }
  }
  body.append(data, bytes);
  return bytes;
}

int BeforeSending(void* user, char*, char*, int, int) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  if (++transfer.sent > 1 && !MayBeRepeated(transfer.request->method)) {
    transfer.ended_by_us = TransportError::kReset;
    transfer.ended_why = "the kept connection ended before an answer began; the request was not sent a second time";
    return CURL_PREREQFUNC_ABORT;
  }
  return CURL_PREREQFUNC_OK;
}

void SetPem(CURL* easy, const Pem& pem, CURLoption file, CURLoption blob) {
  if (!pem.memory.empty()) {
    curl_blob bytes{const_cast<char*>(pem.memory.data()), pem.memory.size(), CURL_BLOB_COPY};
    curl_easy_setopt(easy, file, nullptr);
    curl_easy_setopt(easy, blob, &bytes);
  } else {
    curl_easy_setopt(easy, blob, nullptr);
    curl_easy_setopt(easy, file, pem.file.empty() ? nullptr : pem.file.c_str());
  }
}

}  // namespace

// What the client's coroutines share, so that one which is dropped with its loop finds everything still there.
class CurlHttpClient::Core {
 public:
  Core(runtime::EventLoop& loop, const runtime::Clock& clock, Options options)
      : loop_(loop), clock_(clock), options_(std::move(options)) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    share_ = curl_share_init();
    curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  }

  ~Core() {
    idle_.clear();
    multis_.clear();
    curl_share_cleanup(share_);
  }

  const runtime::Clock& clock() const { return clock_; }

  // Loop thread. After it nothing of the loop is used any more.
  void Close() {
    idle_.clear();
    idle_count_ = 0;
    multis_.clear();
  }

  // Null and an error in `answer` when the request cannot even begin.
  std::unique_ptr<Transfer> Begin(const HttpRequest& request, HttpAnswer& answer, runtime::OneShot& done) {
    std::string refusal = RefusalOf(request);
    const std::shared_ptr<const HostSettings>& host = request.host ? request.host : DefaultHost();
    std::shared_ptr<CurlMulti> multi = refusal.empty() ? MultiFor(*host, refusal) : nullptr;
    std::unique_ptr<Transfer> transfer = multi == nullptr ? nullptr : Take(host, multi);
    if (multi != nullptr && !transfer) refusal = "no memory for a transfer";
    if (!refusal.empty()) {
      answer.error = TransportError::kLocal;
      answer.message = absl::StrCat("not sent: ", refusal);
      return nullptr;
    }
    absl::Duration left = std::min(request.deadline - clock_.Now(), options_.longest);
    if (left <= absl::ZeroDuration()) {
      answer.error = TransportError::kTimeout;
      answer.message = "not sent: the deadline had passed";
      Give(std::move(transfer));
      return nullptr;
    }
    transfer->request = &request;
    transfer->answer = &answer;
    transfer->done = &done;
    SetUp(*transfer, request, *host, left);
    CURLMcode added = multi->Add(transfer->easy);
    if (added != CURLM_OK) {
      answer.error = TransportError::kLocal;
      answer.message = absl::StrCat("not sent: ", curl_multi_strerror(added));
      transfer->done = nullptr;
      Give(std::move(transfer));
      return nullptr;
    }
    return transfer;
  }

  void Cancel(Transfer& transfer) {
    if (transfer.done == nullptr) return;
    transfer.multi->Remove(transfer.easy);
    transfer.done = nullptr;
    transfer.ended_by_us = TransportError::kCancelled;
    transfer.ended_why = "given up";
    transfer.code = CURLE_ABORTED_BY_CALLBACK;
  }

  // Fills the answer from the ended transfer and keeps the handle for the next one.
  void Finish(std::unique_ptr<Transfer> transfer) {
    CURL* easy = transfer->easy;
    HttpAnswer& answer = *transfer->answer;
    const HttpRequest& request = *transfer->request;

    long status = 0, version = 0, connects = 0, port = 0, header_size = 0, request_size = 0;
    curl_off_t received = 0, sent = 0;
    char* text = nullptr;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
    curl_easy_getinfo(easy, CURLINFO_HEADER_SIZE, &header_size);
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_size);
    curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
    curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    answer.status = static_cast<int>(status);
    answer.bytes_in = header_size + received;
    // libcurl counts a body that left together with its headers in both.
    answer.bytes_out = request_size + (request_size > static_cast<long>(request.body.size()) ? 0 : sent);
    switch (version) {
      case CURL_HTTP_VERSION_1_0:
        answer.version = HttpVersion::k1_0;
        break;
      case CURL_HTTP_VERSION_1_1:
        answer.version = HttpVersion::k1_1;
        break;
      case CURL_HTTP_VERSION_2_0:
        answer.version = HttpVersion::k2;
        break;
      default:
        break;
    }
    answer.effective_url = request.url;
    if (curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &text) == CURLE_OK && text != nullptr && *text != '\0') {
      curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port);
      bool v6 = absl::StrContains(text, ':');
      answer.remote_address = absl::StrCat(v6 ? "[" : "", text, v6 ? "]:" : ":", port);
    }

    absl::Duration resolved = Microseconds(easy, CURLINFO_NAMELOOKUP_TIME_T);
    absl::Duration connected = Microseconds(easy, CURLINFO_CONNECT_TIME_T);
    absl::Duration tls_done = Microseconds(easy, CURLINFO_APPCONNECT_TIME_T);
    absl::Duration ready = Microseconds(easy, CURLINFO_PRETRANSFER_TIME_T);
    absl::Duration first = Microseconds(easy, CURLINFO_STARTTRANSFER_TIME_T);
    absl::Duration total = Microseconds(easy, CURLINFO_TOTAL_TIME_T);
    const absl::Duration zero = absl::ZeroDuration();
    answer.connection_reused = connects == 0 && ready > zero;
    if (!answer.connection_reused) {
      answer.phases.resolve = resolved;
      answer.phases.connect = std::max(zero, connected - resolved);
      answer.phases.tls = std::max(zero, tls_done - connected);
    }
    if (first > zero) {
      answer.phases.first_byte = std::max(zero, first - ready);
      answer.phases.transfer = std::max(zero, total - first);
    }
    answer.phases.total = total;

    if (transfer->code != CURLE_OK) {
      Explain(*transfer, answer, resolved > zero, connected > zero, tls_done > zero, first > zero);
    }
    if (request.cookies != nullptr) {
      absl::Time now = clock_.Now();
      for (const Header& field : answer.headers) {
        if (absl::EqualsIgnoreCase(field.name, "set-cookie")) request.cookies->SetCookie(request.url, field.value, now);
      }
    }
    Give(std::move(transfer));
  }

 private:
  // One multi handle per bundle of authorities, because a multi handle keeps one parsed bundle only.
  std::shared_ptr<CurlMulti> MultiFor(const HostSettings& host, std::string& refusal) {
    auto found = multis_.find(host.ca_file);
    if (found != multis_.end()) return found->second;
    if (multis_.size() >= kMostTrusts) {
      refusal = absl::StrCat("more than ", kMostTrusts, " different CA files");
      return nullptr;
    }
    std::shared_ptr<CurlMulti> multi =
        CurlMulti::Create(loop_.context(), options_.kept_connections, [](CURL* easy, CURLcode code) {
          char* user = nullptr;
          curl_easy_getinfo(easy, CURLINFO_PRIVATE, &user);
          Transfer* transfer = reinterpret_cast<Transfer*>(user);
          transfer->code = code;
          runtime::OneShot* done = std::exchange(transfer->done, nullptr);
          if (done != nullptr) done->Set();
        });
    if (!multi) {
      refusal = "no descriptors or memory left";
      return nullptr;
    }
    return multis_.emplace(host.ca_file, std::move(multi)).first->second;
  }

  // A handle that is set up for the host: a used one if there is.
  std::unique_ptr<Transfer> Take(const std::shared_ptr<const HostSettings>& host,
                                 const std::shared_ptr<CurlMulti>& multi) {
    auto idle = idle_.find(host.get());
    if (idle != idle_.end() && !idle->second.empty()) {
      std::unique_ptr<Transfer> transfer = std::move(idle->second.back());
      idle->second.pop_back();
      --idle_count_;
      return transfer;
    }
    CURL* easy = curl_easy_init();
    if (easy == nullptr) return nullptr;
    auto transfer = std::make_unique<Transfer>(easy);
    transfer->configured = host;
    transfer->multi = multi;
    Configure(*transfer, *host);
    return transfer;
  }

  void Give(std::unique_ptr<Transfer> transfer) {
    transfer->request = nullptr;
    transfer->answer = nullptr;
    // libcurl counts the repeats over a handle's whole life and gives up after five.
    if (transfer->sent > 1) return;
    if (idle_count_ >= kMostIdleHandles) {
      // Keep what is used now, let go what was.
      if (idle_.size() > 1) {
        idle_.clear();
        idle_count_ = 0;
      } else {
        return;
      }
    }
    std::vector<std::unique_ptr<Transfer>>& of_host = idle_[transfer->configured.get()];
    of_host.push_back(std::move(transfer));
    ++idle_count_;
  }

  // What stays the same for all requests of a handle.
  void Configure(Transfer& transfer, const HostSettings& host) {
    CURL* easy = transfer.easy;
    transfer.multi->Prepare(easy);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
    curl_easy_setopt(easy, CURLOPT_SHARE, share_);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error_text);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    // A resolver thread that hangs is left behind, not waited for on the loop.
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &OnBody);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &BeforeSending);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate, br");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, static_cast<long>(absl::ToInt64Seconds(options_.kept_for)));

    const std::string& ca = host.ca_file.empty() ? options_.system_ca_file : host.ca_file;
    for (CURLoption option : {CURLOPT_CAINFO, CURLOPT_PROXY_CAINFO}) curl_easy_setopt(easy, option, ca.c_str());
    // The default directory would be parsed anew for every connection: 23 ms of CPU each.
    for (CURLoption option : {CURLOPT_CAPATH, CURLOPT_PROXY_CAPATH}) curl_easy_setopt(easy, option, nullptr);
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 3600L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    SetPem(easy, host.certificate, CURLOPT_SSLCERT, CURLOPT_SSLCERT_BLOB);
    SetPem(easy, host.key, CURLOPT_SSLKEY, CURLOPT_SSLKEY_BLOB);

    // Empty, not unset: unset would ask the environment.
    curl_easy_setopt(easy, CURLOPT_PROXY, host.proxy.c_str());
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, Milliseconds(host.connect_timeout));
    for (const std::string& pin : host.resolve_pins) transfer.pins = curl_slist_append(transfer.pins, pin.c_str());
    curl_easy_setopt(easy, CURLOPT_RESOLVE, transfer.pins);
  }

  // What is this request's.
  void SetUp(Transfer& transfer, const HttpRequest& request, const HostSettings& host, absl::Duration left) {
    CURL* easy = transfer.easy;
    transfer.error_text[0] = '\0';
    transfer.code = CURLE_OK;
    transfer.ended_by_us = TransportError::kNone;
    transfer.ended_why.clear();
    transfer.header_bytes = 0;
    transfer.sent = 0;
    transfer.headers_complete = false;

    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, Milliseconds(left));

    bool has_body =
        !request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
    // In this order: each of the first two changes the method that the third sets.
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, nullptr);
    curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, nullptr);
    if (has_body) {
      curl_easy_setopt(easy, CURLOPT_POST, 1L);
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
      if (request.method != "POST") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    } else if (request.method == "HEAD") {
      curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (request.method != "GET") {
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }

    curl_slist_free_all(std::exchange(transfer.headers, nullptr));
    bool has_type = false, has_cookie = false;
    std::string line;
    for (const Header& field : request.headers) {
      // An empty value needs libcurl's own notation.
      line.assign(field.name);
      line.append(field.value.empty() ? ";" : ": ").append(field.value);
      transfer.headers = curl_slist_append(transfer.headers, line.c_str());
      has_type = has_type || absl::EqualsIgnoreCase(field.name, "content-type");
      has_cookie = has_cookie || absl::EqualsIgnoreCase(field.name, "cookie");
    }
    if (has_body) {
      if (!has_type) transfer.headers = curl_slist_append(transfer.headers, "Content-Type:");
      transfer.headers = curl_slist_append(transfer.headers, "Expect:");
    }
    if (request.cookies != nullptr && !has_cookie) {
      std::string cookies = request.cookies->CookieHeader(request.url, clock_.Now());
      if (!cookies.empty())
        transfer.headers = curl_slist_append(transfer.headers, absl::StrCat("Cookie: ", cookies).c_str());
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers);

    bool fresh = request.connection != Connection::kShared;
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, request.connection == Connection::kFreshAndClose ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, fresh ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, fresh ? 0L : 60L);

    long version = CURL_HTTP_VERSION_2TLS;
    if (request.version == HttpVersion::k1_0) version = CURL_HTTP_VERSION_1_0;
    if (request.version == HttpVersion::k1_1) version = CURL_HTTP_VERSION_1_1;
    if (request.version == HttpVersion::k2PriorKnowledge) version = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version);
  }

  static void Explain(const Transfer& transfer, HttpAnswer& answer, bool resolved, bool connected, bool tls_done,
                      bool answering) {
    CurlFailure failure;
    failure.code = transfer.code;
    curl_easy_getinfo(transfer.easy, CURLINFO_OS_ERRNO, &failure.system_error);
    failure.resolved = resolved;
    failure.connected = connected;
    failure.tls_done = tls_done || !absl::StartsWithIgnoreCase(transfer.request->url, "https:");
    failure.answering = answering;
    failure.through_proxy = !transfer.configured->proxy.empty();
    failure.host = HostOf(transfer.request->url);
    failure.text = transfer.error_text;
    if (transfer.ended_by_us != TransportError::kNone) {
      answer.error = transfer.ended_by_us;
      answer.message = absl::StrCat("the request to ", failure.host, ": ", transfer.ended_why);
    } else {
      answer.error = ClassifyCurlFailure(failure);
      answer.message = DescribeCurlFailure(failure, answer.error);
    }
  }

  runtime::EventLoop& loop_;
  const runtime::Clock& clock_;
  const Options options_;
  CURLSH* share_;
  std::map<std::string, std::shared_ptr<CurlMulti>> multis_;
  std::unordered_map<const HostSettings*, std::vector<std::unique_ptr<Transfer>>> idle_;
  size_t idle_count_ = 0;
};

CurlHttpClient::CurlHttpClient(runtime::EventLoop& loop, const runtime::Clock& clock)
    : CurlHttpClient(loop, clock, Options()) {}

CurlHttpClient::CurlHttpClient(runtime::EventLoop& loop, const runtime::Clock& clock, Options options)
    : loop_(loop), core_(std::make_shared<Core>(loop, clock, std::move(options))) {}

CurlHttpClient::~CurlHttpClient() {
  loop_.Invoke([this] { core_->Close(); });
}

awaitable<HttpAnswer> CurlHttpClient::Fetch(HttpRequest request) {
  std::shared_ptr<Core> core = core_;
  HttpAnswer answer;
  answer.started = core->clock().Now();
  runtime::OneShot done;
  std::unique_ptr<Transfer> transfer = core->Begin(request, answer, done);
  if (transfer == nullptr) co_return answer;
  // Also when the coroutine is dropped while it waits.
  struct Guard {
    Core& core;
    std::unique_ptr<Transfer>& transfer;
    ~Guard() {
      if (transfer) core.Cancel(*transfer);
    }
  } guard{*core, transfer};
  absl::Status waited = co_await done.Wait();
  if (!waited.ok()) core->Cancel(*transfer);
  core->Finish(std::move(transfer));
  co_return answer;
}

}  // namespace puckdrop::http
