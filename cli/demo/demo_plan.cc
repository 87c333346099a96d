#include "cli/demo/demo_plan.h"

#include <algorithm>
#include <cmath>

namespace avocet {
namespace {

/// Objectives on the real device are this factor times the prediction.
constexpr double kSlack = 2.5;
constexpr double kLeastObjectiveMs = 20;

struct RealApp {
  const char* app;
  const char* model;
  double share; ///< of the device
  Statistic statistic;
};

// Of some milliseconds each: with shorter ones the operating system's scheduling is most of what one measures.
constexpr RealApp kRealApps[] = {
    {"door-face", "face_detection_full_range", 0.13, Statistic::kMean},
    {"sign-hands", "hand_landmark_full", 0.14, Statistic::kP95},
    {"fall-pose", "pose_landmark_lite", 0.15, Statistic::kP95},
};

struct EmulatedApp {
  const char* app;
  const char* model;
  double rate_rps;
  Statistic statistic;
  double latency_ms;
};

constexpr EmulatedApp kEmulatedApps[] = {
    {"shelf-resnet", "resnet50", 5, Statistic::kMean, 200},
    {"gate-yolo", "yolo4_tiny", 6, Statistic::kP95, 400},
    {"line-efficientnet", "efficientnet_s", 8, Statistic::kP95, 400},
    {"lane-mobilenet", "mobilenet_v2", 10, Statistic::kP95, 300},
    {"dock-inception", "inception_v3", 3, Statistic::kMean, 400},
};

Application Make(const std::string& name, const std::string& model, double rate_rps, Objective objective) {
  Application app;
  app.name = AppId(name);
  app.model = model;
  app.rate_rps = rate_rps;
  app.objective = objective;
  return app;
}

const Profile* FindProfile(const std::vector<ModelStatus>& models, const std::string& name, const std::string& type) {
  for (const auto& model : models) {
    if (model.model.name != name) continue;
    for (const auto& profile : model.profiles) {
      if (profile.device_type == type) return &profile;
    }
  }
  return nullptr;
}

Result<DeviceLoad> RealLoad(const std::vector<ModelStatus>& models, const std::string& cpu_type) {
  DeviceLoad load{.discipline = Discipline::kFifo, .cores = 1, .apps = {}};
  for (const auto& real : kRealApps) {
    const Profile* profile = FindProfile(models, real.model, cpu_type);
    if (profile == nullptr) return NotFound("no profile of model '" + std::string(real.model) + "' on " + cpu_type);
    const double service_s = ToSeconds(profile->service_mean);
    load.apps.push_back({.app = AppId(real.app),
                         .model = profile->model,
                         .rate_rps = std::round(10 * real.share / service_s) / 10,
                         .service = {service_s, profile->service_scv},
                         .switch_s = ToSeconds(profile->switch_overhead)});
  }
  return load;
}

Duration ObjectiveFor(double predicted_s) {
  return FromMillis(std::max(kLeastObjectiveMs, std::ceil(kSlack * predicted_s * 1e3)));
}

} // namespace

std::vector<DemoModel> DemoModels() {
  std::vector<DemoModel> models;
  for (const auto& real : kRealApps)
    models.push_back({real.model, std::string(real.model) + ".tflite"});
  for (const auto& emulated : kEmulatedApps)
    models.push_back({emulated.model, std::string(emulated.model) + ".toml"});
  return models;
}

Result<std::vector<Application>> DemoApplications(const std::vector<ModelStatus>& models, const std::string& cpu_type) {
  AVOCET_ASSIGN_OR_RETURN(auto load, RealLoad(models, cpu_type));
  const DevicePrediction prediction = Predict(load);
  if (!prediction.stable) return Internal("the demo's load on the real device is not stable");

  std::vector<Application> apps;
  // Objectives on the real device follow its measured profile; fixed ones would fail on a slower machine.
  for (size_t i = 0; i < std::size(kRealApps); ++i) {
    const auto& real = kRealApps[i];
    const Objective objective{real.statistic, ObjectiveFor(prediction.apps[i].at(real.statistic))};
    apps.push_back(Make(real.app, real.model, load.apps[i].rate_rps, objective));
  }

  // Emulated devices are equally fast everywhere, so their objectives are constants.
  for (const auto& emulated : kEmulatedApps)
    apps.push_back(
        Make(emulated.app, emulated.model, emulated.rate_rps, {emulated.statistic, FromMillis(emulated.latency_ms)}));
  return apps;
}

Application OneTooMany() {
  return Make("mall-inception", "inception_v3", 14, {Statistic::kP95, FromMillis(150)});
}

} // namespace avocet
