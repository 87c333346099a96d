// The queues of the simulations, played by hand.
#include "controller/queueing/stations.h"

#include <cmath>
#include <map>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/controller/queueing/any_load.h"

namespace avocet {
namespace {

struct End {
  size_t app = 0;
  double arrival_s = 0;
  double end_s = 0;
  friend bool operator==(const End&, const End&) = default;
};

std::ostream& operator<<(std::ostream& out, const End& end) {
  return out << "app " << end.app << " of " << end.arrival_s << " ended " << end.end_s;
}

/// Enters requests and lists their ends, in the order that the station reports.
template <class Station> class Play {
public:
  explicit Play(Station station) : station_(std::move(station)) {}

  Play& Enter(size_t app, double at_s, double work_s) {
    station_.Enter({app, at_s, work_s}, at_s, recorder_);
    return *this;
  }
  Play& EnterJob(size_t app, double at_s, double work_s) {
    station_.Enter({{app, at_s, 0}, work_s}, at_s, recorder_);
    return *this;
  }
  Play& Advance(double until_s) {
    station_.Advance(until_s, recorder_);
    return *this;
  }
  const std::vector<End>& ends() const { return *ends_; }

private:
  struct Recorder {
    std::shared_ptr<std::vector<End>> to;
    void operator()(const SimulatedRequest& request, double end_s) const {
      to->push_back({request.app, request.arrival_s, end_s});
    }
  };

  Station station_;
  std::shared_ptr<std::vector<End>> ends_ = std::make_shared<std::vector<End>>();
  Recorder recorder_{ends_};
};

Play<FifoStation> Fifo(const std::vector<LoadRow>& rows, double tail_s = 0) {
  auto load = MakeLoad(Discipline::kFifo, rows);
  load.apps[0].tail_s = tail_s;
  return Play(FifoStation(load.apps));
}

TEST(FifoStation, ServesOneAfterTheOther) {
  auto play = Fifo({{1, 1, 0, 0, "m"}});
  play.Enter(0, 0, 2).Enter(0, 1, 2).Enter(0, 10, 2);
  EXPECT_EQ(play.ends(), (std::vector<End>{{0, 0, 2}, {0, 1, 4}, {0, 10, 12}}));
}

TEST(FifoStation, FirstRequestNeedsNoSwitch) {
  auto play = Fifo({{1, 1, 0, 5}});
  play.Enter(0, 0, 2);
  EXPECT_EQ(play.ends().at(0).end_s, 2);
}

TEST(FifoStation, PaysTheSwitchOfTheModelThatComes) {
  auto play = Fifo({{1, 1, 0, 5}, {1, 1, 0, 7}});
  play.Enter(0, 0, 1).Enter(1, 0, 1).Enter(1, 0, 1).Enter(0, 0, 1);
  EXPECT_EQ(play.ends(), (std::vector<End>{{0, 0, 1}, {1, 0, 1 + 7 + 1}, {1, 0, 10}, {0, 0, 10 + 5 + 1}}));
}

TEST(FifoStation, IdleTimeSavesNoSwitch) {
  auto play = Fifo({{1, 1, 0, 5}, {1, 1, 0, 7}});
  play.Enter(0, 0, 1).Enter(1, 100, 1);
  EXPECT_EQ(play.ends().back().end_s, 108);
}

TEST(FifoStation, ApplicationsOfAModelDoNotSwitch) {
  auto play = Fifo({{1, 1, 0, 5, "m"}, {1, 1, 0, 5, "m"}});
  play.Enter(0, 0, 1).Enter(1, 0, 1);
  EXPECT_EQ(play.ends().back().end_s, 2);
}

TEST(FifoStation, TailHoldsUpTheClientAlone) {
  auto play = Fifo({{1, 1, 0, 0, "m"}, {1, 1, 0, 0, "m"}}, 3);
  play.Enter(0, 0, 1).Enter(1, 0, 1);
  EXPECT_EQ(play.ends(), (std::vector<End>{{0, 0, 1 + 3}, {1, 0, 2}}));
}

TEST(ServerStation, TakesTheServerThatIsFreeFirst) {
  auto play = Play(ServerStation(2));
  play.Enter(0, 0, 5).Enter(0, 0, 2).Enter(0, 1, 1).Enter(0, 1, 1);
  EXPECT_EQ(play.ends(), (std::vector<End>{{0, 0, 5}, {0, 0, 2}, {0, 1, 3}, {0, 1, 4}}));
}

TEST(ServerStation, NobodyWaitsWhileAServerIsFree) {
  auto play = Play(ServerStation(3));
  play.Enter(0, 0, 10).Enter(0, 0, 10).Enter(0, 0, 10).Enter(0, 0, 10);
  EXPECT_EQ(play.ends().at(2).end_s, 10);
  EXPECT_EQ(play.ends().at(3).end_s, 20);
}

/// Unlimited sharing of `cores`, all in one line.
Play<SharedStation> Sharing(int cores) {
  return Play(SharedStation({0, 0}, SIZE_MAX, cores));
}

TEST(SharedStation, SharesACoreEqually) {
  // Both attain 1 in the first two seconds; the first is done, the second has 2 left.
  auto play = Sharing(1);
  play.EnterJob(0, 0, 1).EnterJob(1, 0, 3).Advance(100);
  EXPECT_EQ(play.ends(), (std::vector<End>{{0, 0, 2}, {1, 0, 4}}));
}

TEST(SharedStation, ALateShortRequestOvertakes) {
  // At 2 the first has 4 left. With half of the core each, the second needs until 4; then 3 are left.
  auto play = Sharing(1);
  play.EnterJob(0, 0, 6).EnterJob(1, 2, 1).Advance(100);
  EXPECT_EQ(play.ends(), (std::vector<End>{{1, 2, 4}, {0, 0, 7}}));
}

TEST(SharedStation, ARequestGetsOneCoreAtMost) {
  auto play = Sharing(4);
  play.EnterJob(0, 0, 3).EnterJob(1, 1, 3).Advance(100);
  EXPECT_EQ(play.ends(), (std::vector<End>{{0, 0, 3}, {1, 1, 4}}));
}

TEST(SharedStation, SeveralCoresAreSharedOnceTheyAreAllBusy) {
  // Three on two cores: each at 2/3.
  auto play = Sharing(2);
  play.EnterJob(0, 0, 2).EnterJob(0, 0, 2).EnterJob(0, 0, 4).Advance(100);
  ASSERT_EQ(play.ends().size(), 3);
  EXPECT_NEAR(play.ends()[1].end_s, 3, 1e-12);
  EXPECT_NEAR(play.ends()[2].end_s, 5, 1e-12) << "alone at full speed once the others are gone";
}

TEST(SharedStation, LinesLimitWhoIsInService) {
  // One worker for each line: the second of line 0 waits for the first, and line 1 shares with one of them at a time.
  auto play = Play(SharedStation({0, 1}, 1, 1));
  play.EnterJob(0, 0, 1).EnterJob(0, 0, 1).EnterJob(1, 0, 3).Advance(100);
  EXPECT_EQ(play.ends(), (std::vector<End>{{0, 0, 2}, {0, 0, 4}, {1, 0, 5}}));
}

TEST(SharedStation, TwoWorkersTakeTwoOfALine) {
  auto play = Play(SharedStation({0}, 2, 1));
  play.EnterJob(0, 0, 2).EnterJob(0, 0, 2).EnterJob(0, 0, 1).Advance(100);
  EXPECT_EQ(play.ends(), (std::vector<End>{{0, 0, 4}, {0, 0, 4}, {0, 0, 5}}));
}

TEST(SharedStation, ReportsNothingThatIsNotOver) {
  auto play = Sharing(1);
  play.EnterJob(0, 0, 1).Advance(0.999);
  EXPECT_TRUE(play.ends().empty());
  play.Advance(1);
  EXPECT_EQ(play.ends().size(), 1);
}

TEST(SharedStation, TimePassesWhileItIsEmpty) {
  auto play = Sharing(1);
  play.EnterJob(0, 0, 1).Advance(50).EnterJob(0, 60, 1).Advance(100);
  EXPECT_EQ(play.ends(), (std::vector<End>{{0, 0, 1}, {0, 60, 61}}));
}

RC_GTEST_PROP(SharedStationProperties, HowOftenItIsAdvancedDoesNotMatter, ()) {
  auto once = Sharing(2), often = Sharing(2);
  double now = 0;
  for (int i = 0; i < 30; ++i) {
    now += Between(0.01, 3);
    const double work = Between(0.01, 3);
    often.Advance(now - 0.005);
    once.EnterJob(0, now, work);
    often.EnterJob(0, now, work);
  }
  once.Advance(1e4);
  often.Advance(1e4);
  RC_ASSERT(once.ends().size() == 30u);
  for (size_t i = 0; i < 30; ++i)
    RC_ASSERT(std::abs(once.ends()[i].end_s - often.ends()[i].end_s) < 1e-9);
}

RC_GTEST_PROP(SharedStationProperties, OneCoreIsBusyAsLongAsThereIsWork, ()) {
  // Everything comes at once: the last ends after the sum, in whatever order.
  auto play = Sharing(1);
  double total = 0;
  for (int i = 0; i < 20; ++i) {
    const double work = Between(0.01, 3);
    total += work;
    play.EnterJob(static_cast<size_t>(i % 2), 0, work);
  }
  play.Advance(1e4);
  RC_ASSERT(IsClose(play.ends().back().end_s, total, 1e-9));
}

/// When each of three requests of 1 s that come at once ends: two of the first model, one of another.
std::vector<double> EndsOn(Discipline discipline, int cores, const StationOptions& options) {
  auto play = Play(DeviceStation(MakeLoad(discipline, {{1, 1, 0, 0.5}, {1, 1, 0, 0.5}}, cores), options));
  play.Enter(0, 0, 1).Enter(0, 0, 1).Enter(1, 0, 1);
  play.Enter(0, 100, 0); // lets the others end
  std::vector<double> ends;
  for (const auto& end : play.ends()) {
    if (end.arrival_s == 0) ends.push_back(end.end_s);
  }
  return ends;
}

TEST(DeviceStation, ServesByTheDiscipline) {
  EXPECT_EQ(EndsOn(Discipline::kFifo, 1, {}), (std::vector<double>{1, 2, 3.5}));
  EXPECT_EQ(EndsOn(Discipline::kTimeShared, 1, {}), (std::vector<double>{2, 2, 3}));
  EXPECT_EQ(EndsOn(Discipline::kProcessorSharing, 1, {}), (std::vector<double>{3, 3, 3}));
  EXPECT_EQ(EndsOn(Discipline::kMultiServer, 2, {}), (std::vector<double>{1, 1, 2}));
}

TEST(DeviceStation, WorkersAndSharedCoresAreOptions) {
  EXPECT_EQ(EndsOn(Discipline::kTimeShared, 1, {.workers = 2}), (std::vector<double>{3, 3, 3}));
  EXPECT_EQ(EndsOn(Discipline::kMultiServer, 2, {.shared_cores = true}), (std::vector<double>{1.5, 1.5, 1.5}));
}

TEST(DeviceStation, CoresMatterUnderMultiServerOnly) {
  for (const auto discipline : {Discipline::kFifo, Discipline::kTimeShared, Discipline::kProcessorSharing})
    EXPECT_EQ(EndsOn(discipline, 8, {}), EndsOn(discipline, 1, {})) << ToString(discipline);
}

} // namespace
} // namespace avocet
