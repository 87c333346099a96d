#include "actors/controller/controller_records.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

#include <spdlog/spdlog.h>

#include "controller/cluster/cluster_changes.h"
#include "controller/placement/kept_decision.h"
#include "messages/text.h"
#include "storage/records.h"

namespace avocet {
namespace {

/// Why the controller does not start, with what to do.
Status RefuseStart(const Status& why) {
  if (why.code() != StatusCode::kCorruption) return why;
  return Corruption(why.message() +
                    "; without it applications could be stopped or placed wrongly, so the controller does " +
                    "not start: restore its data_dir from a copy (docs/FAILURES.md, \"A record that cannot be read\")");
}

/// Reads a table whose records are decisions, or what they rest on, and hands each to `take`.
template <class T, class Take> Status ForEach(const Store& store, Table<T> table, Take take) {
  auto all = LoadAll(store, table);
  if (!all.ok()) return RefuseStart(all.status());
  for (auto& record : *all)
    take(std::move(record));
  return {};
}

using UnreadableRecords = std::vector<UnreadableRecord>;

/// Where it really runs is known when its node registers.
Placement Lost(Placement placement) {
  placement.phase = PlacementPhase::kLost;
  placement.reason = "waiting for its node";
  return placement;
}

/// A node introduces itself again, a fit is measured again, a profile too (at the next application of the model).
Status LoadView(const Store& store, ClusterView& view, UnreadableRecords& bad) {
  AVOCET_RETURN_IF_ERROR(ForEachReadable(
      store, kNodes, [&](const NodeInfo& node) { RestoreNode(view, node); }, bad));
  AVOCET_RETURN_IF_ERROR(ForEachReadable(
      store, kDeviceFits, [&](const DeviceFit& fit) { TakeFit(view, fit); }, bad));
  AVOCET_RETURN_IF_ERROR(ForEachReadable(
      store, kProfiles, [&](const Profile& profile) { AddProfile(view, profile); }, bad));
  AVOCET_RETURN_IF_ERROR(ForEach(store, kModels, [&](const Model& model) { AddModel(view, model); }));
  AVOCET_RETURN_IF_ERROR(ForEach(store, kApplications, [&](const Application& app) { RestoreApp(view, app); }));
  return ForEach(store, kPlacements, [&](const Placement& placement) {
    // Nothing may rely on it: an agent that runs this copy is told to stop it.
    if (!view.apps.contains(placement.app))
      return spdlog::warn("placement without its application ignored app={}", placement.app.str());
    AdoptPlacement(view, Lost(placement));
  });
}

/// The decisions about applications that do not run.
class PastDecisions {
public:
  void Add(Decision decision) {
    const bool refused = decision.kind == DecisionKind::kReject;
    past_.emplace(decision.decided_at, Past{std::move(decision.app), refused});
  }

