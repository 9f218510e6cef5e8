#include "checks/target/http/exchange.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "checks/target/http/host_rules.h"

namespace puckdrop::http {

namespace {

using Json = nlohmann::json;

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

// Writes JSON text straight away: a document in memory costs ten times as much, and there is one for every operation.
// Pretty with one space a level, or on one line.
class JsonWriter {
 public:
  explicit JsonWriter(bool pretty) : pretty_(pretty) {}

  void Open(char bracket) {
    out_ += bracket;
    ++depth_;
    empty_ = true;
  }
  void Close(char bracket) {
    --depth_;
    if (!empty_) NewLine();
    out_ += bracket;
    empty_ = false;
  }
  // Before each value of an array.
  void Item() {
    if (!empty_) out_ += ',';
    NewLine();
    empty_ = false;
  }
  void Key(absl::string_view name) {
    Item();
    absl::StrAppend(&out_, "\"", name, pretty_ ? "\": " : "\":");
  }
  void Member(absl::string_view name, absl::string_view value) {
    Key(name);
    Text(value);
  }
  void Member(absl::string_view name, int64_t value) {
    Key(name);
    absl::StrAppend(&out_, value);
  }
  void Member(absl::string_view name, double value) {
    Key(name);
    std::array<char, 32> digits;
    const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    const absl::string_view text(digits.data(), static_cast<size_t>(end - digits.data()));
    absl::StrAppend(&out_, text, text.find_first_of(".e") == absl::string_view::npos ? ".0" : "");
  }
  void Member(absl::string_view name, absl::Duration value) { Member(name, absl::ToDoubleMilliseconds(value)); }
  void Empty(absl::string_view name, absl::string_view brackets) {
    Key(name);
    absl::StrAppend(&out_, brackets);
  }
  void Text(absl::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    out_ += '"';
    const size_t begin = out_.size();
    size_t copied = 0;
    unsigned char seen = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      const auto c = static_cast<unsigned char>(text[i]);
      seen |= c;
      if (!kEscaped[c]) continue;
      out_.append(text.data() + copied, i - copied);
      copied = i + 1;
      switch (c) {
        case '"':
          out_ += "\\\"";
          break;
        case '\\':
          out_ += "\\\\";
          break;
        case '\n':
          out_ += "\\n";
          break;
        case '\r':
          out_ += "\\r";
          break;
        case '\t':
          out_ += "\\t";
          break;
        default:
          out_ += {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
      }
    }
    out_.append(text.data() + copied, text.size() - copied);
    out_ += '"';
    if (seen < 0x80 || IsUtf8(text)) return;
    // Bodies may be in any encoding; what is not UTF-8 becomes U+FFFD.
    out_.resize(begin - 1);
    out_ += Json(std::string(text)).dump(-1, ' ', false, Json::error_handler_t::replace);
  }

  std::string Take() { return std::move(out_); }

 private:
  static constexpr std::array<bool, 256> kEscaped = [] {
    std::array<bool, 256> escaped{};
    for (size_t c = 0; c < 0x20; ++c) escaped[c] = true;
    escaped['"'] = escaped['\\'] = true;
    return escaped;
  }();

  // RFC 3629.
  static bool IsUtf8(absl::string_view text) {
    for (size_t i = 0; i < text.size();) {
      const auto c = static_cast<unsigned char>(text[i]);
      if (c < 0x80) {
        uint64_t eight = 0;
        if (i + sizeof eight <= text.size()) std::memcpy(&eight, text.data() + i, sizeof eight);
        i += i + sizeof eight <= text.size() && (eight & 0x8080808080808080u) == 0 ? sizeof eight : 1;
        continue;
      }
      const size_t length = c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
      if (length == 0 || i + length > text.size()) return false;
      const auto second = static_cast<unsigned char>(text[i + 1]);
      const unsigned char least = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
      const unsigned char most = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
      if (second < least || second > most) return false;
      for (size_t k = 2; k < length; ++k) {
        if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
      }
      i += length;
    }
    return true;
  }

  void NewLine() {
    if (!pretty_) return;
    out_ += '\n';
    out_.append(static_cast<size_t>(depth_), ' ');
  }

