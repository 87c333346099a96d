#pragma once

#include <functional>
#include <memory>
#include <string>

#include <grpcpp/support/server_callback.h>

#include "actors/interfaces.h"
#include "actors/wire/call_gate.h"
#include "avocet/v1/control.pb.h"

namespace avocet {

/// The streams of Control.WatchEvents: each asks the controller for the next events once the ones before
/// have gone out, so a slow reader holds up nobody. Thread-safe.
class EventWatches {
public:
  EventWatches(caf::actor_system& system, control_actor controller);
  ~EventWatches();
  EventWatches(const EventWatches&) = delete;
  EventWatches& operator=(const EventWatches&) = delete;

  /// The reactor of one call of a caller with that certificate (as of CertificateOf), who has the seat until it ends.
  grpc::ServerWriteReactor<v1::Event>* Begin(uint64_t after_sequence, std::string certificate,
                                             std::unique_ptr<Seat> seat);
  /// Ends the streams whose certificates `check` refuses.
  void EndUntrusted(const std::function<Status(const std::string& certificate)>& check);
  /// Ends every stream with kUnavailable and begins no further ones.
  void Stop();

private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

} // namespace avocet
