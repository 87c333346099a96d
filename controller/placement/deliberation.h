#pragma once

#include <deque>
#include <optional>
#include <set>
#include <vector>

#include "controller/placement/candidate.h"
#include "controller/placement/fragmentation.h"
#include "controller/placement/ranking.h"
#include "messages/placement.h"

namespace avocet {

/// Verdicts while a decision is made: the models' first, then confirmed by simulation where it matters, so that the
/// simulations of one decision stay few. Borrows the question.
class Deliberation {
public:
  explicit Deliberation(const Question& question);

  const std::vector<Verdict>& verdicts() const { return verdicts_; }
  std::vector<Verdict> TakeVerdicts() { return std::move(verdicts_); }

  /// Where the newcomer goes: it stays at `current` if it may; else the device that the policy likes best, the first
  /// by id of equal ones. Confirmed. nullopt: nowhere.
  std::optional<size_t> Choose(const DeviceId& current);

  /// Exact latencies and the largest rate of one device.
  void ShowFully(size_t device);

  /// Seeks the largest rate on the most promising devices; the largest of them, confirmed.
  double SeekRates();

private:
  const Question& question_;
  std::deque<Candidate> candidates_; ///< in order of device, as the rest
  std::vector<Verdict> verdicts_;
  std::vector<std::optional<Preference>> preferences_; ///< of those that were asked for
  std::vector<std::optional<double>> scores_;          ///< kFragmentation: the same
  std::optional<Fragmentation> fragmentation_;
  std::set<size_t> simulated_;

  const Preference& PreferenceOf(size_t device);
  double ScoreOf(size_t device, double best);
  std::optional<size_t> BestAdmitted();
  std::optional<size_t> LeastFragmenting();
  std::optional<size_t> BestOfKinds();
  std::optional<size_t> IfAdmitted(const DeviceId& device) const;
  bool Confirm(size_t device);
  void RetryRefused();
  std::vector<size_t> MostPromising() const;
  double ConfirmedRate(size_t device);
};

} // namespace avocet
