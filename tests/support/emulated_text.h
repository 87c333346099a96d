#pragma once

#include <string>

namespace avocet {

/// A file of an emulated model: another one for each text.
inline std::string EmulatedText(const std::string& about) {
  return "description = \"" + about +
         "\"\n[[input]]\nname = \"x\"\ndatatype = \"FP32\"\nshape = [1]\n"
         "[[output]]\nname = \"y\"\ndatatype = \"FP32\"\nshape = [1]\n"
         "[device.gpu]\nservice_ms = 1\nmemory_mb = 1\n";
}

} // namespace avocet
