// A stand-in for Coral's libedgetpu.so.1: lists as many accelerators as it is told, and makes delegates
// that take the accelerator's ops, whose every output it sets to kAnswer.
#include "tests/node_agent/engines/fake_edgetpu.h"

#include <cstddef>
#include <cstring>

#include <tensorflow/lite/c/common.h>

extern "C" FakeEdgeTpu fake_edgetpu;
FakeEdgeTpu fake_edgetpu{};

namespace {

constexpr float kAnswer = 0.25F;

struct Device {
  int type;
  const char* path;
};
Device devices[2];

TfLiteStatus Invoke(TfLiteContext* context, TfLiteNode* node) {
  ++fake_edgetpu.runs;
  for (int i = 0; i < node->outputs->size; ++i) {
    TfLiteTensor& tensor = context->tensors[node->outputs->data[i]];
    for (size_t k = 0; k < tensor.bytes / sizeof(float); ++k)
      tensor.data.f[k] = kAnswer;
  }
  return kTfLiteOk;
}

TfLiteStatus Prepare(TfLiteContext* context, TfLiteDelegate* delegate) {
  TfLiteIntArray* plan = nullptr;
  if (context->GetExecutionPlan(context, &plan) != kTfLiteOk) return kTfLiteError;
  struct {
    int size = 0;
    int data[1] = {};
  } taken; // laid out like a TfLiteIntArray
  for (int i = 0; i < plan->size; ++i) {
    TfLiteNode* node = nullptr;
    TfLiteRegistration* op = nullptr;
    if (context->GetNodeAndRegistration(context, plan->data[i], &node, &op) != kTfLiteOk) return kTfLiteError;
    if (op->custom_name == nullptr || std::strcmp(op->custom_name, "edgetpu-custom-op") != 0) continue;
    taken.size = 1;
    taken.data[0] = plan->data[i];
  }
  if (taken.size == 0) return kTfLiteOk;
  TfLiteRegistration kernel{};
  kernel.prepare = [](TfLiteContext*, TfLiteNode*) { return kTfLiteOk; };
  kernel.invoke = &Invoke;
  kernel.custom_name = "fake";
  kernel.version = 1;
  return context->ReplaceNodeSubsetsWithDelegateKernels(context, kernel, reinterpret_cast<TfLiteIntArray*>(&taken),
                                                        delegate);
}

} // namespace

extern "C" {

Device* edgetpu_list_devices(size_t* count) {
  *count = static_cast<size_t>(fake_edgetpu.pcie_devices) + static_cast<size_t>(fake_edgetpu.usb_devices);
  devices[0] = fake_edgetpu.pcie_devices > 0 ? Device{0, "/dev/apex_0"} : Device{1, "/sys/bus/usb/devices/2-1"};
  devices[1] = {1, "/sys/bus/usb/devices/2-1"};
  return *count == 0 ? nullptr : devices;
}

void edgetpu_free_devices(Device*) {}

const char* edgetpu_version() {
  return "fake runtime 1";
}

TfLiteDelegate* tflite_plugin_create_delegate(char**, char**, size_t, void (*report)(const char*)) {
  if (fake_edgetpu.refuses) {
    report("No EdgeTPU device is attached");
    return nullptr;
  }
  ++fake_edgetpu.created;
  auto* delegate = new TfLiteDelegate{};
  delegate->Prepare = &Prepare;
  delegate->flags = kTfLiteDelegateFlagsAllowDynamicTensors; // as the real one: it is asked before nodes are prepared
  return delegate;
}

void tflite_plugin_destroy_delegate(TfLiteDelegate* delegate) {
  ++fake_edgetpu.destroyed;
  delete delegate;
}

} // extern "C"
