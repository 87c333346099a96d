// The exact distribution of FifoModel: numerical inversion of its transform, with the atoms split off.
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <utility>

#include "controller/queueing/fifo_model.h"
#include "controller/queueing/lanes.h"
#include "controller/queueing/root_finding.h"

namespace avocet {
namespace {

// Abate & Whitt, "Numerical inversion of Laplace transforms of probability distributions" (ORSA J.
// Computing 7, 1995): an alternating series, its partial sums n .. n + m averaged with binomial weights.
constexpr double kA = 18.4; // discretisation error e^-A = 1e-8
constexpr int kTerms = 38;
constexpr int kAveraged = 11;
constexpr size_t kNodes = kTerms + kAveraged + 1;
constexpr double kPi = 3.14159265358979323846;
constexpr double kQuantileTolerance = 1e-5;
constexpr double kStartTolerance = 1e-3; // the approximation is no better
constexpr double kLeastSurvival = 1e-12; // the inversion knows no smaller ones
/// Nearer to saturation D(x) drowns in rounding, and the wait is gamma-distributed for all purposes.
constexpr double kMaxInvertedLoad = 0.9995;
/// So much after an atom, relatively, its probability counts whatever the rounding.
constexpr double kAtomMargin = 1e-12;

/// The nodes in units of 1 / (2u), where f(u) is wanted: x_k = (A + 2 k pi i) / (2u). `inverse` is 1 / x_k in
/// units of 2u, `weight` the factor of Re f(x_k) in the sum, signs included: docs/models/fifo.md, eq. (F27).
struct Nodes {
  std::array<double, kNodes> inverse_re{}, inverse_im{}, weight{};

