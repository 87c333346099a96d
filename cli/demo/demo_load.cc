#include "cli/demo/demo_load.h"

#include <algorithm>
#include <future>
#include <utility>

#include "messages/invariant.h"

namespace avocet {
namespace {

/// The part of the plan that goes to each endpoint.
std::map<std::string, LoadPlan> Split(const LoadPlan& plan, const std::map<AppId, std::string>& endpoints) {
  std::map<std::string, LoadPlan> parts;
  LoadPlan empty = plan;
  empty.targets.clear();
  for (const auto& target : plan.targets) {
    AVOCET_CHECK(endpoints.contains(target.app));
    parts.try_emplace(endpoints.at(target.app), empty).first->second.targets.push_back(target);
  }
  return parts;
}

} // namespace

Result<LoadReport> RunDemoLoad(const LoadPlan& plan, const std::map<AppId, std::string>& endpoints,
                               const OnLoadProgress& on_progress, const std::stop_token& stop) {
  std::vector<std::future<Result<LoadReport>>> running;
  OnLoadProgress progress = on_progress;
  for (const auto& [endpoint, part] : Split(plan, endpoints))
    running.push_back(
        std::async(std::launch::async, [address = endpoint, part = part, notify = std::exchange(progress, {}), stop] {
          return RunLoad(part, {.address = address}, notify, stop);
        }));
  LoadReport all{.address = {}, .plan = plan, .apps = {}};
  Status first_error;
  for (auto& one : running) {
    auto report = one.get();
    if (!report.ok()) {
      if (first_error.ok()) first_error = report.status();
      continue;
    }
    all.interrupted |= report->interrupted;
    all.elapsed = std::max(all.elapsed, report->elapsed);
    for (auto& app : report->apps)
      all.apps.push_back(std::move(app));
  }
  if (!first_error.ok()) return first_error;
  return all;
}

} // namespace avocet
