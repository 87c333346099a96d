#pragma once

#include <filesystem>
#include <vector>

#include "messages/model.h"
#include "messages/status.h"
#include "node_agent/tensors/tensor.h"

namespace avocet {

/// One file of a model that is to be imported.
struct ModelFile {
  ModelFormat format = ModelFormat::kTflite;
  std::filesystem::path path;
};

/// What the file says that it takes and gives, read without its engine, so that what cannot be served is refused where
/// models come in. kInvalidArgument: not of its format, damaged, or it names other files; kUnsupported: inputs or
/// outputs that requests cannot carry. kNotFound, kUnavailable: the file cannot be read.
Result<ModelSignature> InspectModelFile(const ModelFile& file);

/// Inspects them all. kInvalidArgument where two take or give other tensors: clients name them alike wherever the model
/// runs. An open extent agrees with any. And where a sample is for an input that they do not have.
Status InspectModelFiles(const std::vector<ModelFile>& files, const std::vector<SampleInput>& samples = {});

} // namespace avocet
