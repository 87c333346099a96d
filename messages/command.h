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

/// What the controller wants an agent to do with one copy of an application: that of `device` and `epoch`. A start
/// replaces every copy of an earlier epoch, and is dropped, at whichever step it is, when a later start is known. A
/// stop ends the device's copies up to `epoch`, also those that are still being started or whose start has not come
/// yet. Both may be repeated.
struct Command {
  CommandKind kind = CommandKind::kStart;
  uint64_t epoch = 0; ///< 1 to kMaxEpoch
  DeviceId device;
  AppId app;
  ModelId model; ///< kStart only, with format and file; a kStop may leave them out
  ModelFormat format = ModelFormat::kTflite;
  Sha256 file;
  uint64_t size_bytes = 0; ///< of the model file; 0: unknown
  friend bool operator==(const Command&, const Command&) = default;
};

Status Validate(const Command& command);

/// The command that makes an agent run this copy.
Command StartCommand(const Placement& copy);
/// The command that ends this copy, and every earlier one of its application on its device.
Command StopCommand(const Placement& copy);

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
