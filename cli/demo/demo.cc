#include <memory>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>

#include "cli/commands/command_line.h"
#include "cli/commands/commands.h"
#include "cli/commands/model_import.h"
#include "cli/commands/session.h"
#include "cli/commands/wait_ready.h"
#include "cli/demo/demo_cluster.h"
#include "cli/demo/demo_load.h"
#include "cli/demo/demo_plan.h"
#include "cli/demo/demo_report.h"
#include "cli/process/paths.h"
#include "cli/process/signals.h"
#include "cli/render/format.h"
#include "cli/render/progress.h"

namespace avocet {
namespace {

struct DemoOptions {
  uint64_t seed = 1;
  bool keep = false; ///< goes on serving until a signal, and leaves the data folder
};

// The whole must end within 90 s on a slow machine; profiles and loads take about 25.
constexpr Duration kWarmUp = std::chrono::seconds(10);
constexpr Duration kMeasured = std::chrono::seconds(40);
constexpr Duration kSampleEvery = std::chrono::seconds(1);
constexpr Duration kStepDeadline = std::chrono::seconds(60);
/// The last measurement windows are on their way for this long at most.
constexpr Duration kSettle = std::chrono::seconds(5);

/// A folder that goes when the demo ends, unless it is kept.
class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string path = (std::filesystem::temp_directory_path() / "avocet-demo-XXXXXX").string();
    if (mkdtemp(path.data()) != nullptr) path_ = path;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!keep_ && !path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  void Keep() { keep_ = true; }

private:
  std::filesystem::path path_;
  bool keep_ = false;
};

/// Takes a snapshot of all applications once a second, on a thread of its own, until it is stopped.
class Sampler {
public:
  explicit Sampler(const std::string& address)
      : session_({address, kStepDeadline}), thread_([this](const std::stop_token& stop) { Run(stop); }) {}

  /// Ends the sampling with one more look, once everything that was answered is accounted for.
  Result<std::vector<DemoSample>> Finish(const LoadReport& load) {
    thread_.request_stop();
    thread_.join();
    const auto give_up = MonotonicTime::clock::now() + kSettle;
    Result<DemoSample> last = Look();
    while (last.ok() && !Accounts(*last, load) && MonotonicTime::clock::now() < give_up) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200)); // one measurement window
      last = Look();
    }
    if (!last.ok()) return last.status();
    samples_.push_back(std::move(*last));
    return std::move(samples_);
  }

private:
  Result<DemoSample> Look() {
    AVOCET_ASSIGN_OR_RETURN(auto list, session_.Ask(ListApps{}));
    return std::move(list.apps);
  }

  static bool Accounts(const DemoSample& sample, const LoadReport& load) {
    uint64_t measured = 0;
    uint64_t answered = 0;
    for (const auto& app : sample)
      measured += app.measured.completions;
    for (const auto& app : load.apps)
      answered += app.ok;
    return measured >= answered;
  }

  void Run(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    auto next = MonotonicTime::clock::now() + kWarmUp;
    while (!stop.stop_requested()) {
      std::unique_lock lock(mutex);
      if (stopped.wait_until(lock, stop, next, [] { return false; }) || stop.stop_requested()) return;
      if (auto sample = Look(); sample.ok()) samples_.push_back(std::move(*sample));
      next += kSampleEvery;
    }
  }

  Session session_;
  std::vector<DemoSample> samples_;
  std::jthread thread_;
};

class Demo {
public:
  Demo(const Context& context, const DemoOptions& options) : context_(context), options_(options) {}

  int Run() {
    // Before any thread starts, because threads inherit the signal mask.
    HoldSignals();
    if (folder_.path().empty()) return Fail(context_, Unavailable("cannot create a temporary folder"));
    auto cluster = DemoCluster::Start(folder_.path());
    if (!cluster.ok()) return Fail(context_, cluster.status());
    cluster_ = std::move(*cluster);

    session_ = std::make_unique<Session>(SessionOptions{cluster_->control(), kStepDeadline});

    // Ctrl-C only asks the steps to stop; the destructors then end the child processes in order.
    std::jthread watcher([this](const std::stop_token& done) {
      if (WaitForSignal([&] { return !done.stop_requested(); }, std::chrono::milliseconds(100)) != 0)
        interrupt_.request_stop();
    });

    const Status status = Steps();
    if (!status.ok()) return Fail(context_, status);
    std::cout << RenderDemo(result_, context_.render) << std::flush;
    if (options_.keep) KeepServing();
    return result_.ok() ? kExitOk : kExitError;
  }

private:
  std::ostream& Say() { return context_.render.format == OutputFormat::kJson ? std::cerr : std::cout; }

