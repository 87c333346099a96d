#include "tests/fuzz/control_input.h"

#include "actors/wire/control_codec.h"
#include "actors/wire/control_requests.h"
#include "actors/wire/control_table.h"
#include "avocet/v1/control.pb.h"
#include "controller/cluster/cluster_changes.h"
#include "controller/placement/decide.h"
#include "controller/placement/describe.h"
#include "controller/placement/prediction_cache.h"
#include "controller/placement/rebalance.h"
#include "storage/memory_store.h"
#include "storage/records.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

using Depth = ControlInputDepth;

/// What came of a request.
struct ControlOutcome {
  Depth depth = Depth::kUnparsed;
  std::string problem;
};

/// Two devices, and an application that one of them runs.
ClusterView SmallCluster() {
  return ViewBuilder()
      .Device("n1/gpu0")
      .Device("n2/gpu0")
      .Model("pose:1", {.service_ms = 20})
      .Resident(MakeApp("cam", "pose"), "n1/gpu0")
      .Build();
}

/// The batch can be written, and each table reads what is in it.
std::string ProblemWith(const WriteBatch& batch) {
  MemoryStore store;
  Status status = store.Write(batch, Sync::kYes);
  if (status.ok()) status = LoadAll(store, kApplications).status();
  if (status.ok()) status = LoadAll(store, kPlacements).status();
  if (status.ok()) status = LoadAll(store, kDecisions).status();
  if (status.ok()) status = LoadAll(store, kModels).status();
  return status.message();
}

std::string UseApp(const Application& app, const PlacementOptions& options) {
  ClusterView view = SmallCluster();
  const Decision decision = Decide(view, app, WithOptions({}, options));
  WriteBatch batch;
  Put(batch, kDecisions, decision);
  if (decision.kind == DecisionKind::kAdmit) {
    Put(batch, kApplications, app);
    const Placement placement = AdmitApp(view, decision, 9);
    Put(batch, kPlacements, placement);
    if (const Status status = Validate(StartCommand(placement)); !status.ok()) return status.message();
  }
  return ProblemWith(batch);
}

/// Questions: nothing follows from them.
template <class Message> std::string Use(const Message&) {
  return "";
}
std::string Use(const PlanApp& plan) {
  return UseApp(plan.app, plan.options);
}
std::string Use(const ApplyApp& apply) {
  return UseApp(apply.app, apply.options);
}
std::string Use(const ImportModel& import) {
  WriteBatch batch;
  Put(batch, kModels, import.model);
  return ProblemWith(batch);
}
std::string Use(const ProfileModel& profile) {
  const ClusterView view = SmallCluster();
  const Model* model = view.FindModel(profile.model);
  return model == nullptr || !DevicesToProfile(view, *model, false).empty() ? "" : "no device for a known model";
}
std::string Use(const Rebalance& rebalance) {
  PredictionCache cache;
  const auto plan = PlanRebalance(SmallCluster(), {}, rebalance.max_moves, cache);
  return plan.moves.size() <= static_cast<size_t>(rebalance.max_moves) ? "" : "more moves than were asked for";
}

template <class Message, class Proto> ControlOutcome Handle(std::string_view bytes) {
  Proto proto;
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return {};
  const Result<Message> request = FromProto(proto);
  if (!request.ok()) return {Depth::kUndecoded, ""};
  if (!CheckRequest(*request).ok()) return {Depth::kRefused, ""};
  return {Depth::kUsed, Use(*request)};
}

ControlOutcome Call(std::string_view bytes) {
  if (bytes.empty()) return {};
  size_t number = static_cast<unsigned char>(bytes[0]);
  bytes.remove_prefix(1);
#define AVOCET_CALL(Message, Reply)                                                                                    \
  if (number-- == 0) return Handle<avocet::Message, v1::Message##Request>(bytes);
  AVOCET_EACH_CONTROL_RPC(AVOCET_CALL)
#undef AVOCET_CALL
  return {};
}

} // namespace

std::string ProblemWithControlInput(std::string_view bytes) {
  return Call(bytes).problem;
}

ControlInputDepth DepthOfControlInput(std::string_view bytes) {
  return Call(bytes).depth;
}

} // namespace avocet
