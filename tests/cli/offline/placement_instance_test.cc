#include "cli/offline/placement_instance.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace avocet {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

constexpr auto kSmall = R"({
  "schema": 1, "name": "small", "generator": {"seed": 1},
  "constants": {"memory_mb": {"gpu": 4000, "tpu": 3800}, "memory_threshold": 0.8,
                "frontend_mb": {"gpu": 100, "tpu": 50}, "tpu_backend_mb_per_model": 120,
                "preprocess_ms": {"gpu": 24, "tpu": 20}, "cpu_cores": 4, "network_ms": 10},
  "catalogue": {"both": {"gpu_ms": 13, "gpu_mb": 1130, "tpu_ms": 7, "switch_ms": 10.5, "tpu_scv": 0.5},
                "gpu_only": {"gpu_ms": 30, "gpu_mb": 900, "tpu_ms": null, "switch_ms": null}},
  "nodes": [{"name": "g", "kind": "gpu"}, {"name": "t", "kind": "tpu"}],
  "apps": [{"id": 0, "model": "both", "rate": 5, "slo_ms": 200},
           {"id": 1, "model": "gpu_only", "rate": 2, "slo_ms": 400, "arrival_scv": 3}]})";

Result<PlacementInstance> Parse(const Json& json) {
  return ParsePlacementInstance(json.dump(), "p.json", Statistic::kP95);
}

/// The error after one change of the small instance.
std::string ErrorWith(const std::string& pointer, const Json& value) {
  Json json = Json::parse(kSmall);
  json[Json::json_pointer(pointer)] = value;
  const auto instance = Parse(json);
  if (instance.ok()) return "no error";
  EXPECT_EQ(instance.status().code(), StatusCode::kInvalidArgument);
  return instance.status().message();
}

std::string ErrorWithout(const std::string& parent, const std::string& key) {
  Json json = Json::parse(kSmall);
  json[Json::json_pointer(parent)].erase(key);
  const auto instance = Parse(json);
  return instance.ok() ? "no error" : instance.status().message();
}

TEST(PlacementInstance, BecomesAViewAndApplications) {
  const auto instance = Parse(Json::parse(kSmall));
  ASSERT_TRUE(instance.ok()) << instance.status().message();
  EXPECT_EQ(instance->name, "small");
  EXPECT_EQ(instance->memory_fraction, 0.8);
  const auto& view = instance->view;
  const auto& gpu = view.devices.at(DeviceId("g/gpu0"));
  EXPECT_EQ(gpu.spec.discipline, Discipline::kTimeShared);
  EXPECT_EQ(gpu.spec.memory_bytes, 4000 * kMiB);
  EXPECT_EQ(gpu.health, DeviceHealth::kHealthy);
  EXPECT_EQ(view.devices.at(DeviceId("t/tpu0")).spec.discipline, Discipline::kFifo);
  EXPECT_EQ(view.nodes.at(NodeId("g")).core_speed, 1);
  EXPECT_DOUBLE_EQ(view.nodes.at(NodeId("t")).core_speed, 1.2);
  EXPECT_EQ(view.nodes.at(NodeId("t")).cpu_cores, 4U);

  const auto* profile = view.FindProfile(ModelId("both:1"), ModelFormat::kEmulated, "edgetpu/emulated");
  ASSERT_NE(profile, nullptr);
  EXPECT_EQ(profile->service_mean, FromMillis(7));
  EXPECT_EQ(profile->service_scv, 0.5);
  EXPECT_EQ(profile->switch_overhead, FromMillis(10.5));
  EXPECT_EQ(profile->memory_bytes, 120 * kMiB);
  EXPECT_EQ(profile->memory_per_app_bytes, 50 * kMiB);
  EXPECT_EQ(view.FindProfile(ModelId("gpu_only:1"), ModelFormat::kEmulated, "edgetpu/emulated"), nullptr);

  ASSERT_EQ(instance->apps.size(), 2U);
  const auto& app = instance->apps[1];
  EXPECT_EQ(app.name, AppId("app0001"));
  EXPECT_EQ(app.rate_rps, 2);
  EXPECT_EQ(app.arrival.scv, 3);
  EXPECT_EQ(app.objective, (Objective{Statistic::kP95, FromMillis(400)}));
  EXPECT_EQ(app.network_allowance, FromMillis(10));
  EXPECT_EQ(app.preprocess, FromMillis(24));
  for (const auto& one : instance->apps)
    EXPECT_EQ(Validate(one), Status());
}

