#include "tests/cluster/fault_schedule.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <map>
#include <set>
#include <stdexcept>
#include <thread>

#include "tests/cluster/serving_probe.h"

namespace avocet {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

const std::vector<std::string> kNodes{"left", "right"};
const std::vector<std::string> kProcesses{"controller", "left", "right"};
const std::vector<std::string> kApps{"cam", "door"};
const std::vector<std::string> kVersions{"1", "2"};
/// The only device of each kind.
const std::vector<std::pair<std::string, std::string>> kDevices{
    {"gpu", "left/gpu0"}, {"edgetpu", "left/tpu0"}, {"cpu", "right/cpu0"}};

constexpr size_t kOperators = 2;
constexpr int kFaults = 6;
/// An operator waits so long for a controller that stands still.
const std::string kOperatorSeconds = "20";
constexpr std::chrono::seconds kQuiet(90);
constexpr milliseconds kLongestPause(5000);
/// So many are always kept.
constexpr size_t kLatestEvents = 100;
/// Exit codes of the program.
constexpr int kError = 1, kRejected = 2;

enum class Fault { kKill, kPause, kStop, kFullDisk, kSlowDisk };
constexpr int kFaultKinds = 5;
constexpr int kSlowSyncMs = 1500;

template <class List> const auto& OneOf(std::mt19937_64& random, const List& list) {
  return list[random() % list.size()];
}

void Rest(std::mt19937_64& random, int64_t least_ms, int64_t most_ms) {
  std::this_thread::sleep_for(
      milliseconds(least_ms + static_cast<int64_t>(random() % static_cast<uint64_t>(most_ms - least_ms))));
}

std::string NodeOf(const std::string& device) {
  return device.substr(0, device.find('/'));
}

/// The row of an application in `app list`; null when it is not there.
json RowOf(const json& list, const std::string& app) {
  for (const auto& row : list.at("apps")) {
    if (row.at("name") == app) return row;
  }
  return nullptr;
}

} // namespace

json ToJson(const FaultVerdict& verdict) {
  return {{"seed", verdict.seed},       {"ok", verdict.ok()},
          {"faults", verdict.faults},   {"violations", verdict.violations},
          {"applies", verdict.applies}, {"removals", verdict.removals}};
}

std::ostream& operator<<(std::ostream& out, const FaultVerdict& verdict) {
  out << "seed " << verdict.seed << (verdict.ok() ? " ok" : " BROKEN") << ": " << verdict.applies << " applied, "
      << verdict.removals << " removed;";
  for (const auto& fault : verdict.faults)
    out << " " << fault << ";";
  for (const auto& violation : verdict.violations)
    out << " !! " << violation;
  return out;
}

FaultyCluster::FaultyCluster() : cluster_({{"left", {"gpu", "edgetpu"}}, {"right", {"emulated_cpu"}}}) {
  for (const auto& name : kProcesses) {
    const auto& disk =
        disks_.try_emplace(name, cluster_.data_dir(name), cluster_.folder() / (name + ".disk")).first->second;
    cluster_.set_prefix_of(name, disk.prefix());
  }
  cluster_.StartAll();
  for (const auto& version : kVersions)
    Import(version);
}

json FaultyCluster::Ask(const std::vector<std::string>& arguments) {
  auto all = arguments;
  all.insert(all.end(), {"-o", "json", "-q", "--timeout", kOperatorSeconds});
  return json::parse(cluster_.Run(all).out, nullptr, false);
}

void FaultyCluster::Import(const std::string& version) {
  const auto file = cluster_.Write("probe" + version + ".toml", ProbeModel(2)).string();
  (void)Ask({"model", "import", file, "--name", "probe", "--version", version});
  // Measured now, so that no apply waits for that.
  const json profiles = Ask({"model", "profile", "probe:" + version});
  if (!profiles.is_object() || profiles["profiles"].size() != kDevices.size())
    throw std::runtime_error("the model was not measured: " + profiles.dump());
}

Process& FaultyCluster::ProcessOf(const std::string& name) {
  return name == "controller" ? cluster_.controller() : cluster_.agent(name);
}

void FaultyCluster::RestartUnlessRunning(const std::string& name) {
  if (!ProcessOf(name).Wait({})) return ProcessOf(name).Signal(SIGCONT);
  if (name == "controller")
    cluster_.StartController();
  else
    cluster_.StartAgent(name);
}

