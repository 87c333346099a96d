#include "controller/placement/candidate.h"

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

SharedAssessment AssessmentWith(const Tenancy& tenancy, const Demand& demand, PredictionCache& cache) {
  return cache.assessments.Get(PredictionKey(tenancy, demand), [&] {
    Tenancy after = tenancy;
    after.Add(demand);
    return std::make_shared<const Assessment>(Assess(after));
  });
}

SharedAssessment ExactAssessmentOf(const Tenancy& tenancy, PredictionCache& cache) {
  return cache.exact.Get(PredictionKey(tenancy),
                         [&] { return std::make_shared<const Assessment>(AssessExactly(tenancy)); });
}

Candidate::Candidate(const Question& question, size_t device)
    : question_(question), index_(device), demand_(question.occupancy.DemandOn(device, question.newcomer)),
      before_(question.occupancy[device]) {}

const Tenancy& Candidate::after() const {
  if (!after_) {
    after_ = before_;
    if (demand_) after_->Add(*demand_);
  }
  return *after_;
}

uint64_t Candidate::memory_after() const {
  return before_.memory_bytes + (demand_ ? before_.BytesFor(*demand_) : 0);
}

Preprocessing Candidate::preprocessing_after() const {
  if (after_) return after_->preprocessing;
  Preprocessing cores = before_.preprocessing;
  if (demand_) cores.busy += demand_->load.rate_rps * demand_->tenant.goal.preprocess_s;
  return cores;
}

const Tenant& Candidate::tenant(size_t i) const {
  return i < before_.tenants.size() ? before_.tenants[i] : demand_->tenant;
}

const Assessment& Candidate::assessed_before() const {
  if (!assessed_before_) assessed_before_ = AssessmentOf(before_, question_.cache);
  return *assessed_before_;
}

const Assessment& Candidate::assessed_after() const {
  if (!assessed_after_) {
    assessed_after_ = at_another_rate_ ? std::make_shared<const Assessment>(AssessGoals(*after_))
                      : demand_        ? AssessmentWith(before_, *demand_, question_.cache)
                                       : AssessmentOf(before_, question_.cache);
  }
  return *assessed_after_;
}

const std::vector<Candidate::Neighbour>& Candidate::neighbours() const {
  if (neighbours_) return *neighbours_;

  neighbours_.emplace();
  // Neighbours share only the node's cores: without pre-processing the newcomer changes nothing for them.
  if (!demand_ || demand_->tenant.goal.preprocess_s == 0) return *neighbours_;

  for (const size_t i : question_.occupancy.Neighbours(index_)) {
    Tenancy tenancy = question_.occupancy[i];
    // The neighbour's own load stays; it waits for cores that the newcomer uses.
    tenancy.preprocessing.busy = preprocessing_after().busy;
    const auto assessed = AssessmentOf(tenancy, question_.cache);
    neighbours_->push_back({std::move(tenancy), assessed});
  }
  return *neighbours_;
}

void Candidate::SetRate(double rate_rps) {
  if (!demand_) return;
  (void)after();
  after_->SetLastRate(rate_rps);
  at_another_rate_ = true;
  assessed_after_.reset();
  neighbours_.reset();
}

void Candidate::Simulate() {
  const auto simulated = [&](const Tenancy& tenancy) {
    return question_.cache.simulated.Get(
        PredictionKey(tenancy), [&] { return std::make_shared<const Assessment>(AssessBySimulation(tenancy)); });
  };
  assessed_after_ = simulated(after());
  assessed_before_ = simulated(before_);
}

void Candidate::ShowExactly() {
  const auto exact = [&](const Tenancy& tenancy, const SharedAssessment& fast) {
    const bool any = std::any_of(fast->answers.begin(), fast->answers.end(), [](const auto& a) { return a.fast; });
    return any ? ExactAssessmentOf(tenancy, question_.cache) : fast;
  };
  (void)assessed_before(), (void)assessed_after();
  assessed_before_ = exact(before_, assessed_before_);
  assessed_after_ = exact(after(), assessed_after_);
}

} // namespace avocet
