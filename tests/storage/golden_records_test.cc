// What is on disk stays readable: tests/data/records/schema-1.txt holds one record of each type, every field set, as
// the program wrote them when its schema became version 1. A change that alters a line here needs a new schema version.
#include <fstream>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "storage/memory_store.h"
#include "storage/records.h"

namespace avocet {
namespace {

using namespace std::chrono_literals;

const Sha256 kFile(std::string(64, 'a'));
const WallTime kWhen(1'700'000'000s);

Application FullApplication() {
  return {.name = AppId("door"),
          .model = "pose:1",
          .tenant = "team-a",
          .priority = 70,
          .rate_rps = 12.5,
          .rate_source = RateSource::kMeasured,
          .arrival = {ArrivalKind::kScv, 0.5},
          .objective = {Statistic::kP99, 50ms},
          .network_allowance = 1ms,
          .preprocess = 2ms,
          .device_kinds = {DeviceKind::kGpu, DeviceKind::kCpu}};
}

Placement FullPlacement() {
  return {.app = AppId("door"),
          .device = DeviceId("n1/gpu0"),
          .model = ModelId("pose:1"),
          .format = ModelFormat::kOnnx,
          .file = kFile,
          .epoch = 7,
          .phase = PlacementPhase::kFailed,
          .reason = "out of memory \xE2\x82\xAC"};
}

Decision FullDecision() {
  Verdict refused;
  refused.device = DeviceId("n1/cpu0");
  refused.node = NodeId("n1");
  refused.emulated = true;
  refused.filter = FilterKind::kMemory;
  refused.needed = 10;
  refused.found = 5;
  refused.unit = Unit::kMebibytes;
  refused.detail = "too small";
  refused.utilization_before = 0.25;
  refused.utilization_after = 0.5;
  refused.memory_before_bytes = 1;
  refused.memory_after_bytes = 2;
  refused.memory_capacity_bytes = 3;
  refused.max_rate_sought = false;
  Verdict taken;
  taken.device = DeviceId("n1/gpu0");
  taken.node = NodeId("n1");
  taken.ok = true;
  taken.apps = {{AppId("belt"), Statistic::kMean, 40ms, 10ms, 20ms, true},
                {AppId("door"), Statistic::kP99, 49ms, {}, 30ms}};
  taken.max_rate_rps = 20;
  return {.kind = DecisionKind::kAdmitWithMoves,
          .app = FullApplication(),
          .view_version = 3,
          .device = DeviceId("n1/gpu0"),
          .model = ModelId("pose:1"),
          .moves = {{AppId("belt"), DeviceId("n1/gpu0"), DeviceId("n2/gpu0")}},
          .verdicts = {refused, taken},
          .max_rate_rps = 20,
          .policy = PlacementPolicy::kFragmentation,
          .decided_at = kWhen};
}

Model FullModel() {
  return {.name = "pose",
          .version = "2",
          .variants = {{ModelFormat::kTflite, kFile, 1234}, {ModelFormat::kOnnx, kFile, 99}},
          .imported_at = kWhen};
}

Model SampledModel() {
  Model model = FullModel();
  model.name = "sampled";
  model.samples = {{.name = "x", .fill = SampleFill::kRandom, .shape = {{1, 3}}, .seed = 7},
                   {.name = "ids", .fill = SampleFill::kFile, .data_type = "INT64", .file = kFile, .size_bytes = 8}};
  return model;
}

Profile FullProfile() {
  return {.model = ModelId("pose:2"),
          .format = ModelFormat::kOnnx,
          .device_type = "gpu type",
          .service_mean = 3ms,
          .service_scv = 0.25,
          .switch_overhead = 1ms,
          .memory_bytes = 1000,
          .memory_per_app_bytes = 10,
          .runs = 50,
          .emulated = true,
          .measured_at = kWhen};
}

DeviceFit FullFit() {
  return {.device = DeviceId("n1/gpu0"),
          .boot = BootId("boot-1"),
          .covered_sequence = 9,
          .apps = {{AppId("door"), {12.5, 1.1, 300}}},
          .models = {{ModelId("pose:1"), {0.003, 0.1, 300}, {0.004, 0.2, 3}}}};
}

NodeInfo FullNode() {
  const DeviceSpec device{.node = NodeId("n1"),
                          .name = "gpu0",
                          .kind = DeviceKind::kGpu,
                          .discipline = Discipline::kTimeShared,
                          .engine = EngineKind::kOnnx,
                          .type = "gpu type",
                          .memory_bytes = kMiB,
                          .cores = {0, 2}};
  return {.id = NodeId("n1"),
          .boot = BootId("boot-1"),
          .version = "0.1.0",
          .grpc_address = "127.0.0.1:8001",
          .rest_address = "127.0.0.1:8000",
          .cpu_cores = 4,
          .devices = {device},
          .core_speed = 0.5};
}

Event FullEvent() {
  return {.sequence = 41, .at = kWhen, .kind = "app_admitted", .subject = "door", .detail = "on n1/gpu0"};
}

Placement FullRunning() {
  return {.app = AppId("door"),
          .device = DeviceId("n1/gpu0"),
          .model = ModelId("pose:1"),
          .format = ModelFormat::kOnnx,
          .file = kFile,
          .epoch = 7,
          .phase = PlacementPhase::kFailed,
          .reason = "no such engine"};
}

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text.append(1, kDigits[byte >> 4U]).append(1, kDigits[byte & 0xfU]);
  }
  return text;
}

std::string FromHex(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  return bytes;
}

/// Every record that was written then, by key. A line is the key, '=' and the value in hex digits.
std::map<std::string, std::string> Golden() {
  std::ifstream file(AVOCET_TEST_DATA "/records/schema-1.txt");
  std::map<std::string, std::string> records;
  for (std::string line; std::getline(file, line);) {
    const size_t equals = line.find('=');
    if (equals != std::string::npos && line[0] != '#')
      records[line.substr(0, equals)] = FromHex(line.substr(equals + 1));
  }
  return records;
}

WriteBatch AllRecords() {
  WriteBatch batch;
  Put(batch, kApplications, FullApplication());
  Put(batch, kPlacements, FullPlacement());
  Put(batch, kDecisions, FullDecision());
  Put(batch, kModels, FullModel());
  Put(batch, kModels, SampledModel());
  Put(batch, kProfiles, FullProfile());
  Put(batch, kDeviceFits, FullFit());
  Put(batch, kNodes, FullNode());
  Put(batch, kEvents, FullEvent());
  Put(batch, kPlan, FullRunning());
  Put(batch, kLastEpoch, 7);
  Put(batch, kInstance, 8);
  Put(batch, kCluster, 9);
  Put(batch, kRemovals, Removal{AppId("gone"), 6});
  return batch;
}

TEST(GoldenRecords, EncodeAsTheyAlwaysDid) {
  const auto golden = Golden();
  const WriteBatch batch = AllRecords();
  EXPECT_EQ(golden.size(), batch.changes.size());
  for (const auto& change : batch.changes) {
    const auto found = golden.find(change.key);
    EXPECT_EQ(found == golden.end() ? "" : Hex(found->second), Hex(*change.value))
        << change.key << "=" << Hex(*change.value);
  }
}

/// The record that was written then is the value that is meant.
template <class T> void ExpectReads(const Store& store, Table<T> table, std::string_view id, const T& value) {
  SCOPED_TRACE(table.prefix);
  const auto loaded = Load(store, table, id);
  ASSERT_TRUE(loaded.ok()) << loaded.status().ToString();
  EXPECT_EQ(*loaded, value);
}

TEST(GoldenRecords, AreReadAsWhatTheyMean) {
  MemoryStore store;
  WriteBatch batch;
  for (const auto& [key, bytes] : Golden())
    batch.Put(key, bytes);
  ASSERT_TRUE(store.Write(batch, Sync::kYes).ok());
  ExpectReads(store, kApplications, "door", FullApplication());
  ExpectReads(store, kPlacements, "door", FullPlacement());
  ExpectReads(store, kDecisions, "door", FullDecision());
  ExpectReads(store, kModels, "pose:2", FullModel());
  ExpectReads(store, kModels, "sampled:2", SampledModel());
  ExpectReads(store, kProfiles, FullProfile().key(), FullProfile());
  ExpectReads(store, kDeviceFits, "n1/gpu0", FullFit());
  ExpectReads(store, kNodes, "n1", FullNode());
  ExpectReads(store, kEvents, EventId(41), FullEvent());
  ExpectReads(store, kPlan, "door", FullRunning());
  EXPECT_EQ(*Load(store, kLastEpoch), 7U);
  EXPECT_EQ(*Load(store, kInstance), 8U);
  EXPECT_EQ(*Load(store, kCluster), 9U);
  ExpectReads(store, kRemovals, "gone", Removal{AppId("gone"), 6});
}

} // namespace
} // namespace avocet
