#pragma once

#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "node_agent/engines/engine.h"

namespace avocet {

/// What the contract suite needs to know of an engine and one of its models. An engine's test file
/// instantiates EngineContract with its cases.
struct EngineCase {
  std::string name;
  EngineOptions options;
  std::filesystem::path model;
  ModelSignature signature;          ///< expected
  std::filesystem::path other_model; ///< another one that runs on the same device
  std::filesystem::path slow_model;  ///< runs for minutes; needed when the engine can cancel
  int64_t slow_extent = 1;           ///< of its inputs' open extents, for a run of minutes
  friend void PrintTo(const EngineCase& c, std::ostream* out) { *out << c.name; }
};

class EngineContract : public testing::TestWithParam<EngineCase> {
protected:
  void SetUp() override;
  std::unique_ptr<LoadedModel> Load(const std::filesystem::path& file);

  std::unique_ptr<Engine> engine_;
};

/// Inputs of a model, filled from a seed; 0 gives zeros. Open extents become `extent`. Owns the bytes.
class FilledInputs {
public:
  FilledInputs(const ModelSignature& signature, unsigned seed, int64_t extent = 1);
  RunRequest request() const;
  std::vector<TensorView>& views() { return views_; }

private:
  std::vector<std::vector<std::byte>> bytes_;
  std::vector<TensorView> views_;
};

/// Open file descriptors, and resident bytes, of this process.
size_t OpenFiles();
uint64_t ResidentBytesNow();

/// `${AVOCET_PREFIX:-/opt/avocet}`: where deploy/install-engines puts libraries and sample models.
std::filesystem::path EnginePrefix();

} // namespace avocet
