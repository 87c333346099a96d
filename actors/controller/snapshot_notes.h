#pragma once

#include "actors/controller/cluster_snapshot.h"
#include "actors/interfaces.h"

namespace avocet {

/// The nodes and the models of a snapshot, each with what an operator should know of it: orphans that run there, agents
/// that were refused (also of nodes that never registered), model files that are lost.
NodeList ListAllNodes(const ClusterSnapshot& snapshot);
ModelList ListAllModels(const ClusterSnapshot& snapshot);

} // namespace avocet
