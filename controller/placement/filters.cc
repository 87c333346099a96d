#include "controller/placement/filters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "controller/placement/paper_admission.h"
#include "messages/text.h"

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

/// As tables show ratios.
std::string Percent(double ratio) {
  return Short(100 * ratio) + " %";
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
  return {static_cast<double>(DeviceHealth::kHealthy), static_cast<double>(health), Unit::kState,
          "device " + DeviceName(c) + " is " + std::string(ToString(health)) +
              (away ? "; start the agent of node " + Quoted(c.device().spec.node.str())
                    : "; it takes no new applications")};
}

bool IsAllowedKind(const Candidate& c) {
  const auto& allowed = c.request().device_kinds;
  return allowed.empty() || std::find(allowed.begin(), allowed.end(), c.device().spec.kind) != allowed.end();
}

Refusal ExplainKind(const Candidate& c) {
  return {1, 0, Unit::kKinds,
          "application " + Quoted(c.request().name.str()) + " does not allow devices of kind " +
              Quoted(ToString(c.device().spec.kind)) + "; add it to placement.device_kinds"};
}

bool HasFormat(const Candidate& c) {
  const Model* model = c.question().newcomer.model;
  return model != nullptr && model->Find(c.format()) != nullptr;
}

Refusal ExplainFormat(const Candidate& c) {
  const Model* model = c.question().newcomer.model;
  if (model == nullptr) {
    const std::string asked = Quoted(c.request().model);
    return {1, 0, Unit::kFiles, "model " + asked + " is not imported; `avocet model import` adds it"};
  }
  return {1, 0, Unit::kFiles,
          "model " + Quoted(model->id().str()) + " has no " + std::string(ToString(c.format())) +
              " file, which device " + DeviceName(c) + " needs; import one"};
}

bool IsProfiled(const Candidate& c) {
  return c.demand() && c.demand()->profile != nullptr;
}

/// Why the model was not measured when that was tried, or nothing.
const std::string* FailureOfProfile(const Candidate& c) {
  Profile missing;
  missing.model = c.question().newcomer.model->id();
  missing.format = c.format();
  missing.device_type = c.device().spec.type;
  const auto& failures = c.question().view.profile_failures;
  const auto found = failures.find(missing.key());
  return found == failures.end() ? nullptr : &found->second;
}

Refusal ExplainProfile(const Candidate& c) {
  const std::string model = c.question().newcomer.model->id().str(), device = c.device().spec.id().str();
  if (const std::string* failure = FailureOfProfile(c))
    return {1, 0, Unit::kProfiles,
            ToText("model " + Quoted(model) + " could not be measured on device type " + Quoted(c.device().spec.type) +
                   ": " + *failure)};
  return {1, 0, Unit::kProfiles,
          "model " + Quoted(model) + " was never measured on device type " + Quoted(c.device().spec.type) +
              "; run `avocet model profile " + model + " --device " + device + "`"};
}

bool IsOurs(const Candidate& c) {
  return RulesOf(c.question().policy.placement) == Rules::kOurs;
}

uint64_t UsableMemory(const Candidate& c) {
  const double fraction = IsOurs(c) ? c.question().policy.memory_fraction : kBaselineBound;
  return static_cast<uint64_t>(fraction * static_cast<double>(c.device().spec.memory_bytes));
}

bool FitsMemory(const Candidate& c) {
  // A model that is loaded already needs nothing, even where the bound was lowered below what is used.
  return c.memory_after() <= UsableMemory(c) || c.memory_after() == c.before().memory_bytes;
}

Refusal ExplainMemory(const Candidate& c) {
  const uint64_t usable = UsableMemory(c);
  const double needed = Mebibytes(c.memory_after() - c.before().memory_bytes);
  const double free = usable > c.before().memory_bytes ? Mebibytes(usable - c.before().memory_bytes) : 0;
  return {needed, free, Unit::kMebibytes,
          "model " + Quoted(c.question().newcomer.model->id().str()) + " needs " + Short(needed) + " MiB and device " +
              DeviceName(c) + " has " + Short(free) + " MiB free; remove an application there or use a smaller model"};
}

double MaxUtilization(const Candidate& c) {
  return IsOurs(c) ? c.question().policy.max_utilization : kBaselineBound;
}

bool DeviceKeepsUp(const Candidate& c) {
  return c.assessed_after().stable && c.assessed_after().utilization <= MaxUtilization(c);
}

