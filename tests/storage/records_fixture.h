#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/records.h"

/// One valid value for each table, and stores filled and read past the tables.
namespace avocet::records {

using namespace std::chrono_literals;

inline const Sha256 kFile(std::string(64, 'a'));

inline Application App(const std::string& name) {
  Application app;
  app.name = AppId(name);
  app.model = "pose:1";
  app.rate_rps = 12.5;
  app.arrival = {ArrivalKind::kScv, 0.5};
  app.objective = {Statistic::kP99, 50ms};
  app.network_allowance = 1ms;
  app.device_kinds = {DeviceKind::kGpu};
  return app;
}

inline Placement PlacementOf(const std::string& app) {
  Placement placement;
  placement.app = AppId(app);
  placement.device = DeviceId("n1/gpu0");
  placement.model = ModelId("pose:1");
  placement.file = kFile;
  placement.epoch = 7;
  return placement;
}

inline Decision DecisionOn(const std::string& app) {
  Decision decision;
  decision.app = App(app);
  decision.view_version = 3;
  decision.model = ModelId("pose:1");
  Verdict verdict;
  verdict.device = DeviceId("n1/gpu0");
  verdict.node = NodeId("n1");
  verdict.filter = FilterKind::kMemory;
  verdict.needed = 10;
  verdict.found = 5;
  verdict.unit = Unit::kMebibytes;
  decision.verdicts = {verdict};
  return decision;
}

inline Model ModelNamed(const std::string& name) {
  return {.name = name, .version = "2", .variants = {{ModelFormat::kTflite, kFile, 1234}}, .imported_at = WallTime(5s)};
}

inline Profile ProfileOn(const std::string& device_type) {
  return {.model = ModelId("pose:1"), .device_type = device_type, .service_mean = 3ms, .runs = 50};
}

inline TotalsSlot SlotNumber(int64_t number) {
  return {.device = DeviceId("n1/gpu0"), .number = number, .apps = {{AppId("door"), {.arrivals = 7}}}};
}

inline DeviceFit FitOf(const std::string& device) {
  return {.device = DeviceId(device),
          .boot = BootId("boot-1"),
          .covered_sequence = 9,
          .apps = {{AppId("door"), {12.5, 1.1, 300}}},
          .models = {{ModelId("pose:1"), {0.003, 0.1, 300}, {0.004, 0.2, 3}}}};
}

inline NodeInfo Node(const std::string& name) {
  DeviceSpec device;
  device.node = NodeId(name);
  device.name = "gpu0";
  device.kind = DeviceKind::kGpu;
  device.type = "gpu";
  device.memory_bytes = kMiB;
  return {.id = NodeId(name),
          .boot = BootId("boot-1"),
          .version = "0.1.0",
          .grpc_address = "127.0.0.1:8001",
          .devices = {device}};
}

inline Event EventNumber(uint64_t sequence) {
  return {.sequence = sequence, .at = WallTime(5s), .kind = "app_admitted", .subject = "door", .detail = "on n1/gpu0"};
}

inline Placement Running(const std::string& name) {
  Placement app;
  app.app = AppId(name);
  app.device = DeviceId("n1/gpu0");
  app.model = ModelId("pose:1");
  app.file = kFile;
  app.epoch = 7;
  app.phase = PlacementPhase::kReady;
  return app;
}

inline void Write(Store& store, const WriteBatch& batch) {
  ASSERT_EQ(store.Write(batch, Sync::kNo), Status{});
}

inline void WriteRaw(Store& store, const std::string& key, const std::string& value) {
  WriteBatch batch;
  batch.Put(key, value);
  Write(store, batch);
}

template <class T> std::vector<T> MustLoadAll(const Store& store, Table<T> table) {
  auto values = LoadAll(store, table);
  EXPECT_TRUE(values.ok()) << values.status().ToString();
  return values.ok() ? *values : std::vector<T>{};
}

} // namespace avocet::records
