#include "messages/model.h"

#include <cmath>
#include <limits>

#include "tests/messages/samples.h"
#include "tests/messages/validate_cases.h"

namespace avocet {
namespace {

using std::chrono::hours;

TEST(ValidateModel, NamesTheFirstBrokenRule) {
  ExpectValidate<Model>(
      SampleModel(),
      {{[](auto& m) { m.name = std::string(63, 'm'); }, ""},
       {[](auto& m) { m.name = std::string(64, 'm'); }, "field 'name'"},
       {[](auto& m) { m.name = ""; }, "model '': field 'name' is ''; it must be 1 to 63"},
       {[](auto& m) { m.version = "999999999999999999"; }, ""},
       {[](auto& m) { m.version = "v1"; }, "model 'pose': field 'version' is 'v1'"},
       {[](auto& m) { m.version = ""; }, "field 'version'"},
       {[](auto& m) { m.variants.clear(); }, "field 'variants' is empty; it must be at least one file"},
       {[](auto& m) {
          m.variants.push_back({ModelFormat::kOnnx, kDigest, 1});
        },
        ""},
       {[](auto& m) {
          m.variants.push_back({ModelFormat::kTflite, kDigest, 1});
        },
        "two files of one format"},
       {[](auto& m) { m.variants.resize(4, m.variants[0]); }, "field 'variants' is a list of 4"},
       {[](auto& m) { m.variants[0].file = Sha256("abc"); }, "model 'pose': variant 'tflite': field 'file' is 'abc'"},
       {[](auto& m) { m.variants[0].size_bytes = kMaxModelFileBytes; }, ""},
       {[](auto& m) { m.variants[0].size_bytes = kMaxModelFileBytes + 1; }, "field 'size_bytes' is 2147483649"},
       {[](auto& m) { m.variants[0].size_bytes = 0; }, "field 'size_bytes' is 0"}});
}

TEST(ValidateModel, NamesWhatIsWrongWithASample) {
  Model model = SampleModel();
  model.samples = {{.name = "x", .fill = SampleFill::kFile, .shape = {{1, 3}}, .file = kDigest, .size_bytes = 12}};
  ExpectValidate<Model>(
      model, {{[](auto& m) { m.samples[0].name = std::string(1024, 'x'); }, ""},
              {[](auto& m) { m.samples[0].name = std::string(1025, 'x'); }, "field 'name'"},
              {[](auto& m) { m.samples[0].name = ""; }, "model 'pose': sample input '': field 'name'"},
              {[](auto& m) { m.samples[0].shape->resize(32, 0); }, ""},
              {[](auto& m) { m.samples[0].shape->resize(33, 0); }, "field 'shape' is a list of 33"},
              {[](auto& m) { m.samples[0].shape->at(0) = -1; }, "field 'shape' is an extent out of range"},
              {[](auto& m) { m.samples[0].size_bytes = kMaxSampleBytes; }, ""},
              {[](auto& m) { m.samples[0].size_bytes = kMaxSampleBytes + 1; }, "field 'size_bytes' is 268435457"},
              {[](auto& m) { m.samples[0].size_bytes = 0; }, "field 'size_bytes' is 0"},
              {[](auto& m) { m.samples[0].file = Sha256("abc"); }, "sample input 'x': field 'file' is 'abc'"},
              {[](auto& m) { m.samples.push_back(m.samples[0]); }, "field 'samples' is two of one input"},
              {[](auto& m) { m.samples.resize(257, m.samples[0]); }, "field 'samples' is a list of 257"}});
}

TEST(Model, FindsTheVariantOfAFormat) {
  Model model = SampleModel();
  model.variants.push_back({ModelFormat::kOnnx, kDigest, 7});
  ASSERT_NE(model.Find(ModelFormat::kOnnx), nullptr);
  EXPECT_EQ(model.Find(ModelFormat::kOnnx)->size_bytes, 7U);
  EXPECT_EQ(model.Find(ModelFormat::kEmulated), nullptr);
  EXPECT_EQ(model.id(), ModelId("pose:1"));
}

TEST(ValidateProfile, NamesTheFirstBrokenRule) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  ExpectValidate<Profile>(
      SampleProfile(), {{[](auto& p) { p.model = ModelId("pose"); }, "profile 'pose': field 'model' is 'pose'"},
                        {[](auto& p) { p.device_type = ""; }, "field 'device_type'"},
                        {[](auto& p) { p.device_type = std::string(256, 't'); }, ""},
                        {[](auto& p) { p.device_type = std::string(257, 't'); }, "field 'device_type'"},
                        {[](auto& p) { p.device_type = "a\tb"; }, "field 'device_type'"},
                        {[](auto& p) { p.service_mean = Duration(1); }, ""},
                        {[](auto& p) { p.service_mean = Duration(0); }, "field 'service_mean' is 0 ms"},
                        {[](auto& p) { p.service_mean = hours(1); }, ""},
                        {[](auto& p) { p.service_mean = hours(1) + Duration(1); }, "field 'service_mean'"},
                        {[](auto& p) { p.service_scv = -0.1; }, "field 'service_scv' is -0.1"},
                        {[](auto& p) { p.service_scv = std::nan(""); }, "field 'service_scv' is nan"},
                        {[](auto& p) { p.service_scv = kInfinity; }, "field 'service_scv' is inf"},
                        {[](auto& p) { p.switch_overhead = hours(1); }, ""},
                        {[](auto& p) { p.switch_overhead = hours(1) + Duration(1); }, "field 'switch_overhead'"},
                        {[](auto& p) { p.switch_overhead = Duration(-1); }, "field 'switch_overhead' is -1e-06 ms"},
                        {[](auto& p) { p.memory_bytes = kMaxMemoryBytes; }, ""},
                        {[](auto& p) { p.memory_bytes = kMaxMemoryBytes + 1; }, "field 'memory_bytes'"},
                        {[](auto& p) { p.memory_per_app_bytes = kMaxMemoryBytes; }, ""},
                        {[](auto& p) { p.memory_per_app_bytes = kMaxMemoryBytes + 1; }, "field 'memory_per_app_bytes'"},
                        {[](auto& p) { p.runs = 1; }, ""},
                        {[](auto& p) { p.runs = 0; }, "field 'runs' is 0; it must be >= 1"}});
}

TEST(Profile, KeyNamesModelFormatAndDeviceType) {
  EXPECT_EQ(SampleProfile().key(), "pose:1|tflite|cpu tflite Xeon 1 core");
}

} // namespace
} // namespace avocet
