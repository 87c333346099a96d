#include "cli/load/load_report.h"

#include <algorithm>

namespace avocet {

std::string_view ToString(LoadProtocol protocol) {
  return protocol == LoadProtocol::kGrpc ? "grpc" : "http";
}

std::optional<LoadProtocol> ParseLoadProtocol(std::string_view text) {
  if (text == "grpc") return LoadProtocol::kGrpc;
  if (text == "http") return LoadProtocol::kHttp;
  return std::nullopt;
}

bool LoadReport::ok() const {
  return std::all_of(apps.begin(), apps.end(), [](const AppLoadReport& app) {
    return app.failed == 0 && app.dropped == 0 && app.unanswered == 0;
  });
}

uint64_t LoadReport::sent() const {
  uint64_t sum = 0;
  for (const AppLoadReport& app : apps)
    sum += app.sent;
  return sum;
}

LoadRecorder::LoadRecorder(LoadTarget target, Duration warm_up) : warm_up_(warm_up) {
  report_.target = std::move(target);
}

void LoadRecorder::Sent(Duration intended) {
  ++report_.sent;
  CountDue(intended);
}

void LoadRecorder::Dropped(Duration intended) {
  ++report_.dropped;
  CountDue(intended);
}

void LoadRecorder::Ended(const LoadOutcome& outcome) {
  if (outcome.intended >= warm_up_) lag_.push_back(ToSeconds(outcome.send_lag));
  if (!outcome.status.ok()) {
    ++report_.failed;
    CountError(outcome.status);
    return;
  }
  ++report_.ok;
  report_.emulated |= outcome.emulated;
  recent_.Add(outcome.latency);
  if (outcome.intended < warm_up_) return;
  latency_.push_back({ToSeconds(outcome.intended), ToSeconds(outcome.latency)});
  if (outcome.server_response) server_response_.push_back(ToSeconds(*outcome.server_response));
}

void LoadRecorder::CountError(const Status& status) {
  auto& errors = report_.errors;
  auto found = std::find_if(errors.begin(), errors.end(), [&](auto& error) { return error.code == status.code(); });
  if (found == errors.end()) found = errors.insert(errors.end(), {status.code(), 0, status.message()});
  ++found->count;
}

AppLoadReport LoadRecorder::Report(Duration elapsed) const {
  AppLoadReport report = report_;
  report.unanswered = outstanding();

  // Answers overtake each other; batch means need the order in which requests were due.
  std::vector<Sample> samples = latency_;
  std::sort(samples.begin(), samples.end(),
            [](const Sample& a, const Sample& b) { return a.intended_s < b.intended_s; });

  std::vector<double> latency;
  latency.reserve(samples.size());
  for (const Sample& sample : samples)
    latency.push_back(sample.latency_s);
  report.latency = Summarize(latency);
  if (!server_response_.empty()) report.server_response = Summarize(server_response_);
  report.send_lag = Summarize(lag_);

  // A run that ended during its warm-up has measured nothing; its rates stay 0.
  const double measured_s = ToSeconds(elapsed - warm_up_);
  if (measured_s > 0) {
    report.intended_rps = static_cast<double>(due_) / measured_s;
    report.achieved_rps = static_cast<double>(latency.size()) / measured_s;
  }

  std::sort(report.errors.begin(), report.errors.end(), [](auto& a, auto& b) { return a.count > b.count; });
  return report;
}

} // namespace avocet
