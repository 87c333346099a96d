#include "cli/load/load_trace.h"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "cli/text/csv.h"
#include "messages/text.h"

namespace avocet {
namespace {

constexpr std::string_view kArrival = "arrival_s";
constexpr std::string_view kApplication = "application";
constexpr double kMaxSeconds = 1e7; // a season

std::optional<size_t> Find(const std::vector<std::string_view>& cells, std::string_view name) {
  const auto found = std::find(cells.begin(), cells.end(), name);
  if (found == cells.end()) return std::nullopt;
  return static_cast<size_t>(found - cells.begin());
}

class Reader {
public:
  explicit Reader(const std::string& filename) : filename_(filename) {}

  Status ReadHeader(std::string_view line) {
    const auto cells = SplitCells(line);
    cells_ = cells.size();
    const auto arrival = Find(cells, kArrival);
    if (!arrival) return ProblemIn(filename_, 1, fmt::format("has no column '{}'", kArrival));
    arrival_ = *arrival;
    application_ = Find(cells, kApplication);
    return {};
  }

  Status ReadRow(size_t number, std::string_view line) {
    const auto cells = SplitCells(line);
    if (cells.size() != cells_)
      return ProblemIn(filename_, number, fmt::format("has {} cells, the header {}", cells.size(), cells_));
    const auto at = NumberIn(cells[arrival_]);
    if (!at || *at < 0 || *at > kMaxSeconds)
      return ProblemIn(filename_, number, fmt::format("{} must be a number from 0 to {}", kArrival, kMaxSeconds));
    if (static_cast<double>(trace_.requests.size()) >= kMaxLoadRequests)
      return ProblemIn(filename_, number, fmt::format("is one request more than the {} of a run", kMaxLoadRequests));
    auto target = application_ ? TargetOf(number, cells[*application_]) : Result<size_t>(size_t{0});
    if (!target.ok()) return target.status();
    trace_.requests.push_back({FromSeconds(*at), *target});
    return {};
  }

  LoadTrace Take() {
    std::stable_sort(trace_.requests.begin(), trace_.requests.end(),
                     [](const ScheduledRequest& a, const ScheduledRequest& b) { return a.at < b.at; });
    return std::move(trace_);
  }

private:
  Result<size_t> TargetOf(size_t number, std::string_view name) {
    const auto known = places_.find(name);
    if (known != places_.end()) return known->second;
    if (!IsName(name)) return ProblemIn(filename_, number, "its application is no name");
    if (places_.size() == kMaxLoadTargets)
      return ProblemIn(filename_, number, fmt::format("names one application more than {}", kMaxLoadTargets));
    trace_.apps.emplace_back(std::string(name));
    return places_.emplace(std::string(name), trace_.apps.size() - 1).first->second;
  }

  const std::string& filename_;
  size_t cells_ = 0;
  size_t arrival_ = 0;
  std::optional<size_t> application_;
  std::map<std::string, size_t, std::less<>> places_;
  LoadTrace trace_;
};

Status CheckUsed(const LoadTrace& trace) {
  std::vector<bool> used(trace.apps.size());
  for (const ScheduledRequest& request : trace.requests)
    used[request.target] = true;
  const auto unused = std::find(used.begin(), used.end(), false);
  if (unused == used.end()) return {};
  return InvalidArgument(
      fmt::format("the trace has no request of application '{}'", trace.apps[unused - used.begin()].str()));
}

} // namespace

Result<LoadTrace> ParseLoadTrace(std::string_view text, const std::string& filename) {
  Reader reader(filename);
  AVOCET_RETURN_IF_ERROR(EachLine(text, [&](size_t number, std::string_view line) {
    return number == 1 ? reader.ReadHeader(line) : reader.ReadRow(number, line);
  }));
  LoadTrace trace = reader.Take();
  if (trace.requests.empty()) return ProblemIn(filename, 1, "there is no request");
  return trace;
}

Result<LoadTrace> SelectApps(LoadTrace trace, const std::vector<AppId>& apps) {
  if (apps.empty() && !trace.apps.empty()) return trace;

  if (trace.apps.empty() && apps.size() != 1)
    return InvalidArgument(fmt::format("the trace has no column '{}', so name one application", kApplication));
  if (trace.apps.empty()) return LoadTrace{apps, std::move(trace.requests)};

  // Targets become indices into `apps`, the caller's order, as the plan lists them that way.
  const auto place = [&](const ScheduledRequest& request) {
    return std::find(apps.begin(), apps.end(), trace.apps[request.target]);
  };
  std::erase_if(trace.requests, [&](const ScheduledRequest& request) { return place(request) == apps.end(); });
  for (ScheduledRequest& request : trace.requests)
    request.target = static_cast<size_t>(place(request) - apps.begin());

  trace.apps = apps;
  // Checked last: an application that lost all its requests would silently send nothing.
  AVOCET_RETURN_IF_ERROR(CheckUsed(trace));
  return trace;
}

} // namespace avocet
