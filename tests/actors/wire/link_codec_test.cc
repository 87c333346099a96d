#include "actors/wire/link_codec.h"

#include <gtest/gtest.h>

#include "tests/support/fake_agent.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

Command StartOfCam() {
  return {.kind = CommandKind::kStart,
          .epoch = 3,
          .device = DeviceId("n1/gpu0"),
          .app = AppId("cam"),
          .model = ModelId("pose:1"),
          .format = ModelFormat::kEmulated,
          .file = FakeDigest("pose")};
}

TEST(LinkCodec, HelloComesBackAsItWas) {
  const Placement running{.app = AppId("cam"),
                          .device = DeviceId("n1/gpu0"),
                          .model = ModelId("pose:1"),
                          .format = ModelFormat::kEmulated,
                          .file = FakeDigest("pose"),
                          .epoch = 3,
                          .phase = PlacementPhase::kReady};
  const auto hello = FromProto(ToProto(LinkHello{TestNode(), {running}, 42}));
  ASSERT_TRUE(hello.ok()) << hello.status().ToString();
  EXPECT_EQ(hello->node, TestNode());
  EXPECT_EQ(hello->running, std::vector{running});
  EXPECT_EQ(hello->instance, 42U);
}

TEST(LinkCodec, AnotherVersionOfTheLinkIsRefusedByName) {
  auto proto = ToProto(LinkHello{TestNode(), {}});
  proto.set_protocol(2);
  const auto status = FromProto(proto).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_NE(status.message().find("version 2"), std::string::npos) << status.message();
}

TEST(LinkCodec, RequestsComeBackAsTheyWere) {
  const auto command = FromProto(ToProto(LinkRequest(RunCommand{StartOfCam()})));
  ASSERT_TRUE(command.ok()) << command.status().ToString();
  EXPECT_EQ(std::get<RunCommand>(*command).command, StartOfCam());
  const ProfileOnDevice order{DeviceId("n1/gpu0"), ModelId("pose:1"), {ModelFormat::kEmulated, FakeDigest("pose"), 7}};
  const auto profile = FromProto(ToProto(LinkRequest(order)));
  ASSERT_TRUE(profile.ok()) << profile.status().ToString();
  EXPECT_EQ(std::get<ProfileOnDevice>(*profile).device, order.device);
  EXPECT_EQ(std::get<ProfileOnDevice>(*profile).model, order.model);
  EXPECT_EQ(std::get<ProfileOnDevice>(*profile).variant, order.variant);
}

TEST(LinkCodec, AnswersComeBackAsTheyWere) {
  const auto failed = FromProto(ToProto(LinkAnswer{NotFound("no such device"), {}}));
  ASSERT_TRUE(failed.ok());
  EXPECT_EQ(failed->status, NotFound("no such device"));
  const Profile profile{.model = ModelId("pose:1"),
                        .format = ModelFormat::kEmulated,
                        .device_type = "test device",
                        .service_mean = FromMillis(10),
                        .runs = 5};
  const auto done = FromProto(ToProto(LinkAnswer{{}, profile}));
  ASSERT_TRUE(done.ok());
  EXPECT_TRUE(done->status.ok());
  EXPECT_EQ(done->profile, profile);
}

TEST(LinkCodec, PredictionsComeBackAsTheyWere) {
  const SetPredictions sent{
      DeviceId("n1/gpu0"),
      {{AppId("cam"), {FromMillis(1), FromMillis(2), FromMillis(3), FromMillis(4)}}, {AppId("dog"), {}}},
      {{AppId("cam"), FromMillis(40)}, {AppId("owl"), FromMillis(50)}}};
  const auto read = FromProto(ToProto(sent));
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->device, sent.device);
  EXPECT_EQ(read->apps, sent.apps);
  EXPECT_EQ(read->objectives, sent.objectives);
  auto no_limit = ToProto(sent);
  no_limit.mutable_objectives(0)->set_limit_ns(0);
  EXPECT_EQ(FromProto(no_limit).status().code(), StatusCode::kCorruption);
  auto no_name = ToProto(sent);
  no_name.mutable_objectives(1)->set_app("no name");
  EXPECT_EQ(FromProto(no_name).status().code(), StatusCode::kCorruption);
  auto proto = ToProto(sent);
  proto.mutable_apps(1)->set_app("no name");
  EXPECT_EQ(FromProto(proto).status().code(), StatusCode::kCorruption);
}

TEST(LinkCodec, RefusesWhatIsMalformed) {
  v1::Answer answer;
  answer.set_code(99);
  EXPECT_EQ(FromProto(answer).status().code(), StatusCode::kCorruption);
  EXPECT_EQ(FromProto(v1::Request()).status().code(), StatusCode::kUnsupported);
  v1::Request order;
  order.mutable_profile()->set_device("no device");
  EXPECT_EQ(FromProto(order).status().code(), StatusCode::kCorruption);
  v1::WindowAck ack;
  ack.set_device("x");
  EXPECT_EQ(FromProto(ack).status().code(), StatusCode::kCorruption);
  SentWindow window{{.device = DeviceId("n1/gpu0"), .boot = BootId("b"), .sequence = 5, .length = FromMillis(200)}, 5};
  EXPECT_TRUE(FromProto(ToProto(window)).ok());
  window.oldest = 6;
  EXPECT_EQ(FromProto(ToProto(window)).status().code(), StatusCode::kCorruption);
}

} // namespace
} // namespace avocet
