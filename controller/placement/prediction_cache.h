#pragma once

#include <cstddef>
#include <memory>

#include "controller/placement/assessment.h"
#include "controller/placement/fit_memo.h"
#include "controller/placement/memo.h"

namespace avocet {

/// About what it takes in memory, the place in the cache included.
struct AssessmentBytes {
  size_t operator()(const std::shared_ptr<const Assessment>& assessment) const {
    constexpr size_t kFixed = 96;
    return sizeof(Assessment) + kFixed + assessment->answers.size() * sizeof(GoalAnswer);
  }
};

/// What was predicted of devices, by the content of their load: a prediction changes only when the load does. A
/// value that the caller of Decide holds between decisions; the answers are the same with any cache, or a fresh one.
/// Grows with devices x kinds of applications, to at most some 80 MB. Not thread-safe.
struct PredictionCache {
  /// Bytes: the devices of a large cluster with ten applications each, or twenty with a hundred.
  Memo<std::shared_ptr<const Assessment>, AssessmentBytes> assessments{size_t{1} << 25U};
  Memo<std::shared_ptr<const Assessment>> exact{size_t{1} << 10U};
  Memo<std::shared_ptr<const Assessment>> simulated{size_t{1} << 10U};
  FitMemo fits;
};

} // namespace avocet
