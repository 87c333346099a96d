#pragma once

#include <cstddef>
#include <functional>

namespace avocet {

/// Calls work(0) .. work(count - 1) on up to `jobs` threads, each once, in no order; `progress(done)` on the calling
/// thread now and then. Returns when all are done; an exception of one is thrown again then.
void ParallelFor(size_t count, int jobs, const std::function<void(size_t)>& work,
                 const std::function<void(size_t)>& progress = {});

/// The processors that this program may use, at least 1.
int AvailableJobs();

} // namespace avocet
