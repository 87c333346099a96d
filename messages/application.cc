#include "messages/application.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "messages/check.h"
#include "messages/enum_names.h"

namespace avocet {
namespace {

constexpr std::string_view kScvPrefix = "scv:";

bool IsArrivalScv(double scv) {
  return scv >= 0 && scv <= kMaxArrivalScv;
}

Status CheckArrival(const Arrival& arrival) {
  const std::string name = ToString(arrival);
  Check check("arrival", name);

  // Each kind fixes its SCV: two fields that contradict each other would mean something else to each reader.
  switch (arrival.kind) {
  case ArrivalKind::kPoisson:
    check.That(arrival.scv == 1, "scv", arrival.scv, "1 for poisson");
    break;
  case ArrivalKind::kPeriodic:
    check.That(arrival.scv == 0, "scv", arrival.scv, "0 for periodic");
    break;
  case ArrivalKind::kScv:
    check.That(IsArrivalScv(arrival.scv), "scv", arrival.scv, "from 0 to 100");
    break;
  }
  return check.status();
}

bool HasKindTwice(const std::vector<DeviceKind>& kinds) {
  return std::set<DeviceKind>(kinds.begin(), kinds.end()).size() != kinds.size();
}

} // namespace

std::string_view ToString(Statistic statistic) {
  switch (statistic) {
  case Statistic::kMean:
    return "mean";
  case Statistic::kP50:
    return "p50";
  case Statistic::kP95:
    return "p95";
  case Statistic::kP99:
    return "p99";
  }
  return "unknown";
}

std::optional<Statistic> ParseStatistic(std::string_view text) {
  return ParseEnum(text, {Statistic::kMean, Statistic::kP50, Statistic::kP95, Statistic::kP99});
}

std::string_view ToString(RateSource source) {
  switch (source) {
  case RateSource::kDeclaredOrMeasured:
    return "declared_or_measured";
  case RateSource::kMeasured:
    return "measured";
  }
  return "unknown";
}

std::optional<RateSource> ParseRateSource(std::string_view text) {
  return ParseEnum(text, {RateSource::kDeclaredOrMeasured, RateSource::kMeasured});
}

std::string ToString(const Arrival& arrival) {
  switch (arrival.kind) {
  case ArrivalKind::kPoisson:
    return "poisson";
  case ArrivalKind::kPeriodic:
    return "periodic";
  case ArrivalKind::kScv:
    return std::string(kScvPrefix) + Describe(arrival.scv);
  }
  return "unknown";
}

std::optional<Arrival> ParseArrival(std::string_view text) {
  if (text == "poisson") return Arrival{ArrivalKind::kPoisson, 1};
  if (text == "periodic") return Arrival{ArrivalKind::kPeriodic, 0};
  if (!text.starts_with(kScvPrefix)) return std::nullopt;
  const char* end = text.data() + text.size();
  double scv = -1;
  const auto parsed = std::from_chars(text.data() + kScvPrefix.size(), end, scv);
  if (parsed.ec != std::errc{} || parsed.ptr != end || !IsArrivalScv(scv)) return std::nullopt;
  return Arrival{ArrivalKind::kScv, scv};
}

Status Validate(const Application& app) {
  const Duration latency = app.objective.latency;
  return Check("application", app.name.str())
      .Name("name", app.name.str())
      .That(ParseModelName(app.model).has_value(), "model", app.model,
            "<name> or <name>:<version>, a name and decimal digits")
      .Name("tenant", app.tenant)
      .That(app.priority >= 0 && app.priority <= 100, "priority", app.priority, "from 0 to 100")
      .That(app.rate_rps > 0 && app.rate_rps <= kMaxRateRps, "rate_rps", app.rate_rps, "> 0 and <= 1e6")
      .Part(CheckArrival(app.arrival))
      .That(latency > Duration::zero() && latency <= kMaxLatency, "objective.latency", latency, "> 0 and at most 1 h")
      .That(app.network_allowance >= Duration::zero() && app.network_allowance < latency, "network_allowance",
            app.network_allowance, ">= 0 and less than objective.latency")
      .That(app.preprocess >= Duration::zero() && app.preprocess <= kMaxLatency, "preprocess", app.preprocess,
            ">= 0 and at most 1 h")
      .Is(!HasKindTwice(app.device_kinds), "device_kinds", "a list with a kind twice", "distinct kinds")
      .status();
}

} // namespace avocet
