#include "cli/offline/capacity_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "cli/config/config_parts.h"
#include "cli/render/format.h"
#include "controller/cluster/cluster_changes.h"

namespace avocet {
namespace {

constexpr std::array kKinds{DeviceKind::kCpu, DeviceKind::kGpu, DeviceKind::kEdgeTpu};
constexpr std::array kDisciplines{Discipline::kFifo, Discipline::kTimeShared};
constexpr int kDefaultMost = 100;

struct Range {
  double least, most;
};

double ReadNumber(ConfigTable& table, std::string_view key, Range range, double otherwise,
                  Need need = Need::kOptional) {
  double number = otherwise;
  table.Number(key, number, need);
  if (table.Has(key) && (number < range.least || number > range.most)) {
    table.Problem(key, fmt::format("{} is out of range; use {} to {}", number, FormatNumber(range.least),
                                   FormatNumber(range.most)));
  }
  return number;
}

int ReadCount(ConfigTable& table, std::string_view key, Range range, int otherwise, Need need = Need::kOptional) {
  int number = otherwise;
  table.Integer(key, number, need);
  if (table.Has(key) && (number < range.least || number > range.most))
    table.Problem(key, fmt::format("{} is out of range; use {} to {}", number, range.least, range.most));
  return number;
}

uint64_t MemoryOf(double mb) {
  return static_cast<uint64_t>(std::llround(mb * static_cast<double>(kMiB)));
}

class Reader {
public:
  explicit Reader(ConfigTable root) : root_(std::move(root)) {}

  CapacityFile Read() {
    ReadPolicy(root_.Table("policy"), file_.question.policy);
    for (auto& table : root_.Tables("device"))
      ReadDevice(table);
    for (auto& table : root_.Tables("model"))
      ReadModel(table);
    for (auto& table : root_.Tables("app"))
      ReadApp(table);
    CheckAll();
    return std::move(file_);
  }

private:
  void ReadDevice(ConfigTable& table) {
    DeviceOffer offer;
    table.String("name", offer.name, Need::kRequired);
    // Profiles refer to devices by name; two of one name would make them ambiguous.
    if (!offer.name.empty() && (!IsName(offer.name) || !offers_.insert(offer.name).second))
      table.Problem("name", "it must be a distinct name of letters, digits, '_', '.' or '-'");
    DeviceSpec spec{.name = "device", .engine = EngineKind::kEmulated, .type = offer.name, .cores = {}};
    table.Choice("kind", kKinds, spec.kind, Need::kRequired);
    table.Choice("discipline", kDisciplines, spec.discipline);
    spec.memory_bytes = MemoryOf(ReadNumber(table, "memory_mb", {1, 1 << 20}, 1, Need::kRequired));
    offer.node.boot = BootId("planned");
    offer.node.cpu_cores = static_cast<uint32_t>(ReadCount(table, "cpu_cores", {1, kMaxCores}, 1));
    offer.node.core_speed = ReadNumber(table, "core_speed", {1e-3, 1e3}, 1);
    offer.node.devices = {spec};

    offer.price = ReadNumber(table, "price", {0, 1e9}, 1);
    offer.most = ReadCount(table, "most", {0, kMaxCapacityDevices}, kDefaultMost);

    // Counted, since only all devices or none may have a count: it decides which question is answered.
    if (table.Has("count")) ++counted_;
    file_.have.push_back(ReadCount(table, "count", {0, kMaxCapacityDevices}, 0));
    file_.question.offers.push_back(std::move(offer));
  }

  void ReadModel(ConfigTable& table) {
    Model model;
    table.String("name", model.name, Need::kRequired);
    if (!model.name.empty() && (!IsName(model.name) || file_.question.catalogue.FindModel(model.name) != nullptr))
      table.Problem("name", "it must be a distinct name of letters, digits, '_', '.' or '-'");
    model.variants = {{ModelFormat::kEmulated, Sha256(std::string(64, '0')), 1}};
    AddModel(file_.question.catalogue, model);
    auto profiles = table.Tables("profile");
    if (profiles.empty()) table.Problem("profile", "there is none; add a [[model.profile]]");
    for (auto& profile : profiles)
      ReadProfile(profile, model.id());
  }

  void ReadProfile(ConfigTable& table, const ModelId& model) {
    Profile profile;
    profile.model = model;
    profile.format = ModelFormat::kEmulated;
    profile.emulated = true;
    profile.runs = 1;
    table.String("device", profile.device_type, Need::kRequired);

    // A profile for an unknown device would never be used, and a misspelled name would go unnoticed.
    if (!profile.device_type.empty() && !offers_.contains(profile.device_type))
      table.Problem("device", fmt::format("there is no [[device]] named '{}'", profile.device_type));
    profile.service_mean = FromMillis(ReadNumber(table, "service_ms", {1e-3, 1e5}, 1, Need::kRequired));
    profile.service_scv = ReadNumber(table, "scv", {0, 100}, 0);
    profile.switch_overhead = FromMillis(ReadNumber(table, "switch_ms", {0, 1e5}, 0));

    // Memory is required: with a default of 0 every device would seem large enough.
    profile.memory_bytes = MemoryOf(ReadNumber(table, "memory_mb", {0, 1 << 20}, 0, Need::kRequired));
    profile.memory_per_app_bytes = MemoryOf(ReadNumber(table, "memory_per_app_mb", {0, 1 << 20}, 0));
    AddProfile(file_.question.catalogue, profile);
  }

  void ReadApp(ConfigTable& table) {
    CapacityDemand demand{.app = ReadApplication(table), .count = 0};
    demand.count = ReadCount(table, "count", {1, kMaxCapacityApps}, 1);
    if (const auto status = Validate(demand.app); !status.ok() && table.Has("name"))
      table.Problem("name", status.message());
    if (table.Has("model") && file_.question.catalogue.FindModel(demand.app.model) == nullptr)
      table.Problem("model", fmt::format("there is no [[model]] named '{}'", demand.app.model));
    apps_ += demand.count;
    file_.question.demands.push_back(std::move(demand));
  }

  void CheckAll() {
    if (file_.question.offers.empty()) root_.Problem("device", "there is none; add a [[device]]");
    if (file_.question.demands.empty()) root_.Problem("app", "there is none; add an [[app]]");
    if (apps_ > kMaxCapacityApps)
      root_.Problem("app", fmt::format("there are {} applications; use at most {}", apps_, kMaxCapacityApps));
    if (counted_ != 0 && counted_ != file_.question.offers.size())
      root_.Problem("device",
                    "some have a `count` and some have not; give all a count (a cluster that exists) or none");
    if (counted_ == 0) file_.have.clear();
  }

  ConfigTable root_;
  CapacityFile file_;
  std::set<std::string> offers_;
  size_t counted_ = 0;
  int apps_ = 0;
};

} // namespace

Result<CapacityFile> ParseCapacityFile(std::string_view text, const std::string& filename) {
  AVOCET_ASSIGN_OR_RETURN(auto tree, ParseToml(text, filename));
  ConfigFile file(std::move(tree), filename);
  CapacityFile capacity = Reader(file.root()).Read();
  AVOCET_RETURN_IF_ERROR(file.Finish());
  AVOCET_RETURN_IF_ERROR(file.Locate(Validate(capacity.question.policy)));
  return capacity;
}

} // namespace avocet
