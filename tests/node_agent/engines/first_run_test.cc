#include "node_agent/engines/first_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avocet {
namespace {

using testing::HasSubstr;

const ModelSignature kSignature{{{"x", DataType::kUint8, {1}}, {"y", DataType::kUint8, {1}}}, {}};

uint8_t FirstOf(const std::shared_ptr<const ProbeInputs>& inputs, size_t index) {
  return std::to_integer<uint8_t>(inputs->views()[index].data[0]);
}

TEST(FirstRun, IsMadeOnOnes) {
  const FirstRun run = MakeFirstRun(kSignature, {}, [](const auto&) { return Status(); });
  EXPECT_TRUE(run.status.ok());
  EXPECT_EQ(FirstOf(run.inputs, 0), 1);
}

TEST(FirstRun, FallsBackToZeros) {
  const FirstRun run = MakeFirstRun(
      kSignature, {}, [](const auto& inputs) { return FirstOf(inputs, 0) == 0 ? Status() : Internal("too large"); });
  EXPECT_TRUE(run.status.ok());
  EXPECT_EQ(FirstOf(run.inputs, 0), 0);
}

TEST(FirstRun, WithoutSuccessSaysWhyAndOnWhat) {
  const FirstRun run = MakeFirstRun(kSignature, {}, [](const auto&) { return Internal("the engine's words"); });
  EXPECT_EQ(run.status.code(), StatusCode::kInternal);
  EXPECT_THAT(run.status.message(), HasSubstr("invented inputs"));
  EXPECT_THAT(run.status.message(), HasSubstr("the engine's words"));
}

TEST(FirstRun, TakesWhatIsGivenAndInventsTheRest) {
  const GivenInput given{{.name = "y", .fill = SampleFill::kFile}, {std::byte{7}}};
  const FirstRun run = MakeFirstRun(kSignature, std::span(&given, 1), [](const auto&) { return Internal("never"); });
  EXPECT_EQ(FirstOf(run.inputs, 0), 1);
  EXPECT_EQ(FirstOf(run.inputs, 1), 7);
  EXPECT_FALSE(run.status.ok());
}

TEST(FirstRun, WhatIsGivenAndDoesNotFitIsSaid) {
  const GivenInput given{{.name = "y", .shape = {{2}}}, {}};
  const FirstRun run = MakeFirstRun(kSignature, std::span(&given, 1), [](const auto&) { return Status(); });
  EXPECT_EQ(run.inputs, nullptr);
  EXPECT_THAT(run.status.message(), HasSubstr("does not fit"));
}

} // namespace
} // namespace avocet
