#include "controller/queueing/paper_model.h"

#include "controller/queueing/fifo_classes.h"

namespace avocet {
namespace {

/// sum lam_j st_j^2 / 2 (1 - rho) over the classes.
double FifoWait(const ShortList<FifoClass>& classes) {
  double second = 0;
  for (const auto& one : classes)
    second += one.rate_rps * one.mean_s() * one.mean_s();
  return second / (2 * (1 - OfferedLoad(classes)));
}

double SharingWait(const DeviceLoad& load, double rho) {
  double rate = 0;
  for (const auto& app : load.apps)
    rate += app.rate_rps;
  return rho / rate * rho / (1 - rho); // E[S] = rho / Lambda
}

} // namespace

std::vector<double> PaperMeans(const DeviceLoad& load) {
  const double rho = Utilization(load);
  if (load.discipline == Discipline::kMultiServer || load.apps.empty() || rho >= kStableUtilization) return {};
  const bool fifo = load.discipline == Discipline::kFifo;
  const auto groups = GroupByModel(load);
  const auto classes = FifoClassesOf(load, groups);
  const double wait = fifo ? FifoWait(classes) : SharingWait(load, rho);
  std::vector<double> means;
  for (size_t i = 0; i < load.apps.size(); ++i) {
    const auto& one = classes[groups.group_of[i]];
    means.push_back(wait + (fifo ? one.mean_s() : one.plain.first));
  }
  return means;
}

} // namespace avocet
