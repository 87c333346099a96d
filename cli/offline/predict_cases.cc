#include "cli/offline/predict_cases.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controller/queueing/micro_simulation.h"
#include "controller/queueing/multi_server_model.h"

namespace avocet {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxClasses = 256;
constexpr int kMaxServers = 1024;
constexpr size_t kLeastSample = 200;

/// A problem of a case; caught in ParseCases, so that the readers below can be expressions.
struct CaseProblem {
  std::string what;
};

const Json& Need(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key)) throw CaseProblem{fmt::format("has no '{}'", key)};
  return object[key];
}

std::string TextOf(const Json& object, const char* key, const std::string& otherwise) {
  if (!object.contains(key)) return otherwise;
  if (!object[key].is_string()) throw CaseProblem{fmt::format("'{}' must be a string", key)};
  return object[key].get<std::string>();
}

double InRange(const Json& value, const char* key, double least, double most) {
  const double number = value.is_number() ? value.get<double>() : NAN;
  if (number >= least && number <= most) return number;
  throw CaseProblem{fmt::format("'{}' must be {} to {}", key, least, most)};
}

double NumberOf(const Json& object, const char* key, double otherwise, double least, double most) {
  return object.contains(key) ? InRange(object[key], key, least, most) : otherwise;
}

std::vector<double> ListOf(const Json& list, const char* key, double least, double most) {
  if (!list.is_array() || list.empty() || list.size() > kMaxClasses)
    throw CaseProblem{fmt::format("'{}' must be a list of 1 to {} numbers", key, kMaxClasses)};
  std::vector<double> numbers;
  for (const auto& value : list)
    numbers.push_back(InRange(value, key, least, most));
  return numbers;
}

Discipline DisciplineOf(const std::string& model) {
  if (model == "fcfs_switch") return Discipline::kFifo;
  if (model == "hybrid_ps") return Discipline::kTimeShared;
  if (model == "mg1_ps") return Discipline::kProcessorSharing;
  if (model == "mmc_fcfs" || model == "mgc_ps" || model == "mgc_fcfs") return Discipline::kMultiServer;
  throw CaseProblem{
      fmt::format("model '{}' is not valid; use fcfs_switch, hybrid_ps, mg1_ps, mmc_fcfs, mgc_ps or mgc_fcfs", model)};
}

double ScvOf(const Json& inputs, const std::string& model) {
  const std::string service = TextOf(inputs, "service", model == "mmc_fcfs" ? "exponential" : "deterministic");
  if (TextOf(inputs, "arrivals", "poisson") != "poisson") throw CaseProblem{"'arrivals' must be poisson"};
  if (service != "deterministic" && service != "exponential" && !inputs.contains("scv"))
    throw CaseProblem{fmt::format("service '{}' needs an 'scv'", service)};
  return NumberOf(inputs, "scv", service == "exponential" ? 1 : 0, 0, 100);
}

ServicePart PartOf(const Json& json) {
  if (!json.is_object()) throw CaseProblem{"'service_parts' must hold lists of objects"};
  return {.probability = InRange(Need(json, "probability"), "probability", 1e-6, 1),
          .mean_s = InRange(Need(json, "mean_s"), "mean_s", 1e-6, 100),
          .scv = NumberOf(json, "scv", 0, 0, 100)};
}

ServiceTime MixtureOfCase(const Json& list) {
  if (!list.is_array() || list.empty() || list.size() > kMaxServiceParts)
    throw CaseProblem{fmt::format("'service_parts' must hold lists of 1 to {} parts", kMaxServiceParts)};
  std::vector<ServicePart> parts;
  for (const auto& part : list)
    parts.push_back(PartOf(part));
  return ServiceMixture(std::move(parts));
}

/// "service_parts":[[{"probability","mean_s","scv"}, ...], ...], by class, in place of "service_s".
std::vector<ServiceTime> ServicesOf(const Json& inputs, const std::string& model) {
  std::vector<ServiceTime> services;
  if (inputs.contains("service_parts")) {
    const Json& classes = inputs["service_parts"];
    if (!classes.is_array()) throw CaseProblem{"'service_parts' must be a list by class"};
    for (const auto& list : classes)
      services.push_back(MixtureOfCase(list));
    return services;
  }
  const double scv = ScvOf(inputs, model);
  for (const double mean_s : ListOf(Need(inputs, "service_s"), "service_s", 1e-6, 100))
    services.push_back({mean_s, scv});
  return services;
}

DeviceLoad LoadOf(const Json& inputs, const std::string& model) {
  const auto rates = ListOf(Need(inputs, "lambda_per_s"), "lambda_per_s", 1e-6, 1e6);
  const auto services = ServicesOf(inputs, model);
  auto switches = std::vector<double>(rates.size(), 0);
  if (inputs.contains("switch_overhead_s")) switches = ListOf(inputs["switch_overhead_s"], "switch_overhead_s", 0, 100);
  // All three lists are indexed by class below.
  if (services.size() != rates.size() || switches.size() != rates.size())
    throw CaseProblem{"'lambda_per_s', the services and 'switch_overhead_s' must be equally long"};

  DeviceLoad load{.discipline = DisciplineOf(model), .cores = 1, .apps = {}};
  load.cores = static_cast<int>(NumberOf(inputs, "servers", 1, 1, kMaxServers));
  for (size_t i = 0; i < rates.size(); ++i) {
    // Three digits, so that names sort by class.
    const std::string name = fmt::format("class{:03}", i);
    load.apps.push_back({.app = AppId(name),
                         .model = MakeModelId(name, "1"),
                         .rate_rps = rates[i],
                         .service = services[i],
                         .switch_s = switches[i]});
  }
  return load;
}

