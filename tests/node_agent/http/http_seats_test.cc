// Who gives way to a new connection, without any socket.
#include <gtest/gtest.h>

#include "node_agent/http/http_loop.h"
#include "node_agent/http/http_seats.h"

namespace avocet {
namespace {

constexpr ClientKey kMine{1}, kOther{2}, kThird{3};

class HttpSeatsTest : public ::testing::Test {
protected:
  HttpSeats::Offer Ask(const ClientKey& client) { return seats_.Ask(client, loop_, now_ += std::chrono::seconds(1)); }

  HttpShared shared_;
  HttpLoop loop_{shared_};
  MonotonicTime now_{};
  HttpSeats seats_{{.max_connections = 3, .max_per_address = 2}};
};

TEST_F(HttpSeatsTest, TheLongestIdleOfAllGivesWayWhenThePortIsFull) {
  const auto first = Ask(kOther).seat, second = Ask(kMine).seat, third = Ask(kMine).seat;
  first->idle_since = now_.time_since_epoch().count(); // it was used since
  const auto offer = Ask(kThird);
  EXPECT_EQ(offer.evicted, second);
  EXPECT_NE(offer.seat, nullptr);
  EXPECT_NE(third, nullptr);
}

TEST_F(HttpSeatsTest, OneOfItsOwnGivesWayToAnAddressThatHasTooMany) {
  const auto others = Ask(kOther).seat, mine = Ask(kMine).seat;
  (void)Ask(kMine);
  const auto offer = Ask(kMine);
  EXPECT_EQ(offer.evicted, mine) << "the other's is idle for longer";
  EXPECT_NE(offer.seat, nullptr);
}

TEST_F(HttpSeatsTest, BusyOnesNeverGiveWay) {
  for (const auto& client : {kMine, kMine, kOther})
    Ask(client).seat->idle_since = HttpSeat::kBusy;
  const auto full = Ask(kThird);
  EXPECT_EQ(full.seat, nullptr);
  EXPECT_EQ(full.evicted, nullptr);
  EXPECT_EQ(full.admission, Admission::kFull);
  EXPECT_EQ(Ask(kMine).admission, Admission::kAddressFull);
}

TEST_F(HttpSeatsTest, AnEvictedSeatIsNotCountedTwice) {
  const auto first = Ask(kMine).seat;
  const auto second = Ask(kMine).seat;
  ASSERT_EQ(Ask(kMine).evicted, first);
  seats_.Leave(first); // its connection ends later
  EXPECT_EQ(Ask(kMine).evicted, second) << "two of this address are still there";
  seats_.Leave(nullptr);
}

} // namespace
} // namespace avocet
