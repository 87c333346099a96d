#include "controller/placement/kept_decision.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <vector>

namespace avocet {
namespace {

/// Those that explain most first: the chosen device, then where the largest rate fits, then those that pass.
void SortByInterest(std::vector<Verdict>& verdicts, const std::optional<DeviceId>& chosen) {
  const auto rank = [&](const Verdict& v) { return std::tuple(v.device != chosen, -v.max_rate_rps, !v.ok); };
  std::stable_sort(verdicts.begin(), verdicts.end(),
                   [&](const Verdict& a, const Verdict& b) { return rank(a) < rank(b); });
}

} // namespace

Decision KeptDecision(Decision decision) {
  auto& verdicts = decision.verdicts;
  SortByInterest(verdicts, decision.device);
  if (verdicts.size() > kKeptVerdicts) verdicts.resize(kKeptVerdicts);

  const size_t tables = decision.device ? 1 : kKeptTables;
  for (size_t i = 0; i < verdicts.size(); ++i) {
    if (i >= tables) verdicts[i].apps.clear();
    if (i >= kKeptDetails) verdicts[i].detail.clear();
  }

  std::sort(verdicts.begin(), verdicts.end(), [](const Verdict& a, const Verdict& b) { return a.device < b.device; });
  return decision;
}

} // namespace avocet
