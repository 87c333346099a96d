#include "cli/offline/replay_file.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "cli/text/csv.h"

namespace avocet {
namespace {

constexpr std::array<std::string_view, 5> kColumns{"run", "model", "nominal_rate_rps", "start_s", "end_s"};
enum Column : size_t { kRun, kModel, kRate, kStart, kEnd };
constexpr double kMaxSeconds = 1e9;
constexpr double kMaxRate = 1e6;

/// Reads lines one by one into runs.
class TraceReader {
public:
  explicit TraceReader(std::string filename) : filename_(std::move(filename)) {}

  Status ReadHeader(std::string_view line) {
    const auto cells = SplitCells(line);
    cells_ = cells.size();
    for (size_t c = 0; c < kColumns.size(); ++c) {
      const auto it = std::find(cells.begin(), cells.end(), kColumns[c]);
      if (it == cells.end()) return Problem(1, fmt::format("has no column '{}'", kColumns[c]));
      position_[c] = static_cast<size_t>(it - cells.begin());
    }
    return {};
  }

  Status ReadRow(size_t number, std::string_view line) {
    const auto cells = SplitCells(line);
    if (cells.size() != cells_)
      return Problem(number, fmt::format("has {} cells, the header {}", cells.size(), cells_));

    const auto start = NumberIn(cells[position_[kStart]]), end = NumberIn(cells[position_[kEnd]]);
    const auto rate = NumberIn(cells[position_[kRate]]);
    if (!start || !end || !rate) return Problem(number, "a time or rate is not a number");
    if (*start < 0 || *end < *start || *end > kMaxSeconds)
      return Problem(number, fmt::format("times must be 0 <= start_s <= end_s <= {}", kMaxSeconds));
    if (*rate <= 0 || *rate > kMaxRate) return Problem(number, fmt::format("the rate must be > 0 and <= {}", kMaxRate));

    // After all checks of the row's own values, so that a wrong row creates no model.
    TraceRun& run = RunOf(std::string(cells[position_[kRun]]));
    const size_t model = ModelOf(run, std::string(cells[position_[kModel]]), *rate);
    // Bounded, because the cost of a replay grows with the number of models.
    if (run.models.size() > kMaxTraceModels)
      return Problem(number, fmt::format("the run has more than {} models", kMaxTraceModels));
    // The models take one rate for the whole run.
    if (run.nominal_rps[model] != *rate)
      return Problem(number, "the model has another nominal rate earlier in the run");

    run.requests.push_back({model, *start, *end});
    return {};
  }

  std::vector<TraceRun> Take() { return std::move(runs_); }
  Status Problem(size_t line, const std::string& what) const { return ProblemIn(filename_, line, what); }

private:
  TraceRun& RunOf(const std::string& name) {
    const auto it = std::find_if(runs_.begin(), runs_.end(), [&](const TraceRun& run) { return run.name == name; });
    if (it != runs_.end()) return *it;
    return runs_.emplace_back(TraceRun{.name = name, .models = {}, .nominal_rps = {}, .requests = {}});
  }

  static size_t ModelOf(TraceRun& run, const std::string& name, double rate_rps) {
    const auto it = std::find(run.models.begin(), run.models.end(), name);
    if (it != run.models.end()) return static_cast<size_t>(it - run.models.begin());
    run.models.push_back(name);
    run.nominal_rps.push_back(rate_rps);
    return run.models.size() - 1;
  }

  std::string filename_;
  std::array<size_t, kColumns.size()> position_{};
  size_t cells_ = 0;
  std::vector<TraceRun> runs_;
};

} // namespace

Result<std::vector<TraceRun>> ParseTrace(std::string_view text, const std::string& filename) {
  TraceReader reader(filename);
  size_t last = 1;
  AVOCET_RETURN_IF_ERROR(EachLine(text, [&](size_t number, std::string_view line) {
    last = number;
    return number == 1 ? reader.ReadHeader(line) : reader.ReadRow(number, line);
  }));
  auto runs = reader.Take();
  if (runs.empty()) return reader.Problem(last, "there is no request");
  return runs;
}

} // namespace avocet
