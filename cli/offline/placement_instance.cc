#include "cli/offline/placement_instance.h"

#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/render/format.h"
#include "controller/cluster/cluster_changes.h"

namespace avocet {
namespace {

using Json = nlohmann::json;

constexpr double kLeastTimeMs = 1e-3, kMostTimeMs = 1e5;
constexpr double kMostMemoryMb = 1 << 20;
constexpr double kMostScv = 100;

/// What is wrong with a field; caught in ParsePlacementInstance, so that the readers below can be expressions.
struct InstanceProblem {
  std::string field;
  std::string what;
};

/// A value with its path in the file, for messages.
class Field {
public:
  Field(const Json* value, std::string path) : value_(value), path_(std::move(path)) {}

  bool present() const { return value_ != nullptr && !value_->is_null(); }
  const Json& json() const { return *value_; }

  [[noreturn]] void Fail(const std::string& what) const { throw InstanceProblem{path_, what}; }

  Field At(const std::string& key) const {
    Need("an object", present() && value_->is_object());
    const auto it = value_->find(key);
    return {it == value_->end() ? nullptr : &*it, path_.empty() ? key : path_ + "." + key};
  }

  double Number(double least, double most) const {
    Need("a number", present() && value_->is_number());
    const auto number = value_->get<double>();
    if (number >= least && number <= most) return number;
    Fail(fmt::format("is {}; use {} to {}", number, FormatNumber(least), FormatNumber(most)));
  }
  double Number(double least, double most, double otherwise) const {
    return present() ? Number(least, most) : otherwise;
  }

  std::string Text() const {
    Need("a string", present() && value_->is_string());
    return value_->get<std::string>();
  }

  std::string Name() const {
    auto name = Text();
    if (!IsName(name)) Fail(fmt::format("is '{}'; use 1 to 63 letters, digits, '_', '.' or '-'", name));
    return name;
  }

  std::vector<Field> Items(size_t most) const {
    Need("a list", present() && value_->is_array());
    if (value_->empty() || value_->size() > most)
      Fail(fmt::format("has {} entries; use 1 to {}", value_->size(), most));
    std::vector<Field> items;
    for (size_t i = 0; i < value_->size(); ++i)
      items.emplace_back(&(*value_)[i], fmt::format("{}[{}]", path_, i));
    return items;
  }

private:
  void Need(std::string_view kind, bool is) const {
    if (!present()) Fail(fmt::format("is missing; it must be {}", kind));
    if (!is) Fail(fmt::format("is {}; it must be {}", value_->dump().substr(0, 40), kind));
  }

  const Json* value_;
  std::string path_;
};

/// One of the two kinds of node.
struct Kind {
  const char* name;
  const char* device;
  DeviceKind kind;
  Discipline discipline;
};
constexpr Kind kKinds[] = {{"gpu", "gpu0", DeviceKind::kGpu, Discipline::kTimeShared},
                           {"tpu", "tpu0", DeviceKind::kEdgeTpu, Discipline::kFifo}};

const Kind& KindOf(const Field& field) {
  const std::string text = field.Text();
  for (const auto& kind : kKinds) {
    if (text == kind.name) return kind;
  }
  field.Fail(fmt::format("is '{}'; use gpu or tpu", text));
}

std::string DeviceType(const Kind& kind) {
  return fmt::format("{}/emulated", ToString(kind.kind));
}

uint64_t MemoryOf(double mb) {
  return static_cast<uint64_t>(std::llround(mb * static_cast<double>(kMiB)));
}

/// The digest of a file that does not exist: emulated models have no other content than their name.
Sha256 NoFile() {
  return Sha256(std::string(64, '0'));
}

class InstanceReader {
public:
  InstanceReader(const Field& root, Statistic statistic)
      : root_(root), constants_(root.At("constants")), statistic_(statistic) {}

  PlacementInstance Read() {
    if (root_.At("schema").Number(1, 1e9) != 1) root_.At("schema").Fail("is a later one; this program knows 1");
    if (root_.At("name").present()) instance_.name = root_.At("name").Text();
    instance_.memory_fraction = constants_.At("memory_threshold").Number(0.01, 1, 1);
    ReadPreprocessing();
    ReadCatalogue();
    for (const auto& node : root_.At("nodes").Items(kMaxInstanceNodes))
      ReadNode(node);
    for (const auto& app : root_.At("apps").Items(kMaxInstanceApps))
      ReadApp(app);
    return std::move(instance_);
  }

private:
  Field OfKind(const char* constant, const Kind& kind) const { return constants_.At(constant).At(kind.name); }

  /// An application has one preprocessing time, that of the first kind; other kinds differ by their core speed.
  void ReadPreprocessing() {
    const Field times = constants_.At("preprocess_ms");
    preprocess_ms_ = times.present() ? times.At(kKinds[0].name).Number(0, kMostTimeMs) : 0;
    const Field other = times.present() ? times.At(kKinds[1].name) : times;
    const double other_ms = times.present() ? other.Number(0, kMostTimeMs) : 0;
    if ((preprocess_ms_ > 0) != (other_ms > 0)) other.Fail("and that of gpu must both be 0 or both be more");
    if (other_ms > 0) tpu_speed_ = preprocess_ms_ / other_ms;
    if (tpu_speed_ < 1e-3 || tpu_speed_ > 1e3)
      other.Fail("and that of gpu must not differ by more than a factor of 1000");
  }

