#include "controller/queueing/stations.h"

namespace avocet {
namespace {

/// A number for each distinct model, by application.
std::vector<size_t> NumberModels(const std::vector<AppLoad>& apps) {
  std::map<ModelId, size_t> numbers;
  std::vector<size_t> number_of;
  number_of.reserve(apps.size());
  for (const auto& app : apps)
    number_of.push_back(numbers.emplace(app.model, numbers.size()).first->second);
  return number_of;
}

} // namespace

FifoStation::FifoStation(const std::vector<AppLoad>& apps) {
  const auto models = NumberModels(apps);
  for (size_t i = 0; i < apps.size(); ++i)
    classes_.push_back({static_cast<uint32_t>(models[i]), apps[i].switch_s, apps[i].tail_s});
}

SharedStation::SharedStation(std::vector<size_t> line_of, size_t workers, int cores)
    : line_of_(std::move(line_of)), workers_(workers), cores_(cores) {
  const auto last = std::max_element(line_of_.begin(), line_of_.end());
  lines_.resize(last == line_of_.end() ? 0 : *last + 1);
}

void SharedStation::Begin(const Job& job, Line& line) {
  ++line.in_service;
  in_service_.push({virtual_ + job.work_s, job.request});
}

void SharedStation::End(Line& line) {
  --line.in_service;
  if (line.waiting.empty()) return;
  Begin(line.waiting.front(), line);
  line.waiting.pop_front();
}

DeviceStation::Kind DeviceStation::KindOf(const DeviceLoad& load, const StationOptions& options) {
  if (load.discipline == Discipline::kFifo) return Kind::kFifo;
  return load.discipline == Discipline::kMultiServer && !options.shared_cores ? Kind::kServers : Kind::kShared;
}

DeviceStation::DeviceStation(const DeviceLoad& load, const StationOptions& options)
    : kind_(KindOf(load, options)), fifo_(load.apps), servers_(load.cores),
      shared_(NumberModels(load.apps),
              load.discipline == Discipline::kTimeShared ? static_cast<size_t>(options.workers) : SIZE_MAX,
              load.discipline == Discipline::kMultiServer ? load.cores : 1) {}

} // namespace avocet
