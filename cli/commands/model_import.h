#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/commands/session.h"
#include "cli/config/sample_inputs.h"
#include "messages/model.h"

namespace avocet {

/// Called after each piece with the share that is uploaded, 0..1.
using OnUpload = std::function<void(double share)>;

struct ModelToImport {
  std::string name;
  std::string version = "1";
  std::vector<std::filesystem::path> files; ///< .tflite, .onnx, or .toml for emulated models; one of each format
  std::vector<SampleToUpload> samples = {}; ///< what it is measured with
};

/// Checks the files, so that nothing of what the controller would refuse is uploaded, uploads them and makes the model
/// known. A cut upload is resumed by calling it again.
Result<Model> ImportModelFiles(Session& session, const ModelToImport& import, const OnUpload& on_upload = {});

/// Uploads their files, and returns what a request to the controller says of them.
Result<std::vector<SampleInput>> UploadSamples(Session& session, const std::vector<SampleToUpload>& samples);

} // namespace avocet
