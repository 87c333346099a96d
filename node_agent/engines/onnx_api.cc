#include "node_agent/engines/onnx_api.h"

#include <algorithm>
#include <string_view>

namespace avocet {
namespace {

/// What OrtGetApiBase() returns.
struct OrtApiBase {
  void* const* (*GetApi)(uint32_t version);
  const char* (*GetVersionString)();
};

/// OrtErrorCode of onnxruntime_c_api.h, as far as it tells whose fault it was.
constexpr int kOrtInvalidArgument = 2;
constexpr int kOrtNotImplemented = 9;

StatusCode CodeOf(int ort_code, StatusCode otherwise) {
  if (ort_code == kOrtInvalidArgument) return StatusCode::kInvalidArgument;
  return ort_code == kOrtNotImplemented ? StatusCode::kUnsupported : otherwise;
}

/// The library's text without the place in its sources that some begin with, on one line.
std::string Readable(std::string text) {
  constexpr std::string_view kMark = "[ONNXRuntimeError] : ";
  if (const size_t mark = text.find(kMark); mark != std::string::npos) text.erase(0, mark + kMark.size());
  std::replace(text.begin(), text.end(), '\n', ' ');
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

} // namespace

Result<std::shared_ptr<const OnnxApi>> OnnxApi::Load(const std::filesystem::path& file) {
  AVOCET_ASSIGN_OR_RETURN(auto library, SharedLibrary::Open(file));
  const OrtApiBase* (*get_base)() = nullptr;
  AVOCET_RETURN_IF_ERROR(library.Bind("OrtGetApiBase", get_base));
  const OrtApiBase* base = get_base();
  std::string version = base->GetVersionString();
  void* const* table = base->GetApi(kOnnxApiVersion);
  if (table == nullptr)
    return Unsupported(file.string() + " is ONNX Runtime " + version + ", older than 1." +
                       std::to_string(kOnnxApiVersion) + ", the oldest that is known here");
  return std::make_shared<const OnnxApi>(std::move(library), std::move(version), table);
}

Status OnnxApi::Take(OrtStatus* status, StatusCode otherwise) const {
  if (status == nullptr) return {};
  Status taken(CodeOf(GetErrorCode(status), otherwise), Readable(GetErrorMessage(status)));
  ReleaseStatus(status);
  return taken;
}

} // namespace avocet