  void ReadCatalogue() {
    const Field catalogue = root_.At("catalogue");
    if (!catalogue.present() || !catalogue.json().is_object() || catalogue.json().empty())
      catalogue.Fail("is missing or empty; it must be an object of models");
    for (const auto& [name, entry] : catalogue.json().items())
      ReadModel(name, catalogue.At(name));
  }

  void ReadModel(const std::string& name, const Field& entry) {
    if (!IsName(name)) entry.Fail("has no valid name; use 1 to 63 letters, digits, '_', '.' or '-'");
    Model model;
    model.name = name;
    model.variants = {{ModelFormat::kEmulated, NoFile(), 1}};
    AddModel(instance_.view, model);
    for (const auto& kind : kKinds) {
      if (entry.At(fmt::format("{}_ms", kind.name)).present()) ReadProfile(kind, model.id(), entry);
    }
  }

  void ReadProfile(const Kind& kind, const ModelId& model, const Field& entry) {
    const bool is_fifo = kind.discipline == Discipline::kFifo;
    Profile profile;
    profile.model = model;
    profile.format = ModelFormat::kEmulated;
    profile.device_type = DeviceType(kind);

    profile.service_mean = FromMillis(entry.At(fmt::format("{}_ms", kind.name)).Number(kLeastTimeMs, kMostTimeMs));
    profile.service_scv = entry.At(fmt::format("{}_scv", kind.name)).Number(0, kMostScv, 0);
    // Only FIFO devices reload a model when it takes turns with another.
    if (is_fifo) profile.switch_overhead = FromMillis(entry.At("switch_ms").Number(0, kMostTimeMs, 0));

    const Field memory = is_fifo ? constants_.At("tpu_backend_mb_per_model") : entry.At("gpu_mb");
    profile.memory_bytes = MemoryOf(memory.Number(0, kMostMemoryMb));
    profile.memory_per_app_bytes = MemoryOf(OfKind("frontend_mb", kind).Number(0, kMostMemoryMb));
    profile.runs = 1;
    profile.emulated = true;
    AddProfile(instance_.view, profile);
  }

  void ReadNode(const Field& field) {
    const Kind& kind = KindOf(field.At("kind"));
    NodeInfo node;
    node.id = NodeId(field.At("name").Name());
    // Names are keys: a second node would silently replace the first.
    if (instance_.view.nodes.contains(node.id))
      field.At("name").Fail("is the name of an earlier node; names are distinct");

    node.boot = BootId("simulated");
    node.cpu_cores = static_cast<uint32_t>(constants_.At("cpu_cores").Number(1, kMaxCores, 1));
    node.core_speed = kind.discipline == Discipline::kFifo ? tpu_speed_ : 1;
    node.devices = {{.node = node.id,
                     .name = kind.device,
                     .kind = kind.kind,
                     .discipline = kind.discipline,
                     .engine = EngineKind::kEmulated,
                     .type = DeviceType(kind),
                     .memory_bytes = MemoryOf(OfKind("memory_mb", kind).Number(1, kMostMemoryMb)),
                     .cores = {}}};

    // By the rules of a real registration, so that simulated and real views agree.
    NodeArrived(instance_.view, node);
  }

  void ReadApp(const Field& field) {
    Application app;
    // Four digits, so that names sort in the order of the file.
    app.name = AppId(fmt::format("app{:04}", instance_.apps.size()));
    app.model = field.At("model").Text();
    if (instance_.view.FindModel(app.model) == nullptr)
      field.At("model").Fail(fmt::format("is '{}', which the catalogue does not have", app.model));

    app.rate_rps = field.At("rate").Number(1e-6, kMaxRateRps);
    app.arrival.scv = field.At("arrival_scv").Number(0, kMaxArrivalScv, 1);
    // An SCV of 1 is Poisson, the default kind.
    if (app.arrival.scv != 1) app.arrival.kind = app.arrival.scv == 0 ? ArrivalKind::kPeriodic : ArrivalKind::kScv;
    app.objective = {statistic_, FromMillis(field.At("slo_ms").Number(kLeastTimeMs, ToMillis(kMaxLatency)))};
    app.network_allowance = FromMillis(constants_.At("network_ms").Number(0, kMostTimeMs, 0));
    app.preprocess = FromMillis(preprocess_ms_);

    // Nothing would be left for the response itself; no placement could meet that.
    if (app.network_allowance >= app.objective.latency)
      field.At("slo_ms").Fail("is not more than constants.network_ms");
    instance_.apps.push_back(std::move(app));
  }

  Field root_;
  Field constants_;
  Statistic statistic_;
  PlacementInstance instance_;
  double preprocess_ms_ = 0;
  double tpu_speed_ = 1;
};

} // namespace

Result<PlacementInstance> ParsePlacementInstance(std::string_view text, const std::string& filename,
                                                 Statistic statistic) {
  const Json document = Json::parse(text, nullptr, false);
  if (!document.is_object()) return InvalidArgument(fmt::format("{}: not a JSON object", filename));
  try {
    return InstanceReader(Field(&document, ""), statistic).Read();
  } catch (const InstanceProblem& problem) {
    return InvalidArgument(fmt::format("{}: field '{}': {}", filename, problem.field, problem.what));
  }
}

} // namespace avocet
