#include "tests/cli/e2e/commands_fixture.h"

namespace avocet {
namespace {

using nlohmann::json;

/// Ends the running program before the process does, so that a failure's log is printed.
class SharedCluster : public testing::Environment {
public:
  void TearDown() override { cluster.reset(); }
  std::unique_ptr<DevCluster> cluster;
};

SharedCluster& Shared() {
  static auto* const kShared = static_cast<SharedCluster*>(testing::AddGlobalTestEnvironment(new SharedCluster));
  return *kShared;
}
[[maybe_unused]] const auto& registered = Shared(); // before the tests begin

class HasKeysMatcher {
public:
  using is_gtest_matcher = void;
  explicit HasKeysMatcher(std::vector<std::string> keys) : keys_(std::move(keys)) {}

  bool MatchAndExplain(const json& object, std::ostream* out) const {
    bool all = object.is_object();
    for (const auto& key : keys_) {
      if (object.is_object() && object.contains(key)) continue;
      all = false;
      if (out != nullptr) *out << "without " << key << "; ";
    }
    return all;
  }
  void DescribeTo(std::ostream* out) const { *out << "has the keys " << testing::PrintToString(keys_); }
  void DescribeNegationTo(std::ostream* out) const { *out << "lacks a key of " << testing::PrintToString(keys_); }

private:
  std::vector<std::string> keys_;
};

} // namespace

void Commands::SetUpTestSuite() {
  if (Shared().cluster != nullptr) return;
  Shared().cluster = std::make_unique<DevCluster>();
  cluster().Start();
  ASSERT_TRUE(cluster().WaitUntilServing());
  for (const std::string model : {"resnet18", "mobilenet_v1", "googlenet"})
    ASSERT_TRUE(Json({"model", "import", EmulatedModel(model + ".toml").string()}).is_object());
  Apply({.name = "base", .model = "resnet18"});
}

DevCluster& Commands::cluster() {
  return *Shared().cluster;
}

json Commands::JsonOf(std::vector<std::string> arguments, int exit_code) {
  arguments.insert(arguments.end(), {"-o", "json", "-q"});
  const auto result = Run(arguments);
  EXPECT_EQ(result.exit_code, exit_code) << testing::PrintToString(arguments) << "\n" << result.out << result.err;
  json said = json::parse(result.out, nullptr, false);
  EXPECT_TRUE(said.is_object()) << result.out;
  return said.is_object() ? said : json::object();
}

void Commands::Apply(const AppFile& app) {
  EXPECT_EQ(JsonOf({"app", "apply", cluster().Write(app)}, 0)["decision"], "admit");
}

bool Commands::IsListed(const std::string& app) {
  return !Find(Json({"app", "list"})["apps"], "name", app).is_null();
}

testing::Matcher<json> HasKeys(const std::vector<std::string>& keys) {
  return HasKeysMatcher(keys);
}

json Find(const json& list, const std::string& key, const std::string& value) {
  for (const auto& item : list) {
    if (item.value(key, "") == value) return item;
  }
  return nullptr;
}

} // namespace avocet
