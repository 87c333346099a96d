// What MakeOnnxEngine says of a library that it cannot use.
#include "node_agent/engines/onnx_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node_agent/engines/onnx_runtime.h"
#include "tests/node_agent/engines/engine_contract.h"
#include "tests/support/temp_dir.h"

namespace avocet {
namespace {

using testing::HasSubstr;

/// A prefix whose ONNX Runtime is `library`.
class Prefix {
public:
  explicit Prefix(const std::filesystem::path& library) {
    std::filesystem::create_directories(dir_.path() / "lib");
    std::filesystem::copy_file(library, dir_.path() / "lib" / "libonnxruntime.so.1");
  }
  std::filesystem::path path() const { return dir_.path(); }

private:
  TempDir dir_;
};

Status WhyNot(const std::filesystem::path& prefix) {
  const Status status = MakeEngine({EngineKind::kOnnx, DeviceKind::kCpu, Discipline::kFifo, prefix}).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported) << status.ToString();
  EXPECT_THAT(status.message(), HasSubstr("deploy/install-engines"));
  EXPECT_THAT(status.message(), HasSubstr((prefix / "lib" / "libonnxruntime.so.1").string()));
  return status;
}

TEST(OnnxEngine, AMissingLibraryIsNamedWithTheRemedy) {
  const TempDir empty;
  EXPECT_THAT(WhyNot(empty.path()).message(), HasSubstr("no library"));
}

TEST(OnnxEngine, ALibraryWithoutTheFunctionIsUnsupported) {
  EXPECT_THAT(WhyNot(Prefix(AVOCET_NOT_AN_ENGINE).path()).message(), HasSubstr("no function OrtGetApiBase"));
}

TEST(OnnxEngine, ALibraryThatIsTooOldIsUnsupportedWithItsVersion) {
  const auto message = WhyNot(Prefix(AVOCET_OLD_ONNX).path()).message();
  EXPECT_THAT(message, HasSubstr("ONNX Runtime 1.14.1"));
  EXPECT_THAT(message, HasSubstr("older than 1.21"));
}

// The default library is a CPU build. On a machine with another one this test has nothing to say.
TEST(OnnxEngine, AGpuWithoutProvidersIsUnsupportedWithBothReasons) {
  const auto runtime = OnnxRuntime::Open(EnginePrefix());
  ASSERT_TRUE(runtime.ok());
  for (const auto& state : ProbeProviders(**runtime))
    if (state.status.ok()) GTEST_SKIP() << ToString(state.provider) << " works here";
  const Status status = MakeOnnxEngine(EnginePrefix(), DeviceKind::kGpu, Discipline::kTimeShared).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), HasSubstr("; TensorRT: "));
  EXPECT_THAT(status.message(), HasSubstr("; CUDA: "));
  EXPECT_EQ(status.message().find('\n'), std::string::npos) << status.message();
}

TEST(OnnxEngine, HasNothingForAnEdgeTpu) {
  const Status status = MakeOnnxEngine(EnginePrefix(), DeviceKind::kEdgeTpu, Discipline::kFifo).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), HasSubstr("edgetpu"));
}

TEST(OnnxEngine, CanCancel) {
  EXPECT_TRUE(MakeOnnxEngine(EnginePrefix(), DeviceKind::kCpu, Discipline::kFifo).value()->can_cancel());
}

} // namespace
} // namespace avocet
