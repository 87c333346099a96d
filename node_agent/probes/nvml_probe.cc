#include "node_agent/probes/nvml_probe.h"

#include <algorithm>
#include <array>
#include <utility>

#include "node_agent/engines/shared_library.h"

namespace avocet {
namespace {

// Of nvml.h.
constexpr int kSuccess = 0;
constexpr int kGpuSensor = 0;
constexpr size_t kMaxText = 96;
constexpr unsigned kMaxGpus = 64;
/// nvmlClocksThrottleReason: SW thermal slowdown, HW thermal slowdown.
constexpr unsigned long long kTooHot = 0x20 | 0x40;

struct Memory {
  unsigned long long total = 0, free = 0, used = 0;
};
struct Utilization {
  unsigned gpu = 0, memory = 0; ///< percent
};
using Device = void*;

} // namespace

struct Nvml::Api {
  explicit Api(SharedLibrary opened) : library(std::move(opened)) {}
  Status Bind();
  Status Check(int code, const std::string& what) const;
  Result<Device> Find(unsigned index) const;

  SharedLibrary library;
  int (*Init)() = nullptr;
  int (*Shutdown)() = nullptr;
  const char* (*ErrorString)(int) = nullptr;
  int (*DriverVersion)(char*, unsigned) = nullptr;
  int (*Count)(unsigned*) = nullptr;
  int (*ByIndex)(unsigned, Device*) = nullptr;
  int (*Name)(Device, char*, unsigned) = nullptr;
  int (*Uuid)(Device, char*, unsigned) = nullptr;
  int (*MemoryInfo)(Device, Memory*) = nullptr;
  int (*UtilizationRates)(Device, Utilization*) = nullptr;
  int (*PowerUsage)(Device, unsigned* milliwatts) = nullptr;
  int (*Temperature)(Device, int sensor, unsigned* celsius) = nullptr;
  int (*ThrottleReasons)(Device, unsigned long long* bits) = nullptr;
};

Status Nvml::Api::Bind() {
  // Versioned names, as nvml.h maps them: plain ones keep older layouts and meanings.
  AVOCET_RETURN_IF_ERROR(library.Bind("nvmlInit_v2", Init));
  AVOCET_RETURN_IF_ERROR(library.Bind("nvmlShutdown", Shutdown));
  AVOCET_RETURN_IF_ERROR(library.Bind("nvmlErrorString", ErrorString));
  AVOCET_RETURN_IF_ERROR(library.Bind("nvmlSystemGetDriverVersion", DriverVersion));
  AVOCET_RETURN_IF_ERROR(library.Bind("nvmlDeviceGetCount_v2", Count));
  AVOCET_RETURN_IF_ERROR(library.Bind("nvmlDeviceGetHandleByIndex_v2", ByIndex));
  AVOCET_RETURN_IF_ERROR(library.Bind("nvmlDeviceGetName", Name));
  // Clients and operators name GPUs by UUID: indexes change with the order of discovery.
  AVOCET_RETURN_IF_ERROR(library.Bind("nvmlDeviceGetUUID", Uuid));
  AVOCET_RETURN_IF_ERROR(library.Bind("nvmlDeviceGetMemoryInfo", MemoryInfo));
  AVOCET_RETURN_IF_ERROR(library.Bind("nvmlDeviceGetUtilizationRates", UtilizationRates));
  AVOCET_RETURN_IF_ERROR(library.Bind("nvmlDeviceGetPowerUsage", PowerUsage));
  (void)library.Bind("nvmlDeviceGetCurrentClocksThrottleReasons", ThrottleReasons); // newer drivers rename it

  return library.Bind("nvmlDeviceGetTemperature", Temperature);
}

Status Nvml::Api::Check(int code, const std::string& what) const {
  if (code == kSuccess) return {};
  return Unavailable("NVIDIA's driver: " + what + ": " + ErrorString(code));
}

Result<Device> Nvml::Api::Find(unsigned index) const {
  Device device = nullptr;
  if (ByIndex(index, &device) != kSuccess) return NotFound("no GPU number " + std::to_string(index));
  return device;
}

Nvml::Nvml(std::unique_ptr<Api> api) : api_(std::move(api)) {}

Nvml::~Nvml() {
  (void)api_->Shutdown();
}

Result<std::shared_ptr<const Nvml>> Nvml::Open(const std::filesystem::path& library) {
  AVOCET_ASSIGN_OR_RETURN(auto opened, SharedLibrary::Open(library));
  auto api = std::make_unique<Api>(std::move(opened));
  AVOCET_RETURN_IF_ERROR(api->Bind());
  AVOCET_RETURN_IF_ERROR(api->Check(api->Init(), "start"));
  return std::shared_ptr<const Nvml>(new Nvml(std::move(api)));
}

Result<std::vector<NvidiaGpu>> Nvml::Gpus() const {
  std::array<char, kMaxText> text{};
  AVOCET_RETURN_IF_ERROR(api_->Check(api_->DriverVersion(text.data(), text.size()), "version"));
  const std::string driver(text.data());

  unsigned count = 0;
  AVOCET_RETURN_IF_ERROR(api_->Check(api_->Count(&count), "number of GPUs"));

  // A bound, as the count comes from a foreign library.
  std::vector<NvidiaGpu> gpus;
  for (unsigned i = 0; i < std::min(count, kMaxGpus); ++i) {
    AVOCET_ASSIGN_OR_RETURN(const auto device, api_->Find(i));
    NvidiaGpu& gpu = gpus.emplace_back();
    gpu.driver = driver;
    // Name and UUID identify a GPU, so without one the probe fails; other readings may be missing.
    AVOCET_RETURN_IF_ERROR(api_->Check(api_->Name(device, text.data(), text.size()), "name"));
    gpu.name = text.data();
    AVOCET_RETURN_IF_ERROR(api_->Check(api_->Uuid(device, text.data(), text.size()), "uuid"));
    gpu.uuid = text.data();

    Memory memory;
    if (api_->MemoryInfo(device, &memory) == kSuccess) gpu.memory_bytes = memory.total; // integrated ones have none
  }
  return gpus;
}

Result<GpuReading> Nvml::Read(unsigned index) const {
  AVOCET_ASSIGN_OR_RETURN(const auto device, api_->Find(index));

  GpuReading reading;
  Utilization utilization;
  Memory memory;
  unsigned value = 0;
  unsigned long long reasons = 0;
  // Each reading alone: small boards lack power or memory sensors, and the others are still worth having.
  if (api_->UtilizationRates(device, &utilization) == kSuccess) reading.utilization = utilization.gpu / 100.0;
  if (api_->MemoryInfo(device, &memory) == kSuccess) reading.memory_used_bytes = memory.used;
  if (api_->PowerUsage(device, &value) == kSuccess) reading.power_w = value / 1000.0;
  if (api_->Temperature(device, kGpuSensor, &value) == kSuccess) reading.temperature_c = value;

  if (api_->ThrottleReasons != nullptr && api_->ThrottleReasons(device, &reasons) == kSuccess)
    reading.is_too_hot = (reasons & kTooHot) != 0;
  return reading;
}

} // namespace avocet
