#pragma once

// Every message of control_actor, once, beside the RPC that carries it between processes:
// (WaitForEvents asks again and again behind the stream of WatchEvents: actors/control_watch.h.)
// AVOCET_EACH_CONTROL_RPC(X) expands X(rpc name, message, reply, request proto, reply proto).
#define AVOCET_EACH_CONTROL_RPC(X)                                                                                     \
  X(GetVersion, GetVersion, VersionInfo, GetVersionRequest, VersionInfo)                                               \
  X(ListNodes, ListNodes, NodeList, ListNodesRequest, NodeList)                                                        \
  X(ListDevices, ListDevices, DeviceList, ListDevicesRequest, DeviceList)                                              \
  X(PutModelChunk, PutModelChunk, ModelChunkStored, PutModelChunkRequest, ModelChunkStored)                            \
  X(FetchModel, FetchModel, ModelChunk, FetchModelRequest, ModelChunk)                                                 \
  X(ImportModel, ImportModel, Model, ImportModelRequest, Model)                                                        \
  X(ListModels, ListModels, ModelList, ListModelsRequest, ModelList)                                                   \
  X(ProfileModel, ProfileModel, ProfileList, ProfileModelRequest, ProfileList)                                         \
  X(PlanApp, PlanApp, Decision, PlanAppRequest, Decision)                                                              \
  X(ApplyApp, ApplyApp, Decision, ApplyAppRequest, Decision)                                                           \
  X(ListApps, ListApps, AppList, ListAppsRequest, AppList)                                                             \
  X(GetApp, GetApp, AppStatus, GetAppRequest, AppStatus)                                                               \
  X(ExplainApp, ExplainApp, Decision, ExplainAppRequest, Decision)                                                     \
  X(RemoveApp, RemoveApp, RemovedApp, RemoveAppRequest, RemovedApp)                                                    \
  X(Rebalance, Rebalance, RebalancePlan, RebalanceRequest, RebalancePlan)                                              \
  X(ListEvents, ListEvents, EventList, ListEventsRequest, EventList)
