#include "cli/load_client.h"

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <sys/prctl.h>

#include "cli/load_tensors.h"
#include "inference/grpc_service.grpc.pb.h"
#include "messages/check.h"

namespace avocet {
namespace {

constexpr Duration kProgressInterval = std::chrono::milliseconds(200);
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

/// One request in flight; its address is its tag in the completion queue.
struct Call {
  size_t target = 0;
  Duration intended{};
  grpc::ClientContext context;
  inference::ModelInferResponse response;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<inference::ModelInferResponse>> reader;
};

LoadOutcome OutcomeOf(const Call& call, Duration since_start) {
  LoadOutcome outcome;
  outcome.intended = call.intended;
  outcome.latency = since_start - call.intended;
  outcome.status = ToStatus(call.status);
  outcome.emulated = IsEmulated(call.response);
  outcome.server_response = ServerResponse(call.response);
  return outcome;
}

/// The calls in flight and what came of the others. Thread-safe: shared by the thread that sends and
/// the one that collects.
class Calls {
public:
  Calls(const LoadPlan& plan, uint64_t max_outstanding, MonotonicTime start)
      : max_outstanding_(max_outstanding), start_(start) {
    for (const LoadTarget& target : plan.targets)
      recorders_.emplace_back(target, plan.warm_up);
  }

  /// nullptr (and counted) when too many are outstanding. Alive until End().
  Call* Begin(const ScheduledRequest& due) {
    const std::lock_guard lock(mutex_);
    LoadRecorder& recorder = recorders_[due.target];
    if (recorder.outstanding() >= max_outstanding_) {
      recorder.Dropped();
      return nullptr;
    }
    recorder.Sent(due.at, Clock::now() - start_ - due.at);
    auto call = std::make_unique<Call>();
    call->target = due.target;
    call->intended = due.at;
    Call* key = call.get();
    return calls_.emplace(key, std::move(call)).first->first;
  }

  void End(Call* call) {
    const LoadOutcome outcome = OutcomeOf(*call, Clock::now() - start_);
    decltype(calls_)::node_type ended; // freed after the lock
    const std::lock_guard lock(mutex_);
    if (!abandoned_) recorders_[call->target].Ended(outcome);
    ended = calls_.extract(call);
    if (calls_.empty()) all_ended_.notify_all();
  }

  bool WaitUntilAllEnded(MonotonicTime until) {
    std::unique_lock lock(mutex_);
    return all_ended_.wait_until(lock, until, [this] { return calls_.empty(); });
  }

  /// Cancels what is outstanding; it stays unanswered in the report.
  void Abandon() {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    for (const auto& [key, call] : calls_)
      call->context.TryCancel();
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
  const MonotonicTime start_;
  mutable std::mutex mutex_;
  std::condition_variable all_ended_;
  std::vector<LoadRecorder> recorders_;
  std::map<Call*, std::unique_ptr<Call>> calls_;
  bool abandoned_ = false;
};

/// What is sent, ready-made: one request per target.
struct Prepared {
  std::unique_ptr<Stub> stub;
  std::vector<inference::ModelInferRequest> requests;
};

Result<Prepared> Prepare(const LoadPlan& plan, const LoadClientOptions& options) {
  auto stub = Connect(options);
  if (!stub.ok()) return stub.status();
  Prepared prepared{std::move(*stub), {}};
  for (const LoadTarget& target : plan.targets) {
    auto request = MakeRequest(*prepared.stub, target.app, options, plan.seed);
    if (!request.ok()) return request.status();
    prepared.requests.push_back(std::move(*request));
  }
  return prepared;
}

/// A completion queue of its own, not gRPC's callbacks: those end the channel on one of their own
/// threads when the last answer comes late, and gRPC 1.51 then frees its shared queue twice.
class Runner {
public:
  Runner(const LoadPlan& plan, const LoadClientOptions& options, const OnLoadProgress& on_progress,
         std::stop_token stop, Prepared prepared)
      : plan_(plan), options_(options), on_progress_(on_progress), stop_(std::move(stop)),
        prepared_(std::move(prepared)), calls_(plan, options.max_outstanding, start_),
        collector_([this] { Collect(); }) {}

  /// Every call was answered or cancelled, so the queue ends at once.
  ~Runner() {
    calls_.Abandon();
    queue_.Shutdown();
  }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  LoadReport Run() {
    const PreciseTimer timer;
    LoadSchedule schedule(plan_);
    for (auto due = schedule.Next(); due && WaitUntil(start_ + due->at); due = schedule.Next())
      Send(*due);
    const bool completed = WaitUntil(start_ + plan_.duration);
    const Duration elapsed = std::min<Duration>(Clock::now() - start_, plan_.duration);
    Drain();
    return {options_.address, plan_, !completed, elapsed, calls_.Reports(elapsed)};
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
    if (on_progress_) on_progress_(calls_.Progress(plan_.duration));
  }

  void Send(const ScheduledRequest& due) {
    Call* call = calls_.Begin(due);
    if (!call) return;
    SetDeadline(call->context, options_.request_deadline);
    call->reader = prepared_.stub->AsyncModelInfer(&call->context, prepared_.requests[due.target], &queue_);
    call->reader->Finish(&call->response, &call->status, call);
  }

  /// On the collecting thread, until the queue is shut down and empty.
  void Collect() {
    void* tag = nullptr;
    for (bool ok = false; queue_.Next(&tag, &ok);)
      calls_.End(static_cast<Call*>(tag));
  }

  void Drain() {
    const MonotonicTime end = Clock::now() + options_.drain_deadline;
    bool ended = false;
    for (MonotonicTime now = Clock::now(); !ended && now < end; now = Clock::now()) {
      ReportProgress(now);
      ended = calls_.WaitUntilAllEnded(std::min(end, next_progress_));
    }
    if (!ended) calls_.Abandon();
    if (on_progress_) on_progress_(calls_.Progress(plan_.duration));
  }

  const LoadPlan& plan_;
  const LoadClientOptions& options_;
  const OnLoadProgress& on_progress_;
  std::stop_token stop_;
  Prepared prepared_;
  const MonotonicTime start_ = Clock::now();
  MonotonicTime next_progress_ = start_;
  grpc::CompletionQueue queue_;
  Calls calls_;
  std::jthread collector_; ///< last: it uses the rest, and is joined first
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
  auto prepared = Prepare(plan, options);
  if (!prepared.ok()) return prepared.status();
  return Runner(plan, options, on_progress, std::move(stop), std::move(*prepared)).Run();
}

} // namespace avocet
