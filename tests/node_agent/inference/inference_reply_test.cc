#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "node_agent/inference/reply_sender.h"
#include "tests/support/fake_engine.h"

namespace avocet {
namespace {

/// What replies were sent, on which thread; can hold the first one back.
class Post {
public:
  void Hold() {
    const std::lock_guard lock(mutex_);
    is_held_ = true;
  }
  void LetGo() {
    const std::lock_guard lock(mutex_);
    is_held_ = false;
    changed_.notify_all();
  }
  void Send(int number) {
    std::unique_lock lock(mutex_);
    ++began_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !is_held_; });
    sent_.push_back(number);
    threads_.push_back(std::this_thread::get_id());
    changed_.notify_all();
  }
  bool AwaitBegun(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return began_ >= count; });
  }
  std::vector<int> AwaitSent(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return sent_.size() >= count; });
    return sent_;
  }
  std::thread::id ThreadOf(size_t index) {
    const std::lock_guard lock(mutex_);
    return threads_.at(index);
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_held_ = false;
  int began_ = 0;
  std::vector<int> sent_;
  std::vector<std::thread::id> threads_;
};

class TestReply final : public Reply {
public:
  TestReply(Post& post, int number) : post_(post), number_(number) {}
  void Send() override { post_.Send(number_); }

private:
  Post& post_;
  int number_;
};

std::vector<std::unique_ptr<TestReply>> MakeReplies(Post& post, size_t count) {
  std::vector<std::unique_ptr<TestReply>> replies;
  for (size_t i = 0; i < count; ++i)
    replies.push_back(std::make_unique<TestReply>(post, static_cast<int>(i)));
  return replies;
}

TEST(ReplySender, SendsInOrderOnItsOwnThread) {
  Post post;
  const auto replies = MakeReplies(post, 10);
  ReplySender sender;
  for (const auto& reply : replies)
    sender.Post(*reply);
  EXPECT_EQ(post.AwaitSent(10), (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_NE(post.ThreadOf(0), std::this_thread::get_id());
}

TEST(ReplySender, BeyondItsBoundTheCallerSends) {
  Post post;
  const auto replies = MakeReplies(post, ReplySender::kMaxWaiting + 2);
  ReplySender sender;
  post.Hold();
  sender.Post(*replies[0]);
  ASSERT_TRUE(post.AwaitBegun(1)); // the thread's hands are full, its queue is empty
  for (size_t i = 1; i <= ReplySender::kMaxWaiting; ++i)
    sender.Post(*replies[i]);
  std::thread caller([&] { sender.Post(*replies.back()); });
  EXPECT_TRUE(post.AwaitBegun(2)); // on the caller's thread, for the first one is still held
  post.LetGo();
  caller.join();
  EXPECT_EQ(post.AwaitSent(replies.size()).size(), replies.size());
}

TEST(ReplySender, DestructionSendsWhatIsLeft) {
  Post post;
  const auto replies = MakeReplies(post, 5);
  {
    ReplySender sender;
    post.Hold();
    for (const auto& reply : replies)
      sender.Post(*reply);
    post.LetGo();
  }
  EXPECT_EQ(post.AwaitSent(0).size(), 5u);
}

} // namespace
} // namespace avocet
