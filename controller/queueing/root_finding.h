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
inline constexpr double kLeastChord = 1e-3; ///< of the bracket, for the first step

/// Where to look for the root of a function that falls about as -t / scale near it.
struct RootGuess {
  double start = 0;
  double scale = 0;
  double least = 0; ///< no root is smaller
};

/// A bracket from the guess on: steps that grow until the sign changes. Its low end is positive, its high end is not;
/// both are `least` where the function is not positive there either.
template <class Function> Bracket BracketFrom(const Function& falls, const RootGuess& guess) {
  constexpr double kOvershoot = 1.3, kLeastStep = 0.01;
  double t = guess.start, at = falls(t), reach = kOvershoot * std::max(guess.scale, 1e-6 * std::abs(guess.start));
  const bool is_low = at > 0;
  for (int step = 0; step < kMaxRootSteps && (is_low || t > guess.least); ++step, reach *= 2) {
    const double next =
        std::max(t + reach * (is_low ? std::max(at, kLeastStep) : std::min(at, -kLeastStep)), guess.least);
    const double there = falls(next);
    if (is_low != (there > 0)) return is_low ? Bracket{t, next, at, there} : Bracket{next, t, there, at};
    t = next, at = there;
  }
  return {t, t, 0, 0};
}

/// The root of `f` inside the bracket by Chandrupatla's method (Adv. Eng. Software 28, 1997): inverse
/// quadratic interpolation where it is safe, else bisection; a chord first, as our functions are close to lines. Ends
/// when the interval is narrower than `relative_tolerance` times the root, or after kMaxRootSteps. Where f jumps across
/// zero: the jump.
template <class Function> double FindRoot(const Function& f, const Bracket& bracket, double relative_tolerance) {
  double a = bracket.low, b = bracket.high, fa = bracket.at_low, fb = bracket.at_high;

  if (fa == 0) return a;
  if (fb == 0) return b;

  // Chandrupatla's method starts with the chord and goes on with inverse quadratic interpolation where it is safe.
  double t = std::clamp(fa / (fa - fb), kLeastChord, 1 - kLeastChord);
  for (int step = 0; step < kMaxRootSteps; ++step) {
    const double x = a + t * (b - a);
    const double fx = f(x);

    // The new point replaces the end with its sign; the third point is the one that was left behind.
    const bool same_side = std::signbit(fx) == std::signbit(fa);
    const double c = same_side ? a : b, fc = same_side ? fa : fb;
    if (!same_side) b = a, fb = fa;
    a = x, fa = fx;

    const double best = std::abs(fa) < std::abs(fb) ? a : b;
    const double tolerance = relative_tolerance * std::abs(best) / std::abs(b - c);
    // A tolerance above one half means that the bracket is narrower than what was asked for.
    if (fx == 0 || a == b || tolerance > 0.5 || !(std::abs(b - a) > relative_tolerance * std::abs(best))) return best;

    // Chandrupatla's test: inside it the inverse parabola is monotonous, and its root lies in the bracket.
    const double xi = (a - b) / (c - b), phi = (fa - fb) / (fc - fb);
    const bool interpolates = phi * phi < xi && (1 - phi) * (1 - phi) < 1 - xi;
    t = interpolates ? fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb) : 0.5;

    t = std::clamp(t, tolerance, 1 - tolerance);
  }

  return std::abs(fa) < std::abs(fb) ? a : b;
}

} // namespace avocet