  Nodes() {
    double binomial = 1, left = 1; // of the partial sums that have the node

    for (size_t k = 0; k < kNodes; ++k) {
      const double im = 2 * kPi * static_cast<double>(k), size = kA * kA + im * im;
      inverse_re[k] = kA / size;
      inverse_im[k] = -im / size;
      // Up to node n every averaged partial sum has the node; each later node drops out of one more.
      if (k > kTerms) {
        const auto m = static_cast<double>(k - kTerms - 1);
        left -= std::ldexp(binomial, -kAveraged);
        binomial *= (kAveraged - m) / (m + 1);
      }

      weight[k] = (k == 0 ? 0.5 : 1) * (k % 2 == 0 ? 1 : -1) * left;
    }
  }
};

/// P(0 < V <= u), V a part of the response with probability `mass` of being positive. With w and w_i the transforms
/// of the wait, and of the wait while class `own` was served last, that of V is
///   (same (w_i - c_i) + other (w - w_i - c_other) exp(-x switch_s)) x (transform of `service`, if it varies).
/// docs/models/fifo.md, eq. (F24).
struct Inversion {
  size_t own = 0;
  double u = 0;
  double mass = 0;
  double same = 0;
  double other = 0;
  double switch_s = 0;
  double c_own = 0;
  double c_other = 0;
  ServicePart service{1, 0, 0};
  size_t answer = 0; ///< position of the answer it belongs to,
  double factor = 0; ///< and its factor there
};

struct InversionTask {
  const ShortList<FifoClass>& classes;
  const ShortList<double>& idle;
  double total_rate;
  std::span<const Inversion> inversions;
  std::span<double> answers;
};

/// exp(-x t) at one node after the other, by rotation instead of an exponential for each.
template <class V> struct alignas(sizeof(V)) Rotor {
  lanes::Complex<V> value, step;

  AVOCET_LANES_INLINE void Start(double t, const V& inverse_u, double factor) {
    const V turns = -t * inverse_u; // x_k t = (A / 2 + k pi i) t / u
    value = {factor * lanes::Exp(V(turns * (kA / 2))), V{}};
    step = lanes::ExpIPi(lanes::Max(turns, V{} - 1e6)); // beyond, the value is zero
  }
  AVOCET_LANES_INLINE void Next() { value = lanes::Multiply(value, step); }
};

/// A part of a class: lam_i x weight x B(x) and the same x exp(-x switch).
template <class V> struct alignas(sizeof(V)) PartRotors {
  Rotor<V> plain, switched;
  V is_own{};                      ///< 1 in the lanes that ask for a request of its class, else 0
  const FifoPart* gamma = nullptr; ///< nullptr: constant. Else `plain` is set at each node, `switched` is the switch.
  double rate = 0;
};

template <int N> struct InversionKernel {
  using V = lanes::Doubles<N>;
  using Complex = lanes::Complex<V>;

  struct alignas(sizeof(V)) Lanes {
    V inverse_u{}, mass{}, same{}, other{}, c_own{}, c_other{}, switch_s{};
    Rotor<V> delay;
    std::array<size_t, N> own{};
    bool delayed = false, varies = false;
    std::array<ServicePart, N> service;
  };

  struct alignas(sizeof(V)) Node {
    Complex x, inverse; ///< x and 1 / x
  };

  AVOCET_LANES_INLINE static void Run(InversionTask& task) {
    static const Nodes kTable;

    // Allocated once for all inversions: each of them needs a rotor for every part.
    size_t parts = 0;
    for (const auto& one : task.classes)
      parts += one.parts.size();
    std::vector<PartRotors<V>> rotors(parts);

    // As many inversions at once as there are lanes: they share the nodes and the classes.
    for (size_t first = 0; first < task.inversions.size(); first += N) {
      Lanes lanes;
      Fill(task, first, lanes);
      Start(task, lanes, rotors);
      const V sum = Sum(task, kTable, lanes, rotors);

      // docs/models/fifo.md, eq. (F26). The clamp removes the discretisation error beyond the possible range.
      for (size_t lane = 0; lane < N && first + lane < task.inversions.size(); ++lane) {
        const auto& one = task.inversions[first + lane];
        const double lost = std::exp(kA / 2) / one.u * sum[lane];
        task.answers[one.answer] += one.factor * std::clamp(one.mass - lost, 0.0, one.mass);
      }
    }
  }

  AVOCET_LANES_INLINE static void Fill(const InversionTask& task, size_t first, Lanes& to) {
    for (size_t lane = 0; lane < N; ++lane) { // lanes beyond the last repeat it
      const auto& one = task.inversions[std::min(first + lane, task.inversions.size() - 1)];
      to.inverse_u[lane] = 1 / one.u;
      to.mass[lane] = one.mass;
      to.same[lane] = one.same;
      to.other[lane] = one.other;
      to.c_own[lane] = one.c_own;
      to.c_other[lane] = one.c_other;
      to.switch_s[lane] = one.switch_s;
      to.own[lane] = one.own;
      to.service[lane] = one.service;
      // One lane that needs the factor makes all compute it; in the others it is 1.
      to.delayed = to.delayed || one.switch_s > 0;
      to.varies = to.varies || one.service.scv > 0;
    }
  }

  AVOCET_LANES_INLINE static void Start(const InversionTask& task, Lanes& lanes, std::vector<PartRotors<V>>& rotors) {
    auto rotor = rotors.begin();
    // Mixed lanes ask for different classes, so the own class is a mask and not an index.
    for (size_t i = 0; i < task.classes.size(); ++i) {
      const auto& one = task.classes[i];
      for (const auto& part : one.parts) {
        const double rate = one.rate_rps * part.weight;
        for (size_t lane = 0; lane < N; ++lane)
          rotor->is_own[lane] = lanes.own[lane] == i ? 1 : 0;
        rotor->rate = rate;

        // Exponentials rotate from node to node; a gamma is computed at each, and only its switch rotates.
        rotor->gamma = part.scv > 0 ? &part : nullptr;
        if (rotor->gamma == nullptr) rotor->plain.Start(part.mean_s, lanes.inverse_u, rate);
        if (rotor->gamma == nullptr)
          rotor->switched.Start(part.mean_s + part.switch_s, lanes.inverse_u, rate);
        else
          rotor->switched.Start(part.switch_s, lanes.inverse_u, 1);
        ++rotor;
      }
    }

    if (lanes.delayed) { // exp(-x switch_s), a time of its own in each lane
      const V turns = -lanes.switch_s * lanes.inverse_u;
      lanes.delay.value = {lanes::Exp(V(turns * (kA / 2))), V{}};
      lanes.delay.step = lanes::ExpIPi(lanes::Max(turns, V{} - 1e6));
    }
  }

  AVOCET_LANES_INLINE static Complex GammaAt(const ServicePart& part, const Complex& x) {
    Complex result;
    for (size_t lane = 0; lane < N; ++lane)
      SetGamma(part, x, lane, result);
    return result;
  }

  AVOCET_LANES_INLINE static void SetGamma(const ServicePart& part, const Complex& x, size_t lane, Complex& to) {
    const auto value = Transform(part, std::complex<double>(x.re[lane], x.im[lane]));
    to.re[lane] = value.real();
    to.im[lane] = value.imag();
  }

  /// docs/models/fifo.md, eq. (F26), without its factor.
  AVOCET_LANES_INLINE static V Sum(const InversionTask& task, const Nodes& table, Lanes& lanes,
                                   std::vector<PartRotors<V>>& rotors) {
    V sum{};
    const V scale = 0.5 * lanes.inverse_u, u2 = 2 / lanes.inverse_u;
    for (size_t k = 0; k < kNodes; ++k) {
      const Node node{{scale * kA, scale * (2 * kPi * static_cast<double>(k))},
                      {u2 * table.inverse_re[k], u2 * table.inverse_im[k]}};
      sum += table.weight[k] * Term(task, node, lanes, rotors);
    }
    return sum;
  }

  /// Re (mass - transform of V) / x at a node; moves the rotors to the next. docs/models/fifo.md, eq. (F5), (F25).
  AVOCET_LANES_INLINE static V Term(const InversionTask& task, const Node& node, Lanes& lanes,
                                    std::vector<PartRotors<V>>& rotors) {
    const V start_re = task.total_rate - node.x.re, start_im = -node.x.im;
    Complex d_sum{V{} + 1, V{}}, c_sum, own_ratio, own_c; // 1 - sum lam C / d, sum c / d, and the own class's
    auto rotor = rotors.begin();
    for (size_t i = 0; i < task.classes.size(); ++i) {
      const V is_own = rotor->is_own;
      Complex plain, switched; // lam B, lam C
      for (size_t r = 0; r < task.classes[i].parts.size(); ++r, ++rotor)
        AddPart(*rotor, node.x, plain, switched);
      const V d_re = start_re - (plain.re - switched.re), d_im = start_im - (plain.im - switched.im);
      const V size = 1 / (d_re * d_re + d_im * d_im);
      const Complex inverse{d_re * size, -d_im * size};
      const Complex ratio = lanes::Multiply(switched, inverse);
      d_sum.re -= ratio.re;
      d_sum.im -= ratio.im;
      c_sum.re += task.idle[i] * inverse.re;
      c_sum.im += task.idle[i] * inverse.im;
      own_ratio.re += is_own * ratio.re;
      own_ratio.im += is_own * ratio.im;
      own_c.re += is_own * inverse.re;
      own_c.im += is_own * inverse.im;
    }
    // w / x = - c_sum / d_sum;  w_i / x = own_ratio w / x - c_i / d_i.
    const V size = -1 / (d_sum.re * d_sum.re + d_sum.im * d_sum.im);
    const Complex all = lanes::Multiply(c_sum, Complex{d_sum.re * size, -d_sum.im * size});
    const Complex product = lanes::Multiply(own_ratio, all);
    const Complex same{product.re - lanes.c_own * own_c.re, product.im - lanes.c_own * own_c.im};
    return Assemble(node, lanes, all, same);
  }

  AVOCET_LANES_INLINE static V Assemble(const Node& node, Lanes& lanes, const Complex& all, const Complex& same) {
    // docs/models/fifo.md, eq. (F24). The idle probabilities go out: those requests do not wait, (F23) counts them.
    Complex rest{lanes.other * (all.re - same.re - lanes.c_other * node.inverse.re),
                 lanes.other * (all.im - same.im - lanes.c_other * node.inverse.im)};

    if (lanes.delayed) {
      rest = lanes::Multiply(rest, lanes.delay.value);
      lanes.delay.Next();
    }

    Complex whole{rest.re + lanes.same * (same.re - lanes.c_own * node.inverse.re),
                  rest.im + lanes.same * (same.im - lanes.c_own * node.inverse.im)};

    // Constant service is left out: it shifts the time and is part of u.
    if (lanes.varies) {
      Complex service;
      for (size_t lane = 0; lane < N; ++lane)
        SetGamma(lanes.service[lane], node.x, lane, service);
      whole = lanes::Multiply(whole, service);
    }
    return lanes.mass * node.inverse.re - whole.re;
  }

  AVOCET_LANES_INLINE static void AddPart(PartRotors<V>& rotor, const Complex& x, Complex& plain, Complex& switched) {
    Complex b = rotor.plain.value, c = rotor.switched.value;
    // The switch is constant, so C differs from B by a rotation even where B is a gamma.
    if (rotor.gamma != nullptr) {
      b = GammaAt({1, rotor.gamma->mean_s, rotor.gamma->scv}, x);
      b = {rotor.rate * b.re, rotor.rate * b.im};
      c = lanes::Multiply(b, c);
    } else {
      rotor.plain.Next();
    }
    rotor.switched.Next();

    plain.re += b.re;
    plain.im += b.im;
    switched.re += c.re;
    switched.im += c.im;
  }
};

/// Zero at the quantile, and close to a line in the tail, which suits the interpolation: docs/models/fifo.md, eq.
/// (F28).
double Excess(double survival, double p) {
  return std::log(std::max(survival, kLeastSurvival)) - std::log1p(-p);
}

double ServiceCdf(const ServicePart& service, double t) {
  GammaMixture one;
  one.Add({1, 0, service.mean_s, service.scv * service.mean_s * service.mean_s});
  return one.Cdf(t);
}

} // namespace

void FifoModel::InvertedCdf(std::span<const ResponseLimit> limits, std::span<double> answers) const {
  // Degenerate cases (no switch, no wait) have nothing to invert: a time of 0 would divide by zero.
  boost::container::small_vector<Inversion, 16> inversions;
  const auto add = [&](const Inversion& one) {
    if (one.u > 0 && one.mass > 0) inversions.push_back(one);
  };

  for (size_t n = 0; n < limits.size(); ++n) {
    const auto& app = apps_[limits[n].app];
    const double t = limits[n].limit_s - app.tail_s;
    const double p = classes_[app.class_index].share, c = idle_[app.class_index], c_other = std::max(1 - rho_ - c, 0.0);

    answers[n] = 0;
    if (t < 0) continue;

    // docs/models/fifo.md, eq. (F23): what does not wait is exact, as no inversion could represent its atoms.
    for (const auto& part : ServiceParts(app.service)) {
      Inversion one{.own = app.class_index, .c_own = c, .c_other = c_other, .answer = n, .factor = part.probability};
      answers[n] += part.probability * (c * ServiceCdf(part, t) + c_other * ServiceCdf(part, t - app.switch_s));

      if (part.scv > 0) { // the service makes the sum smooth
        one.u = t, one.mass = rho_, one.same = one.other = 1, one.switch_s = app.switch_s, one.service = part;
        add(one);
        continue;
      }

      // Constant service leaves a jump at its own length, so both cases shift the wait instead of being summed.
      one.u = t - part.mean_s, one.mass = p - c, one.same = 1;
      add(one);
      one.u -= app.switch_s, one.mass = 1 - p - c_other, one.same = 0, one.other = 1;
      add(one);
    }
  }

  // All answers in one task: the lanes fill up, which is most of the speed.
  InversionTask task{classes_, idle_, total_rate_, {inversions.data(), inversions.size()}, answers};
  RunLanes<InversionKernel>(instructions_, task);

  for (auto& answer : answers)
    answer = std::min(answer, 1.0); // parts are right to 1e-8 each, so their sum may exceed 1
}

bool FifoModel::IsExact() const {
  return stretch_ == 1 && rho_ <= kMaxInvertedLoad;
}

void FifoModel::Cdf(std::span<const ResponseLimit> limits, std::span<double> answers) const {
  if (IsExact()) return InvertedCdf(limits, answers);
  for (size_t n = 0; n < limits.size(); ++n)
    answers[n] = Approximate(limits[n].app).Cdf(limits[n].limit_s);
}

double FifoModel::Cdf(size_t app, double t) const {
  const ResponseLimit limit{app, t};
  double answer = 0;
  Cdf({&limit, 1}, {&answer, 1});
  return answer;
}

/// The atoms lie at the service times and, with a switch, after them: no root search would end on one. Those that are
/// not the quantile narrow the bracket, so that the search ends on their right side.
std::optional<double> FifoModel::AtomIn(size_t index, Bracket& times, double p) const {
  const auto& app = apps_[index];
  const double c = idle_[app.class_index], c_other = std::max(1 - rho_ - c, 0.0);
  for (const auto& part : ServiceParts(app.service)) {
    // A varying service smooths everything: it leaves no atom.
    if (part.scv > 0) continue;

    const bool switches = app.switch_s > 0;
    for (const auto& [delay_s, mass] : {std::pair(0.0, switches ? c : c + c_other), std::pair(app.switch_s, c_other)}) {
      // Just after the atom its whole jump is in the Cdf, whatever the rounding of the sum.
      const double at = part.mean_s + delay_s + app.tail_s, jump = part.probability * mass;
      if (at < times.low || at > times.high || jump <= 0) continue;
      const double up_to = Cdf(index, at * (1 + kAtomMargin));

      // docs/models/fifo.md, eq. (F28): the atom is the quantile, or one end of the bracket.
      if (p <= up_to && p > up_to - jump) return at;
      if (p > up_to)
        times.low = at, times.at_low = Excess(1 - up_to, p);
      else
        times.high = at, times.at_high = Excess(1 - up_to + jump, p);
    }
  }

  return std::nullopt;
}

double FifoModel::Quantile(size_t app, double p) const {
  const GammaMixture fast = Approximate(app);
  if (!IsExact()) return fast.Quantile(p);

  // docs/models/fifo.md, eq. (F28), from the quantile of (F22), which is near: few inversions are left to do.
  const auto excess = [&](double t) { return Excess(1 - Cdf(app, t), p); };
  Bracket bracket = BracketFrom(excess, {fast.Quantile(p, kStartTolerance), fast.StandardDeviation(), 0});
  if (const auto atom = AtomIn(app, bracket, p)) return *atom;
  return FindRoot(excess, bracket, kQuantileTolerance);
}

} // namespace avocet