bool CoresKeepUp(const Candidate& c) {
  return !IsOurs(c) || c.request().preprocess == Duration::zero() ||
         c.preprocessing_after().share() <= c.question().policy.max_preprocess_cpu;
}

bool KeepsUp(const Candidate& c) {
  return DeviceKeepsUp(c) && CoresKeepUp(c);
}

Refusal ExplainUtilization(const Candidate& c) {
  if (!DeviceKeepsUp(c)) {
    const double bound = MaxUtilization(c), found = c.assessed_after().utilization;
    return {bound, found, Unit::kRatio,
            "device " + DeviceName(c) + " would be utilized to " + Percent(found) + ", more than " + Percent(bound) +
                "; lower rate_rps or remove an application there"};
  }
  const double bound = c.question().policy.max_preprocess_cpu, found = c.preprocessing_after().share();
  return {bound, found, Unit::kCoresRatio,
          "pre-processing would use " + Percent(found) + " of the cores of node " + Quoted(c.device().spec.node.str()) +
              ", more than " + Percent(bound) + "; lower rate_rps or preprocess_ms"};
}

/// Calls `visit` for the node's other applications whose objective the newcomer could break, until it says false.
template <class Visitor> bool VisitNeighbours(const Candidate& c, const Visitor& visit) {
  for (const auto& [tenancy, assessed] : c.neighbours()) {
    for (size_t i = 0; i < tenancy.tenants.size(); ++i) {
      if (tenancy.tenants[i].goal.preprocess_s > 0 && !visit(tenancy, i, assessed->answers[i])) return false;
    }
  }
  return true;
}

bool KeepsEveryGoal(const Candidate& c) {
  const auto& own = c.assessed_after().answers;
  if (!std::all_of(own.begin(), own.end(), [](const GoalAnswer& answer) { return answer.kept; })) return false;
  return VisitNeighbours(c, [](const Tenancy&, size_t, const GoalAnswer& answer) { return answer.kept; });
}

/// The application that exceeds its limit by the largest factor.
struct Worst {
  const Application* app = nullptr;
  Duration limit{};
  std::optional<Duration> found; ///< nullopt: without bound
  double ratio = 0;
};

/// The prediction of a goal that is not kept. A fast one may lie on the wrong side of the limit.
GoalAnswer ShownAnswer(const Candidate& c, const Tenancy& tenancy, size_t i, const GoalAnswer& answer) {
  const bool contradicts = answer.fast && answer.bounded && answer.latency_s <= tenancy.tenants[i].goal.limit_s;
  return contradicts ? ExactAssessmentOf(tenancy, c.question().cache)->answers[i] : answer;
}

Worst FindWorst(const Candidate& c) {
  Worst worst;
  const auto consider = [&](const Tenancy& tenancy, size_t i, const GoalAnswer& answer) {
    // A kept goal is skipped, and true goes on to the next: the worst is sought, not the first.
    if (answer.kept) return true;

    const Tenant& tenant = tenancy.tenants[i];
    const GoalAnswer shown = ShownAnswer(c, tenancy, i, answer);
    // Compared by ratio, as limits differ; one without a bound is worse than any number.
    const double ratio = shown.bounded ? shown.latency_s / std::max(tenant.goal.limit_s, 1e-9) : 1e300;

    if (worst.app != nullptr && ratio <= worst.ratio) return true;
    worst = {tenant.app, LimitOf(*tenant.app, c.question().policy), {}, ratio};

    if (shown.bounded) worst.found = FromSeconds(shown.latency_s);
    return true;
  };

  // Neighbours count, too: they share the node's cores with the newcomer.
  for (size_t i = 0; i < c.after().tenants.size(); ++i)
    consider(c.after(), i, c.assessed_after().answers[i]);
  VisitNeighbours(c, consider);

  return worst;
}

/// " (90 % of its objective less 15 ms for the network)": why the limit is not what the file says.
std::string DescribeLimit(const Worst& worst) {
  const Duration allowance = worst.app->network_allowance;
  const double share = ToSeconds(worst.limit) / ToSeconds(worst.app->objective.latency - allowance);
  return " (" + Percent(share) + " of its objective" +
         (allowance > Duration::zero() ? " less " + Short(ToMillis(allowance)) + " ms for the network)" : ")");
}

