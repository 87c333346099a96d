// A stand-in for NVIDIA's libnvidia-ml.so.1 with as many GPUs as it is told.
#include "tests/node_agent/probes/fake_nvml.h"

#include <cstdio>

extern "C" FakeNvml fake_nvml;
FakeNvml fake_nvml{};

namespace {

constexpr int kSuccess = 0;
constexpr int kInvalidArgument = 2;
constexpr int kNotSupported = 3;
constexpr int kDriverNotLoaded = 9;

struct Memory {
  unsigned long long total, free, used;
};
struct Utilization {
  unsigned gpu, memory;
};

unsigned NumberOf(const void* device) {
  return static_cast<unsigned>(reinterpret_cast<unsigned long>(device)) - 1;
}

} // namespace

extern "C" {

int nvmlInit_v2() {
  if (fake_nvml.has_no_driver) return kDriverNotLoaded;
  ++fake_nvml.started;
  return kSuccess;
}
int nvmlShutdown() {
  --fake_nvml.started;
  return kSuccess;
}
const char* nvmlErrorString(int code) {
  return code == kDriverNotLoaded ? "Driver Not Loaded" : "Unknown Error";
}
int nvmlSystemGetDriverVersion(char* text, unsigned length) {
  (void)std::snprintf(text, length, "535.183.01");
  return kSuccess;
}
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = fake_nvml.gpus;
  return kSuccess;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  if (index >= fake_nvml.gpus) return kInvalidArgument;
  *device = reinterpret_cast<void*>(static_cast<unsigned long>(index) + 1);
  return kSuccess;
}
int nvmlDeviceGetName(const void* device, char* text, unsigned length) {
  (void)std::snprintf(text, length, "NVIDIA Test %u", NumberOf(device));
  return kSuccess;
}
int nvmlDeviceGetUUID(const void* device, char* text, unsigned length) {
  (void)std::snprintf(text, length, "GPU-%u", NumberOf(device));
  return kSuccess;
}
int nvmlDeviceGetMemoryInfo(const void*, Memory* memory) {
  if (fake_nvml.is_integrated) return kNotSupported;
  *memory = {8ULL << 30, 6ULL << 30, 2ULL << 30};
  return kSuccess;
}
int nvmlDeviceGetUtilizationRates(const void*, Utilization* utilization) {
  if (fake_nvml.is_integrated) return kNotSupported;
  *utilization = {42, 7};
  return kSuccess;
}
int nvmlDeviceGetPowerUsage(const void*, unsigned* milliwatts) {
  if (fake_nvml.is_integrated) return kNotSupported;
  *milliwatts = 61500;
  return kSuccess;
}
int nvmlDeviceGetTemperature(const void*, int, unsigned* celsius) {
  *celsius = 83;
  return kSuccess;
}
int nvmlDeviceGetCurrentClocksThrottleReasons(const void*, unsigned long long* reasons) {
  *reasons = fake_nvml.is_too_hot ? 0x41 : 0x1; // idle; and thermal slowdown of the hardware
  return kSuccess;
}

} // extern "C"
