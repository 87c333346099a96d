#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/e2e/direct_run.h"
#include "tests/support/dev_cluster.h"

// The REST endpoint and /metrics as curl sees them, against a real model.
namespace avocet {
namespace {

const DirectModel kFace{EngineKind::kTflite, "face_detection_short_range.tflite", {1, 128, 128, 3}};

using nlohmann::json;
using testing::HasSubstr;

class Curl : public testing::Test {
protected:
  void SetUp() override {
    cluster.Start();
    ASSERT_TRUE(cluster.WaitUntilServing());
    (void)cluster.Json({"model", "import", SampleModel(kFace.model).string()});
    const AppFile app{.name = "door", .model = "face_detection_short_range", .kind = "cpu"};
    ASSERT_TRUE(cluster.Json({"app", "apply", cluster.Write(app)}).is_object());
  }

  std::string Ask(const std::string& url, std::vector<std::string> arguments = {}) {
    std::vector<std::string> command{"/usr/bin/curl", "-sS", "--max-time", "60"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    command.push_back("http://" + url);
    const auto said = RunToEnd({.command = command, .stderr_file = {}, .environment = {}}, kPatience);
    EXPECT_EQ(said.exit_code, 0) << url << ": " << said.err;
    return said.out;
  }
  json AskJson(const std::string& path, const std::vector<std::string>& arguments = {}) {
    return json::parse(Ask(cluster.rest() + path, arguments), nullptr, false);
  }
  /// The answer's body, after its header has been looked at.
  std::string Infer(const std::string& body, const std::vector<std::string>& arguments, size_t& json_bytes) {
    const auto file = cluster.Write("body", body), head = cluster.folder() / "head";
    std::vector<std::string> all{"--data-binary", "@" + file.string(), "-D", head.string()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    std::string said = Ask(cluster.rest() + "/v2/models/door/versions/1/infer", all);
    std::ifstream in(head);
    json_bytes = said.size();
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("Inference-Header-Content-Length: ")) json_bytes = std::stoul(line.substr(33));
    }
    return said;
  }

