#include "node_agent/engines/emulated_model.h"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "messages/toml_library.h"

namespace avocet {
namespace {

constexpr double kMaxMillis = 600'000;
constexpr double kMaxMemoryMb = 1 << 20;
constexpr double kMaxScv = 25;
constexpr size_t kMaxNameLength = 128;

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row.back();
}

using Names = std::initializer_list<std::string_view>;

std::string_view Nearest(std::string_view word, Names names) {
  return *std::min_element(names.begin(), names.end(), [word](std::string_view a, std::string_view b) {
    return EditDistance(word, a) < EditDistance(word, b);
  });
}

struct Range {
  double low;
  double high;
  bool above_low; ///< low itself is not allowed
};

/// One file being read; makes the errors that point into it.
class Reader {
public:
  explicit Reader(std::string_view filename) : filename_(filename) {}

  Status Fail(const toml::source_region& where, const std::string& what) const {
    return InvalidArgument(filename_ + ":" + std::to_string(where.begin.line) + ": " + what);
  }

  Status CheckKeys(const toml::table& table, const std::string& place, Names names) const {
    for (const auto& [key, node] : table) {
      const std::string_view word = key.str();
      if (std::find(names.begin(), names.end(), word) != names.end()) continue;
      return Fail(key.source(), "unknown key '" + std::string(word) + "' in " + place + "; did you mean '" +
                                    std::string(Nearest(word, names)) + "'?");
    }
    return {};
  }

  Result<double> Number(const toml::table& table, const std::string& place, std::string_view key, Range range,
                        std::optional<double> otherwise = std::nullopt) const {
    const std::string field = place + " " + std::string(key);
    const toml::node* node = table.get(key);
    if (!node && otherwise) return *otherwise;
    if (!node) return Fail(table.source(), field + " is missing");
    const auto value = node->is_number() ? node->value<double>() : std::nullopt;
    if (!value) return Fail(node->source(), field + " must be a number");
    if (*value >= range.low && *value <= range.high && (!range.above_low || *value > range.low)) return *value;
    return Fail(node->source(), field + " = " + Text(*value) + " is out of range " + (range.above_low ? "(" : "[") +
                                    Text(range.low) + ", " + Text(range.high) + "]");
  }

  Result<std::string> String(const toml::table& table, const std::string& place, std::string_view key) const {
    const std::string field = place + " " + std::string(key);
    const toml::node* node = table.get(key);
    if (!node) return Fail(table.source(), field + " is missing");
    const auto value = node->value_exact<std::string>();
    if (!value) return Fail(node->source(), field + " must be a string");
    if (value->empty() || value->size() > kMaxNameLength)
      return Fail(node->source(), field + " must have 1 to " + std::to_string(kMaxNameLength) + " characters");
    return *value;
  }

