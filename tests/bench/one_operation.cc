#include "tests/bench/one_operation.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace puckdrop::bench {

namespace {

awaitable<absl::Status> FetchOnce(const runtime::Clock& clock, http::HttpClient& client,
                                  const OperationSettings& settings) {
  http::HttpRequest request;
  request.url = settings.url;
  request.host = settings.host;
  request.connection = settings.connection;
  request.deadline = clock.Now() + absl::Seconds(30);
  http::HttpAnswer answer = co_await client.Fetch(std::move(request));
  if (!answer.ok()) co_return absl::UnavailableError(answer.message);
  if (answer.status != 200) co_return absl::InternalError(absl::StrCat("status ", answer.status));
  co_return absl::OkStatus();
}

}  // namespace

OneOperation MakeOneOperation(runtime::EventLoop& loop, const runtime::Clock& clock, http::HttpClient& client,
                              OperationSettings settings) {
  auto kept = std::make_shared<const OperationSettings>(std::move(settings));
  return [&clock, &client, kept]() -> awaitable<absl::Status> { return FetchOnce(clock, client, *kept); };
}

}  // namespace puckdrop::bench
