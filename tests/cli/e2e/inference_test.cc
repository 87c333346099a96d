#include <cstring>
#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node_agent/tflite_engine.h"
#include "tests/support/dev_cluster.h"

// The inference endpoint as a foreign client sees it: Python's gRPC, with stubs made from the protocol file.
namespace avocet {
namespace {

using nlohmann::json;

constexpr const char* kModel = "face_detection_short_range.tflite";

std::filesystem::path Prefix() {
  return SampleModel("").parent_path().parent_path().parent_path().parent_path();
}

std::string Hex(const std::vector<std::byte>& bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte b : bytes) {
    text += kDigits[static_cast<unsigned>(b) >> 4];
    text += kDigits[static_cast<unsigned>(b) & 15];
  }
  return text;
}

json ToJson(const TensorSpec& spec) {
  return {{"name", spec.name}, {"datatype", ToString(spec.type)}, {"shape", spec.shape}};
}

json ToJson(const std::vector<TensorSpec>& specs) {
  json list = json::array();
  for (const auto& spec : specs)
    list.push_back(ToJson(spec));
  return list;
}

/// The same engine that the agent uses, called directly.
class DirectRun {
public:
  explicit DirectRun(unsigned seed) {
    auto engine = MakeTfliteEngine(Prefix(), Discipline::kFifo);
    if (!engine.ok()) throw std::runtime_error(engine.status().ToString());
    engine_ = std::move(*engine);
    auto model = engine_->Load({ModelId("face:1"), SampleModel(kModel)});
    if (!model.ok()) throw std::runtime_error(model.status().ToString());
    model_ = std::move(*model);
    Fill(seed);
    const TensorView input{model_->signature().inputs.at(0), input_};
    auto result = model_->Run({.inputs = std::span(&input, 1)});
    if (!result.ok()) throw std::runtime_error(result.status().ToString());
    outputs_ = std::move(result->outputs);
  }

  const ModelSignature& signature() const { return model_->signature(); }
  const std::vector<std::byte>& input() const { return input_; }
  const std::vector<Tensor>& outputs() const { return outputs_; }

private:
  void Fill(unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> pixel(-1, 1);
    input_.resize(ByteSize(model_->signature().inputs.at(0)).value());
    for (size_t at = 0; at < input_.size(); at += sizeof(float)) {
      const float value = pixel(random);
      std::memcpy(&input_[at], &value, sizeof value);
    }
  }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<LoadedModel> model_;
  std::vector<std::byte> input_;
  std::vector<Tensor> outputs_;
};

class ForeignClient : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_STRNE(AVOCET_PYTHON, "AVOCET_PYTHON-NOTFOUND") << "install python3-grpcio";
    ASSERT_STRNE(AVOCET_GRPC_PYTHON_PLUGIN, "AVOCET_GRPC_PYTHON_PLUGIN-NOTFOUND") << "install protobuf-compiler-grpc";
    cluster.Start();
    ASSERT_TRUE(cluster.WaitUntilServing());
    (void)cluster.Json({"model", "import", SampleModel(kModel).string()});
    const AppFile app{.name = "door", .model = "face_detection_short_range", .kind = "cpu"};
    ASSERT_TRUE(cluster.Json({"app", "apply", cluster.Write(app)}).is_object());
    MakeStubs();
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
    const auto said = RunToEnd({.command = {AVOCET_PYTHON, client, stubs(), cluster.inference(), "door", file},
                                .stderr_file = {},
                                .environment = {}},
                               kPatience);
    EXPECT_EQ(said.exit_code, 0) << said.err;
    return json::parse(said.out, nullptr, false);
  }

  std::string stubs() const { return (cluster.folder() / "stubs").string(); }

  DevCluster cluster;
};

TEST_F(ForeignClient, GetsTheAnswersOfTheProtocolAndTheBytesOfTheEngine) {
  const DirectRun direct(11);
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
  ASSERT_EQ(said["first_output"]["raw"].size(), 1);
  EXPECT_TRUE(said["first_output"]["raw"][0] == said["raw"]["raw"][0]);
  EXPECT_EQ(said["errors"], (json{{"stranger", "NOT_FOUND"},
                                  {"stranger_metadata", "NOT_FOUND"},
                                  {"wrong_version", "NOT_FOUND"},
                                  {"wrong_shape", "INVALID_ARGUMENT"},
                                  {"short_input", "INVALID_ARGUMENT"},
                                  {"no_input", "INVALID_ARGUMENT"}}));
}

TEST_F(ForeignClient, AnotherPictureGetsAnotherAnswer) {
  const DirectRun one(1), two(2);
  const json first = Ask(one.input())["raw"]["raw"], second = Ask(two.input())["raw"]["raw"];
  EXPECT_FALSE(first == second);
  EXPECT_TRUE(second[0] == Hex(two.outputs()[0].data));
}

} // namespace
} // namespace avocet
