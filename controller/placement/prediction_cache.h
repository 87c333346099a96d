#pragma once

#include <cstddef>
#include <memory>

#include "controller/placement/assessment.h"
#include "controller/placement/fit_memo.h"
#include "controller/placement/memo.h"

namespace avocet {

/// What was predicted of devices, by the content of their load: a prediction changes only when the load does. A
/// value that the caller of Decide holds between decisions; the answers are the same with any cache, or a fresh one.
/// Grows with devices x kinds of applications, to at most some 100 MB. Not thread-safe.
struct PredictionCache {
  Memo<std::shared_ptr<const Assessment>> assessments{size_t{1} << 17U};
  Memo<std::shared_ptr<const Assessment>> exact{size_t{1} << 10U};
  Memo<std::shared_ptr<const Assessment>> simulated{size_t{1} << 10U};
  FitMemo fits;
};

} // namespace avocet
