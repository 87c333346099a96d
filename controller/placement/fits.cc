#include "controller/placement/fits.h"

namespace avocet {
namespace {

ContentKey RowKey(const Tenancy& tenancy, const Policy& policy) {
  ContentKey key = tenancy.key;
  key.Add(tenancy.preprocessing.busy);
  return key.Add(policy.max_utilization).Add(policy.max_preprocess_cpu).Add(policy.memory_fraction);
}

} // namespace

Fits::Fits(const Tenancy& tenancy, const Policy& policy, PredictionCache& cache)
    : tenancy_(tenancy), policy_(policy), cache_(cache), row_(cache.fits.RowOf(RowKey(tenancy, policy))) {}

bool Fits::With(const Demand& demand, size_t column) {
  using Answer = FitMemo::Answer;
  if (row_->size() <= column) row_->resize(column + 1, Answer::kUnknown);
  Answer& answer = (*row_)[column];
  if (answer == Answer::kUnknown) answer = Find(demand) ? Answer::kYes : Answer::kNo;
  return answer == Answer::kYes;
}

bool Fits::Find(const Demand& demand) {
  const double capacity = policy_.memory_fraction * static_cast<double>(tenancy_.device->spec.memory_bytes);
  const uint64_t more = tenancy_.BytesFor(demand);
  if (more > 0 && static_cast<double>(tenancy_.memory_bytes + more) > capacity) return false;
  if (after_)
    after_->RemoveLast(tenancy_);
  else
    after_ = tenancy_;
  after_->Add(demand);
  const bool cores = after_->BusyCores() == 0 || after_->preprocessing.share() <= policy_.max_preprocess_cpu;
  return cores && KeepsGoals(*after_, policy_.max_utilization);
}

} // namespace avocet
