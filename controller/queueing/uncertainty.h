#pragma once

#include "controller/queueing/latency_model.h"

namespace avocet {

/// The load at its pessimistic end, to ask the models for the pessimistic end of a prediction: every rate, service
/// time and switch time that was measured at its own one-sided 95 % upper confidence bound (UpperRateBound;
/// 1.645 standard errors of the others), and taken as certain from then on, so that a second time changes
/// nothing. All responses grow with each of them, so what holds at this end holds with at least the confidence of
/// one bound; usually far more, as independent errors are seldom all on one side.
DeviceLoad AtUpperEnd(DeviceLoad load);
AppLoad AtUpperEnd(AppLoad app);

} // namespace avocet
