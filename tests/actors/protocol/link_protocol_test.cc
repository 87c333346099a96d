// The protocol between controller and agent - WindowBuffer and WindowOrder, RequestOutbox and RequestInbox,
// LeaseTable - over a simulated network that loses, doubles and reorders, with restarts of either end.

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "actors/protocol/lease_table.h"
#include "actors/protocol/request_inbox.h"
#include "actors/protocol/request_outbox.h"
#include "actors/protocol/window_buffer.h"
#include "actors/protocol/window_order.h"

namespace avocet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kTick = milliseconds(100);
const NodeId kNode{"n"};

/// What happens to messages, as probabilities.
struct Weather {
  double loss = 0;
  double doubling = 0;
  Duration longest_delay{}; ///< each is delayed by its own draw, so they overtake each other
};

/// Both directions of a network.
class Network {
public:
  Network(const Weather& weather, uint64_t seed) : weather(weather), random_(seed) {}

  void Send(MonotonicTime now, const std::function<void()>& deliver) {
    for (int copies = Chance(weather.doubling) ? 2 : 1; copies > 0; --copies) {
      if (Chance(weather.loss)) continue;
      const double delay = std::uniform_real_distribution<double>(0, ToSeconds(weather.longest_delay))(random_);
      under_way_.emplace(now + FromSeconds(delay), deliver);
    }
  }

  void DeliverUntil(MonotonicTime now) {
    while (!under_way_.empty() && under_way_.begin()->first <= now) {
      const auto deliver = std::move(under_way_.extract(under_way_.begin()).mapped());
      deliver();
    }
  }

  bool Chance(double probability) { return std::bernoulli_distribution(probability)(random_); }

  Weather weather;

private:
  std::mt19937_64 random_;
  std::multimap<MonotonicTime, std::function<void()>> under_way_;
};

struct Order {
  std::string app;
  uint64_t epoch = 0;
};

constexpr WindowBufferOptions kBuffer{.max_windows = 64, .max_in_flight = 16, .resend_after = seconds(2)};
constexpr size_t kMaxPending = 8;

struct Agent {
  BootId boot{"b1"};
  int boots = 1;
  bool registered = false;
  uint64_t session = 0;
  WindowBuffer buffer{kBuffer};
  RequestInbox<int> inbox{4 * kMaxPending};
  std::map<DeviceId, uint64_t> sequences; ///< of this boot
  std::map<std::string, uint64_t> epochs; ///< on its disk
  std::vector<std::pair<std::string, uint64_t>> executed;
};

/// What the controller has on its disk of one device.
struct Counted {
  WindowOrder order;
  std::vector<std::pair<BootId, uint64_t>> windows;
};

struct Controller {
  LeaseTable leases{seconds(3)};
  uint64_t session = 0;
  RequestOutbox<Order> outbox{{.max_pending = kMaxPending, .resend_after = milliseconds(500)}};
  std::map<DeviceId, Counted> counted;
  std::map<DeviceId, Counted> persisted;
  std::map<std::string, uint64_t> wanted; ///< on its disk before it is commanded
};

class Simulation {
public:
  Simulation(const Weather& weather, uint64_t seed) : network_(weather, seed) {}

  void Run(Duration time, bool busy) {
    for (const auto end = now_ + time; now_ < end; now_ += kTick) {
      network_.DeliverUntil(now_);
      if (Every(milliseconds(200)) && busy) CloseWindows();
      if (Every(milliseconds(300)) && busy) Decide();
      if (Every(seconds(1))) Beat();
      if (Every(milliseconds(500))) Persist(), CheckLeases();
      if (!agent.registered && Every(milliseconds(500)) && !network_.Chance(network_.weather.loss)) Register();
      SendWindows();
      SendOrders();
      CheckBounds();
    }
  }

  void SetWeather(const Weather& weather) { network_.weather = weather; }
  void CrashController() {
    const auto persisted = controller.persisted;
    const auto wanted = controller.wanted;
    const auto session = controller.session; // numbers restart in truth; streams of the old life are cut
    controller = {};
    controller.persisted = controller.counted = persisted;
    controller.wanted = wanted;
    controller.session = session;
    agent.registered = false;
  }
  void RestartAgent() {
    lost_with_agent += agent.buffer.size();
    dropped += agent.buffer.dropped();
    Agent next;
    next.boots = agent.boots + 1;
    next.boot = BootId("b" + std::to_string(next.boots));
    next.epochs = agent.epochs;
    next.executed = agent.executed;
    agent = std::move(next);
  }

