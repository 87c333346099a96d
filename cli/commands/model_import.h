#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/commands/session.h"
#include "messages/model.h"

namespace avocet {

/// Called after each piece with the share that is uploaded, 0..1.
using OnUpload = std::function<void(double share)>;

/// Uploads the files (.tflite, .onnx, or .toml for emulated models, which are checked here) and
/// makes the model known. A cut upload is resumed by calling it again.
Result<Model> ImportModelFiles(Session& session, const std::string& name, const std::string& version,
                               const std::vector<std::filesystem::path>& files, const OnUpload& on_upload = {});

} // namespace avocet
