#pragma once

#include <utility>

#include "controller/placement/candidate.h"
#include "tests/support/view_builder.h"

namespace avocet {

/// A question about a newcomer, with all that it borrows. Stays where it is made.
struct Asked {
  Asked(ClusterView cluster, Application newcomer, Policy rules = {})
      : view(std::move(cluster)), app(std::move(newcomer)), policy(rules), occupancy(view, policy, app.name),
        question{view, policy, occupancy, cache, {&app, view.FindModel(app.model), app.rate_rps}} {}
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;

  /// The newcomer's demand. Requires that its model is known on the device.
  Demand DemandOn(size_t device) const { return occupancy.DemandOn(device, question.newcomer).value(); }

  ClusterView view;
  Application app;
  Policy policy;
  PredictionCache cache;
  Occupancy occupancy;
  Question question;
};

} // namespace avocet
