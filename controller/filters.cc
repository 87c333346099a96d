#include "controller/filters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace avocet {
namespace {

std::string Quoted(std::string_view id) {
  return "'" + std::string(id) + "'";
}

std::string Short(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 4);
  return {text.data(), end.ptr};
}

std::string DeviceName(const Candidate& c) {
  return Quoted(c.device().spec.id().str());
}

double Mebibytes(uint64_t bytes) {
  return static_cast<double>(bytes) / static_cast<double>(kMiB);
}

bool IsHealthy(const Candidate& c) {
  return c.device().health == DeviceHealth::kHealthy;
}

Refusal ExplainHealth(const Candidate& c) {
  const auto health = c.device().health;
  const bool away = health == DeviceHealth::kAway;
  return {static_cast<double>(DeviceHealth::kHealthy), static_cast<double>(health), "state",
          "device " + DeviceName(c) + " is " + std::string(ToString(health)) +
              (away ? "; start the agent of node " + Quoted(c.device().spec.node.str())
                    : "; it takes no new applications")};
}

bool IsAllowedKind(const Candidate& c) {
  const auto& allowed = c.question().request.device_kinds;
  return allowed.empty() || std::find(allowed.begin(), allowed.end(), c.device().spec.kind) != allowed.end();
}

Refusal ExplainKind(const Candidate& c) {
  return {1, 0, "kinds",
          "application " + Quoted(c.question().request.name.str()) + " does not allow devices of kind " +
              Quoted(ToString(c.device().spec.kind)) + "; add it to placement.device_kinds"};
}

bool HasFormat(const Candidate& c) {
  const Model* model = c.question().model;
  return model != nullptr && model->Find(c.format()) != nullptr;
}

Refusal ExplainFormat(const Candidate& c) {
  const Model* model = c.question().model;
  if (model == nullptr) {
    const std::string asked = Quoted(c.question().request.model);
    return {1, 0, "files", "model " + asked + " is not imported; `avocet model import` adds it"};
  }
  return {1, 0, "files",
          "model " + Quoted(model->id().str()) + " has no " + std::string(ToString(c.format())) +
              " file, which device " + DeviceName(c) + " needs; import one"};
}

bool IsProfiled(const Candidate& c) {
  return c.profile() != nullptr;
}

Refusal ExplainProfile(const Candidate& c) {
  const std::string model = c.question().model->id().str(), device = c.device().spec.id().str();
  return {1, 0, "profiles",
          "model " + Quoted(model) + " was never measured on device type " + Quoted(c.device().spec.type) +
              "; run `avocet model profile " + model + " --device " + device + "`"};
}

uint64_t UsableMemory(const Candidate& c) {
  return static_cast<uint64_t>(c.question().policy.memory_fraction * static_cast<double>(c.device().spec.memory_bytes));
}

bool FitsMemory(const Candidate& c) {
  // A model that is loaded already needs nothing, even where the bound was lowered below what is used.
  return c.memory_after() <= UsableMemory(c) || c.memory_after() == c.memory_before();
}

Refusal ExplainMemory(const Candidate& c) {
  const uint64_t usable = UsableMemory(c);
  const double needed = Mebibytes(c.memory_after() - c.memory_before());
  const double free = usable > c.memory_before() ? Mebibytes(usable - c.memory_before()) : 0;
  return {needed, free, "MiB",
          "model " + Quoted(c.question().model->id().str()) + " needs " + Short(needed) + " MiB and device " +
              DeviceName(c) + " has " + Short(free) + " MiB free; remove an application there or use a smaller model"};
}

bool DeviceKeepsUp(const Candidate& c) {
  return c.after().response.stable && c.after().response.utilization <= c.question().policy.max_utilization;
}

bool CoresKeepUp(const Candidate& c) {
  return c.question().request.preprocess == Duration::zero() ||
         c.preprocessing().share() <= c.question().policy.max_preprocess_cpu;
}

bool KeepsUp(const Candidate& c) {
  return DeviceKeepsUp(c) && CoresKeepUp(c);
}

