#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace avocet {

/// `${AVOCET_PREFIX:-/opt/avocet}/share/avocet/models/<file>`.
std::filesystem::path SampleModel(const std::string& file);
/// A file of deploy/models.
std::filesystem::path EmulatedModel(const std::string& file);

/// An application's file, with the keys that tests vary.
struct AppFile {
  std::string name;
  std::string model;
  std::string kind = "gpu"; ///< of the device that it may run on
  double rate_rps = 2;
  double p95_ms = 2000;
};
std::string ToToml(const AppFile& app);

/// Generous: a machine may be busy with something else.
inline constexpr std::chrono::seconds kPatience(60);

/// An operator at a shell: a folder of files, and the commands typed against a controller.
class Operator {
public:
  const std::filesystem::path& folder() const { return folder_.path(); }
  const std::string& control() const { return control_; }

  /// Runs `avocet ARGUMENTS --addr <the controller>` to its end.
  CommandResult Run(const std::vector<std::string>& arguments) const;
  /// Starts it and does not wait.
  std::unique_ptr<Process> Spawn(const std::vector<std::string>& arguments) const;
  /// What `avocet ARGUMENTS -o json` prints; a failure of the test, and null, unless it exits 0.
  nlohmann::json Json(const std::vector<std::string>& arguments) const;

  std::filesystem::path Write(const std::string& name, const std::string& text) const;
  /// Writes the application's file and returns its path.
  std::filesystem::path Write(const AppFile& app) const;

  /// Until every device is healthy and every application serves. False after a minute.
  bool WaitUntilServing() const;

protected:
  Operator() = default;
  ~Operator() = default;
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;
  void set_control(const std::string& address) { control_ = address; }
  /// Added to every command: certificates, say.
  void set_environment(const std::map<std::string, std::string>& environment) { environment_ = environment; }
  /// In front of every command: what it runs in.
  void set_prefix(const std::vector<std::string>& prefix) { prefix_ = prefix; }
  /// Starts a long-running `avocet ARGUMENTS`, its log appended to `log` in the folder.
  std::unique_ptr<Process> StartProgram(const std::vector<std::string>& command, const std::string& log) const;
  /// The ends of these logs, on stderr, when a test failed.
  void PrintLogsOfFailure(const std::vector<std::string>& logs) const;
  /// The end of a log in the folder.
  std::string EndOf(const std::string& log) const;

private:
  ProcessOptions Command(const std::vector<std::string>& arguments) const;

  TempDir folder_;
  std::string control_;
  std::map<std::string, std::string> environment_;
  std::vector<std::string> prefix_;
};

/// Runs `avocet ARGUMENTS` without any cluster.
CommandResult RunAvocet(const std::vector<std::string>& arguments);

/// The last core that this process may run on.
int LastCore();

} // namespace avocet
