// Exchanges kept in a folder, and answered again from there without a network: `puckdrop try --again`.
#ifndef PUCKDROP_CHECKS_TARGET_RECORDER_H_
#define PUCKDROP_CHECKS_TARGET_RECORDER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "checks/target/http/http_client.h"
#include "checks/target/http/redactor.h"

namespace puckdrop::target {

// Passes requests on and keeps them with their answers, in memory, until they are saved or forgotten. Loop thread only;
// `client` must outlive it. Past 500 exchanges the oldest are dropped.
class RecordingHttpClient final : public http::HttpClient {
 public:
  explicit RecordingHttpClient(http::HttpClient& client) : client_(client) {}

  awaitable<http::HttpAnswer> Fetch(http::HttpRequest request) override;

  // Forgets what was recorded.
  void Clear() { kept_.clear(); }
  size_t size() const { return kept_.size(); }

  // Writes each exchange as NNN.json into the folder, which is made if need be and emptied of older recordings; nobody
  // but the owner may read them. Only redacted text is written, so what an expression hid, or a cookie held, is
  // "<redacted>" when it is read again. Blocks.
  absl::Status Save(const std::string& folder, const http::Redactor& redactor) const;

 private:
  struct Kept {
    http::HttpRequest request;
    http::HttpAnswer answer;
  };
  http::HttpClient& client_;
  std::vector<Kept> kept_;
};

// Answers from a recording, in its order: each request with the next exchange of its method and path (without query;
// what was redacted in a path fits anything), passing over those between, because a mended plan may ask less. A request
// that the recording does not have from there on ends kLocal with the reason: the plan asks for something else.
class ReplayingHttpClient final : public http::HttpClient {
 public:
  // NOT_FOUND: no recording in that folder; DATA_LOSS: one that cannot be read, with its file. Blocks.
  static absl::StatusOr<std::unique_ptr<ReplayingHttpClient>> Load(const std::string& folder);

  awaitable<http::HttpAnswer> Fetch(http::HttpRequest request) override;

 private:
  struct Kept {
    std::string method, path;
    http::HttpAnswer answer;
  };
  std::vector<Kept> kept_;
  size_t next_ = 0;
};

}  // namespace puckdrop::target

#endif  // PUCKDROP_CHECKS_TARGET_RECORDER_H_
