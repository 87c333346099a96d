#pragma once

#include <grpcpp/grpcpp.h>

#include "inference/grpc_service.grpc.pb.h"
#include "node_agent/grpc/inference_status.h"
#include "node_agent/inference/inference_core.h"

namespace avocet {

/// Triton's methods that are not served, each with an answer in words: `Base` has them as callback methods. No shared
/// memory region exists, so asking for all of them and unregistering succeed.
template <class Base> class ExtensionService : public Base {
public:
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* SystemSharedMemoryStatus(Context* context, const inference::SystemSharedMemoryStatusRequest* request,
                                    inference::SystemSharedMemoryStatusResponse*) override {
    return Answer(context, RegionStatus(request->name()));
  }
  Reactor* CudaSharedMemoryStatus(Context* context, const inference::CudaSharedMemoryStatusRequest* request,
                                  inference::CudaSharedMemoryStatusResponse*) override {
    return Answer(context, RegionStatus(request->name()));
  }
  Reactor* SystemSharedMemoryRegister(Context* context, const inference::SystemSharedMemoryRegisterRequest*,
                                      inference::SystemSharedMemoryRegisterResponse*) override {
    return Answer(context, InferenceCore::NotServed("shared memory"));
  }
  Reactor* CudaSharedMemoryRegister(Context* context, const inference::CudaSharedMemoryRegisterRequest*,
                                    inference::CudaSharedMemoryRegisterResponse*) override {
    return Answer(context, InferenceCore::NotServed("shared memory"));
  }
  Reactor* SystemSharedMemoryUnregister(Context* context, const inference::SystemSharedMemoryUnregisterRequest*,
                                        inference::SystemSharedMemoryUnregisterResponse*) override {
    return Answer(context, Status());
  }
  Reactor* CudaSharedMemoryUnregister(Context* context, const inference::CudaSharedMemoryUnregisterRequest*,
                                      inference::CudaSharedMemoryUnregisterResponse*) override {
    return Answer(context, Status());
  }
  Reactor* TraceSetting(Context* context, const inference::TraceSettingRequest*,
                        inference::TraceSettingResponse*) override {
    return Answer(context, InferenceCore::NotServed("tracing"));
  }
  Reactor* LogSettings(Context* context, const inference::LogSettingsRequest*,
                       inference::LogSettingsResponse*) override {
    return Answer(context, InferenceCore::NotServed("changing the log"));
  }

protected:
  static Reactor* Answer(Context* context, const Status& status) {
    Reactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpc(status));
    return reactor;
  }

private:
  static Status RegionStatus(const std::string& name) {
    return name.empty() ? Status() : InferenceCore::NoSharedMemory(name);
  }
};

} // namespace avocet
