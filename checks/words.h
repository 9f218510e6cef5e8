#ifndef PUCKDROP_CHECKS_WORDS_H_
#define PUCKDROP_CHECKS_WORDS_H_

#include <string>

#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "puckdrop/target/v1/target.pb.h"

// How checks say amounts, counts and times to people.
namespace puckdrop::checks {

// "14.90 EUR"; "1490 JPY" for a currency without minor units (ISO 4217).
std::string Words(const target::v1::Money& money);
// "1 charge", "2 charges"; `many` defaults to the word with an s.
std::string Count(int64_t number, const std::string& one, const std::string& many = "");
// Same currency and amount.
bool Same(const target::v1::Money& a, const target::v1::Money& b);
absl::Time TimeOf(const google::protobuf::Timestamp& timestamp);

}  // namespace puckdrop::checks

#endif  // PUCKDROP_CHECKS_WORDS_H_
