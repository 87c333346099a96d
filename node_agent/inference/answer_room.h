#pragma once

#include <cstdint>

#include "messages/status.h"
#include "node_agent/inference/byte_budget.h"

namespace avocet {

/// kResourceExhausted when an answer has more bytes than `most`, which [inference] max_answer_mb says; `what` has them:
/// "outputs", "JSON".
Status CheckAnswerSize(uint64_t bytes, uint64_t most, const char* what);

/// The memory of an answer that is being written: reserved as it grows, up to a bound.
class AnswerRoom {
public:
  /// `lease` outlives it, and keeps what was reserved.
  AnswerRoom(ByteBudget::Lease& lease, uint64_t most) : lease_(lease), most_(most) {}

  /// To be called now and then, with what is written up to now. The errors of CheckAnswerSize and Lease::Reserve.
  Status Reached(uint64_t bytes);

private:
  ByteBudget::Lease& lease_;
  const uint64_t most_;
  uint64_t reserved_ = 0;
};

} // namespace avocet