  const bool pretty_;
  std::string out_;
  int depth_ = 0;
  bool empty_ = true;
};

void WritePairs(JsonWriter& json, absl::string_view key, const std::vector<Header>& pairs) {
  json.Key(key);
  json.Open('[');
  for (const Header& pair : pairs) {
    json.Item();
    json.Open('{');
    json.Member("name", pair.name);
    json.Member("value", pair.value);
    json.Close('}');
  }
  json.Close(']');
}

absl::string_view ValueOf(const std::vector<Header>& headers, absl::string_view name) {
  for (const Header& field : headers) {
    if (absl::EqualsIgnoreCase(field.name, name)) return field.value;
  }
  return "";
}

std::vector<Header> QueryOf(absl::string_view url) {
  std::vector<Header> fields;
  size_t question = url.find('?');
  if (question == absl::string_view::npos) return fields;
  for (absl::string_view field : absl::StrSplit(url.substr(question + 1), '&', absl::SkipEmpty())) {
    std::pair<absl::string_view, absl::string_view> pair = absl::StrSplit(field, absl::MaxSplits('=', 1));
    fields.push_back({std::string(pair.first), std::string(pair.second)});
  }
  return fields;
}

// HAR 1.2: -1 for what did not happen; "connect" contains "ssl".
void WriteTimings(JsonWriter& json, const Exchange& exchange) {
  const Phases& phases = exchange.phases;
  auto or_none = [&](absl::string_view key, absl::Duration duration) {
    if (exchange.connection_reused || duration == absl::ZeroDuration()) {
      json.Member(key, -1.0);
    } else {
      json.Member(key, duration);
    }
  };
  json.Key("timings");
  json.Open('{');
  json.Member("blocked", int64_t{-1});
  or_none("dns", phases.resolve);
  or_none("connect", phases.connect + phases.tls);
  or_none("ssl", phases.tls);
  json.Member("send", int64_t{0});
  json.Member("wait", phases.first_byte);
  json.Member("receive", phases.transfer);
  json.Close('}');
}

void WriteEntry(JsonWriter& json, const Exchange& exchange) {
  const absl::string_view version = HttpVersionName(exchange.version);
  json.Open('{');
  json.Member("startedDateTime", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", exchange.started, absl::UTCTimeZone()));
  json.Member("time", exchange.phases.total);
  json.Key("request");
  json.Open('{');
  json.Member("method", exchange.method);
  json.Member("url", exchange.url);
  json.Member("httpVersion", version);
  json.Empty("cookies", "[]");
  WritePairs(json, "headers", exchange.request_headers);
  WritePairs(json, "queryString", QueryOf(exchange.url));
  json.Member("headersSize", int64_t{-1});
  json.Member("bodySize", exchange.request_body_bytes);
  if (exchange.request_body_bytes > 0) {
    json.Key("postData");
    json.Open('{');
    json.Member("mimeType", ValueOf(exchange.request_headers, "content-type"));
    json.Member("text", exchange.request_body);
    json.Close('}');
  }
  json.Close('}');
  json.Key("response");
  json.Open('{');
  json.Member("status", int64_t{exchange.status});
  json.Member("statusText", absl::string_view());
  json.Member("httpVersion", version);
  json.Empty("cookies", "[]");
  WritePairs(json, "headers", exchange.response_headers);
  json.Key("content");
  json.Open('{');
  json.Member("size", exchange.response_body_bytes);
  json.Member("mimeType", ValueOf(exchange.response_headers, "content-type"));
  json.Member("text", exchange.response_body);
  json.Close('}');
  json.Member("redirectURL", ValueOf(exchange.response_headers, "location"));
  json.Member("headersSize", int64_t{-1});
  json.Member("bodySize", int64_t{-1});
  if (exchange.error != TransportError::kNone) {
    json.Member("_error", absl::StrCat(TransportErrorName(exchange.error), ": ", exchange.error_message));
  }
  json.Close('}');
  json.Empty("cache", "{}");
  WriteTimings(json, exchange);
  if (!exchange.remote_address.empty()) {
    size_t colon = exchange.remote_address.rfind(':');
    std::string address = exchange.remote_address.substr(0, colon);
    if (absl::StartsWith(address, "[")) address = address.substr(1, address.size() - 2);
    json.Member("serverIPAddress", address);
  }
  if (!exchange.note.empty()) json.Member("comment", exchange.note);
  json.Member("_curl", exchange.curl);
  json.Close('}');
}

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

std::string HarEntryJson(const Exchange& exchange) {
  JsonWriter json(/*pretty=*/false);
  WriteEntry(json, exchange);
  return json.Take();
}

std::string HarJson(const std::vector<Exchange>& exchanges) {
  JsonWriter json(/*pretty=*/true);
  json.Open('{');
  json.Key("log");
  json.Open('{');
  json.Member("version", "1.2");
  json.Key("creator");
  json.Open('{');
  json.Member("name", "puckdrop");
  json.Member("version", PUCKDROP_VERSION);
  json.Close('}');
  json.Key("entries");
  json.Open('[');
  for (const Exchange& exchange : exchanges) {
    json.Item();
    WriteEntry(json, exchange);
  }
  json.Close(']');
  json.Close('}');
  json.Close('}');
  return json.Take();
}

}  // namespace puckdrop::http
