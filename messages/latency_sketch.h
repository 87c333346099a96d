#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "messages/units.h"

namespace avocet {

/// Latencies counted in logarithmic buckets (as of DDSketch, Masson et al. 2019): every quantile between 1 us and
/// 268 s is off by at most 0.5 %. Sparse: holds the buckets that are not empty, 8 bytes each, at most kBuckets
/// (17 KiB) whatever is added. Sketches of parts merge into exactly the sketch of the whole. Not thread-safe.
///
/// Bucket k covers [1 us * 2^(k/76), 1 us * 2^((k+1)/76)). Values below the first bucket count into the first, values
/// above the last into the last. A bucket's count stays at kMaxCount once it got there: 8.9 years of a million a
/// second.
class LatencySketch {
public:
  static constexpr int kBucketsPerOctave = 76;
  static constexpr int kBuckets = 28 * kBucketsPerOctave;
  static constexpr double kFirstSeconds = 1e-6;
  static constexpr double kRelativeError = 0.005;
  static constexpr uint64_t kMaxCount = (uint64_t{1} << 48U) - 1;

  /// One bucket that is not empty, in one word.
  class Bucket {
  public:
    Bucket(int index, uint64_t count) : bits_(static_cast<uint64_t>(index) << 48U | count) {}
    int index() const { return static_cast<int>(bits_ >> 48U); }
    uint64_t count() const { return bits_ & kMaxCount; }
    void Add(uint64_t more); ///< stays at kMaxCount
    friend bool operator==(const Bucket&, const Bucket&) = default;

  private:
    uint64_t bits_;
  };

  void Add(Duration value);
  void Merge(const LatencySketch& other);
  uint64_t total() const; ///< cannot overflow: kBuckets * kMaxCount < 2^60
  bool empty() const { return buckets_.empty(); }

  /// An estimate of the p-quantile (the smallest value with at least a share p of the sample at or below it), p in
  /// [0, 1]; off by at most kRelativeError where that value is in range. nullopt when empty.
  std::optional<Duration> Quantile(double p) const;
  /// The bucket of the p-quantile; nullopt when empty.
  std::optional<int> QuantileBucket(double p) const;
  /// How many values lie in buckets up to and including `bucket`.
  uint64_t CountUpTo(int bucket) const;

  /// Those that are not empty, in order of index.
  const std::vector<Bucket>& buckets() const { return buckets_; }
  /// Adds `count` to one bucket; for codecs. False when the index or the count is out of range.
  bool AddToBucket(int bucket, uint64_t count);
  /// What was added since `earlier`, a former state of this sketch; a bucket that `earlier` has more of counts 0.
  LatencySketch Since(const LatencySketch& earlier) const;

  static int BucketOf(Duration value);
  static double LowerEdgeSeconds(int bucket); ///< of the bucket; its upper edge is that of the next one

  friend bool operator==(const LatencySketch&, const LatencySketch&) = default;

private:
  /// Adds to a bucket at or behind `from`; returns its place.
  size_t AddFrom(size_t from, int bucket, uint64_t count);

  std::vector<Bucket> buckets_;
};

} // namespace avocet
