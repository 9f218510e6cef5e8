// What is asked of a target over HTTP and what comes back: plain values.
#ifndef PUCKDROP_CHECKS_TARGET_HTTP_HTTP_MESSAGE_H_
#define PUCKDROP_CHECKS_TARGET_HTTP_HTTP_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace puckdrop::http {

class CookieJar;

struct Header {
  std::string name;
  std::string value;
  bool operator==(const Header&) const = default;
};

// Header fields in their order, repeated ones kept; names compare without case (RFC 9110 section 5.1).
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Header> fields) : fields_(fields) {}

  void Add(absl::string_view name, absl::string_view value);
  void Set(absl::string_view name, absl::string_view value);  // replaces all of that name
  void Remove(absl::string_view name);
  void clear() { fields_.clear(); }

  // The first of that name; the view lives as long as this object is not changed.
  std::optional<absl::string_view> Get(absl::string_view name) const;
  std::vector<absl::string_view> All(absl::string_view name) const;
  bool Has(absl::string_view name) const { return Get(name).has_value(); }

  const std::vector<Header>& fields() const { return fields_; }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  bool empty() const { return fields_.empty(); }
  size_t size() const { return fields_.size(); }

 private:
  std::vector<Header> fields_;
};

// A certificate or key: a PEM file or the PEM text itself; both empty is none.
struct Pem {
  std::string file;
  std::string memory;  // a secret when it is a key
  bool empty() const { return file.empty() && memory.empty(); }
};

// How a host of the plan is reached. Shared by all requests to it, immutable once used; make one object per host,
// because connections and parsed certificate bundles are kept per such settings.
struct HostSettings {
  std::string ca_file;  // PEM bundle used instead of the system's; empty: the system's
  Pem certificate;      // client certificate
  Pem key;
  std::string proxy;  // "http://host:port"; empty: none. The environment's proxy variables are never used
  absl::Duration connect_timeout = absl::Seconds(10);  // resolve, connect and TLS together
  std::vector<std::string> resolve_pins;               // "host:port:address", for tests
};

enum class HttpVersion {
  kAny,  // over TLS what ALPN agrees on, else 1.1
  k1_0,
  k1_1,
  k2,                // over TLS by ALPN; falls back to 1.1
  k2PriorKnowledge,  // HTTP/2 without asking, also in clear text
};
// "HTTP/1.1"; "HTTP/?" for kAny.
absl::string_view HttpVersionName(HttpVersion version);

enum class Connection {
  kShared,         // a kept one if there is one
  kFresh,          // a new one, without TLS resumption; kept afterwards
  kFreshAndClose,  // a new one, closed afterwards
};

// Past a bound the transfer ends with kTooLarge or kTooManyHeaders.
struct HttpLimits {
  size_t body_bytes = 16u << 20;     // as received, compressed or not
  size_t decoded_bytes = 32u << 20;  // after decompression
  size_t header_bytes = 64u << 10;   // all header lines together
};

struct HttpRequest {
  std::string method = "GET";  // upper case token
  std::string url;             // absolute, http or https
  Headers headers;  // in this order; Host, Cookie, User-Agent, Accept-Encoding are added when they are not there
  std::string body;
  std::shared_ptr<const HostSettings> host;  // null: defaults
  std::shared_ptr<CookieJar> cookies;        // read before and filled after; null: no cookies
  HttpLimits limits;
  absl::Time deadline = absl::InfiniteFuture();  // bounded by the client's own longest time
  Connection connection = Connection::kShared;
  HttpVersion version = HttpVersion::kAny;
};

enum class TransportError {
  kNone,            // there is a response
  kResolve,         // the name has no address, or the resolver does not answer
  kConnectRefused,  // nobody listens there, or no route
  kConnectTimeout,  // no TCP connection in time
  kTlsPeer,         // the peer's certificate or handshake is at fault
  kReset,           // the connection ended before or while the answer came
  kCutShort,        // the body is shorter than announced
  kTimeout,         // no complete answer before the deadline (or TLS handshake not done in the connect timeout)
  kTooLarge,        // a bound on the body was reached
  kTooManyHeaders,  // the bound on headers was reached
  kBadEncoding,     // the body does not decode as its Content-Encoding says
  kProtocol,        // not HTTP, or broken HTTP
  kCancelled,       // we gave it up
  kLocal,           // our own fault: bad request, unreadable certificate file, no file descriptors, proxy
};
// "RESOLVE", "CONNECT_REFUSED", …; "OK" for kNone.
absl::string_view TransportErrorName(TransportError error);

// Each is the time of its own step; zero where it did not happen (a kept connection has no resolve, connect, tls).
struct Phases {
  absl::Duration resolve;
  absl::Duration connect;
  absl::Duration tls;
  absl::Duration first_byte;  // from the request being sent to the first byte of the answer
  absl::Duration transfer;    // from the first to the last byte
  absl::Duration total;
};

struct HttpAnswer {
  TransportError error = TransportError::kNone;
  std::string message;  // in words, when there is an error; holds no secrets of the request but may hold its host

  // Complete when there is no error; with an error, what had come so far.
  int status = 0;
  Headers headers;   // of the last response (not of 1xx), as received
  Headers trailers;  // fields after a chunked body
  std::string body;  // decompressed

  std::string effective_url;  // as sent
  HttpVersion version = HttpVersion::kAny;
  std::string remote_address;  // "127.0.0.1:8080", "[::1]:8080"; empty when not connected
  bool connection_reused = false;

  absl::Time started;
  Phases phases;
  int64_t bytes_in = 0;  // headers and body as received
  int64_t bytes_out = 0;

  bool ok() const { return error == TransportError::kNone; }
};

}  // namespace puckdrop::http

#endif  // PUCKDROP_CHECKS_TARGET_HTTP_HTTP_MESSAGE_H_
