#include "cli/config/sample_inputs.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node_agent/model_files.h"
#include "tests/support/temp_dir.h"

namespace avocet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SampleInputsTest : public testing::Test {
protected:
  std::string Write(const std::string& name, const std::string& bytes) {
    std::ofstream(dir_.path() / name, std::ios::binary) << bytes;
    return (dir_.path() / name).string();
  }
  TempDir dir_;
};

TEST_F(SampleInputsTest, NamesFills) {
  const auto samples = ReadSampleInputs({"a=zeros", "b=ones", "c=random", "d=random:7"}, {}).value();
  ASSERT_EQ(samples.size(), 4U);
  EXPECT_EQ(samples[0].sample.fill, SampleFill::kZeros);
  EXPECT_EQ(samples[1].sample.fill, SampleFill::kOnes);
  EXPECT_EQ(samples[2].sample.fill, SampleFill::kRandom);
  EXPECT_EQ(samples[3].sample.seed, 7U);
}

TEST_F(SampleInputsTest, ARawFileHasItsDigestAndTheShapeOfTheFlag) {
  const auto samples = ReadSampleInputs({"x=" + Write("x.raw", "abcd")}, {"x=2x2"}).value();
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].sample,
            (SampleInput{
                .name = "x", .fill = SampleFill::kFile, .shape = {{2, 2}}, .file = Sha256Of("abcd"), .size_bytes = 4}));
  EXPECT_EQ(samples[0].data, "abcd");
}

TEST_F(SampleInputsTest, AnNpyFileBringsShapeAndType) {
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }";
  const std::string file =
      Write("x.npy", std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header + "abcd");
  const auto samples = ReadSampleInputs({"x=" + file}, {}).value();
  EXPECT_EQ(samples[0].sample.data_type, "FP32");
  EXPECT_THAT(*samples[0].sample.shape, ElementsAre(1, 1));
  EXPECT_EQ(samples[0].data, "abcd");
  EXPECT_THAT(ReadSampleInputs({"x=" + file}, {"x=1x2"}).status().message(), HasSubstr("two shapes"));
}

TEST_F(SampleInputsTest, AShapeAloneGivesOnes) {
  const auto samples = ReadSampleInputs({}, {"a=b=1x3x48x192"}).value();
  EXPECT_EQ(samples[0].sample.name, "a=b");
  EXPECT_EQ(samples[0].sample.fill, SampleFill::kOnes);
  EXPECT_THAT(*samples[0].sample.shape, ElementsAre(1, 3, 48, 192));
}

TEST_F(SampleInputsTest, AnEmptyFileIsNoElements) {
  const auto samples = ReadSampleInputs({"x=" + Write("x", "")}, {"x=0x3"}).value();
  EXPECT_EQ(samples[0].sample.fill, SampleFill::kZeros);
}

TEST_F(SampleInputsTest, WhatIsNeitherIsRefusedWithTheForm) {
  for (const std::string text : {"x", "x=", "=ones", ""})
    EXPECT_THAT(ReadSampleInputs({text}, {}).status().message(), HasSubstr("NAME=random[:SEED]")) << text;
  for (const std::string text : {"x=1x", "x=1y2", "x=-1x3", "x", "1x3", "x=1.5"})
    EXPECT_THAT(ReadSampleInputs({}, {text}).status().message(), HasSubstr("e.g. x=1x3x48x192")) << text;
  EXPECT_THAT(ReadSampleInputs({"x=random:a"}, {}).status().message(), HasSubstr("seed"));
  EXPECT_THAT(ReadSampleInputs({"x=ones", "x=zeros"}, {}).status().message(), HasSubstr("given twice"));
  EXPECT_EQ(ReadSampleInputs({"x=/no/such/file"}, {}).status().code(), StatusCode::kNotFound);
}

} // namespace
} // namespace avocet
