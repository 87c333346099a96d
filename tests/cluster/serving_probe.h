#pragma once

#include <set>
#include <string>
#include <vector>

#include "tests/support/process_cluster.h"

namespace avocet {

struct HttpAnswer {
  int status = 0; ///< 0: there was none
  std::string body;
};

HttpAnswer AskHttp(const std::string& endpoint, const std::string& method_and_path, const std::string& body = "");

/// What a node answers to a request to the application, whose model takes four numbers "x".
HttpAnswer Infer(const ProcessCluster& cluster, const std::string& node, const std::string& app);

/// The devices of these nodes where the agents' own metrics say that a model is loaded.
struct LoadedDevices {
  std::set<std::string> loaded;
  size_t devices = 0; ///< that the metrics speak of
};
LoadedDevices ReadLoadedDevices(const ProcessCluster& cluster, const std::vector<std::string>& nodes);

/// An emulated model that takes four numbers "x", for devices of every kind.
std::string ProbeModel(int service_ms);

} // namespace avocet
