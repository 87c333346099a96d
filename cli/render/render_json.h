#pragma once

#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "cli/load/load_report.h"
#include "messages/command.h"
#include "messages/model.h"
#include "messages/placement.h"
#include "messages/rebalance.h"
#include "messages/reports.h"
#include "messages/status.h"

namespace avocet {

// The JSON objects that Render prints, for programs that put several into one document. Latencies
// in milliseconds, memory in MiB, ratios as fractions; what is not known is null.

/// The "v" of each object. Later versions only gain keys.
inline constexpr int kJsonVersion = 1;

nlohmann::ordered_json ToJson(const std::vector<NodeStatus>& nodes);     ///< {"v","nodes":[]}
nlohmann::ordered_json ToJson(const std::vector<DeviceStatus>& devices); ///< {"v","devices":[]}
nlohmann::ordered_json ToJson(const std::vector<ModelStatus>& models);   ///< {"v","models":[]}
nlohmann::ordered_json ToJson(const Model& model);                       ///< {"v","name",...}
nlohmann::ordered_json ToJson(const std::vector<Profile>& profiles);     ///< {"v","profiles":[]}
nlohmann::ordered_json ToJson(const std::vector<AppStatus>& apps);       ///< {"v","apps":[]}
nlohmann::ordered_json ToJson(const AppStatus& app);                     ///< {"v","name",...}
nlohmann::ordered_json ToJson(const Event& event);
nlohmann::ordered_json ToJson(const std::vector<Event>& events); ///< {"v","events":[]}
nlohmann::ordered_json ToJson(const VersionInfo& version);       ///< {"v","version",...}
nlohmann::ordered_json ToJson(const Decision& decision);         ///< {"v","decision",...}
nlohmann::ordered_json ToJson(const RebalancePlan& plan);        ///< {"v","moves":[],...}
nlohmann::ordered_json ToJson(const LoadReport& report);         ///< {"v","ok","apps":[]}
nlohmann::ordered_json ToJson(const Status& error);              ///< {"v","error":{"code","message"}}

} // namespace avocet
