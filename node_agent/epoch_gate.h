#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "messages/command.h"
#include "messages/ids.h"

namespace avocet {

/// Which starts are overtaken: those of an application of which a later start is known, and those that a stop of their
/// device covers. What comes late, twice or out of order is told from what is current by this alone. Remembers the
/// applications that ended, at most `max_ended` of them. Driven by calls. Not thread-safe.
class EpochGate {
public:
  static constexpr size_t kMaxEnded = 16384;
  explicit EpochGate(size_t max_ended = kMaxEnded) : max_ended_(max_ended) {}

  /// The command is known from now on; may be repeated, and be older than what is known.
  void Announce(const Command& command);

  /// Whether a start is overtaken. Never of the latest one, as long as nobody stopped it.
  bool IsPast(const Command& start) const;

  /// Epoch of the latest start of the application; 0: none is known.
  uint64_t LatestStart(const AppId& app) const;

private:
  struct Known {
    uint64_t start = 0;                   ///< epoch of the latest
    DeviceId device;                      ///< that it is for
    std::map<DeviceId, uint64_t> stopped; ///< up to which epoch
    bool ended() const;
    uint64_t highest() const;
  };
  void Forget();

  size_t max_ended_;
  std::map<AppId, Known> apps_;
  size_t ended_ = 0;
  uint64_t forgotten_ = 0; ///< starts up to this epoch are past where nothing is known of their application
};

} // namespace avocet
