#include "checks/target/http/exchange.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "checks/target/http/host_rules.h"

namespace puckdrop::http {

namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostBodyInCommand = 16 << 10;

bool IsText(absl::string_view content_type, absl::string_view body) {
  std::string type = absl::AsciiStrToLower(content_type);
  if (absl::StrContains(body.substr(0, 1024), '\0')) return false;
  if (type.empty()) return true;
  for (absl::string_view part :
       {"text/", "json", "xml", "x-www-form-urlencoded", "javascript", "mpegurl", "yaml", "graphql"}) {
    if (absl::StrContains(type, part)) return true;
  }
  return false;
}

std::vector<Header> Shown(const Headers& headers, const Redactor& redactor) {
  std::vector<Header> shown;
  for (const Header& field : headers)
    shown.push_back({redactor.Redact(field.name), redactor.HeaderValue(field.name, field.value)});
  return shown;
}

std::string Excerpt(const Headers& headers, const std::string& body, const Redactor& redactor, size_t most) {
  absl::string_view type = headers.Get("content-type").value_or("");
  if (!IsText(type, body)) return "";
  return redactor.Body(type, body, most);
}

// For a POSIX shell: literal text in single quotes, named secrets as variables in double quotes.
std::string Quoted(const std::vector<Redactor::Piece>& pieces) {
  std::string out, literal;
  auto flush = [&] {
    if (literal.empty()) return;
    absl::StrAppend(&out, "'", absl::StrReplaceAll(literal, {{"'", "'\\''"}}), "'");
    literal.clear();
  };
  for (const Redactor::Piece& piece : pieces) {
    if (!piece.is_secret) {
      literal += piece.text;
    } else if (piece.placeholder.empty()) {
      absl::StrAppend(&literal, kRedacted);
    } else {
      flush();
      absl::StrAppend(&out, "\"$", piece.placeholder, "\"");
    }
  }
  flush();
  return out.empty() ? "''" : out;
}

std::string Quoted(absl::string_view text) { return Quoted({Redactor::Piece{.text = std::string(text)}}); }

// "Name: value" where a hidden value survives only as a named secret behind an authentication scheme's word.
std::string QuotedHeader(const Header& field, const Redactor& redactor) {
  const std::string name = redactor.Redact(field.name);
  if (Redactor::HeaderMayBeShown(field.name)) {
    return Quoted(absl::StrCat(name, ": ", redactor.HeaderValue(field.name, field.value)));
  }
  std::vector<Redactor::Piece> pieces = redactor.Split(field.value);
  bool named = !pieces.empty() && pieces.back().is_secret && !pieces.back().placeholder.empty();
  if (named && pieces.size() == 2) {
    std::string scheme = absl::AsciiStrToLower(pieces[0].text);
    named = scheme == "bearer " || scheme == "token " || scheme == "basic " || scheme == "apikey ";
  } else {
    named = named && pieces.size() == 1;
  }
  if (!named) return Quoted(absl::StrCat(name, ": ", kRedacted));
  pieces.insert(pieces.begin(), Redactor::Piece{.text = name + ": "});
  return Quoted(pieces);
}

double Milliseconds(absl::Duration duration) { return absl::ToDoubleMilliseconds(duration); }

Json HeadersJson(const std::vector<Header>& headers) {
  Json list = Json::array();
  for (const Header& field : headers) list.push_back({{"name", field.name}, {"value", field.value}});
  return list;
}

std::string ValueOf(const std::vector<Header>& headers, absl::string_view name) {
  for (const Header& field : headers) {
    if (absl::EqualsIgnoreCase(field.name, name)) return field.value;
  }
  return "";
}

Json QueryJson(absl::string_view url) {
  Json list = Json::array();
  size_t question = url.find('?');
  if (question == absl::string_view::npos) return list;
  for (absl::string_view field : absl::StrSplit(url.substr(question + 1), '&', absl::SkipEmpty())) {
    std::pair<absl::string_view, absl::string_view> pair = absl::StrSplit(field, absl::MaxSplits('=', 1));
    list.push_back({{"name", std::string(pair.first)}, {"value", std::string(pair.second)}});
  }
  return list;
}

// HAR 1.2: -1 for what did not happen; "connect" contains "ssl".
Json TimingsJson(const Exchange& exchange) {
  const Phases& phases = exchange.phases;
  auto or_none = [&](absl::Duration duration) {
    return exchange.connection_reused || duration == absl::ZeroDuration() ? -1.0 : Milliseconds(duration);
  };
  return {{"blocked", -1},
          {"dns", or_none(phases.resolve)},
          {"connect", or_none(phases.connect + phases.tls)},
          {"ssl", or_none(phases.tls)},
          {"send", 0},
          {"wait", Milliseconds(phases.first_byte)},
          {"receive", Milliseconds(phases.transfer)}};
}

Json EntryJson(const Exchange& exchange) {
  std::string version(HttpVersionName(exchange.version));
  Json request = {{"method", exchange.method},
                  {"url", exchange.url},
                  {"httpVersion", version},
                  {"cookies", Json::array()},
                  {"headers", HeadersJson(exchange.request_headers)},
                  {"queryString", QueryJson(exchange.url)},
                  {"headersSize", -1},
                  {"bodySize", exchange.request_body_bytes}};
  if (exchange.request_body_bytes > 0) {
    request["postData"] = {{"mimeType", ValueOf(exchange.request_headers, "content-type")},
                           {"text", exchange.request_body}};
  }
  Json response = {{"status", exchange.status},
                   {"statusText", ""},
                   {"httpVersion", version},
                   {"cookies", Json::array()},
                   {"headers", HeadersJson(exchange.response_headers)},
                   {"content",
                    {{"size", exchange.response_body_bytes},
                     {"mimeType", ValueOf(exchange.response_headers, "content-type")},
                     {"text", exchange.response_body}}},
                   {"redirectURL", ValueOf(exchange.response_headers, "location")},
                   {"headersSize", -1},
                   {"bodySize", -1}};
  if (exchange.error != TransportError::kNone) {
    response["_error"] = absl::StrCat(TransportErrorName(exchange.error), ": ", exchange.error_message);
  }
  Json entry = {{"startedDateTime", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", exchange.started, absl::UTCTimeZone())},
                {"time", Milliseconds(exchange.phases.total)},
                {"request", std::move(request)},
                {"response", std::move(response)},
                {"cache", Json::object()},
                {"timings", TimingsJson(exchange)}};
  if (!exchange.remote_address.empty()) {
    size_t colon = exchange.remote_address.rfind(':');
    std::string address = exchange.remote_address.substr(0, colon);
    if (absl::StartsWith(address, "[")) address = address.substr(1, address.size() - 2);
    entry["serverIPAddress"] = address;
  }
  if (!exchange.note.empty()) entry["comment"] = exchange.note;
  entry["_curl"] = exchange.curl;
  return entry;
}

// Bodies may be in any encoding; what is not UTF-8 becomes U+FFFD.
std::string Dump(const Json& json, int indent) { return json.dump(indent, ' ', false, Json::error_handler_t::replace); }

}  // namespace

Exchange RecordExchange(const HttpRequest& request, const HttpAnswer& answer, const Redactor& redactor,
                        size_t excerpt_bytes) {
  Exchange exchange;
  exchange.started = answer.started;
  exchange.method = request.method;
  exchange.url = redactor.Url(request.url);
  exchange.request_headers = Shown(request.headers, redactor);
  exchange.request_body = Excerpt(request.headers, request.body, redactor, excerpt_bytes);
  exchange.request_body_bytes = static_cast<int64_t>(request.body.size());
  exchange.error = answer.error;
  exchange.error_message = redactor.Redact(answer.message);
  exchange.status = answer.status;
  exchange.version = answer.version;
  exchange.response_headers = Shown(answer.headers, redactor);
  exchange.response_body = Excerpt(answer.headers, answer.body, redactor, excerpt_bytes);
  exchange.response_body_bytes = static_cast<int64_t>(answer.body.size());
  exchange.remote_address = answer.remote_address;
  exchange.connection_reused = answer.connection_reused;
  exchange.phases = answer.phases;
  exchange.curl = CurlCommand(request, redactor);
  return exchange;
}

std::string CurlCommand(const HttpRequest& request, const Redactor& redactor) {
  std::string command = "curl -i";
  if (request.method == "HEAD") {
    absl::StrAppend(&command, " --head");
  } else if (request.method != (request.body.empty() ? "GET" : "POST")) {
    absl::StrAppend(&command, " -X ", Quoted(redactor.Split(request.method)));
  }
  absl::StrAppend(&command, " ", Quoted(redactor.Url(request.url)));
  for (const Header& field : request.headers) absl::StrAppend(&command, " -H ", QuotedHeader(field, redactor));
  if (request.host != nullptr) {
    if (!request.host->ca_file.empty()) absl::StrAppend(&command, " --cacert ", Quoted(request.host->ca_file));
    if (!request.host->certificate.file.empty())
      absl::StrAppend(&command, " --cert ", Quoted(request.host->certificate.file));
    if (!request.host->key.file.empty()) absl::StrAppend(&command, " --key ", Quoted(request.host->key.file));
    if (!request.host->proxy.empty()) absl::StrAppend(&command, " --proxy ", Quoted(redactor.Url(request.host->proxy)));
  }
  if (!request.body.empty()) {
    absl::string_view type = request.headers.Get("content-type").value_or("");
    if (!IsText(type, request.body)) {
      absl::StrAppend(&command, " --data-binary @body");
    } else {
      std::string body = redactor.Body(type, request.body, kMostBodyInCommand);
      absl::StrAppend(&command, " --data-raw ", Quoted(body));
    }
  }
  return command;
}

std::string HarEntryJson(const Exchange& exchange) { return Dump(EntryJson(exchange), -1); }

std::string HarJson(const std::vector<Exchange>& exchanges) {
  Json entries = Json::array();
  for (const Exchange& exchange : exchanges) entries.push_back(EntryJson(exchange));
  Json har = {{"log",
               {{"version", "1.2"},
                {"creator", {{"name", "puckdrop"}, {"version", PUCKDROP_VERSION}}},
                {"entries", std::move(entries)}}}};
  return Dump(har, 1);
}

}  // namespace puckdrop::http
