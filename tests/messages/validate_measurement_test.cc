#include "messages/measurement.h"

#include <cmath>
#include <limits>

#include "tests/messages/samples.h"
#include "tests/messages/validate_cases.h"

namespace avocet {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<AppWindow> Windows(size_t count) {
  std::vector<AppWindow> windows;
  while (windows.size() < count)
    windows.push_back(SampleAppWindow("a" + std::to_string(windows.size())));
  return windows;
}

std::vector<AppFit> AppFits(size_t count) {
  std::vector<AppFit> fits;
  while (fits.size() < count)
    fits.push_back({AppId("a" + std::to_string(fits.size())), {}});
  return fits;
}

std::vector<ModelFit> ModelFits(size_t count) {
  std::vector<ModelFit> fits;
  while (fits.size() < count)
    fits.push_back({MakeModelId("m", std::to_string(fits.size())), {}, {}});
  return fits;
}

TEST(ValidateWindow, NamesTheFirstBrokenRule) {
  ExpectValidate<MeasurementWindow>(
      SampleWindow(),
      {{[](auto& w) { w.device = DeviceId("gpu0"); }, "window of device 'gpu0': field 'device' is 'gpu0'"},
       {[](auto& w) { w.boot = BootId(); }, "field 'boot'"},
       {[](auto& w) { w.sequence = 0; }, "field 'sequence' is 0; it must be >= 1"},
       {[](auto& w) { w.length = Duration(0); }, "field 'length' is 0 ms"},
       {[](auto& w) { w.busy = Duration(-1); }, "field 'busy'"},
       {[](auto& w) { w.busy = w.length; }, ""},
       {[](auto& w) { w.busy = w.length + Duration(1); }, "field 'busy' is 200.000001 ms"},
       {[](auto& w) { w.apps.clear(); }, ""},
       {[](auto& w) { w.apps = Windows(kMaxAppsPerDevice); }, ""},
       {[](auto& w) { w.apps = Windows(kMaxAppsPerDevice + 1); }, "field 'apps' is a list of 4097"},
       {[](auto& w) { w.apps[1].app = AppId("door"); }, "field 'apps' is a list with an application twice"},
       {[](auto& w) { w.apps[1].app = AppId(); }, "application '': field 'app'"},
       {[](auto& w) { w.apps[1].model = ModelId("pose"); }, "application 'gate': field 'model'"}});
}

TEST(ValidateWindow, WantsFiniteMoments) {
  using Field = Moments AppWindow::*;
  const std::vector<std::pair<Field, std::string>> fields = {{&AppWindow::interarrival, "interarrival"},
                                                             {&AppWindow::service, "service"},
                                                             {&AppWindow::switched_service, "switched_service"},
                                                             {&AppWindow::response, "response"}};
  for (const auto& [field, name] : fields) {
    SCOPED_TRACE(name);
    const auto set = [field = field](Moments moments) {
      return [=](MeasurementWindow& window) { window.apps[0].*field = moments; };
    };
    const std::string prefix = "application 'door': moments '" + name + "': field ";
    ExpectValidate<MeasurementWindow>(SampleWindow(),
                                      {{set({.count = 0, .sum = 0, .sum2 = 0}), ""},
                                       {set({.count = 1, .sum = 2, .sum2 = 4}), ""},
                                       {set({.count = 0, .sum = 1, .sum2 = 0}), prefix + "'count' is 0"},
                                       {set({.count = 0, .sum = 0, .sum2 = 1}), prefix + "'count' is 0"},
                                       {set({.count = 1, .sum = -1, .sum2 = 1}), prefix + "'sum' is -1"},
                                       {set({.count = 1, .sum = NAN, .sum2 = 1}), prefix + "'sum'"},
                                       {set({.count = 1, .sum = 1, .sum2 = kInfinity}), prefix + "'sum2' is inf"}});
  }
}

TEST(ValidateFit, NamesTheFirstBrokenRule) {
  ExpectValidate<DeviceFit>(
      SampleFit(),
      {{[](auto& f) { f.device = DeviceId(); }, "fit of device '': field 'device'"},
       {[](auto& f) { f.boot = BootId(); }, "field 'boot' is ''; it must be a name, or empty while covered_sequence"},
       {[](auto& f) { f = {.device = f.device, .boot = {}, .covered_sequence = 0, .apps = {}, .models = {}}; }, ""},
       {[](auto& f) { f.apps = AppFits(kMaxAppsPerDevice); }, ""},
       {[](auto& f) { f.apps = AppFits(kMaxAppsPerDevice + 1); }, "field 'apps' is a list of 4097"},
       {[](auto& f) { f.apps[1].app = AppId("door"); }, "field 'apps' is a list with an application twice"},
       {[](auto& f) { f.apps[1].app = AppId("/"); }, "application '/': field 'app'"},
       {[](auto& f) { f.apps[0].rate.mean = -1; }, "application 'door': estimate 'rate': field 'mean' is -1"},
       {[](auto& f) { f.apps[0].rate.scv = kInfinity; }, "estimate 'rate': field 'scv' is inf"},
       {[](auto& f) { f.apps[0].rate.weight = NAN; }, "estimate 'rate': field 'weight' is nan"},
       {[](auto& f) { f.models = ModelFits(kMaxAppsPerDevice); }, ""},
       {[](auto& f) { f.models = ModelFits(kMaxAppsPerDevice + 1); }, "field 'models' is a list of 4097"},
       {[](auto& f) { f.models[1].model = ModelId("pose:1"); }, "field 'models' is a list with a model twice"},
       {[](auto& f) { f.models[1].model = ModelId("pose"); }, "model 'pose': field 'model'"},
       {[](auto& f) { f.models[0].service.mean = NAN; }, "model 'pose:1': estimate 'service': field 'mean'"},
       {[](auto& f) { f.models[0].switched_service.scv = -1; }, "estimate 'switched_service': field 'scv'"}});
}

} // namespace
} // namespace avocet
