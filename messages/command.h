#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "messages/ids.h"
#include "messages/model.h"
#include "messages/placement.h"
#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

enum class CommandKind {
  kStart = 1, ///< load the model if needed, warm up, publish the route
  kStop = 2,  ///< withdraw the route, drain, unload the model when nobody uses it
};
std::string_view ToString(CommandKind kind); ///< "start", "stop"

/// What the controller wants an agent to do. Idempotent: an agent that has seen an equal or later
/// epoch for the application answers as if it had just done it.
struct Command {
  CommandKind kind = CommandKind::kStart;
  uint64_t epoch = 0; ///< 1 to kMaxEpoch
  DeviceId device;
  AppId app;
  ModelId model; ///< kStart only, with format and file; a kStop may leave them out
  ModelFormat format = ModelFormat::kTflite;
  Sha256 file;
  friend bool operator==(const Command&, const Command&) = default;
};

Status Validate(const Command& command);

/// What an agent runs (or could not run) for one application: its report and its cached plan.
struct RunningApp {
  AppId app;
  DeviceId device;
  ModelId model;
  ModelFormat format = ModelFormat::kTflite;
  Sha256 file;
  uint64_t epoch = 0;                               ///< 1 to kMaxEpoch
  PlacementPhase phase = PlacementPhase::kStarting; ///< kStarting, kReady or kFailed
  std::string reason;
  friend bool operator==(const RunningApp&, const RunningApp&) = default;
};

Status Validate(const RunningApp& app);

/// Something an operator may want to know happened. Appended, never changed.
struct Event {
  uint64_t sequence = 0;
  WallTime at{};
  std::string kind;    ///< constant text, e.g. "app_admitted"
  std::string subject; ///< the id it is about, a label; empty: Avocet itself
  std::string detail;
  friend bool operator==(const Event&, const Event&) = default;
};

Status Validate(const Event& event);

} // namespace avocet
