#include "bench/attack_server.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

#include "node_agent/grpc/inference_server.h"
#include "node_agent/heap_trimmer.h"
#include "node_agent/http/http_server.h"
#include "node_agent/inference/router.h"

namespace avocet::bench {
namespace {

class SizedModel : public LoadedModel {
public:
  explicit SizedModel(bool is_large) : is_large_(is_large) {
    if (is_large) signature_.inputs = {TensorSpec{"in", DataType::kInt64, {1}}};
  }
  const ModelSignature& signature() const override { return signature_; }
  uint64_t memory_bytes() const override { return kMiB; }
  Result<RunResult> Run(const RunRequest& run) override {
    int64_t bytes = 4096;
    if (is_large_) std::memcpy(&bytes, run.inputs[0].data.data(), sizeof bytes);
    if (static_cast<uint64_t>(bytes) > run.max_output_bytes) return ResourceExhausted("the outputs are too large");
    return RunResult{{Tensor{{"out", DataType::kUint8, {bytes}}, std::vector<std::byte>(static_cast<size_t>(bytes))}},
                     {}};
  }

private:
  const bool is_large_;
  ModelSignature signature_{{TensorSpec{"in", DataType::kUint8, {-1}}}, {TensorSpec{"out", DataType::kUint8, {-1}}}};
};

class SizedEngine : public Engine {
public:
  EngineKind kind() const override { return EngineKind::kTflite; }
  bool can_cancel() const override { return false; }
  Result<std::unique_ptr<LoadedModel>> Load(const LoadRequest& request) override {
    return std::unique_ptr<LoadedModel>(std::make_unique<SizedModel>(request.model.str() == "large:1"));
  }
};

template <class T> T Need(Result<T> result) {
  if (result.ok()) return std::move(*result);
  std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
  std::_Exit(1);
}

[[noreturn]] void Serve(int tell, int parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  DeviceSpec spec;
  spec.node = NodeId("bench");
  spec.name = "cpu0";
  spec.memory_bytes = 1024 * kMiB;
  const auto device = std::make_shared<DeviceScheduler>(spec, BootId("bench"), std::make_unique<SizedEngine>());
  const auto router = std::make_shared<Router>();
  for (const std::string name : {"small", "large"}) {
    const ModelId model(name + ":1");
    if (!device->Load({model, {}}).ok() || !device->Attach(AppId(name), model).ok()) std::_Exit(1);
    router->Publish(AppId(name), {device, model});
  }

  const HeapTrimmer trimmer;
  const auto core = std::make_shared<InferenceCore>(InferenceCoreOptions(), router);
  core->SetReady(true);
  HttpServerOptions http;
  http.rest_address = "127.0.0.1:0";
  http.metrics_address = "";
  InferenceServerOptions grpc;
  grpc.grpc_address = "127.0.0.1:0";
  const auto rest_server = Need(HttpServer::Start(http, core, nullptr));
  const auto grpc_server = Need(InferenceServer::Start(grpc, core));

  const std::string addresses = rest_server->rest_address() + " " + grpc_server->address() + "\n";
  if (write(tell, addresses.data(), addresses.size()) < 0) std::_Exit(1);
  close(tell);
  char byte = 0;
  (void)!read(parent, &byte, 1); // returns when the parent has closed it
  std::_Exit(0);
}

} // namespace

uint64_t AttackedServer::ResidentBytes() const {
  std::ifstream statm("/proc/" + std::to_string(process) + "/statm");
  uint64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

AttackedServer StartAttackedServer() {
  int addresses[2], life[2];
  if (pipe(addresses) != 0 || pipe(life) != 0) std::perror("pipe"), std::exit(1);
  AttackedServer server;
  server.process = fork();
  if (server.process == 0) {
    close(addresses[0]);
    close(life[1]);
    Serve(addresses[1], life[0]);
  }
  close(addresses[1]);
  close(life[0]);
  server.keep_alive = life[1];

  char text[256] = {};
  if (read(addresses[0], text, sizeof text - 1) <= 0) std::fprintf(stderr, "the server did not start\n"), std::exit(1);
  close(addresses[0]);
  std::istringstream(text) >> server.rest >> server.grpc;
  return server;
}

} // namespace avocet::bench
