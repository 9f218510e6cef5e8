#include "services/cli/try_recording.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"

namespace puckdrop::cli {
namespace {

using nlohmann::json;

constexpr char kAbout[] = "about.json";
constexpr size_t kMostAbout = 1u << 20;

}  // namespace

std::string RecordingFolder(const std::string& state_directory, const std::string& operation) {
  std::string name = operation;
  // Operation ids are words and dots; anything else is a typing mistake that must not become a path.
  for (char& c : name) {
    if (c == '/' || c == '\0') c = '_';
  }
  return absl::StrCat(state_directory, "/try/", name);
}

absl::Status SaveRecording(const std::string& folder, const TriedAs& as, const target::RecordingHttpClient& exchanges,
                           const http::Redactor& redactor) {
  absl::Status saved = exchanges.Save(folder, redactor);
  if (!saved.ok()) return saved;
  const json about = {{"operation", as.operation},
                      {"run", as.run},
                      {"customer", as.customer},
                      {"case", as.payment_case},
                      {"request", redactor.Redact(as.request_json)},
                      {"time", absl::FormatTime(absl::RFC3339_sec, as.time, absl::UTCTimeZone())}};
  const std::string path = absl::StrCat(folder, "/", kAbout);
  std::remove(path.c_str());
  const mode_t others = umask(S_IRWXG | S_IRWXO);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  umask(others);
  file << about.dump(1, ' ', false, json::error_handler_t::replace) << "\n";
  file.close();
  return file ? absl::OkStatus() : absl::UnavailableError(absl::StrCat(path, " cannot be written"));
}

absl::StatusOr<Recording> LoadRecording(const std::string& folder) {
  absl::StatusOr<std::unique_ptr<target::ReplayingHttpClient>> exchanges = target::ReplayingHttpClient::Load(folder);
  if (!exchanges.ok()) return exchanges.status();
  const std::string path = absl::StrCat(folder, "/", kAbout);
  std::ifstream file(path, std::ios::binary);
  std::string text(kMostAbout, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(0, file.gcount())));
  Recording recording;
  recording.exchanges = *std::move(exchanges);
  try {
    const json about = json::parse(text);
    recording.as.operation = about.at("operation").get<std::string>();
    recording.as.run = about.at("run").get<std::string>();
    recording.as.customer = about.at("customer").get<std::string>();
    recording.as.payment_case = about.at("case").get<std::string>();
    recording.as.request_json = about.at("request").get<std::string>();
    std::string wrong;
    if (!absl::ParseTime(absl::RFC3339_sec, about.at("time").get<std::string>(), &recording.as.time, &wrong)) {
      return absl::DataLossError(absl::StrCat(path, " is no recording: ", wrong));
    }
  } catch (const json::exception& wrong) {
    return absl::DataLossError(absl::StrCat(path, " is no recording: ", wrong.what()));
  }
  return recording;
}

absl::Time HurryingClock::Now() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return real_.Now() + ahead_;
}

absl::Duration HurryingClock::Monotonic() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return real_.Monotonic() + ahead_;
}

std::optional<uint64_t> HurryingClock::WakeAt(absl::Time when, std::function<void()> wake) const {
  uint64_t id = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    id = next_id_++;
    wakers_.emplace(std::make_pair(when, id), std::move(wake));
  }
  // Later, because a deadline that is set beside a wait is mostly taken back at once.
  loop_.Post([this] { Hurry(); });
  return id;
}

void HurryingClock::RemoveWaker(uint64_t id) const {
  std::lock_guard<std::mutex> lock(mutex_);
  std::erase_if(wakers_, [id](const auto& waker) { return waker.first.second == id; });
}

void HurryingClock::Hurry() const {
  std::function<void()> wake;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (wakers_.empty() || wakers_.begin()->first.first == absl::InfiniteFuture()) return;
    ahead_ = std::max(ahead_, wakers_.begin()->first.first - real_.Now());
    wake = std::move(wakers_.begin()->second);
    wakers_.erase(wakers_.begin());
  }
  wake();
}

}  // namespace puckdrop::cli
