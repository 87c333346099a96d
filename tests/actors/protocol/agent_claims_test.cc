// For each message and each field of it: the largest value that an agent may say, and one past it.
#include "actors/protocol/agent_claims.h"

#include <cmath>
#include <functional>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "messages/text.h"
#include "tests/support/fake_agent.h"

namespace avocet {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// One change of what may be said. `field` is what the refusal names; empty: it may be said.
template <class T> struct ClaimCase {
  std::function<void(T&)> change;
  std::string field;
  StatusCode code = StatusCode::kInvalidArgument;
};

template <class T, class Check>
void ExpectClaims(const T& good, const Check& check, const std::vector<ClaimCase<T>>& claims) {
  ASSERT_EQ(check(good), Status());
  for (size_t i = 0; i < claims.size(); ++i) {
    SCOPED_TRACE("claim " + std::to_string(i) + ": " + claims[i].field);
    T value = good;
    claims[i].change(value);
    const Status status = check(value);
    if (claims[i].field.empty()) {
      EXPECT_EQ(status, Status());
      continue;
    }
    EXPECT_EQ(status.code(), claims[i].code);
    EXPECT_THAT(status.message(), AllOf(HasSubstr("field '" + claims[i].field + "' is"), HasSubstr("it must be")));
  }
}

Placement Running(const std::string& app = "cam") {
  return {.app = AppId(app),
          .device = DeviceId("n1/gpu0"),
          .model = ModelId("pose:1"),
          .format = ModelFormat::kEmulated,
          .file = FakeDigest("pose"),
          .epoch = 3,
          .phase = PlacementPhase::kReady,
          .reason = ""};
}

SentWindow Window() {
  AppWindow app{.app = AppId("cam"), .model = ModelId("pose:1"), .arrivals = 2, .completions = 2};
  for (Moments* moments : {&app.interarrival, &app.service, &app.switched_service, &app.response})
    moments->Add(0.01);
  return {{.device = DeviceId("n1/gpu0"),
           .boot = BootId("boot"),
           .sequence = 4,
           .length = FromMillis(200),
           .busy = FromMillis(20),
           .apps = {app}},
          3};
}

const std::string kLongestName(63, 'a');
const std::string kTooLong(64, 'a');
const std::string kBrokenText = "caf\xC3";

struct SpeakerNames {
  std::string node = "n1";
  std::string boot = "boot";
};

TEST(AgentClaims, ASpeakerHasNames) {
  ExpectClaims<SpeakerNames>({}, [](const SpeakerNames& s) { return CheckSpeaker(NodeId(s.node), BootId(s.boot)); },
                             {{[](auto& s) { s.node = kLongestName; }, ""},
                              {[](auto& s) { s.node = kTooLong; }, "node"},
                              {[](auto& s) { s.node = "n1\x1b[2J"; }, "node"},
                              {[](auto& s) { s.boot = kLongestName; }, ""},
                              {[](auto& s) { s.boot = kTooLong; }, "boot"},
                              {[](auto& s) { s.boot = ""; }, "boot"}});
}

struct RegistrationClaim {
  NodeInfo node = TestNode();
  std::vector<Placement> running;
};

Status Check(const RegistrationClaim& registration) {
  return CheckRegistration(registration.node, registration.running);
}

std::vector<DeviceSpec> Devices(size_t count) {
  std::vector<DeviceSpec> devices(count, TestGpu());
  for (size_t i = 0; i < count; ++i)
    devices[i].name = "gpu" + std::to_string(i);
  return devices;
}

TEST(AgentClaims, ANodeIsBoundedInEveryField) {
  ExpectClaims<RegistrationClaim>(
      {}, Check,
      {{[](auto& r) { r.node.id = NodeId(kTooLong); }, "id"},
       {[](auto& r) { r.node.id = NodeId("n2"); }, "devices"},
       {[](auto& r) { r.node.boot = BootId(kTooLong); }, "boot"},
       {[](auto& r) { r.node.version = std::string(kMaxLabelBytes, 'v'); }, ""},
       {[](auto& r) { r.node.version = std::string(kMaxLabelBytes + 1, 'v'); }, "version"},
       {[](auto& r) { r.node.version = kBrokenText; }, "version"},
       {[](auto& r) { r.node.grpc_address = "host:65536"; }, "grpc_address"},
       {[](auto& r) { r.node.rest_address = "host:0"; }, "rest_address"},
       {[](auto& r) { r.node.rest_address = "host:65535"; }, ""},
       {[](auto& r) { r.node.cpu_cores = kMaxCores; }, ""},
       {[](auto& r) { r.node.cpu_cores = kMaxCores + 1; }, "cpu_cores"},
       {[](auto& r) { r.node.core_speed = 1e3; }, ""},
       {[](auto& r) { r.node.core_speed = 1.001e3; }, "core_speed"},
       {[](auto& r) { r.node.core_speed = NAN; }, "core_speed"},
       {[](auto& r) { r.node.devices = Devices(kMaxDevicesPerNode); }, ""},
       {[](auto& r) { r.node.devices = Devices(kMaxDevicesPerNode + 1); }, "devices"},
       {[](auto& r) { r.node.devices[0].node = NodeId("n2"); }, "devices"},
       {[](auto& r) { r.node.devices[0].name = kTooLong; }, "name"},
       {[](auto& r) { r.node.devices[0].type = std::string(kMaxLabelBytes, 't'); }, ""},
       {[](auto& r) { r.node.devices[0].type = std::string(kMaxLabelBytes + 1, 't'); }, "type"},
       {[](auto& r) { r.node.devices[0].memory_bytes = kMaxMemoryBytes; }, ""},
       {[](auto& r) { r.node.devices[0].memory_bytes = kMaxMemoryBytes + 1; }, "memory_bytes"},
       {[](auto& r) { r.node.devices[0].cores = {kMaxCores - 1}; }, ""},
       {[](auto& r) { r.node.devices[0].cores = {kMaxCores}; }, "cores"}});
}

std::vector<Placement> ManyRunning(size_t count) {
  std::vector<Placement> running;
  for (size_t i = 0; i < count; ++i)
    running.push_back(Running("app" + std::to_string(i)));
  return running;
}

TEST(AgentClaims, WhatRunsIsAListOfTheSpeakersOwn) {
  const auto foreign = [](auto& r) {
    r.running = {Running()};
    r.running[0].device = DeviceId("n2/gpu0");
  };
  const auto unregistered = [](auto& r) {
    r.running = {Running()};
    r.running[0].device = DeviceId("n1/gpu1");
  };
  ExpectClaims<RegistrationClaim>({}, Check,
                                  {{[](auto& r) { r.running = ManyRunning(kMaxRunningApps); }, ""},
                                   {[](auto& r) { r.running = ManyRunning(kMaxRunningApps + 1); }, "running"},
                                   {[](auto& r) {
                                      r.running = {Running(), Running()};
                                    },
                                    "running"},
                                   {foreign, "device", StatusCode::kDenied},
                                   {unregistered, "device", StatusCode::kDenied}});
}

TEST(AgentClaims, AReportIsBoundedInEveryField) {
  const auto check = [](const Placement& running) { return CheckReport(TestNode(), running); };
  const auto failed = [](std::string reason) {
    return [reason = std::move(reason)](Placement& running) {
      running.phase = PlacementPhase::kFailed;
      running.reason = reason;
    };
  };
  ExpectClaims<Placement>(Running(), check,
                          {{[](auto& a) { a.app = AppId(kLongestName); }, ""},
                           {[](auto& a) { a.app = AppId(kTooLong); }, "app"},
                           {[](auto& a) { a.device = DeviceId("n1/gpu1"); }, "device", StatusCode::kDenied},
                           {[](auto& a) { a.device = DeviceId("n2/gpu0"); }, "device", StatusCode::kDenied},
                           {[](auto& a) { a.device = DeviceId("n1"); }, "device"},
                           {[](auto& a) { a.model = ModelId(kLongestName + ":" + std::string(18, '9')); }, ""},
                           {[](auto& a) { a.model = ModelId("pose:" + std::string(19, '9')); }, "model"},
                           {[](auto& a) { a.file = Sha256(std::string(65, 'a')); }, "file"},
                           {[](auto& a) { a.epoch = 0; }, "epoch"},
                           {[](auto& a) { a.epoch = kMaxEpoch; }, ""},
                           {[](auto& a) { a.epoch = kMaxEpoch + 1; }, "epoch"},
                           {[](auto& a) { a.phase = PlacementPhase::kLost; }, "phase"},
                           {[](auto& a) { a.reason = "because"; }, "reason"},
                           {[](auto& a) { a.phase = PlacementPhase::kStarting, a.reason = "tried again"; }, ""},
                           {failed(std::string(kMaxTextBytes, 'r')), ""},
                           {failed(std::string(kMaxTextBytes + 1, 'r')), "reason"},
                           {failed(kBrokenText), "reason"}});
}

TEST(AgentClaims, AnEpochIsPlausibleOrTheControllersOwn) {
  const auto with_last = [](uint64_t last) {
    return [last](const Placement& running) { return CheckEpoch(running, last); };
  };
  const std::vector<ClaimCase<Placement>> of_a_young_controller{
      {[](auto& a) { a.epoch = 0; }, "epoch"},
      {[](auto& a) { a.epoch = kMaxClaimedEpoch; }, ""}, // a controller restored from an old copy knows less
      {[](auto& a) { a.epoch = kMaxClaimedEpoch + 1; }, "epoch"},
      {[](auto& a) { a.epoch = std::numeric_limits<uint64_t>::max() - 1; }, "epoch"}};
  ExpectClaims<Placement>(Running(), with_last(7), of_a_young_controller);
  ExpectClaims<Placement>(Running(), with_last(kMaxClaimedEpoch + 9),
                          {{[](auto& a) { a.epoch = kMaxClaimedEpoch + 9; }, ""},
                           {[](auto& a) { a.epoch = kMaxClaimedEpoch + 10; }, "epoch"}});
}

TEST(AgentClaims, AReportOfWindowsIsBounded) {
  EXPECT_EQ(CheckWindowCount(TestNode(), kMaxWindowsPerReport), Status());
  EXPECT_THAT(CheckWindowCount(TestNode(), kMaxWindowsPerReport + 1).message(), HasSubstr("field 'windows'"));
}

std::vector<AppWindow> ManyApps(size_t count) {
  std::vector<AppWindow> apps(count, Window().window.apps[0]);
  for (size_t i = 0; i < count; ++i)
    apps[i].app = AppId("app" + std::to_string(i));
  return apps;
}

Status CheckSent(const SentWindow& sent) {
  return CheckWindow(TestNode(), sent);
}

TEST(AgentClaims, AWindowIsOfTheSpeakersOwnDeviceAndBoot) {
  ExpectClaims<SentWindow>(Window(), CheckSent,
                           {{[](auto& s) { s.window.device = DeviceId("n2/gpu0"); }, "device", StatusCode::kDenied},
                            {[](auto& s) { s.window.device = DeviceId("n1/gpu1"); }, "device", StatusCode::kDenied},
                            {[](auto& s) { s.window.boot = BootId("another"); }, "boot"},
                            {[](auto& s) { s.window.sequence = 0; }, "sequence"},
                            {[](auto& s) { s.window.sequence = kMaxWindowSequence; }, ""},
                            {[](auto& s) { s.window.sequence = kMaxWindowSequence + 1; }, "sequence"},
                            {[](auto& s) { s.oldest = 4; }, ""},
                            {[](auto& s) { s.oldest = 5; }, "oldest"},
                            {[](auto& s) { s.window.length = kMaxWindowLength; }, ""},
                            {[](auto& s) { s.window.length = kMaxWindowLength + Duration(1); }, "length"},
                            {[](auto& s) { s.window.busy = s.window.length + Duration(1); }, "busy"},
                            {[](auto& s) { s.window.apps = ManyApps(kMaxAppsPerDevice); }, ""},
                            {[](auto& s) { s.window.apps = ManyApps(kMaxAppsPerDevice + 1); }, "apps"},
                            {[](auto& s) { s.window.apps.push_back(s.window.apps[0]); }, "apps"},
                            {[](auto& s) { s.window.apps[0].app = AppId(kTooLong); }, "app"},
                            {[](auto& s) { s.window.apps[0].model = ModelId("pose"); }, "model"}});
}

TEST(AgentClaims, AWindowsCountsAreBounded) {
  const std::vector<std::pair<uint64_t AppWindow::*, std::string>> counts{{&AppWindow::arrivals, "arrivals"},
                                                                          {&AppWindow::completions, "completions"},
                                                                          {&AppWindow::failures, "failures"},
                                                                          {&AppWindow::refusals, "refusals"}};
  for (const auto& [count, name] : counts) {
    const auto set = [count = count](uint64_t value) {
      return [=](SentWindow& sent) { sent.window.apps[0].*count = value; };
    };
    ExpectClaims<SentWindow>(Window(), CheckSent, {{set(kMaxWindowRequests), ""}, {set(kMaxWindowRequests + 1), name}});
  }
}

TEST(AgentClaims, AWindowsMomentsCouldHaveBeenMeasured) {
  using Field = Moments AppWindow::*;
  const std::vector<Field> fields{&AppWindow::interarrival, &AppWindow::service, &AppWindow::switched_service,
                                  &AppWindow::response};
  for (const Field field : fields) {
    const auto set = [field](Moments moments) {
      return [=](SentWindow& sent) { sent.window.apps[0].*field = moments; };
    };
    const double most = kMaxSampleSeconds;
    ExpectClaims<SentWindow>(Window(), CheckSent,
                             {{set({}), ""},
                              {set({1, 0, 0}), ""},
                              {set({kMaxWindowRequests, 1, 1}), ""},
                              {set({kMaxWindowRequests + 1, 1, 1}), "count"},
                              {set({2, 2 * most, 2 * most * most}), ""},
                              {set({2, 2.01 * most, 1}), "sum"},
                              {set({1, 1e308, 1e308}), "sum"},
                              {set({1, NAN, 1}), "sum"},
                              {set({1, kMinSampleSeconds, 1e-18}), ""},
                              {set({1, kMinSampleSeconds / 2, 0}), "sum"},
                              {set({1, 1, 1.01 * most}), "sum2"},
                              {set({1, 0, 1}), "sum2"},
                              {set({0, 1, 1}), "count"}});
  }
}

Profile Measured() {
  return {.model = ModelId("pose:1"),
          .format = ModelFormat::kEmulated,
          .device_type = "test device",
          .service_mean = FromMillis(10),
          .memory_bytes = kMiB,
          .runs = 5,
          .emulated = true};
}

TEST(AgentClaims, AProfileAnswersWhatWasAskedAndIsBounded) {
  const ProfileAsked asked{ModelId("pose:1"), ModelFormat::kEmulated, "test device", true};
  ExpectClaims<Profile>(Measured(), [&](const Profile& profile) { return CheckProfile(asked, profile); },
                        {{[](auto& p) { p.model = ModelId("pose:2"); }, "model"},
                         {[](auto& p) { p.format = ModelFormat::kOnnx; }, "format"},
                         {[](auto& p) { p.device_type = "another device"; }, "device_type"},
                         {[](auto& p) { p.emulated = false; }, "emulated"},
                         {[](auto& p) { p.service_mean = kMaxServiceTime; }, ""},
                         {[](auto& p) { p.service_mean = kMaxServiceTime + Duration(1); }, "service_mean"},
                         {[](auto& p) { p.service_mean = Duration(0); }, "service_mean"},
                         {[](auto& p) { p.service_scv = INFINITY; }, "service_scv"},
                         {[](auto& p) { p.switch_overhead = kMaxServiceTime; }, ""},
                         {[](auto& p) { p.switch_overhead = kMaxServiceTime + Duration(1); }, "switch_overhead"},
                         {[](auto& p) { p.memory_bytes = kMaxMemoryBytes; }, ""},
                         {[](auto& p) { p.memory_bytes = kMaxMemoryBytes + 1; }, "memory_bytes"},
                         {[](auto& p) { p.memory_per_app_bytes = kMaxMemoryBytes + 1; }, "memory_per_app_bytes"},
                         {[](auto& p) { p.runs = 0; }, "runs"}});
}

TEST(AgentClaims, ARefusalIsFitForALog) {
  const Status status = CheckSpeaker(NodeId("n1\x1b[2J\n\xFF"), BootId("boot"));
  EXPECT_THAT(status.message(), HasSubstr("'n1?[2J?"
                                          "?'"));
}

TEST(AgentClaims, TheHighestEpochIsBelievedUpToABoundOrWhatWasHandedOut) {
  EXPECT_EQ(CheckHighestEpoch(TestNode(), 0, 7), Status()) << "none yet";
  EXPECT_EQ(CheckHighestEpoch(TestNode(), kMaxClaimedEpoch, 7), Status());
  const Status status = CheckHighestEpoch(TestNode(), kMaxClaimedEpoch + 1, 7);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), testing::HasSubstr("field 'highest_epoch'"));
  EXPECT_EQ(CheckHighestEpoch(TestNode(), kMaxClaimedEpoch + 1, kMaxClaimedEpoch + 1), Status());
}

} // namespace
} // namespace avocet
