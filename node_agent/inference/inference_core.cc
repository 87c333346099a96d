#include "node_agent/inference/inference_core.h"

#include <utility>

#include "messages/text.h"

namespace avocet {
namespace {

constexpr size_t kMaxShownName = 64;

bool HasVersion(const Route& route, const std::string& version) {
  return version.empty() || version == VersionOf(route.model);
}

} // namespace

std::string VersionOf(const ModelId& model) {
  const size_t colon = model.str().rfind(':');
  return colon == std::string::npos ? std::string() : model.str().substr(colon + 1);
}

InferenceCore::InferenceCore(InferenceCoreOptions options, std::shared_ptr<const Router> router)
    : options_(std::move(options)), router_(std::move(router)), budget_(options_.max_bytes_in_flight) {}

const std::vector<std::string_view>& InferenceCore::extensions() {
  static const std::vector<std::string_view> kExtensions{"binary_tensor_data", "classification", "model_configuration",
                                                         "model_repository",   "parameters",     "schedule_policy",
                                                         "statistics"};
  return kExtensions;
}

Result<Route> InferenceCore::Find(const std::string& name, const std::string& version) const {
  // Clients of Triton look for these words.
  const auto unknown = [&name] { return "Request for unknown model: '" + ToText(name, kMaxShownName) + "' "; };
  Route route = IsName(name) ? router_->Find(AppId(name)) : Route();
  if (!route.device) return NotFound(unknown() + "is not found");
  if (HasVersion(route, version)) return route;
  return NotFound(unknown() + "version " + ToText(version, kMaxShownName) +
                  " is not found; the application runs version " + VersionOf(route.model));
}

Result<ServedModel> InferenceCore::Describe(const std::string& name, const std::string& version) const {
  AVOCET_ASSIGN_OR_RETURN(const auto route, Find(name, version));
  AVOCET_ASSIGN_OR_RETURN(const auto signature, route.device->SignatureOf(AppId(name)));
  const DeviceSpec& device = route.device->spec();
  return ServedModel{.name = name,
                     .version = VersionOf(route.model),
                     .model = route.model,
                     .platform = "avocet_" + std::string(ToString(device.engine)),
                     .device = device.id(),
                     .kind = device.kind,
                     .emulated = route.emulated,
                     .signature = *signature};
}

Result<std::vector<ServedStatistics>> InferenceCore::Statistics(const std::string& name,
                                                                const std::string& version) const {
  std::vector<ServedStatistics> all;
  if (!name.empty()) {
    AVOCET_ASSIGN_OR_RETURN(const auto route, Find(name, version));
    all.push_back({name, VersionOf(route.model), route.statistics->Snapshot()});
    return all;
  }
  const auto table = router_->snapshot();
  for (const auto& [app, route] : *table)
    all.push_back({app.str(), VersionOf(route.model), route.statistics->Snapshot()});
  return all;
}

std::vector<IndexEntry> InferenceCore::Index() const {
  std::vector<IndexEntry> index;
  const auto table = router_->snapshot();
  for (const auto& [app, route] : *table)
    index.push_back({app.str(), VersionOf(route.model)});
  return index;
}

std::array<uint64_t, kStatusCodes> InferenceCore::refusals() const {
  std::array<uint64_t, kStatusCodes> counts{};
  for (size_t i = 0; i < counts.size(); ++i)
    counts[i] = refusals_[i].load();
  return counts;
}

Status InferenceCore::RefuseRepositoryChange() {
  return Unsupported("the controller decides which models run here; use 'avocet app apply' and 'avocet app rm'");
}

Status InferenceCore::NoSharedMemory(const std::string& region) {
  return NotFound("there is no shared memory region '" + ToText(region, kMaxShownName) + "'");
}

Status InferenceCore::NotServed(const std::string& extension) {
  return Unsupported(extension + " is an extension that is not served");
}

} // namespace avocet
