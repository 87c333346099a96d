#include <cstring>
#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node_agent/tensors/tensor_contents.h"
#include "tests/cli/e2e/direct_run.h"
#include "tests/support/dev_cluster.h"

// The inference endpoint as a foreign client sees it: Python's gRPC, with stubs made from the protocol file.
namespace avocet {
namespace {

using nlohmann::json;

std::string Hex(const std::vector<std::byte>& bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte b : bytes) {
    text += kDigits[static_cast<unsigned>(b) >> 4];
    text += kDigits[static_cast<unsigned>(b) & 15];
  }
  return text;
}

class ForeignClient : public testing::TestWithParam<DirectModel> {
protected:
  void SetUp() override {
    UseEngine(GetParam().engine);
    ASSERT_STRNE(AVOCET_PYTHON, "AVOCET_PYTHON-NOTFOUND") << "install python3-grpcio";
    ASSERT_STRNE(AVOCET_GRPC_PYTHON_PLUGIN, "AVOCET_GRPC_PYTHON_PLUGIN-NOTFOUND") << "install protobuf-compiler-grpc";
    cluster.Start();
    ASSERT_TRUE(cluster.WaitUntilServing());
    (void)cluster.Json({"model", "import", SampleModel(GetParam().model).string(), "--name", "picture"});
    const AppFile app{.name = "door", .model = "picture", .kind = "cpu"};
    ASSERT_TRUE(cluster.Json({"app", "apply", cluster.Write(app)}).is_object());
    MakeStubs();
  }

  void UseEngine(EngineKind engine) {
    const auto file = cluster.folder() / "dev.toml";
    std::ifstream in(file);
    std::string config(std::istreambuf_iterator<char>(in), {});
    const std::string usual = "\"tflite\"";
    config.replace(config.find(usual), usual.size(), '"' + std::string(ToString(engine)) + '"');
    (void)cluster.Write("dev.toml", config);
  }

  void MakeStubs() {
    const std::string protos = (std::filesystem::path(AVOCET_SOURCE_DIR) / "messages" / "proto").string();
    std::filesystem::create_directories(stubs());
    const auto made =
        RunToEnd({.command = {AVOCET_PROTOC, "-I", protos, "--python_out=" + stubs(), "--grpc_out=" + stubs(),
                              std::string("--plugin=protoc-gen-grpc=") + AVOCET_GRPC_PYTHON_PLUGIN,
                              "inference/grpc_service.proto"},
                  .stderr_file = {},
                  .environment = {}},
                 kPatience);
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }

  json Ask(const std::vector<std::byte>& input) {
    const auto file = cluster.folder() / "input";
    std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(input.data()), std::ssize(input));
    const std::string client = std::string(AVOCET_SOURCE_DIR) + "/tests/cli/e2e/open_inference_client.py";
    const auto said = RunToEnd({.command = {AVOCET_PYTHON, client, stubs(), cluster.inference(), "door", file, Shape()},
                                .stderr_file = {},
                                .environment = {}},
                               kPatience);
    EXPECT_EQ(said.exit_code, 0) << said.err;
    return json::parse(said.out, nullptr, false);
  }

  static std::string Shape() {
    std::string text;
    for (const int64_t extent : GetParam().shape)
      text += (text.empty() ? "" : "x") + std::to_string(extent);
    return text;
  }

  std::string stubs() const { return (cluster.folder() / "stubs").string(); }

  DevCluster cluster;
};

INSTANTIATE_TEST_SUITE_P(
    Engines, ForeignClient,
    testing::Values(DirectModel{EngineKind::kTflite, "face_detection_short_range.tflite", {1, 128, 128, 3}},
                    DirectModel{EngineKind::kOnnx, "ch_ppocr_mobile_v2.0_cls_infer.onnx", {1, 3, 48, 192}}),
    [](const auto& info) { return std::string(ToString(info.param.engine)); });

