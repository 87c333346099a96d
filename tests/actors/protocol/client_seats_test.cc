#include "actors/protocol/client_seats.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

constexpr ClientSeatOptions kOptions{.total = 8, .per_client = 2, .per_admin = 4, .kept_for_admins = 3};
const PeerIdentity kAdmin{Role::kAdmin, "ann"};
const PeerIdentity kLocal{Role::kLocal, "loopback"};

PeerIdentity Client(int number) {
  return {Role::kClient, "client" + std::to_string(number)};
}

TEST(ClientSeats, OneClientDoesNotTakeAll) {
  ClientSeats seats(kOptions);
  EXPECT_TRUE(seats.Take(Client(1)).ok());
  EXPECT_TRUE(seats.Take(Client(1)).ok());
  const Status refused = seats.Take(Client(1));
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
  EXPECT_NE(refused.message().find("avocet://client/client1 has 2"), std::string::npos) << refused.message();
  EXPECT_TRUE(seats.Take(Client(2)).ok());
}

TEST(ClientSeats, AllClientsTogetherLeaveSomeToAdmins) {
  ClientSeats seats(kOptions);
  int taken = 0;
  for (int i = 0; i < 100; ++i)
    taken += seats.Take(Client(i)).ok() ? 1 : 0;
  EXPECT_EQ(taken, 5);
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(seats.Take(kAdmin).ok()) << i;
  EXPECT_EQ(seats.Take(kAdmin).code(), StatusCode::kResourceExhausted) << "the total";
}

TEST(ClientSeats, OneAdminDoesNotTakeAllEither) {
  ClientSeats seats(kOptions);
  for (int i = 0; i < 4; ++i)
    ASSERT_TRUE(seats.Take(kAdmin).ok());
  EXPECT_FALSE(seats.Take(kAdmin).ok());
  EXPECT_TRUE(seats.Take({Role::kAdmin, "bob"}).ok());
}

TEST(ClientSeats, WithoutCertificatesOnlyTheTotalCounts) {
  ClientSeats seats(kOptions);
  for (int i = 0; i < 8; ++i)
    EXPECT_TRUE(seats.Take(kLocal).ok()) << i;
  EXPECT_FALSE(seats.Take(kLocal).ok());
}

TEST(ClientSeats, ASeatThatIsLeftIsTakenAgain) {
  ClientSeats seats(kOptions);
  for (int round = 0; round < 100; ++round) {
    ASSERT_TRUE(seats.Take(Client(1)).ok());
    ASSERT_TRUE(seats.Take(Client(1)).ok());
    seats.Leave(Client(1));
    seats.Leave(Client(1));
  }
  EXPECT_EQ(seats.taken(), 0U);
}

} // namespace
} // namespace avocet