  /// Takes them over, oldest first: the latest of them are kept, the others are removed by the batch.
  void MoveInto(ControllerRecords& records, WriteBatch& batch) && {
    for (const auto& [at, past] : past_) {
      if (const auto forgotten = records.history.Ended(past.app.name)) Delete(batch, kDecisions, forgotten->str());
      if (past.refused) RefuseApp(records.view, past.app);
    }
  }

private:
  struct Past {
    Application app;
    bool refused = false;
  };
  std::multimap<WallTime, Past> past_;
};

/// Reads the decisions. What is kept in other words than now, or not any more, the batch changes.
Status LoadDecisions(const Store& store, ControllerRecords& records, WriteBatch& batch, UnreadableRecords& bad) {
  PastDecisions past;
  const auto take = [&](Decision decision) {
    // An earlier version kept every latency on every device.
    if (const Decision kept = KeptDecision(decision); kept != decision) Put(batch, kDecisions, kept);
    // The view knows who runs: a change of theirs may have been refused, they were not.
    if (!records.view.apps.contains(decision.app.name)) past.Add(std::move(decision));
  };
  AVOCET_RETURN_IF_ERROR(ForEachReadable(store, kDecisions, take, bad));
  std::move(past).MoveInto(records, batch);
  return {};
}

/// Not worth refusing the start where the disk does not take it.
void CutDecisions(Store& store, const WriteBatch& batch) {
  if (const Status written = store.Write(batch, Sync::kYes); !written.ok())
    spdlog::warn("decisions not cut to what is kept reason=\"{}\"", written.message());
}

/// The number of an event that cannot be read; 0 for any other record. Numbers are not given twice.
uint64_t SequenceOf(const UnreadableRecord& record) {
  if (!record.key.starts_with(kEvents.prefix)) return 0;
  uint64_t sequence = 0;
  const char* const begin = record.key.data() + kEvents.prefix.size();
  const auto [end, error] = std::from_chars(begin, record.key.data() + record.key.size(), sequence);
  const bool is_number = error == std::errc() && end == record.key.data() + record.key.size();
  return is_number && sequence <= kMaxEpoch ? sequence : 0;
}

void AddEvent(ControllerRecords& records, WriteBatch& batch, uint64_t sequence, const std::string& subject,
              const std::string& detail) {
  spdlog::warn("record set aside key={} reason=\"{}\"", subject, detail);
  records.events.push_back({sequence, std::chrono::system_clock::now(), "record_set_aside",
                            ToText(subject, kMaxLabelBytes), ToText(detail)});
  Put(batch, kEvents, records.events.back());
}

/// Keeps what cannot be read out of the way, and says so: one event for each, up to a bound.
Status SetAsideAll(Store& store, ControllerRecords& records, const UnreadableRecords& bad) {
  if (bad.empty()) return {};

  // Above every number that was handed out, also to events that cannot be read: watchers go on by number.
  uint64_t sequence = records.events.empty() ? 0 : records.events.back().sequence;
  for (const auto& record : bad)
    sequence = std::max(sequence, SequenceOf(record));

  WriteBatch batch;
  for (size_t i = 0; i < bad.size(); ++i) {
    SetAside(batch, bad[i]);
    if (i < kMaxSetAsideEvents) AddEvent(records, batch, ++sequence, bad[i].shown_key, bad[i].why.message());
  }

  // Bounded, as a damaged disk may hold any number of unreadable records.
  if (bad.size() > kMaxSetAsideEvents)
    AddEvent(records, batch, ++sequence, "", std::to_string(bad.size() - kMaxSetAsideEvents) + " more records");

  return store.Write(batch, Sync::kYes);
}

/// Applications may have gone while their device's totals were not written again.
void AddTotals(ControllerRecords& records, TotalsSlot slot) {
  std::erase_if(slot.apps, [&](const AppSlot& one) { return !records.view.apps.contains(one.app); });
  records.totals[slot.device].push_back(std::move(slot));
}

} // namespace

Result<ControllerRecords> LoadControllerRecords(Store& store) {
  ControllerRecords records;
  UnreadableRecords bad;

  AVOCET_RETURN_IF_ERROR(LoadView(store, records.view, bad));
  WriteBatch decisions;
  AVOCET_RETURN_IF_ERROR(LoadDecisions(store, records, decisions, bad));

  AVOCET_RETURN_IF_ERROR(ForEachReadable(
      store, kEvents, [&](Event event) { records.events.push_back(std::move(event)); }, bad));
  AVOCET_RETURN_IF_ERROR(ForEachReadable(
      store, kTotals, [&](TotalsSlot slot) { AddTotals(records, std::move(slot)); }, bad));

  // Without the last epoch, commands could repeat old epochs, and agents would ignore them.
  auto epoch = Load(store, kLastEpoch);
  if (!epoch.ok()) return RefuseStart(epoch.status());
  records.last_epoch = epoch->value_or(0);

  // Last: nothing is written where the start is refused.
  AVOCET_RETURN_IF_ERROR(SetAsideAll(store, records, bad));
  CutDecisions(store, decisions);
  return records;
}

} // namespace avocet
