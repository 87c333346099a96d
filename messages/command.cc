#include "messages/command.h"

#include "messages/check.h"

namespace avocet {

std::string_view ToString(CommandKind kind) {
  switch (kind) {
  case CommandKind::kStart:
    return "start";
  case CommandKind::kStop:
    return "stop";
  }
  return "unknown";
}

Status Validate(const Command& command) {
  const bool stop = command.kind == CommandKind::kStop;
  Check check("command", ToString(command.kind));
  check.That(command.epoch >= 1 && command.epoch <= kMaxEpoch, "epoch", command.epoch, ">= 1 and at most 2^63 - 1")
      .Device("device", command.device)
      .Name("app", command.app.str());
  if (!stop || !command.model.empty()) check.Model("model", command.model);
  if (!stop || !command.file.empty()) check.Digest("file", command.file);
  return check.status();
}

Status Validate(const RunningApp& app) {
  return Check("running application", app.app.str())
      .Name("app", app.app.str())
      .Device("device", app.device)
      .Model("model", app.model)
      .Digest("file", app.file)
      .That(app.epoch >= 1 && app.epoch <= kMaxEpoch, "epoch", app.epoch, ">= 1 and at most 2^63 - 1")
      .That(app.phase != PlacementPhase::kLost, "phase", ToString(app.phase), "starting, ready or failed")
      .Text("reason", app.reason)
      .status();
}

Status Validate(const Event& event) {
  return Check("event", event.kind)
      .Name("kind", event.kind)
      .That(event.subject.empty() || IsLabel(event.subject), "subject", event.subject,
            "at most 256 bytes of UTF-8 without control characters")
      .Text("detail", event.detail)
      .status();
}

} // namespace avocet
