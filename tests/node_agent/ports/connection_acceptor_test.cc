// A port with real sockets: what it hands over, whom it refuses, and that nothing stops it from accepting.
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <map>
#include <mutex>

#include <gtest/gtest.h>

#include "node_agent/ports/connection_acceptor.h"
#include "tests/support/process.h"
#include "tests/support/raw_connection.h"

namespace avocet {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kPatience(60);

/// A port whose server keeps the sockets.
class ConnectionAcceptorTest : public ::testing::Test {
protected:
  ~ConnectionAcceptorTest() override {
    if (acceptor_) acceptor_->Stop();
    for (const int socket : held_)
      close(socket);
  }

  void Start(const AcceptorOptions& options) {
    auto acceptor = ConnectionAcceptor::Listen("127.0.0.1:0", options);
    ASSERT_TRUE(acceptor.ok()) << acceptor.status().ToString();
    acceptor_ = std::move(*acceptor);
    acceptor_->Start([this](int, int socket) {
      const std::lock_guard lock(mutex_);
      held_.push_back(socket);
      taken_.notify_all();
    });
  }

  RawConnection Connect(const std::string& from = "127.0.0.1") const {
    return RawConnection(acceptor_->address(), from);
  }

  bool AwaitTaken(size_t count) {
    std::unique_lock lock(mutex_);
    return taken_.wait_for(lock, kPatience, [&] { return held_.size() >= count; });
  }
  /// The server ends the connection that it has for longest.
  void EndFirst() {
    const std::lock_guard lock(mutex_);
    close(held_.front());
    held_.erase(held_.begin());
  }

  std::mutex mutex_;
  std::condition_variable taken_;
  std::vector<int> held_;
  std::unique_ptr<ConnectionAcceptor> acceptor_;
};

/// No descriptor is left to this process while this lives.
class NoDescriptors {
public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int lowest_free = dup(0);
    close(lowest_free);
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(lowest_free);
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

private:
  rlimit before_{};
};

TEST_F(ConnectionAcceptorTest, HandsOverWhatItAccepts) {
  Start({.name = "test"});
  const RawConnection client = Connect();
  ASSERT_TRUE(AwaitTaken(1));
  EXPECT_TRUE(client.Send("hello"));
  pollfd readable{held_[0], POLLIN, 0};
  ASSERT_EQ(poll(&readable, 1, 60'000), 1);
  char bytes[8];
  EXPECT_EQ(read(held_[0], bytes, sizeof bytes), 5);
  EXPECT_NE(fcntl(held_[0], F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(held_[0], F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(ConnectionAcceptorTest, ClosesWhatIsTooMuchOfOneAddressAndServesAnother) {
  Start({.name = "test", .limits = {.max_connections = 4, .max_per_address = 2}});
  const auto mine = Flood(acceptor_->address(), "127.0.0.1", 2);
  ASSERT_TRUE(AwaitTaken(2));
  EXPECT_TRUE(Connect().IsClosedByPeer());
  const RawConnection other = Connect("127.0.0.2");
  EXPECT_TRUE(AwaitTaken(3));
  EXPECT_EQ(acceptor_->counters().refused, 1u);
  EXPECT_EQ(acceptor_->counters().connections, 3u);
}

TEST_F(ConnectionAcceptorTest, ClosesWhatIsTooMuchInAll) {
  Start({.name = "test", .limits = {.max_connections = 2, .max_per_address = 1}});
  const RawConnection one = Connect("127.0.0.1"), two = Connect("127.0.0.2");
  ASSERT_TRUE(AwaitTaken(2));
  EXPECT_TRUE(Connect("127.0.0.3").IsClosedByPeer());
}

TEST_F(ConnectionAcceptorTest, NoticesThatTheServerClosedAConnectionWithoutBeingTold) {
  Start({.name = "test", .limits = {.max_connections = 1, .max_per_address = 1}});
  const RawConnection first = Connect();
  ASSERT_TRUE(AwaitTaken(1));
  EndFirst();
  ASSERT_TRUE(first.IsClosedByPeer());
  EXPECT_TRUE(Eventually([&] { return acceptor_->counters().connections == 0; }, kPatience));
  const RawConnection second = Connect();
  EXPECT_TRUE(AwaitTaken(1));
}

/// The kernel gives the lowest free number to the next descriptor: it names another socket, or none, at once.
TEST_F(ConnectionAcceptorTest, IsNotFooledByANumberThatIsUsedAgain) {
  Start({.name = "test", .limits = {.max_connections = 1, .max_per_address = 1}});
  const RawConnection first = Connect();
  ASSERT_TRUE(AwaitTaken(1));
  const int number = held_[0];
  EndFirst();
  const int again = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(again, number);
  const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_TRUE(Eventually([&] { return acceptor_->counters().connections == 0; }, kPatience));
  close(again);
  close(file);
}

TEST_F(ConnectionAcceptorTest, AcceptsAgainAfterTheProcessHadNoDescriptorLeft) {
  Start({.name = "test", .pause = milliseconds(1), .error_after = milliseconds(1)});
  const RawConnection before = Connect();
  ASSERT_TRUE(AwaitTaken(1));
  {
    // The client's socket is there before descriptors run out, its connection comes after.
    const int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer.sin_port =
        htons(static_cast<uint16_t>(std::stoi(acceptor_->address().substr(acceptor_->address().rfind(':') + 1))));
    const NoDescriptors none;
    ASSERT_EQ(connect(late, reinterpret_cast<const sockaddr*>(&peer), sizeof peer), 0);
    EXPECT_TRUE(Eventually([&] { return acceptor_->counters().failures >= 3; }, kPatience));
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(held_.size(), 1u);
  }
  EXPECT_TRUE(AwaitTaken(2)) << "stopped accepting";
}

TEST_F(ConnectionAcceptorTest, APortInUseIsAnError) {
  Start({.name = "test"});
  const auto second = ConnectionAcceptor::Listen(acceptor_->address(), {.name = "second"});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), StatusCode::kUnavailable);
}

TEST_F(ConnectionAcceptorTest, AStoppedPortIsClosed) {
  Start({.name = "test"});
  const RawConnection client = Connect();
  ASSERT_TRUE(AwaitTaken(1));
  acceptor_->Stop();
  EXPECT_FALSE(Connect().is_open());
  EndFirst();
  EXPECT_TRUE(client.IsClosedByPeer());
}

TEST(ListeningSocket, TakesBothFamiliesForTheWildcardAndAllAddressesOfAName) {
  const auto any = ListenOn("0.0.0.0:0", kPatience);
  ASSERT_TRUE(any.ok()) << any.status().ToString();
  EXPECT_EQ(any->address.substr(0, 8), "0.0.0.0:");
  EXPECT_TRUE(RawConnection("127.0.0.1" + any->address.substr(7)).is_open());
  const auto name = ListenOn("localhost:0", kPatience);
  ASSERT_TRUE(name.ok()) << name.status().ToString();
  EXPECT_TRUE(RawConnection("127.0.0.1" + name->address.substr(9)).is_open());
  EXPECT_EQ(ListenOn("no.such.host.invalid:0", kPatience).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ListenOn("127.0.0.1", kPatience).status().code(), StatusCode::kInvalidArgument);
}

} // namespace
} // namespace avocet
