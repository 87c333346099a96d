#include "node_agent/ports/port_owner.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "messages/address.h"
#include "node_agent/ports/listening_socket.h"

namespace avocet {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class PortOwnerTest : public testing::Test {
protected:
  void SetUp() override { ASSERT_TRUE(taken_.ok()) << taken_.status().ToString(); }
  const std::string& address() const { return taken_->address; }
  std::string self() const { return "process " + std::to_string(getpid()) + " ("; }

private:
  Result<ListeningSockets> taken_ = ListenOn("127.0.0.1:0", std::chrono::seconds(1));
};

TEST_F(PortOwnerTest, FindsTheProcessThatListens) {
  EXPECT_THAT(PortOwner(ParseAddress(address())->port), StartsWith(self()));
}

TEST_F(PortOwnerTest, AListenerThatFailsNamesWhoIsThere) {
  const auto second = ListenOn(address(), std::chrono::seconds(1));
  EXPECT_EQ(second.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(second.status().message(), AllOf(HasSubstr(address()), HasSubstr("in use by " + self())));
}

TEST(PortOwner, IsUnknownForOtherErrors) {
  EXPECT_EQ(CannotListen("127.0.0.1:80", EACCES), "cannot listen on '127.0.0.1:80': Permission denied");
}

} // namespace
} // namespace avocet
