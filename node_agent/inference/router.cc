#include "node_agent/inference/router.h"

#include <utility>

namespace avocet {

// Both leave the replaced table to die outside the lock: it may be the last owner of a scheduler.

void Router::Publish(const AppId& app, Route route) {
  std::shared_ptr<const Table> old;
  const std::lock_guard lock(mutex_);
  auto next = std::make_shared<Table>(*table_);
  const auto before = next->find(app);
  const bool goes_on = before != next->end() && before->second.model == route.model;
  route.statistics = goes_on ? before->second.statistics : std::make_shared<InferenceStatistics>();
  // Of the application, whatever it runs: what an earlier model's requests hold counts on.
  route.share = before != next->end() ? before->second.share : std::make_shared<BudgetShare>();
  ApplyLimits(app, route);
  next->insert_or_assign(app, std::move(route));
  old = std::exchange(table_, std::move(next));
}

void Router::Withdraw(const AppId& app) {
  std::shared_ptr<const Table> old;
  const std::lock_guard lock(mutex_);
  if (!table_->contains(app)) return;
  auto next = std::make_shared<Table>(*table_);
  next->erase(app);
  old = std::exchange(table_, std::move(next));
}

void Router::SetLimits(const DeviceId& device, std::vector<JudgedLatency> limits) {
  const std::lock_guard lock(mutex_);
  limits_[device] = std::move(limits);
  for (const auto& [app, route] : *table_)
    ApplyLimits(app, route);
}

void Router::ApplyLimits(const AppId& app, const Route& route) const {
  // Tests publish routes without a device.
  const auto limits = route.device ? limits_.find(route.device->spec().id()) : limits_.end();
  if (limits == limits_.end()) return;
  for (const JudgedLatency& one : limits->second) {
    if (one.app == app) route.statistics->SetObjective(one.limit);
  }
}

Route Router::Find(const AppId& app) const {
  const auto table = snapshot();
  const auto it = table->find(app);
  return it == table->end() ? Route{} : it->second;
}

std::shared_ptr<const Router::Table> Router::snapshot() const {
  const std::lock_guard lock(mutex_);
  return table_;
}

} // namespace avocet
