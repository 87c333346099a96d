#include "node_agent/engines/edgetpu_plugin.h"

#include <string>

namespace avocet {
namespace {

constexpr size_t kMaxErrorText = 1024;

/// The plug-in's reporter has no argument of ours, so what it says is kept per thread.
thread_local std::string reported;

void Report(const char* text) {
  if (reported.size() < kMaxErrorText) reported += (reported.empty() ? "" : "; ") + std::string(text);
}

} // namespace

Result<std::shared_ptr<const EdgeTpuPlugin>> EdgeTpuPlugin::Load(const std::filesystem::path& library) {
  AVOCET_ASSIGN_OR_RETURN(auto opened, SharedLibrary::Open(library));
  auto plugin = std::make_shared<EdgeTpuPlugin>(std::move(opened));
  AVOCET_RETURN_IF_ERROR(plugin->library_.Bind("tflite_plugin_create_delegate", plugin->create_));
  AVOCET_RETURN_IF_ERROR(plugin->library_.Bind("tflite_plugin_destroy_delegate", plugin->destroy_));
  return std::shared_ptr<const EdgeTpuPlugin>(std::move(plugin));
}

Result<EdgeTpuPlugin::Delegate> EdgeTpuPlugin::Create() const {
  reported.clear();
  TfLiteDelegate* delegate = create_(nullptr, nullptr, 0, &Report);
  if (delegate != nullptr) return Delegate(delegate, destroy_);
  return Unavailable("libedgetpu opens no accelerator: " + (reported.empty() ? "no reason given" : reported));
}

} // namespace avocet
