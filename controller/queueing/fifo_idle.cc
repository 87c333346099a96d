// IdleProbabilities: the poles and zeros of the transform of the wait, several at once.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "controller/queueing/fifo_classes.h"
#include "controller/queueing/lanes.h"
#include "messages/invariant.h"

namespace avocet {
namespace {

/// A Newton step as short as this share of the gap between two poles leaves an error of its square; shorter than
/// this share of the total rate it is rounding.
constexpr double kLastStep = 1e-8;
constexpr double kRounding = 1e-15;
/// Newton needs five or six; bisection, where the zero sits on a pole, up to sixty.
constexpr int kMaxSteps = 120;
/// Poles closer than this share of the total rate are one.
constexpr double kTie = 1e-8;
/// A class whose bound on c_i is below this share of 1 - rho is left out of the equations.
constexpr double kNegligible = 1e-15;
/// How close to a pole a zero is looked for, as a share of the gap and of the total rate: nearer, the sign
/// of a denominator is that of its rounding error.
constexpr double kPoleMargin = 1e-10;
constexpr double kRoundingMargin = 1e-12;
constexpr double kConstantScv = 1e-9;

/// The classes' parts side by side, for the kernels: row r holds the r-th part of every class, lam_i x weight and
/// so on; classes without one have a rate of 0 there.
struct PartTable {
  size_t classes = 0;
  size_t stride = 0; ///< classes, rounded up to full lanes
  size_t rows = 0;
  bool constant = true; ///< no part varies
  double total_rate = 0;
  boost::container::small_vector<double, 32> rate, mean, switched, scv;

