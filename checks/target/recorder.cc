#include "checks/target/recorder.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "checks/target/http/host_rules.h"

namespace puckdrop::target {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr size_t kMost = 500;
constexpr size_t kMostBody = 8u << 20;
constexpr uintmax_t kMostFile = 32u << 20;

std::string PathOf(absl::string_view url) {
  const auto parts = http::ParseUrl(url);
  return parts.ok() ? parts->path : std::string(url);
}

bool IsUtf8(const std::string& text) {
  try {
    static_cast<void>(json(text).dump());
    return true;
  } catch (const json::exception&) {
    return false;
  }
}

bool IsRecording(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.size() == 8 && absl::EndsWith(name, ".json") && absl::ascii_isdigit(static_cast<unsigned char>(name[0]));
}

}  // namespace

awaitable<http::HttpAnswer> RecordingHttpClient::Fetch(http::HttpRequest request) {
  http::HttpRequest kept = request;
  http::HttpAnswer answer = co_await client_.Fetch(std::move(request));
  if (kept_.size() >= kMost) kept_.erase(kept_.begin());
  kept_.push_back({std::move(kept), answer});
  co_return answer;
}

absl::Status RecordingHttpClient::Save(const std::string& folder, const http::Redactor& redactor) const {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return absl::UnavailableError(absl::StrCat(folder, ": ", error.message()));
  std::vector<fs::path> older;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (IsRecording(entry.path())) older.push_back(entry.path());
  }
  for (const fs::path& path : older) fs::remove(path, error);
  int number = 0;
  for (const Kept& kept : kept_) {
    json headers = json::array();
    for (const http::Header& header : kept.answer.headers) {
      headers.push_back({{"name", header.name}, {"value", redactor.HeaderValue(header.name, header.value)}});
    }
    const std::string type(kept.answer.headers.Get("content-type").value_or(""));
    json out = {{"request",
                 {{"method", kept.request.method},
                  {"url", redactor.Url(kept.request.url)},
                  {"body", redactor.Body(kept.request.headers.Get("content-type").value_or(""), kept.request.body,
                                         kMostBody)}}},
                {"answer",
                 {{"error", std::string(TransportErrorName(kept.answer.error))},
                  {"error_number", static_cast<int>(kept.answer.error)},
                  {"message", redactor.Redact(kept.answer.message)},
                  {"status", kept.answer.status},
                  {"headers", std::move(headers)},
                  {"url", redactor.Url(kept.answer.effective_url)}}}};
    if (IsUtf8(kept.answer.body)) {
      out["answer"]["body"] = redactor.Body(type, kept.answer.body, kMostBody);
    } else {
      out["answer"]["body_base64"] = absl::Base64Escape(redactor.Redact(kept.answer.body.substr(0, kMostBody)));
    }
    const fs::path path = fs::path(folder) / absl::StrFormat("%03d.json", ++number);
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << out.dump(1, ' ', false, json::error_handler_t::replace) << "\n";
    file.close();
    if (!file) return absl::UnavailableError(absl::StrCat(path.string(), " cannot be written"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ReplayingHttpClient>> ReplayingHttpClient::Load(const std::string& folder) {
  std::error_code error;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (IsRecording(entry.path())) paths.push_back(entry.path());
  }
  if (error || paths.empty()) {
    return absl::NotFoundError(absl::StrCat(folder, " holds no recording: run the operation once without --again"));
  }
  std::sort(paths.begin(), paths.end());
  auto made = std::make_unique<ReplayingHttpClient>();
  for (const fs::path& path : paths) {
    const auto broken = [&](absl::string_view why) {
      return absl::DataLossError(absl::StrCat(path.string(), " is no recording: ", why));
    };
    if (fs::file_size(path, error) > kMostFile || error) return broken("it is too large");
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    const json read = json::parse(text.str(), nullptr, /*allow_exceptions=*/false);
    try {
      Kept kept;
      kept.method = read.at("request").at("method").get<std::string>();
      kept.path = PathOf(read.at("request").at("url").get<std::string>());
      const json& answer = read.at("answer");
      const int number = answer.at("error_number").get<int>();
      if (number < 0 || number > static_cast<int>(http::TransportError::kLocal)) return broken("unknown error");
      kept.answer.error = static_cast<http::TransportError>(number);
      kept.answer.message = answer.at("message").get<std::string>();
      kept.answer.status = answer.at("status").get<int>();
      kept.answer.effective_url = answer.at("url").get<std::string>();
      for (const json& header : answer.at("headers")) {
        kept.answer.headers.Add(header.at("name").get<std::string>(), header.at("value").get<std::string>());
      }
      if (answer.contains("body_base64")) {
        if (!absl::Base64Unescape(answer["body_base64"].get<std::string>(), &kept.answer.body)) {
          return broken("its body is no base64");
        }
      } else {
        kept.answer.body = answer.at("body").get<std::string>();
      }
      made->kept_.push_back(std::move(kept));
    } catch (const json::exception& wrong) {
      return broken(wrong.what());
    }
  }
  return made;
}

awaitable<http::HttpAnswer> ReplayingHttpClient::Fetch(http::HttpRequest request) {
  http::HttpAnswer answer;
  answer.error = http::TransportError::kLocal;
  if (next_ >= kept_.size()) {
    answer.message =
        absl::StrCat("the recording has ", kept_.size(), " exchanges, and the plan asks for one more: ", request.method,
                     " ", PathOf(request.url), "; record anew without --again");
    co_return answer;
  }
  const Kept& kept = kept_[next_];
  if (kept.method != request.method || kept.path != PathOf(request.url)) {
    answer.message =
        absl::StrCat("exchange ", next_ + 1, " of the recording is ", kept.method, " ", kept.path,
                     ", and the plan asks ", request.method, " ", PathOf(request.url), "; record anew without --again");
    co_return answer;
  }
  ++next_;
  answer = kept.answer;
  answer.effective_url = request.url;
  co_return answer;
}

}  // namespace puckdrop::target