  Agent agent;
  Controller controller;
  uint64_t produced = 0;
  uint64_t dropped = 0;
  uint64_t lost_with_agent = 0;

private:
  bool Every(Duration period) const { return now_.time_since_epoch() % period == Duration{}; }

  void CloseWindows() {
    for (const DeviceId& device : {DeviceId("n/a"), DeviceId("n/b")}) {
      agent.buffer.Push(
          {.device = device, .boot = agent.boot, .sequence = ++agent.sequences[device], .length = milliseconds(200)});
      ++produced;
    }
  }

  void SendWindows() {
    if (!agent.registered) return;
    for (auto& sent : agent.buffer.TakeToSend(now_))
      network_.Send(now_, [this, sent, session = SessionId{agent.boot, agent.session}] { OnWindow(sent, session); });
  }

  void OnWindow(const SentWindow& sent, const SessionId& session) {
    if (!controller.leases.IsCurrent(kNode, session) || sent.window.boot != session.boot) return;
    auto& device = controller.counted[sent.window.device];
    const auto arrival = device.order.Take({sent.window.boot, sent.window.sequence, sent.oldest});
    if (arrival == WindowOrder::Arrival::kNext) device.windows.emplace_back(sent.window.boot, sent.window.sequence);
    if (arrival == WindowOrder::Arrival::kSeen) Acknowledge(sent.window.device);
  }

  /// Only what is on disk.
  void Acknowledge(const DeviceId& device) {
    const auto& order = controller.persisted[device].order;
    network_.Send(now_, [this, device, boot = order.boot(), covered = order.covered()] {
      agent.buffer.Acknowledge(device, boot, covered);
    });
  }

  void Persist() {
    controller.persisted = controller.counted;
    for (const auto& [device, counted] : controller.persisted)
      Acknowledge(device);
  }

  void Beat() {
    if (!agent.registered) return;
    network_.Send(now_, [this, session = SessionId{agent.boot, agent.session}] {
      if (!controller.leases.Renew(kNode, session, now_) && session.number == agent.session) agent.registered = false;
    });
  }

  void CheckLeases() { (void)controller.leases.TakeExpired(now_); }

  /// A new session: the controller compares what the agent runs with what it wants.
  void Register() {
    agent.session = ++controller.session;
    agent.registered = true;
    agent.inbox = RequestInbox<int>(4 * kMaxPending);
    agent.buffer.SendAgain();
    ASSERT_EQ(controller.leases.Open(kNode, {agent.boot, agent.session}, 1, now_), Claim::kOpen);
    controller.outbox = RequestOutbox<Order>({.max_pending = kMaxPending, .resend_after = milliseconds(500)});
    for (const auto& [app, epoch] : controller.wanted) {
      if (agent.epochs[app] < epoch) Command(app);
    }
  }

  void Command(const std::string& app) {
    const bool added = controller.outbox.Add({app, controller.wanted[app]}, now_ + seconds(5)).ok();
    if (!added) agent.registered = false; // the session is ended; the next one finds the difference
  }

  void Decide() {
    const std::string app = "app" + std::to_string(++decisions_ % 5);
    controller.wanted[app] = ++last_epoch_;
    Command(app);
  }

  void SendOrders() {
    if (!controller.outbox.TakeExpired(now_).empty()) {
      agent.registered = false; // the session is ended
      return;
    }
    for (const auto& due : controller.outbox.TakeToSend(now_)) {
      network_.Send(now_, [this, id = due.id, oldest = due.oldest_id, order = *due.request,
                           session = controller.session] { OnOrder(id, oldest, order, session); });
    }
  }

  void OnOrder(uint64_t id, uint64_t oldest, const Order& order, uint64_t session) {
    if (session != agent.session) return;
    using Next = RequestInbox<int>::Next;
    const Next next = agent.inbox.Arrived(id, oldest);
    if (next == Next::kIgnore) return;
    if (next == Next::kExecute) {
      if (order.epoch > agent.epochs[order.app]) { // a later decision came first
        agent.epochs[order.app] = order.epoch;
        agent.executed.emplace_back(order.app, order.epoch);
      }
      agent.inbox.Done(id, 0);
    }
    network_.Send(now_, [this, id, session] {
      if (session == controller.session) (void)controller.outbox.Answered(id);
    });
  }