  explicit PartTable(const ShortList<FifoClass>& all) : classes(all.size()), total_rate(TotalRate(all)) {
    stride = (classes + kMostLanes - 1) / kMostLanes * kMostLanes;
    for (const auto& one : all)
      rows = std::max(rows, one.parts.size());
    for (auto* column : {&rate, &mean, &switched, &scv})
      column->resize(rows * stride, 0.0);
    for (size_t i = 0; i < classes; ++i) {
      for (size_t r = 0; r < all[i].parts.size(); ++r)
        Set(r * stride + i, all[i].rate_rps, all[i].parts[r]);
    }
  }

private:
  void Set(size_t at, double class_rate, const FifoPart& part) {
    rate[at] = class_rate * part.weight;
    mean[at] = part.mean_s;
    switched[at] = part.switch_s;
    scv[at] = part.scv < kConstantScv ? 0 : part.scv;
    constant = constant && scv[at] == 0;
  }
};

template <class V> struct alignas(sizeof(V)) PartParameters { V rate, mean, switched, scv; };

/// d_i(x) = Lambda - x - lam_i (B_i(x) - C_i(x)) and lam_i C_i(x), with their slopes: docs/models/fifo.md, eq. (F4).
template <class V> struct alignas(sizeof(V)) Denominator { V value, slope, rate_c, rate_c_slope; };

/// Adds a part to d and lam C. Gamma parts: B = (1 + x m scv)^(-1/scv), lane by lane up to the exponential.
template <class V>
AVOCET_LANES_INLINE void AddPart(const PartParameters<V>& part, const V& x, bool constant, Denominator<V>& d) {
  V exponent = -x * part.mean, decay = part.mean; // B' = -decay B
  // Only gamma parts need a logarithm for each lane. Most devices have none: the loop is skipped as a whole.
  if (!constant) {
    for (unsigned lane = 0; lane < sizeof(V) / sizeof(double); ++lane) {
      if (part.scv[lane] == 0) continue;
      const double z = -exponent[lane] * part.scv[lane];
      exponent[lane] = -std::log1p(z) / part.scv[lane];
      decay[lane] /= 1 + z;
    }
  }

  // docs/models/fifo.md, eq. (F4): the switch is a constant, so C(x) = B(x) exp(-x switch).
  const V b = part.rate * lanes::Exp(exponent), c = b * lanes::Exp(V(-x * part.switched));
  const V b_slope = -decay * b, c_slope = -(decay + part.switched) * c;

  // d_i and its slope feed Newton's method, lam C and its slope the sum in (F5).
  d.value -= b - c;
  d.slope -= b_slope - c_slope;
  d.rate_c += c;
  d.rate_c_slope += c_slope;
}

template <class V> AVOCET_LANES_INLINE Denominator<V> DenominatorStart(const V& x, double total_rate) {
  return {total_rate - x, V{} - 1, V{}, V{}};
}

/// docs/models/fifo.md, eq. (F4), of one class in all lanes: a lane is a point x.
template <class V> AVOCET_LANES_INLINE Denominator<V> DenominatorOf(const PartTable& t, size_t i, const V& x) {
  auto d = DenominatorStart(x, t.total_rate);
  for (size_t r = 0; r < t.rows; ++r) {
    const size_t at = r * t.stride + i;
    if (t.rate[at] == 0) continue;
    AddPart({V{} + t.rate[at], V{} + t.mean[at], V{} + t.switched[at], V{} + t.scv[at]}, x, t.constant, d);
  }
  return d;
}

/// docs/models/fifo.md, eq. (F4), of as many classes as there are lanes, beginning with class i.
template <class V> AVOCET_LANES_INLINE Denominator<V> DenominatorsFrom(const PartTable& t, size_t i, const V& x) {
  auto d = DenominatorStart(x, t.total_rate);
  for (size_t r = 0; r < t.rows; ++r) {
    const size_t at = r * t.stride + i;
    AddPart({lanes::Load<V>(&t.rate[at]), lanes::Load<V>(&t.mean[at]), lanes::Load<V>(&t.switched[at]),
             lanes::Load<V>(&t.scv[at])},
            x, t.constant, d);
  }
  return d;
}

/// A search for a root in each lane: Newton's method inside a bracket, bisection where it leaves the bracket or
/// is slow (as in Numerical Recipes' rtsafe). The function is positive at `low` and negative at `high`.
template <class V> struct alignas(sizeof(V)) Search {
  V low, high;
  V x;
  V last_step;                              ///< of the scale at which the search ends
  lanes::Mask<V> low_known{}, high_known{}; ///< the function was seen to have its sign there
  lanes::Mask<V> done{};                    ///< x stays: rounding would only lead it away again
  V old_step = V{} + std::numeric_limits<double>::infinity();

  /// Moves x; true once all lanes have arrived.
  AVOCET_LANES_INLINE bool Step(const V& value, const V& slope) {
    // The function falls: its sign says which end of the bracket moves.
    const auto positive = value > 0;
    low = positive ? x : low;
    high = positive ? high : x;
    low_known |= positive;
    high_known |= ~positive;

    const V newton = x - value / slope, middle = 0.5 * (low + high);

    // Every condition is a mask: lanes at different stages of the search must not branch.
    const auto arrived = lanes::Abs(V(newton - x)) <= last_step;
    const auto narrow = high - low <= lanes::Max(V(2 * kRounding / kLastStep * last_step), V(kRounding * high));
    const auto slow = lanes::Abs(V(2 * value)) > lanes::Abs(V(old_step * slope));
    // Outside the bracket: its end is tried once, then the middle.
    V next = newton <= low ? (low_known ? middle : low) : newton;
    next = newton >= high ? (high_known ? middle : high) : next;

    // Halving is safe where Newton no longer halves its steps, or where rounding decides the sign.
    next = slow | narrow ? middle : next;
    next = arrived ? newton : next;
    // A lane that is done stays, whatever the others still need.
    next = (value == 0) | done ? x : next;
    done |= (value == 0) | narrow | arrived;

    old_step = lanes::Abs(V(next - x));
    x = next;
    return lanes::All(done);
  }
};

/// sigma_i, the zero of d_i in (0, Lambda], and the residue lam_i C_i / -d_i' there: eq. (F6), (F8).
struct PoleTask {
  const PartTable& table;
  double* sigma;
  double* rate_c;
  double* residue;
};

template <int N> struct PoleKernel {
  AVOCET_LANES_INLINE static void Run(PoleTask& task) {
    using V = lanes::Doubles<N>;
    const double total = task.table.total_rate;

    // docs/models/fifo.md, eq. (F6): d_i has one zero in (0, Lambda], and the search starts at the upper end.
    for (size_t i = 0; i < task.table.stride; i += N) {
      Search<V> search{.low = V{}, .high = V{} + total, .x = V{} + total, .last_step = V{} + kLastStep * total};
      // d_i(0) = Lambda > 0 without computing it. The sign at Lambda is the first thing evaluated.
      search.low_known = search.low == 0;

      for (int step = 0; step < kMaxSteps; ++step) {
        const auto d = DenominatorsFrom(task.table, i, search.x);
        if (search.Step(d.value, d.slope)) break;
      }

      const auto d = DenominatorsFrom(task.table, i, search.x);
      lanes::Store(search.x, task.sigma + i);
      lanes::Store(d.rate_c, task.rate_c + i);
      lanes::Store(V(d.rate_c / -d.slope), task.residue + i);
    }
  }
};

struct Pole {
  size_t index = 0;
  double at = 0;
  double weight = 0; ///< lam_i C_i(sigma_i) / sigma_i, an upper bound of c_i: eq. (F6)
  double residue = 0;
};

/// Classes with (nearly) the same pole. Inside one, c_i is proportional to p_i C_i(sigma): one unknown.
/// docs/models/fifo.md, eq. (F10).
struct PoleGroup {
  double pole = 0;
  double weight = 0;  ///< of its classes
  double residue = 0; ///< of its classes
};

struct PoleGroups {
  ShortList<PoleGroup> groups; ///< by pole
  ShortList<size_t> group_of;  ///< by class
  ShortList<double> weight_of; ///< c_i = weight x (the group's unknown), they sum to 1; 0: left out
};

/// docs/models/fifo.md, eq. (F6), by pole: eq. (F7) needs neighbours.
ShortList<Pole> FindPoles(const PartTable& table, Instructions instructions) {
  boost::container::small_vector<double, 24> columns(3 * table.stride);
  PoleTask task{table, columns.data(), columns.data() + table.stride, columns.data() + 2 * table.stride};
  RunLanes<PoleKernel>(instructions, task);
  ShortList<Pole> poles;
  for (size_t i = 0; i < table.classes; ++i)
    poles.push_back({i, task.sigma[i], task.rate_c[i] / task.sigma[i], task.residue[i]});
  std::sort(poles.begin(), poles.end(),
            [](const Pole& a, const Pole& b) { return a.at < b.at || (a.at == b.at && a.index < b.index); });
  return poles;
}

PoleGroups GroupPoles(const ShortList<Pole>& poles, double total, double negligible) {
  PoleGroups result;
  auto& groups = result.groups;
  result.group_of.resize(poles.size());
  result.weight_of.resize(poles.size(), 0.0);
  // docs/models/fifo.md, eq. (F10): poles come sorted, so a tie is with the group before.
  for (const auto& pole : poles) {
    // A class that is nearly never the last one before idleness would only add a row of rounding errors.
    if (pole.weight <= negligible) continue;

    if (groups.empty() || pole.at - groups.back().pole > kTie * total) groups.push_back({pole.at, 0, 0});
    result.group_of[pole.index] = groups.size() - 1;
    result.weight_of[pole.index] = pole.weight;
    groups.back().weight += pole.weight;
    groups.back().residue += pole.residue;
  }

  // Within a group the ratios are known; normalised, the group's unknown is the sum of its c_i.
  for (size_t i = 0; i < poles.size(); ++i) {
    if (result.weight_of[i] > 0) result.weight_of[i] /= groups[result.group_of[i]].weight;
  }
  return result;
}

/// D(z) = 1 - sum_i lam_i C_i(z) / d_i(z) falls from +inf to -inf between two neighbouring poles. Equation k, of its
/// zero z_k there: sum over the groups of shares[g] x sum over their classes of weight_i / d_i(z_k) = 0.
struct ZeroTask {
  const PartTable& table;
  const PoleGroups& poles;
  size_t equations;
  double* coefficients; ///< row g: those of group g's share, by equation; `stride` apart
  size_t stride;
};

template <int N> struct ZeroKernel {
  using V = lanes::Doubles<N>;

  AVOCET_LANES_INLINE static void Run(ZeroTask& task) {
    for (size_t k = 0; k < task.equations; k += N)
      Solve(task, k);
  }

  AVOCET_LANES_INLINE static void Solve(ZeroTask& task, size_t k) {
    V left, right, guess;
    // docs/models/fifo.md, eq. (F8).
    for (size_t lane = 0; lane < N; ++lane) { // lanes beyond the last repeat it
      const auto& a = task.poles.groups[std::min(k + lane, task.equations - 1)];
      const auto& b = task.poles.groups[std::min(k + lane, task.equations - 1) + 1];
      left[lane] = a.pole;
      right[lane] = b.pole;
      guess[lane] = a.pole + (b.pole - a.pole) * a.residue / (a.residue + b.residue); // of the two poles alone
    }

    const V gap = right - left;
    const V margin = lanes::Max(V(kPoleMargin * gap), V{} + kRoundingMargin * task.table.total_rate);
    const V low = left + margin, high = right - margin;

    guess = guess > low ? guess : low; // also where it is no number
    guess = guess < high ? guess : high;
    Search<V> search{.low = low,
                     .high = high,
                     .x = guess,
                     .last_step = lanes::Max(V(kLastStep * gap), V{} + kRounding * task.table.total_rate)};

    // docs/models/fifo.md, eq. (F7): D(z) times the distances to both poles is nearly straight.
    for (int step = 0; step < kMaxSteps; ++step) {
      const V &z = search.x, room = (z - left) * (right - z);
      V sum = V{} + 1, slope{};
      for (size_t i = 0; i < task.table.classes; ++i) {
        const auto d = DenominatorOf(task.table, i, z);
        const V inverse = 1 / d.value, ratio = d.rate_c * inverse;
        sum -= ratio;
        slope -= (d.rate_c_slope - ratio * d.slope) * inverse;
      }
      if (search.Step(V(sum * room), V(slope * room + sum * (left + right - 2 * z)))) break;
    }
    Write(task, k, search.x);
  }

  /// docs/models/fifo.md, eq. (F7): the coefficients of the equation of z_k, by group.
  AVOCET_LANES_INLINE static void Write(ZeroTask& task, size_t k, const V& z) {
    for (size_t i = 0; i < task.table.classes; ++i) {
      const double weight = task.poles.weight_of[i];
      if (weight == 0) continue;
      double* to = task.coefficients + task.poles.group_of[i] * task.stride + k;
      lanes::Store(V(lanes::Load<V>(to) + weight / DenominatorOf(task.table, i, z).value), to);
    }
  }
};

/// Gauss elimination with row scaling and partial pivoting. Row r: coefficients at r x (n + 1), then the right side.
void SolveLinear(double* rows, size_t n, double* x) {
  const auto at = [&](size_t r, size_t c) -> double& { return rows[r * (n + 1) + c]; };
  // Rows differ by many orders of magnitude where poles are close; scaling makes the pivots comparable.
  for (size_t r = 0; r < n; ++r) {
    double largest = 0;
    for (size_t c = 0; c < n; ++c)
      largest = std::max(largest, std::abs(at(r, c)));
    for (size_t c = 0; c <= n && largest > 0; ++c)
      at(r, c) /= largest;
  }

  // Without a pivot the column is left: its unknown has no weight, and 0 is its answer.
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t r = k + 1; r < n; ++r) {
      if (std::abs(at(r, k)) > std::abs(at(pivot, k))) pivot = r;
    }

