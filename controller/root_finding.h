#pragma once

#include <algorithm>
#include <cmath>

namespace avocet {

/// An interval with the values of a function at its ends, of opposite sign (or zero).
struct Bracket {
  double low = 0;
  double high = 0;
  double at_low = 0;
  double at_high = 0;
};

inline constexpr int kMaxRootSteps = 200;

/// The root of `f` inside the bracket by Chandrupatla's method (Adv. Eng. Software 28, 1997): inverse
/// quadratic interpolation where it is safe, else bisection. Ends when the interval is narrower than
/// `relative_tolerance` times the root, or after kMaxRootSteps. Where f jumps across zero: the jump.
template <class Function> double FindRoot(const Function& f, const Bracket& bracket, double relative_tolerance) {
  double a = bracket.low, b = bracket.high, fa = bracket.at_low, fb = bracket.at_high;
  if (fa == 0) return a;
  if (fb == 0) return b;
  double t = 0.5;
  for (int step = 0; step < kMaxRootSteps; ++step) {
    const double x = a + t * (b - a);
    const double fx = f(x);
    const bool same_side = std::signbit(fx) == std::signbit(fa);
    const double c = same_side ? a : b, fc = same_side ? fa : fb;
    if (!same_side) b = a, fb = fa;
    a = x, fa = fx;
    const double best = std::abs(fa) < std::abs(fb) ? a : b;
    const double tolerance = relative_tolerance * std::abs(best) / std::abs(b - c);
    if (fx == 0 || a == b || tolerance > 0.5 || !(std::abs(b - a) > relative_tolerance * std::abs(best))) return best;
    const double xi = (a - b) / (c - b), phi = (fa - fb) / (fc - fb);
    const bool interpolates = phi * phi < xi && (1 - phi) * (1 - phi) < 1 - xi;
    t = interpolates ? fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb) : 0.5;
    t = std::clamp(t, tolerance, 1 - tolerance);
  }
  return std::abs(fa) < std::abs(fb) ? a : b;
}

} // namespace avocet
