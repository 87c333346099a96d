#include "messages/latency_sketch.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>

namespace avocet {
namespace {

constexpr int kPerOctave = LatencySketch::kBucketsPerOctave;
constexpr double kFirstNanos = LatencySketch::kFirstSeconds * 1e9;

// Cells that divide an octave evenly. A cell is narrower than the narrowest bucket (2^(1/76) - 1 = 0.92 % of the
// octave's start, against 1/128 = 0.78 %), so at most one bucket begins inside of it.
constexpr unsigned kCellBits = 7;
constexpr size_t kCells = size_t{1} << kCellBits;
constexpr unsigned kFractionBits = 52; // of a double
constexpr uint64_t kFractionMask = (uint64_t{1} << kFractionBits) - 1;

/// Where the buckets of the octave [1, 2) begin, and which one a cell begins in.
struct Octave {
  std::array<double, kPerOctave + 1> begins{};
  std::array<uint8_t, kCells> of_cell{};

  Octave() {
    for (size_t k = 0; k < begins.size(); ++k)
      begins[k] = std::exp2(static_cast<double>(k) / kPerOctave);
    for (size_t cell = 0; cell < kCells; ++cell) {
      const double value = 1 + static_cast<double>(cell) / kCells;
      const auto next = std::upper_bound(begins.begin(), begins.end(), value);
      of_cell[cell] = static_cast<uint8_t>(next - begins.begin() - 1);
    }
  }
};
const Octave kOctave; // NOLINT(cert-err58-cpp): computes numbers only

/// Adds without passing the limit.
uint64_t Saturated(uint64_t a, uint64_t b) {
  return std::min(a + std::min(b, LatencySketch::kMaxCount), LatencySketch::kMaxCount);
}

} // namespace

void LatencySketch::Bucket::Add(uint64_t more) {
  bits_ = (bits_ & ~kMaxCount) | Saturated(count(), more);
}

/// The exponent is the octave; a table and one comparison find the bucket in it: a logarithm takes several times as
/// long.
int LatencySketch::BucketOf(Duration value) {
  const double ratio = static_cast<double>(value.count()) / kFirstNanos;
  if (!(ratio > 1)) return 0;
  const auto bits = std::bit_cast<uint64_t>(ratio);
  const int octave = static_cast<int>(bits >> kFractionBits) - 1023;
  const uint64_t fraction = bits & kFractionMask;
  const auto mantissa = std::bit_cast<double>(fraction | std::bit_cast<uint64_t>(1.0));
  const size_t cell = kOctave.of_cell[fraction >> (kFractionBits - kCellBits)];
  const int within = static_cast<int>(cell) + (mantissa >= kOctave.begins[cell + 1] ? 1 : 0);
  return std::min(octave * kPerOctave + within, kBuckets - 1);
}

double LatencySketch::LowerEdgeSeconds(int bucket) {
  return kFirstSeconds * std::exp2(bucket / double{kPerOctave});
}

void LatencySketch::Add(Duration value) {
  (void)AddFrom(0, BucketOf(value), 1);
}

/// One pass over both.
void LatencySketch::Merge(const LatencySketch& other) {
  std::vector<Bucket> merged;
  merged.reserve(buckets_.size() + other.buckets_.size());
  auto left = buckets_.begin();
  for (const Bucket& right : other.buckets_) {
    while (left != buckets_.end() && left->index() < right.index())
      merged.push_back(*left++);
    merged.push_back(right);
    if (left != buckets_.end() && left->index() == right.index()) merged.back().Add((left++)->count());
  }
  merged.insert(merged.end(), left, buckets_.end());
  buckets_ = std::move(merged);
}

size_t LatencySketch::AddFrom(size_t from, int bucket, uint64_t count) {
  // A binary search whose steps compile to conditional moves: where latencies fall cannot be predicted, and each wrong
  // guess costs more than the step.
  size_t place = from;
  for (size_t left = buckets_.size() - from; left > 0;) {
    const size_t half = (left + 1) / 2;
    place += buckets_[place + half - 1].index() < bucket ? half : 0;
    left -= half;
  }

  if (place < buckets_.size() && buckets_[place].index() == bucket)
    buckets_[place].Add(count);
  else
    buckets_.insert(buckets_.begin() + static_cast<std::ptrdiff_t>(place), Bucket(bucket, std::min(count, kMaxCount)));

  return place;
}

uint64_t LatencySketch::total() const {
  return std::accumulate(buckets_.begin(), buckets_.end(), uint64_t{0},
                         [](uint64_t sum, const Bucket& bucket) { return sum + bucket.count(); });
}

std::optional<int> LatencySketch::QuantileBucket(double p) const {
  if (empty()) return std::nullopt;
  // A hair less than p * size: 0.07 * 100 is a little more than 7 and must not become rank 8.
  const double rank = std::ceil(std::clamp(p, 0.0, 1.0) * static_cast<double>(total()) * (1 - 1e-12));
  uint64_t below = 0;
  for (const Bucket& bucket : buckets_) {
    below += bucket.count();
    if (static_cast<double>(below) >= rank) return bucket.index();
  }
  return buckets_.back().index();
}

std::optional<Duration> LatencySketch::Quantile(double p) const {
  const auto bucket = QuantileBucket(p);
  if (!bucket) return std::nullopt;
  // The harmonic mean of the edges is equally far from both, relative to them: (r - 1) / (r + 1) = 0.456 %. The rest of
  // the 0.5 % is for rounding to nanoseconds.
  const double low = LowerEdgeSeconds(*bucket);
  const double high = LowerEdgeSeconds(*bucket + 1);
  return FromSeconds(2 * low * high / (low + high));
}

uint64_t LatencySketch::CountUpTo(int bucket) const {
  uint64_t count = 0;
  for (const Bucket& one : buckets_) {
    if (one.index() > bucket) break;
    count += one.count();
  }
  return count;
}

bool LatencySketch::AddToBucket(int bucket, uint64_t count) {
  if (bucket < 0 || bucket >= kBuckets || count > kMaxCount) return false;
  if (count > 0) (void)AddFrom(0, bucket, count);
  return true;
}

LatencySketch LatencySketch::Since(const LatencySketch& earlier) const {
  LatencySketch difference;
  auto before = earlier.buckets_.begin();
  for (const Bucket& bucket : buckets_) {
    while (before != earlier.buckets_.end() && before->index() < bucket.index())
      ++before;
    const bool same = before != earlier.buckets_.end() && before->index() == bucket.index();
    const uint64_t known = same ? before->count() : 0;
    if (bucket.count() > known) difference.buckets_.emplace_back(bucket.index(), bucket.count() - known);
  }
  return difference;
}

} // namespace avocet