Refusal ExplainUtilization(const Candidate& c) {
  if (!DeviceKeepsUp(c)) {
    const double bound = c.question().policy.max_utilization, found = c.after().response.utilization;
    return {bound, found, "ratio",
            "device " + DeviceName(c) + " would be utilized to " + Short(found) + ", more than " + Short(bound) +
                "; lower rate_rps or remove an application there"};
  }
  const double bound = c.question().policy.max_preprocess_cpu, found = c.preprocessing().share();
  return {bound, found, "cores ratio",
          "pre-processing would use " + Short(found) + " of the cores of node " + Quoted(c.device().spec.node.str()) +
              ", more than " + Short(bound) + "; lower rate_rps or preprocess_ms"};
}

/// Calls `visit` for every application whose objective the newcomer could break, until it says false.
template <class Visitor> bool VisitPromises(const Candidate& c, const Visitor& visit) {
  const auto visit_device = [&](const SolvedDevice& solved, bool preprocessed_only) {
    for (size_t i = 0; i < solved.load.apps.size(); ++i) {
      const Application& app = c.AppOf(solved.load.apps[i]);
      if (preprocessed_only && app.preprocess == Duration::zero()) continue;
      if (!visit(solved, i, app)) return false;
    }
    return true;
  };
  return visit_device(c.after(), false) &&
         std::all_of(c.neighbours().begin(), c.neighbours().end(),
                     [&](const SolvedDevice& neighbour) { return visit_device(neighbour, true); });
}

bool Keeps(const Candidate& c, const SolvedDevice& solved, size_t i, const Application& app) {
  return MeetsObjective(solved, i, app, c.preprocessing(), c.question().policy);
}

bool KeepsPromises(const Candidate& c) {
  return VisitPromises(c, [&](const SolvedDevice& s, size_t i, const Application& app) { return Keeps(c, s, i, app); });
}

/// The application that exceeds its limit by the largest factor.
struct Worst {
  const Application* app = nullptr;
  Duration limit{};
  std::optional<Duration> found;
  double ratio = 0;
};

Worst FindWorst(const Candidate& c) {
  Worst worst;
  VisitPromises(c, [&](const SolvedDevice& solved, size_t i, const Application& app) {
    if (Keeps(c, solved, i, app)) return true;
    const Duration limit = LimitOf(app, c.question().policy);
    const auto found = PredictedLatency(solved, i, app, c.preprocessing());
    const double ratio = found ? ToSeconds(*found) / std::max(ToSeconds(limit), 1e-9) : 1e300;
    if (worst.app == nullptr || ratio > worst.ratio) worst = {&app, limit, found, ratio};
    return true;
  });
  return worst;
}

std::string DescribeWorst(const Candidate& c, const Worst& worst) {
  const std::string predicted =
      worst.found ? "would be " + Short(ToMillis(*worst.found)) + " ms" : "would grow without bound";
  const bool own = worst.app == &c.question().request;
  return std::string(ToString(worst.app->objective.statistic)) + " of application " + Quoted(worst.app->name.str()) +
         " " + predicted + ", its limit is " + Short(ToMillis(worst.limit)) + " ms; " +
         (own ? "lower rate_rps or allow more latency" : "lower the newcomer's rate_rps or place it elsewhere");
}

Refusal ExplainObjectives(const Candidate& c) {
  const Worst worst = FindWorst(c);
  // Without a bound there is no finite number to tell: an hour is the longest objective.
  const double found = worst.found ? ToMillis(*worst.found) : ToMillis(std::chrono::hours(1));
  return {ToMillis(worst.limit), found, "ms", DescribeWorst(c, worst)};
}

constexpr std::array<Filter, 7> kFilters = {{
    {"healthy", false, IsHealthy, ExplainHealth},
    {"kind", false, IsAllowedKind, ExplainKind},
    {"format", false, HasFormat, ExplainFormat},
    {"profile", false, IsProfiled, ExplainProfile},
    {"memory", false, FitsMemory, ExplainMemory},
    {"utilization", true, KeepsUp, ExplainUtilization},
    {"objectives", true, KeepsPromises, ExplainObjectives},
}};

} // namespace

std::span<const Filter> Filters() {
  return kFilters;
}

} // namespace avocet
