#pragma once

#include <memory>
#include <utility>

#include "node_agent/engines/engine.h"

namespace avocet {

/// Takes one input and does nothing: what remains is the cost of everything around an engine.
class NoOpEngine : public Engine {
public:
  explicit NoOpEngine(TensorSpec input) : input_(std::move(input)) {}
  EngineKind kind() const override { return EngineKind::kTflite; }
  bool can_cancel() const override { return false; }
  Result<std::unique_ptr<LoadedModel>> Load(const LoadRequest&) override {
    return std::unique_ptr<LoadedModel>(std::make_unique<Model>(input_));
  }

private:
  class Model : public LoadedModel {
  public:
    explicit Model(TensorSpec input) : signature_{{std::move(input)}, {}} {}
    const ModelSignature& signature() const override { return signature_; }
    uint64_t memory_bytes() const override { return kMiB; }
    Result<RunResult> Run(const RunRequest&) override { return RunResult{}; }

  private:
    ModelSignature signature_;
  };
  TensorSpec input_;
};

} // namespace avocet
