// A prober over gRPC: in process, on this machine or elsewhere.
#ifndef PUCKDROP_SERVICES_READINESS_GRPC_PROBER_CLIENT_H_
#define PUCKDROP_SERVICES_READINESS_GRPC_PROBER_CLIENT_H_

#include <memory>

#include "services/readiness/prober_client.h"
#include "services/runtime/grpc_client.h"

namespace puckdrop::readiness {

std::unique_ptr<ProberClient> MakeGrpcProberClient(runtime::Caller caller, std::shared_ptr<grpc::Channel> channel);

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_GRPC_PROBER_CLIENT_H_
