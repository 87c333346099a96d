#include "node_agent/inference/answer_room.h"

#include <algorithm>
#include <string>

namespace avocet {
namespace {

/// Reserved at once from here on, so that a long answer does not ask for every few bytes.
constexpr uint64_t kStep = 64 * 1024;

} // namespace

Status CheckAnswerSize(uint64_t bytes, uint64_t most, const char* what) {
  if (bytes <= most) return {};
  return ResourceExhausted("the answer has more than " + std::to_string(most) + " bytes of " + what +
                           " (max_answer_mb in [inference])");
}

Status AnswerRoom::Reached(uint64_t bytes) {
  AVOCET_RETURN_IF_ERROR(CheckAnswerSize(bytes, most_, "JSON"));
  if (bytes <= reserved_) return {};
  const uint64_t step = bytes < kStep ? 0 : std::min(kStep, most_ - reserved_);
  const uint64_t more = std::max(bytes - reserved_, step);
  AVOCET_RETURN_IF_ERROR(lease_.Reserve(more));
  reserved_ += more;
  return {};
}

} // namespace avocet
