#include "node_agent/engines/tflite_api.h"

namespace avocet {
namespace {

Status BindInterpreter(TfliteApi& api) {
  const SharedLibrary& library = api.library;
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteVersion", api.Version));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteModelCreateFromFile", api.ModelCreateFromFile));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteModelDelete", api.ModelDelete));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteInterpreterCreate", api.InterpreterCreate));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteInterpreterDelete", api.InterpreterDelete));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteInterpreterResizeInputTensor", api.ResizeInput));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteInterpreterModifyGraphWithDelegate", api.ModifyGraph));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteInterpreterAllocateTensors", api.AllocateTensors));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteInterpreterInvoke", api.Invoke));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteInterpreterGetInputTensorCount", api.InputCount));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteInterpreterGetInputTensor", api.Input));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteInterpreterGetOutputTensorCount", api.OutputCount));
  return library.Bind("TfLiteInterpreterGetOutputTensor", api.Output);
}

Status BindOptions(TfliteApi& api) {
  const SharedLibrary& library = api.library;
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteInterpreterOptionsCreate", api.OptionsCreate));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteInterpreterOptionsDelete", api.OptionsDelete));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteInterpreterOptionsSetNumThreads", api.OptionsSetNumThreads));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteInterpreterOptionsAddDelegate", api.OptionsAddDelegate));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteInterpreterOptionsAddCustomOp", api.OptionsAddCustomOp));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteInterpreterOptionsSetErrorReporter", api.OptionsSetErrorReporter));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteXNNPackDelegateOptionsDefault", api.XnnpackOptionsDefault));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteXNNPackDelegateCreate", api.XnnpackCreate));
  return library.Bind("TfLiteXNNPackDelegateDelete", api.XnnpackDelete);
}

Status BindTensors(TfliteApi& api) {
  const SharedLibrary& library = api.library;
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteTensorType", api.TensorType));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteTensorNumDims", api.TensorNumDims));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteTensorDim", api.TensorDim));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteTensorByteSize", api.TensorByteSize));
  AVOCET_RETURN_IF_ERROR(library.Bind("TfLiteTensorData", api.TensorData));
  return library.Bind("TfLiteTensorName", api.TensorName);
}

} // namespace

Result<std::shared_ptr<const TfliteApi>> TfliteApi::Load(const std::filesystem::path& file) {
  AVOCET_ASSIGN_OR_RETURN(auto library, SharedLibrary::Open(file));
  auto api = std::make_shared<TfliteApi>(std::move(library));
  AVOCET_RETURN_IF_ERROR(BindInterpreter(*api));
  AVOCET_RETURN_IF_ERROR(BindOptions(*api));
  AVOCET_RETURN_IF_ERROR(BindTensors(*api));
  return std::shared_ptr<const TfliteApi>(std::move(api));
}

} // namespace avocet
