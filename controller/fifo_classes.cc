#include "controller/fifo_classes.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "controller/root_finding.h"

namespace avocet {
namespace {

constexpr double kRootTolerance = 1e-15;
/// Poles closer than this share of the total rate are one.
constexpr double kTie = 1e-8;
/// A class whose bound on c_i is below this share of 1 - rho is left out of the equations.
constexpr double kNegligible = 1e-15;
/// How close to a pole a zero is looked for, as a share of the gap and of the total rate: nearer, the sign
/// of a denominator is that of its rounding error.
constexpr double kPoleMargin = 1e-10;
constexpr double kRoundingMargin = 1e-12;

void AddPart(FifoClass& one, const FifoPart& part) {
  for (auto& known : one.parts) {
    if (known.service.mean_s != part.service.mean_s || known.service.scv != part.service.scv ||
        known.switch_s != part.switch_s)
      continue;
    known.weight += part.weight;
    return;
  }
  one.parts.push_back(part);
}

/// d_i(x) = Lambda - x - lam_i (B_i(x) - C_i(x)); its zero sigma_i in (0, Lambda] is a pole of D.
class Denominators {
public:
  explicit Denominators(const std::vector<FifoClass>& classes) : classes_(classes), total_(TotalRate(classes)) {}

  double total() const { return total_; }
  double At(size_t i, double x) const { return Of(i, x, classes_[i].Both(x)); }
  /// lam_i C_i(x) / d_i(x)
  double Ratio(size_t i, double x) const {
    const auto both = classes_[i].Both(x);
    return classes_[i].rate_rps * both.switched / Of(i, x, both);
  }
  double Pole(size_t i) const {
    const double at_total = At(i, total_);
    if (at_total >= 0) return total_;
    return FindRoot([&](double x) { return At(i, x); }, {0, total_, total_, at_total}, kRootTolerance);
  }

private:
  double Of(size_t i, double x, const FifoClass::Transforms& both) const {
    return total_ - x - classes_[i].rate_rps * (both.plain - both.switched);
  }

