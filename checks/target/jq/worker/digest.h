#ifndef PUCKDROP_CHECKS_TARGET_JQ_WORKER_DIGEST_H_
#define PUCKDROP_CHECKS_TARGET_JQ_WORKER_DIGEST_H_

#include <string>
#include <string_view>

namespace puckdrop::jq::worker {

// Functions that can fail return an empty string, or the sentence that says why.

std::string Base64(std::string_view bytes);
std::string Base64Url(std::string_view bytes);                    // RFC 4648 section 5, without padding
bool Base64UrlDecode(std::string_view text, std::string* bytes);  // padding is allowed

// `encoding` is hex, base64 or base64url.
std::string Encode(std::string_view bytes, std::string_view encoding, std::string* text);

std::string Sha256(std::string_view bytes);
std::string HmacSha256(std::string_view key, std::string_view bytes);

// The signature of a JWT (RFC 7518). HS256: any key. RS256 and ES256: a private key in PEM without passphrase.
std::string SignJwt(std::string_view algorithm, std::string_view key, std::string_view signing_input,
                    std::string* signature);

// Version 4 of RFC 9562.
std::string Uuid();
// `length` characters of a-z and 0-9, from the kernel's random source.
std::string RandomText(int length);

}  // namespace puckdrop::jq::worker

#endif  // PUCKDROP_CHECKS_TARGET_JQ_WORKER_DIGEST_H_
