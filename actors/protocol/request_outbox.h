#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

struct RequestOutboxOptions {
  size_t max_pending = 256;                        ///< requests without an answer; one more is refused
  Duration resend_after = std::chrono::seconds(1); ///< a request without an answer is sent again after this time
};

/// Requests to one peer, each sent again until it is answered or its deadline passed. Ids ascend from 1.
/// The peer's half is RequestInbox. Driven by calls, knows no clock. Not thread-safe.
template <class Request> class RequestOutbox {
public:
  /// One request as it goes out.
  struct Sending {
    uint64_t id;
    uint64_t oldest_id; ///< the oldest request that has no answer yet
    const Request* request;
  };

  explicit RequestOutbox(RequestOutboxOptions options = {}) : options_(options) {}

  /// The request's id; kResourceExhausted when too many wait, or when the oldest has waited for that many.
  Result<uint64_t> Add(Request request, MonotonicTime deadline) {
    if (pending_.size() >= options_.max_pending ||
        (!pending_.empty() && next_id_ - oldest() >= 4 * options_.max_pending))
      return ResourceExhausted(std::to_string(pending_.size()) + " requests wait for an answer");
    pending_.emplace(next_id_, Pending{std::move(request), deadline, false, {}});
    return next_id_++;
  }

  /// What was never sent, or was sent a while ago; counts as sent now. Valid until the next call.
  std::vector<Sending> TakeToSend(MonotonicTime now) {
    std::vector<Sending> due;
    for (auto& [id, pending] : pending_) {
      if (pending.sent && now - pending.sent_at < options_.resend_after) continue;
      pending.sent = true;
      pending.sent_at = now;
      due.push_back({id, oldest(), &pending.request});
    }
    return due;
  }

  /// The answer came. False when it came before, or too late.
  bool Answered(uint64_t id) { return pending_.erase(id) == 1; }

  /// Gives up the requests whose deadline passed, and returns their ids.
  std::vector<uint64_t> TakeExpired(MonotonicTime now) {
    std::vector<uint64_t> ids;
    for (const auto& [id, pending] : pending_) {
      if (now >= pending.deadline) ids.push_back(id);
    }
    for (const uint64_t id : ids)
      pending_.erase(id);
    return ids;
  }

  size_t size() const { return pending_.size(); }

private:
  struct Pending {
    Request request;
    MonotonicTime deadline;
    bool sent = false;
    MonotonicTime sent_at;
  };
  uint64_t oldest() const { return pending_.begin()->first; }

  RequestOutboxOptions options_;
  uint64_t next_id_ = 1;
  std::map<uint64_t, Pending> pending_;
};

} // namespace avocet
