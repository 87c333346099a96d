#include "actors/controller/controller_records.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include <spdlog/spdlog.h>

#include "controller/cluster/cluster_changes.h"
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

/// Reads a table whose records come back by themselves, or are history: goes on past those that cannot be read.
template <class T, class Take>
Status ForEachReadable(const Store& store, Table<T> table, UnreadableRecords& unreadable, Take take) {
  AVOCET_ASSIGN_OR_RETURN(auto all, LoadReadable(store, table));
  for (auto& record : all.values)
    take(std::move(record));
  std::move(all.unreadable.begin(), all.unreadable.end(), std::back_inserter(unreadable));
  return {};
}

/// Where it really runs is known when its node registers.
Placement Lost(Placement placement) {
  placement.phase = PlacementPhase::kLost;
  placement.reason = "waiting for its node";
  return placement;
}

/// A node introduces itself again, a fit is measured again, a profile too (at the next application of the model).
Status LoadView(const Store& store, ClusterView& view, UnreadableRecords& bad) {
  AVOCET_RETURN_IF_ERROR(ForEachReadable(store, kNodes, bad, [&](const NodeInfo& node) { RestoreNode(view, node); }));
  AVOCET_RETURN_IF_ERROR(ForEachReadable(store, kDeviceFits, bad, [&](const DeviceFit& fit) { TakeFit(view, fit); }));
  AVOCET_RETURN_IF_ERROR(
      ForEachReadable(store, kProfiles, bad, [&](const Profile& profile) { AddProfile(view, profile); }));
  AVOCET_RETURN_IF_ERROR(ForEach(store, kModels, [&](const Model& model) { AddModel(view, model); }));
  AVOCET_RETURN_IF_ERROR(ForEach(store, kApplications, [&](const Application& app) { RestoreApp(view, app); }));
  return ForEach(store, kPlacements, [&](const Placement& placement) {
    // Nothing may rely on it: an agent that runs this copy is told to stop it.
    if (!view.apps.contains(placement.app))
      return spdlog::warn("placement without its application ignored app={}", placement.app.str());
    AdoptPlacement(view, Lost(placement));
  });
}

/// Applications whose last decision was a refusal: the latest kMaxRefused of them.
class Refusals {
public:
  void Add(Decision decision) {
    if (decision.kind == DecisionKind::kReject) refused_.emplace(decision.decided_at, std::move(decision.app));
    if (refused_.size() > kMaxRefused) refused_.erase(refused_.begin());
  }

  /// Oldest first.
  void RefuseIn(ClusterView& view) const {
    for (const auto& [at, app] : refused_)
      RefuseApp(view, app);
  }

private:
  std::multimap<WallTime, Application> refused_;
};

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
  // The view knows who runs: a change of theirs may have been refused, they were not.
  Refusals refusals;
  AVOCET_RETURN_IF_ERROR(ForEachReadable(store, kDecisions, bad, [&](Decision decision) {
    if (!records.view.apps.contains(decision.app.name)) refusals.Add(std::move(decision));
  }));
  refusals.RefuseIn(records.view);

  AVOCET_RETURN_IF_ERROR(
      ForEachReadable(store, kEvents, bad, [&](Event event) { records.events.push_back(std::move(event)); }));
  AVOCET_RETURN_IF_ERROR(
      ForEachReadable(store, kTotals, bad, [&](TotalsSlot slot) { AddTotals(records, std::move(slot)); }));

  // Without the last epoch, commands could repeat old epochs, and agents would ignore them.
  auto epoch = Load(store, kLastEpoch);
  if (!epoch.ok()) return RefuseStart(epoch.status());
  records.last_epoch = epoch->value_or(0);

  // Last: nothing is written where the start is refused.
  AVOCET_RETURN_IF_ERROR(SetAsideAll(store, records, bad));
  return records;
}

} // namespace avocet
