#include "node_agent/formats/tflite_file.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "messages/files.h"
#include "tests/node_agent/engines/engine_contract.h"

// These tests need the sample models: deploy/install-engines. They fail without.
namespace avocet {
namespace {

using testing::HasSubstr;

constexpr size_t kMost = 64 << 20;

std::string Sample(const std::string& name) {
  return ReadWholeFile(EnginePrefix() / "share" / "avocet" / "models" / name, kMost).value();
}

TEST(TfliteFile, SaysWhatItTakesAndGives) {
  const auto signature = InspectTflite(Sample("face_detection_short_range.tflite"));
  ASSERT_TRUE(signature.ok()) << signature.status().ToString();
  EXPECT_EQ(signature->inputs, (std::vector<TensorSpec>{{"input", DataType::kFp32, {1, 128, 128, 3}}}));
  EXPECT_EQ(signature->outputs, (std::vector<TensorSpec>{{"regressors", DataType::kFp32, {1, 896, 16}},
                                                         {"classificators", DataType::kFp32, {1, 896, 1}}}));
}

TEST(TfliteFile, WhatIsNoModelIsRefused) {
  for (const std::string& bytes :
       {std::string(), std::string("# README"), std::string(200, '\xff'), std::string("\x08\x00\x00\x00TFL3", 8)})
    EXPECT_EQ(InspectTflite(bytes).status().code(), StatusCode::kInvalidArgument) << bytes;
}

// TensorFlow Lite follows offsets as they stand: a cut file ends the process that loads it.
TEST(TfliteFile, ACutModelIsRefusedWhereverItIsCut) {
  const std::string model = Sample("face_detection_short_range.tflite");
  for (size_t part = 1; part < 50; ++part)
    EXPECT_EQ(InspectTflite(model.substr(0, model.size() * part / 50)).status().code(), StatusCode::kInvalidArgument)
        << part;
}

TEST(TfliteFile, ADamagedModelIsReadOrRefusedAndNothingElse) {
  const std::string model = Sample("face_landmark.tflite");
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    std::string damaged = model;
    for (int byte = 0; byte < 40; ++byte) // tables stand at the end of a file, weights before them
      damaged[damaged.size() - 1 - random() % std::min<size_t>(damaged.size(), 60'000)] = static_cast<char>(random());
    refused += InspectTflite(damaged).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 100);
}

} // namespace
} // namespace avocet
