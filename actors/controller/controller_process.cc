#include "actors/controller/controller_process.h"

#include <spdlog/spdlog.h>

#include "actors/endpoints_file.h"
#include "actors/stop.h"
#include "storage/records.h"
#include "storage/rocks_store.h"

namespace avocet {
namespace {

/// A slow disk may take this long for the last commit.
constexpr Duration kStopDeadline = std::chrono::seconds(15);

Result<std::unique_ptr<Store>> OpenStore(const std::filesystem::path& data_dir) {
  AVOCET_ASSIGN_OR_RETURN(auto store, RocksStore::Open({.directory = data_dir / "db"}));
  AVOCET_RETURN_IF_ERROR(OpenSchema(*store, StoreRole::kController));
  return std::unique_ptr<Store>(std::move(store));
}

Result<controller_actor> SpawnOn(caf::actor_system& system, const ControllerProcessOptions& options) {
  AVOCET_ASSIGN_OR_RETURN(auto store, OpenStore(options.data_dir));
  auto files = ModelFiles::Open(
      {.directory = options.data_dir / "models", .max_bytes = options.max_model_bytes, .evict = false});
  if (!files.ok()) return files.status();
  ControllerOptions controller = options.controller;
  controller.data_dir = options.data_dir;
  return SpawnController(system, std::move(store), std::move(*files), controller);
}

} // namespace

ControllerProcess::ControllerProcess(caf::actor_system& system, controller_actor actor)
    : system_(system), actor_(std::move(actor)) {}

ControllerProcess::~ControllerProcess() {
  Stop();
}

Result<std::unique_ptr<ControllerProcess>> ControllerProcess::Start(caf::actor_system& system,
                                                                    const ControllerProcessOptions& options) {
  AVOCET_ASSIGN_OR_RETURN(auto actor, SpawnOn(system, options));
  std::unique_ptr<ControllerProcess> process(new ControllerProcess(system, std::move(actor)));
  AVOCET_ASSIGN_OR_RETURN(auto server, ControlServer::Start(options.control, system, process->actor_));
  process->server_ = std::move(server);
  AVOCET_RETURN_IF_ERROR(WriteEndpoints(options.data_dir, {{"control", process->address()}}));
  spdlog::info("controller started address={} data_dir={}", process->address(), options.data_dir.string());
  return process;
}

void ControllerProcess::Stop() {
  if (stopped_) return;
  stopped_ = true;
  if (server_ != nullptr) server_->Stop();
  if (auto status = StopAndWait(system_, actor_, kStopDeadline); !status.ok())
    spdlog::warn("controller did not stop in order reason=\"{}\"", status.message());
  actor_ = nullptr;
}

} // namespace avocet