  Status Steps() {
    using Step = Status (Demo::*)();
    for (const Step step : {&Demo::ShowDevices, &Demo::ImportModels, &Demo::ProfileModels, &Demo::AdmitApplications,
                            &Demo::OfferOneTooMany, &Demo::DriveLoad}) {
      if (interrupt_.stop_requested()) return Cancelled("interrupted");
      AVOCET_RETURN_IF_ERROR((this->*step)());
    }
    return {};
  }

  Status ShowDevices() {
    // The controller answers before the agents have registered, so the list grows for a moment.
    auto devices = session_->Ask(ListDevices{});
    const auto give_up = MonotonicTime::clock::now() + kStepDeadline;
    while (devices.ok() && devices->devices.size() < cluster_->inference().size()) {
      if (MonotonicTime::clock::now() > give_up) return DeadlineExceeded("the agents did not register");
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      devices = session_->Ask(ListDevices{});
    }

    if (!devices.ok()) return devices.status();
    Say() << "== Devices: one controller and three agents, each a process of its own\n"
          << Render(devices->devices, TextOnly()) << '\n';

    // The plan is made for the type under which this machine's processor has its profiles.
    for (const auto& device : devices->devices) {
      if (!device.spec.emulated()) cpu_type_ = device.spec.type;
    }
    return {};
  }

  RenderOptions TextOnly() const { return {.format = OutputFormat::kTable, .color = context_.render.color}; }

  Status ImportModels() {
    for (const auto& model : DemoModels()) {
      auto imported = ImportModelFiles(*session_, {.name = model.name, .files = {SampleModels() / model.file}});
      if (!imported.ok()) return imported.status().WithContext("install the sample models with deploy/install-engines");
    }
    return {};
  }

  Status ProfileModels() {
    Say() << "== Profiles: every model measured on every type of device that runs it\n";
    std::vector<Profile> profiles;
    for (const auto& model : DemoModels()) {
      AVOCET_ASSIGN_OR_RETURN(auto list, session_->Ask(ProfileModel{model.name, {}}));
      profiles.insert(profiles.end(), list.profiles.begin(), list.profiles.end());
    }
    Say() << Render(profiles, TextOnly()) << '\n';
    return {};
  }

  Status AdmitApplications() {
    AVOCET_ASSIGN_OR_RETURN(auto models, session_->Ask(ListModels{}));
    AVOCET_ASSIGN_OR_RETURN(auto apps, DemoApplications(models.models, cpu_type_));
    Say() << "== Admission: each application goes where every objective still holds\n";
    for (const auto& app : apps)
      AVOCET_RETURN_IF_ERROR(Admit(app));
    for (const auto& app : apps)
      AVOCET_RETURN_IF_ERROR(WaitUntilReady(*session_, app.name, kStepDeadline));
    Say() << '\n';
    apps_ = std::move(apps);
    return {};
  }

  Status Admit(const Application& app) {
    AVOCET_ASSIGN_OR_RETURN(auto decision, session_->Ask(ApplyApp{app}));
    if (decision.kind == DecisionKind::kReject)
      return Rejected("application '" + app.name.str() + "' was refused:\n" + Render(decision, TextOnly()));
    Say() << Why(decision) << '\n';
    return {};
  }

  /// Where it went, what that does to the device, and why not elsewhere.
  static std::string Why(const Decision& decision) {
    std::string chosen;
    std::string others;
    for (const auto& verdict : decision.verdicts) {
      if (verdict.device == *decision.device)
        chosen = Describe(verdict, decision.app.name);
      else if (!verdict.ok)
        others += "; not " + verdict.device.str() + " (" + std::string(FilterName(verdict)) + ")";
      else
        others += "; " + verdict.device.str() + " would do, too";
    }
    return decision.app.name.str() + " -> " + chosen + others;
  }

