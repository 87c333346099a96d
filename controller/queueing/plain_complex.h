#pragma once

#include <cmath>
#include <complex>

namespace avocet {

/// A complex number whose products and quotients are the school formulas: unlike those of std::complex
/// they do not look for infinities, which makes loops over them several times faster. Only for
/// numbers whose squares neither overflow nor vanish.
struct PlainComplex {
  double re = 0;
  double im = 0;

  PlainComplex() = default;
  PlainComplex(double real, double imaginary = 0) : re(real), im(imaginary) {}
  explicit PlainComplex(std::complex<double> z) : re(z.real()), im(z.imag()) {}
  explicit operator std::complex<double>() const { return {re, im}; }

  PlainComplex& operator+=(PlainComplex b) { return *this = {re + b.re, im + b.im}; }
  PlainComplex& operator-=(PlainComplex b) { return *this = {re - b.re, im - b.im}; }
  PlainComplex& operator*=(PlainComplex b) { return *this = {re * b.re - im * b.im, re * b.im + im * b.re}; }

  friend PlainComplex operator-(PlainComplex a) { return {-a.re, -a.im}; }
  friend PlainComplex operator+(PlainComplex a, PlainComplex b) { return a += b; }
  friend PlainComplex operator-(PlainComplex a, PlainComplex b) { return a -= b; }
  friend PlainComplex operator*(PlainComplex a, PlainComplex b) { return a *= b; }
  friend PlainComplex operator*(double a, PlainComplex b) { return {a * b.re, a * b.im}; }
  friend PlainComplex operator*(PlainComplex a, double b) { return b * a; }
  friend PlainComplex operator/(PlainComplex a, PlainComplex b) {
    return (1 / (b.re * b.re + b.im * b.im)) * (a * PlainComplex(b.re, -b.im));
  }
};

inline PlainComplex Exp(PlainComplex z) {
  const double size = std::exp(z.re);
  return {size * std::cos(z.im), size * std::sin(z.im)};
}

} // namespace avocet
