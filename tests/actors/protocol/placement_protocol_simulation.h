#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "actors/protocol/agent_plan.h"
#include "actors/protocol/command_refusals.h"
#include "controller/cluster/cluster_changes.h"
#include "controller/cluster/pending_moves.h"
#include "controller/cluster/reconcile.h"
#include "node_agent/epoch_gate.h"
#include "storage/memory_store.h"
#include "storage/records.h"
#include "tests/actors/protocol/chooser.h"

/// Placements, moves and removals over a network, as the controller and two agents see them, without actors: the pure
/// parts of both ends, a model of Node that starts and stops in any order, and a chooser of what happens next.
namespace avocet::placement_protocol {

inline const AppId kCam("cam");

/// What Node keeps of one application, without what it costs: see node_agent/node.h.
struct NodeModel {
  EpochGate gate;
  std::optional<Command> published;

  Status Finish(const Command& command, const Status& outcome) {
    gate.Announce(command);
    if (command.kind == CommandKind::kStop) {
      if (published && published->device == command.device && published->epoch <= command.epoch) published.reset();
      return outcome;
    }
    if (gate.IsPast(command)) return Cancelled("overtaken");
    if (outcome.ok()) published = command;
    return outcome;
  }
};

inline constexpr AgentPlanOptions kPlanOptions{.max_attempts = 3};

/// An agent introduces itself again, in the session that it has.
struct Hello {
  std::vector<Placement> running;
  uint64_t highest_epoch = 0;
};

struct Agent {
  NodeId id;
  MemoryStore disk;
  AgentPlan plan{kPlanOptions, {}, 0};
  NodeModel node;
  std::map<DeviceId, std::deque<Command>> workers;
  std::deque<Command> commands;  ///< on their way to it
  std::deque<Placement> reports; ///< on their way to the controller
  std::optional<Hello> hello;    ///< likewise; what it reports meanwhile does not count
  bool refuses = false;          ///< every command: its disk is full
};

struct Faults {
  bool network = false;  ///< loses, doubles, reorders
  bool starts = false;   ///< fail, or are tried again
  bool restarts = false; ///< of either end
  bool disk = false;     ///< an agent's, refuses, once or for a while
};

class Cluster {
public:
  Cluster(Chooser& chooser, const Faults& faults) : chooser_(chooser), faults_(faults) {
    for (const char* name : {"n1", "n2"}) {
      Agent& agent = agents_.emplace_back();
      agent.id = NodeId(name);
      Connect(agent);
    }
  }

  void Place(const std::string& device) {
    const auto before = Snapshot(view_, kCam).placement;
    const Placement now{.app = kCam,
                        .device = DeviceId(device),
                        .model = ModelId("pose:1"),
                        .file = Sha256(std::string(64, 'a')),
                        .epoch = ++last_epoch_};
    AdoptPlacement(view_, now);
    removals_.Erase(kCam);
    Send(moves_.Replace(before, now));
    Send({StartCommand(now)});
  }

  void Remove() {
    const auto placement = ForgetPlacement(view_, kCam);
    (void)removals_.Add({kCam, last_epoch_});
    Send(moves_.Removed(kCam));
    if (placement) Send({StopCommand(*placement)});
  }

  /// One thing happens; false when nothing is left to happen.
  bool Step() {
    std::vector<std::function<void()>> ways;
    for (Agent& agent : agents_) {
      if (!agent.commands.empty()) ways.emplace_back([&] { DeliverCommand(agent); });
      if (agent.hello) ways.emplace_back([&] { DeliverHello(agent); });
      if (!agent.reports.empty()) ways.emplace_back([&] { DeliverReport(agent); });
      for (auto& [device, jobs] : agent.workers) {
        if (!jobs.empty()) ways.emplace_back([&] { Work(agent, jobs); });
      }
    }
    if (ways.empty()) return false;
    ways[chooser_.Choose(ways.size())]();
    return true;
  }

  void MayFail() {
    if (faults_.disk && chooser_.Choose(12) == 0) {
      Agent& agent = agents_[chooser_.Choose(agents_.size())];
      agent.refuses = !agent.refuses;
    }
    if (faults_.disk && chooser_.Choose(12) == 0) PassTime();
    if (!faults_.restarts || chooser_.Choose(12) != 0) return;
    const size_t who = chooser_.Choose(3);
    if (who == 2)
      RestartController();
    else
      RestartAgent(agents_[who]);
  }

