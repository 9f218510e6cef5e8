// Everything between the plan's text, the target's bytes or a worker's frames and jq: it must be total on any input.
// The first byte chooses what is tried.

extern "C" {
#include <jv.h>
}

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "checks/target/jq/scan.h"
#include "checks/target/jq/wire.h"
#include "checks/target/jq/worker/dates.h"
#include "checks/target/jq/worker/digest.h"
#include "checks/target/jq/worker/jv_json.h"
#include "checks/target/jq/worker/money.h"
#include "checks/target/jq/worker/text.h"

namespace {

using namespace puckdrop::jq;  // NOLINT: a fuzz target is all about them

void Frames(std::string_view data) {
  wire::Type type{};
  std::size_t size = 0;
  wire::PeekHeader(data, &type, &size);
  wire::Load load;
  wire::DecodeLoad(data, &load);
  std::vector<ProgramError> errors;
  wire::DecodeLoaded(data, &errors);
  std::vector<wire::Request> requests;
  wire::DecodeEvaluate(data, &requests);
  std::vector<wire::Result> results;
  wire::DecodeResults(data, &results);
}

// What is read and written must read the same again; what is skipped must be judged as what is built.
void Json(std::string_view data) {
  jv value = jv_null();
  std::string error;
  const bool good = worker::ParseJson(data, &value, &error);
  if (good == !error.empty()) std::abort();
  jv skipped = jv_null();
  std::string skip_error;
  worker::Wanted wanted;
  wanted.Add({"a", "b"});
  const bool skip_good = worker::ParseJson(data, &skipped, &skip_error, &wanted);
  if (good != skip_good) std::abort();
  if (good) {
    std::string text;
    if (worker::WriteJson(value, 1 << 20, &text) == worker::WriteEnd::kOk) {
      jv again = jv_null();
      if (!worker::ParseJson(text, &again, &error) || jv_equal(jv_copy(value), jv_copy(again)) == 0) std::abort();
      jv_free(again);
    }
  }
  jv_free(skipped);
  jv_free(value);
}

void Text(std::string_view data) {
  Program program;
  program.text = std::string(data);
  program.names = {"cart"};
  const Scan scan = ScanProgram(program);
  for (const ProgramError& error : scan.errors) {
    if (error.line < 1 || error.column < 1 || error.length < 1 || error.message.empty()) std::abort();
  }
  HumanError(program, 0, data, data.size() / 2);
}

void Functions(std::string_view data) {
  worker::Amount amount;
  worker::MoneyFromDecimal(data, "EUR", &amount);
  worker::MoneyFromMinor(data, data, &amount);
  worker::MoneyFromNanos(data, data, "KWD", &amount);
  double instant = 0;
  worker::ParseRfc3339(data, &instant);
  worker::ParseTime(data, "%Y-%m-%dT%H:%M:%S%z", &instant);
  std::string text;
  worker::FormatTime(instant, "%F", data, &text);
  worker::HtmlText(data);
  worker::QueryPairs(data);
  worker::Base64UrlDecode(data, &text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      Frames(rest);
      break;
    case 1:
      Json(rest);
      break;
    case 2:
      Text(rest);
      break;
    default:
      Functions(rest);
  }
  return 0;
}