QueueingCase CaseOf(const Json& entry) {
  const std::string model = TextOf(entry, "model", "");
  const Json& inputs = Need(entry, "inputs");
  QueueingCase one{.id = TextOf(entry, "id", ""), .load = LoadOf(inputs, model)};
  one.workers = static_cast<int>(NumberOf(inputs, "workers_per_model", 1, 1, kMaxServers));
  one.shared_cores = model == "mgc_ps";
  return one;
}

/// How much of the answer the formulas are exact about.
enum class Known { kAll, kMean, kNothing };

Known KnownOf(const QueueingCase& one) {
  const auto& load = one.load;
  const auto& service = load.apps.front().service;
  const bool one_class = load.apps.size() == 1, exponential = service.parts.empty() && service.scv == 1;

  switch (load.discipline) {
  // Poisson arrivals at one server: the transform of the waiting time is known.
  case Discipline::kFifo:
    return Known::kAll;
  case Discipline::kTimeShared:
    return one_class && one.workers == 1 ? Known::kAll : Known::kNothing;
  case Discipline::kProcessorSharing:
    // The mean depends on a service time only by its mean; for percentiles there is no such law.
    return Known::kMean;
  case Discipline::kMultiServer:
    if (one.shared_cores) return Known::kMean;
    return one_class && (exponential || load.cores == 1) ? Known::kAll : Known::kNothing;
  }
  return Known::kNothing;
}

/// The models assume one worker per model, and cores that are not shared.
bool HasModel(const QueueingCase& one) {
  return !one.shared_cores && (one.workers == 1 || one.load.discipline != Discipline::kTimeShared);
}

void AnswerBySimulation(const QueueingCase& one, int requests, CaseAnswer& answer) {
  const auto sample =
      Simulate(one.load, {.requests = requests, .workers = one.workers, .shared_cores = one.shared_cores});
  for (size_t i = 0; i < one.load.apps.size(); ++i) {
    if (sample.Count(i) < kLeastSample) continue; // too rare to be seen
    answer.mean_s[i] = sample.Mean(i);
    answer.p50_s[i] = sample.Quantile(i, 0.50);
    answer.p95_s[i] = sample.Quantile(i, 0.95);
    answer.p99_s[i] = sample.Quantile(i, 0.99);
  }
}

void AnswerByModel(const QueueingCase& one, CaseAnswer& answer) {
  const auto prediction = Predict(one.load);
  for (size_t i = 0; i < prediction.apps.size(); ++i) {
    const auto& app = prediction.apps[i];
    answer.mean_s[i] = app.mean_s;
    answer.p50_s[i] = app.p50_s;
    answer.p95_s[i] = app.p95_s;
    answer.p99_s[i] = app.p99_s;
  }
}

void AnswerSharedCoresMean(const QueueingCase& one, CaseAnswer& answer) {
  const double factor = MultiServerSharingFactor(one.load.cores, answer.rho * one.load.cores);
  for (size_t i = 0; i < one.load.apps.size(); ++i)
    answer.mean_s[i] = one.load.apps[i].service.mean_s * factor;
}

std::string SimulationMethod(int requests) {
  return fmt::format("simulation of {} requests", requests);
}

} // namespace

Result<std::vector<QueueingCase>> ParseCases(std::string_view text, const std::string& filename) {
  const Json document = Json::parse(text, nullptr, false);
  if (!document.is_object() || !document.contains("cases") || !document["cases"].is_array())
    return InvalidArgument(fmt::format("{}: must be JSON of the form {{\"cases\":[...]}}", filename));

  std::vector<QueueingCase> cases;
  for (const auto& entry : document["cases"]) {
    // Reading ends at the first wrong case: the message names it by number and id.
    try {
      cases.push_back(CaseOf(entry));
    } catch (const CaseProblem& problem) {
      const bool named = entry.is_object() && entry.contains("id") && entry["id"].is_string();
      return InvalidArgument(fmt::format("{}: case {} ({}): {}", filename, cases.size() + 1,
                                         named ? entry["id"].get<std::string>() : "without id", problem.what));
    }
  }
  return cases;
}

CaseAnswer AnswerCase(const QueueingCase& one, int simulated_requests) {
  CaseAnswer answer;
  answer.rho = Utilization(one.load);
  answer.stable = answer.rho < kStableUtilization;
  // Sized even without a steady state, because readers index the lists by class.
  for (auto* list : {&answer.mean_s, &answer.p50_s, &answer.p95_s, &answer.p99_s})
    list->resize(one.load.apps.size());
  answer.method = "no steady state";
  if (!answer.stable) return answer;

  const Known known = KnownOf(one);
  const bool simulates = simulated_requests > 0 && (known == Known::kNothing || one.shared_cores);
  answer.method = known == Known::kAll ? "exact" : known == Known::kMean ? "exact mean" : "no model";
  if (HasModel(one)) {
    AnswerByModel(one, answer);
    if (known == Known::kMean) answer.method = "exact mean, approximate percentiles";
    if (known == Known::kNothing) answer.method = "approximation";
  }

  if (simulates) {
    AnswerBySimulation(one, simulated_requests, answer);
    answer.method = (one.shared_cores ? "exact mean, " : "") + SimulationMethod(simulated_requests);
  }

  // Last, because the exact mean replaces that of the model or simulation.
  if (one.shared_cores) AnswerSharedCoresMean(one, answer);
  return answer;
}

} // namespace avocet
