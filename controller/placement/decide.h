#pragma once

#include <string>

#include "controller/cluster/cluster_view.h"
#include "controller/placement/admission_policy.h"
#include "messages/application.h"
#include "messages/placement.h"

namespace avocet {

struct PredictionCache;

/// The one decision function: admission, dry run, what-if, migration and recovery all ask it. A
/// function of its arguments alone. Considers every device of the view; each gets a verdict from
/// the named filters, in order: healthy, kind, format, profile, memory, utilization, objectives (of all
/// residents and the newcomer); see filters.h. An application that is already placed is judged as if it were not
/// there.
///
/// Where an objective is nearer to its limit than the model's error (several models on a kTimeShared
/// device), a simulation with a fixed seed decides: of the device that would be chosen, until one is confirmed; of
/// a few that were refused only just, where no device passes; and of the largest rate.
///
/// Of the devices that pass it chooses the one where the application already is, else the one that
/// policy.placement likes best, the first by id among equals; see ranking.h. Baselines ask filters of their own,
/// see filters.h. A verdict's numbers are filled for refused
/// devices too; where nothing is known of the newcomer there, "after" equals "before". Its max_rate_rps
/// is found by bisection with the same filters, to 0.5 % below; 0 where 0.001 rps is too much or where
/// no rate would help. Requires Validate(request).ok(). `decided_at` is left for the caller.
Decision Decide(const ClusterView& view, const Application& request, const Policy& policy);
/// The same, faster where the cache knows the devices from earlier decisions.
Decision Decide(const ClusterView& view, const Application& request, const Policy& policy, PredictionCache& cache);

/// The device's load as placement computes it: admission rates, fitted or profiled service times.
/// Residents without any profile or fit are left out (they cannot have been admitted).
DeviceLoad LoadOf(const ClusterView& view, const DeviceId& device);

/// Rate that admission uses: max(declared, upper 95 % confidence bound of the measured
/// rate), or the measured one alone when the application says so.
double AdmissionRate(const Application& app, const DeviceFit& fit);

} // namespace avocet
