#include "actors/controller/controller_records.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

#include <spdlog/spdlog.h>

#include "controller/cluster/cluster_changes.h"
#include "controller/placement/kept_decision.h"
#include "messages/printable.h"
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
/// `strays`: deletes fits of devices that no node lists any more.
Status LoadView(const Store& store, ClusterView& view, UnreadableRecords& bad, WriteBatch& strays) {
  AVOCET_RETURN_IF_ERROR(ForEachReadable(
      store, kNodes, [&](const NodeInfo& node) { RestoreNode(view, node); }, bad));
  const auto take_fit = [&](const DeviceFit& fit) {
    if (view.devices.contains(fit.device))
      TakeFit(view, fit);
    else
      Delete(strays, kDeviceFits, fit.device.str());
  };
  AVOCET_RETURN_IF_ERROR(ForEachReadable(store, kDeviceFits, take_fit, bad));
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

/// Of one kind of finding at the start: one for each, up to a bound.
class StartEvents {
public:
  StartEvents(ControllerRecords& records, std::string kind, uint64_t sequence)
      : records_(records), kind_(std::move(kind)), sequence_(sequence) {}

  void Add(const std::string& subject, const std::string& detail) {
    if (++found_ <= kMaxSetAsideEvents) Write(subject, detail);
  }

  /// Says how many more there were, and returns what is to be written.
  WriteBatch Finish() {
    if (found_ > kMaxSetAsideEvents) Write("", std::to_string(found_ - kMaxSetAsideEvents) + " more");
    return std::move(batch_);
  }

private:
  void Write(const std::string& subject, const std::string& detail) {
    spdlog::warn("found at start kind={} subject={} detail=\"{}\"", kind_, subject, detail);
    records_.events.push_back({++sequence_, std::chrono::system_clock::now(), kind_,
                               ToText(Printable(subject), kMaxLabelBytes), ToText(Printable(detail))});
    Put(batch_, kEvents, records_.events.back());
  }

  ControllerRecords& records_;
  std::string kind_;
  uint64_t sequence_; ///< of the last event
  size_t found_ = 0;
  WriteBatch batch_;
};

uint64_t LastSequence(const ControllerRecords& records) {
  return records.events.empty() ? 0 : records.events.back().sequence;
}

/// Keeps what cannot be read out of the way, and says so: one event for each, up to a bound.
Status SetAsideAll(Store& store, ControllerRecords& records, const UnreadableRecords& bad) {
  if (bad.empty()) return {};

  // Above every number that was handed out, also to events that cannot be read: watchers go on by number.
  uint64_t sequence = LastSequence(records);
  for (const auto& record : bad)
    sequence = std::max(sequence, SequenceOf(record));

  StartEvents events(records, "record_set_aside", sequence);
  for (const auto& record : bad)
    events.Add(record.shown_key, record.why.message());
  WriteBatch batch = events.Finish();
  for (const auto& record : bad)
    SetAside(batch, record);

  return store.Write(batch, Sync::kYes);
}

/// Applications may have gone while their device's totals were not written again.
void AddTotals(ControllerRecords& records, TotalsSlot slot, WriteBatch& strays) {
  if (!records.view.devices.contains(slot.device)) return Delete(strays, kTotals, SlotId(slot));
  std::erase_if(slot.apps, [&](const AppSlot& one) { return !records.view.apps.contains(one.app); });
  records.totals[slot.device].push_back(std::move(slot));
}

/// Empty where it is there.
std::string WhyLost(const ModelFiles& files, const Variant& variant) {
  const auto size = files.SizeOf(variant.file);
  const std::string file = std::string(ToString(variant.format)) + " file " + variant.file.str();
  if (!size) return file + " is not in models/: import it again, or restore it";
  if (*size == variant.size_bytes) return "";
  return file + " has " + std::to_string(*size) + " bytes instead of " + std::to_string(variant.size_bytes) +
         ": import it again, or restore it";
}

} // namespace

Result<ControllerRecords> LoadControllerRecords(Store& store) {
  ControllerRecords records;
  UnreadableRecords bad;

  WriteBatch strays;
  AVOCET_RETURN_IF_ERROR(LoadView(store, records.view, bad, strays));
  WriteBatch decisions;
  AVOCET_RETURN_IF_ERROR(LoadDecisions(store, records, decisions, bad));

  // Without one, a copy that it is about counts as unknown, and is not stopped.
  std::vector<Removal> removals;
  AVOCET_RETURN_IF_ERROR(ForEachReadable(
      store, kRemovals, [&](Removal removal) { removals.push_back(std::move(removal)); }, bad));
  records.removals = Removals(removals);

  AVOCET_RETURN_IF_ERROR(ForEachReadable(
      store, kEvents, [&](Event event) { records.events.push_back(std::move(event)); }, bad));
  AVOCET_RETURN_IF_ERROR(ForEachReadable(
      store, kTotals, [&](TotalsSlot slot) { AddTotals(records, std::move(slot), strays); }, bad));

  // Without the last epoch, commands could repeat old epochs, and agents would ignore them.
  auto epoch = Load(store, kLastEpoch);
  if (!epoch.ok()) return RefuseStart(epoch.status());
  records.last_epoch = epoch->value_or(0);

  // Last: nothing is written where the start is refused.
  auto cluster = LoadOrDraw(store, kCluster);
  if (!cluster.ok()) return RefuseStart(cluster.status());
  records.cluster = *cluster;
  // Where the record of a node cannot be read, its devices are not known to be gone.
  if (bad.empty() && !strays.empty()) AVOCET_RETURN_IF_ERROR(store.Write(strays, Sync::kYes));
  AVOCET_RETURN_IF_ERROR(SetAsideAll(store, records, bad));
  CutDecisions(store, decisions);
  return records;
}

Status NoteLostFiles(Store& store, const ModelFiles& files, ControllerRecords& records) {
  StartEvents events(records, "model_file_lost", LastSequence(records));
  for (const auto& [id, model] : records.view.models) {
    for (const auto& variant : model.variants) {
      const std::string why = WhyLost(files, variant);
      if (why.empty()) continue;
      records.lost_files[variant.file] = why;
      events.Add(id.str(), why);
    }
  }
  return records.lost_files.empty() ? Status{} : store.Write(events.Finish(), Sync::kYes);
}

} // namespace avocet