  /// From now on nothing fails. What a session lost is found when it is made anew; what an agent refused, by itself.
  void Settle() {
    for (Agent& agent : agents_) {
      agent.refuses = false;
      if (faults_.network) Connect(agent);
    }
    const bool starts = faults_.starts;
    faults_ = {};
    faults_.starts = starts;
    do {
      while (Step()) {
      }
    } while (Retry());
  }

  void ExpectTruth() const {
    const auto placement = view_.placements.find(kCam);
    const bool placed = placement != view_.placements.end();
    if (placed) {
      const auto phase = placement->second.phase;
      EXPECT_TRUE(phase == PlacementPhase::kReady || (faults_.starts && phase == PlacementPhase::kFailed))
          << ToString(phase) << " on " << placement->second.device.str();
    }
    int serving = 0;
    for (const Agent& agent : agents_) {
      const auto& published = agent.node.published;
      if (!published) continue;
      ++serving;
      ASSERT_TRUE(placed) << "a copy that nobody stops on " << published->device.str();
      EXPECT_EQ(published->device, placement->second.device);
      EXPECT_EQ(published->epoch, placement->second.epoch);
    }
    EXPECT_EQ(serving == 1, placed && placement->second.phase == PlacementPhase::kReady);
    EXPECT_LE(serving, 1);
    EXPECT_FALSE(moves_.HasServingCopy(kCam));
  }

private:
  Agent& Of(const DeviceId& device) { return agents_[ParseDeviceId(device.str())->node == NodeId("n1") ? 0 : 1]; }

  void Send(const std::vector<Command>& commands) {
    for (const Command& command : commands)
      Of(command.device).commands.push_back(command);
  }

  /// Takes one message; may lose it, or leave it there, too, or take one from the middle.
  template <class Message> std::optional<Message> Receive(std::deque<Message>& queue) {
    const size_t at = faults_.network ? chooser_.Choose(queue.size()) : 0;
    const Message message = queue[at];
    const size_t fate = faults_.network ? chooser_.Choose(6) : 5;
    if (fate != 0) queue.erase(queue.begin() + static_cast<ptrdiff_t>(at));
    if (fate == 1) return std::nullopt;
    return message;
  }

  void DeliverCommand(Agent& agent) {
    const auto command = Receive(agent.commands);
    if (!command) return;
    const auto records = agent.plan.Take(*command);
    if (!records.ok()) return OnRefused(agent, *command);
    if (agent.refuses || (faults_.disk && chooser_.Choose(8) == 0)) {
      agent.plan.Refused(*command);
      return OnRefused(agent, *command);
    }
    ASSERT_TRUE(agent.disk.Write(*records, Sync::kYes).ok());
    (void)refusals_.Taken(agent.id, *command);
    agent.node.gate.Announce(*command);
    const auto step = agent.plan.Commit(*command);
    if (step.report) Report(agent, *step.report);
    if (step.execute) agent.workers[step.execute->device].push_back(*step.execute);
  }

  void OnRefused(const Agent& agent, const Command& command) {
    NoteStart(view_, command, "refused");
    (void)refusals_.Refused(agent.id, command, now_);
  }

  void Report(Agent& agent, const Placement& report) {
    if (report.phase == PlacementPhase::kReady) ExpectPublished(agent, report);
    if (agent.hello) return;
    agent.reports.push_back(report);
  }

  static void ExpectPublished(const Agent& agent, const Placement& report) {
    ASSERT_TRUE(agent.node.published);
    EXPECT_EQ(agent.node.published->epoch, report.epoch);
    EXPECT_EQ(agent.node.published->device, report.device);
  }

  void Work(Agent& agent, std::deque<Command>& jobs) {
    const Command command = jobs.front();
    jobs.pop_front();
    const size_t chance = faults_.starts ? chooser_.Choose(6) : 5;
    const bool start = command.kind == CommandKind::kStart;
    const Status wish = chance == 0 && start ? Internal("broken") : chance == 1 ? Unavailable("cut") : Status{};
    const Status status = agent.node.Finish(command, wish);
    if (!start) {
      if (!status.ok()) agent.plan.StopFailed(command, now_);
      return;
    }
    for (const auto& report : status.ok() ? agent.plan.Started(command) : agent.plan.Failed(command, status, now_))
      Report(agent, report);
  }

  /// As the placement actor does.
  void DeliverReport(Agent& agent) {
    const auto report = Receive(agent.reports);
    if (!report) return;
    switch (TakeReport(view_, *report)) {
    case ReportEffect::kAnotherCopy:
      return OnOtherCopy(*report);
    case ReportEffect::kNothingNew:
      return;
    case ReportEffect::kChanged:
      break;
    }
    if (report->phase == PlacementPhase::kReady) Send(moves_.Arrived(kCam));
    if (report->phase == PlacementPhase::kFailed) OnFailed();
  }