  DevCluster cluster;
};

std::string Text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST_F(Curl, GetsTheRoutesOfTheProtocol) {
  const DirectRun direct(kFace, 11);
  EXPECT_EQ(AskJson("/v2/health/live"), (json{{"live", true}}));
  EXPECT_EQ(AskJson("/v2/health/ready"), (json{{"ready", true}}));
  EXPECT_EQ(AskJson("/v2")["version"], AVOCET_VERSION);
  EXPECT_EQ(AskJson("/v2/models/door/ready"), (json{{"name", "door"}, {"ready", true}}));
  const json model = AskJson("/v2/models/door");
  EXPECT_EQ(model["inputs"], ToJson(direct.signature().inputs));
  EXPECT_EQ(model["outputs"], ToJson(direct.signature().outputs));
  EXPECT_EQ(AskJson("/v2/models/door/config")["max_batch_size"], 0);
  EXPECT_EQ(AskJson("/v2/repository/index", {"-X", "POST"})[0]["name"], "door");
  EXPECT_THAT(AskJson("/v2/models/stranger")["error"], HasSubstr("unknown model: 'stranger' is not found"));
  std::ifstream endpoints(cluster.data_dir() / "agent" / "endpoints.json");
  EXPECT_EQ(json::parse(endpoints),
            (json{{"grpc", cluster.inference()}, {"rest", cluster.rest()}, {"metrics", cluster.metrics()}}));
}

/// The JSON part of a request whose tensor follows in binary.
std::string BinaryHead(const DirectRun& direct) {
  json request{{"id", "frame-1"}, {"inputs", {ToJson(direct.signature().inputs.at(0))}}};
  request["inputs"][0]["parameters"] = {{"binary_data_size", direct.input().size()}};
  request["parameters"] = {{"binary_data_output", true}};
  return request.dump();
}

/// A request with its tensor as JSON numbers.
json TypedRequest(const DirectRun& direct) {
  std::vector<float> values(direct.input().size() / sizeof(float));
  std::memcpy(values.data(), direct.input().data(), direct.input().size());
  json request{{"inputs", {ToJson(direct.signature().inputs.at(0))}}};
  request["inputs"][0]["data"] = values;
  return request;
}

/// The bytes of all outputs, as the engine computed them without a server.
std::string OutputBytes(const DirectRun& direct) {
  std::string bytes;
  for (const Tensor& output : direct.outputs())
    bytes += Text(output.data);
  return bytes;
}

std::vector<std::string> HeadLength(size_t bytes) {
  return {"-H", "Inference-Header-Content-Length: " + std::to_string(bytes)};
}

TEST_F(Curl, GetsTheBytesOfTheEngineInBothForms) {
  const DirectRun direct(kFace, 11);
  const std::string head = BinaryHead(direct);
  size_t json_bytes = 0;
  const std::string raw = Infer(head + Text(direct.input()), HeadLength(head.size()), json_bytes);
  const json answer = json::parse(raw.substr(0, json_bytes), nullptr, false);
  ASSERT_TRUE(answer.is_object()) << raw.substr(0, 500);
  EXPECT_EQ(answer["id"], "frame-1");
  EXPECT_TRUE(raw.substr(json_bytes) == OutputBytes(direct)) << "other bytes than the engine's";

  // Numbers in JSON must survive both conversions bit for bit.
  const json plain = json::parse(Infer(TypedRequest(direct).dump(), {}, json_bytes), nullptr, false);
  ASSERT_TRUE(plain.is_object());
  for (size_t i = 0; i < direct.outputs().size(); ++i) {
    const auto data = plain["outputs"][i]["data"].get<std::vector<float>>();
    EXPECT_TRUE(Text({std::as_bytes(std::span(data)).begin(), std::as_bytes(std::span(data)).end()}) ==
                Text(direct.outputs()[i].data));
  }
}

TEST_F(Curl, MaySendBodiesCompressedInChunksOrWithoutHead) {
  const DirectRun direct(kFace, 11);
  size_t json_bytes = 0;
  const json plain = json::parse(Infer(TypedRequest(direct).dump(), {}, json_bytes), nullptr, false);
  ASSERT_TRUE(plain.is_object() && plain.contains("outputs"));

  const auto zipped = cluster.folder() / "body.gz"; // of the body that Infer has just written
  const std::string zip = "gzip -c '" + (cluster.folder() / "body").string() + "' > '" + zipped.string() + "'";
  ASSERT_EQ(RunToEnd({.command = {"/bin/sh", "-c", zip}, .stderr_file = {}, .environment = {}}, kPatience).exit_code,
            0);
  const json inflated = AskJson("/v2/models/door/infer", {"--compressed", "-H", "Content-Encoding: gzip",
                                                          "--data-binary", "@" + zipped.string()});
  EXPECT_EQ(inflated["outputs"], plain["outputs"]);

  const std::string head = BinaryHead(direct);
  auto in_chunks = HeadLength(head.size());
  in_chunks.emplace_back("-H");
  in_chunks.emplace_back("Transfer-Encoding: chunked");
  const std::string whole = Infer(head + Text(direct.input()), HeadLength(head.size()), json_bytes);
  EXPECT_TRUE(Infer(head + Text(direct.input()), in_chunks, json_bytes) == whole) << "in chunks as in one piece";

  const std::string bare = Infer(Text(direct.input()), HeadLength(0), json_bytes);
  EXPECT_TRUE(bare.substr(json_bytes) == OutputBytes(direct)) << "nothing but the picture, as a file would be sent";
}

TEST_F(Curl, GetsClassesAndIsCounted) {
  const DirectRun direct(kFace, 11);
  json request = TypedRequest(direct);
  request["outputs"] = {{{"name", direct.outputs()[0].spec.name}, {"parameters", {{"classification", 5}}}}};
  size_t json_bytes = 0;
  const json classes = json::parse(Infer(request.dump(), {}, json_bytes), nullptr, false)["outputs"];
  ASSERT_EQ(classes.size(), 1u);
  EXPECT_EQ(classes[0]["datatype"], "BYTES");
  EXPECT_EQ(classes[0]["shape"], json::array({5}));
  EXPECT_EQ(classes[0]["data"], direct.Classes(0, 5));
  (void)Infer(TypedRequest(direct).dump(), {}, json_bytes);

  const json sections = AskJson("/v2/models/door/stats")["model_stats"][0]["inference_stats"];
  for (const char* section : {"success", "queue", "compute_input", "compute_infer", "compute_output"})
    EXPECT_EQ(sections[section]["count"], 2) << section;
  const std::string metrics = Ask(cluster.metrics() + "/metrics");
  EXPECT_THAT(metrics, HasSubstr("nv_inference_request_success{model=\"door\",version=\"1\"} 2\n"));
  EXPECT_THAT(metrics, HasSubstr("avocet_response_seconds_count{app=\"door\",version=\"1\"} 2\n"));
  EXPECT_THAT(metrics, HasSubstr("avocet_device_utilization{device=\"box/cpu0\",kind=\"cpu\",emulated=\"false\"}"));
}

TEST_F(Curl, GetsPredictionsBesideMeasurements) {
  const std::string wanted = "avocet_predicted_response_seconds{app=\"door\",device=\"box/cpu0\",statistic=\"p99\"} ";
  const auto give_up = MonotonicTime::clock::now() + kPatience;
  std::string metrics;
  do // the controller tells the agent once a second
    metrics = Ask(cluster.metrics() + "/metrics");
  while (metrics.find(wanted) == std::string::npos && MonotonicTime::clock::now() < give_up);
  EXPECT_THAT(metrics, HasSubstr(wanted));
}

// The order in which perf_analyzer asks; it gives up when the sections' counts differ by unequal numbers.
TEST_F(Curl, GetsWhatPerfAnalyzerAsksFor) {
  const DirectRun direct(kFace, 3);
  EXPECT_EQ(AskJson("/v2/models/door")["name"], "door");
  EXPECT_EQ(AskJson("/v2/models/door/config")["name"], "door");
  EXPECT_THAT(AskJson("/v2")["extensions"].get<std::vector<std::string>>(), testing::Contains("statistics"));
  const json before = AskJson("/v2/models/door/stats")["model_stats"][0]["inference_stats"];
  json request{{"id", ""}, {"inputs", {ToJson(direct.signature().inputs.at(0))}}};
  request["inputs"][0]["parameters"] = {{"binary_data_size", direct.input().size()}};
  for (const TensorSpec& output : direct.signature().outputs)
    request["outputs"].push_back({{"name", output.name}, {"parameters", {{"binary_data", true}}}});
  const std::string header = request.dump();
  size_t json_bytes = 0;
  for (int i = 0; i < 3; ++i) {
    const std::string raw = Infer(header + Text(direct.input()),
                                  {"-H", "Inference-Header-Content-Length: " + std::to_string(header.size()), "-H",
                                   "Content-Type: application/octet-stream"},
                                  json_bytes);
    EXPECT_EQ(json::parse(raw.substr(0, json_bytes), nullptr, false)["id"], "");
    EXPECT_TRUE(raw.substr(json_bytes).starts_with(Text(direct.outputs().at(0).data)));
  }
  const json after = AskJson("/v2/models/door/stats")["model_stats"][0]["inference_stats"];
  for (const char* section : {"success", "queue", "compute_input", "compute_infer", "compute_output"})
    EXPECT_EQ(after[section]["count"].get<int>() - before[section]["count"].get<int>(), 3) << section;
}

} // namespace
} // namespace avocet
