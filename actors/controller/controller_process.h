#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <caf/actor_system.hpp>

#include "actors/controller/controller_actor.h"
#include "actors/interfaces.h"
#include "actors/wire/control_server.h"

namespace avocet {

struct ControllerProcessOptions {
  std::filesystem::path data_dir = "/var/lib/avocet/controller"; ///< db/, models/ and endpoints.json below it
  uint64_t max_model_bytes = 65536 * kMiB; ///< bounds all model files together; beyond it imports are refused
  ControlServerOptions control;
  ControllerOptions controller;
};

/// A whole controller inside this process: its store, its actors, its Control service.
class ControllerProcess {
public:
  /// Opens the store, reads the records, listens. Nothing is left running when it fails.
  static Result<std::unique_ptr<ControllerProcess>> Start(caf::actor_system& system,
                                                          const ControllerProcessOptions& options);
  ~ControllerProcess();
  ControllerProcess(const ControllerProcess&) = delete;
  ControllerProcess& operator=(const ControllerProcess&) = delete;

  const controller_actor& actor() const { return actor_; }
  std::string address() const { return server_->address(); }
  /// Calls first, then the actors, then the disk; each with a deadline.
  void Stop();

private:
  ControllerProcess(caf::actor_system& system, controller_actor actor);
  caf::actor_system& system_;
  controller_actor actor_;
  std::unique_ptr<ControlServer> server_;
  bool stopped_ = false;
};

} // namespace avocet