TEST(PlacementInstance, PublishedOnesAreRead) {
  std::ostringstream text;
  text << std::ifstream(AVOCET_TEST_DATA "/placement/p_n4_s201.json").rdbuf();
  const auto instance = ParsePlacementInstance(text.str(), "p.json", Statistic::kMean);
  ASSERT_TRUE(instance.ok()) << instance.status().message();
  EXPECT_EQ(instance->view.devices.size(), 4U);
  EXPECT_EQ(instance->apps.size(), 80U);
  EXPECT_EQ(instance->apps[0].objective.statistic, Statistic::kMean);
}

TEST(PlacementInstance, ErrorsNameFileAndField) {
  EXPECT_EQ(ErrorWith("/apps/1/rate", -1), "p.json: field 'apps[1].rate': is -1; use 0.000001 to 1000000");
  EXPECT_EQ(ErrorWith("/apps/1/model", "pose"),
            "p.json: field 'apps[1].model': is 'pose', which the catalogue does not have");
  EXPECT_EQ(ErrorWithout("/apps/0", "slo_ms"), "p.json: field 'apps[0].slo_ms': is missing; it must be a number");
  EXPECT_EQ(ErrorWith("/apps/0/slo_ms", 10), "p.json: field 'apps[0].slo_ms': is not more than constants.network_ms");
  EXPECT_EQ(ErrorWith("/nodes/1/kind", "cpu"), "p.json: field 'nodes[1].kind': is 'cpu'; use gpu or tpu");
  EXPECT_EQ(ErrorWith("/nodes/1/name", "g"),
            "p.json: field 'nodes[1].name': is the name of an earlier node; names are distinct");
  EXPECT_EQ(ErrorWith("/nodes", Json::array()), "p.json: field 'nodes': has 0 entries; use 1 to 10000");
  EXPECT_THAT(ErrorWith("/nodes/0/name", "a b"), HasSubstr("field 'nodes[0].name': is 'a b'; use 1 to 63"));
  EXPECT_EQ(ErrorWithout("", "apps"), "p.json: field 'apps': is missing; it must be a list");
  EXPECT_EQ(ErrorWithout("", "constants"), "p.json: field 'constants': is missing; it must be an object");
  EXPECT_EQ(ErrorWithout("", "catalogue"),
            "p.json: field 'catalogue': is missing or empty; it must be an object of models");
  EXPECT_THAT(ErrorWith("/catalogue/both/gpu_ms", "fast"),
              HasSubstr("field 'catalogue.both.gpu_ms': is \"fast\"; it must be a number"));
  EXPECT_THAT(ErrorWithout("/catalogue/both", "gpu_mb"), HasSubstr("field 'catalogue.both.gpu_mb': is missing"));
  EXPECT_THAT(ErrorWithout("/constants/memory_mb", "tpu"), HasSubstr("field 'constants.memory_mb.tpu': is missing"));
  EXPECT_THAT(ErrorWith("/constants/preprocess_ms/tpu", 0), HasSubstr("must both be 0 or both be more"));
  EXPECT_THAT(ErrorWith("/constants/memory_threshold", 1.5),
              HasSubstr("field 'constants.memory_threshold': is 1.5; use"));
  EXPECT_EQ(ErrorWith("/schema", 2), "p.json: field 'schema': is a later one; this program knows 1");
}

TEST(PlacementInstance, WhatIsNoJsonIsRefused) {
  for (const char* text : {"", "[]", "{\"schema\": 1,", "nonsense"}) {
    EXPECT_EQ(ParsePlacementInstance(text, "p.json", Statistic::kP95).status().message(), "p.json: not a JSON object");
  }
}

} // namespace
} // namespace avocet
