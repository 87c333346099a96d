#pragma once

#include <cstdint>

/// Arithmetic on several doubles at once, in the vector types of g++ and clang. A kernel is a template over the
/// number of lanes; RunLanes picks an instance for the instructions that the processor has, so that a portable
/// build is fast. Everything here is forced inline: a function of its own would be compiled for the
/// smallest processor, and pass its vectors in another way.
#define AVOCET_LANES_INLINE [[gnu::always_inline]] inline

// No vector is passed between functions that are not inlined.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace avocet {

/// The instructions that a kernel may use.
enum class Instructions { kBaseline, kAvx2 };

inline Instructions BestInstructions() {
#if defined(__x86_64__)
  static const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  return kHasAvx2 ? Instructions::kAvx2 : Instructions::kBaseline;
#else
  return Instructions::kBaseline;
#endif
}

inline constexpr int kMostLanes = 4;

#if defined(__x86_64__)
template <template <int> class Kernel, class Task> [[gnu::target("avx2,fma")]] void RunAvx2(Task& task) {
  Kernel<4>::Run(task);
}
#endif

/// Kernel<lanes>::Run(task). Run must be AVOCET_LANES_INLINE.
template <template <int> class Kernel, class Task> void RunLanes(Instructions instructions, Task& task) {
#if defined(__x86_64__)
  if (instructions == Instructions::kAvx2) return RunAvx2<Kernel>(task);
#endif
  (void)instructions;
  Kernel<2>::Run(task);
}

namespace lanes {

template <int N> struct Types { typedef double Doubles __attribute__((vector_size(8 * N))); };
template <int N> using Doubles = typename Types<N>::Doubles;
/// What a comparison of lanes gives: all bits set where it holds.
template <class V> using Mask = decltype(V{} < V{});

/// A complex number in each lane. As every struct of lanes it states its alignment: outside of a kernel the
/// compiler would take that of the smallest processor.
template <class V> struct alignas(sizeof(V)) Complex { V re{}, im{}; };

template <class V> AVOCET_LANES_INLINE Complex<V> Multiply(const Complex<V>& a, const Complex<V>& b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

template <class V> AVOCET_LANES_INLINE V Load(const double* from) {
  V value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}

template <class V> AVOCET_LANES_INLINE void Store(const V& value, double* to) {
  __builtin_memcpy(to, &value, sizeof value);
}

template <class V> AVOCET_LANES_INLINE V Abs(const V& x) {
  return x < 0 ? -x : x;
}

template <class V> AVOCET_LANES_INLINE V Max(const V& a, const V& b) {
  return a < b ? b : a;
}

/// Whether the mask holds in every lane.
template <class M> AVOCET_LANES_INLINE bool All(const M& mask) {
  auto all = mask[0];
  for (unsigned i = 1; i < sizeof(M) / sizeof(all); ++i)
    all &= mask[i];
  return all != 0;
}

/// Adding and subtracting it rounds to an integer, whose low bits are then those of the sum.
inline constexpr double kRounder = 0x1.8p52;

/// exp(x) for x <= 0 to 2 units in the last place; exp(-700) below that.
template <class V> AVOCET_LANES_INLINE V Exp(const V& any) {
  constexpr double kLeast = -700, kLog2E = 1.4426950408889634074, kLn2High = 0x1.62e42fee00000p-1,
                   kLn2Low = 0x1.a39ef35793c76p-33;
  constexpr double kCoefficients[] = {
      1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
      1.0 / 120,       1.0 / 24,       1.0 / 6,       0.5,          1.0,         1.0};

  // Below, the result is denormal or 0; clamping keeps the exponent's bits from wrapping around.
  const V x = any < kLeast ? V{} + kLeast : any;

  // Adding a large constant rounds to an integer, with its bits where the exponent is built from.
  const V shifted = x * kLog2E + kRounder;
  const V n = shifted - kRounder;
  // ln 2 in two parts: n times the high one is exact, so that no digit of the remainder is lost.
  const V r = (x - n * kLn2High) - n * kLn2Low;

  // Taylor to the 13th power: at |r| < 0.35 the rest is below one unit in the last place.
  V sum = r * (1.0 / 6227020800.0) + kCoefficients[0];
  for (int i = 1; i < 13; ++i)
    sum = sum * r + kCoefficients[i];

  using Bits = Mask<V>;
  return sum * (V)(((Bits)shifted << 52) + (int64_t{1023} << 52));
}

/// cos(pi x) + i sin(pi x), |x| < 2^50.
template <class V> AVOCET_LANES_INLINE Complex<V> ExpIPi(const V& x) {
  constexpr double kSin[] = {
      -1.0 / 1307674368000.0, 1.0 / 6227020800.0, -1.0 / 39916800, 1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6, 1.0};
  constexpr double kCos[] = {1.0 / 20922789888000.0,
                             -1.0 / 87178291200.0,
                             1.0 / 479001600,
                             -1.0 / 3628800,
                             1.0 / 40320,
                             -1.0 / 720,
                             1.0 / 24,
                             -0.5,
                             1.0};
  constexpr double kPi = 3.14159265358979323846;

  // Reduced to a quarter turn, where a short polynomial is exact to rounding.
  const V shifted = x * 2 + kRounder;
  const V f = (x - (shifted - kRounder) * 0.5) * kPi, f2 = f * f;

  V s = V{} + kSin[0], c = V{} + kCos[0];
  for (int i = 1; i < 8; ++i)
    s = s * f2 + kSin[i];
  for (int i = 1; i < 9; ++i)
    c = c * f2 + kCos[i];
  s *= f;

  using Bits = Mask<V>;
  const Bits quarter = (Bits)shifted; // of a turn, in the low bits
  // Odd quarters exchange sine and cosine, by masks, as lanes differ.
  const Bits odd = -(quarter & 1);
  const Bits sin_bits = ((Bits)s & ~odd) | ((Bits)c & odd), cos_bits = ((Bits)c & ~odd) | ((Bits)s & odd);

  // The signs follow from the quarter's second bit.
  return {(V)(cos_bits ^ (((quarter + 1) & 2) << 62)), (V)(sin_bits ^ ((quarter & 2) << 62))};
}

} // namespace lanes
} // namespace avocet
