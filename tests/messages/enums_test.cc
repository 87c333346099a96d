#include <gtest/gtest.h>

#include "messages/application.h"
#include "messages/command.h"
#include "messages/device.h"
#include "messages/model.h"
#include "messages/placement.h"
#include "messages/policy.h"

namespace avocet {
namespace {

/// `names` are those of the enumerators 1, 2, ...; each must be read back as the same enumerator.
template <class Enum>
void ExpectNames(const std::vector<std::string_view>& names, std::optional<Enum> (*parse)(std::string_view)) {
  int number = 0;
  for (const std::string_view name : names) {
    const auto value = static_cast<Enum>(++number);
    EXPECT_EQ(ToString(value), name);
    EXPECT_EQ(parse(name), value) << name;
  }
  EXPECT_EQ(ToString(static_cast<Enum>(number + 1)), "unknown") << "an enumerator is missing in the list of names";
  for (const std::string_view text : {"", "unknown", "TFLITE", " fifo", "mean ", "P95"})
    EXPECT_FALSE(parse(text));
}

TEST(Enums, HaveNamesThatReadBack) {
  ExpectNames<ModelFormat>({"tflite", "onnx", "emulated"}, ParseModelFormat);
  ExpectNames<DeviceKind>({"cpu", "gpu", "edgetpu"}, ParseDeviceKind);
  ExpectNames<DeviceHealth>({"healthy", "away", "draining"}, ParseDeviceHealth);
  ExpectNames<Discipline>({"fifo", "time_shared", "processor_sharing", "multi_server"}, ParseDiscipline);
  ExpectNames<EngineKind>({"tflite", "onnx", "emulated"}, ParseEngineKind);
  ExpectNames<Statistic>({"mean", "p50", "p95", "p99"}, ParseStatistic);
  ExpectNames<PlacementPolicy>({"fragmentation", "headroom", "first_fit", "paper_bfs", "paper_dfs", "memory_first",
                                "memory_best", "memory_worst", "utilization_first", "utilization_best",
                                "utilization_worst"},
                               ParsePlacementPolicy);
  ExpectNames<RateSource>({"declared_or_measured", "measured"}, ParseRateSource);
  ExpectNames<FilterKind>(
      {"healthy", "kind", "format", "profile", "memory", "utilization", "objectives", "paper_rate", "paper_objectives"},
      ParseFilterKind);
}

TEST(Enums, UnitsReadBackAndTheEmptyTextIsNone) {
  const std::vector<std::string_view> names = {"",    "state", "kinds",       "files", "profiles",
                                               "MiB", "ratio", "cores ratio", "ms"};
  ASSERT_EQ(names.size(), kUnits.size());
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(ToString(kUnits[i]), names[i]);
    EXPECT_EQ(ParseUnit(names[i]), kUnits[i]) << names[i];
  }
  EXPECT_FALSE(ParseUnit("mib"));
}

TEST(Enums, ShownOnlyHaveNames) {
  EXPECT_EQ(ToString(CommandKind::kStart), "start");
  EXPECT_EQ(ToString(CommandKind::kStop), "stop");
  EXPECT_EQ(ToString(PlacementPhase::kStarting), "starting");
  EXPECT_EQ(ToString(PlacementPhase::kReady), "ready");
  EXPECT_EQ(ToString(PlacementPhase::kLost), "lost");
  EXPECT_EQ(ToString(PlacementPhase::kFailed), "failed");
  EXPECT_EQ(ToString(DecisionKind::kAdmit), "admit");
  EXPECT_EQ(ToString(DecisionKind::kReject), "reject");
  EXPECT_EQ(ToString(DecisionKind::kAdmitWithMoves), "admit_with_moves");
}

TEST(EngineKind, ReadsTheFormatOfItsName) {
  for (const EngineKind engine : {EngineKind::kTflite, EngineKind::kOnnx, EngineKind::kEmulated}) {
    EXPECT_EQ(ToString(FormatOf(engine)), ToString(engine));
  }
}

} // namespace
} // namespace avocet
