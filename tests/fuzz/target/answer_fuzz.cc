// What a target can put into an answer's body and what becomes of it: pages and their forms, problem details, and JSON
// values on their way into an operation's response. The first byte chooses what is tried.
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "checks/target/answer.h"
#include "checks/target/message_json.h"
#include "checks/target/page.h"
#include "puckdrop/target/v1/billing.pb.h"
#include "puckdrop/target/v1/ordering.pb.h"
#include "puckdrop/target/v1/target.pb.h"
#include "tests/fuzz/require.h"

namespace {

using namespace puckdrop::target;  // NOLINT: a fuzz target is all about them
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using nlohmann::json;
using puckdrop::fuzz::Require;

const absl::Time kNow = absl::FromUnixSeconds(1'773'513'000);

// As deep as a worker's values can be.
bool TooDeep(absl::string_view text) {
  int depth = 0, deepest = 0;
  for (char c : text) {
    if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
    if (c == '}' || c == ']') --depth;
  }
  return deepest > 200;
}

json Parse(absl::string_view text) {
  return TooDeep(text) ? json() : json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
}

void Form(const json& form) {
  const std::vector<FilledField> set = {{"email", "a@b.example"}, {"card", std::nullopt}, {"email", "twice"}};
  for (const char* button : {"", "go"}) {
    const auto request = FillForm(form, set, button);
    if (!request.ok()) {
      Require(!request.status().message().empty(), "a refusal has a reason");
      continue;
    }
    Require(request->method == "GET" || request->method == "POST", "the method is one of two");
    for (unsigned char c : FormEncode(request->fields)) Require(c > 0x20 && c < 0x7f && c != '#', "a form is a query");
  }
}

void Page(absl::string_view html) {
  const auto text = PageJson(html, "https://shop.example/a/b?c");
  if (!text.ok()) return;
  const json page = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  Require(page.is_object(), "a page is JSON");
  for (const json& form : page["forms"]) Form(form);
}

// Timestamps and durations within what protobuf allows, all the way down: other languages refuse the rest.
void RequireSound(const Message& message) {
  const auto& type = *message.GetDescriptor();
  const auto& reflection = *message.GetReflection();
  if (type.full_name() == "google.protobuf.Timestamp") {
    const auto& at = static_cast<const google::protobuf::Timestamp&>(message);
    Require(at.seconds() >= -62135596800 && at.seconds() <= 253402300799 && at.nanos() >= 0 && at.nanos() <= 999999999,
            "an instant lies in the years 1 to 9999");
    return;
  }
  if (type.full_name() == "google.protobuf.Duration") {
    const auto& length = static_cast<const google::protobuf::Duration&>(message);
    Require(std::abs(length.seconds()) <= 315576000000 && std::abs(length.nanos()) <= 999999999 &&
                (length.seconds() == 0 || length.nanos() == 0 || (length.seconds() < 0) == (length.nanos() < 0)),
            "a duration is at most 10,000 years");
    return;
  }
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) continue;
    if (field->is_repeated()) {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        RequireSound(reflection.GetRepeatedMessage(message, field, i));
      }
    } else {
      RequireSound(reflection.GetMessage(message, field));
    }
  }
}

// Whatever a target says must reach the other processes: text fields hold UTF-8 or the message does not parse there.
void RequireCanTravel(const Message& message) {
  RequireSound(message);
  const std::unique_ptr<Message> again(message.New());
  Require(again->ParseFromString(message.SerializeAsString()), "a message arrives");
}

// header: value \n … \n\n body; the first byte is the status.
void AnswerOf(absl::string_view rest) {
  static constexpr int kStatuses[] = {200, 400, 401, 402, 403, 404, 409, 410, 422, 426, 429, 451, 500};
  puckdrop::http::HttpAnswer answer;
  answer.status = rest.empty() ? 404 : kStatuses[static_cast<unsigned char>(rest[0]) % std::size(kStatuses)];
  rest.remove_prefix(std::min<size_t>(1, rest.size()));
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const absl::string_view line = rest.substr(0, end);
    rest = end == absl::string_view::npos ? absl::string_view() : rest.substr(end + 1);
    if (line.empty()) break;
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) continue;
    answer.headers.Add(line.substr(0, colon), absl::StripAsciiWhitespace(line.substr(colon + 1)));
  }
  answer.trailers = answer.headers;
  answer.body = std::string(rest);
  answer.effective_url = "https://shop.example/api";
  const std::string location(answer.headers.Get("location").value_or(""));
  const auto made = MakeAnswer(std::move(answer), {{302, "https://shop.example/", location}}, location,
                               {{std::string(rest.substr(0, 8)), std::string(rest)}}, kNow);
  for (const std::string& text : {made->HeadersJson(), made->TrailersJson(), made->CookiesJson(), made->HopsJson(),
                                  JsonText(rest), JsonText(made->content_type)}) {
    Require(json::accept(text), "what expressions see is JSON");
  }
  if (const auto refusal = DefaultRefusal(*made)) RequireCanTravel(*refusal);
}

const Message& Prototype(unsigned char which) {
  switch (which % 7) {
    case 0:
      return v1::ListOffersResponse::default_instance();
    case 1:
      return v1::PlaceOrderResponse::default_instance();
    case 2:
      return v1::ListChargesResponse::default_instance();
    case 3:
      return v1::ListInvoicesResponse::default_instance();
    case 4:
      return v1::GetConfigurationResponse::default_instance();
    case 5:
      return v1::GetClockResponse::default_instance();
    default:
      return v1::Refusal::default_instance();
  }
}

void Value(absl::string_view rest) {
  const Message& prototype = Prototype(rest.empty() ? 0 : static_cast<unsigned char>(rest[0]));
  rest.remove_prefix(std::min<size_t>(1, rest.size()));
  const json value = Parse(rest);
  Quoted(value);
  const std::unique_ptr<Message> message(prototype.New());
  std::set<std::string> told;
  const Put put = PutMessage(*message, value, "", told);
  if (!put.status.ok()) {
    Require(!put.status.message().empty(), "a refusal has a reason");
    return;
  }
  RequireCanTravel(*message);
  MissingField(*prototype.GetDescriptor(), told);
  const std::string text = RequestJson(*message);
  const json seen = json::parse(text, nullptr, /*allow_exceptions=*/false);
  Require(seen.is_object(), "a request is JSON");
  if (!put.told) return;
  const std::unique_ptr<Message> again(prototype.New());
  told.clear();
  Require(PutMessage(*again, seen, "", told).status.ok(), "what we show can be given back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const absl::string_view rest = puckdrop::fuzz::AsText(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      Page(rest);
      break;
    case 1:
      AnswerOf(rest);
      break;
    case 2:
      Form(Parse(rest));
      break;
    default:
      Value(rest);
  }
  return 0;
}