// ---- what operators do ----

void FaultyCluster::Apply(Random& random, const std::string& app) {
  const auto& [kind, device] = OneOf(random, kDevices);
  const Wish wish{device, "probe:" + OneOf(random, kVersions)};
  const auto file = cluster_.Write("app" + std::to_string(++files_) + ".toml",
                                   ToToml({.name = app, .model = wish.model, .kind = kind}));

  const size_t request = history_.Begin(app, wish, steady_clock::now());
  const auto result =
      cluster_.Run({"app", "apply", "--no-wait", file.string(), "-o", "json", "-q", "--timeout", kOperatorSeconds});
  End(request, result, result.exit_code == kRejected);
}

void FaultyCluster::Remove(const std::string& app) {
  const size_t request = history_.Begin(app, std::nullopt, steady_clock::now());
  const auto result = cluster_.Run({"app", "rm", app, "-q", "--timeout", kOperatorSeconds});
  End(request, result, (result.out + result.err).find("does not exist") != std::string::npos);
}

void FaultyCluster::End(size_t request, const CommandResult& result, bool refused) {
  using Outcome = RequestHistory::Outcome;
  const auto now = steady_clock::now();
  if (result.exit_code == 0) return history_.End(request, Outcome::kDone, now);
  if (refused) return history_.End(request, Outcome::kRefused, now);
  // A controller that stands still may carry it out when it goes on, although its client has given up.
  if (result.exit_code == kError) return history_.End(request, Outcome::kFailed, now + 2 * kLongestPause);
  history_.End(request, Outcome::kOpen, now);
}

void FaultyCluster::Operate(uint64_t seed, const std::atomic<bool>& stop) {
  Random random(seed);
  while (!stop) {
    const std::string app = OneOf(random, kApps);
    if (random() % 4 == 0)
      Remove(app);
    else
      Apply(random, app);
  }
}

// ---- what goes wrong ----

std::string FaultyCluster::Disturb(Random& random) {
  const std::string name = OneOf(random, kProcesses);
  Process& process = ProcessOf(name);
  const auto fault = static_cast<Fault>(random() % kFaultKinds);
  switch (fault) {
  case Fault::kKill:
    process.Kill();
    Rest(random, 1, 1500);
    RestartUnlessRunning(name);
    return "kill " + name;
  case Fault::kPause:
    process.Signal(SIGSTOP);
    Rest(random, 100, kLongestPause.count());
    process.Signal(SIGCONT);
    return "pause " + name;
  case Fault::kStop:
    process.Signal(SIGTERM);
    if (!process.Wait(kPatience)) broken_.push_back(name + " does not stop");
    RestartUnlessRunning(name);
    return "stop " + name;
  case Fault::kFullDisk:
    disks_.at(name).Fill();
    Rest(random, 100, kLongestPause.count());
    disks_.at(name).Heal();
    return "full disk of " + name;
  case Fault::kSlowDisk:
    disks_.at(name).Slow(kSlowSyncMs);
    Rest(random, 100, kLongestPause.count());
    disks_.at(name).Heal();
    return "slow disk of " + name;
  }
  return "";
}

// ---- what is promised ----

void FaultyCluster::CheckServing(const std::string& app, const json& row, std::vector<std::string>& wrong) {
  const std::string device = row.is_null() ? "" : row.at("device").get<std::string>();
  for (const auto& node : kNodes) {
    const auto answer = Infer(cluster_, node, app);
    const bool here = node == NodeOf(device);
    if (!here && answer.status != 404)
      wrong.push_back(app + " answers " + std::to_string(answer.status) + " on " + node);
    if (!here) continue;
    const json said = json::parse(answer.body, nullptr, false);
    const bool current = answer.status == 200 && said.is_object() &&
                         row.at("loaded_model") == "probe:" + said.value("model_version", "");
    if (!current)
      wrong.push_back(app + " on " + node + " answers " + std::to_string(answer.status) + " " + answer.body);
  }
}

