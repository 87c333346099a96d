#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands/doctor.h"
#include "cli/render/format.h"
#include "cli/render/table.h"

namespace avocet {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSuggestedName = "node-1";

template <class T> Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json MebibytesJson(uint64_t bytes) {
  return static_cast<double>(bytes) / static_cast<double>(kMiB);
}

Json GpusJson(const Machine& machine) {
  Json gpus = Json::array();
  for (size_t i = 0; i < machine.gpus.size(); ++i) {
    const NvidiaGpu& gpu = machine.gpus[i];
    const GpuReading& reading = machine.gpu_readings[i];
    const auto& used = reading.memory_used_bytes;

    // What the driver does not report is null, not 0, which would be a plausible value.
    gpus.push_back({{"name", gpu.name},
                    {"uuid", gpu.uuid},
                    {"driver", gpu.driver},
                    {"memory_mb", MebibytesJson(gpu.memory_bytes)},
                    {"memory_used_mb", used ? MebibytesJson(*used) : Json()},
                    {"utilization", OrNull(reading.utilization)},
                    {"power_w", OrNull(reading.power_w)},
                    {"temperature_c", OrNull(reading.temperature_c)},
                    {"too_hot", OrNull(reading.is_too_hot)}});
  }
  return gpus;
}

Json CoralJson(const Machine& machine) {
  Json devices = Json::array();
  for (const CoralDevice& device : machine.coral.devices)
    devices.push_back({{"path", device.path},
                       {"bus", device.bus == CoralDevice::Bus::kPcie ? "pcie" : "usb"},
                       {"temperature_c", OrNull(device.temperature_c)}});
  return devices;
}

Json MachineJson(const Machine& machine) {
  Json zones = Json::array();
  for (const ThermalZone& zone : machine.thermal_zones)
    zones.push_back({{"type", zone.type},
                     {"temperature_c", zone.celsius},
                     {"slowed_from_c", OrNull(zone.passive_celsius)},
                     {"too_hot", zone.is_too_hot()}});

  Json jetson;
  if (machine.jetson)
    jetson = {{"model", machine.jetson->model},
              {"release", machine.jetson->release},
              {"gpu_utilization", OrNull(ReadGpuLoad(*machine.jetson))}};

  return {{"cpu", machine.cpu.model},
          {"cores", machine.cpu.cores},
          {"memory_mb", MebibytesJson(machine.cpu.memory_bytes)},
          {"memory_available_mb", MebibytesJson(machine.host.memory_available_bytes)},
          {"governors", machine.host.governors},
          {"thermal_zones", zones},
          {"throttle_events", machine.host.throttle_events},
          {"jetson", jetson},
          {"nvidia_gpus", GpusJson(machine)},
          {"edgetpus", CoralJson(machine)}};
}

Json EngineJson(const EngineInfo& engine) {
  Json providers = Json::array();
  for (const auto& [provider, status] : engine.providers)
    if (status.ok()) providers.push_back(ToString(provider));
  return {{"library", engine.library.string()},
          {"version", engine.status.ok() ? Json(engine.version) : Json()},
          {"gpu_providers", providers}};
}

Json RemarkJson(const Remark& remark) {
  return {{"level", ToString(remark.level)},
          {"subject", remark.subject},
          {"text", remark.text},
          {"remedy", remark.remedy.empty() ? Json() : Json(remark.remedy)}};
}

std::string ToJson(const Examination& examination, const Diagnosis& diagnosis) {
  Json remarks = Json::array();
  for (const Remark& remark : diagnosis.remarks)
    remarks.push_back(RemarkJson(remark));
  const Json json{
      {"v", 1},
      {"usable", diagnosis.is_usable()},
      {"machine", MachineJson(examination.machine)},
      {"engines", {{"tflite", EngineJson(examination.tflite)}, {"onnx", EngineJson(examination.onnx)}}},
      {"remarks", remarks},
      {"agent_toml", diagnosis.is_usable() ? Json(SuggestedAgentFile(kSuggestedName, diagnosis.devices)) : Json()}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Tone ToneOf(RemarkLevel level) {
  switch (level) {
  case RemarkLevel::kOk:
    return Tone::kGood;
  case RemarkLevel::kAbsent:
    return Tone::kDim;
  case RemarkLevel::kWarning:
    return Tone::kBold;
  case RemarkLevel::kMissing:
    return Tone::kBad;
  }
  return Tone::kPlain;
}

std::string ToText(const Diagnosis& diagnosis, bool color) {
  TextTable table({{"STATE"}, {"WHAT"}, {"FOUND"}});
  for (const Remark& remark : diagnosis.remarks)
    table.Add({{std::string(ToString(remark.level)), ToneOf(remark.level)}, remark.subject, remark.text});
  std::string text = table.Render(color);
  for (const Remark& remark : diagnosis.remarks)
    if (!remark.remedy.empty()) text += fmt::format("\n{}:\n  {}\n", remark.subject, remark.remedy);
  if (!diagnosis.is_usable()) return text + "\nNothing here can serve models yet.\n";
  return text + "\nAn agent.toml that would work here:\n\n" + SuggestedAgentFile(kSuggestedName, diagnosis.devices);
}

} // namespace

std::string Render(const Examination& examination, const Diagnosis& diagnosis, const RenderOptions& options) {
  if (options.format == OutputFormat::kJson) return ToJson(examination, diagnosis);
  return ToText(diagnosis, options.color);
}

} // namespace avocet
