#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

/// Who chooses what happens next in a simulation: chance, or each possibility in turn.
namespace avocet::placement_protocol {

/// Says what happens next: one of `count`.
class Chooser {
public:
  virtual ~Chooser() = default;
  virtual size_t Choose(size_t count) = 0;
};

class RandomChooser : public Chooser {
public:
  explicit RandomChooser(uint64_t seed) : random_(seed) {}
  size_t Choose(size_t count) override { return random_() % count; }

private:
  std::mt19937_64 random_;
};

/// Goes through all sequences of choices, one a run.
class EveryChoice : public Chooser {
public:
  size_t Choose(size_t count) override {
    if (at_ == path_.size()) path_.push_back({0, count});
    return path_[at_++].choice;
  }
  /// False when all were made.
  bool Next() {
    at_ = 0;
    while (!path_.empty() && path_.back().choice + 1 == path_.back().count)
      path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().choice;
    return true;
  }

private:
  struct Step {
    size_t choice, count;
  };
  std::vector<Step> path_;
  size_t at_ = 0;
};

} // namespace avocet::placement_protocol
