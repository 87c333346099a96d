#pragma once

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/dev_cluster.h"

namespace avocet {

/// One `avocet dev` for all tests of the program, with models imported and an application, "base", that
/// serves: resnet18 on box/gpu0, 2 rps. Tests name their own applications and leave "base" as it is.
class Commands : public testing::Test {
protected:
  static void SetUpTestSuite();

  static DevCluster& cluster();
  static CommandResult Run(const std::vector<std::string>& arguments) { return cluster().Run(arguments); }
  static nlohmann::json Json(const std::vector<std::string>& arguments) { return cluster().Json(arguments); }
  /// Runs with -o json, whatever the exit code.
  static nlohmann::json JsonOf(std::vector<std::string> arguments, int exit_code);
  /// Applies and waits.
  static void Apply(const AppFile& app);
  static bool IsListed(const std::string& app);
};

/// The object has these keys; more are welcome.
testing::Matcher<nlohmann::json> HasKeys(const std::vector<std::string>& keys);

/// The element of a list whose `key` is `value`; null when there is none.
nlohmann::json Find(const nlohmann::json& list, const std::string& key, const std::string& value);

} // namespace avocet