  void OnFailed() {
    const Placement failed = view_.placements.at(kCam);
    const auto fallback = moves_.TakeFallback(kCam);
    if (!fallback) return;
    const Placement again = PlaceAgain(view_, *fallback, ++last_epoch_);
    Send({StopCommand(failed), StartCommand(again)});
  }

  void OnOtherCopy(const Placement& copy) {
    const auto placed = view_.placements.find(kCam);
    const Placement* current = placed == view_.placements.end() ? nullptr : &placed->second;
    if (!moves_.Note(copy)) {
      const auto fate = FateOf(copy, current, removals_);
      if (fate == CopyFate::kStop) Send({StopCommand(copy)});
      if (fate != CopyFate::kKeep) return;
      Send(moves_.Keep(copy));
    }
    const bool failed = current != nullptr && current->phase == PlacementPhase::kFailed;
    if (failed && moves_.HasServingCopy(kCam)) OnFailed();
  }

  /// A new session: what was on its way is lost, the agent registers.
  void Connect(Agent& agent) {
    agent.commands.clear();
    agent.reports.clear();
    agent.hello.reset();
    Register(agent, {agent.plan.Running(), agent.plan.highest_epoch()});
  }

  void DeliverHello(Agent& agent) {
    const Hello hello = *std::exchange(agent.hello, std::nullopt);
    Register(agent, hello);
  }

  /// Reconcile closes the difference.
  void Register(Agent& agent, const Hello& hello) {
    NodeInfo info{.id = agent.id};
    for (const char* name : {"a", "b"}) {
      DeviceSpec& spec = info.devices.emplace_back();
      spec.node = agent.id;
      spec.name = name;
    }
    NodeArrived(view_, info);
    const auto result = Reconcile(view_, removals_, {agent.id, hello.running, hello.highest_epoch}, last_epoch_);
    refusals_.Registered(agent.id, result.commands);
    for (const auto& placement : result.adopted)
      AdoptPlacement(view_, placement);
    last_epoch_ = result.last_epoch;
    Send(result.commands);
    for (const auto& copy : result.kept)
      Send(moves_.Keep(copy));
    for (const auto& placement : result.adopted) {
      if (placement.phase == PlacementPhase::kReady) Send(moves_.Arrived(kCam));
      if (placement.phase == PlacementPhase::kFailed && moves_.HasServingCopy(kCam)) OnFailed();
    }
    for (const auto& running : agent.plan.Running())
      agent.reports.push_back(running);
  }

  void RestartAgent(Agent& agent) {
    const auto plan = LoadAll(agent.disk, kPlan);
    const auto highest = Load(agent.disk, kHighestEpoch);
    ASSERT_TRUE(plan.ok() && highest.ok());
    agent.plan = AgentPlan(kPlanOptions, *plan, highest->value_or(0));
    agent.node = NodeModel();
    agent.workers.clear();
    NodeLost(view_, agent.id, "it was restarted");
    refusals_.Away(agent.id);
    for (const auto& start : agent.plan.Resume())
      agent.workers[start.device].push_back(start);
    Connect(agent);
  }

  /// Where things run is known again when their nodes register.
  void RestartController() {
    moves_ = {};
    refusals_ = CommandRefusals();
    for (const char* node : {"n1", "n2"})
      NodeLost(view_, NodeId(node), "the controller was restarted");
    for (Agent& agent : agents_)
      Connect(agent);
  }

  /// Agents that refused a command are asked to register again.
  bool PassTime() {
    now_ += std::chrono::hours(1);
    const auto due = refusals_.TakeDue(now_);
    for (const NodeId& node : due) {
      Agent& agent = agents_[node == NodeId("n1") ? 0 : 1];
      agent.reports.clear();
      agent.hello = {agent.plan.Running(), agent.plan.highest_epoch()};
    }
    return !due.empty();
  }

  bool Retry() {
    bool any = PassTime();
    for (Agent& agent : agents_) {
      for (const auto& command : agent.plan.Retries(now_)) {
        any = true;
        agent.workers[command.device].push_back(command);
      }
    }
    return any;
  }

  Chooser& chooser_;
  Faults faults_;
  ClusterView view_;
  PendingMoves moves_;
  CommandRefusals refusals_;
  Removals removals_;
  uint64_t last_epoch_ = 0;
  std::deque<Agent> agents_;
  MonotonicTime now_{};
};

} // namespace avocet::placement_protocol
