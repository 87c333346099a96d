#pragma once

// The calls of the Control service, each once: X(Message, Reply). The RPC has the message's name, its request proto is
// v1::<Message>Request, and its reply proto is v1::<Reply>. WaitForEvents is the one message of control_actor that is
// missing: WatchEvents carries it as a stream (actors/wire/control_watch.h).
#define AVOCET_EACH_CONTROL_RPC(X)                                                                                     \
  X(GetVersion, VersionInfo)                                                                                           \
  X(ListNodes, NodeList)                                                                                               \
  X(AdoptNode, AdoptedNode)                                                                                            \
  X(ListDevices, DeviceList)                                                                                           \
  X(PutModelChunk, ModelChunkStored)                                                                                   \
  X(FetchModel, ModelChunk)                                                                                            \
  X(ImportModel, Model)                                                                                                \
  X(ListModels, ModelList)                                                                                             \
  X(ProfileModel, ProfileList)                                                                                         \
  X(PlanApp, Decision)                                                                                                 \
  X(ApplyApp, Decision)                                                                                                \
  X(ListApps, AppList)                                                                                                 \
  X(GetApp, AppStatus)                                                                                                 \
  X(ExplainApp, Decision)                                                                                              \
  X(RemoveApp, RemovedApp)                                                                                             \
  X(Rebalance, RebalancePlan)                                                                                          \
  X(ListEvents, EventList)
