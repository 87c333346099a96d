#pragma once

#include <vector>

#include "controller/cluster/cluster_view.h"
#include "controller/placement/prediction_book.h"
#include "messages/reports.h"

namespace avocet {

/// What operators are shown of a ClusterView. Pure; rows in order of id.

std::vector<NodeStatus> DescribeNodes(const ClusterView& view);
std::vector<DeviceStatus> DescribeDevices(const ClusterView& view);
std::vector<ModelStatus> DescribeModels(const ClusterView& view);

/// Of every application. `measured` holds only the recent rate; totals are kept with the device. `predicted` is empty
/// where the application is not placed, its device not stable, or the book may not compute more.
std::vector<AppStatus> DescribeApps(const ClusterView& view, PredictionBook& book);

/// One row of DescribeApps. Requires that the application is in the view.
AppStatus DescribeApp(const ClusterView& view, const AppId& app, PredictionBook& book);

/// The predicted latencies of the applications on a device that the view knows, at the rates that people are shown;
/// empty where it is not stable.
std::vector<PredictedLatency> PredictLatencies(const ClusterView& view, const DeviceId& device, PredictionBook& book);

/// The limits that the response times of a device's applications are judged by: objective less network allowance.
std::vector<JudgedLatency> JudgedLatencies(const ClusterView& view, const DeviceId& device);

/// One healthy device of each type that has an engine for a variant of the model; only types
/// without a profile when `missing_only`.
std::vector<DeviceId> DevicesToProfile(const ClusterView& view, const Model& model, bool missing_only);

} // namespace avocet
