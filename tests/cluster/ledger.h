#pragma once

#include <set>
#include <string>

#include <nlohmann/json.hpp>

namespace avocet {

/// What an operator was told, and therefore may rely on after any crash.
struct Ledger {
  std::set<std::string> apps;     ///< applied, and acknowledged
  std::set<std::string> removed;  ///< removed, and acknowledged
  std::set<std::string> unsure;   ///< the crash came before the answer: either is right
  std::set<std::string> models;   ///< "name:version"
  std::set<std::string> profiles; ///< "name:version on device type"

  void Applied(const std::string& app) {
    unsure.erase(app);
    removed.erase(app);
    apps.insert(app);
  }
  void Removed(const std::string& app) {
    unsure.erase(app);
    apps.erase(app);
    removed.insert(app);
  }
  void Doubt(const std::string& app) {
    apps.erase(app);
    removed.erase(app);
    unsure.insert(app);
  }
};

inline std::string ProfileName(const std::string& model, const std::string& device_type) {
  return model + " on " + device_type;
}

/// The names of the objects in a list of `avocet ... list -o json`.
inline std::set<std::string> NamesIn(const nlohmann::json& list, const char* key) {
  std::set<std::string> names;
  for (const auto& item : list)
    names.insert(item.at(key).get<std::string>());
  return names;
}

} // namespace avocet
