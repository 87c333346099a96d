// Who is let in, without any socket.
#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

#include <gtest/gtest.h>

#include "node_agent/ports/connection_admission.h"

namespace avocet {
namespace {

using std::chrono::seconds;

ClientKey V4(const char* text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  EXPECT_EQ(inet_pton(AF_INET, text, &address.sin_addr), 1);
  sockaddr plain{};
  std::memcpy(&plain, &address, sizeof plain);
  return ClientKeyOf(plain);
}

ClientKey V6(const char* text) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  EXPECT_EQ(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
  return ClientKeyOf(reinterpret_cast<const sockaddr&>(address));
}

TEST(ConnectionAdmission, LetsInAsManyAsTheLimitAndNotOneMore) {
  ConnectionAdmission admission({.max_connections = 3, .max_per_address = 3});
  for (const char* client : {"10.0.0.1", "10.0.0.2", "10.0.0.3"})
    EXPECT_EQ(admission.Admit(V4(client)), Admission::kAdmitted);
  EXPECT_EQ(admission.Admit(V4("10.0.0.4")), Admission::kFull);
  EXPECT_EQ(admission.connections(), 3u);
  EXPECT_EQ(admission.clients(), 3u) << "who is refused is not remembered";
  EXPECT_EQ(admission.Explain(Admission::kFull), "more than 3 connections");
}

TEST(ConnectionAdmission, OneAddressLeavesPlacesForOthers) {
  ConnectionAdmission admission({.max_connections = 4, .max_per_address = 2});
  EXPECT_EQ(admission.Admit(V4("10.0.0.1")), Admission::kAdmitted);
  EXPECT_EQ(admission.Admit(V4("10.0.0.1")), Admission::kAdmitted);
  EXPECT_EQ(admission.Admit(V4("10.0.0.1")), Admission::kAddressFull);
  EXPECT_EQ(admission.Admit(V4("10.0.0.2")), Admission::kAdmitted);
  EXPECT_EQ(admission.Explain(Admission::kAddressFull), "more than 2 connections of one address");
}

TEST(ConnectionAdmission, AnEndedConnectionFreesItsPlace) {
  ConnectionAdmission admission({.max_connections = 2, .max_per_address = 1});
  EXPECT_EQ(admission.Admit(V4("10.0.0.1")), Admission::kAdmitted);
  EXPECT_EQ(admission.Admit(V4("10.0.0.1")), Admission::kAddressFull);
  admission.Release(V4("10.0.0.1"));
  EXPECT_EQ(admission.connections(), 0u);
  EXPECT_EQ(admission.clients(), 0u);
  EXPECT_EQ(admission.Admit(V4("10.0.0.1")), Admission::kAdmitted);
}

TEST(ConnectionAdmission, AnIpv4AddressIsOneClientWhicheverFamilyTheSocketHas) {
  EXPECT_EQ(V4("192.0.2.7"), V6("::ffff:192.0.2.7"));
  EXPECT_NE(V4("192.0.2.7"), V4("192.0.2.8"));
}

TEST(ConnectionAdmission, AnIpv6HostIsOneClientWhateverItsLastBits) {
  EXPECT_EQ(V6("2001:db8:1:2::1"), V6("2001:db8:1:2:ffff::9"));
  EXPECT_NE(V6("2001:db8:1:2::1"), V6("2001:db8:1:3::1"));
  EXPECT_NE(V6("fe80::1"), V6("fe80::2")) << "neighbours share their first bits";
  EXPECT_NE(V6("::1"), V4("0.0.0.1"));
}

TEST(ConnectionLimits, StayWhereDescriptorsSufficeAndShrinkInProportionOtherwise) {
  const ConnectionLimits wanted{.max_connections = 1024, .max_per_address = 256};
  EXPECT_EQ(WithinDescriptors(wanted, 1024).max_connections, 1024u);
  EXPECT_EQ(WithinDescriptors(wanted, 1024).max_per_address, 256u);
  EXPECT_EQ(WithinDescriptors(wanted, 64).max_connections, 64u);
  EXPECT_EQ(WithinDescriptors(wanted, 64).max_per_address, 16u);
  EXPECT_EQ(WithinDescriptors(wanted, 1).max_connections, 1u);
  EXPECT_EQ(WithinDescriptors(wanted, 1).max_per_address, 1u);
  const ConnectionLimits one_address{.max_connections = 100, .max_per_address = 1000};
  EXPECT_EQ(WithinDescriptors(one_address, 50).max_per_address, 50u);
}

TEST(AcceptWatch, SaysWhenAPortFailsForTooLongAndWhenItAcceptsAgain) {
  using Verdict = AcceptWatch::Verdict;
  AcceptWatch watch(seconds(5));
  const MonotonicTime begin{};
  EXPECT_EQ(watch.Succeeded(), Verdict::kNothing);
  EXPECT_EQ(watch.Failed(begin), Verdict::kFailing);
  EXPECT_EQ(watch.Failed(begin + seconds(4)), Verdict::kNothing);
  EXPECT_EQ(watch.Failed(begin + seconds(5)), Verdict::kNotAccepting);
  EXPECT_EQ(watch.failing_for(), seconds(5));
  EXPECT_EQ(watch.Failed(begin + seconds(9)), Verdict::kNothing);
  EXPECT_EQ(watch.Failed(begin + seconds(10)), Verdict::kNotAccepting) << "not forgotten";
  EXPECT_EQ(watch.Succeeded(), Verdict::kAcceptsAgain);
  EXPECT_EQ(watch.Succeeded(), Verdict::kNothing);
}

TEST(AcceptWatch, AShortFailureIsNotReported) {
  using Verdict = AcceptWatch::Verdict;
  AcceptWatch watch(seconds(5));
  const MonotonicTime begin{};
  EXPECT_EQ(watch.Failed(begin), Verdict::kFailing);
  EXPECT_EQ(watch.Succeeded(), Verdict::kNothing);
  EXPECT_EQ(watch.Failed(begin + seconds(5)), Verdict::kFailing) << "another spell";
}

} // namespace
} // namespace avocet
