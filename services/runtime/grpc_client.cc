#include "services/runtime/grpc_client.h"

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/runtime/server.h"
#include "services/runtime/status_convert.h"

namespace puckdrop::runtime {

grpc::ChannelArguments ChannelArgumentsOfClients() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kLargestMessageBytes);
  arguments.SetMaxSendMessageSize(kLargestMessageBytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
  // A proxy of the environment is for the target, never for our own services.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return arguments;
}

std::shared_ptr<grpc::Channel> ConnectInsecurely(const std::string& address) {
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), ChannelArgumentsOfClients());
}

namespace internal {

void Prepare(const Caller& caller, absl::Time deadline, grpc::ClientContext& context) {
  const absl::Duration left = std::min(deadline - caller.clock->Now(), kLongestCall);
  context.set_deadline(absl::ToChronoTime(absl::Now() + std::max(left, absl::ZeroDuration())));
  if (!caller.bearer_token.empty()) {
    context.AddMetadata("authorization", absl::StrCat("Bearer ", caller.bearer_token));
  }
}

absl::Status Ended(const grpc::ClientContext& context, const grpc::Status& status) {
  absl::Status ended = FromGrpcStatus(status);
  if (ended.ok()) return ended;
  const auto& trailing = context.GetServerTrailingMetadata();
  auto it = trailing.find(kErrorInfoMetadata);
  if (it == trailing.end()) return ended;
  return WithSerializedErrorInfo(std::move(ended), absl::string_view(it->second.data(), it->second.size()));
}

}  // namespace internal
}  // namespace puckdrop::runtime
