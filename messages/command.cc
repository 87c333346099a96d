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

Command StartCommand(const Placement& copy) {
  return {.kind = CommandKind::kStart,
          .epoch = copy.epoch,
          .device = copy.device,
          .app = copy.app,
          .model = copy.model,
          .format = copy.format,
          .file = copy.file,
          .size_bytes = copy.size_bytes};
}

Command StopCommand(const Placement& copy) {
  Command command = StartCommand(copy);
  command.kind = CommandKind::kStop;
  return command;
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
