#include "checks/target/recorder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "checks/target/http/cookie_jar.h"
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

constexpr char kGap[] = "~redacted~";  // in a path, where angle brackets would be escaped

// Whether a recorded path, with gaps where something was redacted, is the path asked for.
bool Fits(absl::string_view recorded, absl::string_view asked) {
  const std::vector<absl::string_view> parts = absl::StrSplit(recorded, kGap);
  if (!absl::ConsumePrefix(&asked, parts.front())) return false;
  for (size_t i = 1; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    const size_t at = last && parts[i].empty() ? asked.size() : last ? asked.rfind(parts[i]) : asked.find(parts[i]);
    if (at == absl::string_view::npos || at == 0) return false;
    asked.remove_prefix(at + parts[i].size());
  }
  return asked.empty();
}

// A cookie without what makes it one's own: its name and attributes are the target's habits.
std::string CookieLine(absl::string_view line, const http::Redactor& redactor) {
  const size_t equals = line.find('='), end = std::min(line.find(';'), line.size());
  if (equals == absl::string_view::npos || equals > end) return std::string(http::kRedacted);
  return redactor.Redact(absl::StrCat(line.substr(0, equals + 1), http::kRedacted, line.substr(end)));
}

// Nobody but the owner reads it, from the first byte on.
absl::Status WritePrivately(const fs::path& path, const std::string& text) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return absl::UnavailableError(absl::StrCat(path.string(), " cannot be written: ", strerror(errno)));
  size_t written = 0;
  ssize_t more = 0;
  while (written < text.size() && (more = write(file, text.data() + written, text.size() - written)) > 0) {
    written += static_cast<size_t>(more);
  }
  if (close(file) != 0 || written < text.size()) {
    return absl::UnavailableError(absl::StrCat(path.string(), " cannot be written"));
  }
  return absl::OkStatus();
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
  if (!error) fs::permissions(folder, fs::perms::owner_all, error);
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
      headers.push_back({{"name", header.name},
                         {"value", absl::EqualsIgnoreCase(header.name, "set-cookie")
                                       ? CookieLine(header.value, redactor)
                                       : redactor.HeaderValue(header.name, header.value)}});
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
    absl::Status written = WritePrivately(path, out.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
    if (!written.ok()) return written;
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
      kept.path =
          PathOf(absl::StrReplaceAll(read.at("request").at("url").get<std::string>(), {{http::kRedacted, kGap}}));
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
  const std::string path = PathOf(request.url);
  size_t at = next_;
  while (at < kept_.size() && (kept_[at].method != request.method || !Fits(kept_[at].path, path))) ++at;
  if (at == kept_.size()) {
    answer.error = http::TransportError::kLocal;
    answer.message = absl::StrCat("the plan asks ", request.method, " ", path, ", which the recording does not have",
                                  next_ == 0 ? absl::StrCat(" among its ", kept_.size(), " exchanges")
                                             : absl::StrCat(" after exchange ", next_, " of ", kept_.size()),
                                  "; record anew without --again");
    co_return answer;
  }
  next_ = at + 1;
  answer = kept_[at].answer;
  answer.effective_url = request.url;
  if (request.cookies != nullptr) {
    for (absl::string_view line : answer.headers.All("set-cookie")) {
      request.cookies->SetCookie(request.url, line, absl::Now());
    }
  }
  co_return answer;
}

}  // namespace puckdrop::target