  void CheckBounds() const {
    ASSERT_LE(agent.buffer.size(), kBuffer.max_windows);
    ASSERT_LE(controller.outbox.size(), kMaxPending);
    ASSERT_LE(agent.inbox.size(), 4 * kMaxPending);
  }

  Network network_;
  MonotonicTime now_{seconds(1)};
  uint64_t last_epoch_ = 0;
  int decisions_ = 0;
};

/// Every window counted once and in order, or lost where losing is allowed, and counted as such.
void ExpectEveryWindowAccounted(const Simulation& simulation) {
  uint64_t counted = 0;
  for (const auto& [device, state] : simulation.controller.persisted) {
    std::set<std::pair<BootId, uint64_t>> unique(state.windows.begin(), state.windows.end());
    EXPECT_EQ(unique.size(), state.windows.size()) << "a window was counted twice";
    for (size_t i = 1; i < state.windows.size(); ++i) {
      const auto &before = state.windows[i - 1], &after = state.windows[i];
      EXPECT_TRUE(before.first != after.first || before.second < after.second) << "out of order";
    }
    counted += unique.size();
  }
  EXPECT_GT(counted, 0U);
  EXPECT_LE(counted, simulation.produced);
  EXPECT_GE(counted + simulation.dropped + simulation.agent.buffer.dropped() + simulation.lost_with_agent,
            simulation.produced)
      << "a window vanished";
  EXPECT_EQ(simulation.agent.buffer.size(), 0U) << "not everything was acknowledged";
}

void ExpectLastEpochWon(const Simulation& simulation) {
  auto executed = simulation.agent.executed;
  std::sort(executed.begin(), executed.end());
  EXPECT_EQ(std::adjacent_find(executed.begin(), executed.end()), executed.end()) << "executed twice";
  for (const auto& [app, epoch] : simulation.controller.wanted)
    EXPECT_EQ(simulation.agent.epochs.at(app), epoch) << app;
  EXPECT_EQ(simulation.controller.outbox.size(), 0U);
}

constexpr Weather kStorm{.loss = 0.66, .doubling = 0.3, .longest_delay = seconds(2)};
constexpr uint64_t kSeeds = 40;
/// By then everything has to be settled again.
constexpr Duration kRecovery = seconds(60);

TEST(LinkProtocol, LosesNothingInAStorm) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation simulation(kStorm, seed);
    simulation.Run(seconds(60), true);
    simulation.SetWeather({});
    simulation.Run(kRecovery, false);
    ExpectEveryWindowAccounted(simulation);
    ExpectLastEpochWon(simulation);
    EXPECT_TRUE(simulation.agent.registered);
  }
}

TEST(LinkProtocol, SurvivesRestartsOfEitherEndInAStorm) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation simulation(kStorm, seed);
    for (int life = 0; life < 4; ++life) {
      simulation.Run(seconds(15), true);
      simulation.CrashController();
      simulation.Run(seconds(5), true);
      simulation.RestartAgent();
    }
    simulation.Run(seconds(15), true);
    simulation.SetWeather({});
    simulation.Run(kRecovery, false);
    ExpectEveryWindowAccounted(simulation);
    ExpectLastEpochWon(simulation);
  }
}

TEST(LinkProtocol, HealsAfterAPartition) {
  Simulation simulation({.longest_delay = milliseconds(50)}, 1);
  simulation.Run(seconds(5), true);
  simulation.SetWeather({.loss = 1});
  simulation.Run(seconds(30), true);
  EXPECT_EQ(simulation.controller.leases.size(), 0U) << "the lease ran out";
  EXPECT_EQ(simulation.agent.buffer.size(), kBuffer.max_windows);
  simulation.SetWeather({});
  simulation.Run(kRecovery, false);
  ExpectEveryWindowAccounted(simulation);
  ExpectLastEpochWon(simulation);
}

TEST(LinkProtocol, DropsNothingInFairWeather) {
  Simulation simulation({}, 1);
  simulation.Run(seconds(60), true);
  simulation.Run(kRecovery, false);
  EXPECT_EQ(simulation.agent.buffer.dropped(), 0U);
  for (const auto& [device, state] : simulation.controller.persisted)
    EXPECT_EQ(2 * state.windows.size(), simulation.produced);
  ExpectLastEpochWon(simulation);
}

} // namespace
} // namespace avocet
