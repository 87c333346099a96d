#pragma once

#include <string>
#include <vector>

#include "cli/load/load_report.h"
#include "cli/render/render.h"
#include "messages/command.h"
#include "messages/model.h"
#include "messages/placement.h"
#include "messages/rebalance.h"
#include "messages/reports.h"
#include "messages/status.h"

namespace avocet {

// The tables and texts that Render prints for people.

std::string ToText(const std::vector<NodeStatus>& nodes, bool color);
std::string ToText(const std::vector<DeviceStatus>& devices, bool color);
std::string ToText(const std::vector<ModelStatus>& models, bool color);
std::string ToText(const Model& model, bool color);
std::string ToText(const std::vector<Profile>& profiles, bool color);
std::string ToText(const std::vector<AppStatus>& apps, bool color);
std::string ToText(const AppStatus& app, bool color);
std::string ToText(const std::vector<Event>& events, bool color);
std::string ToText(const VersionInfo& version, bool color);
std::string ToText(const LoadReport& report, bool color);
std::string ToText(const Decision& decision, const DecisionView& view, bool color);
std::string ToText(const RebalancePlan& plan, bool color);
std::string ToText(const Status& error, bool color);

} // namespace avocet
