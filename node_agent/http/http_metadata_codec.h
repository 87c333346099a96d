#pragma once

#include <string>
#include <vector>

#include "node_agent/inference/inference_core.h"

namespace avocet {

// What the protocol says of this node and its applications, as JSON texts.

std::string HealthJson(const char* key, bool value);
std::string ServerMetadataJson(const InferenceCoreOptions& options);
std::string ModelReadyJson(const std::string& name, bool ready);
std::string ModelMetadataJson(const ServedModel& model);
std::string ModelConfigJson(const ServedModel& model);
std::string StatisticsJson(const std::vector<ServedStatistics>& all);
std::string IndexJson(const std::vector<IndexEntry>& index);

} // namespace avocet
