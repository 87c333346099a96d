#pragma once

#include <vector>

#include "controller/placement/candidate.h"

namespace avocet {

/// An application like some that were admitted or refused: the same model, rate, objective and constraints.
struct SeenType {
  Newcomer newcomer;
  double frequency = 0; ///< share of all that were seen
};

/// The types among the admitted and refused applications of the view and the newcomer, the most frequent
/// first, at most `most`. Borrows from the view.
std::vector<SeenType> SeenTypes(const Question& question, size_t most);

/// Healthy devices by what an application brings to them: the same on all of a type that were not measured themselves.
struct DeviceGroups {
  std::vector<std::optional<size_t>> group_of; ///< by device; nullopt: not healthy
  std::vector<size_t> representatives;         ///< by group: one of its devices
};
DeviceGroups GroupDevices(const Occupancy& occupancy);

/// What a placement takes from applications that may come: each type seen so far counts with its frequency, over the
/// number of devices that could take it now, when the device in question could take it and then no longer can.
/// By the fast models. Types are limited so that types x devices stay below kMaxTypeChecks.
class Fragmentation {
public:
  explicit Fragmentation(const Question& question);

  /// sum over the types of frequency / max(devices, 1) x [fits before, not after]. Stops adding once at `enough`.
  double Loss(const Candidate& candidate, size_t device, double enough) const;

  /// sum over the types of frequency x devices: on how many devices an application like those seen would fit.
  double Room() const;

private:
  /// What a type brings to the devices of a group.
  struct GroupDemand {
    std::optional<Demand> demand; ///< nullopt: the group does not take it
    size_t column = 0;            ///< see FitMemo
  };
  struct Type {
    SeenType seen;
    std::vector<GroupDemand> demands; ///< by group
    std::vector<char> fits;           ///< by device
    double devices = 0;               ///< that it fits on
    double weight() const { return seen.frequency / (devices < 1 ? 1 : devices); }
  };

  void CountDevices();

  const Question& question_;
  DeviceGroups groups_;
  std::vector<Type> types_; ///< the weightiest first
};

inline constexpr size_t kMaxTypeChecks = 4096;
inline constexpr size_t kMinTypes = 8;

} // namespace avocet
