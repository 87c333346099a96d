#pragma once

#include <string>
#include <vector>

#include "controller/queueing/latency_model.h"
#include "messages/application.h"
#include "messages/model.h"
#include "messages/reports.h"

namespace avocet {

/// What the demo imports: sample files of one model.
struct DemoModel {
  std::string name;
  std::string file; ///< below the sample models
};
std::vector<DemoModel> DemoModels();

/// The applications that the demo admits. Those of the real device get a rate that takes a fixed
/// share of the device, and an objective of 2.5 times the prediction. Both follow the measured profiles, as the
/// demo must make sense on a slow machine, too. kNotFound when a profile is missing.
Result<std::vector<Application>> DemoApplications(const std::vector<ModelStatus>& models, const std::string& cpu_type);

/// An application that no device of the demo can take.
Application OneTooMany();

} // namespace avocet
