#include "controller/queueing/plain_complex.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/controller/queueing/any_load.h"

namespace avocet {
namespace {

using Library = std::complex<double>;

Library Number() {
  const auto part = [] { return (*rc::gen::arbitrary<bool>() ? 1 : -1) * Between(1e-3, 1e3); };
  const double re = part();
  return {re, part()};
}

bool IsClose(PlainComplex plain, Library expected) {
  return std::abs(static_cast<Library>(plain) - expected) <= 1e-14 * (1 + std::abs(expected));
}

RC_GTEST_PROP(PlainComplex, CalculatesLikeTheLibrary, ()) {
  const Library a = Number(), b = Number();
  const PlainComplex x(a), y(b);
  RC_ASSERT(IsClose(x + y, a + b));
  RC_ASSERT(IsClose(x - y, a - b));
  RC_ASSERT(IsClose(-x, -a));
  RC_ASSERT(std::abs(static_cast<Library>(x * y) - a * b) <= 1e-15 * std::abs(a) * std::abs(b));
  RC_ASSERT(std::abs(static_cast<Library>(x / y) - a / b) <= 1e-14 * std::abs(a / b));
}

RC_GTEST_PROP(PlainComplex, ScalesByARealFromBothSides, ()) {
  const Library a = Number();
  const double factor = Between(1e-3, 1e3);
  RC_ASSERT(IsClose(factor * PlainComplex(a), factor * a));
  RC_ASSERT(IsClose(PlainComplex(a) * factor, factor * a));
}

RC_GTEST_PROP(PlainComplex, ExpIsThatOfTheLibrary, ()) {
  const Library z(-Between(1e-3, 20), Between(1e-3, 100));
  RC_ASSERT(std::abs(static_cast<Library>(Exp(PlainComplex(z))) - std::exp(z)) <= 1e-14 * std::exp(z.real()));
}

TEST(PlainComplex, MultipliesInPlaceByItself) {
  PlainComplex z(3, 4);
  z *= z;
  EXPECT_EQ(z.re, -7);
  EXPECT_EQ(z.im, 24);
}

TEST(PlainComplex, ARealIsAComplexNumber) {
  const PlainComplex quotient = 1.0 / PlainComplex(0, 2);
  EXPECT_EQ(quotient.re, 0);
  EXPECT_EQ(quotient.im, -0.5);
}

} // namespace
} // namespace avocet
