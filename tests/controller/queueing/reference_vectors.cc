#include "tests/controller/queueing/reference_vectors.h"

#include <fstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "tests/controller/queueing/load_builder.h"

namespace avocet {
namespace {

using nlohmann::json;

Discipline DisciplineOf(const std::string& model) {
  if (model == "fcfs_switch") return Discipline::kFifo;
  if (model == "hybrid_ps") return Discipline::kTimeShared;
  return model == "mg1_ps" ? Discipline::kProcessorSharing : Discipline::kMultiServer;
}

DeviceLoad LoadOfCase(const std::string& model, const json& inputs) {
  std::vector<LoadRow> rows;
  const double scv = inputs.value("service", "") == "exponential" ? 1 : inputs.value("scv", 0.0);
  for (size_t i = 0; i < inputs["lambda_per_s"].size(); ++i) {
    const double switch_s = inputs.contains("switch_overhead_s") ? inputs["switch_overhead_s"][i].get<double>() : 0;
    rows.push_back({inputs["lambda_per_s"][i], inputs["service_s"][i], scv, switch_s});
  }
  return MakeLoad(DisciplineOf(model), rows, inputs.value("servers", 1));
}

std::optional<double> NumberAt(const json& outputs, const char* key, size_t i) {
  if (!outputs.contains(key) || outputs[key].is_null() || outputs[key][i].is_null()) return std::nullopt;
  return outputs[key][i].get<double>();
}

ReferenceCase ParseCase(const json& entry) {
  const json& outputs = entry["outputs"];
  ReferenceCase result{
      .id = entry["id"], .model = entry["model"], .load = {}, .rho = outputs["rho"], .rows = {}, .paper_mean_s = {}};
  result.load = LoadOfCase(result.model, entry["inputs"]);
  result.stable = outputs.value("stable", true);
  for (size_t i = 0; result.stable && i < result.load.apps.size(); ++i) {
    result.rows.push_back({outputs["mean_s"][i], NumberAt(outputs, "p50_s", i), NumberAt(outputs, "p95_s", i),
                           NumberAt(outputs, "p99_s", i)});
  }
  if (entry.contains("paper_formula"))
    result.paper_mean_s = entry["paper_formula"]["mean_s"].get<std::vector<double>>();
  return result;
}

} // namespace

std::vector<ReferenceCase> ReferenceCases(const std::string& model) {
  const std::string path = AVOCET_TEST_DATA "/queueing/queueing_reference.json";
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<ReferenceCase> cases;
  const json document = json::parse(file);
  for (const auto& entry : document["cases"]) {
    if (entry["model"] == model && !entry["inputs"].contains("workers_per_model")) cases.push_back(ParseCase(entry));
  }
  return cases;
}

} // namespace avocet
