#include "actors/controller/snapshot_steps.h"

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/errors.h"

namespace avocet {
namespace {

/// Rows that wait for their devices' totals.
struct Gathering {
  std::vector<AppStatus> rows;
  std::map<DeviceId, std::vector<size_t>> rows_of; ///< devices that have something to say
  size_t missing = 0;                              ///< answers
  std::function<void(std::vector<AppStatus>)> then;

  /// Each device answers by itself; the last answer or failure completes the rows.
  void OneLess() {
    if (--missing == 0) then(std::move(rows));
  }
};

std::map<DeviceId, std::vector<size_t>> RowsByDevice(const ClusterSnapshot& snapshot,
                                                     const std::vector<AppStatus>& rows) {
  std::map<DeviceId, std::vector<size_t>> rows_of;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto& placement = rows[i].placement;
    if (placement && snapshot.devices.contains(placement->device)) rows_of[placement->device].push_back(i);
  }
  return rows_of;
}

/// An application that moved has totals on each device; the row shows those of its current one.
void AddTotals(Gathering& gathering, const DeviceId& device, DeviceTotals& totals) {
  for (const size_t i : gathering.rows_of.at(device)) {
    AppStatus& row = gathering.rows[i];
    const auto found = totals.apps.find(row.app.name);
    if (found == totals.apps.end()) continue;
    // The rate stays as the view has it, because decisions use that one.
    const Estimate rate = row.measured.rate;
    row.measured = std::move(found->second.total);
    row.recent = std::move(found->second.recent);
    row.measured.rate = rate;
  }
}

} // namespace

void GatherTotals(SnapshotSelf self, std::vector<AppStatus> rows,
                  const std::function<void(std::vector<AppStatus>)>& then) {
  const auto& snapshot = *self->state.snapshot;
  auto rows_of = RowsByDevice(snapshot, rows);
  if (rows_of.empty()) return then(std::move(rows));

  const size_t devices = rows_of.size();
  auto gathering = std::make_shared<Gathering>(Gathering{std::move(rows), std::move(rows_of), devices, then});

  for (const auto& [id, ignored] : gathering->rows_of) {
    self->request(snapshot.devices.at(id), self->state.options.deadlines.local, GetTotals{})
        .then(
            [gathering, device = id](DeviceTotals& totals) {
              AddTotals(*gathering, device, totals);
              gathering->OneLess();
            },
            [gathering, device = id](const caf::error& error) {
              spdlog::warn("totals missing device={} reason=\"{}\"", device.str(), ToStatus(error, "device").message());
              gathering->OneLess();
            });
  }
}

} // namespace avocet
