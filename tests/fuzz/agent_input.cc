#include "tests/fuzz/agent_input.h"

#include "actors/protocol/agent_claims.h"
#include "actors/wire/link_codec.h"
#include "avocet/v1/link.pb.h"
#include "controller/cluster/cluster_changes.h"
#include "controller/cluster/reconcile.h"
#include "controller/queueing/estimator.h"
#include "messages/codec/codec.h"
#include "messages/text.h"
#include "storage/memory_store.h"
#include "storage/records.h"
#include "tests/support/fake_agent.h"

namespace avocet {
namespace {

using Depth = AgentInputDepth;

/// What came of a message.
struct AgentOutcome {
  Depth depth = Depth::kUnparsed;
  std::string problem;
};

AgentOutcome Refused() {
  return {Depth::kRefused, ""};
}

/// The batch can be written, and each table reads what is in it.
AgentOutcome Used(const WriteBatch& batch) {
  MemoryStore store;
  Status status = store.Write(batch, Sync::kYes);
  const auto read = [&](auto table) {
    if (status.ok()) status = LoadAll(store, table).status();
  };
  read(kNodes);
  read(kPlacements);
  read(kDeviceFits);
  read(kProfiles);
  read(kEvents);
  if (status.ok()) status = Load(store, kLastEpoch).status();
  return {Depth::kUsed, status.message()};
}

/// One application that is placed on n1/gpu0.
ClusterView ViewWithCam() {
  const Command start = StartOfCam().command;
  ClusterView view;
  view.apps[start.app] = MakeApp("cam", "pose");
  view.placements[start.app] = {.app = start.app,
                                .device = start.device,
                                .model = start.model,
                                .format = start.format,
                                .file = start.file,
                                .epoch = start.epoch};
  return view;
}

void PutEvent(WriteBatch& batch, const std::string& subject, const std::string& detail) {
  Put(batch, kEvents,
      Event{.sequence = 1,
            .kind = "app_failed",
            .subject = ToText(subject, kMaxLabelBytes),
            .detail = ToText("because " + detail)});
}

AgentOutcome Use(const v1::Hello& proto) {
  const auto hello = FromProto(proto);
  if (!hello.ok()) return {Depth::kUndecoded, ""};
  if (!CheckRegistration(hello->node, hello->running).ok()) return Refused();
  const uint64_t last_epoch = 7;
  if (!CheckHighestEpoch(hello->node, hello->highest_epoch, last_epoch).ok()) return Refused();
  for (const auto& running : hello->running) {
    if (!CheckEpoch(running, last_epoch).ok()) return Refused();
  }
  ClusterView view = ViewWithCam();
  NodeArrived(view, hello->node);
  WriteBatch batch;
  Put(batch, kNodes, hello->node);
  const auto reconciliation = Reconcile(view, {}, {hello->node.id, hello->running, hello->highest_epoch}, last_epoch);
  for (const auto& placement : reconciliation.adopted)
    Put(batch, kPlacements, placement);
  for (const auto& command : reconciliation.commands) {
    if (const auto status = Validate(command); !status.ok()) return {Depth::kUsed, status.message()};
  }
  Put(batch, kLastEpoch, reconciliation.last_epoch);
  return Used(batch);
}

AgentOutcome Use(const v1::Placement& proto) {
  const auto running = FromProto(proto);
  if (!running.ok()) return {Depth::kUndecoded, ""};
  if (!CheckReport(TestNode(), *running).ok() || !CheckEpoch(*running, 7).ok()) return Refused();
  ClusterView view = ViewWithCam();
  (void)TakeReport(view, *running);
  WriteBatch batch;
  Put(batch, kPlacements, view.placements.begin()->second);
  PutEvent(batch, running->app.str(), running->reason);
  return Used(batch);
}

/// Several windows of one message are observed by one estimator.
AgentOutcome Use(const v1::WindowBatch& proto) {
  DeviceEstimator estimator(DeviceId("n1/gpu0"), {.half_life_windows = 1});
  AgentOutcome outcome{Depth::kUndecoded, ""};
  for (const auto& one : proto.windows()) {
    auto sent = FromProto(one);
    if (!sent.ok()) return outcome;
    if (!CheckWindow(TestNode(), *sent).ok()) return Refused();
    // Again and again: sums grow to what they can be at most, or fade to nothing.
    for (int times = 0; times < 40; ++times) {
      (void)estimator.Observe(sent->window);
      if (++sent->window.sequence > kMaxWindowSequence) break;
    }
    WriteBatch batch;
    Put(batch, kDeviceFits, estimator.fit());
    outcome = Used(batch);
    if (!outcome.problem.empty()) return outcome;
  }
  return outcome;
}

AgentOutcome Use(const v1::Answer& proto) {
  const auto answer = FromProto(proto);
  if (!answer.ok()) return {Depth::kUndecoded, ""};
  if (!IsText(answer->status.message())) return {Depth::kUsed, "an answer whose text is none"};
  if (!answer->profile) return {Depth::kUsed, ""};
  const ProfileAsked asked{ModelId("pose:1"), ModelFormat::kEmulated, "test device", true};
  if (!CheckProfile(asked, *answer->profile).ok()) return Refused();
  WriteBatch batch;
  Put(batch, kProfiles, *answer->profile);
  PutEvent(batch, answer->profile->model.str(), answer->profile->device_type);
  return Used(batch);
}

AgentOutcome Use(std::string_view bytes) {
  v1::AgentMessage message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return {};
  switch (message.body_case()) {
  case v1::AgentMessage::kHello:
    return Use(message.hello());
  case v1::AgentMessage::kRunning:
    return Use(message.running());
  case v1::AgentMessage::kWindows:
    return Use(message.windows());
  case v1::AgentMessage::kAnswer:
    return Use(message.answer());
  case v1::AgentMessage::kAlive:
  case v1::AgentMessage::kGoodbye:
  case v1::AgentMessage::BODY_NOT_SET:
    break;
  }
  return {Depth::kUndecoded, ""};
}

} // namespace

std::string ProblemWithAgentInput(std::string_view bytes) {
  return Use(bytes).problem;
}

AgentInputDepth DepthOfAgentInput(std::string_view bytes) {
  return Use(bytes).depth;
}

} // namespace avocet