TEST_P(ForeignClient, GetsTheAnswersOfTheProtocolAndTheBytesOfTheEngine) {
  const DirectRun direct(GetParam(), 11);
  const json said = Ask(direct.input());
  ASSERT_TRUE(said.is_object());
  EXPECT_EQ(said["live"], true);
  EXPECT_EQ(said["ready"], true);
  EXPECT_EQ(said["model_ready"], true);
  EXPECT_EQ(said["stranger_ready"], false);
  EXPECT_EQ(said["server"], (json{{"name", "avocet"}, {"version", AVOCET_VERSION}}));
  EXPECT_EQ(said["model"]["name"], "door");
  EXPECT_EQ(said["model"]["versions"], json::array({"1"}));
  EXPECT_EQ(said["model"]["inputs"], ToJson(direct.signature().inputs));
  EXPECT_EQ(said["model"]["outputs"], ToJson(direct.signature().outputs));
  for (const std::string form : {"raw", "typed"}) {
    const json& answer = said[form];
    EXPECT_EQ(answer["model_name"], "door");
    EXPECT_EQ(answer["model_version"], "1");
    EXPECT_EQ(answer["id"], "frame-1");
    EXPECT_NE(answer["parameters"].value("emulated", false), true) << "this device is real";
    ASSERT_EQ(answer["raw"].size(), direct.outputs().size());
    for (size_t i = 0; i < direct.outputs().size(); ++i) {
      EXPECT_EQ(answer["outputs"][i], ToJson(direct.outputs()[i].spec));
      EXPECT_TRUE(answer["raw"][i] == Hex(direct.outputs()[i].data)) << form << ": other bytes in output " << i;
    }
  }
  EXPECT_TRUE(said["compressed"] == json::array({said["typed"], said["typed"]}));
  const auto texts = direct.Classes(0, 3);
  std::vector<std::byte> classes;
  for (const std::string& text : texts)
    AppendByteString(text, classes);
  EXPECT_EQ(said["classes"]["outputs"][0],
            ToJson(TensorSpec{direct.outputs()[0].spec.name, DataType::kBytes, {std::ssize(texts)}}));
  EXPECT_EQ(said["classes"]["raw"], json::array({Hex(classes)}));
  ASSERT_EQ(said["first_output"]["raw"].size(), 1);
  EXPECT_TRUE(said["first_output"]["raw"][0] == said["raw"]["raw"][0]);
  EXPECT_EQ(said["errors"], (json{{"stranger", "NOT_FOUND"},
                                  {"stranger_metadata", "NOT_FOUND"},
                                  {"wrong_version", "NOT_FOUND"},
                                  {"wrong_shape", "INVALID_ARGUMENT"},
                                  {"short_input", "INVALID_ARGUMENT"},
                                  {"no_input", "INVALID_ARGUMENT"}}));
}

TEST_P(ForeignClient, GetsWhatTritonsClientsAskFor) {
  const json said = Ask(DirectRun(GetParam(), 5).input())["triton_clients"];
  ASSERT_TRUE(said.is_object());
  std::vector<std::string> ids(32), stream_ids(8);
  for (size_t i = 0; i < ids.size(); ++i)
    ids[i] = std::to_string(i);
  std::copy_n(ids.begin(), stream_ids.size(), stream_ids.begin());
  EXPECT_EQ(said["config"], (json{{"name", "door"}, {"max_batch_size", 0}}));
  EXPECT_EQ(said["statistics"], true);
  EXPECT_EQ(said["ids"], ids);
  EXPECT_EQ(said["outputs"], 1) << "one picture, one answer";
  EXPECT_EQ(said["stream_ids"], stream_ids);
  EXPECT_EQ(said["stream_errors"], json::array());
  EXPECT_EQ(said["counted"], (json{40, 40, 40, 40})) << "perf_analyzer gives up when they differ";
}

TEST_P(ForeignClient, AnotherPictureGetsAnotherAnswer) {
  const DirectRun one(GetParam(), 1), two(GetParam(), 2);
  const json first = Ask(one.input())["raw"]["raw"], second = Ask(two.input())["raw"]["raw"];
  EXPECT_FALSE(first == second);
  EXPECT_TRUE(second[0] == Hex(two.outputs()[0].data));
}

} // namespace
} // namespace avocet
