#include "checks/target/http/curl_errors.h"

#include <cerrno>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace puckdrop::http {

namespace {

// By the words: the errno of a handle may be that of its last transfer.
bool IsReset(const CurlFailure& failure) {
  return absl::StrContains(failure.text, "Connection reset") || absl::StrContains(failure.text, "Broken pipe") ||
         absl::StrContains(failure.text, "connection abort");
}

}  // namespace

TransportError ClassifyCurlFailure(const CurlFailure& failure) {
  switch (failure.code) {
    case CURLE_OK:
      return TransportError::kNone;

    case CURLE_COULDNT_RESOLVE_HOST:
      return TransportError::kResolve;

    case CURLE_COULDNT_CONNECT:
      // What lies between us and our proxy is ours.
      if (failure.through_proxy) return TransportError::kLocal;
      switch (failure.system_error) {
        case EMFILE:
        case ENFILE:
        case EADDRNOTAVAIL:
        case ENOBUFS:
        case ENOMEM:
        case EACCES:
        case EPERM:
          return TransportError::kLocal;
        case ETIMEDOUT:
          return TransportError::kConnectTimeout;
        default:
          return TransportError::kConnectRefused;
      }

    case CURLE_OPERATION_TIMEDOUT:
      if (!failure.resolved) return TransportError::kResolve;
      // Of a TLS host libcurl tells the TCP connection's time only with the handshake's; its words know better.
      if (!failure.connected && !absl::StrContains(failure.text, "SSL")) return TransportError::kConnectTimeout;
      return TransportError::kTimeout;

    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return TransportError::kTlsPeer;
    case CURLE_SSL_CONNECT_ERROR:
      return IsReset(failure) ? TransportError::kReset : TransportError::kTlsPeer;

    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_HTTP2_STREAM:
    case CURLE_SSL_SHUTDOWN_FAILED:
      return TransportError::kReset;
    case CURLE_RECV_ERROR:
      // libcurl reports broken chunks with the same code.
      if (!IsReset(failure) && failure.answering &&
          (absl::StrContains(failure.text, "chunk") || absl::StrContains(failure.text, "hex"))) {
        return TransportError::kProtocol;
      }
      return TransportError::kReset;
    case CURLE_PARTIAL_FILE:
      return TransportError::kCutShort;

    case CURLE_BAD_CONTENT_ENCODING:
      return TransportError::kBadEncoding;
    case CURLE_FILESIZE_EXCEEDED:
      return TransportError::kTooLarge;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_HTTP2:
    case CURLE_HTTP3:
    case CURLE_CHUNK_FAILED:
    case CURLE_HTTP_RETURNED_ERROR:
      return TransportError::kProtocol;

    case CURLE_OUT_OF_MEMORY:
      // A header line of more than 100 KiB ends as "out of memory".
      return failure.answering ? TransportError::kTooManyHeaders : TransportError::kLocal;

    default:
      return TransportError::kLocal;
  }
}

std::string DescribeCurlFailure(const CurlFailure& failure, TransportError error) {
  std::string why = failure.text.empty() ? curl_easy_strerror(failure.code) : failure.text;
  switch (error) {
    case TransportError::kResolve:
      return absl::StrCat("the name of ", failure.host, " did not resolve: ", why);
    case TransportError::kConnectRefused:
      return absl::StrCat("no connection to ", failure.host, ": ",
                          failure.system_error != 0 ? std::strerror(static_cast<int>(failure.system_error)) : why);
    case TransportError::kConnectTimeout:
      return absl::StrCat("no connection to ", failure.host, " in time");
    case TransportError::kTlsPeer:
      return absl::StrCat("TLS with ", failure.host, " failed: ", why);
    case TransportError::kReset:
      return absl::StrCat(failure.host,
                          failure.answering  ? " ended the connection in the middle of its answer"
                          : failure.tls_done ? " ended the connection without an answer"
                                             : " ended the connection in the TLS handshake",
                          " (", why, ")");
    case TransportError::kCutShort:
      return absl::StrCat("the answer of ", failure.host, " is shorter than announced: ", why);
    case TransportError::kTimeout:
      return absl::StrCat(failure.host,
                          failure.answering  ? " did not finish its answer in time"
                          : failure.tls_done ? " did not answer in time"
                                             : " did not finish the TLS handshake in time",
                          " (", why, ")");
    case TransportError::kTooLarge:
      return absl::StrCat("the answer of ", failure.host, " is larger than allowed: ", why);
    case TransportError::kTooManyHeaders:
      return absl::StrCat("the headers of ", failure.host, " are larger than allowed");
    case TransportError::kBadEncoding:
      return absl::StrCat("the body of ", failure.host, " is not what its Content-Encoding says: ", why);
    case TransportError::kProtocol:
      return absl::StrCat(failure.host, " does not speak proper HTTP: ", why);
    default:
      return absl::StrCat("the request to ", failure.host, " failed here: ", why);
  }
}

}  // namespace puckdrop::http
