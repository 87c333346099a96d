// What runs of ONNX models take of memory, and what they leave behind. Needs the library: deploy/install-engines.
#include "node_agent/engines/onnx_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <vector>

#include "node_agent/engines/process_usage.h"
#include "tests/node_agent/engines/engine_contract.h"

namespace avocet {
namespace {

using testing::HasSubstr;

std::filesystem::path TileBomb() {
  return std::filesystem::path(AVOCET_SOURCE_DIR) / "tests/data/models/tile_bomb.onnx";
}

class OnnxMemoryTest : public testing::Test {
protected:
  void SetUp() override {
    auto engine = MakeEngine({.kind = EngineKind::kOnnx, .prefix = EnginePrefix()});
    ASSERT_TRUE(engine.ok()) << engine.status().ToString();
    engine_ = std::move(*engine);
    auto model = engine_->Load({ModelId("bomb:1"), TileBomb()});
    ASSERT_TRUE(model.ok()) << model.status().ToString();
    model_ = std::move(*model);
  }

  /// An output of rows x 1 numbers of four bytes.
  Result<RunResult> Ask(int64_t rows, RunRequest limits = {}) {
    const int64_t shape[] = {rows, 1};
    const std::vector<TensorView> inputs{
        {model_->signature().inputs.at(0), std::as_bytes(std::span<const int64_t>(shape))}};
    limits.inputs = inputs;
    return model_->Run(limits);
  }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<LoadedModel> model_;
};

TEST_F(OnnxMemoryTest, ALargeRunLeavesNoMemoryBehind) {
  ASSERT_TRUE(Ask(1).ok());
  const uint64_t before = ResidentBytes();
  ASSERT_TRUE(Ask(50'000'000).ok()); // 200 MB, and a copy
  EXPECT_LE(ResidentBytes(), before + 50'000'000);
}

TEST_F(OnnxMemoryTest, ARunThatTakesMoreThanItMayFailsAlone) {
  const auto refused = Ask(50'000'000, {.max_memory_bytes = 100 * kMiB});
  EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused.status().message(), HasSubstr("more than the 100 MiB of memory that the device has"));
  const auto next = Ask(2, {.max_memory_bytes = 100 * kMiB});
  ASSERT_TRUE(next.ok()) << next.status().ToString();
  EXPECT_EQ(next->outputs.at(0).data.size(), 8u);
  EXPECT_TRUE(Ask(50'000'000).ok()) << "the bound was that run's";
}

TEST_F(OnnxMemoryTest, OutputsBeyondTheBoundAreNotCopied) {
  EXPECT_TRUE(Ask(1000, {.max_output_bytes = 4000}).ok());
  const auto refused = Ask(1001, {.max_output_bytes = 4000});
  EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused.status().message(), HasSubstr("max_answer_mb"));
}

TEST_F(OnnxMemoryTest, EnginesComeAndGoInAnyOrder) {
  auto other = MakeEngine({.kind = EngineKind::kOnnx, .prefix = EnginePrefix()});
  ASSERT_TRUE(other.ok());
  model_.reset();
  engine_.reset();
  auto model = (*other)->Load({ModelId("bomb:1"), TileBomb()});
  ASSERT_TRUE(model.ok());
  model_ = std::move(*model);
  EXPECT_TRUE(Ask(3).ok());
  model_.reset();
  other->reset();
  SetUp();
  EXPECT_TRUE(Ask(3).ok());
}

} // namespace
} // namespace avocet
