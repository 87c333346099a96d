#include "tests/cluster/serving_probe.h"

#include <sstream>

#include "tests/support/raw_connection.h"

namespace avocet {

using nlohmann::json;

HttpAnswer AskHttp(const std::string& endpoint, const std::string& method_and_path, const std::string& body) {
  const RawConnection client(endpoint);
  const std::string head = method_and_path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ";
  if (!client.is_open() || !client.Send(head + std::to_string(body.size()) + "\r\n\r\n" + body)) return {};
  std::string text;
  for (std::string part = client.Receive(); !part.empty(); part = client.Receive())
    text += part;
  const size_t end = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.1 ") || end == std::string::npos) return {};
  return {std::stoi(text.substr(9, 3)), text.substr(end + 4)};
}

HttpAnswer Infer(const ProcessCluster& cluster, const std::string& node, const std::string& app) {
  static const std::string body =
      json{{"inputs", {{{"name", "x"}, {"datatype", "FP32"}, {"shape", {1, 4}}, {"data", {0, 0, 0, 0}}}}}}.dump();
  return AskHttp(cluster.endpoint(node, "rest"), "POST /v2/models/" + app + "/infer", body);
}

LoadedDevices ReadLoadedDevices(const ProcessCluster& cluster, const std::vector<std::string>& nodes) {
  const std::string start = "avocet_device_memory_used_bytes{device=\"";
  LoadedDevices result;
  for (const auto& node : nodes) {
    std::istringstream page(AskHttp(cluster.endpoint(node, "metrics"), "GET /metrics").body);
    for (std::string line; std::getline(page, line);) {
      if (!line.starts_with(start)) continue;
      ++result.devices;
      const std::string device = line.substr(start.size(), line.find('"', start.size()) - start.size());
      if (std::stod(line.substr(line.rfind(' ') + 1)) > 0) result.loaded.insert(device);
    }
  }
  return result;
}

std::string ProbeModel(int service_ms) {
  std::string text = "[[input]]\nname = \"x\"\ndatatype = \"FP32\"\nshape = [1, 4]\n"
                     "[[output]]\nname = \"y\"\ndatatype = \"FP32\"\nshape = [1, 4]\n";
  for (const std::string kind : {"cpu", "gpu", "edgetpu"})
    text += "[device." + kind + "]\nservice_ms = " + std::to_string(service_ms) + "\nmemory_mb = 100\n";
  return text;
}

} // namespace avocet
