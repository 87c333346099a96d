#include <gtest/gtest.h>

#include "cli/load/load_report.h"

namespace avocet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

LoadRecorder Recorder(Duration warm_up = {}) {
  return {{AppId("a"), 10, {}}, warm_up};
}

LoadOutcome Ok(Duration intended, Duration latency, Duration send_lag = {}) {
  LoadOutcome outcome;
  outcome.intended = intended;
  outcome.latency = latency;
  outcome.send_lag = send_lag;
  return outcome;
}

LoadOutcome Failed(Status status) {
  LoadOutcome outcome;
  outcome.status = std::move(status);
  return outcome;
}

TEST(LoadRecorder, CountsAndSummarizes) {
  LoadRecorder recorder = Recorder();
  for (int i = 0; i < 4; ++i)
    recorder.Sent(milliseconds(100 * i));
  recorder.Dropped(milliseconds(400));
  recorder.Ended(Ok(milliseconds(0), milliseconds(10), milliseconds(1)));
  recorder.Ended(Ok(milliseconds(100), milliseconds(30), milliseconds(3)));
  recorder.Ended(Failed(Unavailable("queue full")));
  EXPECT_EQ(recorder.outstanding(), 1U);
  const AppLoadReport report = recorder.Report(seconds(1));
  EXPECT_EQ(report.sent, 4U);
  EXPECT_EQ(report.ok, 2U);
  EXPECT_EQ(report.failed, 1U);
  EXPECT_EQ(report.dropped, 1U);
  EXPECT_EQ(report.unanswered, 1U);
  EXPECT_DOUBLE_EQ(report.latency.mean_s, 0.020);
  EXPECT_DOUBLE_EQ(report.latency.max_s, 0.030);
  EXPECT_DOUBLE_EQ(report.send_lag.max_s, 0.003);
  EXPECT_DOUBLE_EQ(report.intended_rps, 5) << "what was dropped was due as well";
  EXPECT_DOUBLE_EQ(report.achieved_rps, 2);
  EXPECT_FALSE(report.emulated);
  EXPECT_FALSE(report.server_response);
}

TEST(LoadRecorder, LeavesTheWarmUpOut) {
  LoadRecorder recorder = Recorder(seconds(1));
  recorder.Sent(milliseconds(999));
  recorder.Sent(milliseconds(1000));
  recorder.Dropped(milliseconds(998));
  recorder.Ended(Ok(milliseconds(999), milliseconds(500), milliseconds(50)));
  recorder.Ended(Ok(milliseconds(1000), milliseconds(5), milliseconds(2)));
  const AppLoadReport report = recorder.Report(seconds(3));
  EXPECT_EQ(report.ok, 2U);
  EXPECT_EQ(report.latency.count, 1U);
  EXPECT_DOUBLE_EQ(report.latency.max_s, 0.005);
  EXPECT_DOUBLE_EQ(report.send_lag.max_s, 0.002);
  EXPECT_DOUBLE_EQ(report.intended_rps, 0.5);
  EXPECT_DOUBLE_EQ(report.achieved_rps, 0.5) << "one success in the two seconds after the warm-up";
}

TEST(LoadRecorder, GroupsErrorsByCodeMostFrequentFirst) {
  LoadRecorder recorder = Recorder();
  for (int i = 0; i < 4; ++i)
    recorder.Sent({});
  recorder.Ended(Failed(DeadlineExceeded("late")));
  recorder.Ended(Failed(Unavailable("queue full: 256")));
  recorder.Ended(Failed(Unavailable("draining")));
  const auto errors = recorder.Report(seconds(1)).errors;
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0].code, StatusCode::kUnavailable);
  EXPECT_EQ(errors[0].count, 2U);
  EXPECT_EQ(errors[0].first_message, "queue full: 256");
  EXPECT_EQ(errors[1].code, StatusCode::kDeadlineExceeded);
}

TEST(LoadRecorder, KeepsWhatTheServerSays) {
  LoadRecorder recorder = Recorder();
  recorder.Sent({});
  LoadOutcome outcome = Ok({}, milliseconds(10));
  outcome.emulated = true;
  outcome.server_response = milliseconds(7);
  recorder.Ended(outcome);
  const AppLoadReport report = recorder.Report(seconds(1));
  EXPECT_TRUE(report.emulated);
  ASSERT_TRUE(report.server_response);
  EXPECT_DOUBLE_EQ(report.server_response->mean_s, 0.007);
}

TEST(LoadRecorder, TakesRecentLatencyOnce) {
  LoadRecorder recorder = Recorder(seconds(1));
  recorder.Sent({});
  recorder.Ended(Ok({}, milliseconds(8)));
  EXPECT_EQ(recorder.TakeRecent().total(), 1U) << "those who watch see the warm-up, too";
  EXPECT_EQ(recorder.TakeRecent().total(), 0U);
}

TEST(LoadReport, IsOkOnlyWhenEverythingWasAnswered) {
  LoadReport report;
  report.apps.resize(2);
  EXPECT_TRUE(report.ok());
  for (auto member : {&AppLoadReport::failed, &AppLoadReport::dropped, &AppLoadReport::unanswered}) {
    report.apps[1].*member = 1;
    EXPECT_FALSE(report.ok());
    report.apps[1].*member = 0;
  }
}

} // namespace
} // namespace avocet
