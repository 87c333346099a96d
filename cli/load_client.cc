#include "cli/load_client.h"

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <map>
#include <memory>
#include <mutex>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <sys/prctl.h>

#include "cli/load_tensors.h"
#include "inference/grpc_service.grpc.pb.h"
#include "messages/check.h"

namespace avocet {
namespace {

constexpr Duration kProgressInterval = std::chrono::milliseconds(200);
constexpr Duration kCancelGrace = std::chrono::seconds(2); ///< for cancelled calls to come back
constexpr auto kEmulatedParameter = "emulated";
constexpr auto kResponseTimeParameter = "response_time_ns";

using Stub = inference::GRPCInferenceService::Stub;
using Clock = std::chrono::steady_clock;

// ---- talking to the server ----

StatusCode CodeOf(grpc::StatusCode code) {
  switch (code) {
  case grpc::StatusCode::INVALID_ARGUMENT:
  case grpc::StatusCode::OUT_OF_RANGE:
  case grpc::StatusCode::FAILED_PRECONDITION:
    return StatusCode::kInvalidArgument;
  case grpc::StatusCode::NOT_FOUND:
    return StatusCode::kNotFound;
  case grpc::StatusCode::ALREADY_EXISTS:
    return StatusCode::kAlreadyExists;
  case grpc::StatusCode::UNAVAILABLE:
    return StatusCode::kUnavailable;
  case grpc::StatusCode::DEADLINE_EXCEEDED:
    return StatusCode::kDeadlineExceeded;
  case grpc::StatusCode::CANCELLED:
    return StatusCode::kCancelled;
  case grpc::StatusCode::PERMISSION_DENIED:
  case grpc::StatusCode::UNAUTHENTICATED:
    return StatusCode::kDenied;
  case grpc::StatusCode::UNIMPLEMENTED:
    return StatusCode::kUnsupported;
  case grpc::StatusCode::RESOURCE_EXHAUSTED:
    return StatusCode::kResourceExhausted;
  default:
    return StatusCode::kInternal;
  }
}

Status ToStatus(const grpc::Status& status) {
  if (status.ok()) return {};
  return {CodeOf(status.error_code()), status.error_message().empty() ? "no reason given" : status.error_message()};
}

void SetDeadline(grpc::ClientContext& context, Duration deadline) {
  context.set_deadline(std::chrono::system_clock::now() + deadline);
}

Result<std::unique_ptr<Stub>> Connect(const LoadClientOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(kMaxLoadTensorBytes));
  // gRPC would send even loopback traffic to the proxy of the environment.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  auto channel = grpc::CreateCustomChannel(options.address, grpc::InsecureChannelCredentials(), arguments);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + options.connect_deadline))
    return Unavailable(fmt::format("no inference endpoint answers at {}; is the agent (or 'avocet dev') running there?",
                                   options.address));
  return inference::GRPCInferenceService::NewStub(channel);
}

Status AddInput(const inference::ModelMetadataResponse::TensorMetadata& metadata, TensorFill fill, uint64_t seed,
                inference::ModelInferRequest& request) {
  const auto type = ParseDataType(metadata.datatype());
  if (!type)
    return Unsupported(fmt::format("input '{}' has the unknown datatype '{}'", metadata.name(), metadata.datatype()));
  const TensorSpec spec = Concrete({metadata.name(), *type, {metadata.shape().begin(), metadata.shape().end()}});
  auto bytes = MakeTensorBytes(spec, fill, seed);
  if (!bytes.ok()) return bytes.status();
  auto* input = request.add_inputs();
  input->set_name(spec.name);
  input->set_datatype(metadata.datatype());
  input->mutable_shape()->Assign(spec.shape.begin(), spec.shape.end());
  request.add_raw_input_contents(std::move(*bytes));
  return {};
}

Result<inference::ModelInferRequest> MakeRequest(Stub& stub, const AppId& app, const LoadClientOptions& options,
                                                 uint64_t seed) {
  grpc::ClientContext context;
  SetDeadline(context, options.connect_deadline);
  inference::ModelMetadataRequest question;
  question.set_name(app.str());
  inference::ModelMetadataResponse metadata;
  const std::string what = fmt::format("application '{}' at {}", app.str(), options.address);
  AVOCET_RETURN_IF_ERROR(ToStatus(stub.ModelMetadata(&context, question, &metadata)).WithContext(what));
  inference::ModelInferRequest request;
  request.set_model_name(app.str());
  for (const auto& input : metadata.inputs())
    AVOCET_RETURN_IF_ERROR(AddInput(input, options.fill, seed++, request).WithContext(what));
  return request;
}

bool IsEmulated(const inference::ModelInferResponse& response) {
  const auto found = response.parameters().find(kEmulatedParameter);
  return found != response.parameters().end() && (found->second.bool_param() || found->second.string_param() == "true");
}

std::optional<Duration> ServerResponse(const inference::ModelInferResponse& response) {
  const auto found = response.parameters().find(kResponseTimeParameter);
  if (found == response.parameters().end()) return std::nullopt;
  return Duration(found->second.int64_param());
}

// ---- the clock ----

/// Sleeps at most until `until`, precisely: a relative sleep would add its own lateness each time.
void SleepUntil(MonotonicTime until) {
  const auto ns = std::chrono::duration_cast<Duration>(until.time_since_epoch()).count();
  constexpr int64_t kNsPerSecond = 1'000'000'000;
  const timespec time{static_cast<time_t>(ns / kNsPerSecond), static_cast<long>(ns % kNsPerSecond)};
  // A signal may cut it short; the caller loops.
  (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
}

/// The kernel may round this thread's wake-ups by 50 us unless told otherwise.
class PreciseTimer {
public:
  PreciseTimer() : slack_(prctl(PR_GET_TIMERSLACK)) { (void)prctl(PR_SET_TIMERSLACK, 1UL); }
  ~PreciseTimer() {
    if (slack_ > 0) (void)prctl(PR_SET_TIMERSLACK, static_cast<unsigned long>(slack_));
  }
  PreciseTimer(const PreciseTimer&) = delete;
  PreciseTimer& operator=(const PreciseTimer&) = delete;

private:
  int slack_;
};

// ---- the run ----

struct Call {
  size_t target = 0;
  Duration intended{};
  grpc::ClientContext context;
  inference::ModelInferResponse response;
};

/// What the sending thread and gRPC's callback threads share. Callbacks own it, so that a call that
/// never comes back leaves nothing dangling.
class Shared {
public:
  Shared(const LoadPlan& plan, uint64_t max_outstanding) : max_outstanding_(max_outstanding) {
    for (const LoadTarget& target : plan.targets)
      recorders_.emplace_back(target, plan.warm_up);
  }

  void Start(MonotonicTime start) { start_ = start; }

  /// nullptr (and counted) when too many are outstanding.
  std::shared_ptr<Call> Begin(const ScheduledRequest& due) {
    const std::lock_guard lock(mutex_);
    LoadRecorder& recorder = recorders_[due.target];
    if (recorder.outstanding() >= max_outstanding_) {
      recorder.Dropped();
      return nullptr;
    }
    recorder.Sent(due.at, Clock::now() - start_ - due.at);
    auto call = std::make_shared<Call>();
    call->target = due.target;
    call->intended = due.at;
    calls_[call.get()] = call;
    return call;
  }

  void End(const Call& call, const grpc::Status& status) {
    LoadOutcome outcome;
    outcome.intended = call.intended;
    outcome.latency = Clock::now() - start_ - call.intended;
    outcome.status = ToStatus(status);
    outcome.emulated = IsEmulated(call.response);
    outcome.server_response = ServerResponse(call.response);
    const std::lock_guard lock(mutex_);
    if (!abandoned_) recorders_[call.target].Ended(outcome);
    calls_.erase(const_cast<Call*>(&call));
    if (calls_.empty()) all_ended_.notify_all();
  }

  bool WaitUntilAllEnded(MonotonicTime until) {
    std::unique_lock lock(mutex_);
    return all_ended_.wait_until(lock, until, [this] { return calls_.empty(); });
  }

  /// Cancels what is outstanding; it stays unanswered in the report.
  void Abandon() {
    std::vector<std::shared_ptr<Call>> calls;
    {
      const std::lock_guard lock(mutex_);
      abandoned_ = true;
      for (const auto& [key, call] : calls_)
        calls.push_back(call);
    }
    for (const auto& call : calls)
      call->context.TryCancel(); // outside the lock: it may call back at once
  }

  LoadProgress Progress(Duration planned) const {
    const std::lock_guard lock(mutex_);
    LoadProgress progress{std::min<Duration>(Clock::now() - start_, planned), planned, {}};
    for (const LoadRecorder& r : recorders_)
      progress.apps.push_back({r.target().app, r.sent(), r.ok(), r.failed(), r.dropped(), r.outstanding()});
    return progress;
  }

  std::vector<AppLoadReport> Reports(Duration elapsed) const {
    const std::lock_guard lock(mutex_);
    std::vector<AppLoadReport> reports;
    for (const LoadRecorder& recorder : recorders_)
      reports.push_back(recorder.Report(elapsed));
    return reports;
  }

private:
  const uint64_t max_outstanding_;
  MonotonicTime start_{};
  mutable std::mutex mutex_;
  std::condition_variable all_ended_;
  std::vector<LoadRecorder> recorders_;
  std::map<Call*, std::shared_ptr<Call>> calls_;
  bool abandoned_ = false;
};

class Runner {
public:
  Runner(const LoadPlan& plan, const LoadClientOptions& options, const OnLoadProgress& on_progress,
         std::stop_token stop)
      : plan_(plan), options_(options), on_progress_(on_progress), stop_(std::move(stop)),
        shared_(std::make_shared<Shared>(plan, options.max_outstanding)) {}

  Status Prepare() {
    auto stub = Connect(options_);
    if (!stub.ok()) return stub.status();
    stub_ = std::move(*stub);
    for (const LoadTarget& target : plan_.targets) {
      auto request = MakeRequest(*stub_, target.app, options_, plan_.seed);
      if (!request.ok()) return request.status();
      requests_.push_back(std::make_shared<const inference::ModelInferRequest>(std::move(*request)));
    }
    return {};
  }

  LoadReport Run() {
    const PreciseTimer timer;
    start_ = next_progress_ = Clock::now();
    shared_->Start(start_);
    LoadSchedule schedule(plan_);
    for (auto due = schedule.Next(); due && WaitUntil(start_ + due->at); due = schedule.Next())
      Send(*due);
    const bool completed = WaitUntil(start_ + plan_.duration);
    const Duration elapsed = std::min<Duration>(Clock::now() - start_, plan_.duration);
    Drain();
    return {options_.address, plan_, !completed, elapsed, shared_->Reports(elapsed)};
  }

private:
  /// False when a stop was requested first.
  bool WaitUntil(MonotonicTime until) {
    while (!stop_.stop_requested()) {
      const MonotonicTime now = Clock::now();
      ReportProgress(now);
      if (now >= until) return true;
      SleepUntil(std::min(until, next_progress_));
    }
    return false;
  }

  void ReportProgress(MonotonicTime now) {
    if (now < next_progress_) return;
    next_progress_ = now + kProgressInterval;
    if (on_progress_) on_progress_(shared_->Progress(plan_.duration));
  }

  void Send(const ScheduledRequest& due) {
    const auto call = shared_->Begin(due);
    if (!call) return;
    SetDeadline(call->context, options_.request_deadline);
    const auto& request = requests_[due.target];
    stub_->async()->ModelInfer(&call->context, request.get(), &call->response,
                               [call, request, shared = shared_](const grpc::Status& s) { shared->End(*call, s); });
  }

  void Drain() {
    const MonotonicTime end = Clock::now() + options_.drain_deadline;
    bool ended = false;
    for (MonotonicTime now = Clock::now(); !ended && now < end; now = Clock::now()) {
      ReportProgress(now);
      ended = shared_->WaitUntilAllEnded(std::min(end, next_progress_));
    }
    if (!ended) {
      shared_->Abandon();
      (void)shared_->WaitUntilAllEnded(Clock::now() + kCancelGrace);
    }
    if (on_progress_) on_progress_(shared_->Progress(plan_.duration));
  }

  const LoadPlan& plan_;
  const LoadClientOptions& options_;
  const OnLoadProgress& on_progress_;
  std::stop_token stop_;
  std::shared_ptr<Shared> shared_;
  std::unique_ptr<Stub> stub_;
  std::vector<std::shared_ptr<const inference::ModelInferRequest>> requests_;
  MonotonicTime start_{};
  MonotonicTime next_progress_{};
};

} // namespace

Status Validate(const LoadClientOptions& options) {
  constexpr Duration kZero = Duration::zero();
  return Check("load", options.address)
      .That(!options.address.empty(), "address", options.address, "host:port")
      .That(options.connect_deadline > kZero, "connect_deadline", options.connect_deadline, "> 0")
      .That(options.request_deadline > kZero, "request_deadline", options.request_deadline, "> 0")
      .That(options.drain_deadline >= kZero, "drain_deadline", options.drain_deadline, ">= 0")
      .That(options.max_outstanding >= 1, "max_outstanding", options.max_outstanding, ">= 1")
      .status();
}

Result<LoadReport> RunLoad(const LoadPlan& plan, const LoadClientOptions& options, const OnLoadProgress& on_progress,
                           std::stop_token stop) {
  AVOCET_RETURN_IF_ERROR(Validate(plan));
  AVOCET_RETURN_IF_ERROR(Validate(options));
  Runner runner(plan, options, on_progress, std::move(stop));
  AVOCET_RETURN_IF_ERROR(runner.Prepare());
  return runner.Run();
}

} // namespace avocet
