#pragma once

// Every message that an actor accepts. Actors exchange plain structs inside one process; nothing of
// CAF crosses a process. A failed request is answered with a caf::error made from a Status
// (actors/errors.h). Requests carry the deadlines of actors/options.h.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/protocol/window_buffer.h"
#include "messages/application.h"
#include "messages/command.h"
#include "messages/device.h"
#include "messages/measurement.h"
#include "messages/model.h"
#include "messages/placement.h"
#include "messages/rebalance.h"
#include "messages/reports.h"
#include "storage/disk_room.h"
#include "storage/store.h"

namespace avocet {

// One line per message: a table, to be read as one.
// clang-format off

struct Done {};

// ---- StoreActor: the only owner of the Store and of the controller's model files (detached) ----

/// Writes a batch with sync; writes that wait together are committed together.
struct WriteRecords { WriteBatch batch; };
/// Appends one piece of a model file; the answer names the next offset wanted.
struct PutModelChunk { Sha256 file; uint64_t offset = 0; uint64_t total_bytes = 0; std::string data; };
struct ModelChunkStored { uint64_t next_offset = 0; };
/// Reads one piece of a model file; empty at its end.
struct FetchModel { Sha256 file; uint64_t offset = 0; };
struct ModelChunk { std::string data; };
/// Fails unless every file of the model is stored with the stated size, is of its format, needs no other file, and all
/// have the same inputs and outputs; and unless the files that it is measured with are stored.
struct CheckModelFiles { Model model; };
/// Reads the kept decision about an application. kNotFound: there is none.
struct ReadDecision { AppId app; };
/// Internal: commits what has gathered.
struct FlushWrites {};
/// Commits what has gathered, answers, then ends.
struct StopActor {};

using store_actor = caf::typed_actor<
    caf::replies_to<WriteRecords>::with<Done>,
    caf::replies_to<PutModelChunk>::with<ModelChunkStored>,
    caf::replies_to<FetchModel>::with<ModelChunk>,
    caf::replies_to<CheckModelFiles>::with<Done>,
    caf::replies_to<ReadDecision>::with<Decision>,
    caf::reacts_to<FlushWrites>,
    caf::replies_to<StopActor>::with<Done>>;

// ---- Agent side, as the controller sees it ----

/// Runs one command; answered at once when it is on disk, its outcome follows as ReportRunning. kCancelled: a start
/// that a later command of the application overtook.
struct RunCommand { Command command; };
/// Measures a model on a device; bounded in runs and time.
struct ProfileOnDevice { DeviceId device; ModelId model; Variant variant; std::vector<SampleInput> samples = {}; };

/// The predicted latencies of a device's applications, to be shown beside the measured ones, and the limits that they are
/// judged by, to be counted against. Replaces the device's previous predictions.
struct SetPredictions {
  DeviceId device;
  std::vector<PredictedLatency> apps;
  std::vector<JudgedLatency> objectives = {};
  friend bool operator==(const SetPredictions&, const SetPredictions&) = default;
};

/// The agent is to introduce itself again, as after a reconnect, so that every difference is found: it did not take a
/// command.
struct RegisterAgain { std::string why; };

/// What the controller may ask of an agent. The local agent actor and the link's proxy both are one.
using agent_handle = caf::typed_actor<
    caf::replies_to<RunCommand>::with<Done>,
    caf::replies_to<ProfileOnDevice>::with<Profile>,
    caf::reacts_to<RegisterAgain>,
    caf::reacts_to<SetPredictions>>;

/// One device's windows were made durable up to and including `sequence`.
struct WindowAck { DeviceId device; BootId boot; uint64_t sequence = 0; };

/// Takes the acknowledgements of measurement windows.
using window_ack_handle = caf::typed_actor<caf::reacts_to<WindowAck>>;

// ---- Controller, as an agent sees it ----

/// An agent introduces itself: who it is, what it runs, and where to reach it.
/// `session` is greater for every later session with one controller process; 0 for an agent inside it. `instance` was
/// drawn when the agent's store was made (0: unknown). `highest_epoch`: of all commands that the agent ever took; a controller that was
/// restored from an old copy goes on above it. `cluster`: that it belongs to (0: none yet). kAlreadyExists: an agent of another instance has that
/// name and is alive. kDenied: it belongs to another cluster; nothing that it runs is touched.
struct RegisterAgent { NodeInfo node; std::vector<Placement> running; agent_handle agent; window_ack_handle acks; uint64_t session = 0; uint64_t instance = 0; std::string peer; uint64_t highest_epoch = 0; uint64_t cluster = 0; };
/// The cluster that an agent belongs to from now on; 0: from a controller of an earlier version.
struct Welcome { uint64_t cluster = 0; };
/// "I am alive"; without one for a lease the node counts as away. kNotFound asks to register again,
/// kCancelled says that a later session of the node replaced this one.
struct Heartbeat { NodeId node; BootId boot; uint64_t session = 0; };
/// The agent stops in order: its node is away from now on.
struct Goodbye { NodeId node; BootId boot; uint64_t session = 0; };
/// The outcome of a command, or a change of what runs. Errors as of Heartbeat.
struct ReportRunning { NodeId node; Placement running; BootId boot; uint64_t session = 0; };
/// Closed windows in order; acknowledged with WindowAck once the fits that cover them are on disk.
struct ReportWindows { NodeId node; std::vector<SentWindow> windows; BootId boot; uint64_t session = 0; };

/// The messages that only agents send.
using agent_session = caf::typed_actor<
    caf::replies_to<RegisterAgent>::with<Welcome>,
    caf::replies_to<Heartbeat>::with<Done>,
    caf::replies_to<ReportRunning>::with<Done>,
    caf::reacts_to<ReportWindows>,
    caf::reacts_to<Goodbye>>;

using agent_link_actor = agent_session::extend<
    caf::replies_to<FetchModel>::with<ModelChunk>>;

// ---- Controller, as the CLI and automation see it (the Control service) ----

struct GetVersion {};
struct ListNodes {};
struct NodeList { std::vector<NodeStatus> nodes; };
/// Lets in an agent that belongs to another cluster and was refused for that. kNotFound: there is none of that name.
struct AdoptNode { NodeId node; };
struct AdoptedNode { NodeId node; };
struct ListDevices {};
struct DeviceList { std::vector<DeviceStatus> devices; };
/// Makes a model known whose files are stored.
struct ImportModel { Model model; };
struct ListModels {};
struct ModelList { std::vector<ModelStatus> models; };
/// Measures a model on one device, or on one healthy device of each type that can run it. `samples` replace what the model
/// is measured with, from now on, if it runs on them somewhere; none leave that as it is.
struct ProfileModel { std::string model; DeviceId device; std::vector<SampleInput> samples = {}; };
struct ProfileList { std::vector<Profile> profiles; };
/// Dry run: the same decision as ApplyApp, nothing changed.
struct PlanApp { Application app; PlacementOptions options; };
/// Decides, makes the decision durable, commands the agent. A refusal is an answer, not an error.
struct ApplyApp { Application app; PlacementOptions options; };
struct ListApps {};
struct AppList { std::vector<AppStatus> apps; };
struct GetApp { AppId app; };
/// The last decision about an application, as it is kept (controller/placement/kept_decision.h).
struct ExplainApp { AppId app; };
struct RemoveApp { AppId app; };
struct RemovedApp { AppId app; };
/// Moves that make room, at most so many; `execute`: and makes them, durable, then commands the agents.
struct Rebalance { int max_moves = 0; bool execute = false; };
struct ListEvents { uint64_t after_sequence = 0; };
struct EventList { std::vector<Event> events; };
/// The durable events after the sequence number, as soon as there is one (or none, when too many wait).
struct WaitForEvents { uint64_t after_sequence = 0; };

/// The part of the Control service that is answered from snapshots.
using snapshot_control = caf::typed_actor<
    caf::replies_to<GetVersion>::with<VersionInfo>,
    caf::replies_to<ListNodes>::with<NodeList>,
    caf::replies_to<ListDevices>::with<DeviceList>,
    caf::replies_to<ListModels>::with<ModelList>,
    caf::replies_to<ListApps>::with<AppList>,
    caf::replies_to<GetApp>::with<AppStatus>,
    caf::replies_to<ExplainApp>::with<Decision>>;

/// The part of the Control service that the placement actor answers; model files are the store actor's.
using placement_control = caf::typed_actor<
    caf::replies_to<ImportModel>::with<Model>,
    caf::replies_to<ProfileModel>::with<ProfileList>,
    caf::replies_to<PlanApp>::with<Decision>,
    caf::replies_to<ApplyApp>::with<Decision>,
    caf::replies_to<RemoveApp>::with<RemovedApp>,
    caf::replies_to<Rebalance>::with<RebalancePlan>,
    caf::replies_to<ListEvents>::with<EventList>,
    caf::replies_to<WaitForEvents>::with<EventList>>;

using control_actor = placement_control::extend_with<snapshot_control>::extend<
    caf::replies_to<AdoptNode>::with<AdoptedNode>,
    caf::replies_to<PutModelChunk>::with<ModelChunkStored>,
    caf::replies_to<FetchModel>::with<ModelChunk>>;

// ---- DeviceActor: one per accelerator; owns its estimator and totals ----

/// One closed window of the device.
struct ReportWindow { SentWindow sent; };
/// The measured totals of every application seen on the device.
struct GetTotals {};
struct DeviceTotals { std::map<AppId, AppMeasured> apps; };
/// The application left the cluster: its rate and its totals are forgotten.
struct ForgetApp { AppId app; };
/// Where acknowledgements of this device's windows go from now on.
struct SetAckTarget { window_ack_handle acks; };
/// The device left the cluster: its records are deleted, then its actor ends.
struct ForgetDevice {};
/// Internal: time to persist the fit.
struct PersistTick {};

using device_actor = caf::typed_actor<
    caf::reacts_to<ReportWindow>,
    caf::replies_to<GetTotals>::with<DeviceTotals>,
    caf::reacts_to<ForgetApp>,
    caf::reacts_to<SetAckTarget>,
    caf::reacts_to<ForgetDevice>,
    caf::reacts_to<PersistTick>>;

// ---- PlacementActor: the single writer of placements; owns the ClusterView ----

/// An agent registered: its node, what it runs, its handle, the largest epoch that it has seen.
struct NodeUp { NodeInfo node; std::vector<Placement> running; agent_handle agent; uint64_t highest_epoch = 0; };
/// A node's lease ran out, or its agent stopped: `why`.
struct NodeAway { NodeId node; std::string why; };
/// Another agent of the node's name was refused: an event, nothing else.
struct NamesakeRefused { NodeId node; std::string why; };
/// An agent of another cluster was refused: an event, and a note in the list of nodes until it registers.
struct ForeignerRefused { NodeInfo node; std::string why; };
/// An operator let such an agent in: an event.
struct ForeignerAdopted { NodeId node; std::string why; };
/// A model file of the controller was found damaged, and removed: an event, and a note in the list of models until it
/// is imported again.
struct ModelFileLost { Sha256 file; std::string why; };
/// The disk of the controller has little room left, or enough again: an event.
struct DiskRoomChanged { DiskRoomChange change; };
/// A device's fitted parameters moved enough to matter.
struct FitChanged { DeviceFit fit; };
/// The actor that holds a device's measurements; the placement actor sends it ForgetApp.
struct DeviceUp { DeviceId device; device_actor actor; };
/// Whether a node may have a model file: it was told to run it, or asked to profile it. kDenied otherwise.
struct MayFetch { NodeId node; Sha256 file; };
/// Internal: the view changed since it was last published.
struct PublishTick {};
/// Internal: time to have agents register again that did not take a command.
struct RefusalTick {};

using placement_actor = placement_control::extend<
    caf::replies_to<NodeUp>::with<Welcome>,
    caf::reacts_to<NodeAway>,
    caf::reacts_to<NamesakeRefused>,
    caf::reacts_to<ForeignerRefused>,
    caf::reacts_to<ForeignerAdopted>,
    caf::reacts_to<ModelFileLost>,
    caf::reacts_to<DiskRoomChanged>,
    caf::reacts_to<FitChanged>,
    caf::reacts_to<DeviceUp>,
    caf::replies_to<MayFetch>::with<Done>,
    caf::reacts_to<PublishTick>,
    caf::reacts_to<RefusalTick>,
    caf::replies_to<ReportRunning>::with<Done>>;

// ---- SnapshotActor: answers questions about the cluster, beside the placement actor (detached) ----

/// actors/controller/cluster_snapshot.h
struct ClusterSnapshot;
/// What the placement actor knows now. It comes before every answer that rests on it.
struct TakeSnapshot { std::shared_ptr<const ClusterSnapshot> snapshot; };
/// Internal: time to send agents the predictions of their applications.
struct PredictionTick {};

using snapshot_actor = snapshot_control::extend<
    caf::reacts_to<TakeSnapshot>,
    caf::reacts_to<PredictionTick>>;

// ---- ControllerActor: root of the controller; sessions, leases, children, stop order ----

/// Internal: time to look at the leases.
struct LeaseTick {};

/// Both what the CLI and what an agent sees; control_actor already has FetchModel, which agents send, too.
using controller_actor = control_actor::extend_with<agent_session>::extend<
    caf::replies_to<MayFetch>::with<Done>,
    caf::reacts_to<LeaseTick>,
    caf::replies_to<StopActor>::with<Done>>;

// ---- AgentActor and its children ----

/// Loads, attaches, publishes the route (kStart) or withdraws, drains, unloads (kStop); blocks. kCancelled: overtaken.
struct ExecuteCommand { Command command; };

using device_worker = caf::typed_actor<
    caf::replies_to<ExecuteCommand>::with<Done>,
    caf::replies_to<ProfileOnDevice>::with<Profile>,
    caf::replies_to<StopActor>::with<Done>>;

/// Where windows go from now on.
struct SetWindowTarget { agent_link_actor controller; };
/// Internal: time to close windows and to send what is not acknowledged.
struct WindowTick {};

using uplink_actor = caf::typed_actor<
    caf::reacts_to<WindowAck>,
    caf::reacts_to<SetWindowTarget>,
    caf::reacts_to<WindowTick>,
    caf::replies_to<StopActor>::with<Done>>;

/// Gives the agent its controller (again, after a reconnect), or none: it was lost.
struct ConnectTo { agent_link_actor controller; };
/// Internal: time for a heartbeat, or to register.
struct SessionTick {};

using agent_actor = agent_handle::extend<
    caf::reacts_to<ConnectTo>,
    caf::reacts_to<SessionTick>,
    caf::replies_to<StopActor>::with<Done>>;

// clang-format on

} // namespace avocet