void FaultyCluster::CheckApp(const std::string& app, const json& list, std::vector<std::string>& wrong) {
  const json row = RowOf(list, app);
  std::optional<Wish> state;
  if (!row.is_null()) {
    state = Wish{row.at("device"), row.at("loaded_model")};
    const std::string phase = row.at("phase");
    if (phase == "starting" && row.at("reason") == "") broken_.push_back(app + " is starting without a reason");
    if (phase != "ready") wrong.push_back(app + " is " + phase + ": " + row.at("reason").get<std::string>());
  }
  if (!history_.MayBe(app, state))
    wrong.push_back(app + " is " + (state ? state->model + " on " + state->device : "removed") + ", not " +
                    history_.Describe(app));
  CheckServing(app, row, wrong);
}

void FaultyCluster::CheckLoaded(const json& list, std::vector<std::string>& wrong) {
  std::set<std::string> placed;
  std::set<uint64_t> epochs;
  for (const auto& row : list.at("apps")) {
    placed.insert(row.at("device").get<std::string>());
    epochs.insert(row.at("epoch").get<uint64_t>());
  }
  if (epochs.size() != list.at("apps").size()) wrong.emplace_back("two placements have one epoch");
  if (ReadLoadedDevices(cluster_, kNodes).loaded != placed)
    wrong.emplace_back("devices have models loaded that nobody is placed on, or the other way round");
}

void FaultyCluster::CheckEvents(std::vector<std::string>& wrong) {
  const json list = Ask({"events"});
  if (!list.is_object()) {
    wrong.emplace_back("no list of events");
    return;
  }

  // Of older ones some are dropped.
  const json& events = list.at("events");
  for (size_t i = events.size() > kLatestEvents ? events.size() - kLatestEvents : 1; i < events.size(); ++i) {
    const auto last = events[i - 1].at("sequence").get<uint64_t>(), next = events[i].at("sequence").get<uint64_t>();
    if (next != last + 1) wrong.push_back("event " + std::to_string(next) + " follows " + std::to_string(last));
  }
}

std::vector<std::string> FaultyCluster::Check() {
  std::vector<std::string> wrong;
  const json devices = Ask({"device", "list"}), list = Ask({"app", "list"});
  if (!devices.is_object() || !list.is_object()) return {"no answer"};
  for (const auto& device : devices.at("devices")) {
    if (device.at("health") != "healthy") wrong.push_back(device.at("id").get<std::string>() + " is away");
  }
  for (const auto& app : kApps)
    CheckApp(app, list, wrong);
  CheckLoaded(list, wrong);
  CheckEvents(wrong);
  return wrong;
}

void FaultyCluster::CheckUntilQuiet(FaultVerdict& verdict) {
  std::vector<std::string> wrong;
  const bool quiet = Eventually([&] { return (wrong = Check()).empty(); }, kQuiet);
  if (!quiet) verdict.violations = wrong;
}

void FaultyCluster::RemoveAll(FaultVerdict& verdict) {
  for (const auto& app : kApps) {
    const json row = RowOf(Ask({"app", "list"}), app);
    const auto state = row.is_null() ? std::nullopt : std::optional(Wish{row.at("device"), row.at("loaded_model")});
    history_.Settle(app, state, steady_clock::now());
    Remove(app);
  }
  std::vector<std::string> wrong;
  if (Eventually([&] { return (wrong = Check()).empty(); }, kQuiet)) return;
  verdict.violations.emplace_back("after all was removed:");
  verdict.violations.insert(verdict.violations.end(), wrong.begin(), wrong.end());
}

FaultVerdict FaultyCluster::Run(uint64_t seed) {
  FaultVerdict verdict{.seed = seed};
  const size_t applies = history_.CountDone(false), removals = history_.CountDone(true);
  broken_.clear();

  {
    std::atomic<bool> stop = false;
    std::vector<std::jthread> operators;
    for (size_t i = 0; i < kOperators; ++i)
      operators.emplace_back([this, &stop, seed = seed * kOperators + i] { Operate(seed, stop); });

    Random random(seed);
    for (int i = 0; i < kFaults; ++i) {
      Rest(random, 50, 800);
      verdict.faults.push_back(Disturb(random));
    }
    stop = true;
  }

  for (const auto& name : kProcesses)
    RestartUnlessRunning(name);
  CheckUntilQuiet(verdict);
  RemoveAll(verdict);

  verdict.violations.insert(verdict.violations.end(), broken_.begin(), broken_.end());
  verdict.applies = history_.CountDone(false) - applies;
  verdict.removals = history_.CountDone(true) - removals;
  return verdict;
}

} // namespace avocet
