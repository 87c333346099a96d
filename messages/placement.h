#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/application.h"
#include "messages/ids.h"
#include "messages/model.h"
#include "messages/policy.h"
#include "messages/status.h"

namespace avocet {

enum class PlacementPhase {
  kStarting = 1, ///< decided and on disk; the agent is loading and warming up
  kReady = 2,    ///< serving
  kLost = 3,     ///< its agent is away
  kFailed = 4,   ///< the agent reported that it cannot run it
};
std::string_view ToString(PlacementPhase phase); ///< "starting", "ready", "lost", "failed"

/// Largest epoch of a placement, a command or a report. It leaves room above what an agent may claim
/// (actors/protocol/agent_claims.h), so that counting on from a claim never wraps.
inline constexpr uint64_t kMaxEpoch = (uint64_t{1} << 63) - 1;

/// A copy of an application: where it runs, or is to run. The controller has one per application; an agent's plan and
/// its reports are made of them, too.
struct Placement {
  AppId app;
  DeviceId device;
  ModelId model;
  ModelFormat format = ModelFormat::kTflite;
  Sha256 file;
  uint64_t size_bytes = 0; ///< of the model file; 0: unknown
  uint64_t epoch = 0;      ///< 1 to kMaxEpoch, of the decision; a later epoch replaces an earlier one
  PlacementPhase phase = PlacementPhase::kStarting;
  std::string reason; ///< why kFailed, kLost or still kStarting; empty when kReady
  friend bool operator==(const Placement&, const Placement&) = default;
};

Status Validate(const Placement& placement);
/// As Validate, of what an agent reports: it is never kLost.
Status ValidateReport(const Placement& running);

inline constexpr size_t kMaxVerdicts = 65536;
inline constexpr size_t kMaxMoves = 4096;

/// One application's predicted latency on a device, without and with the newcomer.
struct AppLatency {
  AppId app;
  Statistic statistic = Statistic::kP95;
  Duration objective{};           ///< after the network allowance
  std::optional<Duration> before; ///< empty for the newcomer, and where unstable
  std::optional<Duration> after;  ///< empty where unstable
  bool fast = false; ///< both are of the fast models: to rank and to show, never what a limit near them was judged by
  friend bool operator==(const AppLatency&, const AppLatency&) = default;
};

/// The rules that can refuse a device, in the order in which they are asked; see controller/placement/filters.h.
enum class FilterKind {
  kHealthy = 1,
  kKind,
  kFormat,
  kProfile,
  kMemory,
  kUtilization,
  kObjectives,
  kPaperRate,
  kPaperObjectives,
};
inline constexpr std::array kFilterKinds = {
    FilterKind::kHealthy,    FilterKind::kKind,      FilterKind::kFormat,
    FilterKind::kProfile,    FilterKind::kMemory,    FilterKind::kUtilization,
    FilterKind::kObjectives, FilterKind::kPaperRate, FilterKind::kPaperObjectives};
/// "healthy", "kind", "format", "profile", "memory", "utilization", "objectives", "paper_rate", "paper_objectives"
std::string_view ToString(FilterKind kind);
std::optional<FilterKind> ParseFilterKind(std::string_view text);

/// What the numbers of a refusal count.
enum class Unit { kNone, kState, kKinds, kFiles, kProfiles, kMebibytes, kRatio, kCoresRatio, kMilliseconds };
inline constexpr std::array kUnits = {Unit::kNone,  Unit::kState,      Unit::kKinds,
                                      Unit::kFiles, Unit::kProfiles,   Unit::kMebibytes,
                                      Unit::kRatio, Unit::kCoresRatio, Unit::kMilliseconds};
/// "" of kNone, "state", "kinds", "files", "profiles", "MiB", "ratio", "cores ratio", "ms"
std::string_view ToString(Unit unit);
std::optional<Unit> ParseUnit(std::string_view text);

/// What the decision function found for one device. A refused device has a filter with numbers.
struct Verdict {
  DeviceId device;
  NodeId node;
  bool ok = false;
  bool emulated = false;
  std::optional<FilterKind> filter; ///< the first filter that said no; empty when ok
  double needed = 0;                ///< what that filter needed, in `unit`
  double found = 0;                 ///< what it found, in `unit`
  Unit unit = Unit::kNone;
  std::string detail; ///< one sentence for people, with ids and the next step
  double utilization_before = 0;
  double utilization_after = 0;
  uint64_t memory_before_bytes = 0;
  uint64_t memory_after_bytes = 0;
  uint64_t memory_capacity_bytes = 0;
  std::vector<AppLatency> apps; ///< residents and the newcomer, in order of name
  double max_rate_rps = 0;      ///< largest rate of the newcomer that this device could take; 0: none
  bool max_rate_sought = true;  ///< false: max_rate_rps is 0 because nobody looked for it
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

/// The name of the filter that said no; empty when ok.
std::string_view FilterName(const Verdict& verdict);

enum class DecisionKind { kAdmit = 1, kReject = 2, kAdmitWithMoves = 3 };
std::string_view ToString(DecisionKind kind); ///< "admit", "reject", "admit_with_moves"

struct Move {
  AppId app;
  DeviceId from;
  DeviceId to;
  friend bool operator==(const Move&, const Move&) = default;
};

/// The answer of the one decision function. Explains itself: one verdict per device considered.
struct Decision {
  DecisionKind kind = DecisionKind::kReject;
  Application app;
  uint64_t view_version = 0;      ///< of the ClusterView it was made against
  std::optional<DeviceId> device; ///< set unless rejected
  ModelId model;                  ///< resolved; empty when the model is unknown
  std::vector<Move> moves;
  std::vector<Verdict> verdicts;                            ///< in order of device id
  double max_rate_rps = 0;                                  ///< largest rate that some device could take
  PlacementPolicy policy = PlacementPolicy::kFragmentation; ///< that it was made by
  WallTime decided_at{};
  friend bool operator==(const Decision&, const Decision&) = default;
};

/// The chosen device is among the verdicts and ok; every refusal names a filter; numbers are finite;
/// verdicts and their applications stand in order, none twice; moves exactly when kind says so.
Status Validate(const Decision& decision);

} // namespace avocet
