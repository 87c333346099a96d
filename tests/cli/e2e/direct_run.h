#pragma once

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <ostream>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "node_agent/engines/engine.h"
#include "tests/support/dev_cluster.h"

namespace avocet {

/// What is served, on the agent's real device, and called directly, too; and how big its picture is.
struct DirectModel {
  EngineKind engine;
  std::string model; ///< of the sample models
  std::vector<int64_t> shape;
};

inline void PrintTo(const DirectModel& what, std::ostream* out) {
  *out << what.model;
}

inline std::filesystem::path Prefix() {
  return SampleModel("").parent_path().parent_path().parent_path().parent_path();
}

inline nlohmann::json ToJson(const TensorSpec& spec) {
  return {{"name", spec.name}, {"datatype", ToString(spec.type)}, {"shape", spec.shape}};
}

inline nlohmann::json ToJson(const std::vector<TensorSpec>& specs) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& spec : specs)
    list.push_back(ToJson(spec));
  return list;
}

/// The same engine that the agent uses, called directly.
class DirectRun {
public:
  DirectRun(const DirectModel& what, unsigned seed) {
    auto engine = MakeEngine({.kind = what.engine, .prefix = Prefix()});
    if (!engine.ok()) throw std::runtime_error(engine.status().ToString());
    engine_ = std::move(*engine);
    auto model = engine_->Load({ModelId("direct:1"), SampleModel(what.model)});
    if (!model.ok()) throw std::runtime_error(model.status().ToString());
    model_ = std::move(*model);
    TensorSpec spec = model_->signature().inputs.at(0);
    spec.shape = what.shape;
    Fill(spec, seed);
    const TensorView input{spec, input_};
    auto result = model_->Run({.inputs = std::span(&input, 1)});
    if (!result.ok()) throw std::runtime_error(result.status().ToString());
    outputs_ = std::move(result->outputs);
  }

  const ModelSignature& signature() const { return model_->signature(); }
  const std::vector<std::byte>& input() const { return input_; }
  const std::vector<Tensor>& outputs() const { return outputs_; }
  /// "value:index" of the largest elements of an FP32 output.
  std::vector<std::string> Classes(size_t output, size_t most) const {
    const std::vector<std::byte>& data = outputs_.at(output).data;
    std::vector<std::pair<float, size_t>> elements(data.size() / sizeof(float));
    for (size_t i = 0; i < elements.size(); ++i) {
      std::memcpy(&elements[i].first, &data[i * sizeof(float)], sizeof(float));
      elements[i].second = i;
    }
    std::stable_sort(elements.begin(), elements.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<std::string> texts;
    for (size_t i = 0; i < std::min(most, elements.size()); ++i) {
      char text[128];
      std::snprintf(text, sizeof text, "%f:%zu", static_cast<double>(elements[i].first), elements[i].second);
      texts.emplace_back(text);
    }
    return texts;
  }

private:
  void Fill(const TensorSpec& spec, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> pixel(-1, 1);
    input_.resize(ByteSize(spec).value());
    for (size_t at = 0; at < input_.size(); at += sizeof(float)) {
      const float value = pixel(random);
      std::memcpy(&input_[at], &value, sizeof value);
    }
  }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<LoadedModel> model_;
  std::vector<std::byte> input_;
  std::vector<Tensor> outputs_;
};

} // namespace avocet
