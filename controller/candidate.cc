#include "controller/candidate.h"

#include <algorithm>
#include <utility>

namespace avocet {

namespace {

bool Preprocesses(const Tenant& tenant) {
  return tenant.goal.preprocess_s > 0;
}

} // namespace

ContentKey PredictionKey(const Tenancy& tenancy) {
  ContentKey key = tenancy.key;
  const bool any = std::any_of(tenancy.tenants.begin(), tenancy.tenants.end(), Preprocesses);
  if (any) key.Add(tenancy.preprocessing.busy);
  return key;
}

ContentKey PredictionKey(const Tenancy& tenancy, const Demand& demand) {
  ContentKey key = tenancy.key;
  key.Add(demand.key);
  const bool any =
      Preprocesses(demand.tenant) || std::any_of(tenancy.tenants.begin(), tenancy.tenants.end(), Preprocesses);
  const double more = demand.load.rate_rps * demand.tenant.goal.preprocess_s;
  if (any) key.Add(tenancy.preprocessing.busy + more);
  return key;
}

SharedAssessment AssessmentOf(const Tenancy& tenancy, PredictionCache& cache) {
  return cache.assessments.Get(PredictionKey(tenancy),
                               [&] { return std::make_shared<const Assessment>(Assess(tenancy)); });
}

Candidate::Candidate(const Question& question, size_t device)
    : question_(question), index_(device), before_(question.occupancy[device]), after_(before_) {
  const auto& [app, model, rate] = question.newcomer;
  if (model == nullptr) return;
  profile_ = question.view.FindProfile(model->id(), format(), before_.device->spec.type);
  demand_ = DemandOf(question.view, *before_.device, question.newcomer, question.policy);
  if (demand_) after_.Add(*demand_);
}

const Assessment& Candidate::assessed_before() const {
  if (!assessed_before_) assessed_before_ = AssessmentOf(before_, question_.cache);
  return *assessed_before_;
}

const Assessment& Candidate::assessed_after() const {
  if (!assessed_after_) {
    assessed_after_ = at_another_rate_ ? std::make_shared<const Assessment>(AssessGoals(after_))
                                       : AssessmentOf(after_, question_.cache);
  }
  return *assessed_after_;
}

const std::vector<Candidate::Neighbour>& Candidate::neighbours() const {
  if (neighbours_) return *neighbours_;
  neighbours_.emplace();
  if (!demand_ || demand_->tenant.goal.preprocess_s == 0) return *neighbours_;
  for (const size_t i : question_.occupancy.Neighbours(index_)) {
    Tenancy tenancy = question_.occupancy[i];
    tenancy.preprocessing.busy = after_.preprocessing.busy;
    const auto assessed = AssessmentOf(tenancy, question_.cache);
    neighbours_->push_back({std::move(tenancy), assessed});
  }
  return *neighbours_;
}

void Candidate::SetRate(double rate_rps) {
  if (!demand_) return;
  after_.SetLastRate(rate_rps);
  at_another_rate_ = true;
  assessed_after_.reset();
  neighbours_.reset();
}

void Candidate::Simulate() {
  const auto simulated = [&](const Tenancy& tenancy) {
    return question_.cache.simulated.Get(
        PredictionKey(tenancy), [&] { return std::make_shared<const Assessment>(AssessBySimulation(tenancy)); });
  };
  assessed_after_ = simulated(after_);
  assessed_before_ = simulated(before_);
}

void Candidate::ShowExactly() {
  const auto exact = [](const Tenancy& tenancy, const SharedAssessment& fast) {
    const bool any = std::any_of(fast->answers.begin(), fast->answers.end(), [](const auto& a) { return a.fast; });
    return any ? std::make_shared<const Assessment>(AssessExactly(tenancy)) : fast;
  };
  (void)assessed_before(), (void)assessed_after();
  assessed_before_ = exact(before_, assessed_before_);
  assessed_after_ = exact(after_, assessed_after_);
}

} // namespace avocet