// Plain structs, copied between actors of one process: nothing is serialized.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::Done)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::WriteRecords)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::PutModelChunk)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ModelChunkStored)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::FetchModel)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ModelChunk)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::CheckModelFiles)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ReadDecision)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::FlushWrites)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::StopActor)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::RunCommand)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ProfileOnDevice)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::SetPredictions)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::RegisterAgain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::WindowAck)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::RegisterAgent)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::Welcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::Heartbeat)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::Goodbye)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ReportRunning)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ReportWindow)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ReportWindows)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::GetVersion)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ListNodes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::NodeList)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::AdoptNode)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::AdoptedNode)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ListDevices)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::DeviceList)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ImportModel)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ListModels)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ModelList)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ProfileModel)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ProfileList)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::PlanApp)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ApplyApp)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ListApps)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::AppList)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::GetApp)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ExplainApp)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::RemoveApp)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::RemovedApp)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::Rebalance)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::RebalancePlan)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ListEvents)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::EventList)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::WaitForEvents)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::GetTotals)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::DeviceTotals)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ForgetApp)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::SetAckTarget)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ForgetDevice)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::PersistTick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::NodeUp)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::NodeAway)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::NamesakeRefused)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ForeignerRefused)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ForeignerAdopted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ModelFileLost)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::DiskRoomChanged)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::FitChanged)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::DeviceUp)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::MayFetch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::PublishTick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::TakeSnapshot)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::PredictionTick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::RefusalTick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::LeaseTick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ExecuteCommand)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::SetWindowTarget)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::WindowTick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::ConnectTo)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::SessionTick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::Decision)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::Model)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::Profile)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::VersionInfo)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::AppStatus)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::Placement)
