#pragma once

#include <string>
#include <vector>

#include "messages/model.h"
#include "messages/status.h"

namespace avocet {

/// An input that a model is to be measured with; `data` are its elements, of SampleFill::kFile.
struct SampleToUpload {
  SampleInput sample; ///< `file` and `size_bytes` are those of `data`
  std::string data;
};

/// What `--input` and `--shape` say. Inputs: "NAME=zeros|ones|random|random:SEED", else NAME=FILE: a .npy file, or
/// elements in raw form, little-endian (of BYTES each with its length in front, 4 bytes). Shapes: "NAME=1x3x48x192".
/// A shape alone gives ones. kInvalidArgument names what is wrong and what would be right; files are read.
Result<std::vector<SampleToUpload>> ReadSampleInputs(const std::vector<std::string>& inputs,
                                                     const std::vector<std::string>& shapes);

} // namespace avocet
