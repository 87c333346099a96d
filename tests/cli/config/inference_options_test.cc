#include "cli/config/inference_options.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

TEST(InferenceOptions, AreTheUsualPorts) {
  const InferenceConfig config;
  EXPECT_EQ(GrpcOptions(config).grpc_address, "127.0.0.1:8001");
  EXPECT_EQ(HttpOptions(config).rest_address, "127.0.0.1:8000");
  EXPECT_EQ(HttpOptions(config).metrics_address, "127.0.0.1:8002");
}

TEST(InferenceOptions, FollowGrpcWhereNothingIsSaid) {
  InferenceConfig config;
  config.grpc = "127.0.0.1:0";
  EXPECT_EQ(HttpOptions(config).rest_address, "127.0.0.1:0");
  EXPECT_EQ(HttpOptions(config).metrics_address, "127.0.0.1:0");
  config.grpc = "0.0.0.0:9001";
  EXPECT_EQ(HttpOptions(config).rest_address, "0.0.0.0:8000");
  EXPECT_EQ(HttpOptions(config).metrics_address, "127.0.0.1:8002");
}

TEST(InferenceOptions, AreWhatTheFileSays) {
  InferenceConfig config;
  config.rest = "";
  config.metrics = "[::1]:9";
  config.plaintext = true;
  config.tls = ServerCertificate{"c", "k"};
  EXPECT_EQ(HttpOptions(config).rest_address, "");
  EXPECT_EQ(HttpOptions(config).metrics_address, "[::1]:9");
  EXPECT_TRUE(HttpOptions(config).plaintext);
  EXPECT_TRUE(GrpcOptions(config).plaintext);
  EXPECT_EQ(HttpOptions(config).tls, config.tls);
  EXPECT_EQ(GrpcOptions(config).tls, config.tls);
}

TEST(InferenceOptions, BoundWhatRequestsTake) {
  InferenceConfig config;
  EXPECT_GE(CoreOptions(config).max_bytes_in_flight, 32 * kMiB) << "of this machine's memory";
  EXPECT_LE(CoreOptions(config).max_bytes_in_flight, 512 * kMiB);
  EXPECT_EQ(CoreOptions(config).max_answer_bytes, 64 * kMiB);
  config.memory_mb = 2000;
  config.max_answer_mb = 3;
  EXPECT_EQ(CoreOptions(config).max_bytes_in_flight, 2000 * kMiB);
  EXPECT_EQ(CoreOptions(config).max_answer_bytes, 3 * kMiB);

  AgentConfig agent;
  agent.devices = {{.name = "cpu0"}, {.name = "cpu1", .queue = 7}};
  EXPECT_EQ(QueuesOf(agent), (std::map<std::string, size_t>{{"cpu0", 256}, {"cpu1", 7}}));
}

} // namespace
} // namespace avocet
