#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/config/config_files.h"

namespace avocet {
namespace {

using ::testing::StartsWith;

std::string ErrorOf(const std::string& text) {
  const auto config = ParseControllerConfig(text, "c.toml");
  return config.ok() ? "no error" : config.status().message();
}

TEST(ControllerConfig, EmptyFileGivesTheDefaults) {
  const auto config = ParseControllerConfig("", "c.toml");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->data_dir, "/var/lib/avocet/controller");
  EXPECT_EQ(config->listen, "127.0.0.1:7400");
  EXPECT_EQ(config->policy.mean_tolerance, 0.95);
  EXPECT_EQ(config->policy.percentile_tolerance, 0.90);
  EXPECT_EQ(config->policy.max_utilization, 0.92);
  EXPECT_EQ(config->policy.max_preprocess_cpu, 0.75);
  EXPECT_EQ(config->connections, 4352);
  EXPECT_EQ(config->connections_per_address, 256);
}

TEST(ControllerConfig, ReadsEveryKey) {
  const auto config = ParseControllerConfig("data_dir = \"/d\"\nlisten = \"127.0.0.1:0\"\n[policy]\n"
                                            "mean_tolerance = 0.5\npercentile_tolerance = 0.6\nmax_utilization = 0.7\n"
                                            "max_preprocess_cpu = 0.8\nmemory_fraction = 0.9\n"
                                            "placement = \"first_fit\"\nmax_moves = 0\n"
                                            "[limits]\nconnections = 10\nconnections_per_address = 5\n",
                                            "c.toml");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->data_dir, "/d");
  EXPECT_EQ(config->listen, "127.0.0.1:0");
  EXPECT_EQ(config->policy.mean_tolerance, 0.5);
  EXPECT_EQ(config->policy.percentile_tolerance, 0.6);
  EXPECT_EQ(config->policy.max_utilization, 0.7);
  EXPECT_EQ(config->policy.max_preprocess_cpu, 0.8);
  EXPECT_EQ(config->policy.memory_fraction, 0.9);
  EXPECT_EQ(config->policy.placement, PlacementPolicy::kFirstFit);
  EXPECT_EQ(config->policy.max_moves, 0);
  EXPECT_EQ(config->connections, 10);
  EXPECT_EQ(config->connections_per_address, 5);
}

TEST(ControllerConfig, ConnectionsOutOfRangeAreFoundAtTheirPlace) {
  EXPECT_THAT(ErrorOf("[limits]\nconnections = 0\n"), StartsWith("c.toml:2:15: field 'limits.connections': is 0"));
  EXPECT_THAT(ErrorOf("[limits]\nconnections_per_address = 1048577\n"),
              StartsWith("c.toml:2:27: field 'limits.connections_per_address': is 1048577"));
}

TEST(ControllerConfig, MarginsOutOfRangeAreFoundAtTheirPlace) {
  EXPECT_THAT(ErrorOf("[policy]\nmax_utilization = 1.5\n"),
              StartsWith("c.toml:2:19: field 'policy.max_utilization': is 1.5"));
  EXPECT_THAT(ErrorOf("[policy]\nmean_tolerance = 0\n"),
              StartsWith("c.toml:2:18: field 'policy.mean_tolerance': is 0"));
  EXPECT_THAT(ErrorOf("[policy]\nmax_moves = 17\n"),
              StartsWith("c.toml:2:13: field 'policy.max_moves': is 17; it must be 0 to 16"));
}

TEST(ControllerConfig, UnknownKeys) {
  EXPECT_EQ(ErrorOf("[policy]\nmax_utilisation = 0.5\n"),
            "c.toml:2:1: field 'policy.max_utilisation': unknown key 'max_utilisation'; did you mean "
            "'max_utilization'?");
  EXPECT_EQ(ErrorOf("[polcy]\nmax_utilization = 0.5\n"),
            "c.toml:1:2: field 'polcy': unknown key 'polcy'; did you mean 'policy'?");
}

TEST(ControllerConfig, TlsNamesThreeFilesOrNone) {
  EXPECT_FALSE(ParseControllerConfig("", "c.toml")->tls);
  const auto config = ParseControllerConfig("[tls]\nca = \"a\"\ncertificate = \"b\"\nkey = \"c\"\n", "c.toml");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->tls, (TlsOptions{"a", "b", "c"}));
  EXPECT_THAT(ErrorOf("[tls]\nca = \"a\"\nkey = \"c\"\n"), StartsWith("c.toml:1:"));
  EXPECT_THAT(ErrorOf("[tls]\nca = \"a\"\ncertificate = \"b\"\nkey = \"\"\n"),
              StartsWith("c.toml:4:7: field 'tls.key': "));
  EXPECT_THAT(ErrorOf("[tls]\nca = \"a\"\ncert = \"b\"\ncertificate = \"b\"\nkey = \"c\"\n"),
              StartsWith("c.toml:3:1: field 'tls.cert': unknown key 'cert'"));
}

TEST(ControllerConfig, ListenAndDataDirAreChecked) {
  EXPECT_THAT(ErrorOf("listen = \"7400\"\n"), StartsWith("c.toml:1:10: field 'listen': is '7400'"));
  EXPECT_THAT(ErrorOf("data_dir = \"\"\n"), StartsWith("c.toml:1:12: field 'data_dir': is ''"));
}

} // namespace
} // namespace avocet