  static std::string Describe(const Verdict& verdict, const AppId& newcomer) {
    std::string text = verdict.device.str() + (verdict.emulated ? " (emulated)" : "") + ": utilization " +
                       FormatPercent(verdict.utilization_before) + " to " + FormatPercent(verdict.utilization_after);
    for (const auto& app : verdict.apps) {
      if (app.app != newcomer) continue;
      text += ", " + std::string(ToString(app.statistic)) + " " + FormatMillis(app.after) + " ms of at most " +
              FormatMillis(app.objective);
    }
    return text;
  }

  Status OfferOneTooMany() {
    AVOCET_ASSIGN_OR_RETURN(auto decision, session_->Ask(ApplyApp{OneTooMany()}));
    Say() << "== One application too many\n" << Render(decision, TextOnly()) << '\n';
    if (decision.kind != DecisionKind::kReject) result_.failures.emplace_back("the last application was admitted");
    result_.rejection = std::move(decision);
    return {};
  }

  Status DriveLoad() {
    LoadPlan plan{.targets = {}, .duration = kWarmUp + kMeasured, .warm_up = kWarmUp, .seed = options_.seed};
    for (const auto& app : apps_)
      plan.targets.push_back({app.name, app.rate_rps, app.arrival});

    Say() << "== Load: Poisson arrivals through the agents' inference endpoints, " << FormatDuration(kWarmUp)
          << " warm-up, " << FormatDuration(kMeasured) << " measured\n"
          << std::flush;
    ProgressBar bar(std::cerr, "load", {.terminal = isatty(STDERR_FILENO) != 0, .width = TerminalWidth(STDERR_FILENO)});

    // Counters are read from before the first request to after the last, or the ends would be missing.
    Sampler sampler(cluster_->control());
    AVOCET_ASSIGN_OR_RETURN(auto endpoints, Endpoints());
    auto report = RunDemoLoad(
        plan, endpoints,
        [&](const LoadProgress& progress) {
          if (!context_.quiet) bar.Update(ToSeconds(progress.elapsed) / ToSeconds(progress.planned), "");
        },
        interrupt_.get_token());

    if (!report.ok()) return report.status();
    if (report->interrupted) return Cancelled("interrupted");
    bar.Finish("done");

    AVOCET_ASSIGN_OR_RETURN(auto samples, sampler.Finish(*report));
    // An interval needs two readings of the counters.
    if (samples.size() < 2) return Internal("too few samples were taken");
    result_.rows = CompareSamples(samples);
    result_.load = std::move(*report);
    if (!result_.load.ok()) result_.failures.emplace_back("some requests failed; run with -o json for the counts");
    return {};
  }

  /// Where each application is served.
  Result<std::map<AppId, std::string>> Endpoints() {
    AVOCET_ASSIGN_OR_RETURN(auto list, session_->Ask(ListApps{}));
    std::map<AppId, std::string> endpoints;
    for (const auto& app : list.apps) {
      const auto device = ParseDeviceId(app.placement ? app.placement->device.str() : "");
      if (device) endpoints[app.app.name] = cluster_->inference().at(device->node);
    }
    return endpoints;
  }

  void KeepServing() {
    folder_.Keep();
    std::cerr << "serving on; control " << cluster_->control();
    for (const auto& [node, address] : cluster_->inference())
      std::cerr << ", " << node.str() << ' ' << address;
    std::cerr << ", data " << folder_.path() << "; stop with ctrl-c\n";
    while (!interrupt_.stop_requested() && cluster_->alive())
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }

  Context context_;
  DemoOptions options_;
  TemporaryFolder folder_;
  std::unique_ptr<DemoCluster> cluster_;
  std::unique_ptr<Session> session_;
  std::stop_source interrupt_;
  std::string cpu_type_;
  std::vector<Application> apps_;
  DemoResult result_;
};

int DemoCommand(const Context& context, const DemoOptions& options) {
  return Demo(context, options).Run();
}

} // namespace

void AddDemoCommand(CommandLine& line) {
  auto options = std::make_shared<DemoOptions>();
  CLI::App& demo = line.Add("demo", "Ninety seconds that show what Avocet does, with real and emulated devices",
                            [options](const Context& c) { return DemoCommand(c, *options); });
  demo.add_option("--seed", options->seed, "Of the arrival times")->capture_default_str();
  demo.add_flag("--keep", options->keep, "Go on serving until a signal");
  line.AddJsonFlag(demo);
}

} // namespace avocet
