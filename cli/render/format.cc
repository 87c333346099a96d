#include "cli/render/format.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace avocet {
namespace {

constexpr int kDigits = 3;
constexpr int kMaxDigits = 9;

/// Digits after the point that show `digits` significant ones; integers are never cut.
int Decimals(double value, int digits) {
  if (value == 0 || !std::isfinite(value)) return 0;
  const int before = static_cast<int>(std::floor(std::log10(std::abs(value)))) + 1;
  return std::clamp(digits - before, 0, 12);
}

std::string Format(double value, int digits) {
  if (std::abs(value) >= 1e9 || !std::isfinite(value)) return fmt::format("{:.{}g}", value, digits);
  std::string text = fmt::format("{:.{}f}", value, Decimals(value, digits));
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

} // namespace

std::string FormatNumber(double value) {
  return Format(value, kDigits);
}

std::string FormatMillis(Duration value) {
  return FormatNumber(ToMillis(value));
}

std::string FormatMillis(const std::optional<Duration>& value) {
  return value ? FormatMillis(*value) : "-";
}

std::string FormatPercent(double fraction) {
  return fmt::format("{} %", Format(fraction * 100, 2));
}

std::string FormatMebibytes(uint64_t bytes) {
  return FormatNumber(static_cast<double>(bytes) / static_cast<double>(kMiB));
}

std::string FormatBytes(uint64_t bytes) {
  constexpr uint64_t kKiB = 1024;
  if (bytes < kKiB) return fmt::format("{} B", bytes);
  if (bytes < kMiB) return FormatNumber(static_cast<double>(bytes) / static_cast<double>(kKiB)) + " KiB";
  return FormatMebibytes(bytes) + " MiB";
}

double RoundScv(double scv) {
  constexpr double kSteps = 1e6;
  return std::round(scv * kSteps) / kSteps;
}

std::string FormatScv(double scv) {
  return FormatNumber(RoundScv(scv));
}

std::string FormatDuration(Duration value) {
  const double s = ToSeconds(value);
  if (std::abs(s) < 1) return FormatMillis(value) + " ms";
  if (std::abs(s) < 120) return FormatNumber(s) + " s";
  if (std::abs(s) < 7200) return FormatNumber(s / 60) + " min";
  return FormatNumber(s / 3600) + " h";
}

std::string FormatTime(WallTime value) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(value)));
}

double FloorTo3Digits(double value) {
  if (value <= 0 || !std::isfinite(value)) return value;
  const double unit = std::pow(10, std::floor(std::log10(value)) - (kDigits - 1));
  // The nudge keeps a value that already has three digits: 6.1 / 0.01 is 609.999...
  return std::floor(value / unit * (1 + 1e-12)) * unit;
}

std::pair<std::string, std::string> FormatApart(double a, double b) {
  int digits = kDigits;
  while (a != b && digits < kMaxDigits && Format(a, digits) == Format(b, digits))
    ++digits;
  return {Format(a, digits), Format(b, digits)};
}

} // namespace avocet
