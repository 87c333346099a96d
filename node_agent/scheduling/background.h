#pragma once

#include <future>
#include <utility>

namespace avocet {

/// Gives the calling thread less of a contended processor than others have, for good: raising a
/// priority takes privileges, lowering none.
void LowerPriority();

/// Runs a task to its end on a thread of its own with lowered priority. Blocks; what it throws, this throws.
template <class Task> auto RunInBackground(Task task) {
  return std::async(std::launch::async,
                    [task = std::move(task)]() mutable {
                      LowerPriority();
                      return task();
                    })
      .get();
}

} // namespace avocet