  const std::vector<FifoClass>& classes_;
  double total_;
};

/// Classes with (nearly) the same pole. Inside one, c_i is proportional to p_i C_i(sigma): one unknown.
struct PoleGroup {
  double pole = 0;
  std::vector<size_t> classes;
  std::vector<double> weights; ///< c_i = weight x (the group's unknown); they sum to 1
};

struct Pole {
  size_t index = 0;
  double at = 0;
  double weight = 0; ///< lam_i C_i(sigma_i) / sigma_i, an upper bound of c_i
};

std::vector<Pole> FindPoles(const std::vector<FifoClass>& classes, const Denominators& d) {
  std::vector<Pole> poles;
  for (size_t i = 0; i < classes.size(); ++i) {
    const double at = d.Pole(i);
    poles.push_back({i, at, classes[i].rate_rps * classes[i].Switched(at) / at});
  }
  std::sort(poles.begin(), poles.end(), [](const Pole& a, const Pole& b) { return a.at < b.at; });
  return poles;
}

std::vector<PoleGroup> GroupPoles(const std::vector<Pole>& poles, double total, double negligible) {
  std::vector<PoleGroup> groups;
  for (const auto& pole : poles) {
    if (pole.weight <= negligible) continue;
    if (groups.empty() || pole.at - groups.back().pole > kTie * total) groups.push_back({pole.at, {}, {}});
    groups.back().classes.push_back(pole.index);
    groups.back().weights.push_back(pole.weight);
  }
  for (auto& group : groups) {
    const double sum = std::accumulate(group.weights.begin(), group.weights.end(), 0.0);
    for (auto& weight : group.weights)
      weight /= sum;
  }
  return groups;
}

/// D(z) = 1 - sum_i lam_i C_i(z) / d_i(z) falls from +inf to -inf between two neighbouring poles.
double ZeroBetween(const std::vector<FifoClass>& classes, const Denominators& d, double left, double right) {
  const double gap = right - left;
  const auto f = [&](double z) { // the poles at the ends taken out
    double sum = 1;
    for (size_t i = 0; i < classes.size(); ++i)
      sum -= d.Ratio(i, z);
    return sum * ((z - left) / gap) * ((right - z) / gap);
  };
  const double margin = std::max(kPoleMargin * gap, kRoundingMargin * d.total());
  const double low = left + margin, high = right - margin;
  const double at_low = f(low), at_high = f(high);
  if (!(at_low > 0)) return low; // the zero sits on a pole of almost no weight
  if (!(at_high < 0)) return high;
  return FindRoot(f, {low, high, at_low, at_high}, kRootTolerance);
}

using Matrix = std::vector<std::vector<double>>; // each row ends with its right-hand side

/// Gauss elimination with row scaling and partial pivoting.
std::vector<double> Solve(Matrix rows) {
  const size_t n = rows.size();
  for (size_t k = 0; k < n; ++k) {
    const auto larger = [k](const auto& a, const auto& b) { return std::abs(a[k]) < std::abs(b[k]); };
    std::swap(rows[k], *std::max_element(rows.begin() + static_cast<std::ptrdiff_t>(k), rows.end(), larger));
    if (rows[k][k] == 0) continue;
    for (size_t r = k + 1; r < n; ++r) {
      const double factor = rows[r][k] / rows[k][k];
      for (size_t c = k; c <= n; ++c)
        rows[r][c] -= factor * rows[k][c];
    }
  }
  std::vector<double> x(n);
  for (size_t k = n; k-- > 0;) {
    double sum = rows[k][n];
    for (size_t c = k + 1; c < n; ++c)
      sum -= rows[k][c] * x[c];
    x[k] = rows[k][k] == 0 ? 0 : sum / rows[k][k];
  }
  return x;
}

/// sum_i c_i / d_i(z) = 0 at a zero z of D, scaled to a largest coefficient of 1.
std::vector<double> EquationAt(double z, const std::vector<PoleGroup>& groups, const Denominators& d) {
  std::vector<double> row;
  for (const auto& group : groups) {
    double sum = 0;
    for (size_t m = 0; m < group.classes.size(); ++m)
      sum += group.weights[m] / d.At(group.classes[m], z);
    row.push_back(sum);
  }
  const double scale =
      std::abs(*std::max_element(row.begin(), row.end(), [](double a, double b) { return std::abs(a) < std::abs(b); }));
  for (auto& value : row)
    value /= scale;
  row.push_back(0);
  return row;
}

std::vector<double> SolveGroups(const std::vector<FifoClass>& classes, const std::vector<PoleGroup>& groups,
                                const Denominators& d, double idle) {
  Matrix rows;
  for (size_t k = 0; k + 1 < groups.size(); ++k) {
    rows.push_back(EquationAt(ZeroBetween(classes, d, groups[k].pole, groups[k + 1].pole), groups, d));
  }
  rows.emplace_back(groups.size() + 1, 1.0);
  rows.back().back() = 1;
  std::vector<double> shares = Solve(std::move(rows));
  double sum = 0; // rounding may leave a hair below 0, or of the sum
  for (auto& share : shares)
    sum += share = std::max(share, 0.0);
  for (auto& share : shares)
    share *= idle / sum;
  return shares;
}

} // namespace

std::vector<FifoClass> FifoClassesOf(const DeviceLoad& load, const std::vector<ServiceClass>& classes) {
  const bool switches = classes.size() > 1;
  double total = 0;
  for (const auto& one : classes)
    total += one.rate_rps;
  std::vector<FifoClass> result;
  for (const auto& one : classes) {
    FifoClass fifo{
        .rate_rps = one.rate_rps, .share = one.rate_rps / total, .plain = one.service, .switched = {}, .parts = {}};
    for (const size_t i : one.members) {
      const auto& app = load.apps[i];
      const FifoPart part{app.rate_rps / one.rate_rps, app.service, switches ? app.switch_s : 0};
      fifo.switched += part.weight * MomentsOf(part.service, part.switch_s);
      AddPart(fifo, part);
    }
    result.push_back(std::move(fifo));
  }
  return result;
}

double TotalRate(const std::vector<FifoClass>& classes) {
  return std::accumulate(classes.begin(), classes.end(), 0.0,
                         [](double sum, const FifoClass& one) { return sum + one.rate_rps; });
}

double OfferedLoad(const std::vector<FifoClass>& classes) {
  return std::accumulate(classes.begin(), classes.end(), 0.0,
                         [](double sum, const FifoClass& one) { return sum + one.rate_rps * one.mean_s(); });
}

std::vector<double> IdleProbabilities(const std::vector<FifoClass>& classes) {
  std::vector<double> c(classes.size(), 0.0);
  const double idle = 1 - OfferedLoad(classes);
  const Denominators d(classes);
  const auto groups = GroupPoles(FindPoles(classes, d), d.total(), kNegligible * idle);
  if (groups.empty()) return c;
  const auto shares = SolveGroups(classes, groups, d, idle);
  for (size_t g = 0; g < groups.size(); ++g) {
    for (size_t m = 0; m < groups[g].classes.size(); ++m)
      c[groups[g].classes[m]] = shares[g] * groups[g].weights[m];
  }
  return c;
}

} // namespace avocet
