#pragma once

#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "controller/placement/decide.h"
#include "tests/support/view_builder.h"

namespace avocet {

/// The only device's verdict.
inline Verdict JudgeOne(const ClusterView& view, const Application& app, const Policy& policy = {}) {
  const Decision decision = Decide(view, app, policy);
  EXPECT_TRUE(Validate(decision).ok()) << Validate(decision).ToString();
  return decision.verdicts.at(0);
}

inline ViewBuilder OneDevice(const DeviceOptions& device = {}) {
  ViewBuilder builder;
  builder.Device("n/d", device).Model("m:1", {.service_ms = 10});
  return builder;
}

inline const AppLatency& LatencyOf(const Verdict& verdict, const std::string& app) {
  for (const auto& one : verdict.apps) {
    if (one.app == AppId(app)) return one;
  }
  throw std::out_of_range(app);
}

} // namespace avocet