    if (pivot != k) std::swap_ranges(&at(k, 0), &at(k, 0) + n + 1, &at(pivot, 0));
    if (at(k, k) == 0) continue;

    for (size_t r = k + 1; r < n; ++r) {
      const double factor = at(r, k) / at(k, k);
      for (size_t c = k; c <= n; ++c)
        at(r, c) -= factor * at(k, c);
    }
  }

  for (size_t k = n; k-- > 0;) {
    double sum = at(k, n);
    for (size_t c = k + 1; c < n; ++c)
      sum -= at(k, c) * x[c];
    x[k] = at(k, k) == 0 ? 0 : sum / at(k, k);
  }
}

/// The groups' shares of the probability of being idle.
void SolveGroups(const PartTable& table, const PoleGroups& poles, Instructions instructions, std::span<double> shares) {
  const size_t n = poles.groups.size(), stride = (n + kMostLanes - 1) / kMostLanes * kMostLanes;
  if (n < 2) return;

  // docs/models/fifo.md, eq. (F10): one equation for each zero between two poles, all solved side by side.
  boost::container::small_vector<double, 64> coefficients(n * stride, 0.0);
  ZeroTask task{table, poles, n - 1, coefficients.data(), stride};
  RunLanes<ZeroKernel>(instructions, task);

  // Kernels write by equation, elimination reads by row.
  boost::container::small_vector<double, 72> rows(n * (n + 1), 1.0); // the last row: the shares sum to 1
  for (size_t k = 0; k + 1 < n; ++k) {
    for (size_t g = 0; g < n; ++g)
      rows[k * (n + 1) + g] = coefficients[g * stride + k];
    rows[k * (n + 1) + n] = 0;
  }
  SolveLinear(rows.data(), n, shares.data());

  double sum = 0; // rounding may leave a share just below 0, and a sum just off 1
  for (auto& share : shares)
    sum += share = std::max(share, 0.0);
  for (auto& share : shares)
    share /= sum;
}

} // namespace

void IdleProbabilities(const ShortList<FifoClass>& classes, Instructions instructions, std::span<double> c) {
  // docs/models/fifo.md, eq. (F9): they sum to 1 - rho; with one class that is the answer.
  const double idle = 1 - OfferedLoad(classes);
  AVOCET_CHECK(idle > 0);
  std::fill(c.begin(), c.end(), idle);
  if (classes.size() == 1) return;
  const PartTable table(classes);
  const auto poles = GroupPoles(FindPoles(table, instructions), table.total_rate, kNegligible * idle);
  ShortList<double> shares(poles.groups.size(), 1.0);
  SolveGroups(table, poles, instructions, {shares.data(), shares.size()});

  // docs/models/fifo.md, eq. (F10): a class that was left out of the equations has no share.
  for (size_t i = 0; i < classes.size(); ++i)
    c[i] *= poles.weight_of[i] > 0 ? shares[poles.group_of[i]] * poles.weight_of[i] : 0;
}

} // namespace avocet
