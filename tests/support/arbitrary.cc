#include "tests/support/arbitrary.h"

#include <algorithm>
#include <cfloat>
#include <cstdint>

#include "tests/support/arbitrary_parts.h"

namespace avocet {
namespace {

constexpr std::string_view kAlphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

std::string Characters(std::string_view from, size_t length) {
  return *rc::gen::container<std::string>(length, rc::gen::elementOf(std::string(from)));
}

void AppendUtf8(uint32_t code, std::string& out) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

std::string Utf8(size_t length, uint32_t first) {
  std::string text;
  for (size_t i = 0; i < length; ++i) {
    const uint32_t last = *rc::gen::element<uint32_t>(0x7E, 0x7FF, 0xD7FF, 0x10FFFF);
    const uint32_t code = Integer(first, last);
    AppendUtf8(code >= 0xD800 && code <= 0xDFFF ? 0xE000 : code, text);
  }
  return text;
}

} // namespace

uint64_t AnyCount() {
  return *rc::gen::oneOf(rc::gen::arbitrary<uint64_t>(), rc::gen::element(uint64_t{0}, UINT64_MAX));
}
uint64_t PositiveCount() {
  return std::max<uint64_t>(1, AnyCount());
}
uint64_t AnyEpoch() {
  return std::min(PositiveCount(), kMaxEpoch);
}
size_t ListLength(size_t least, size_t most) {
  return Integer(least, most);
}

ModelFormat AnyFormat() {
  return *rc::gen::element(ModelFormat::kTflite, ModelFormat::kOnnx, ModelFormat::kEmulated);
}
Statistic AnyStatistic() {
  return *rc::gen::element(Statistic::kMean, Statistic::kP50, Statistic::kP95, Statistic::kP99);
}
Duration NonNegative() {
  return *DurationBetween(Duration::zero(), Duration::max());
}
AppId AnyApp() {
  return AppId(*ValidName());
}
rc::Gen<AppId> AppIds() {
  return rc::gen::map(ValidName(), [](std::string name) { return AppId(std::move(name)); });
}

rc::Gen<std::string> ValidName() {
  return rc::gen::exec([] {
    const auto length = Integer<size_t>(0, 62);
    return Characters(kAlphanumeric, 1) + Characters(std::string(kAlphanumeric) + "_.-", length);
  });
}

rc::Gen<std::string> ValidText() {
  return rc::gen::exec([] { return Utf8(Integer<size_t>(0, 100), 0); });
}

rc::Gen<std::string> ValidLabel() {
  return rc::gen::exec([] {
    std::string text = Utf8(Integer<size_t>(1, 64), 0x20);
    std::replace(text.begin(), text.end(), '\x7F', ' ');
    return text;
  });
}

rc::Gen<std::string> ValidVersion() {
  return rc::gen::map(rc::gen::oneOf(rc::gen::inRange<int64_t>(0, 10), rc::gen::just<int64_t>(999'999'999'999'999'999)),
                      [](int64_t version) { return std::to_string(version); });
}

rc::Gen<DeviceId> ValidDeviceId() {
  return rc::gen::exec([] { return MakeDeviceId(NodeId(*ValidName()), *ValidName()); });
}

rc::Gen<ModelId> ValidModelId() {
  return rc::gen::exec([] { return MakeModelId(*ValidName(), *ValidVersion()); });
}

rc::Gen<Sha256> ValidSha256() {
  return rc::gen::exec([] { return Sha256(Characters("0123456789abcdef", 64)); });
}

rc::Gen<WallTime> AnyWallTime() {
  return rc::gen::map(rc::gen::oneOf(rc::gen::arbitrary<int64_t>(), rc::gen::element(INT64_MIN, INT64_MAX)),
                      [](int64_t nanos) { return WallTime(Duration(nanos)); });
}

rc::Gen<Duration> DurationBetween(Duration low, Duration high) {
  return rc::gen::exec([low, high] { return Duration(Integer(low.count(), high.count())); });
}

rc::Gen<double> DoubleBetween(double low, double high) {
  constexpr int64_t kSteps = int64_t{1} << 53;
  const auto inside = rc::gen::map(rc::gen::resize(100, rc::gen::inRange<int64_t>(0, kSteps)), [=](int64_t step) {
    return std::min(high, low + (high - low) * (static_cast<double>(step) / static_cast<double>(kSteps)));
  });
  return rc::gen::oneOf(inside, rc::gen::element(low, high));
}

rc::Gen<double> Amount() {
  return rc::gen::oneOf(rc::gen::element(0.0, DBL_TRUE_MIN, 1e-9, 1.0, DBL_MAX), DoubleBetween(0, 1000));
}

} // namespace avocet