  Status OptionalText(const toml::table& table, const std::string& place, std::string_view key) const {
    const toml::node* node = table.get(key);
    if (!node || node->is_string()) return {};
    return Fail(node->source(), place + " " + std::string(key) + " must be a string");
  }

private:
  static std::string Text(double value) {
    std::string text = std::to_string(value);
    if (text.find('.') == std::string::npos) return text; // inf, nan
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
  }
  std::string filename_;
};

Result<DataType> ReadDataType(const Reader& reader, const toml::table& table, const std::string& place) {
  AVOCET_ASSIGN_OR_RETURN(const auto text, reader.String(table, place, "datatype"));
  const auto type = ParseDataType(text);
  if (type && *type != DataType::kBytes) return *type;
  const std::string_view nearest = Nearest(text, {"BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16",
                                                  "INT32", "INT64", "FP16", "BF16", "FP32", "FP64"});
  return reader.Fail(table.get("datatype")->source(),
                     place + " datatype '" + text + "' is not supported; did you mean '" + std::string(nearest) + "'?");
}

Result<std::vector<int64_t>> ReadShape(const Reader& reader, const toml::table& table, const std::string& place) {
  const toml::node* node = table.get("shape");
  if (!node) return reader.Fail(table.source(), place + " shape is missing");

  const toml::array* extents = node->as_array();
  if (!extents || extents->size() > kMaxTensorRank)
    return reader.Fail(node->source(),
                       place + " shape must be an array of at most " + std::to_string(kMaxTensorRank) + " integers");

  // value_exact, as value would take 2.0 and true for integers, too.
  std::vector<int64_t> shape;
  for (const toml::node& element : *extents) {
    const auto extent = element.value_exact<int64_t>();
    if (!extent || *extent < 1) return reader.Fail(element.source(), place + " shape must hold integers >= 1");
    shape.push_back(*extent);
  }
  return shape;
}

Result<TensorSpec> ReadTensor(const Reader& reader, const toml::table& table, const std::string& place) {
  AVOCET_RETURN_IF_ERROR(reader.CheckKeys(table, place, {"name", "datatype", "shape"}));
  AVOCET_ASSIGN_OR_RETURN(auto name, reader.String(table, place, "name"));
  AVOCET_ASSIGN_OR_RETURN(const auto type, ReadDataType(reader, table, place));
  AVOCET_ASSIGN_OR_RETURN(auto shape, ReadShape(reader, table, place));
  TensorSpec spec{std::move(name), type, std::move(shape)};
  const auto bytes = ByteSize(spec);
  if (!bytes.ok() || *bytes > kMaxEmulatedTensorBytes)
    return reader.Fail(table.get("shape")->source(), place + " shape " + Describe(spec) + " exceeds " +
                                                         std::to_string(kMaxEmulatedTensorBytes) + " bytes");
  return spec;
}

Result<std::vector<TensorSpec>> ReadTensors(const Reader& reader, const toml::table& file, std::string_view role) {
  const std::string place = "[[" + std::string(role) + "]]";
  const toml::node* node = file.get(role);
  if (!node) return reader.Fail(file.source(), place + " is missing: at least one is needed");

  const toml::array* tables = node->as_array();
  if (!tables || tables->empty() || tables->size() > kMaxEmulatedTensors || !tables->is_homogeneous<toml::table>())
    return reader.Fail(node->source(), place + " must be 1 to " + std::to_string(kMaxEmulatedTensors) + " tables");

  std::vector<TensorSpec> specs;
  for (const toml::node& element : *tables) {
    AVOCET_ASSIGN_OR_RETURN(auto spec, ReadTensor(reader, *element.as_table(), place));
    // Clients address tensors by name.
    if (std::any_of(specs.begin(), specs.end(), [&](const TensorSpec& other) { return other.name == spec.name; }))
      return reader.Fail(element.source(), place + " name '" + spec.name + "' is used twice");
    specs.push_back(std::move(spec));
  }
  return specs;
}

Result<EmulatedCost> ReadCost(const Reader& reader, const toml::table& table, const std::string& place) {
  AVOCET_RETURN_IF_ERROR(reader.CheckKeys(table, place, {"service_ms", "scv", "switch_ms", "memory_mb", "source"}));
  AVOCET_RETURN_IF_ERROR(reader.OptionalText(table, place, "source"));
  AVOCET_ASSIGN_OR_RETURN(const auto service, reader.Number(table, place, "service_ms", {0, kMaxMillis, true}));
  AVOCET_ASSIGN_OR_RETURN(const auto scv, reader.Number(table, place, "scv", {0, kMaxScv, false}, 0.0));
  AVOCET_ASSIGN_OR_RETURN(const auto switch_ms, reader.Number(table, place, "switch_ms", {0, kMaxMillis, false}, 0.0));
  AVOCET_ASSIGN_OR_RETURN(const auto memory, reader.Number(table, place, "memory_mb", {0, kMaxMemoryMb, true}));
  const auto bytes = static_cast<uint64_t>(memory * static_cast<double>(kMiB));
  return EmulatedCost{std::max(FromMillis(service), Duration(1)), scv, FromMillis(switch_ms),
                      std::max<uint64_t>(bytes, 1)};
}

Result<std::map<DeviceKind, EmulatedCost>> ReadCosts(const Reader& reader, const toml::table& file) {
  const toml::node* node = file.get("device");
  if (!node) return reader.Fail(file.source(), "[device.<kind>] is missing: at least one is needed");

  const toml::table* kinds = node->as_table();
  if (!kinds || kinds->empty())
    return reader.Fail(node->source(), "[device] must hold tables [device.cpu], [device.gpu] or [device.edgetpu]");

  // A misspelt kind would otherwise be a device on which the model silently does not run.
  AVOCET_RETURN_IF_ERROR(reader.CheckKeys(*kinds, "[device]", {"cpu", "gpu", "edgetpu"}));

  std::map<DeviceKind, EmulatedCost> costs;
  for (const DeviceKind kind : {DeviceKind::kCpu, DeviceKind::kGpu, DeviceKind::kEdgeTpu}) {
    const toml::node* entry = kinds->get(ToString(kind));
    if (!entry) continue;

    const std::string place = "[device." + std::string(ToString(kind)) + "]";
    if (!entry->is_table()) return reader.Fail(entry->source(), place + " must be a table");
    AVOCET_ASSIGN_OR_RETURN(const auto cost, ReadCost(reader, *entry->as_table(), place));
    costs.emplace(kind, cost);
  }
  return costs;
}

Result<EmulatedModel> ReadModel(const Reader& reader, const toml::table& file) {
  AVOCET_RETURN_IF_ERROR(reader.CheckKeys(file, "the file", {"description", "input", "output", "device"}));
  AVOCET_RETURN_IF_ERROR(reader.OptionalText(file, "the file's", "description"));
  AVOCET_ASSIGN_OR_RETURN(auto inputs, ReadTensors(reader, file, "input"));
  AVOCET_ASSIGN_OR_RETURN(auto outputs, ReadTensors(reader, file, "output"));
  AVOCET_ASSIGN_OR_RETURN(auto costs, ReadCosts(reader, file));
  return EmulatedModel{{std::move(inputs), std::move(outputs)}, std::move(costs)};
}

} // namespace

Result<EmulatedModel> ParseEmulatedModel(std::string_view text, std::string_view filename) {
  const Reader reader(filename);
  if (text.size() > kMaxEmulatedModelFileBytes)
    return InvalidArgument(std::string(filename) + ": an emulated model has at most " +
                           std::to_string(kMaxEmulatedModelFileBytes) + " bytes");
  const toml::parse_result parsed = toml::parse(text, filename);
  if (!parsed) return reader.Fail(parsed.error().source(), std::string(parsed.error().description()));
  return ReadModel(reader, parsed.table());
}

} // namespace avocet
