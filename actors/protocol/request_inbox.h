#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "messages/invariant.h"

namespace avocet {

/// Requests of one peer, each carried out once however often it comes. Answers are kept until the peer
/// says that it has them. The peer's half is RequestOutbox, which bounds how many there can be; a peer
/// that breaks that bound is refused. Driven by calls. Not thread-safe.
template <class Answer> class RequestInbox {
public:
  enum class Next {
    kExecute, ///< new: carry it out, then call Done
    kWait,    ///< it is being carried out
    kAnswer,  ///< it was carried out before: send AnswerOf(id) again
    kIgnore,  ///< its sender has the answer, or has more open than allowed
  };

  explicit RequestInbox(size_t max_open = 1024) : max_open_(max_open) {}

  /// A request arrived; `oldest_id` is the sender's first one without an answer.
  Next Arrived(uint64_t id, uint64_t oldest_id) {
    if (oldest_id > oldest_id_) {
      oldest_id_ = oldest_id;
      open_.erase(open_.begin(), open_.lower_bound(oldest_id_));
    }
    if (id < oldest_id_) return Next::kIgnore;
    if (const auto known = open_.find(id); known != open_.end()) return known->second ? Next::kAnswer : Next::kWait;
    if (open_.size() >= max_open_) return Next::kIgnore;
    open_.emplace(id, std::nullopt);
    return Next::kExecute;
  }

  /// The request was carried out.
  void Done(uint64_t id, Answer answer) {
    if (const auto known = open_.find(id); known != open_.end()) known->second = std::move(answer);
  }

  /// Requires that Arrived(id, ...) said kAnswer.
  const Answer& AnswerOf(uint64_t id) const {
    const auto known = open_.find(id);
    AVOCET_CHECK(known != open_.end() && known->second);
    return *known->second;
  }

  size_t size() const { return open_.size(); }

private:
  size_t max_open_;
  uint64_t oldest_id_ = 0;
  std::map<uint64_t, std::optional<Answer>> open_;
};

} // namespace avocet