std::string DescribeWorst(const Candidate& c, const Worst& worst) {
  const std::string predicted =
      worst.found ? "would be " + Short(ToMillis(*worst.found)) + " ms" : "would grow without bound";
  const bool own = worst.app == &c.request();
  return std::string(ToString(worst.app->objective.statistic)) + " of application " + Quoted(worst.app->name.str()) +
         " " + predicted + ", its limit is " + Short(ToMillis(worst.limit)) + " ms" + DescribeLimit(worst) + "; " +
         (own ? "lower rate_rps or allow more latency" : "lower the newcomer's rate_rps or place it elsewhere");
}

Refusal ExplainObjectives(const Candidate& c) {
  const Worst worst = FindWorst(c);
  // Without a bound there is no finite number to show: an hour is the longest objective.
  const double found = worst.found ? ToMillis(*worst.found) : ToMillis(std::chrono::hours(1));
  return {ToMillis(worst.limit), found, Unit::kMilliseconds, DescribeWorst(c, worst)};
}

bool FrontEndsKeepUp(const Candidate& c) {
  return PaperFrontEnd(c).found < PaperFrontEnd(c).bound;
}

Refusal ExplainFrontEnds(const Candidate& c) {
  const auto [bound, found] = PaperFrontEnd(c);
  return {bound, found, Unit::kRatio,
          "the paper's test: a front end on node " + Quoted(c.device().spec.node.str()) + " would be busy " +
              Percent(found) + " of the time, not below " + Percent(bound) + "; lower rate_rps or preprocess_ms"};
}

bool KeepsPaperObjectives(const Candidate& c) {
  return PaperResponse(c).found < PaperResponse(c).bound;
}

Refusal ExplainPaperObjectives(const Candidate& c) {
  const auto [bound, found] = PaperResponse(c);
  return {1e3 * bound, 1e3 * found, Unit::kMilliseconds,
          "the paper's test: the mean response time of a model on device " + DeviceName(c) + " would be " +
              Short(1e3 * found) + " ms, not below " + Short(1e3 * bound) + " ms; lower rate_rps"};
}

using AskedBy = std::array<bool, 4>;
constexpr AskedBy kAll = {true, true, true, true};
constexpr AskedBy kOurs = {true, false, false, false};
constexpr AskedBy kPaper = {false, true, false, false};
constexpr AskedBy kAllButMemory = {true, true, false, true};

constexpr std::array<Filter, 9> kFilters = {{
    {FilterKind::kHealthy, kAll, false, IsHealthy, ExplainHealth},
    {FilterKind::kKind, kAll, false, IsAllowedKind, ExplainKind},
    {FilterKind::kFormat, kAll, false, HasFormat, ExplainFormat},
    {FilterKind::kProfile, kAll, false, IsProfiled, ExplainProfile},
    {FilterKind::kMemory, kAll, false, FitsMemory, ExplainMemory},
    {FilterKind::kUtilization, kAllButMemory, true, KeepsUp, ExplainUtilization},
    {FilterKind::kObjectives, kOurs, true, KeepsEveryGoal, ExplainObjectives},
    {FilterKind::kPaperRate, kPaper, true, FrontEndsKeepUp, ExplainFrontEnds},
    {FilterKind::kPaperObjectives, kPaper, true, KeepsPaperObjectives, ExplainPaperObjectives},
}};

} // namespace

Rules RulesOf(PlacementPolicy policy) {
  // No default: a new policy must choose its rules before it compiles without a warning.
  switch (policy) {
  case PlacementPolicy::kFragmentation:
  case PlacementPolicy::kHeadroom:
  case PlacementPolicy::kFirstFit:
    return Rules::kOurs;
  case PlacementPolicy::kPaperBfs:
  case PlacementPolicy::kPaperDfs:
    return Rules::kPaper;
  case PlacementPolicy::kMemoryFirst:
  case PlacementPolicy::kMemoryBest:
  case PlacementPolicy::kMemoryWorst:
    return Rules::kMemory;
  case PlacementPolicy::kUtilizationFirst:
  case PlacementPolicy::kUtilizationBest:
  case PlacementPolicy::kUtilizationWorst:
    return Rules::kUtilization;
  }
  return Rules::kOurs;
}

std::span<const Filter> Filters() {
  return kFilters;
}

bool IsAsked(const Filter& filter, const Policy& policy) {
  return filter.asked_by[static_cast<size_t>(RulesOf(policy.placement))];
}

} // namespace avocet
