#include "actors/protocol/event_retention.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace avocet {
namespace {

/// A log of at most ten events.
class Log {
public:
  void Add(const std::string& kind, int times = 1) {
    for (int i = 0; i < times; ++i) {
      events_.push_back({.sequence = ++last_, .at = {}, .kind = kind, .subject = "", .detail = ""});
      if (events_.size() > 10) events_.erase(events_.begin() + static_cast<ptrdiff_t>(EventToDrop(events_)));
    }
  }
  size_t Count(const std::string& kind) const {
    return static_cast<size_t>(
        std::count_if(events_.begin(), events_.end(), [&](const Event& event) { return event.kind == kind; }));
  }
  uint64_t OldestOf(const std::string& kind) const {
    return std::find_if(events_.begin(), events_.end(), [&](const Event& event) { return event.kind == kind; })
        ->sequence;
  }

private:
  std::deque<Event> events_;
  uint64_t last_ = 0;
};

TEST(EventRetention, DropsTheOldest) {
  Log log;
  log.Add("node_up", 12);
  EXPECT_EQ(log.OldestOf("node_up"), 3U);
}

TEST(EventRetention, AFloodOfAgentsLeavesWhatWasDecided) {
  Log log;
  log.Add("app_admitted", 4);
  log.Add("node_up", 1000);
  EXPECT_EQ(log.Count("app_admitted"), 4U);
  EXPECT_EQ(log.OldestOf("app_admitted"), 1U);
  EXPECT_EQ(log.Count("node_up"), 6U);
}

TEST(EventRetention, WhatWasDecidedLeavesHalfToAgents) {
  Log log;
  log.Add("node_away", 7);
  log.Add("app_rejected", 1000);
  EXPECT_EQ(log.Count("node_away"), 5U);
  EXPECT_EQ(log.Count("app_rejected"), 5U);
  log.Add("node_up", 1000);
  EXPECT_EQ(log.Count("app_rejected"), 5U);
}

TEST(EventRetention, EachSortUsesWhatTheOtherLeaves) {
  Log log;
  log.Add("app_admitted", 20);
  EXPECT_EQ(log.Count("app_admitted"), 10U);
}

TEST(EventRetention, KindsThatNobodyKnowsAreOfAgents) {
  EXPECT_TRUE(IsAuditEvent("app_removed"));
  EXPECT_FALSE(IsAuditEvent("app_ready"));
  EXPECT_FALSE(IsAuditEvent("a_kind_of_tomorrow"));
}

} // namespace
} // namespace avocet
